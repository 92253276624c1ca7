"""Access: signing in and out, failures, lock-out and unlocking."""

from __future__ import annotations

from typing import Literal

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Greatest

from mes.events import Event
from mes.people import rules
from mes.people.models import AccessEvent, FailureCounter, PersonLock, User
from mes.records.actors import Actor
from mes.records.door import service

FAILURES_ALLOWED = 5
Secret = Literal["password", "pin", "code"]
COUNTS: dict[Secret, str] = {"password": "passwords", "pin": "pins", "code": "codes"}
COUNT_TRY = """
INSERT INTO mes_failurecounter AS counter (user_id, passwords, pins, codes, last_at) VALUES (%s, %s, %s, %s, clock_timestamp())
ON CONFLICT (user_id) DO UPDATE SET passwords = counter.passwords + EXCLUDED.passwords, pins = counter.pins + EXCLUDED.pins,
  codes = counter.codes + EXCLUDED.codes, last_at = EXCLUDED.last_at
RETURNING passwords, pins, codes
"""


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
    User.objects.lock(user_id)  # two last tries at the same moment make one lock
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


def begin_try(user_id, *secrets: Secret) -> int:
    """Count a try of these secrets before any of them is checked; returns how many tries are left if it fails.

    Counted first, so that many tries at the same moment are no more tries than one after the other: below zero the secret
    is not even looked at. A working row, committed by itself. 21 CFR 11.300(d).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT_TRY, [user_id, *(int(secret in secrets) for secret in COUNTS)])
        counts = dict(zip(COUNTS, cursor.fetchone(), strict=True))
    return FAILURES_ALLOWED - max(counts[secret] for secret in secrets)


def end_try(user_id, right: Secret | None, *others: Secret) -> None:
    """One secret was right (None: none was, and none was guessed): its count begins anew; a try counted for others is taken back."""
    counts = {COUNTS[secret]: Greatest(F(COUNTS[secret]) - 1, 0) for secret in others}
    FailureCounter.objects.filter(user_id=user_id).update(**counts | ({COUNTS[right]: 0} if right else {}))


def reset_failures(user_id) -> None:
    """Every count begins anew: somebody lifted the lock."""
    FailureCounter.objects.filter(user_id=user_id).update(**dict.fromkeys(COUNTS.values(), 0))
