"""Reading equipment: what there is, what is fit for use, and the use log of each piece. 21 CFR 211.182."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q

from batches.equipment.models import Equipment, EquipmentClass, EquipmentUse, Occupancy
from batches.equipment.states import STATE_WORDS
from mes.errors import WrongScan


@dataclass(frozen=True)
class Standing:
    """A piece of equipment as it is now: the lot it holds, and why it is not fit ("" when it is)."""

    equipment: Equipment
    occupancy: Occupancy | None
    why_not: str

    @property
    def is_fit(self) -> bool:
        return not self.why_not


def classes() -> list[EquipmentClass]:
    """Every class, by name."""
    return list(EquipmentClass.objects.order_by("name"))


def standings(at: dt.datetime) -> list[Standing]:
    """Every piece of equipment with its standing, by class and number. Two queries."""
    rows = list(Equipment.objects.select_related("equipment_class").order_by("equipment_class__name", "code"))
    held = {each.equipment_id: each for each in Occupancy.objects.filter(ended_at=None).select_related("lot")}
    return [Standing(each, held.get(each.pk), _why_not(each, at)) for each in rows]


def standing(equipment: Equipment, at: dt.datetime) -> Standing:
    """One piece of equipment with its standing."""
    return Standing(equipment, occupancy_of(equipment), _why_not(equipment, at))


def _why_not(equipment: Equipment, at: dt.datetime) -> str:
    if equipment.state != "in_service":
        return STATE_WORDS[equipment.state].capitalize()
    return "Calibration ended" if equipment.calibrated_until <= at else ""


def occupancy_of(equipment: Equipment) -> Occupancy | None:
    """Which lot is in it now, if any."""
    return Occupancy.objects.filter(equipment=equipment, ended_at=None).select_related("lot").first()


def occupied_by(lot) -> list[Occupancy]:
    """What a lot is in now."""
    return list(Occupancy.objects.filter(lot=lot, ended_at=None).select_related("equipment"))


def uses_of(equipment: Equipment) -> list[EquipmentUse]:
    """The use log of a piece of equipment: every scan at a step, newest first."""
    return list(EquipmentUse.objects.filter(equipment=equipment).select_related("lot", "step_run", "by").order_by("-recorded_at"))


def used_by(lot) -> list[EquipmentUse]:
    """Every piece of equipment in a lot's record, oldest first."""
    return list(EquipmentUse.objects.filter(lot=lot).select_related("equipment__equipment_class", "step_run", "by").order_by("recorded_at"))


def find(value: str) -> Equipment:
    """The equipment that a scanned identifier or a typed number names. Raises WrongScan("equipment_unknown")."""
    rows = Equipment.objects.select_related("equipment_class")
    found = rows.filter(identifier=value).first() or rows.filter(code=value).first()
    if found is None:
        raise WrongScan("equipment_unknown", "This label belongs to no equipment registered here. Scan the label on the device.")
    return found


def fit_for(class_code: str, lot, at: dt.datetime) -> list[Equipment]:
    """What could be used instead: equipment of the class that is in service, calibrated and not holding another lot."""
    rows = Equipment.objects.filter(equipment_class__code=class_code, state="in_service", calibrated_until__gt=at)
    elsewhere = Occupancy.objects.filter(ended_at=None).exclude(lot=lot).values("equipment_id")
    return list(rows.filter(Q(shared=True) | ~Q(pk__in=elsewhere)).select_related("equipment_class").order_by("code"))
