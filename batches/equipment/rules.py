"""When a piece of equipment may be registered, changed and used. 21 CFR 211.63 to 211.68, 211.182; MAT-03, MAT-04."""

from __future__ import annotations

import datetime as dt
import re

from batches.equipment.models import Equipment, EquipmentClass, Occupancy
from batches.equipment.states import STATE_WORDS
from batches.permissions import Permission
from mes.clock import moment_words
from mes.errors import RuleBroken, UnreadableInput
from mes.people import rules as people
from mes.records.actors import Actor

CLASS_CODE = re.compile(r"[a-z][a-z0-9_]{1,59}")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,59}")


def check_can_define_class(*, by: Actor, code: str, name: str) -> None:
    people.check_may(by, Permission.MANAGE_EQUIPMENT)
    if not CLASS_CODE.fullmatch(code):
        raise UnreadableInput("code_shape", "A code has 2 to 60 small letters, digits and underscores, as recipes write it.", field="code")
    if not name.strip():
        raise UnreadableInput("name_missing", "The class needs a name.", field="name")
    if EquipmentClass.objects.filter(site_id=by.site_id, code=code).exists():
        raise RuleBroken("equipment_class_taken", f"The class {code} is defined here already.", field="code")


def check_can_register_equipment(*, by: Actor, code: str, name: str, identifier: str, calibrated_until: dt.datetime) -> None:
    people.check_may(by, Permission.MANAGE_EQUIPMENT)
    if not CODE.fullmatch(code):
        raise UnreadableInput("code_shape", "An equipment number has 1 to 60 letters, digits and . _ - without blanks.", field="code")
    if not name.strip():
        raise UnreadableInput("name_missing", "The equipment needs a name.", field="name")
    if calibrated_until.tzinfo is None:
        raise UnreadableInput("zone_missing", "The end of the calibration needs a time zone.", field="calibrated_until")
    if Equipment.objects.filter(site_id=by.site_id, code=code).exists() or Equipment.objects.filter(identifier=identifier).exists():
        raise RuleBroken("equipment_known", f"Equipment {code} is registered already.", field="code")


def check_can_calibrate(*, by: Actor, equipment: Equipment, calibrated_until: dt.datetime, certificate: str, at: dt.datetime) -> None:
    people.check_may(by, Permission.MANAGE_EQUIPMENT)
    if equipment.state == "retired":
        raise RuleBroken("retired", f"{equipment} is retired.")
    if calibrated_until <= at:
        raise RuleBroken("calibration_in_the_past", "This calibration ended before now. Type the date until which it holds.", field="calibrated_until")
    if len(certificate.strip()) < 3:
        raise RuleBroken("certificate_missing", "Type the number of the calibration certificate.", field="certificate")


def check_can_change_state(*, by: Actor, equipment: Equipment, state: str, reason: str, holds_lot: bool) -> None:
    """Taking a device out of service stays possible while a lot is in it: the lot's people must know at once."""
    people.check_may(by, Permission.MANAGE_EQUIPMENT)
    if state not in STATE_WORDS:
        raise UnreadableInput("state_unknown", f"The state is one of: {', '.join(STATE_WORDS)}.", field="state")
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "This needs a reason in your words.", field="reason")
    if equipment.state == state:
        raise RuleBroken("state_move", f"{equipment} is {STATE_WORDS[state]} already.")
    Equipment.states.check_move(equipment.state, state)
    if state == "retired" and holds_lot:
        raise RuleBroken("equipment_holds_a_lot", f"{equipment} holds a lot. Free it first, then retire it.")


def check_fit(equipment: Equipment, lot, at: dt.datetime, *, class_code: str = "") -> None:
    """Whether this equipment may be used for this lot at this moment. MAT-04.

    Call it with the equipment locked when it is about to be occupied. `class_code` is the class the step asks for. Raises
    RuleBroken: `equipment_wrong`, `out_of_service`, `not_calibrated`, `occupied_by_another_lot`.
    """
    if class_code and equipment.equipment_class.code != class_code:
        raise RuleBroken(
            "equipment_wrong", f"{equipment} is a {equipment.equipment_class.name}, and the step needs another kind. Scan the right one.", security="wrong_scan"
        )
    if equipment.state != "in_service":
        why = f": {equipment.state_reason}" if equipment.state_reason else ""
        raise RuleBroken("out_of_service", f"{equipment} is {STATE_WORDS[equipment.state]}{why}. Take another one.")
    if equipment.calibrated_until <= at:
        ended = moment_words(equipment.calibrated_until, equipment.site.time_zone)
        raise RuleBroken("not_calibrated", f"The calibration of {equipment} ended on {ended}. Take another one.")
    if equipment.shared:
        return
    held = Occupancy.objects.filter(equipment=equipment, ended_at=None).exclude(lot=lot).select_related("lot").first()
    if held:
        raise RuleBroken(
            "occupied_by_another_lot",
            f"{equipment} holds lot {held.lot.number}, check code {held.lot.check_code}. Take another one, or free it first.",
        )


def check_can_occupy(*, by: Actor, equipment: Equipment, lot, at: dt.datetime) -> None:
    people.check_may(by, Permission.RECORD_VALUES)
    check_fit(equipment, lot, at)


def check_can_free(*, by: Actor, occupancy: Occupancy | None) -> None:
    """A named job may free too: a lot that ends leaves its equipment."""
    if by.kind != "system" and not people.may(by.user_id, Permission.RECORD_VALUES, by.site_id):
        people.check_may(by, Permission.MANAGE_EQUIPMENT)
    if occupancy is None:
        raise RuleBroken("not_occupied", "This equipment holds no lot.")
