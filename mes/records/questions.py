"""Questions that are asked again and again: their statement is written once in a process and planned once on a connection.

To write a statement costs the ORM more than to answer it costs the database, and nearly every deed begins with a row read under its lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connections, models

from mes import prepared


@dataclass(frozen=True)
class Question:
    """A statement that lacks one value."""

    sql: str
    params: tuple[Any, ...]
    place: int
    """Of the value among the parameters."""

    def ask(self, value: uuid.UUID, using: str) -> list[tuple]:
        """The rows for this value, as the database gives them."""
        with prepared.cursor(using) as cursor:
            cursor.execute(self.sql, [*self.params[: self.place], value, *self.params[self.place + 1 :]])
            return cursor.fetchall()


@dataclass(frozen=True)
class Locking:
    """The question for the row of one key, and how the answer is read."""

    model: type[models.Model]
    question: Question
    names: tuple[str, ...]
    more: tuple[tuple[str, int], ...]
    """Annotations, with their place in the row."""
    turns: tuple[tuple[int, Callable[[Any], Any]], ...]

    def row(self, key: uuid.UUID, using: str) -> models.Model | None:
        """The row of this key, locked to the end of the transaction, or None."""
        found = self.question.ask(key, using)
        if not found:
            return None
        values = list(found[0])
        for place, turn in self.turns:
            values[place] = turn(values[place])
        row = self.model.from_db(using, self.names, values[: len(self.names)])
        for name, place in self.more:
            setattr(row, name, values[place])
        return row


def locking(queryset: models.QuerySet, using: str) -> Locking:
    """How a queryset locks the row of a key. Its conditions hold for every key; it reads its own rows, whole, and joins no others."""
    question, compiler = _question(queryset.select_for_update(no_key=True, of=("self",)), "pk", using)
    selected, wanted = compiler.select[: compiler.col_count], compiler.klass_info["select_fields"]
    if compiler.klass_info.get("related_klass_infos") or wanted != list(range(len(wanted))):
        raise ValueError(f"{queryset.model.__name__}: a kept question reads its own rows, whole and alone")
    return Locking(
        model=queryset.model,
        question=question,
        names=tuple(selected[place][0].target.attname for place in wanted),
        more=tuple(compiler.annotation_col_map.items()),
        turns=tuple(
            (place, _turn(turns, expression, connections[using]))
            for place, (turns, expression) in compiler.get_converters([one[0] for one in selected]).items()
        ),
    )


def ids_by(queryset: models.QuerySet, column: str, using: str) -> Question:
    """The ids of a queryset's rows that hold a value in this column."""
    return _question(queryset.values_list("pk", flat=True), column, using)[0]


def _question(queryset: models.QuerySet, column: str, using: str):
    mark = uuid.uuid4()  # stands for the value, which is not known yet
    compiler = queryset.filter(**{column: mark}).query.get_compiler(using)
    sql, params = compiler.as_sql()
    return Question(sql, tuple(params), params.index(mark)), compiler


def _turn(turns, expression, connection) -> Callable[[Any], Any]:
    def turned(value):
        for each in turns:
            value = each(value, expression, connection)
        return value

    return turned
