"""Who worked on a lot: what review and release ask before a person judges it. 21 CFR 211.22; EU GMP Part IV 11."""

from __future__ import annotations

import uuid
from collections import defaultdict

from batches.dossier.queries.steps import before_release
from batches.equipment.models import EquipmentUse
from batches.execution.models import Attachment, Entry, ScanEvent, StepRun
from batches.lots.models import Lot
from batches.materials.models import Consumption


def workers(lot: Lot) -> dict[uuid.UUID, set[str]]:
    """Person to what they did in making the lot: "performed", "checked", "recorded". Steps after release do not count."""
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
    return dict(found)
