"""Review by exception: what is significant, and what the reviewer decided about it."""

from __future__ import annotations

from django.db import models

from batches.lots.models import Lot
from mes.records.models import Fact, Record
from quality.review.states import REVIEW


class Review(Record):
    """QA's review of a lot. A later entry opens it again."""

    stream_kind = "lot"
    stream_field = "lot_id"
    states = REVIEW

    lot = models.OneToOneField(Lot, on_delete=models.PROTECT, related_name="review")
    state = models.CharField(max_length=10, default="open")
    rules_version = models.CharField(max_length=20)
    reviewed_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    entries_covered = models.BigIntegerField(default=0)
    """The last audit entry's sequence that this review covered."""

    def __str__(self) -> str:
        return f"review of {self.lot_id}"


class Disposition(Fact):
    """What the reviewer decided about one exception; the latest counts."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="dispositions")
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="dispositions")
    exception = models.CharField(max_length=120)
    """The exception's key, such as "excursion:<id>", "correction:<id>", "attempt:<id>"."""
    decision = models.CharField(max_length=20)
    """justified, needs_deviation, needs_correction, escalate."""
    comment = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["review", "exception"], name="disposition_review_exception")]

    def __str__(self) -> str:
        return f"{self.exception}: {self.decision}"
