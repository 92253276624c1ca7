"""Who worked on a lot: what review and release ask before a person judges it. 21 CFR 211.22; EU GMP Part IV 11."""

from __future__ import annotations

import uuid
from collections import defaultdict

from batches.dossier.queries.steps import before_release
from batches.execution.models import Entry, StepRun
from batches.lots.models import Lot


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
    return dict(found)
