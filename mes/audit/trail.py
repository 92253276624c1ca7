"""trail.append(): the only place that assigns sequence and hash. The insert trigger checks them (decisions 4)."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from mes import prepared
from mes.audit import chain
from mes.keys import uuid7


@dataclass(frozen=True, slots=True)
class CitedRow:
    """A row written in the deed, as the database returned it."""

    stream: str
    lot_id: uuid.UUID | None
    table: str
    row_id: uuid.UUID
    version: int
    schema: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class DeedFacts:
    """What an entry says about the deed itself."""

    deed_id: uuid.UUID
    site_id: uuid.UUID
    by_id: uuid.UUID | None
    username: str
    full_name: str
    role: str
    channel: str
    station: str
    events: Sequence[str]
    reason: str


def append(deed: DeedFacts, rows: Sequence[CitedRow]) -> list[uuid.UUID]:
    """Write one AuditEntry per stream touched, with its cited rows; heads are locked in the order of their names.

    One statement, however many streams and rows. The bytes are made here but for time, sequence and the hash before, which are
    known only while the head is held: guard.append() fills them in. Returns the ids of the entries. Must be the last thing before commit.
    """
    streams: dict[str, list[CitedRow]] = {}
    for row in rows:
        streams.setdefault(row.stream, []).append(row)
    names = sorted(streams)
    entries = [_entry(deed, name, streams[name], [n for n in names if n != name]) for name in names]
    said = {
        "id": str(deed.deed_id), "site": str(deed.site_id), "by": str(deed.by_id) if deed.by_id else None, "username": deed.username,
        "name": deed.full_name, "role": deed.role, "channel": deed.channel, "station": deed.station, "events": list(deed.events), "reason": deed.reason,
    }  # fmt: skip
    with prepared.cursor(DEFAULT_DB_ALIAS) as cursor:
        cursor.execute("SELECT guard.append(%s::jsonb, %s::jsonb)", [json.dumps(said), json.dumps(entries)])
    return [uuid.UUID(entry["id"]) for entry in entries]


def _entry(deed: DeedFacts, stream: str, rows: list[CitedRow], siblings: list[str]) -> dict:
    entry_id = uuid7()
    lot = next((row.lot_id for row in rows if row.lot_id), None)
    # Stands where the database fills in. Drawn anew for each entry, so that no text a person types can hold it.
    mark = os.urandom(16).hex()
    text = chain.canonical_json(
        {
            "canon": 1,
            "id": str(entry_id),
            "stream": stream,
            "seq": mark,
            "prev": mark,
            "site": str(deed.site_id),
            "lot": str(lot) if lot else None,
            "deed": str(deed.deed_id),
            "at": mark,
            "wall": mark,
            "by": {
                "id": str(deed.by_id) if deed.by_id else None,
                "username": deed.username,
                "name": deed.full_name,
                "role": deed.role,
            },
            "channel": deed.channel,
            "station": deed.station,
            "events": list(deed.events),
            "reason": deed.reason,
            "siblings": siblings,
            "rows": [[r.table, str(r.row_id), str(r.version), r.schema, r.digest.hex()] for r in rows],
        }
    )
    # names are sorted: at, prev, seq, wall is the order in which the database fills them in
    pieces = text.split(mark)
    cited = [
        {"lot": str(r.lot_id) if r.lot_id else None, "tbl": r.table, "row_id": str(r.row_id), "version": r.version, "schema": r.schema,
         "digest": r.digest.hex()}
        for r in rows
    ]  # fmt: skip
    return {"id": str(entry_id), "stream": stream, "lot": str(lot) if lot else None, "pieces": pieces, "rows": cited}
