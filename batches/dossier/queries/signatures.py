"""The signatures of a lot's steps: which are there, whether each still covers what it signed. 21 CFR 11.70; SIG-06."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from batches.dossier.queries.steps import before_release
from batches.dossier.queries.trail import TrailEntry, trail
from batches.equipment.models import EquipmentUse
from batches.execution.models import Attachment, Entry, Excursion, ExcursionChoice, ScanEvent, StepDecision, StepRun
from batches.execution.queries.content import signatures_by_run, signed_by
from batches.execution.queries.files import runs_with_damaged_files
from batches.execution.queries.runs import recipe_of
from batches.lots.models import Lot
from batches.materials.models import Consumption
from mes.signatures.models import Signature
from mes.signatures.queries import payload_intact


@dataclass(frozen=True, slots=True)
class StepSignature:
    """One signature of a step; `covers` is False when what stands there now is not what was signed."""

    run: StepRun
    signature: Signature
    covers: bool


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """All signatures of a lot's steps up to release, and the signatures that a complete step lacks."""

    signatures: tuple[StepSignature, ...]
    missing: tuple[str, ...]

    @property
    def broken(self) -> list[StepSignature]:
        return [each for each in self.signatures if not each.covers]

    @property
    def is_sound(self) -> bool:
        return not self.broken and not self.missing


def check_signatures(lot: Lot, entries: Sequence[TrailEntry] | None = None) -> SignatureCheck:
    """Check every signature of the steps that release waits for. About a dozen queries.

    The kept bytes must give the signed digest. The content itself is built and compared anew where the trail shows a row of the step after
    the signature, and where an attached file does not give its digest any more; where neither is so, the content cannot have changed but past
    the trail, and that the check of the chain finds.
    """
    recipe = recipe_of(lot)
    runs = [run for run in before_release(lot, recipe) if run.state in {"performed", "complete"}]
    damaged = runs_with_damaged_files(lot)
    made, last = signatures_by_run(runs), _last_change(lot, trail(lot.pk) if entries is None else entries)
    found: list[StepSignature] = []
    missing: list[str] = []
    for run in runs:
        run.lot = lot
        here = made.get(run.pk, [])
        touched = here if run.pk in damaged else [each for each in here if last.content.get(run.pk, 0) > last.rows.get(each.pk, 0)]
        anew = {each["signature"].pk: each["covers"] for each in signed_by(run)} if touched else {}
        found += [StepSignature(run, each, anew[each.pk] if each in touched else payload_intact(each)) for each in here]
        signers = {each.signer_id for each in here}
        missing += [f"{run.key} {what}" for person, what in _wanted(run, recipe) if person not in signers]
    return SignatureCheck(tuple(found), tuple(missing))


def _wanted(run: StepRun, recipe) -> list[tuple[uuid.UUID | None, str]]:
    wanted = [(run.performed_by_id, "performed")]
    if run.state == "complete" and recipe.step(run.step_key).second_person != "none":
        wanted.append((run.second_by_id, "checked"))
    return wanted


@dataclass(frozen=True, slots=True)
class _Last:
    """Sequence numbers: of the entry that first cites a row, and of the last one that adds a row to a run's content."""

    rows: dict[uuid.UUID, int]
    content: dict[uuid.UUID, int]


def _last_change(lot: Lot, entries: Sequence[TrailEntry]) -> _Last:
    first: dict[uuid.UUID, int] = {}
    for entry in entries:
        for row in entry.rows:
            first.setdefault(row.row_id, entry.seq)
    content: dict[uuid.UUID, int] = defaultdict(int)
    for row_id, run_id in _content_rows(lot):
        if run_id is not None:
            content[run_id] = max(content[run_id], first.get(row_id, 0))
    return _Last(first, dict(content))


def _content_rows(lot: Lot) -> list[tuple[uuid.UUID, uuid.UUID | None]]:
    """Every row that is part of what a step's signatures cover, with its run (batches.execution.queries.content)."""
    found: list[tuple[uuid.UUID, uuid.UUID | None]] = []
    for model in (Entry, Consumption, EquipmentUse, Attachment, StepDecision):
        found += model.objects.filter(lot=lot).values_list("pk", "step_run_id")
    found += ScanEvent.objects.filter(lot=lot, purpose="open", matched=True).values_list("pk", "step_run_id")
    found += Excursion.objects.filter(lot=lot, entry__isnull=False).values_list("pk", "step_run_id")
    found += ExcursionChoice.objects.filter(lot=lot, excursion__entry__isnull=False).values_list("pk", "excursion__step_run_id")
    return found
