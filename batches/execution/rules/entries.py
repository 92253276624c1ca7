"""When a value, a correction, a choice, a scan or a file may be recorded. 21 CFR 211.68, 211.100(b), 211.188(b)."""

from __future__ import annotations

import datetime as dt

from batches.equipment.models import Equipment, EquipmentUse
from batches.execution import queries
from batches.execution.models import Entry, Excursion
from batches.execution.rules.files import check_is_what_it_is_called
from batches.execution.rules.people import check_actor_performs, check_beside
from batches.execution.rules.steps import CERTIFIED, CORRECTABLE, check_lot_can_go_on, check_open, check_reason
from batches.execution.work import Work
from batches.lots.models import Lot
from batches.materials.models import Consumption, MaterialLot
from batches.readings.models import Reading
from batches.recipes.document.schema import Parameter
from batches.recipes.units import agrees
from mes.errors import Missing, RuleBroken, StaleRecord, UnreadableInput
from mes.people.models import User
from mes.records.actors import Actor
from mes.signatures.rules import check_different_person

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes: a raw file lies whole in the record."""
MEDIA_TYPES = (
    "application/pdf", "text/", "image/", "application/csv", "application/json", "application/xml", "application/zip", "application/vnd.",
    "application/octet-stream",
)  # fmt: skip


def check_can_work_on_step(*, by: Actor, work: Work) -> None:
    """Person, lot and step for everything that is recorded in an open step."""
    check_actor_performs(by, work.run, work.step)
    check_lot_can_go_on(work.lot, work.recipe, work.run.step_key)
    check_open(work.run)


def check_can_record_value(*, by: Actor, work: Work, parameter: Parameter, current: Entry | None, saw, late: bool, reason: str) -> None:
    """Raises StaleRecord when the screen saw another entry, RuleBroken("already_recorded"), RuleBroken("calculated_value"),
    RuleBroken("equipment_value"), UnreadableInput("late_reason_missing")."""
    if parameter.type == "calculated":
        raise RuleBroken("calculated_value", f"{parameter.name} is calculated. Record the values it is made of.", field=parameter.key)
    if parameter.source == "equipment":
        raise RuleBroken("equipment_value", f"{parameter.name} comes from the equipment. Confirm its reading.", field=parameter.key)
    if current is not None:
        check_saw(parameter, current, saw)
        raise RuleBroken(
            "already_recorded",
            f"{parameter.name} is recorded: {current}. A change is a correction with a reason and a second person.",
            field=parameter.key,
            detail={"entry": str(current.pk)},
        )
    if saw:
        raise StaleRecord(field=parameter.key)
    if late and len(reason.strip()) < 3:
        raise UnreadableInput(
            "late_reason_missing",
            f"This is entered later than step {work.run.key} allows ({work.step.late_after}). Say why.",
            field="reason",
        )


def check_saw(parameter: Parameter, current: Entry, saw) -> None:
    """Raises StaleRecord naming what is there when the screen had not seen it."""
    if str(saw or "") != str(current.pk):
        raise StaleRecord(
            f"{current.by.full_name} recorded {current} for {parameter.name} before you. Yours was not saved. Keep theirs, or correct it with a reason.",
            field=parameter.key,
            detail={"entry": str(current.pk), "value": current.value_text},
        )


def check_claimed(claimed_at: dt.datetime | None, at: dt.datetime, work: Work) -> bool:
    """Whether a value done at the claimed time is a late entry. Raises UnreadableInput: claimed_without_zone, claimed_in_future, claimed_too_early."""
    if claimed_at is None:
        return False
    if claimed_at.utcoffset() is None:
        raise UnreadableInput("claimed_without_zone", "The time of doing has no time zone. Give it as 2026-03-19T14:05+01:00.", field="claimed_at")
    if claimed_at > at:
        raise UnreadableInput("claimed_in_future", "The time of doing lies in the future. Check the date and the time.", field="claimed_at")
    if claimed_at < work.lot.recorded_at:
        raise UnreadableInput("claimed_too_early", "The time of doing lies before the lot was ordered. Check the date and the time.", field="claimed_at")
    allowed = work.step.late_after_span
    return allowed is not None and at - claimed_at > allowed


def check_can_correct_value(*, by: Actor, work: Work, entry: Entry, parameter: Parameter, reason: str, signer: User) -> None:
    """A correction is for transcription: reason and a second person who compared it with the source (decision 6).

    Raises RuleBroken: lot_on_hold, lot_decided, calculated_value, StaleRecord when the entry was corrected meanwhile; NotAllowed("same_person").
    """
    check_actor_performs(by, work.run, work.step)
    check_beside(signer, by, work.run, "compare the correction with its source and sign")
    if entry.by_id == signer.pk:
        check_different_person(signer.pk, entry.by_id, f"{signer.full_name} recorded this value. Somebody else has to compare it with its source.")
    check_correctable(work, entry, parameter)
    check_reason(reason, "Say what went wrong when it was recorded.")


def check_correctable(work: Work, entry: Entry, parameter: Parameter) -> None:
    """Whether a correction can be made at all, whoever signs it."""
    if parameter.type == "calculated":
        raise RuleBroken("calculated_value", f"{parameter.name} is calculated. Correct the values it is made of.", field=parameter.key)
    if hasattr(entry, "superseded_by"):
        raise StaleRecord(f"{parameter.name} was corrected meanwhile. Nothing was saved. Look at what is there now.", field=parameter.key)
    _check_record_open(work)


def _check_record_open(work: Work) -> None:
    if work.lot.state in CORRECTABLE:
        if queries.open_hold(work.lot) is not None:
            raise RuleBroken("lot_on_hold", f"Lot {work.lot.number} is on hold. Every step is read-only until the hold ends.")
    elif work.lot.state not in CERTIFIED or not queries.is_after_release(work.recipe, work.run.step_key):
        raise RuleBroken("lot_decided", f"Lot {work.lot.number} is {work.lot.state.replace('_', ' ')}; its record is not corrected any more. Open a deviation.")


def check_can_choose(*, by: Actor, work: Work, excursion: Excursion, choice: str, reason: str) -> None:
    """Raises UnreadableInput("unknown_choice"), RuleBroken("hard_limit") for keeping a value that stopped the step, UnreadableInput("reason_missing")."""
    check_actor_performs(by, work.run, work.step)
    check_lot_can_go_on(work.lot, work.recipe, work.run.step_key)
    if choice not in ("correct", "keep", "stop"):
        raise UnreadableInput("unknown_choice", "Choose one of the three ways: correct, keep and go on, keep and stop.", field="choice")
    if choice == "keep" and excursion.kind == "hard_limit":
        raise RuleBroken("hard_limit", f"{excursion.sentence} This limit stops the step; a supervisor or quality decides how it goes on.")
    if excursion.kind != "hard_limit" and not (choice == "stop" and work.run.state == "stopped"):
        check_open(work.run)
    if choice != "correct":
        check_reason(reason, "Say what you saw and why the value stands.")


# --- scans and files --------------------------------------------------------------------------------------------------


def check_can_consume(*, by: Actor, work: Work, line: str, material_lot: MaterialLot, scanned: str) -> None:
    """Raises RuleBroken("material_not_of_step"), RuleBroken("already_scanned")."""
    if line not in {each.material for each in work.step.materials}:
        raise UnreadableInput("material_not_of_step", f"Step {work.run.key} uses no material {line}.", field="line")
    if Consumption.objects.filter(step_run=work.run, line=line, material_lot=material_lot, superseded_by=None, quantity__gt=0).exists():
        raise RuleBroken("already_scanned", f"{material_lot.material.name}, lot {material_lot.number}, is recorded for this line already.")


def check_can_use_equipment(*, by: Actor, work: Work, class_code: str, equipment: Equipment) -> None:
    """Raises UnreadableInput("equipment_not_of_step"), RuleBroken("already_scanned")."""
    if class_code not in work.step.equipment:
        raise UnreadableInput("equipment_not_of_step", f"Step {work.run.key} needs no equipment of the class {class_code}.", field="class_code")
    if EquipmentUse.objects.filter(step_run=work.run, equipment=equipment).exists():
        raise RuleBroken("already_scanned", f"{equipment.name} is recorded for this step already.")


def check_can_attach(*, by: Actor, work: Work, code: str, file_name: str, media_type: str, content: bytes) -> None:
    """Raises UnreadableInput: file_not_of_step, file_empty, file_too_large, file_type, file_content."""
    if code not in {each.code for each in work.step.attachments}:
        raise UnreadableInput("file_not_of_step", f"Step {work.run.key} takes no file {code}.", field="code")
    if not content:
        raise UnreadableInput("file_empty", "The file is empty. Export it again and attach it.", field="file")
    if len(content) > LARGEST_FILE:
        raise UnreadableInput("file_too_large", f"The file has {len(content) // 1024**2} MB; 20 MB fit. Export a smaller one.", field="file")
    if not media_type.startswith(MEDIA_TYPES):
        raise UnreadableInput("file_type", f"A file of the type {media_type} is not taken. Attach a PDF, a text, a table or a picture.", field="file")
    check_is_what_it_is_called(file_name, content)


def check_can_confirm_reading(*, by: Actor, work: Work, reading: Reading, parameter: Parameter, used: bool) -> None:
    """A reading becomes a value only if its equipment is in this step, calibrated and unit-true (EXE-08).

    Raises RuleBroken: typed_value, wrong_channel, not_assigned, not_calibrated, wrong_unit, reading_used, or why it was not usable when it came.
    """
    if parameter.source == "typed":
        raise RuleBroken("typed_value", f"{parameter.name} is typed, not read from equipment.", field=parameter.key)
    if parameter.channel != reading.channel:
        raise RuleBroken("wrong_channel", f"The reading is of the channel {reading.channel}; {parameter.name} takes {parameter.channel}.", field=parameter.key)
    if reading.why_not in ("not_calibrated", "out_of_service"):
        raise RuleBroken("not_calibrated", "The equipment was not fit for use when it read this. Use another one.", field=parameter.key)
    if reading.step_run_id != work.run.pk or not EquipmentUse.objects.filter(step_run=work.run, equipment_id=reading.equipment_id).exists():
        raise RuleBroken("not_assigned", "The equipment of this reading was not scanned at this step when it came. Scan it first.", field=parameter.key)
    if not agrees(reading.unit, parameter.unit or ""):
        raise RuleBroken("wrong_unit", f"The reading is in {reading.unit}; {parameter.name} is recorded in {parameter.unit}.", field=parameter.key)
    if used:
        raise RuleBroken("reading_used", "This reading is a value of a step already.", field=parameter.key)
    if not reading.usable or reading.value is None:
        why = reading.why_not or "not_a_number"
        raise RuleBroken(why, "The reading is kept, and cannot be a value of this step. Read again.", field=parameter.key)


def check_can_record_time_breach(*, by: Actor, lot: Lot, found, exists: bool) -> None:
    """Raises Missing for an unknown limit, RuleBroken("not_breached"), RuleBroken("already_told")."""
    if found is None:
        raise Missing("not_found", f"The recipe of lot {lot.number} has no such time limit.")
    if not found.is_broken:
        raise RuleBroken("not_breached", f"{found.limit.title}: the limit is kept so far.")
    if exists:
        raise RuleBroken("already_told", f"{found.limit.title}: the excursion is written already.")


def check_can_correct_consumption(*, by: Actor, work: Work, line: Consumption, reason: str, signer: User) -> None:
    """As the correction of a value: reason, and a second person who compared it with its source.

    Raises RuleBroken: lot_on_hold, lot_decided; StaleRecord when it was corrected meanwhile; NotAllowed("same_person").
    """
    check_actor_performs(by, work.run, work.step)
    check_beside(signer, by, work.run, "compare the correction with its source and sign")
    check_different_person(signer.pk, line.by_id, f"{signer.full_name} recorded this quantity. Somebody else has to compare it with its source.")
    check_quantity_correctable(work, line)
    check_reason(reason, "Say what went wrong when it was recorded.")


def check_quantity_correctable(work: Work, line: Consumption) -> None:
    """Whether a quantity can be corrected at all, whoever signs it."""
    if hasattr(line, "superseded_by"):
        raise StaleRecord(f"{line.material_lot.material.name} was corrected meanwhile. Nothing was saved. Look at what is there now.", field="quantity")
    _check_record_open(work)
