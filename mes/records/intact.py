"""Whether a stream's trail is whole: links, sequence, bytes, and every cited row against what the database holds now.

A quick check from inside, for the gate of a release. It shares code with the writer, so it is no evidence by itself: the
independent verifier (`verify_chain`) shares none (AUD-07).
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from django.apps import apps
from django.db import connection, models

from mes.audit import chain
from mes.audit.models import AuditEntry, AuditRow, StreamHead
from mes.errors import RuleBroken
from mes.records import guards
from mes.records.collector import digest_columns, schema_of
from mes.records.context import current_site

MOST = 20
"""Findings after which the check stops: one is enough to know."""


def stream_findings(stream: str) -> list[str]:
    """What is wrong with a stream's trail, in words, the first things first; empty when it is whole."""
    entries = list(AuditEntry.objects.filter(stream=stream).order_by("seq"))
    found: list[str] = []
    for finding in _links(stream, entries):
        found.append(finding)
        if len(found) >= MOST:
            return found
    for finding in _rows(entries):
        found.append(finding)
        if len(found) >= MOST:
            return found
    return found


def _links(stream: str, entries: list[AuditEntry]) -> Iterator[str]:
    before = chain.GENESIS
    for number, entry in enumerate(entries, start=1):
        canon = bytes(entry.canon)
        if entry.seq != number:
            yield f"entry {number} is missing"
            return
        if bytes(entry.prev_hash) != before:
            yield f"entry {number} does not follow the one before it"
        if chain.entry_hash(canon) != bytes(entry.hash):
            yield f"entry {number} has other bytes than its hash"
        said = json.loads(canon)
        if (said["stream"], said["seq"], said["prev"], said["by"]["username"], said["events"], said["reason"], said["at"]) != (
            stream, str(number), before.hex(), entry.by_username, entry.events, entry.reason, chain.instant(entry.at),
        ):  # fmt: skip
            yield f"entry {number} says something else in its columns than in its bytes"
        before = bytes(entry.hash)
    head = StreamHead.objects.filter(stream=stream).first()
    if head is None or (head.seq, bytes(head.hash)) != (len(entries), before):
        yield "the stream's head is another one than its last entry"


def _rows(entries: list[AuditEntry]) -> Iterator[str]:
    numbers = {entry.pk: entry.seq for entry in entries}
    cited: dict[str, list[AuditRow]] = defaultdict(list)
    for row in AuditRow.objects.filter(entry_id__in=list(numbers)):
        cited[row.table].append(row)
    for entry in entries:
        said = {tuple(row[:3]): row[4] for row in json.loads(bytes(entry.canon))["rows"]}
        kept = {
            (row.table, str(row.row_id), str(row.version)): bytes(row.digest).hex()
            for row in (each for table in {name for name, _, _ in said} for each in cited[table])
            if row.entry_id == entry.pk
        }
        if said != kept:
            yield f"entry {entry.seq} cites other rows than its bytes say"
    for table, rows in cited.items():
        model = _models()[table]
        yield from _compare(model, rows, numbers)


def _compare(model: type[models.Model], rows: list[AuditRow], numbers: dict[uuid.UUID, int]) -> Iterator[str]:
    ids = {row.row_id for row in rows}
    of_record = model.row_kind == "record"
    kept = model.history.model.objects.filter(id__in=ids) if of_record else model.objects.filter(pk__in=ids)
    known = {(each.id, each.version if of_record else 1): each for each in kept.iterator(chunk_size=200)}
    columns, schema = digest_columns(model), schema_of(model)
    for row in rows:
        there = known.get((row.row_id, row.version))
        name = model._meta.verbose_name
        if there is None:
            yield f"{name} {row.row_id} of entry {numbers[row.entry_id]} is gone"
        elif row.schema == schema and chain.row_digest({column: getattr(there, attribute) for column, attribute in columns}) != bytes(row.digest):
            yield f"{name} {row.row_id} is not what entry {numbers[row.entry_id]} sealed"
    if of_record:
        yield from _live(model, known, columns)


def _live(model: type[models.Model], known: dict, columns) -> Iterator[str]:
    last: dict[uuid.UUID, models.Model] = {}
    for (row_id, version), row in known.items():
        if row_id not in last or version > last[row_id].version:
            last[row_id] = row
    for row in model.objects.filter(pk__in=list(last)):
        kept = last[row.pk]
        if any(getattr(row, attribute) != getattr(kept, attribute) for _, attribute in columns):
            yield f"{model._meta.verbose_name} {row.pk} stands otherwise than its last version"


@cache
def _models() -> dict[str, type[models.Model]]:
    return {model._meta.db_table: model for model in apps.get_models() if getattr(model, "row_kind", None) in {"record", "fact"}}


def broken_streams() -> dict[str, str]:
    """Streams of this site that the newest scheduled verification found broken, with the first finding of each; empty when all held.

    The check is a fact of mes.checkpoints, which stands above this folder and writes it with the independent verifier.
    """
    check = apps.get_model("mes", "TrailCheck").objects.filter(site_id=current_site()).order_by("-recorded_at").first()
    return {stream: found["sentence"] for stream, found in check.broken.items()} if check else {}


def check_trail_holds(*streams: str) -> None:
    """New lots and approvals stop while a guard is missing or the trail they stand on is broken (decisions 8).

    Raises RuleBroken("guard_missing"), RuleBroken("trail_broken"). Work on running lots does not ask this.
    """
    gone = guards.missing(connection)
    if gone:
        raise RuleBroken(
            "guard_missing", f"A guard of the database is missing ({gone[0]}). New lots and approvals stop until it stands; call whoever runs the system."
        )
    told = broken_streams()
    if told:
        name, finding = next(iter(told.items()))
        raise RuleBroken(
            "trail_broken", f"The scheduled check found that the audit trail of {name} does not hold: {finding}. New lots and approvals stop; call quality."
        )
    for stream in streams:
        found = stream_findings(stream) if _is_whole_here(stream) else []
        if found:
            what = stream.partition(":")[0].replace("_", " ")
            raise RuleBroken("trail_broken", f"The audit trail of the {what} does not hold: {found[0]}. New lots and approvals stop; call quality.")


def _is_whole_here(stream: str) -> bool:
    """Whether this site sees every entry of a stream: master data is read by all sites, its entries only by those that wrote them.

    Where it does not, the sites that do and `verify_chain` judge it. With one site alone, an entry that is not seen is an entry that is gone.
    """
    head = StreamHead.objects.filter(stream=stream).first()
    if head is None or head.site_id != current_site():
        return False
    return apps.get_model("mes", "Site").objects.count() == 1 or AuditEntry.objects.filter(stream=stream).count() == head.seq
