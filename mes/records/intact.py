"""Whether a stream's trail is whole: links, sequence, bytes, every cited row against what the database holds now, and no row without an entry.

A quick check from inside, for the gate of a release. It shares code with the writer, so it is no evidence by itself: the
independent verifier (`verify_chain`) shares none (AUD-07).

Each finding ends with a mark of what stands there now. Who assesses a finding signs the mark with it, so that a second change in the same
place is another finding. What is read in which order matters: a deed that commits in between must not look like a break.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain as joined
from itertools import islice
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection, models

from mes.audit import chain
from mes.audit.models import AuditEntry, AuditRow, RowSchema, StreamHead
from mes.errors import RuleBroken
from mes.records import guards
from mes.records.collector import current_deed, digest_columns, schema_of
from mes.records.context import current_site
from mes.records.models import Guarded

MOST = 20
"""Findings after which the check stops: one is enough to close a gate, and so many are too many to be judged one by one."""


UNTOLD = "too much to be told apart"
"""What a finding says instead of its mark where the scheduled check found more than it keeps."""


class Cited(NamedTuple):
    """A row as the bytes of entry `seq` cite it."""

    seq: int
    table: str
    row_id: str
    version: str
    schema: str
    digest: str
    who: str | None
    why: str
    closed: str
    wall: str


LONGEST_DEED = dt.timedelta(hours=1)
"""A version says when its deed was opened, the entry when it was closed."""


def stream_findings(stream: str) -> list[str]:
    """What is wrong with a stream's trail, in words, the first things first and never more than MOST; empty when it is whole."""
    # Before the entries: a row that is there now has its entry by then, unless it has none.
    there = list(_rows_there(stream))
    entries = list(AuditEntry.objects.filter(stream=stream).order_by("seq", "id"))
    said = {entry.pk: _read(bytes(entry.canon)) for entry in entries}
    cited = [
        Cited(entry.seq, *row, each["by"]["id"], each["reason"], each["at"], each["wall"])
        for entry in entries
        if (each := said[entry.pk]) is not None
        for row in each["rows"]
    ]
    return list(islice(joined(_links(stream, entries, said), _audit_rows(entries, said), _cited_rows(cited), _uncited(there, cited)), MOST))


def _told(sentence: str, *now: object) -> str:
    """A finding with the mark of what stands there now; one about something that is gone has none."""
    if not now:
        return sentence
    return f"{sentence} (now {hashlib.sha256(json.dumps(now, default=str).encode()).hexdigest()[:32]})"


# --- entries ----------------------------------------------------------------------------------------------------------

AGREE: tuple[tuple[str, Callable[[dict], object], Callable[[AuditEntry], object]], ...] = (
    ("id", lambda said: said["id"], lambda entry: str(entry.pk)),
    ("stream", lambda said: said["stream"], lambda entry: entry.stream),
    ("seq", lambda said: said["seq"], lambda entry: str(entry.seq)),
    ("prev_hash", lambda said: said["prev"], lambda entry: bytes(entry.prev_hash).hex()),
    ("site_id", lambda said: said["site"], lambda entry: str(entry.site_id)),
    ("lot_id", lambda said: said["lot"], lambda entry: str(entry.lot_id) if entry.lot_id else None),
    ("deed_id", lambda said: said["deed"], lambda entry: str(entry.deed_id)),
    ("at", lambda said: said["at"], lambda entry: chain.instant(entry.at)),
    ("wall", lambda said: said["wall"], lambda entry: chain.instant(entry.wall)),
    ("by_id", lambda said: said["by"]["id"], lambda entry: str(entry.by_id) if entry.by_id else None),
    ("by_username", lambda said: said["by"]["username"], lambda entry: entry.by_username),
    ("by_name", lambda said: said["by"]["name"], lambda entry: entry.by_name),
    ("role", lambda said: said["by"]["role"], lambda entry: entry.role),
    ("channel", lambda said: said["channel"], lambda entry: entry.channel),
    ("station", lambda said: said["station"], lambda entry: entry.station),
    ("events", lambda said: said["events"], lambda entry: entry.events),
    ("reason", lambda said: said["reason"], lambda entry: entry.reason),
)
"""Every column of an entry that stands in its bytes: its name, where the bytes say it, and the column in the same form."""


def _read(canon: bytes) -> dict | None:
    """What an entry's bytes say; None when they are not those of an entry."""
    try:
        said = json.loads(canon)
        for _, says, _ in AGREE:
            says(said)
        whole = all(isinstance(row, list) and len(row) == 5 and all(isinstance(each, str) for each in row) for row in said["rows"])
    except (ValueError, KeyError, TypeError):
        return None
    return said if whole else None


def _links(stream: str, entries: list[AuditEntry], all_said: dict[uuid.UUID, dict | None]) -> Iterator[str]:
    before, number = chain.GENESIS, 0
    for entry in entries:
        canon, said, columns = bytes(entry.canon), all_said[entry.pk], {name: column(entry) for name, _, column in AGREE}
        # After a break the walk goes on from the entry as it stands: what is behind it is judged too.
        if entry.seq > number + 1:
            yield _told(f"entry {number + 1} is missing", entry.seq, columns["prev_hash"])
        elif entry.seq <= number:
            yield _told(f"entry {entry.seq} is there twice", columns, canon.hex())
        elif bytes(entry.prev_hash) != before:
            yield _told(f"entry {entry.seq} does not follow the one before it", columns["prev_hash"], before.hex())
        if chain.entry_hash(canon) != bytes(entry.hash):
            yield _told(f"entry {entry.seq} has other bytes than its hash", canon.hex(), bytes(entry.hash).hex())
        if said is None:
            yield _told(f"entry {entry.seq} has bytes that are not those of an entry", canon.hex())
        else:
            other = [name for name, says, _ in AGREE if says(said) != columns[name]]
            if other:
                yield _told(f"entry {entry.seq} says something else in its columns than in its bytes: {', '.join(other)}", [columns[name] for name in other])
        before, number = bytes(entry.hash), entry.seq
    head = StreamHead.objects.filter(stream=stream).first()
    if head is None:
        yield "the stream's head is another one than its last entry"
    elif (head.seq, bytes(head.hash)) != (number, before):
        yield _told("the stream's head is another one than its last entry", head.seq, bytes(head.hash).hex())


def _audit_rows(entries: list[AuditEntry], all_said: dict[uuid.UUID, dict | None]) -> Iterator[str]:
    kept: dict[uuid.UUID, list[list[str]]] = defaultdict(list)
    for row in AuditRow.objects.filter(entry_id__in=[entry.pk for entry in entries]):
        kept[row.entry_id].append([row.table, str(row.row_id), str(row.version), row.schema, bytes(row.digest).hex()])
    for entry in entries:
        said = all_said[entry.pk]
        if said is not None and sorted(said["rows"]) != sorted(kept[entry.pk]):
            yield _told(f"entry {entry.seq} cites other rows than its bytes say", sorted(kept[entry.pk]))


# --- the rows they cite -----------------------------------------------------------------------------------------------


def _cited_rows(cited: list[Cited]) -> Iterator[str]:
    """Each cited row against the column list it was sealed under, today's or an older one that is kept for ever."""
    by_table: dict[str, list[Cited]] = defaultdict(list)
    for row in cited:
        by_table[row.table].append(row)
    lists = _column_lists({row.schema for row in cited})
    for table, rows in by_table.items():
        model = _models().get(table)
        if model is None:
            yield f"entry {rows[0].seq} cites the table {table}, which is not there"
        else:
            yield from _compare(model, rows, lists)


def _column_lists(schemas: set[str]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Column lists by table and id; one that does not lead to its own id is none."""
    today = {(table, schema_of(model)): tuple(column for column, _ in digest_columns(model)) for table, model in _models().items()}
    older = schemas - {schema for _, schema in today}
    if not older:
        return today
    kept = {(each.table, each.id): tuple(each.columns) for each in RowSchema.objects.filter(pk__in=older)}
    return today | {key: columns for key, columns in kept.items() if chain.schema_id(key[0], columns) == key[1]}


def _compare(model: type[models.Model], rows: list[Cited], lists: dict[tuple[str, str], tuple[str, ...]]) -> Iterator[str]:
    ids, name = {row.row_id for row in rows}, model._meta.verbose_name
    of_record = model.row_kind == "record"
    # Before their versions: the version that a record shows now is kept by then.
    live = {row.pk: row for row in model.objects.filter(pk__in=ids)} if of_record else {}
    kept = model.history.model.objects.filter(id__in=ids) if of_record else model.objects.filter(pk__in=ids)
    there: dict[tuple[str, str], list[models.Model]] = defaultdict(list)
    for each in kept.iterator(chunk_size=200):
        there[str(each.id), str(each.version if of_record else 1)].append(each)
    attributes = dict(digest_columns(model))
    for row in rows:
        found, columns = there.get((row.row_id, row.version), []), lists.get((row.table, row.schema))
        if columns is None or not attributes.keys() >= set(columns):
            sentence = f"{name} {row.row_id} of entry {row.seq} was sealed under the column list {row.schema}, which is not kept"
            yield _told(sentence, [_whole(each) for each in found])
        elif not found:
            yield f"{name} {row.row_id} of entry {row.seq} is gone"
        elif len(found) > 1:
            yield _told(f"{name} {row.row_id} of entry {row.seq} is there {len(found)} times", sorted(_whole(each) for each in found))
        elif chain.row_digest({column: getattr(found[0], attributes[column]) for column in columns}).hex() != row.digest:
            yield _told(f"{name} {row.row_id} is not what entry {row.seq} sealed", row.digest, _whole(found[0]))
        elif of_record and not _says_the_same(found[0], row):
            beside = (found[0].history_user_id, found[0].history_change_reason, found[0].history_date, found[0].history_type)
            yield _told(f"{name} {row.row_id} version {row.version} names another person, reason or time than entry {row.seq}", beside)
    if of_record:
        yield from _live(model, rows, live, there)


def _says_the_same(version: Any, row: Cited) -> bool:
    """Whether a version says beside the record's own columns, which are all that is digested, what its entry says: who, when and why."""
    by = str(version.history_user_id) if version.history_user_id else None
    if by != row.who or version.history_change_reason not in ("", row.why) or version.history_type != ("+" if row.version == "1" else "~"):
        return False
    try:
        closed, wall = dt.datetime.fromisoformat(row.closed), dt.datetime.fromisoformat(row.wall)
    except (ValueError, TypeError):
        return False
    moved = abs(closed - wall) > dt.timedelta(seconds=1)  # a simulated clock may have been moved while the deed was open
    return version.history_date <= closed and (moved or closed - version.history_date <= LONGEST_DEED)


def _live(model: type[models.Model], rows: list[Cited], live: dict[uuid.UUID, models.Model], there: dict[tuple[str, str], list[models.Model]]) -> Iterator[str]:
    """The record that people see must be there and be its last version, column by column."""
    name, last = model._meta.verbose_name, {}
    for row in rows:
        last[row.row_id] = max(int(row.version), last.get(row.row_id, 0))
    for row_id, version in last.items():
        shown = live.get(uuid.UUID(row_id))
        if shown is None:
            yield f"{name} {row_id} is gone, and its versions are kept"
            continue
        kept = there.get((row_id, str(shown.version)), [])
        if shown.version < version or not kept or _whole(kept[0], model) != _whole(shown):
            yield _told(f"{name} {row_id} stands otherwise than its last version", _whole(shown))


def _whole(row: models.Model, model: type[models.Model] | None = None) -> str:
    """The digest of all that a row says now; `model` names whose columns where the row is a version."""
    named = digest_columns(model or type(row))
    return chain.row_digest({column: getattr(row, attribute) for column, attribute in named}).hex()


# --- rows that nothing cites ------------------------------------------------------------------------------------------


def _rows_there(stream: str) -> Iterator[tuple[str, str, str, str]]:
    """(table, source, id, version) of every row that by its own columns belongs to a stream: facts, versions, and records as they are seen.

    One statement for all tables. A row whose stream follows from more than one column is asked for by its lot; others of these are left to
    the independent verifier, as is a row that names another stream.
    """
    kind, _, key = stream.partition(":")
    asked, values, quoted = [], [], connection.ops.quote_name
    for table, model in sorted(_models().items()):
        column = _stream_column(model, kind)
        if column is None:
            continue
        value = stream if column == "stream_name" else _uuid(key)
        if value is None:
            continue
        sources = [(table, "1")] if model.row_kind == "fact" else [(table, "version"), (model.history.model._meta.db_table, "version")]
        for source, version in sources:
            asked.append(f"SELECT %s::text, %s::text, id::text, {version}::text FROM {quoted(source)} WHERE {quoted(column)} = %s")  # noqa: S608 - own names
            values += [table, source, value]
    if asked:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(asked), values)
            yield from cursor.fetchall()


def _stream_column(model: type[models.Model], kind: str) -> str | None:
    """The column that says which stream of a kind a row belongs to; None where none does by itself."""
    columns = {field.column for field in model._meta.concrete_fields}
    if model.stream is not Guarded.stream:
        return "stream_name" if "stream_name" in columns else "lot_id" if kind == "lot" and "lot_id" in columns else None
    return model.stream_field if model.stream_kind == kind and model.stream_field in columns else None


def _uuid(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def _uncited(there: list[tuple[str, str, str, str]], cited: list[Cited]) -> Iterator[str]:
    known = {(row.table, row.row_id, row.version) for row in cited}
    deed = current_deed.get()
    if deed is not None:  # what the open deed wrote gets its entry when it ends
        known |= {(row.table, str(row.row_id), str(row.version)) for row in deed.rows}
    for table, source, row_id, version in there:
        if (table, row_id, version) in known:
            continue
        model = _models()[table]
        rows = model if source == table else model.history.model
        now = [_whole(row) for row in rows.objects.filter(id=row_id) if source == table or str(row.version) == version]
        yield _told(f"{model._meta.verbose_name} {row_id} version {version} in {source} has no entry", now)


@cache
def _models() -> dict[str, type[models.Model]]:
    return {model._meta.db_table: model for model in apps.get_models() if getattr(model, "row_kind", None) in {"record", "fact"}}


def broken_streams() -> dict[str, str]:
    """Streams of this site that the newest scheduled verification found broken, with the first finding of each and a mark of all; empty when all held.

    The check is a fact of mes.checkpoints, which stands above this folder and writes it with the independent verifier.
    """
    check = apps.get_model("mes", "TrailCheck").objects.filter(site_id=current_site()).order_by("-recorded_at").first()
    return {stream: f"{found['sentence']} (now {found.get('state') or UNTOLD})" for stream, found in check.broken.items()} if check else {}


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
