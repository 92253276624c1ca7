"""Scans, material, equipment and files of a step. 21 CFR 211.184, 211.188(b), 211.130(e); COI-03, MAT-02."""

from __future__ import annotations

import hashlib

from batches.equipment import rules as equipment_rules
from batches.equipment.models import Equipment, EquipmentUse
from batches.equipment.services import occupy
from batches.events import Event
from batches.execution import rules
from batches.execution.models import Attachment, ScanEvent
from batches.execution.queries.content import correction_of_consumption_subject
from batches.execution.queries.scans import Found, look_up
from batches.execution.work import Work, work_on
from batches.materials import rules as material_rules
from batches.materials.models import Consumption, MaterialLot
from batches.permissions import Permission
from batches.recipes.document.schema import MaterialLine
from batches.recipes.quantities import DecimalSign, Quantity, read_value
from batches.recipes.units import convert
from mes.errors import UnreadableInput
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import services as signatures
from mes.signatures.ceremony import Proof


def keep_scan(by: Actor, work: Work, found: Found, purpose: str, *, code: str = "", sentence: str = "", typed: bool = False, beside=None) -> ScanEvent:
    """Write a scan of a step, right (no code) or wrong. Called inside a deed."""
    scan = ScanEvent(
        site_id=by.site_id, by_id=by.user_id, lot=work.lot, step_run=work.run, purpose=purpose, text=found.text[:200], matched=not code,
        typed=typed, with_person=beside, container=found.container if not code else None, code=code, sentence=sentence,
    )  # fmt: skip
    scan.save()
    deed_now().tell(Event.SCAN_RECORDED, scan)
    return scan


@service(Event.MATERIAL_CONSUMED)
def consume(*, by: Actor, step_run_id, line: str, scanned: str, quantity: str = "", typed: bool = False) -> Consumption | ScanEvent:
    """Record that so much of a scanned material lot goes into the step; without a quantity the planned one of the line.

    `typed` says that the code was typed by hand: it is counted, and the reviewer sees it.
    Returns the Consumption, or the ScanEvent of a wrong scan, which is kept (raise it with `queries.refusal_of`). Raises what
    materials.rules.check_usable raises: material_in_quarantine, material_expired, material_blocked, material_used_up; ValueRefused for the quantity.
    """
    work = work_on(step_run_id)
    rules.check_can_work_on_step(by=by, work=work)
    material = next((each for each in work.recipe.materials if each.code == line), None)
    planned = next((each for each in work.step.materials if each.material == line), None)
    if material is None or planned is None:
        raise UnreadableInput("material_not_of_step", f"Step {work.run.key} uses no material {line}.", field="line")
    found = look_up(scanned)
    if found.material_lot is None or found.material_lot.material.code != line:
        sentence = f"{_what(found)} Needed: {material.name}. Put it back and scan the right one."
        return keep_scan(by, work, found, "material", code="wrong_material", sentence=sentence)
    material_lot = MaterialLot.objects.lock(found.material_lot.pk)
    rules.check_can_consume(by=by, work=work, line=line, material_lot=material_lot, scanned=scanned)
    taken = quantity_of(planned, material.unit, quantity, work.lot.site.decimal_sign)
    amount = convert(taken.value, taken.unit, material_lot.unit)
    material_rules.check_usable(material_lot, amount, material_lot.unit, deed_now().at, material_code=line)
    consumption = Consumption(
        site_id=by.site_id, by_id=by.user_id, lot=work.lot, step_run=work.run, material_lot=material_lot, line=line, quantity=amount,
        quantity_text=taken.text, unit=taken.unit, scanned=found.text,
    )  # fmt: skip
    consumption.save()
    if typed:
        keep_scan(by, work, found, "material", typed=True)
    return consumption


def quantity_of(planned: MaterialLine, unit: str, typed: str, decimal_sign: DecimalSign) -> Quantity:
    """The quantity as typed, or as planned. Raises ValueRefused, UnreadableInput("quantity_missing")."""
    unit = planned.unit or unit
    if not typed.strip():
        if planned.quantity is None:
            raise UnreadableInput("quantity_missing", "How much was taken? Type the quantity.", field="quantity")
        return read_value(format(planned.quantity, "f"), "decimal", unit=unit, decimals=6)
    return read_value(typed, "decimal", unit=unit, decimals=6, decimal_sign=decimal_sign)


def _what(found: Found) -> str:
    if found.material_lot is not None:
        return f"This is {found.material_lot.material.name}, lot {found.material_lot.number}."
    if found.equipment is not None:
        return f"This is {found.equipment.name}."
    if found.container is not None:
        return f"This is {found.container.title} of lot {found.container.lot.number}, check code {found.container.lot.check_code}."
    return found.sentence


@service(Event.CONSUMPTION_CORRECTED)
def correct_consumption(*, by: Actor, consumption_id, quantity: str, reason: str, proof: Proof) -> Consumption:
    """Correct the quantity of a consumption: a new fact with the reason, signed by a second person. Zero takes it back.

    Expiry and status are not asked again: the material was fit when it was taken, and what was taken is what counts. Raises
    RuleBroken("material_used_up"), ValueRefused, UnreadableInput: quantity_negative, same_value. 21 CFR 11.10(e), 211.184(c).
    """
    old = Consumption.objects.one(pk=consumption_id)
    work = work_on(old.step_run_id)
    old = Consumption.objects.select_related("material_lot__material", "by", "superseded_by").one(pk=consumption_id)
    rules.check_can_correct_consumption(by=by, work=work, line=old, reason=reason, signer=proof.user)
    material_lot = MaterialLot.objects.lock(old.material_lot_id)
    taken = read_value(quantity, "decimal", unit=old.unit, decimals=6, decimal_sign=work.lot.site.decimal_sign)
    amount = convert(taken.value, taken.unit, material_lot.unit)
    if amount < 0:
        raise UnreadableInput("quantity_negative", "A quantity is zero or more. Type what was taken; zero when nothing was.", field="quantity")
    if amount == old.quantity:
        raise UnreadableInput("same_value", f"{old.quantity_text} {old.unit} is recorded already. Type what it should be.", field="quantity")
    if amount > old.quantity:
        material_rules.check_enough(material_lot, amount - old.quantity)
    signatures.sign(
        by=by, proof=proof, what=correction_of_consumption_subject(old, work.run, quantity, reason), meaning="confirmed_transcription",
        stream=work.run.stream, lot_id=work.lot.pk, permission=Permission.SIGN_AS_SECOND_PERSON,
    )  # fmt: skip
    new = Consumption(
        site_id=by.site_id, by_id=by.user_id, lot=work.lot, step_run=work.run, material_lot=material_lot, line=old.line, quantity=amount,
        quantity_text=taken.text, unit=taken.unit, scanned=old.scanned, supersedes=old, reason=reason.strip(),
    )  # fmt: skip
    new.save()
    return new


@service(Event.EQUIPMENT_USED)
def use_equipment(*, by: Actor, step_run_id, class_code: str, scanned: str, typed: bool = False) -> EquipmentUse | ScanEvent:
    """Record the scanned equipment of a step with its calibration as it is now; a piece that holds a lot is occupied from here on.

    `typed` says that the code was typed by hand, which is counted.
    Returns the EquipmentUse, or the ScanEvent of a wrong scan. Raises what equipment.rules.check_fit raises: out_of_service, not_calibrated,
    occupied_by_another_lot.
    """
    work = work_on(step_run_id)
    rules.check_can_work_on_step(by=by, work=work)
    wanted = next((each for each in work.recipe.equipment_classes if each.code == class_code), None)
    if wanted is None or class_code not in work.step.equipment:
        raise UnreadableInput("equipment_not_of_step", f"Step {work.run.key} needs no equipment of the class {class_code}.", field="class_code")
    found = look_up(scanned)
    if found.equipment is None or found.equipment.equipment_class.code != class_code:
        sentence = f"{_what(found)} Needed: {wanted.name}."
        return keep_scan(by, work, found, "equipment", code="wrong_equipment", sentence=sentence)
    equipment = Equipment.objects.lock(found.equipment.pk)
    rules.check_can_use_equipment(by=by, work=work, class_code=class_code, equipment=equipment)
    equipment_rules.check_fit(equipment, work.lot, deed_now().at, class_code=class_code)
    if not equipment.shared:
        occupy(by=by, equipment=equipment, lot=work.lot, step_run=work.run)
    use = EquipmentUse(
        site_id=by.site_id, by_id=by.user_id, lot=work.lot, step_run=work.run, equipment=equipment, class_code=class_code,
        calibrated_until=equipment.calibrated_until,
    )  # fmt: skip
    use.save()
    if typed:
        keep_scan(by, work, found, "equipment", typed=True)
    return use


@service(Event.FILE_ATTACHED)
def attach(*, by: Actor, step_run_id, code: str, file_name: str, media_type: str, content: bytes) -> Attachment:
    """Keep a raw file of the step whole, with its SHA-256, which the step's signatures cover. Annex 11 (2011) 5; 21 CFR 211.194(a)."""
    work = work_on(step_run_id)
    rules.check_can_work_on_step(by=by, work=work)
    rules.check_can_attach(by=by, work=work, code=code, file_name=file_name, media_type=media_type, content=content)
    kept = Attachment(
        site_id=by.site_id, by_id=by.user_id, lot=work.lot, step_run=work.run, code=code, file_name=_safe_name(file_name), media_type=media_type[:100],
        size=len(content), sha256=hashlib.sha256(content).hexdigest(), content=content,
    )  # fmt: skip
    kept.save()
    return kept


def _safe_name(name: str) -> str:
    plain = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in plain if letter.isprintable())[:200] or "file"
