"""Execution: the runs of a lot's steps and everything that happened in them. 21 CFR 211.100, 211.188."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.execution.states import STEP_RUN
from batches.lots.models import Container, Lot
from batches.readings.models import Reading
from mes.records.fields import ExactDecimalField
from mes.records.models import Fact, Record


class StepRun(Record):
    """One run of one step of the lot's recipe. Content (title, parameters) is read from the lot's recipe version."""

    stream_kind = "lot"
    stream_field = "lot_id"
    states = STEP_RUN

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="step_runs")
    key = models.CharField(max_length=40)
    """Run key: the step's key, with "@d5" when the step repeats."""
    step_key = models.CharField(max_length=30)
    stage = models.CharField(max_length=20)
    order = models.IntegerField()
    day = models.IntegerField()
    state = models.CharField(max_length=20, default="waiting")
    opened_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    performed_at = models.DateTimeField(null=True)
    performed_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    second_at = models.DateTimeField(null=True)
    second_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    state_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot", "key"], name="step_run_one_key"),
            models.UniqueConstraint(fields=["lot", "order"], name="step_run_one_order"),
            models.CheckConstraint(
                condition=Q(opened_at=None, opened_by=None) | Q(opened_at__isnull=False, opened_by__isnull=False),
                name="step_run_opened_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(performed_at=None, performed_by=None)
                | Q(performed_at__isnull=False, performed_by__isnull=False),
                name="step_run_performed_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(second_at=None, second_by=None) | Q(second_at__isnull=False, second_by__isnull=False),
                name="step_run_second_at_and_by",
            ),
            models.CheckConstraint(
                condition=Q(second_by=None) | ~Q(second_by=models.F("performed_by")),
                name="step_run_second_person_is_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.lot_id}"


class OfStep(Fact):
    """A fact that belongs to a step run of a lot."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="%(class)s_facts")
    step_run = models.ForeignKey(StepRun, on_delete=models.PROTECT, related_name="%(class)s_facts")

    class Meta:
        abstract = True


class Entry(OfStep):
    """One recorded value, as typed, judged when it was recorded. A correction is a new entry that names the old one."""

    parameter = models.CharField(max_length=80)
    value_text = models.TextField()
    value = ExactDecimalField(null=True)
    qualifier = models.CharField(max_length=2, blank=True)
    unit = models.CharField(max_length=40, blank=True)
    decimals = models.IntegerField(null=True)
    level = models.CharField(max_length=12, default="within")
    """within, historical, alert, action, hard: the strongest limit the value passed."""
    sentence = models.TextField(blank=True)
    limits = models.JSONField(default=dict)
    source = models.CharField(max_length=12, default="typed")
    """typed, equipment or calculated."""
    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, null=True, related_name="entries")
    trace = models.TextField(blank=True)
    claimed_at = models.DateTimeField(null=True)
    late = models.BooleanField(default=False)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    reason = models.TextField(blank=True)
    confirmed_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    """The person who confirmed an equipment reading, or compared a correction with its source."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["step_run", "parameter"], condition=Q(supersedes=None), name="entry_one_first_value"
            ),
            models.CheckConstraint(
                condition=Q(supersedes=None) | ~Q(reason="") | Q(source="calculated"),
                name="entry_correction_has_reason",
            ),
        ]
        indexes = [models.Index(fields=["lot", "parameter"], name="entry_lot_parameter")]

    def __str__(self) -> str:
        return f"{self.parameter} = {self.value_text} {self.unit}".strip()


class EntryAttempt(OfStep):
    """Input that is no value of the type or is not plausible: kept as typed, with the code; the step stays unfilled."""

    parameter = models.CharField(max_length=80)
    text = models.TextField()
    code = models.CharField(max_length=60)
    sentence = models.TextField()

    def __str__(self) -> str:
        return f"{self.parameter}: {self.code}"


class ScanEvent(OfStep):
    """A scan, or a typed identifier with a second person, and whether it was the right one. The code of a material or of equipment that was typed
    is counted here too; it proves no identity of a patient and needs no second person (decision 10)."""

    purpose = models.CharField(max_length=20)
    """open, material, equipment, container, badge."""
    text = models.CharField(max_length=200)
    matched = models.BooleanField()
    typed = models.BooleanField(default=False)
    with_person = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    container = models.ForeignKey(Container, on_delete=models.PROTECT, null=True, related_name="scans")
    code = models.CharField(max_length=60, default="")
    """Why it was the wrong one: wrong_lot, wrong_container, container_unknown, wrong_material, wrong_equipment, container_spent; empty when it matched."""
    sentence = models.TextField(default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(typed=False) | Q(matched=False) | Q(with_person__isnull=False) | Q(purpose__in=["material", "equipment"]),
                name="scan_typed_with_second_person",
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {'matched' if self.matched else 'wrong'}"


class Excursion(Fact):
    """A limit was passed: of a value, of time, of identity or material. The deviation answers it (quality)."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="excursions")
    step_run = models.ForeignKey(StepRun, on_delete=models.PROTECT, null=True, related_name="excursions")
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, null=True, related_name="excursion")
    kind = models.CharField(max_length=20)
    """limit, hard_limit, time_limit, late_entry, reading, identity, label, transport, other."""
    reference = models.CharField(max_length=120)
    """What was passed, unique within the lot and kind: the entry's id, the time limit's code."""
    limit_class = models.CharField(max_length=8, default="none")
    sentence = models.TextField()
    reaction = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lot", "kind", "reference"], name="excursion_once")]

    def __str__(self) -> str:
        return self.sentence


class ExcursionChoice(Fact):
    """What the person chose after an excursion: correct, keep and go on, keep and stop; with the reason."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="excursion_choices")
    excursion = models.ForeignKey(Excursion, on_delete=models.PROTECT, related_name="choices")
    choice = models.CharField(max_length=10)
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.choice


class StepDecision(OfStep):
    """The signed answer of a decision step and what it does to the lot."""

    option = models.CharField(max_length=60)
    consequence = models.CharField(max_length=12)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step_run"], name="step_decision_once")]

    def __str__(self) -> str:
        return self.option


class Attachment(OfStep):
    """A raw file of a step (device report, logger file, flow report), whole, with its SHA-256."""

    code = models.CharField(max_length=60)
    file_name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)
    size = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    def __str__(self) -> str:
        return self.file_name
