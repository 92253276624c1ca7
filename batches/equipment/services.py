"""Deeds on equipment: register, calibrate, take out of service, and which lot is in it."""

from __future__ import annotations

import datetime as dt
import re

from batches.equipment import queries, rules
from batches.equipment.models import Equipment, EquipmentClass, Occupancy
from batches.events import Event
from mes.people.models import Site
from mes.records.actors import Actor
from mes.records.door import deed_now, service


@service(Event.EQUIPMENT_CLASS_DEFINED)
def define_class(*, by: Actor, code: str, name: str) -> EquipmentClass:
    """Define a kind of equipment by the code that recipes use."""
    rules.check_can_define_class(by=by, code=code, name=name)
    made = EquipmentClass(site_id=by.site_id, code=code, name=name.strip())
    made.save()
    return made


@service(Event.EQUIPMENT_REGISTERED)
def register_equipment(
    *, by: Actor, class_id, code: str, name: str, calibrated_until: dt.datetime, serial: str = "", shared: bool = False, identifier: str = ""
) -> Equipment:
    """Register a piece of equipment; without an `identifier` for its label it gets one. `shared` instruments are never occupied."""
    site = re.sub(r"[^A-Za-z0-9]", "", Site.objects.get(pk=by.site_id).code)
    identifier = identifier.strip() or f"{site}.{code}"
    rules.check_can_register_equipment(by=by, code=code, name=name, identifier=identifier, calibrated_until=calibrated_until)
    equipment = Equipment(
        site_id=by.site_id, equipment_class=EquipmentClass.objects.one(pk=class_id), code=code, identifier=identifier, name=name.strip(),
        serial=serial.strip(), calibrated_until=calibrated_until, shared=shared,
    )  # fmt: skip
    equipment.save()
    return equipment


@service(Event.EQUIPMENT_CALIBRATED)
def calibrate(*, by: Actor, equipment_id, seen: int, calibrated_until: dt.datetime, certificate: str) -> Equipment:
    """Record a calibration: until when it holds, and the number of its certificate. 21 CFR 211.68(a)."""
    equipment = Equipment.objects.lock(equipment_id, seen=seen)
    rules.check_can_calibrate(by=by, equipment=equipment, calibrated_until=calibrated_until, certificate=certificate, at=deed_now().at)
    deed_now().reason = deed_now().reason or f"Calibration certificate {certificate.strip()}"
    equipment.calibrated_until = calibrated_until
    equipment.save()
    return equipment


@service(Event.EQUIPMENT_STATE_CHANGED)
def change_state(*, by: Actor, equipment_id, seen: int, state: str, reason: str) -> Equipment:
    """Take equipment out of service, back into it, or retire it."""
    equipment = Equipment.objects.lock(equipment_id, seen=seen)
    holds_lot = queries.occupancy_of(equipment) is not None
    rules.check_can_change_state(by=by, equipment=equipment, state=state, reason=reason, holds_lot=holds_lot)
    equipment.state, equipment.state_reason = state, reason.strip()
    equipment.save()
    return equipment


@service(Event.EQUIPMENT_OCCUPIED)
def occupy(*, by: Actor, equipment: Equipment, lot, step_run) -> Occupancy | None:
    """Put a lot into a piece of equipment from this step on. Asking again for the same lot changes nothing.

    The equipment is locked, so that of two lots that come at once one is refused. A shared
    instrument is not occupied (None). Raises what rules.check_fit raises.
    """
    equipment = Equipment.objects.lock(equipment.pk)
    rules.check_can_occupy(by=by, equipment=equipment, lot=lot, at=deed_now().at)
    held = queries.occupancy_of(equipment)
    if held is not None or equipment.shared:
        return held
    occupancy = Occupancy(site_id=by.site_id, equipment=equipment, lot=lot, step_run=step_run)
    occupancy.save()
    return occupancy


@service(Event.EQUIPMENT_FREED)
def free(*, by: Actor, equipment_id, reason: str = "") -> Occupancy:
    """The lot has left the equipment. Raises RuleBroken("not_occupied")."""
    equipment = Equipment.objects.lock(equipment_id)
    occupancy = queries.occupancy_of(equipment)
    rules.check_can_free(by=by, occupancy=occupancy)
    return _end(by, occupancy)


@service(Event.EQUIPMENT_FREED)
def free_all_of(*, by: Actor, lot) -> tuple:
    """Free everything a lot is in: it ended. Returns the lot and what was freed."""
    for equipment_id in sorted(each.equipment_id for each in queries.occupied_by(lot)):
        Equipment.objects.lock(equipment_id)
    freed = queries.occupied_by(lot)
    for occupancy in freed:
        rules.check_can_free(by=by, occupancy=occupancy)
        _end(by, occupancy)
    return lot, freed


def _end(by: Actor, occupancy: Occupancy) -> Occupancy:
    occupancy.ended_at, occupancy.ended_by_id = deed_now().at, by.user_id
    occupancy.save()
    return occupancy
