"""Objects of guarded rows, made without asking for each column how it is set: nearly all are set plainly, and rows come by the hundred."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import models
from django.db.models.base import ModelState
from django.db.models.fields.related_descriptors import ForeignKeyDeferredAttribute
from django.db.models.query_utils import DeferredAttribute
from django.db.models.signals import post_init, pre_init


@dataclass(frozen=True)
class Columns:
    """The attributes of a model's columns in their order; the defaults that are always the same, and what makes the others."""

    names: tuple[str, ...]
    same: dict[str, Any]
    made: tuple[tuple[str, Callable[[], Any]], ...]
    all: frozenset[str]


@cache
def _plain(model: type[models.Model]) -> Columns | None:
    """None when one of its columns is set in a way of its own."""
    meta = model._meta
    if meta.abstract or list(meta.fields) != list(meta.concrete_fields) or any(field.generated for field in meta.fields):
        return None
    ways = [type(inspect.getattr_static(model, field.attname)) for field in meta.fields]
    if any(not issubclass(way, DeferredAttribute) or getattr(way, "__set__", None) not in SETTING for way in ways):
        return None
    made = [field for field in meta.fields if (field.has_default() and callable(field.default)) or field.has_db_default()]
    return Columns(
        all=frozenset(field.attname for field in meta.fields),
        names=tuple(field.attname for field in meta.fields),
        same={field.attname: field.get_default() for field in meta.fields if field not in made},
        made=tuple((field.attname, field.get_default) for field in made),
    )


SETTING = {None, ForeignKeyDeferredAttribute.__set__}
"""The latter forgets an object that was kept for the key before: a new row has none."""


def fill(row: models.Model, given: dict[str, Any]) -> bool:
    """Make a new row of columns by name. Returns False, with nothing done, when Django has to do it."""
    columns = _plain(type(row))
    if columns is None or not columns.all.issuperset(given) or pre_init.receivers or post_init.receivers:
        return False
    row._state = ModelState()
    row.__dict__.update(columns.same)
    row.__dict__.update((name, make()) for name, make in columns.made if name not in given)
    row.__dict__.update(given)
    return True


def read(model: type[models.Model], db: str, values: Sequence[Any]) -> models.Model | None:
    """The object of a row as it was read, or None when Django has to make it."""
    columns = _plain(model)
    if columns is None or len(values) != len(columns.names) or pre_init.receivers or post_init.receivers:
        return None
    row = model.__new__(model)
    row._state = state = ModelState()
    state.adding, state.db = False, db
    row.__dict__.update(zip(columns.names, values, strict=True))
    return row
