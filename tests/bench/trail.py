"""A long trail put in by COPY: entries of the written-down form, chained, with heads and a checkpoint before the newest hundredth."""

from __future__ import annotations

import datetime as dt
import hashlib
import multiprocessing
import os
import uuid

import psycopg

PROCESSES = 2
LIVE = 50
"""Lots that are written by turns."""
PEOPLE = (("maya", "Maya Demo"), ("ben", "Benedikt Demo-Illustrative"), ("lin", "Lin Demo"), ("automation", "Automation of the demo site"))
COLUMNS = (
    ("id", "uuid"), ("stream", "text"), ("seq", "int8"), ("site_id", "uuid"), ("deed_id", "uuid"), ("at", "timestamptz"), ("wall", "timestamptz"),
    ("by_username", "text"), ("by_name", "text"), ("role", "text"), ("channel", "text"), ("station", "text"), ("events", "jsonb"),
    ("reason", "text"), ("canon", "bytea"), ("prev_hash", "bytea"), ("hash", "bytea"),
)  # fmt: skip


def fill(database, *, entries: int, streams: int) -> None:
    """Puts the trail in, every trigger off; indexes that no check uses are taken away first, for time."""
    each = max(1, entries // streams)
    site = uuid.uuid4()
    with database.connect(autocommit=True) as admin:
        admin.execute("ALTER TABLE mes_auditentry DISABLE TRIGGER ALL")
        others = "SELECT indexname FROM pg_indexes WHERE tablename = 'mes_auditentry' AND indexname NOT IN (SELECT conname FROM pg_constraint)"
        for (name,) in admin.execute(others).fetchall():
            admin.execute(f'DROP INDEX "{name}"')
        context, url = multiprocessing.get_context("spawn"), database.urls["ADMIN_DATABASE_URL"]
        share = -(-streams // PROCESSES)
        started = [
            context.Process(target=_write, args=(url, site, min(share, streams - first), each)) for first in range(0, streams, share)
        ]  # fmt: skip
        for process in started:
            process.start()
        for process in started:
            process.join()
        if any(process.exitcode for process in started):
            raise RuntimeError("the trail was not put in")
        _checkpoint(admin, site, each - max(1, each // 100))
        admin.execute("ALTER TABLE mes_auditentry ENABLE TRIGGER ALL")
        admin.execute("VACUUM ANALYZE mes_auditentry")


def _write(url: str, site: uuid.UUID, streams: int, each: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        heads: list[tuple] = []
        with connection.cursor() as cursor, cursor.copy(f"COPY mes_auditentry ({', '.join(n for n, _ in COLUMNS)}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([kind for _, kind in COLUMNS])
            for first in range(0, streams, LIVE):
                heads += _lots(copy, site, min(LIVE, streams - first), each)
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO mes_streamhead (stream, site_id, seq, hash) VALUES (%s, %s, %s, %s)", heads)


def _lots(copy, site: uuid.UUID, lots: int, each: int) -> list[tuple]:
    names = [f"lot:{uuid.uuid4()}" for _ in range(lots)]
    before = [bytes(32)] * lots
    now = dt.datetime.now(dt.UTC)
    at = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    events = psycopg.types.json.Jsonb(["batches.value_recorded"])
    for seq in range(1, each + 1):
        for place, name in enumerate(names):
            user, full = PEOPLE[(seq // 8 + place) % len(PEOPLE)]  # a person writes several entries, then another one does
            entry, deed = (uuid.UUID(bytes=os.urandom(16), version=4) for _ in range(2))
            canon = (
                f'{{"at":"{at}","by":{{"id":null,"name":"{full}","role":"Operator","username":"{user}"}},"canon":1,"channel":"page","deed":"{deed}",'
                f'"events":["batches.value_recorded"],"id":"{entry}","lot":null,"prev":"{before[place].hex()}","reason":"","rows":[],"seq":"{seq}",'
                f'"siblings":[],"site":"{site}","station":"tablet-1","stream":"{name}","wall":"{at}"}}'
            ).encode()
            digest = hashlib.sha256(b"cartulary:entry:v1\x00" + canon).digest()
            copy.write_row((entry, name, seq, site, deed, now, now, user, full, "Operator", "page", "tablet-1", events, "", canon, before[place], digest))
            before[place] = digest
    return [(name, site, each, digest) for name, digest in zip(names, before, strict=True)]


def _checkpoint(admin, site: uuid.UUID, seq: int) -> None:
    """The checkpoint of a moment at which each stream stood at `seq`: the one from which "the newest" is counted."""
    from mes.verifier import merkle

    found = admin.execute("SELECT stream, seq, encode(hash, 'hex') FROM mes_auditentry WHERE seq = %s ORDER BY 1", [seq]).fetchall()
    lines = [" ".join(map(str, line)) for line in found]
    root = merkle.root_of(line.encode() for line in lines)
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("ALTER TABLE mes_checkpoint DISABLE TRIGGER ALL")
        admin.execute("ALTER TABLE mes_site DISABLE TRIGGER ALL")
        columns = "id, site_id, code, name, kind, time_zone, jurisdiction, demo, version"
        admin.execute(f"INSERT INTO mes_site ({columns}) VALUES (%s, %s, 'BIG', 'A long trail', 'regional', 'UTC', 'EU', true, 1)", [site, site])
        admin.execute(
            "INSERT INTO mes_checkpoint (id, site_id, by_id, size, snapshot, snapshot_root, streams, leaf, log_root, note, next_key)"
            " VALUES (gen_random_uuid(), %s, gen_random_uuid(), 1, %s, %s, %s, '', '', '', '')",
            [site, "\n".join(lines).encode(), root, len(lines)],
        )


def spoil(admin) -> tuple[str, int]:
    """One byte of an entry in the middle of the trail becomes another; returns its stream and number."""
    with admin.transaction():
        admin.execute("SET LOCAL session_replication_role = replica")
        admin.execute("ALTER TABLE mes_auditentry DISABLE TRIGGER ALL")
        return admin.execute(
            "UPDATE mes_auditentry SET canon = overlay(canon PLACING 'X'::bytea FROM length(canon) / 2 FOR 1) WHERE id = (SELECT id FROM mes_auditentry"
            " ORDER BY stream, seq OFFSET (SELECT count(*) / 2 FROM mes_auditentry) LIMIT 1) RETURNING stream, seq"
        ).fetchone()
