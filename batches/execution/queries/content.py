"""Exactly what is shown and signed of a step: the same text in the dialog, in the signature and in the batch record."""

from __future__ import annotations

import copy
from collections import defaultdict

from batches.equipment.models import EquipmentUse
from batches.execution.models import Entry, Excursion, StepRun
from batches.execution.queries.held import Held, Row, check_files, held_by, moment
from batches.execution.queries.runs import recipe_of, step_of
from batches.materials.models import Consumption
from mes.audit.chain import instant
from mes.errors import Missing
from mes.signatures import ceremony
from mes.signatures.models import Signature
from mes.signatures.queries import payload_intact, signatures_of, still_covers

STEP, DECISION, CORRECTION, TYPED = "step/1", "step_decision/1", "correction/1", "typed_identifier/1"
RESUMED, LEFT_OUT = "step_resumed/2", "step_left_out/2"
SECOND_MEANING = {"verify": "verified", "witness": "witnessed"}


def second_meaning(step) -> str:
    """What the second person's signature of this step means."""
    return "cleared" if step.kind == "line_clearance" else SECOND_MEANING[step.second_person]


def step_content(run: StepRun, held: Held | None = None) -> dict:
    """What a step's signatures cover: identity, materials, equipment, values with their history, files, excursions and choices.

    `held` is what the step holds, where the caller has just read it.
    """
    lot, step, held = run.lot, step_of(run), held or held_by(run)
    return {
        "lot": lot.number,
        "check_code": lot.check_code,
        "chain_of_identity": lot.therapy_event.coi,
        "recipe": f"{recipe_of(lot).code} {lot.recipe_version.label}",
        "recipe_sha256": lot.recipe_version.digest,
        "step": run.key,
        "title": step.title,
        "day": str(run.day),
        "opened_at": instant(run.opened_at) if run.opened_at else "",
        "opened_by": held.opened_by,
        "identity": [_scan(scan) for scan in held.scans],
        "materials": [_consumption(line) for line in held.consumptions],
        "equipment": [_equipment(use) for use in held.equipment],
        "values": [_value(held.current[p.key], p.name, held.before(p.key)) for p in step.parameters if p.key in held.current],
        "files": [{"code": each["code"], "name": each["name"], "size": str(each["size"]), "sha256": each["digest_now"]} for each in held.files],
        "excursions": [_excursion(each) for each in held.excursions],
    }


def _scan(scan: Row) -> dict:
    return {
        "container": scan["title"],
        "identifier": scan["identifier"],
        "how": "typed in full" if scan["typed"] else "scanned",
        "with": scan["beside"] or "",
        "at": moment(scan["at"]),
        "by": scan["by_name"],
    }


def _consumption(line: Row) -> dict:
    return {
        "line": line["line"],
        "material": line["material"],
        "number": line["number"],
        "expires": moment(line["expires"]),
        "quantity": line["quantity"],
        "unit": line["unit"],
        "at": moment(line["at"]),
        "by": line["by_name"],
        "reason": line["reason"],
    }


def _equipment(use: Row) -> dict:
    return {
        "class": use["class_code"],
        "name": use["name"],
        "code": use["code"],
        "calibrated_until": moment(use["calibrated_until"]),
        "at": moment(use["at"]),
        "by": use["by_name"],
    }


def _value(entry: Row, name: str, before: list[Row]) -> dict:
    return {
        "parameter": entry["parameter"],
        "name": name,
        "value": entry["value"],
        "unit": entry["unit"],
        "level": entry["level"],
        "judgement": entry["sentence"],
        "source": entry["source"],
        "calculation": entry["trace"],
        "at": moment(entry["at"]),
        "by": entry["by_name"],
        "claimed_at": moment(entry["claimed_at"]),
        "late": "yes" if entry["late"] else "no",
        "reason": entry["reason"],
        "confirmed_by": entry["confirmed_by"] or "",
        "before": [{"value": each["value"], "at": moment(each["at"]), "by": each["by_name"]} for each in before],
    }


def _excursion(excursion: Row) -> dict:
    return {
        "parameter": excursion["parameter"],
        "sentence": excursion["sentence"],
        "choices": [
            {"choice": made["choice"], "reason": made["reason"], "by": made["by_name"], "at": moment(made["at"])} for made in excursion["choices"]
        ],
    }


# --- the same rows as objects, for the pages ----------------------------------------------------------------------------


def consumptions_of(run: StepRun) -> list[Consumption]:
    """Material that went into the step, as it counts now."""
    lines = Consumption.objects.filter(step_run=run, superseded_by=None).select_related("material_lot__material", "by")
    return list(lines.order_by("recorded_at"))


def equipment_of(run: StepRun) -> list[EquipmentUse]:
    """Equipment scanned at the step."""
    return list(EquipmentUse.objects.filter(step_run=run).select_related("equipment", "by").order_by("recorded_at"))


def excursions_of(run: StepRun) -> list[Excursion]:
    """Excursions of the step's values with the choices made about them, oldest first."""
    found = Excursion.objects.filter(step_run=run, entry__isnull=False).select_related("entry__superseded_by").prefetch_related("choices__by")
    return list(found.order_by("recorded_at"))


# --- subjects of signatures -------------------------------------------------------------------------------------------


def subject_of(run: StepRun, held: Held | None = None) -> ceremony.Subject:
    """What performing or checking a step signs. Raises RuleBroken("file_damaged"), as everything that signs the content of a step does."""
    held = _undamaged(run, held)
    return ceremony.subject(run, STEP, step_content(run, held))


def decision_subject(run: StepRun, option: str, reason: str, held: Held | None = None) -> ceremony.Subject:
    """What a decision signs: the step with the answer and its reason."""
    held = _undamaged(run, held)
    return ceremony.subject(run, DECISION, decision_content(run, option, reason, held))


def signed_subject(run: StepRun, held: Held | None = None) -> ceremony.Subject:
    """What a second person signs: what the first one signed, as it stands now."""
    held = held or held_by(run)
    made = held.decision
    return decision_subject(run, made["option"], made["reason"], held) if made else subject_of(run, held)


def _undamaged(run: StepRun, held: Held | None) -> Held:
    held = held or held_by(run)
    check_files(held)
    return held


def decision_content(run: StepRun, option: str, reason: str, held: Held | None = None) -> dict:
    decision = step_of(run).decision
    if decision is None:
        raise Missing("unknown_option", f"Step {run.key} has no such answer.")
    title = next((each.title for each in decision.options if each.code == option), option)
    return step_content(run, held) | {"question": decision.question, "answer": title, "option": option, "reason": reason}


def correction_content(entry: Entry, run: StepRun, text: str, reason: str) -> dict:
    """What a correction signs: old and new, and why."""
    return {
        "lot": run.lot.number,
        "check_code": run.lot.check_code,
        "step": run.key,
        "parameter": entry.parameter,
        "name": step_of(run).parameter(entry.parameter).name,
        "unit": entry.unit,
        "entry": str(entry.pk),
        "recorded": entry.value_text,
        "recorded_by": entry.by.full_name,
        "recorded_at": instant(entry.recorded_at),
        "corrected": text.strip(),
        "reason": reason.strip(),
    }


def correction_subject(entry: Entry, run: StepRun, text: str, reason: str) -> ceremony.Subject:
    return ceremony.subject(run, CORRECTION, correction_content(entry, run, text, reason))


def correction_of_consumption_content(line: Consumption, run: StepRun, quantity: str, reason: str) -> dict:
    """What the correction of a quantity signs."""
    return {
        "lot": run.lot.number,
        "check_code": run.lot.check_code,
        "step": run.key,
        "line": line.line,
        "number": line.material_lot.number,
        "unit": line.unit,
        "consumption": str(line.pk),
        "recorded": line.quantity_text,
        "corrected": quantity.strip(),
        "reason": reason.strip(),
    }


def correction_of_consumption_subject(line: Consumption, run: StepRun, quantity: str, reason: str) -> ceremony.Subject:
    return ceremony.subject(run, CORRECTION, correction_of_consumption_content(line, run, quantity, reason))


def typed_subject(run: StepRun, typed: str) -> ceremony.Subject:
    """What a second person signs who read an identifier that could not be scanned."""
    content = {"lot": run.lot.number, "check_code": run.lot.check_code, "step": run.key, "identifier": typed.strip()}
    return ceremony.subject(run, TYPED, content)


def resume_subject(run: StepRun, reason: str) -> ceremony.Subject:
    """What the decision to go on after a stop signs: the step as it stands, and the reason the signer typed; empty while it is only shown."""
    return ceremony.subject(run, RESUMED, step_content(run, _undamaged(run, None)) | {"stopped_because": run.state_reason, "reason": reason.strip()})


def left_out_subject(run: StepRun, reason: str = "") -> ceremony.Subject:
    """What the decision to leave a step out signs: the step as it stands and the reason the signer typed; empty while it is only shown."""
    return ceremony.subject(run, LEFT_OUT, step_content(run, _undamaged(run, None)) | {"answer": "not done", "reason": reason.strip()})


# --- signatures that were made ----------------------------------------------------------------------------------------

STEP_SCHEMAS = (STEP, DECISION)


def signed_by(run: StepRun) -> list[dict]:
    """The step's own signatures, oldest first, each with whether it still covers what stands there now. 21 CFR 11.70."""
    made = [each for each in signatures_of([run.pk]) if each.payload_schema in STEP_SCHEMAS]
    held = held_by(run) if made else None
    return [{"signature": each, "covers": payload_intact(each) and still_covers(each, _as_signed(run, each, held))} for each in made]


def signatures_by_run(runs) -> dict:
    """Signatures of many runs in one query, without the check of what they cover."""
    found: dict = defaultdict(list)
    for each in signatures_of([run.pk for run in runs]):
        if each.payload_schema in STEP_SCHEMAS:
            found[each.record_id].append(each)
    return found


def _as_signed(run: StepRun, signature: Signature, held: Held) -> ceremony.Subject:
    # Signing moves the record on by itself: the content is compared at the version that was signed.
    then = copy.copy(run)
    then.version = signature.record_version
    if signature.payload_schema == DECISION:
        made = held.decision or {"option": "", "reason": ""}
        return ceremony.subject(then, DECISION, decision_content(then, made["option"], made["reason"], held))
    return ceremony.subject(then, STEP, step_content(then, held))
