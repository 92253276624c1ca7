"""Labels and hand-overs: chain of custody. 21 CFR 211.125, 211.130; EU GMP Part IV."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.custody.states import LABEL
from batches.lots.models import Container, Lot
from mes.records.fields import ExactDecimalField
from mes.records.models import Fact, Record


class Label(Record):
    """One printed label: used on its container or destroyed, and counted."""

    stream_kind = "lot"
    stream_field = "lot_id"
    states = LABEL

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="labels")
    container = models.ForeignKey(Container, on_delete=models.PROTECT, related_name="labels")
    serial = models.IntegerField()
    state = models.CharField(max_length=12, default="printed")
    reprint_reason = models.TextField(blank=True)
    content_digest = models.CharField(max_length=64)
    specimen = models.BinaryField()
    """The printed PDF, encrypted under the patient's key."""
    destroyed_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["container", "serial"], name="label_one_serial"),
            models.UniqueConstraint(fields=["container"], condition=Q(state="used"), name="label_one_used_per_container"),
        ]

    def __str__(self) -> str:
        return f"label {self.serial} of {self.container_id}"


class HandOver(Fact):
    """A container passes from one to another: dispatch, receipt, issue to the bedside, return."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="hand_overs")
    container = models.ForeignKey(Container, on_delete=models.PROTECT, related_name="hand_overs")
    kind = models.CharField(max_length=20)
    from_place = models.CharField(max_length=120)
    to_place = models.CharField(max_length=120)
    carrier = models.CharField(max_length=120, blank=True)
    seal = models.CharField(max_length=60, blank=True)
    logger = models.CharField(max_length=60, blank=True)
    temperature_min = models.CharField(max_length=20, blank=True)
    temperature_max = models.CharField(max_length=20, blank=True)
    temperature_low = ExactDecimalField(null=True)
    """In degC, as read from what was typed; None where nothing was."""
    temperature_high = ExactDecimalField(null=True)
    temperature_level = models.CharField(max_length=12, default="")
    """not_read, no_limit, within, action (an excursion is written); "" in what was recorded before temperatures were judged."""
    temperature_sentence = models.TextField(default="")
    remark = models.TextField(blank=True)

    @property
    def temperature_words(self) -> str:
        """The temperatures on the way as they were typed, and how they stand."""
        low, high = (f"{each} °C" if each[-1:].isdigit() else each for each in (self.temperature_min, self.temperature_max))
        typed = f"{low} to {high}" if low and high else low or high
        return " · ".join(words for words in (typed, self.temperature_sentence) if words)

    def __str__(self) -> str:
        return f"{self.kind} of {self.container_id}"
