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
    next_key = models.TextField(blank=True, default="")
    """The key that signs from the next checkpoint on, announced under this one; "" when the key stays."""

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
    content = models.BinaryField(default=b"")
    """What the other side gave: a time-stamp token, a co-signed note. Empty where the checkpoint itself lies there."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["checkpoint", "kind", "place"], name="anchor_once_a_place")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.place}"


class Witnessed(Fact):
    """As a witness for another log this site saw a checkpoint that continues what it saw before, and co-signed it."""

    stream_kind = "site"
    stream_field = "site_id"

    origin = models.CharField(max_length=100)
    size = models.BigIntegerField()
    root = models.BinaryField()
    log_key = models.TextField()
    """The key that the log's next checkpoint has to be signed with, as text."""
    note = models.TextField()
    """The checkpoint with the log's signature and ours (C2SP tlog-cosignature)."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "origin", "size"], name="witnessed_once_a_size")]

    def __str__(self) -> str:
        return f"{self.origin} at {self.size}"


class TrailCheck(Fact):
    """The scheduled verification of what was written since the one before (AUD-07): how far it came and which streams do not hold."""

    stream_kind = "site"
    stream_field = "site_id"

    size = models.BigIntegerField()
    """The checkpoint up to which every stream was verified; the next check goes on from there."""
    streams = models.IntegerField()
    entries = models.BigIntegerField()
    broken = models.JSONField(default=dict)
    """The first break of each stream that does not hold: stream to sentence, a digest of all that is broken in it ("" when that is too
    much), and the checkpoint at which it was first found."""
    guards = models.JSONField(default=list, db_default=[])
    """Guards of the database that were missing or altered, in words, each with a mark of how all of them stood."""

    class Meta:
        indexes = [models.Index(fields=["site", "recorded_at"], name="trail_check_site_at")]

    def __str__(self) -> str:
        return f"trail checked up to checkpoint {self.size}"

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.broken and not self.guards

    @property
    def first_finding(self) -> str:
        """What was found first, in words; "" when everything held."""
        told = [f"{stream}: {found['sentence']}" for stream, found in sorted(self.broken.items())] + self.guards
        return told[0] if told else ""
