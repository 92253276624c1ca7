"""Questions that many requests ask: the ORM writes the SQL of each once per process, afterwards only values are bound.

Building and compiling a query costs Django several times what PostgreSQL needs to answer it, and PostgreSQL plans the statement of a question
once per connection. The rows are asked of the database each time: what is kept is the question, never an answer.

    @asked(uuid.UUID)
    def _open_runs(lot_id):                                  # called once, with a mark in the place of the value
        return StepRun.objects.filter(lot_id=lot_id).select_related("lot")

    _open_runs(lot.pk)                                       # a list of StepRun, read now
    together((_open_runs, lot.pk), (_other, run.pk))         # two lists, in one journey to the database

    COUNT = Sent("UPDATE … SET tries = tries + 1 WHERE id = %s")       # the same for SQL of our own
"""

from __future__ import annotations

import contextlib
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet
from django.db.models.query import ModelIterable, get_related_populators
from django.db.transaction import TransactionManagementError

from mes import prepared

_MARKS: dict[type, Callable[[], Any]] = {
    uuid.UUID: uuid.uuid4,
    str: lambda: f"mark-{secrets.token_hex(16)}",
    int: lambda: 1_000_000_000 + secrets.randbelow(1_000_000_000),
}
"""What stands for a value while the SQL is written: drawn at random, so that nothing else in a query is equal to it."""


@dataclass(frozen=True)
class _Plan:
    """The SQL of a question, where its values go, and how its rows become objects."""

    queryset: QuerySet
    sql: str
    places: tuple[tuple[int | None, Any], ...]
    """Of each parameter: which value it is, or None and the constant that stands there."""
    compiler: Any
    converters: dict
    columns: slice
    names: list[str]
    related: list
    annotations: dict[str, int]
    locks: bool

    def bound(self, values: Sequence[Any]) -> list:
        """The parameters. Raises NoSiteContext where row security would answer "nothing" for want of a site."""
        _ = self.queryset.db
        if self.locks and connection.get_autocommit():
            raise TransactionManagementError("a row is locked inside a deed only")
        return [constant if at is None else values[at] for at, constant in self.places]

    def objects(self, rows: Sequence[Sequence[Any]]) -> list:
        return [self._object(row) for row in (self.compiler.apply_converters(rows, self.converters) if self.converters else rows)]

    def _object(self, row: Sequence[Any]):
        found = self.queryset.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.columns])
        for each in self.related:
            each.populate(row, found)
        for name, at in self.annotations.items():
            setattr(found, name, row[at])
        return found


class Asked:
    """One question. Calling it with its values asks the database now and returns the rows as a list of objects."""

    def __init__(self, build: Callable[..., QuerySet], kinds: tuple[type, ...]) -> None:
        self.build, self.kinds = build, kinds
        self._plan: _Plan | None = None
        update_wrapper(self, build)

    def __call__(self, *values: Any) -> list:
        plan = self.plan
        bound = plan.bound(values)
        with _cursor() as cursor:
            cursor.execute(plan.sql, bound)
            return plan.objects(cursor.fetchall())

    @property
    def plan(self) -> _Plan:
        if self._plan is None:
            self._plan = self._written()
        return self._plan

    def queryset(self, *values: Any) -> QuerySet:
        """The same question as the ORM asks it: what tests compare the answers with."""
        return self.build(*values)

    def _written(self) -> _Plan:
        marks = [_MARKS[kind]() for kind in self.kinds]
        queryset = self.build(*marks).using(DEFAULT_DB_ALIAS)
        if queryset._iterable_class is not ModelIterable or queryset._prefetch_related_lookups:
            raise TypeError(f"{self.__name__} asks for whole objects, without prefetching")
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        places = tuple((marks.index(one), None) if one in marks else (None, one) for one in parameters)
        lost = [kind.__name__ for at, kind in enumerate(self.kinds) if all(place[0] != at for place in places)]
        if lost:
            raise TypeError(f"{self.__name__}: a value of the kind {lost[0]} does not stand in the SQL as it was given")
        fields = compiler.klass_info["select_fields"]
        columns = slice(fields[0], fields[-1] + 1)
        return _Plan(
            queryset, sql, places, compiler, compiler.get_converters([each[0] for each in compiler.select]), columns,
            [each[0].target.attname for each in compiler.select[columns]], get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS),
            compiler.annotation_col_map, bool(queryset.query.select_for_update),
        )  # fmt: skip


def asked(*kinds: type) -> Callable[[Callable[..., QuerySet]], Asked]:
    """Make a function that builds a QuerySet from values of these kinds (UUID, str, int) a question that is compiled once."""
    return lambda build: Asked(build, kinds)


def together(*questions: tuple) -> list[list]:
    """The answers to several questions, each given as (question, value, …), in one journey to the database.

    They are answered one after the other, each with what stands there when its turn comes: what is asked after a lock is read under it.
    """
    plans = [(question.plan, question.plan.bound(values)) for question, *values in questions]
    with contextlib.ExitStack() as open_ones:
        cursors = [open_ones.enter_context(_cursor()) for _ in plans]
        with connection.wrap_database_errors, connection.connection.pipeline():
            for cursor, (plan, bound) in zip(cursors, plans, strict=True):
                cursor.execute(plan.sql, bound)
        return [plan.objects(cursor.fetchall()) for cursor, (plan, _) in zip(cursors, plans, strict=True)]


class Sent:
    """SQL of our own that many requests send: kept with its plan by the database connection, like a question."""

    def __init__(self, sql: str) -> None:
        self.sql = sql

    @property
    def plan(self) -> Sent:
        """What `together()` sends: its rows are answered as they come."""
        return self

    def bound(self, values: Sequence[Any]) -> list:
        return list(values)

    def objects(self, rows: Sequence[Sequence[Any]]) -> list[tuple]:
        return list(rows)

    def one(self, *values: Any) -> tuple | None:
        """The first row of the answer."""
        with _cursor() as cursor:
            cursor.execute(self.sql, values)
            return cursor.fetchone()

    def changed(self, *values: Any) -> int:
        """How many rows were written."""
        with _cursor() as cursor:
            cursor.execute(self.sql, values)
            return cursor.rowcount


def _cursor():
    """A cursor whose statements are prepared; at the beginning of a request the connection is looked at first, as Django does for its own."""
    with connection.wrap_database_errors:
        connection.close_if_health_check_failed()
        return prepared.cursor(DEFAULT_DB_ALIAS)


__all__ = ["Asked", "Sent", "asked", "together"]
