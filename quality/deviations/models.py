"""Deviations: the answer to an excursion or a failing result. 21 CFR 211.100(b), 211.192."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.execution.models import Excursion
from batches.lots.models import Lot
from mes.records.models import Record
from quality.deviations.states import DEVIATION
from quality.samples.models import Result


class Deviation(Record):
    """A numbered deviation: opened in the excursion's own transaction, classified by the background job or by QA."""

    stream_kind = "lot"
    states = DEVIATION

    number = models.CharField(max_length=30, unique=True)
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="deviations")
    excursion = models.OneToOneField(Excursion, on_delete=models.PROTECT, null=True, related_name="deviation")
    result = models.OneToOneField(Result, on_delete=models.PROTECT, null=True, related_name="deviation")
    kind = models.CharField(max_length=24)
    """excursion, out_of_specification, late_failing_result, manual."""
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    classification = models.CharField(max_length=16, default="unclassified")
    """unclassified, minor, major, critical."""
    classified_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    classification_reason = models.TextField(blank=True)
    state = models.CharField(max_length=12, default="open")
    investigation = models.TextField(blank=True)
    impact = models.CharField(max_length=16, blank=True)
    """"", none, acceptable, not_acceptable: the impact on this lot, assessed and signed by QA."""
    impact_reason = models.TextField(blank=True)
    assessed_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    closed_as = models.CharField(max_length=24, blank=True)
    """"", investigated, entry_error."""
    closed_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(impact="") | Q(assessed_by__isnull=False), name="deviation_impact_by_someone"
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(closed_by__isnull=False), name="deviation_closed_by_someone"
            ),
        ]
        indexes = [models.Index(fields=["site", "state"], name="deviation_site_state")]

    def __str__(self) -> str:
        return self.number

    @property
    def stream(self) -> str:
        return f"lot:{self.lot_id}" if self.lot_id else f"deviation:{self.pk}"
