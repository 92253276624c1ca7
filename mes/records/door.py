"""The door: the one way in which anything of GMP meaning is written.

`@service(Event.X)` opens a Deed and the outermost transaction, tells the database who acts, runs the service, appends
the audit trail last, commits, and only then sends the reactions. Nested services share the deed.
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.postgresql.base import ServerSideCursor
from django.db.backends.utils import CursorWrapper
from psycopg.pq import PipelineStatus

from mes import prepared, reactions
from mes.audit import trail
from mes.audit.trail import CitedRow, DeedFacts
from mes.errors import RuleBroken, WriteOutsideService
from mes.keys import uuid7
from mes.records.actors import Actor
from mes.records.collector import current_deed
from mes.records.context import _clear, _inside_test_transaction, _site

log = logging.getLogger("cartulary.door")

SERVICES: dict[str, Callable] = {}
"""Every service by its dotted name: what the house tests walk over."""

_receivers: dict[str, list[Callable]] = {}
_senders: list[Callable[[str, dict], None]] = []
_before_commit: ContextVar[Callable | None] = ContextVar("cartulary_before_commit", default=None)


class Opening:
    """The deed's own statement travels with the first one that its service makes, and BEGIN with both: whoever waits for a deed waits for one answer less.

    It stands among the connection's wrappers until then, so no statement goes before it. Who asks for the time first sends it alone.
    """

    def __init__(self, deed: Deed) -> None:
        self.asked = [deed.id, deed.by.user_id, deed.by.site_id]
        self.cursor: CursorWrapper | None = None
        self.at: dt.datetime | None = None
        connection.execute_wrappers.append(self)

    def __call__(self, execute, sql, params, many, context):
        self.leave()
        if many or isinstance(context["cursor"].cursor, ServerSideCursor):
            self._send()
            return execute(sql, params, many, context)
        return self._send(lambda: execute(sql, params, many, context))

    def time(self) -> dt.datetime:
        if self.cursor is None:
            self.leave()
            self._send()
        if self.at is None:
            self.at = self.cursor.fetchone()[0].astimezone(dt.UTC)
        return self.at

    def leave(self) -> None:
        if self in connection.execute_wrappers:
            connection.execute_wrappers.remove(self)

    def _send(self, first: Callable[[], object] = lambda: None):
        self.cursor = prepared.cursor(connection.alias)
        already = connection.connection.pgconn.pipeline_status != PipelineStatus.OFF  # in a block of writes: they are all sent at once
        with nullcontext() if already else connection.wrap_database_errors, nullcontext() if already else connection.connection.pipeline():
            self.cursor.execute("SELECT guard.open_deed(%s, %s, %s)", self.asked)
            return first()


@dataclass
class Deed:
    """One write: who, at which record time, what was written, what happened."""

    by: Actor
    reason: str = ""
    id: uuid.UUID = field(default_factory=uuid7)
    events: list[tuple[str, str]] = field(default_factory=list)
    rows: list[CitedRow] = field(default_factory=list)
    opening: Opening | None = None

    @property
    def at(self) -> dt.datetime:
        """Record time at which the deed was opened (UTC)."""
        return self.opening.time()

    def tell(self, event: str, subject) -> None:
        """Note that an event happened to a subject (an object with a pk, or an id)."""
        self.events.append((str(event), str(getattr(subject, "pk", subject) or "")))
        for receiver in _receivers.get(str(event), ()):
            receiver(by=self.by, subject=subject)


def receive(event: StrEnum, receiver: Callable) -> None:
    """Register `receiver(by=, subject=)`, called inside the deed when `event` is told: an upper app answers a lower one."""
    known = _receivers.setdefault(str(event), [])
    if receiver not in known:
        known.append(receiver)


def send_with(sender: Callable[[str, dict], None]) -> None:
    """Register how reactions are sent after commit: `sender(task_name, kwargs)`."""
    _senders[:] = [sender]


@contextmanager
def before_commit(call: Callable[[Deed], None]) -> Iterator[None]:
    """Inside, `call(deed)` runs in each deed's own transaction before the trail is appended; not for refused attempts.

    The API marks a request's idempotency key with it: key and deed are committed together or not at all.
    """
    token = _before_commit.set(call)
    try:
        yield
    finally:
        _before_commit.reset(token)


def deed_now() -> Deed:
    """The open deed; raises WriteOutsideService when there is none."""
    deed = current_deed.get()
    if deed is None:
        raise WriteOutsideService("no deed is open")
    return deed


def service(event: StrEnum) -> Callable:
    """Make a function a deed. It must be keyword-only and take `by: Actor`.

    `reason=` becomes the deed's reason when given. The event's subject is the returned object (its pk), or for a tuple
    its first item. Raises whatever the rules raise; then nothing is written but, where the refusal is a matter of
    security, one SecurityEvent in a transaction of its own.
    """

    def wrap(function: Callable) -> Callable:
        parameters = inspect.signature(function).parameters
        if "by" not in parameters or any(
            p.kind is not p.KEYWORD_ONLY for p in parameters.values()
        ):
            raise TypeError(
                f"{function.__qualname__}: a service takes keyword-only arguments and `by`"
            )
        name = f"{function.__module__}.{function.__name__}"

        @functools.wraps(function)
        def deed_of(*, by: Actor, **arguments):
            reason = str(arguments.get("reason") or "")
            inner = current_deed.get()
            if inner is not None:
                if reason and not inner.reason:
                    inner.reason = reason
                return _tell(inner, event, function(by=by, **arguments))
            return _open(Deed(by=by, reason=reason), event, function, arguments, name)

        deed_of.event = event
        deed_of.is_service = True
        SERVICES[name] = deed_of
        return deed_of

    return wrap


def _tell(deed: Deed, event: StrEnum, result):
    subject = result[0] if isinstance(result, tuple) and result else result
    deed.tell(event, subject)
    return result


def _open(deed: Deed, event: StrEnum, function: Callable, arguments: dict, name: str):
    if _site.get() is not None:
        raise WriteOutsideService(
            f"{name} was called inside a read context; leave site_context() first"
        )
    try:
        result = _run(deed, event, function, arguments)
    except RuleBroken as refusal:
        if refusal.security:
            _write_refusal(deed.by, refusal, name)
        raise
    _send(deed)
    return result


def _run(deed: Deed, event: StrEnum, function: Callable, arguments: dict):
    deed_token, site_token = current_deed.set(deed), None
    try:
        site_token = _site.set(deed.by.site_id)
        # Django lets a durable block stand inside a rollback test's own transaction, and nowhere else.
        with transaction.atomic(durable=True):
            deed.opening = Opening(deed)
            try:
                result = _tell(deed, event, function(by=deed.by, **arguments))
                call = _before_commit.get()
                if call is not None:
                    call(deed)
            finally:
                deed.opening.leave()
            _end(deed)
    finally:
        current_deed.reset(deed_token)
        if site_token is not None:
            _site.reset(site_token)
    return result


def _end(deed: Deed) -> None:
    """The trail is appended last of all. Its answer is nothing, so COMMIT is sent with it; where it fails, PostgreSQL passes the COMMIT by."""
    if _inside_test_transaction():
        if deed.rows:
            trail.append(_facts(deed), deed.rows)
        _close_in_test()
    elif deed.rows:
        connection.validate_no_broken_transaction()
        with connection.wrap_database_errors, connection.connection.pipeline():
            trail.append(_facts(deed), deed.rows)
            connection.connection.cursor().execute("COMMIT")


def _close_in_test() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SELECT set_config('cartulary.deed', '', true)")
    _clear()


def _facts(deed: Deed) -> DeedFacts:
    by = deed.by
    events = [f"{event}" for event, _ in deed.events]
    return DeedFacts(
        deed.id,
        by.site_id,
        by.user_id,
        by.username,
        by.full_name,
        by.role,
        by.channel,
        by.station,
        events,
        deed.reason,
    )


def _write_refusal(by: Actor, refusal: RuleBroken, name: str) -> None:
    from mes.events import Event
    from mes.records.models import SecurityEvent

    def write(*, by: Actor):
        event = SecurityEvent(
            code=refusal.code, kind=refusal.security, sentence=refusal.sentence, attempted=name.rsplit(".", 1)[-1],
            username=by.username, subject=str(refusal.detail.get("subject", "")), channel=by.channel, station=by.station,
        )  # fmt: skip
        event.save()
        return event

    deed, token = Deed(by=by), _before_commit.set(None)
    try:
        _run(deed, Event.REFUSED, write, {})
    finally:
        _before_commit.reset(token)
    _send(deed)


def record_refusal(by: Actor, refusal: RuleBroken, attempted: str) -> None:
    """Write the security event of a refusal that happened outside a service (sign-in, signing ceremony, scan)."""
    _write_refusal(by, refusal, attempted)


def _send(deed: Deed) -> None:
    """After commit: nudge the tasks named in mes/reactions.py. A failure is logged; the sweep finds what was lost."""
    for event, subject in deed.events:
        for task in reactions.TASKS_AFTER.get(event, ()):
            for sender in _senders:
                try:
                    sender(task, {"site": str(deed.by.site_id), "subject": subject})
                except (
                    Exception
                ):  # the request must never fail because the broker is away
                    log.warning(
                        "reaction_not_sent", extra={"task": task, "event": event}
                    )
                    return
    if getattr(settings, "CARTULARY_TRACE_DEEDS", False):
        log.info("deed %s %s", deed.id, [e for e, _ in deed.events])
