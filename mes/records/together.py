"""Several writes that wait for one answer: what lies between a lock and the commit is what the lot's next writer waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection

_unread: ContextVar[list[Callable[[], None]] | None] = ContextVar("cartulary_unread_answers", default=None)


@contextmanager
def together() -> Iterator[None]:
    """Inside a service: facts inserted and records saved in this block are sent one after the other, and their answers read at its end.

    What the database refuses is raised at the end of the block, and until then a fact holds what it was given, not what was stored. Whoever reads
    inside the block waits for everything sent before.
    """
    if _unread.get() is not None:
        yield
        return
    answers: list[Callable[[], None]] = []
    token = _unread.set(answers)
    try:
        with connection.wrap_database_errors, connection.connection.pipeline():
            yield
        for read in answers:
            read()
    finally:
        _unread.reset(token)


def when_answered(read: Callable[[], None]) -> None:
    """Read the answer to a statement just sent: now, or with the others of its block."""
    answers = _unread.get()
    if answers is None:
        read()
    else:
        answers.append(read)
