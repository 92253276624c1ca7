"""The collector notes each row that a deed writes, with the digest of the values the database returned."""

from __future__ import annotations

import copy
from contextvars import ContextVar
from functools import cache
from operator import itemgetter

from django.db import models

from mes.audit import chain
from mes.audit.trail import CitedRow
from mes.errors import WriteOutsideService

current_deed: ContextVar = ContextVar("cartulary_deed", default=None)


def require_deed(model: type[models.Model]):
    """The open deed; raises WriteOutsideService when there is none (the write is refused before the SQL)."""
    deed = current_deed.get()
    if deed is None:
        raise WriteOutsideService(
            f"{model.__name__} was written outside a service; put the write into a @service function"
        )
    return deed


@cache
def digest_columns(model: type[models.Model]) -> tuple[tuple[str, str], ...]:
    """(column, attribute) of every column under digest: all but `tx`, which only the guards use."""
    return tuple(
        sorted(
            (f.column, f.attname)
            for f in model._meta.concrete_fields
            if f.column != "tx"
        )
    )


@cache
def schema_of(model: type[models.Model]) -> str:
    return chain.schema_id(
        model._meta.db_table, [column for column, _ in digest_columns(model)]
    )


@cache
def _digested(model: type[models.Model]) -> tuple[tuple[str, ...], itemgetter]:
    """Of every column under digest, in order: its name as the digest's text has it; and what takes their values from those of a row."""
    columns = digest_columns(model)
    return tuple(chain.named(column) for column, _ in columns), itemgetter(*(attribute for _, attribute in columns))


def _note(model: type[models.Model], row, row_id, version: int, stream: str, lot_id) -> None:
    names, values = _digested(model)
    digest = chain.digest_of(zip(names, values(row.__dict__), strict=True))
    require_deed(model).rows.append(CitedRow(stream, lot_id, model._meta.db_table, row_id, version, schema_of(model), digest))


def lot_of(row):
    """The lot a row belongs to: its `lot_id` column, when it has one."""
    return getattr(row, "lot_id", None)


def note_fact(fact) -> None:
    _note(type(fact), fact, fact.pk, 1, fact.stream, lot_of(fact))


def note_version(record, history_row) -> None:
    """A record's version is digested from its history row: what is kept is what is sealed."""
    _note(type(record), history_row, history_row.id, history_row.version, record.stream, lot_of(record))


def on_history_row(sender, instance, history_instance, **kwargs) -> None:
    note_version(instance, history_instance)


def _of_model(field, model):
    # simple-history puts one field instance on every history model, whose .model is then the last one's
    if field.model is model:
        return field
    own = copy.copy(field)
    own.model = model
    return own


def return_all_columns(models_: list[type[models.Model]]) -> None:
    """Make INSERT … RETURNING give back every column, so that digests are made of what the database stored."""
    for model in models_:
        if getattr(model, "row_kind", None) in {"record", "fact", "history"}:
            model._meta.__dict__["db_returning_fields"] = [
                _of_model(field, model) for field in model._meta.concrete_fields
            ]


def before_history_row(sender, history_instance, **kwargs) -> None:
    """Name the person of the deed on the history row by id, without loading them."""
    history_instance.history_user_id = require_deed(sender).by.user_id
