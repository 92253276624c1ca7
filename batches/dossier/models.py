"""Papers made of a lot: stored as they were made, with their digest; never overwritten."""

from __future__ import annotations

from django.db import models

from batches.lots.models import Lot
from mes.records.models import Fact


class BatchRecordPaper(Fact):
    """The executed batch record as PDF, as of a time."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="batch_record_papers")
    number = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    pdf = models.BinaryField()
    content_digest = models.CharField(max_length=64)
    entries = models.IntegerField()
    """How many audit entries of the lot's stream the paper shows."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lot", "number"], name="batch_record_paper_one_number")]

    def __str__(self) -> str:
        return f"batch record {self.number} of {self.lot_id}"
