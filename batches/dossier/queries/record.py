"""The executed batch record as plain text: everything that was to be done, everything that was done. 21 CFR 211.188; REC-02, REC-03, REC-04.

Read in a fixed number of queries, however many steps a lot has. What stands above this app (results, deviations, decisions) adds its
own sections by name (`section`). Values that were changed keep their earlier values with who, when and why.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from batches.custody import queries as custody
from batches.custody.wording import HAND_OVERS
from batches.dossier.queries.trail import head_of
from batches.dossier.queries.voided import covering, what_changed
from batches.equipment.models import EquipmentUse
from batches.execution.models import Attachment, Entry, EntryAttempt, Excursion, ScanEvent, StepDecision
from batches.execution.queries.content import signatures_by_run
from batches.execution.queries.files import is_damaged, with_digest_now
from batches.execution.queries.runs import is_after_release, recipe_of, runs_of
from batches.execution.queries.times import time_limits
from batches.lots.models import Container, Donation, Hold, Lot
from batches.materials.models import Consumption
from batches.recipes.bounds import bounds_text
from batches.recipes.document.schema import Parameter
from batches.recipes.expressions import in_names
from mes.audit.chain import canonical_json, instant
from mes.signatures.queries import payload_intact
from mes.signatures.shown import check_whole

STATE_WORDS = {
    "waiting": "not begun",
    "open": "open",
    "stopped": "stopped",
    "performed": "waits for the second person",
    "complete": "complete",
    "not_done": "left out",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A section of the record as rows of text. `marked` names the rows (by index) that a reader must not miss."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "None."
    marked: frozenset[int] = field(default_factory=frozenset)


Section = Callable[[Lot], Sequence[Table]]
_sections: dict[str, Section] = {}


def section(name: str, tables: Section) -> None:
    """Register a section of the record, such as quality's results: `tables(lot)` inside the site context. Order is that of registering."""
    _sections[name] = tables


def record_of(lot: Lot, now: dt.datetime) -> dict:
    """The whole record of a lot at `now` (record time): text, lists and dicts, as page and paper show it."""
    recipe, zone = recipe_of(lot), lot.site.time_zone
    seq, head = head_of(lot.pk)
    facts = _Facts(lot)
    stages: list[dict] = [
        {
            "code": stage.code,
            "title": stage.title,
            "purpose": stage.purpose,
            "after_release": stage.after_release,
            "steps": [_step(facts, run, recipe.step(run.step_key)) for run in facts.runs if run.stage == stage.code],
        }
        for stage in recipe.stages
    ]
    return {
        "lot": lot.number,
        "check_code": lot.check_code,
        "coi": lot.therapy_event.coi,
        "subject": lot.therapy_event.patient.pseudonym,
        "state": lot.state.replace("_", " "),
        "demo": lot.demo,
        "site": {"name": lot.site.name, "code": lot.site.code, "time_zone": zone},
        "product": {"name": recipe.name, "code": lot.product, "market": lot.market, "cohort": lot.cohort},
        "recipe": {"code": recipe.code, "version": lot.recipe_version.label, "sha256": lot.recipe_version.digest},
        "treatment_centre": lot.therapy_event.treatment_centre,
        "ordered_at": instant(lot.recorded_at),
        "started_at": instant(lot.started_at) if lot.started_at else "",
        "ended_at": instant(lot.ended_at) if lot.ended_at else "",
        "end_reason": lot.end_reason,
        "read_at": instant(now),
        "trail": {"entries": seq, "head": head},
        "done": sum(run.state in {"complete", "not_done"} for run in facts.runs if not is_after_release(recipe, run.step_key)),
        "planned": sum(not is_after_release(recipe, run.step_key) for run in facts.runs),
        "stages": stages,
        "tables": [_plain(each) for each in (*_of_lot(lot, facts, now), *(table for make in _sections.values() for table in make(lot)))],
    }


def digest_of(record: dict) -> str:
    """SHA-256 (hexadecimal) over the canonical form of a record."""
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()


class _Facts:
    """Everything of a lot that its steps show, by run; one query a kind."""

    def __init__(self, lot: Lot):
        self.runs = runs_of(lot)
        self.names = recipe_of(lot).parameter_names()
        self.signatures = signatures_by_run(self.runs)
        self.covers = covering(lot, self.runs, self.signatures)
        self.entries = _by_run(Entry.objects.filter(lot=lot).select_related("by", "confirmed_by", "reading"))
        self.attempts = _by_run(EntryAttempt.objects.filter(lot=lot).select_related("by"))
        self.scans = _by_run(ScanEvent.objects.filter(lot=lot).select_related("by", "with_person", "container"))
        self.materials = _by_run(Consumption.objects.filter(lot=lot).select_related("by", "material_lot__material", "superseded_by"))
        self.equipment = _by_run(EquipmentUse.objects.filter(lot=lot).select_related("by", "equipment__equipment_class"))
        self.files = _by_run(with_digest_now(Attachment.objects.filter(lot=lot)).select_related("by"))
        self.excursions = _by_run(Excursion.objects.filter(lot=lot).select_related("by", "entry").prefetch_related("choices__by"))
        self.decisions = _by_run(StepDecision.objects.filter(lot=lot).select_related("by"))


def _by_run(rows) -> dict[uuid.UUID, list]:
    found: dict[uuid.UUID, list] = defaultdict(list)
    for row in rows.order_by("recorded_at", "id"):
        found[row.step_run_id].append(row)
    return found


def _step(facts: _Facts, run, step) -> dict:
    decision = next(iter(facts.decisions[run.pk]), None)
    option = next((each.title for each in step.decision.options if decision and each.code == decision.option), "") if step.decision else ""
    return {
        "key": run.key,
        "title": step.title,
        "day": str(run.day),
        "state": STATE_WORDS[run.state],
        "done": run.state == "complete",
        "state_reason": run.state_reason,
        "instruction": step.instruction,
        "critical": step.critical,
        "opened": _by(run.opened_at, run.opened_by),
        "values": _values(facts.entries[run.pk], step, facts.names),
        "attempts": [
            {"name": _name(step, each.parameter), "text": each.text, "sentence": each.sentence, **_by(each.recorded_at, each.by)}
            for each in facts.attempts[run.pk]
        ],
        "scans": [_scan(each) for each in facts.scans[run.pk]],
        "materials": [_material(each) for each in facts.materials[run.pk]],
        "equipment": [
            {
                "name": each.equipment.name, "code": each.equipment.code, "serial": each.equipment.serial, "class": each.equipment.equipment_class.name,
                "calibrated_until": instant(each.calibrated_until), "fit": each.calibrated_until > each.recorded_at, **_by(each.recorded_at, each.by),
            }
            for each in facts.equipment[run.pk]
        ],
        "files": [
            {
                "code": each.code, "name": each.file_name, "size": str(each.size), "sha256": each.sha256, "damaged": is_damaged(each),
                **_by(each.recorded_at, each.by),
            }
            for each in facts.files[run.pk]
        ],
        "excursions": [_excursion(each) for each in facts.excursions[run.pk]],
        "decision": {"question": step.decision.question, "answer": option, "reason": decision.reason} if decision and step.decision else None,
        "signatures": [_signature(each, facts, run, step) for each in facts.signatures.get(run.pk, [])],
    }  # fmt: skip


def _by(at: dt.datetime | None, person) -> dict[str, str]:
    return {"at": instant(at) if at else "", "by": person.full_name if person is not None else ""}


def _name(step, key: str) -> str:
    try:
        return step.parameter(key).name
    except KeyError:
        return key


def _values(entries: list[Entry], step, names: dict[str, str]) -> list[dict]:
    """Every parameter of the step in its order: what counts now, its limits, and what stood there before."""
    of: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        of[entry.parameter].append(entry)
    return [_value(parameter, of[parameter.key], names) for parameter in step.parameters]


def _value(parameter: Parameter, history: list[Entry], names: dict[str, str]) -> dict:
    now = history[-1] if history else None
    kept = {
        "name": parameter.name, "limits": limits_words(parameter), "class": "" if parameter.limit_class == "none" else parameter.limit_class,
        "value": now.value_text if now else "", "unit": now.unit if now else (parameter.unit or ""), "level": now.level if now else "",
        "sentence": now.sentence if now else "", "source": now.source if now else "", "trace": now.trace if now else "",
        "calculation": in_names(now.trace, names) if now else "", "late": bool(now and now.late),
        "claimed_at": instant(now.claimed_at) if now and now.claimed_at else "", "reason": now.reason if now and now.source != "calculated" else "",
        "confirmed_by": now.confirmed_by.full_name if now and now.confirmed_by_id else "", "required": parameter.required,
        **_by(now.recorded_at if now else None, now.by if now else None),
    }  # fmt: skip
    # A value that was only calculated anew is no change that anybody made; its inputs show theirs.
    earlier = [each for each in history[:-1] if now is not None and now.source != "calculated"]
    kept["before"] = [
        {
            "value": each.value_text, "unit": each.unit, "sentence": each.sentence, "reason": each.reason,
            "confirmed_by": each.confirmed_by.full_name if each.confirmed_by_id else "", **_by(each.recorded_at, each.by),
        }
        for each in earlier
    ]  # fmt: skip
    return kept


def limits_words(parameter: Parameter) -> str:
    """The limits a value is judged by, in words: "20 to 100; action ≥ 70; alert ≥ 75"."""
    words = []
    for name, band in parameter.limits.bands():
        if name == "plausible":
            continue
        words.append(f"{name} {bounds_text(band, '')}".strip())
    if parameter.accept:
        words.append(f"one of {', '.join(parameter.accept)}")
    return "; ".join(words)


def _scan(scan: ScanEvent) -> dict:
    what = scan.container.title if scan.container_id else scan.purpose.replace("_", " ")
    how = f"typed in full with {scan.with_person.full_name}" if scan.typed and scan.with_person_id else "typed" if scan.typed else "scanned"
    return {"what": what, "how": how, "right": scan.matched, "text": scan.text, "sentence": getattr(scan, "sentence", ""), **_by(scan.recorded_at, scan.by)}


def _material(line: Consumption) -> dict:
    lot = line.material_lot
    return {
        "name": lot.material.name, "number": lot.number, "supplier": lot.supplier, "expires": instant(lot.expires_at), "quantity": line.quantity_text,
        "unit": line.unit, "counts": not hasattr(line, "superseded_by"), "reason": line.reason, **_by(line.recorded_at, line.by),
    }  # fmt: skip


def _excursion(found: Excursion) -> dict:
    choices = sorted(found.choices.all(), key=lambda each: each.recorded_at)
    return {
        "sentence": found.sentence,
        "kind": found.kind.replace("_", " "),
        "choices": [{"choice": each.choice.replace("_", " "), "reason": each.reason, **_by(each.recorded_at, each.by)} for each in choices],
        **_by(found.recorded_at, found.by),
    }


def _signature(made, facts: _Facts, run, step) -> dict:
    check_whole(made)
    covers = facts.covers[made.pk]
    changed = [] if covers else what_changed(made, facts.entries[run.pk], facts.materials[run.pk], facts.files[run.pk])
    return {
        "name": made.full_name, "username": made.username, "role": made.role, "meaning": made.meaning_text, "at": instant(made.recorded_at),
        "zone": made.site_time_zone, "digest": bytes(made.payload_digest).hex(), "intact": payload_intact(made),
        "covers": covers, "changed": [{"what": f"{_name(step, each.what)}: {each.was}", "reason": each.reason, **_by(each.at, each.by)} for each in changed],
    }  # fmt: skip


# --- tables of the whole lot ------------------------------------------------------------------------------------------


def _of_lot(lot: Lot, facts: _Facts, now: dt.datetime) -> list[Table]:
    return [_donations(lot), _containers(lot), _genealogy(facts), _limits_of_time(lot, now), _labels(lot), _custody(lot), _holds(lot)]


def _donations(lot: Lot) -> Table:
    rows = Donation.objects.filter(lot_donations__lot=lot).order_by("lot_donations__recorded_at")
    return Table(
        "Starting material", ("Donation", "State", "Collected", "Decision"),
        tuple((each.din, each.state, instant(each.collected_at) if each.collected_at else "", each.decision_reason) for each in rows),
    )  # fmt: skip


def _containers(lot: Lot) -> Table:
    rows = Container.objects.filter(lot=lot).select_related("donation").order_by("recorded_at", "id")
    return Table(
        "Containers", ("Container", "Identifier", "From donation", "Volume", "State"),
        tuple((each.title, each.identifier, each.donation.din if each.donation_id else "", each.volume_text, each.state.replace("_", " ")) for each in rows),
    )  # fmt: skip


def _genealogy(facts: _Facts) -> Table:
    """Which material lots went into this lot, with the steps: the way back of every component. 21 CFR 211.184."""
    found: dict[tuple, list[str]] = defaultdict(list)
    for run in facts.runs:
        for line in facts.materials[run.pk]:
            if not hasattr(line, "superseded_by"):
                lot = line.material_lot
                found[lot.material.name, lot.number, lot.supplier, instant(lot.expires_at), lot.state].append(f"{run.key}: {line.quantity_text} {line.unit}")
    rows = tuple((*key, "; ".join(steps)) for key, steps in sorted(found.items()))
    return Table("Genealogy of materials", ("Material", "Lot", "Supplier", "Expiry", "State now", "Went into"), rows)


def _limits_of_time(lot: Lot, now: dt.datetime) -> Table:
    rows, marked = [], set()
    for each in time_limits(lot, now):
        standing = each.standing
        used = str(standing.used).split(".")[0] if standing and standing.used is not None else ""
        if standing is not None and standing.is_broken:
            marked.add(len(rows))
        rows.append(
            (each.limit.title, str(each.limit.max), instant(each.start) if each.start else "", instant(each.end) if each.end else "", used,
             str(standing.state).replace("_", " ") if standing else "times contradict each other")
        )  # fmt: skip
    return Table("Time limits", ("From, to", "At most", "Began", "Ended", "Took", "Result"), tuple(rows), marked=frozenset(marked))


def _labels(lot: Lot) -> Table:
    count = custody.reconciliation(lot)
    rows = tuple((each.container.title, str(each.serial), each.state, each.reprint_reason or each.destroyed_reason) for each in custody.labels_of(lot))
    title = f"Labels: {count.printed} printed = {count.used} used + {count.destroyed} destroyed" + (f" + {count.open} not accounted for" if count.open else "")
    return Table(title, ("Container", "Label", "State", "Reason"), rows)


def _custody(lot: Lot) -> Table:
    rows = tuple(
        (HAND_OVERS[each.kind], each.container.title, each.from_place, each.to_place, each.carrier, each.seal, each.temperature_words,
         instant(each.recorded_at), each.by.full_name)
        for each in custody.hand_overs_of(lot)
    )  # fmt: skip
    return Table("Hand-overs", ("Hand-over", "Container", "From", "To", "Courier", "Seal", "Temperature", "At", "By"), rows)


def _holds(lot: Lot) -> Table:
    rows = tuple(
        (each.reason, each.placed_by.full_name, instant(each.recorded_at), each.state, each.ended_by.full_name if each.ended_by_id else "", each.ended_reason)
        for each in Hold.objects.filter(lot=lot).select_related("placed_by", "ended_by").order_by("recorded_at")
    )
    return Table(
        "Holds", ("Reason", "Placed by", "At", "State", "Ended by", "Why"), rows, marked=frozenset(i for i, row in enumerate(rows) if row[3] == "open")
    )


def _plain(table: Table) -> dict:
    return {
        "title": table.title, "columns": list(table.columns), "empty": table.empty,
        "rows": [{"cells": list(row), "marked": index in table.marked} for index, row in enumerate(table.rows)],
    }  # fmt: skip
