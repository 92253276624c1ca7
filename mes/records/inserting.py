"""Rows written in one short statement: their columns travel as one JSON text and come back as the database stored them.

A multi-row VALUES list costs the ORM, the driver and PostgreSQL's parser some ten times as much as this, and the rows of a
submission are what a person waits for. The statement depends on the model alone; the number of rows does not change it.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from collections.abc import Callable, Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any

from django.db import DatabaseError, connections, models
from django.db.models.expressions import DatabaseDefault

from mes import prepared
from mes.records.together import when_answered

GIVEN_BY_THE_DATABASE = frozenset({"recorded_at", "tx"})
"""Set by the guard whatever is sent (before_fact): nothing is sent, so that its default is not computed for nothing."""

PLAIN = frozenset({str, int, bool, type(None), uuid.UUID, decimal.Decimal, dt.datetime, dict, list})
"""The commonest values, which are no expressions."""


def insert(model: type[models.Model], facts: Sequence[models.Model], using: str, then: Callable[[models.Model], object]) -> bool:
    """Insert facts that are new and hold plain values; each then holds every column as stored, and `then` is called with it.

    Returns False, with nothing written, when a value is an expression: the ORM has to write those.
    """
    columns = _columns(model)
    rows = []
    for fact in facts:
        known = fact.__dict__
        row = {column: known[attribute] for column, attribute in columns}
        if not PLAIN.issuperset(map(type, row.values())) and any(map(_is_expression, row.values())):
            return False
        rows.append(row)
    cursor = prepared.cursor(using)
    cursor.execute(_statement(model, using), [_rows(rows)])
    names, turns = _read(model, using)

    def answered() -> None:
        with cursor:
            stored = cursor.fetchall()
        for fact, values in zip(facts, stored, strict=True):
            known = fact.__dict__
            known.update(zip(names, values, strict=True))
            for name, turn in turns:
                known[name] = turn(known[name])
            fact._state.adding, fact._state.db = False, using
            then(fact)

    when_answered(answered)
    return True


def _is_expression(value: Any) -> bool:
    return isinstance(value, DatabaseDefault) or hasattr(value, "resolve_expression")


def _plain(value: Any) -> str:
    """What JSON does not know, in PostgreSQL's own input form; numbers keep every digit."""
    if type(value) is uuid.UUID or isinstance(value, uuid.UUID | decimal.Decimal):
        return str(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    raise TypeError(f"a column cannot hold {type(value).__name__}")


_rows = json.JSONEncoder(default=_plain, ensure_ascii=False).encode
"""The text in which rows travel."""


@cache
def _columns(model: type[models.Model]) -> tuple[tuple[str, str], ...]:
    return tuple((field.column, field.attname) for field in model._meta.concrete_fields if field.column not in GIVEN_BY_THE_DATABASE)


@cache
def _statement(model: type[models.Model], using: str) -> str:
    connection = connections[using]
    quote = connection.ops.quote_name
    fields = {field.column for field in model._meta.concrete_fields}
    names = ", ".join(quote(column) for column, _ in _columns(model))
    filled = ", ".join(quote(column) for column in sorted(GIVEN_BY_THE_DATABASE & fields))
    empty = ", ".join("NULL" for _ in GIVEN_BY_THE_DATABASE & fields)
    back = ", ".join(quote(field.column) for field in model._meta.concrete_fields)
    table = quote(model._meta.db_table)
    return (  # names of the model's own columns
        f"INSERT INTO {table} ({names}, {filled}) SELECT {names}, {empty}"  # noqa: S608
        f" FROM jsonb_to_recordset(%s::jsonb) AS given ({_types(model, using)}) RETURNING {back}"
    )


@cache
def _types(model: type[models.Model], using: str) -> str:
    connection = connections[using]
    fields = {field.column: field for field in model._meta.concrete_fields}
    kinds = {name: field.rel_db_type(connection) if field.is_relation else field.db_type(connection) for name, field in fields.items()}
    return ", ".join(f"{connection.ops.quote_name(column)} {kinds[column]}" for column, _ in _columns(model))


@cache
def _read(model: type[models.Model], using: str) -> tuple[tuple[str, ...], tuple[tuple[str, Callable[[Any], Any]], ...]]:
    """The attributes of a row in the order of its columns, and how the values of some of them are read."""
    fields = model._meta.concrete_fields
    turns = ((field.attname, _converter(field, connections[using])) for field in fields)
    return tuple(field.attname for field in fields), tuple((name, turn) for name, turn in turns if turn is not None)


def _converter(field: models.Field, connection) -> Callable[[Any], Any] | None:
    target = field.target_field if field.is_relation else field
    column = target.get_col(target.model._meta.db_table)
    turns = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]
    if not turns:
        return None

    def turn(value):
        for each in turns:
            value = each(value, column, connection)
        return value

    return turn


# --- a record and its version -----------------------------------------------------------------------------------------


def update(
    record: models.Model, *, history_id: uuid.UUID, at: dt.datetime, reason: str, user_id: uuid.UUID, using: str, then: Callable[[SimpleNamespace], object]
) -> bool:
    """Write a changed record and the history row of its new version in one statement; `then` is called with that row as the database stored it.

    What is kept is taken from the row that was written, not from the object. Returns False, with nothing written, when the object was
    not read whole or holds an expression: the ORM and simple-history have to write that. Raises DatabaseError when the row is not there.
    """
    model, known = type(record), record.__dict__
    columns = _columns(model)
    if any(attribute not in known for _, attribute in columns):
        return False
    row = {column: known[attribute] for column, attribute in columns}
    if any(map(_is_expression, row.values())):
        return False
    cursor = prepared.cursor(using)
    cursor.execute(_update(model, using), [_rows([row]), history_id, at, reason, user_id])

    def answered() -> None:
        with cursor:
            stored = cursor.fetchone()
        if stored is None:
            raise DatabaseError(f"{model.__name__} {record.pk} was not written: the row is not there")
        names, turns = _read(model, using)
        kept = dict(zip((name for name in names if name != "tx"), stored, strict=True))
        for name, turn in turns:
            if name != "tx":
                kept[name] = turn(kept[name])
        then(SimpleNamespace(history_id=history_id, **kept))

    when_answered(answered)
    return True


@cache
def _update(model: type[models.Model], using: str) -> str:
    quote = connections[using].ops.quote_name
    changed = ", ".join(f"{quote(column)} = given.{quote(column)}" for column, _ in _columns(model) if column not in ("id", "site_id"))
    names = [quote(field.column) for field in model._meta.concrete_fields if field.column != "tx"]
    table, kept = quote(model._meta.db_table), quote(model.history.model._meta.db_table)
    return (  # names of the model's own columns
        f"WITH kept AS (UPDATE {table} t SET {changed} FROM jsonb_to_recordset(%s::jsonb) AS given ({_types(model, using)})"  # noqa: S608
        f" WHERE t.id = given.id AND t.site_id = given.site_id RETURNING t.*) INSERT INTO {kept} ({', '.join(names)}, history_id, history_date,"
        f" history_change_reason, history_type, history_user_id) SELECT {', '.join(f'kept.{name}' for name in names)},"
        f" %s::uuid, %s::timestamptz, %s::text, '~', %s::uuid FROM kept RETURNING {', '.join(names)}"
    )
