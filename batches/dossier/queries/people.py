"""Who worked on a lot: what review and release ask before a person judges it. 21 CFR 211.22; EU GMP Part IV 11."""

from __future__ import annotations

import uuid
from collections import defaultdict

from batches.custody.models import HandOver, Label
from batches.dossier.queries.steps import before_release
from batches.equipment.models import EquipmentUse
from batches.execution.models import Attachment, Entry, ExcursionChoice, ScanEvent, StepRun
from batches.lots.models import Lot
from batches.materials.models import Consumption
from mes.signatures.models import Signature

TO_MANUFACTURE = ("to_manufacture", "at_manufacture")
"""Hand-overs on the way into the lot; those of the product come after its certification and are nobody's work to judge here."""


def workers(lot: Lot) -> dict[uuid.UUID, set[str]]:
    """Person to what they did in making the lot: performed, checked, recorded, decided, labelled, handed over. What comes after release does not count."""
    found: dict[uuid.UUID, set[str]] = defaultdict(set)
    runs = [run.pk for run in before_release(lot)]
    for run in StepRun.objects.filter(pk__in=runs):
        for person, what in ((run.opened_by_id, "performed"), (run.performed_by_id, "performed"), (run.second_by_id, "checked")):
            if person:
                found[person].add(what)
    recorded = Entry.objects.filter(step_run_id__in=runs).exclude(source="calculated")
    for person, confirmed in recorded.values_list("by_id", "confirmed_by_id").distinct():
        found[person].add("recorded")
        if confirmed:
            found[confirmed].add("checked")
    for kind in (Consumption, EquipmentUse, Attachment):
        for person in kind.objects.filter(step_run_id__in=runs).values_list("by_id", flat=True).distinct():
            found[person].add("recorded")
    for person in ScanEvent.objects.filter(step_run_id__in=runs, with_person__isnull=False).values_list("with_person_id", flat=True).distinct():
        found[person].add("checked")
    for person in ScanEvent.objects.filter(step_run_id__in=runs).values_list("by_id", flat=True).distinct():
        found[person].add("recorded")
    for person, what in _beside_the_steps(lot, runs):
        found[person].add(what)
    return dict(found)


def _beside_the_steps(lot: Lot, runs: list) -> list[tuple[uuid.UUID, str]]:
    """Choices about excursions, signed decisions that a step goes on or is left out, labels and hand-overs of what the lot is made from."""
    chose = ExcursionChoice.objects.filter(excursion__step_run_id__in=runs).values_list("by_id", flat=True)
    signed = Signature.objects.filter(record_id__in=runs, meaning__in=("resumed", "left_out")).values_list("signer_id", flat=True)
    labelled = Label.history.filter(lot_id=lot.pk, history_user_id__isnull=False).values_list("history_user_id", flat=True)
    handed = HandOver.objects.filter(lot=lot, kind__in=TO_MANUFACTURE).values_list("by_id", flat=True)
    return [
        *((person, "decided") for person in {*chose, *signed}), *((person, "labelled") for person in set(labelled)),
        *((person, "handed over") for person in set(handed)),
    ]  # fmt: skip
