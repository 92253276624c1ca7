"""Samples born from the recipe and results judged against the specification version in force. 21 CFR 211.160, 211.165, 211.194."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.execution.models import StepRun
from batches.lots.models import Lot
from mes.records.fields import ExactDecimalField
from mes.records.models import Fact, Record
from quality.samples.states import SAMPLE
from quality.specifications.models import SpecificationVersion


class Sample(Record):
    """A sample of a lot: born when the lot is ordered, drawn at a step, received and tested in QC."""

    stream_kind = "lot"
    stream_field = "lot_id"
    states = SAMPLE

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="samples")
    code = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    identifier = models.CharField(max_length=80, unique=True)
    step_run = models.ForeignKey(StepRun, on_delete=models.PROTECT, null=True, related_name="samples")
    timing = models.CharField(max_length=20)
    tests = models.JSONField(default=list)
    state = models.CharField(max_length=12, default="expected")
    drawn_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)
    state_reason = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lot", "code"], name="sample_one_code")]

    def __str__(self) -> str:
        return f"{self.code} of {self.lot_id}"


class Result(Fact):
    """One result as reported, judged when it was recorded; the verdict keeps the specification version it was made with."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="results")
    sample = models.ForeignKey(Sample, on_delete=models.PROTECT, null=True, related_name="results")
    criterion = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, default="final")
    """final, or interim: a dated reading of a test that still runs ("no growth, day 6")."""
    interim_day = models.IntegerField(null=True)
    value_text = models.TextField()
    value = ExactDecimalField(null=True)
    qualifier = models.CharField(max_length=2, blank=True)
    unit = models.CharField(max_length=60, blank=True)
    method_version = models.CharField(max_length=40, blank=True)
    tested_at = models.DateTimeField(null=True)
    evidence = models.CharField(max_length=16, default="measured")
    """measured, published, or illustrative: published and made-up numbers never mix unmarked (decisions 29)."""
    evidence_source = models.TextField(blank=True)
    specification_version = models.ForeignKey(SpecificationVersion, on_delete=models.PROTECT, related_name="results")
    verdict = models.CharField(max_length=20)
    """meets, above, below, does_not_meet, pending, report_only, redacted, not_tested."""
    rounded = models.CharField(max_length=40, blank=True)
    rule = models.TextField(blank=True)
    sentence = models.TextField(blank=True)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(supersedes=None) | ~Q(reason=""), name="result_correction_has_reason"),
            models.CheckConstraint(
                condition=Q(kind="final") | Q(interim_day__isnull=False), name="result_interim_has_day"
            ),
            models.UniqueConstraint(
                fields=["lot", "criterion"], condition=Q(kind="final", supersedes=None), name="result_one_first_final"
            ),
        ]
        indexes = [models.Index(fields=["lot", "criterion"], name="result_lot_criterion")]

    def __str__(self) -> str:
        return f"{self.criterion} = {self.value_text}"


class ResultReview(Fact):
    """A second person reviewed a result for accuracy and completeness. 21 CFR 211.194(a)(8)."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="result_reviews")
    result = models.OneToOneField(Result, on_delete=models.PROTECT, related_name="review")
    reviewer = models.ForeignKey("mes.User", on_delete=models.PROTECT, related_name="+")
    remark = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"review of {self.result_id}"
