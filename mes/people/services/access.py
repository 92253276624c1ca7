"""Access: signing in and out, failures, lock-out and unlocking."""

from __future__ import annotations

from django.db import connection, transaction

from mes.events import Event
from mes.people import rules
from mes.people.models import AccessEvent, FailureCounter, PersonLock, User
from mes.records.actors import Actor
from mes.records.door import service

FAILURES_ALLOWED = 5


@service(Event.SIGNED_IN)
def record_sign_in(*, by: Actor) -> AccessEvent:
    """Write into the access log that somebody signed in. 21 CFR 11.300(d)."""
    rules.check_can_record_sign_in(by=by)
    event = AccessEvent(by_id=by.user_id, kind="in", station=by.station)
    event.save()
    return event


@service(Event.SIGNED_OUT)
def record_sign_out(*, by: Actor) -> AccessEvent:
    """Write into the access log that somebody signed out, or that their session was ended."""
    rules.check_can_record_sign_out(by=by)
    event = AccessEvent(by_id=by.user_id, kind="out", station=by.station)
    event.save()
    return event


@service(Event.PERSON_LOCKED)
def lock_person(*, by: Actor, user_id, why: str) -> PersonLock:
    """Lock a person out. The lock holds until another person lifts it."""
    rules.check_can_lock_person(by=by, user_id=user_id)
    existing = PersonLock.objects.filter(user_id=user_id, open=True).first()
    if existing:
        return existing
    lock = PersonLock(site_id=by.site_id, user_id=user_id, reason=why)
    lock.save()
    return lock


@service(Event.PERSON_UNLOCKED)
def unlock_person(*, by: Actor, lock_id, seen: int, reason: str) -> PersonLock:
    """Lift a lock; never one's own."""
    lock = PersonLock.objects.lock(lock_id, seen=seen)
    rules.check_can_unlock_person(by=by, lock=lock)
    lock.open = False
    lock.unlocked_by_id = by.user_id
    lock.save()
    reset_failures(lock.user_id)
    return lock


def count_failure(user: User) -> int:
    """Count one wrong secret (a working row); returns how many tries are left before the lock."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO mes_failurecounter (user_id, failures, last_at) VALUES (%s, 1, clock_timestamp()) "
            "ON CONFLICT (user_id) DO UPDATE SET failures = mes_failurecounter.failures + 1, last_at = clock_timestamp() RETURNING failures",
            [user.pk],
        )
        failures = cursor.fetchone()[0]
    return max(0, FAILURES_ALLOWED - failures)


def reset_failures(user_id) -> None:
    FailureCounter.objects.filter(user_id=user_id).update(failures=0)
