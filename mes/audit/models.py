"""The audit trail: one chain of entries per stream, and per entry the rows it cites with their digests.

These tables stand below Record and Fact and therefore name people and sites by value.
"""

from __future__ import annotations

from django.db import models

from mes.keys import uuid7


class TxField(models.TextField):
    """The transaction that wrote the row (xid8): set and compared by the guards only; xmin differs after a savepoint."""

    def db_type(self, connection):
        return "xid8"

    def from_db_value(self, value, expression, connection):
        return None if value is None else str(value)


class CurrentTx(models.Func):
    """`pg_current_xact_id()` as a column default."""

    function = "pg_current_xact_id"
    output_field = models.TextField()
    arity = 0


class StreamHead(models.Model):
    """Where a stream's chain stands. A working row: the chain itself proves it."""

    stream = models.CharField(max_length=120, primary_key=True)
    site_id = models.UUIDField()
    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.stream} at {self.seq}"


class AuditEntry(models.Model):
    """One deed's mark on one stream: who, when, why, from where, and the digests of every row it wrote."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    stream = models.CharField(max_length=120)
    seq = models.BigIntegerField()
    site_id = models.UUIDField()
    lot_id = models.UUIDField(null=True)
    deed_id = models.UUIDField(db_index=True)
    at = models.DateTimeField()
    wall = models.DateTimeField()
    by_id = models.UUIDField(null=True)
    by_username = models.CharField(max_length=150)
    by_name = models.CharField(max_length=200)
    role = models.CharField(max_length=200, blank=True)
    channel = models.CharField(max_length=20)
    station = models.CharField(max_length=80, blank=True)
    events = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    canon = models.BinaryField()
    prev_hash = models.BinaryField()
    hash = models.BinaryField()
    tx = TxField(db_default=CurrentTx(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "seq"], name="audit_entry_one_per_seq"
            )
        ]
        indexes = [
            models.Index(fields=["lot_id", "at"], name="audit_entry_lot_at"),
            models.Index(fields=["by_id", "at"], name="audit_entry_by_at"),
        ]
        ordering = ["stream", "seq"]

    def __str__(self) -> str:
        return f"{self.stream} #{self.seq}"


class AuditRow(models.Model):
    """A row that an entry cites: its table, version and digest under a kept column list."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(AuditEntry, on_delete=models.PROTECT, related_name="rows")
    site_id = models.UUIDField()
    lot_id = models.UUIDField(null=True)
    table = models.CharField(max_length=80)
    row_id = models.UUIDField()
    version = models.IntegerField()
    schema = models.CharField(max_length=16)
    digest = models.BinaryField()
    tx = TxField(db_default=CurrentTx(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["row_id", "version", "table"], name="audit_row_cited_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id} v{self.version}"


class RowSchema(models.Model):
    """The column list behind a schema id, kept for ever, so that old digests can be checked by anyone."""

    id = models.CharField(max_length=16, primary_key=True)
    table = models.CharField(max_length=80)
    columns = models.JSONField()

    def __str__(self) -> str:
        return f"{self.table} {self.id}"
