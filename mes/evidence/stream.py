"""A stream as an evidence file holds it: its entries as bytes, the rows they cite in sealed text, the records as they stand. AUD-10; REC-01.

Bytes of a row (attachments, papers, what was signed) lie in a member of their own, and the row names that member.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache

from django.apps import apps
from django.db import models

from mes.audit.chain import canonical_json, column_text
from mes.audit.models import AuditEntry, RowSchema
from mes.records.collector import digest_columns

IN_ROW = 64
"""Bytes up to which a value stays in its row: digests and seals do, files do not."""


def lines(items: Iterable[dict]) -> bytes:
    """One canonical JSON object a line."""
    return "".join(canonical_json(item) + "\n" for item in items).encode()


def members_of(stream: str) -> tuple[dict[str, bytes], int, str]:
    """entries.jsonl, schemas.jsonl, rows.jsonl, live.jsonl and the files they name; the last entry's number and hash. Call it inside a snapshot.

    Raises LookupError when a row that an entry cites is not there: such a trail is for the verifier of the database to judge.
    """
    entries = list(AuditEntry.objects.filter(stream=stream).order_by("seq"))
    said = [entry_line(each) for each in entries]
    cited: dict[str, dict[tuple[str, int], str]] = defaultdict(dict)
    for each in entries:
        for table, row_id, version, schema, _ in json.loads(bytes(each.canon))["rows"]:
            cited[table][row_id, int(version)] = schema
    files: dict[str, bytes] = {}
    rows, live, used = [], [], set()
    for table in sorted(cited):
        rows += _rows(table, cited[table], files)
        live += _live(table, cited[table], files)
        used |= set(cited[table].values())
    schemas = [{"id": each.pk, "table": each.table, "columns": sorted(each.columns)} for each in RowSchema.objects.filter(pk__in=used).order_by("table", "pk")]
    texts = {"entries.jsonl": lines(said), "schemas.jsonl": lines(schemas), "rows.jsonl": lines(rows), "live.jsonl": lines(live)}
    last = entries[-1]
    return texts | dict(sorted(files.items())), last.seq, bytes(last.hash).hex()


def entry_line(entry: AuditEntry) -> dict:
    """An entry by its exact bytes and its hash."""
    return {"seq": str(entry.seq), "hash": bytes(entry.hash).hex(), "canon": bytes(entry.canon).decode()}


def whole_row(table: str, row_id, version: int, schema: str) -> dict:
    """One cited row with all of it in sealed text, bytes too."""
    model = _model(table)
    kept = model.history.model.objects.get(id=row_id, version=version) if model.row_kind == "record" else model.objects.get(pk=row_id)
    columns = {column: column_text(getattr(kept, attribute)) for column, attribute in _columns(model, schema)}
    return {"table": table, "id": str(row_id), "version": str(version), "schema": schema, "columns": columns}


@cache
def _model(table: str) -> type[models.Model]:
    return next(each for each in apps.get_models() if each._meta.db_table == table and hasattr(each, "row_kind"))


def _rows(table: str, cited: dict[tuple[str, int], str], files: dict[str, bytes]) -> Iterator[dict]:
    model = _model(table)
    of_record = model.row_kind == "record"
    kept = (model.history.model if of_record else model).objects.filter(id__in={row_id for row_id, _ in cited})
    found = {}
    for row in kept.iterator(chunk_size=200):
        version = row.version if of_record else 1
        schema = cited.get((str(row.id), version))
        if schema is not None:
            place = f"{table}/{row.id}.{version}"
            found[str(row.id), version] = _row(table, place, str(row.id), version, row, _columns(model, schema), files) | {"schema": schema}
    for key in sorted(cited):
        if key not in found:
            raise LookupError(f"{table} {key[0]} version {key[1]} is cited and not there")
        yield found[key]


@cache
def _columns(model: type[models.Model], schema: str) -> tuple[tuple[str, str], ...]:
    """Columns and attributes of the list under which a row was sealed: a later column is not part of it."""
    sealed = set(RowSchema.objects.get(pk=schema).columns)
    return tuple(pair for pair in digest_columns(model) if pair[0] in sealed)


def _live(table: str, cited: dict[tuple[str, int], str], files: dict[str, bytes]) -> Iterator[dict]:
    """Records as people see them now, for the comparison with their last version."""
    model = _model(table)
    if model.row_kind != "record":
        return
    for row in model.objects.filter(pk__in={row_id for row_id, _ in cited}).order_by("pk"):
        yield _row(table, f"live/{table}/{row.pk}", str(row.pk), row.version, row, digest_columns(model), files)


def _row(table: str, place: str, row_id: str, version: int, row, columns, files: dict[str, bytes]) -> dict:
    said = {column: _value(f"{place}.{column}", getattr(row, attribute), files) for column, attribute in columns}
    return {"table": table, "id": row_id, "version": str(version), "columns": said}


def _value(place: str, value, files: dict[str, bytes]):
    if not isinstance(value, bytes | bytearray | memoryview) or len(value) <= IN_ROW:
        return column_text(value)
    content = bytes(value)
    name = f"files/{place}{_ending(content)}"
    files[name] = content
    return {"file": name}


def _ending(content: bytes) -> str:
    return ".pdf" if content.startswith(b"%PDF-") else ".json" if content.startswith(b'{"') else ".bin"
