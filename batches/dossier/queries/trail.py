"""The audit trail of a lot as it stands in its stream: entries in order, each with the rows it cites."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from dataclasses import dataclass

from mes.audit.models import AuditEntry, AuditRow, StreamHead


@dataclass(frozen=True, slots=True)
class CitedRow:
    """A row that an entry cites: table, id and version."""

    table: str
    row_id: uuid.UUID
    version: int


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One deed's mark on the lot's stream. `at` is record time (UTC)."""

    id: uuid.UUID
    seq: int
    at: dt.datetime
    wall: dt.datetime
    by_id: uuid.UUID | None
    username: str
    name: str
    role: str
    channel: str
    station: str
    events: tuple[str, ...]
    reason: str
    rows: tuple[CitedRow, ...]


def stream_of(lot_id) -> str:
    """The name of a lot's stream."""
    return f"lot:{lot_id}"


def trail(lot_id, upto: int | None = None) -> list[TrailEntry]:
    """Every entry of the lot's stream in its order, up to a sequence number when given. Two queries."""
    found = AuditEntry.objects.filter(stream=stream_of(lot_id)).defer("canon", "prev_hash", "hash").order_by("seq")
    if upto is not None:
        found = found.filter(seq__lte=upto)
    entries = list(found)
    rows: dict[uuid.UUID, list[CitedRow]] = defaultdict(list)
    cited = AuditRow.objects.filter(entry__stream=stream_of(lot_id)).order_by("id")
    for entry_id, table, row_id, version in cited.values_list("entry_id", "table", "row_id", "version"):
        rows[entry_id].append(CitedRow(table, row_id, version))
    return [
        TrailEntry(
            e.id, e.seq, e.at.astimezone(dt.UTC), e.wall.astimezone(dt.UTC), e.by_id, e.by_username, e.by_name, e.role, e.channel, e.station,
            tuple(e.events), e.reason, tuple(rows[e.id]),
        )
        for e in entries
    ]  # fmt: skip


def head_of(lot_id) -> tuple[int, str]:
    """Where the lot's chain stands: its last sequence number and hash (hexadecimal)."""
    head = StreamHead.objects.filter(stream=stream_of(lot_id)).first()
    return (head.seq, bytes(head.hash).hex()) if head else (0, "")


def hash_at(lot_id, seq: int) -> str:
    """The hash (hexadecimal) of one entry of the lot's stream; "" when there is none."""
    found = AuditEntry.objects.filter(stream=stream_of(lot_id), seq=seq).values_list("hash", flat=True).first()
    return bytes(found).hex() if found is not None else ""
