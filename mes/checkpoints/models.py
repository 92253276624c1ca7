"""Site checkpoints: the snapshot of all stream heads as one leaf of the site's log, signed; and where it was anchored."""

from __future__ import annotations

from django.db import models

from mes.records.models import Fact


class Checkpoint(Fact):
    """One leaf of the site's RFC 6962 log and the signed head of the log after it."""

    stream_kind = "site"
    stream_field = "site_id"

    size = models.BigIntegerField()
    snapshot = models.BinaryField()
    """One line per stream, sorted: "stream seq hash"."""
    snapshot_root = models.BinaryField()
    streams = models.IntegerField()
    leaf = models.BinaryField()
    log_root = models.BinaryField()
    note = models.TextField()
    """The signed checkpoint (C2SP tlog-checkpoint)."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "size"], name="checkpoint_one_per_size")]

    def __str__(self) -> str:
        return f"checkpoint {self.size}"


class AnchorReceipt(Fact):
    """A checkpoint left the database: where to, and the SHA-256 of what lies there."""

    stream_kind = "site"
    stream_field = "site_id"

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="anchors")
    kind = models.CharField(max_length=20)
    place = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["checkpoint", "kind", "place"], name="anchor_once_a_place")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.place}"
