"""trail.append(): the only place that assigns sequence and hash. The insert trigger checks them (decisions 4)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

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


LOCK_HEAD = """
INSERT INTO mes_streamhead (stream, site_id, seq, hash) VALUES (%s, %s, 0, %s)
ON CONFLICT (stream) DO UPDATE SET stream = EXCLUDED.stream
RETURNING seq, hash, guard.record_now(), clock_timestamp()
"""

APPEND = """
WITH entry AS (
  INSERT INTO mes_auditentry (id, stream, seq, site_id, lot_id, deed_id, at, wall, by_id, by_username, by_name, role,
                              channel, station, events, reason, canon, prev_hash, hash)
  VALUES (%(id)s, %(stream)s, %(seq)s, %(site)s, %(lot)s, %(deed)s, %(at)s, %(wall)s, %(by)s, %(username)s, %(name)s,
          %(role)s, %(channel)s, %(station)s, %(events)s::jsonb, %(reason)s, %(canon)s, %(prev)s, %(hash)s)
  RETURNING id
), cited AS (
  INSERT INTO mes_auditrow (entry_id, site_id, lot_id, "table", row_id, version, schema, digest)
  SELECT entry.id, %(site)s, r.lot, r.tbl, r.row_id, r.version, r.schema, r.digest
  FROM entry, unnest(%(lots)s::uuid[], %(tables)s::text[], %(rows)s::uuid[], %(versions)s::int[], %(schemas)s::text[],
                     %(digests)s::bytea[]) AS r(lot, tbl, row_id, version, schema, digest)
)
UPDATE mes_streamhead SET seq = %(seq)s, hash = %(hash)s WHERE stream = %(stream)s
"""


def append(deed: DeedFacts, rows: Sequence[CitedRow]) -> list[uuid.UUID]:
    """Write one AuditEntry per stream touched, with its cited rows; heads are locked in the order of their names.

    Two statements a stream. Returns the ids of the entries. Must be the last thing before commit.
    """
    streams: dict[str, list[CitedRow]] = {}
    for row in rows:
        streams.setdefault(row.stream, []).append(row)
    names = sorted(streams)
    return [
        _append_one(deed, name, streams[name], [n for n in names if n != name])
        for name in names
    ]


def _append_one(
    deed: DeedFacts, stream: str, rows: list[CitedRow], siblings: list[str]
) -> uuid.UUID:
    entry_id = uuid7()
    lot = next((row.lot_id for row in rows if row.lot_id), None)
    with connection.cursor() as cursor:
        cursor.execute(LOCK_HEAD, [stream, deed.site_id, chain.GENESIS])
        seq, prev, at, wall = cursor.fetchone()
        seq, prev = seq + 1, bytes(prev)
        canon = chain.entry_canon(
            {
                "canon": 1,
                "id": str(entry_id),
                "stream": stream,
                "seq": str(seq),
                "prev": prev.hex(),
                "site": str(deed.site_id),
                "lot": str(lot) if lot else None,
                "deed": str(deed.deed_id),
                "at": chain.instant(at),
                "wall": chain.instant(wall),
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
                "rows": [
                    [r.table, str(r.row_id), str(r.version), r.schema, r.digest.hex()]
                    for r in rows
                ],
            }
        )
        digest = chain.entry_hash(canon)
        cursor.execute(
            APPEND,
            {
                "id": entry_id, "stream": stream, "seq": seq, "site": deed.site_id, "lot": lot, "deed": deed.deed_id,
                "at": at, "wall": wall, "by": deed.by_id, "username": deed.username, "name": deed.full_name,
                "role": deed.role, "channel": deed.channel, "station": deed.station,
                "events": json.dumps(list(deed.events)), "reason": deed.reason, "canon": canon, "prev": prev, "hash": digest,
                "lots": [r.lot_id for r in rows], "tables": [r.table for r in rows], "rows": [r.row_id for r in rows],
                "versions": [r.version for r in rows], "schemas": [r.schema for r in rows], "digests": [r.digest for r in rows],
            },
        )  # fmt: skip
    return entry_id
