"""Access: signing in and out, failures, lock-out and unlocking."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal

from django.db import connection, transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Func, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils.crypto import salted_hmac

from mes.asked import Sent
from mes.errors import SigningRefused, TooManyTries
from mes.events import Event
from mes.people import rules
from mes.people.models import AccessEvent, FailureCounter, PersonLock, SignInThrottle, User
from mes.records.actors import Actor
from mes.records.door import service

FAILURES_ALLOWED = 5
Secret = Literal["password", "pin", "code"]
COUNTS: dict[Secret, str] = {"password": "passwords", "pin": "pins", "code": "codes"}
COUNT_TRY = Sent("""
INSERT INTO mes_failurecounter AS counter (user_id, passwords, pins, codes, last_at) VALUES (%s, %s, %s, %s, clock_timestamp())
ON CONFLICT (user_id) DO UPDATE SET passwords = counter.passwords + EXCLUDED.passwords, pins = counter.pins + EXCLUDED.pins,
  codes = counter.codes + EXCLUDED.codes, last_at = EXCLUDED.last_at
RETURNING passwords, pins, codes
""")
FORGIVE: dict[Secret, Sent] = {
    secret: Sent(  # names of our own columns
        f"UPDATE mes_failurecounter c SET {counted} = 0 WHERE user_id = %s"  # noqa: S608
        " AND NOT EXISTS (SELECT 1 FROM mes_personlock l WHERE l.user_id = c.user_id AND l.open)"
    )
    for secret, counted in COUNTS.items()
}

SIGN_IN_WINDOW = dt.timedelta(minutes=5)
SIGN_INS_OF_A_NAME = 3
"""Fewer than lock a person out: nobody locks another out within one window."""
SIGN_INS_FROM_AN_ADDRESS = 30
COUNT_SIGN_IN = """
INSERT INTO mes_signinthrottle AS kept (key, tries, since) VALUES (%(key)s, 1, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET
  tries = CASE WHEN kept.since < clock_timestamp() - %(window)s THEN 1 ELSE kept.tries + 1 END,
  since = CASE WHEN kept.since < clock_timestamp() - %(window)s THEN clock_timestamp() ELSE kept.since END
RETURNING tries
"""

SIGNINGS_IN_VAIN = 30
"""Wrong tries to sign in the sessions of one person within the window: no shift mistypes so often."""
SIGNINGS_IN_VAIN_FROM_AN_ADDRESS = 300
"""A floor may stand behind one address. Who is held up is not counted on, so it takes ten people's sessions to hold up the others there."""


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
    counts = dict(zip(COUNTS, COUNT_TRY.one(user_id, *(int(secret in secrets) for secret in COUNTS)), strict=True))
    return FAILURES_ALLOWED - max(counts[secret] for secret in secrets)


def end_try(user_id, right: Secret | None, *others: Secret) -> None:
    """One secret was right (None: none was, and none was guessed): its count begins anew; a try counted for others is taken back."""
    counts = {COUNTS[secret]: Greatest(F(COUNTS[secret]) - 1, 0) for secret in others}
    FailureCounter.objects.filter(user_id=user_id).update(**counts | ({COUNTS[right]: 0} if right else {}))


def end_try_unless_locked(user_id, right: Secret) -> bool:
    """end_try() for the secret that was right, unless the person was locked meanwhile; returns whether its count begins anew.

    One statement looks at the lock and forgives. 21 CFR 11.300(d).
    """
    return FORGIVE[right].changed(user_id) == 1


NO_GUESS = frozenset({"used_code", "no_second_factor", "second_factor_unchecked", "used_passkey"})
"""Refusals of a second factor that show no guess: they cost no try and wipe out none."""


def count_try(user_id, secret: Secret, attempt: Callable[[], Any], *, lock: Callable[[], SigningRefused]) -> Any:
    """What `attempt` returns, counted as a try before it is made: right, the count begins anew; the last wrong one calls `lock`.

    `lock` locks the person out and gives the refusal of who has no try left: then nothing is looked at. Raises what `attempt` raises. 21 CFR 11.300(d).
    """
    left = begin_try(user_id, secret)
    if left < 0:
        raise lock()
    try:
        made = attempt()
    except SigningRefused as refusal:
        if refusal.code in NO_GUESS:
            end_try(user_id, None, secret)
        elif left == 0:
            lock()
        raise
    end_try(user_id, secret)
    return made


def begin_sign_in(username: str, address: str) -> None:
    """Count a try to sign in, of this name and from this address, known or not, before any person's count. 21 CFR 11.300(d).

    Raises TooManyTries, before anything is looked at. Who guesses is slowed down; who is guessed at is not locked out by it.
    """
    if [key for key, most in _throttled(username, address) if _count(key) > most]:
        raise _too_many()


def _too_many() -> TooManyTries:
    return TooManyTries("too_many_tries", "Too many tries. Wait five minutes, then try again.")


def vain_keys(by: Actor) -> tuple[str, str]:
    """Under which wrong tries to sign are counted: of whose session it is, and of where it came from."""
    return _key("signing", str(by.user_id)), _key("signing_from", by.address)


def held_up(person: str, place: str) -> QuerySet[SignInThrottle]:
    """What holds up the signing of these keys; nothing where they may go on. Asked with the intent, and told before anything of a secret is:
    known and unknown names are held up alike, so nobody learns which is which by it.
    """
    window = ExpressionWrapper(
        Func(function="clock_timestamp", output_field=DateTimeField()) - Value(SIGN_IN_WINDOW, output_field=DurationField()), output_field=DateTimeField()
    )
    most = Q(key=person, tries__gte=SIGNINGS_IN_VAIN) | Q(key=place, tries__gte=SIGNINGS_IN_VAIN_FROM_AN_ADDRESS)
    return SignInThrottle.objects.filter(most, since__gte=window)


def check_not_held_up(by: Actor, known: bool | None = None) -> None:
    """Raises TooManyTries, before any hash is checked; `known` is what was just read with the intent."""
    if held_up(*vain_keys(by)).exists() if known is None else known:
        raise _too_many()


def begin_in_vain(by: Actor) -> None:
    """Count a try of a name that nobody has, or who is locked out, before a hash is checked: no count of a person's own ends those. Raises TooManyTries."""
    if count_in_vain(by):
        raise _too_many()


def count_in_vain(by: Actor) -> bool:
    """Count a wrong try in this person's sessions and from this address; returns whether it was one too many. 21 CFR 11.300(d).

    A known name's is counted too, once it was wrong: else the count would tell who is known.
    """
    most = zip(vain_keys(by), (SIGNINGS_IN_VAIN, SIGNINGS_IN_VAIN_FROM_AN_ADDRESS), strict=True)
    return bool([key for key, limit in most if _count(key) > limit])


def _count(key: str) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT_SIGN_IN, {"key": key, "window": SIGN_IN_WINDOW})
        return cursor.fetchone()[0]


def is_flood_of_tokens(address: str) -> bool:
    """Count a token that opened nothing; True when this address sent many in a short time. A right token is never counted or held up."""
    return _count(_key("token", address)) > SIGN_INS_FROM_AN_ADDRESS


def end_sign_in(username: str, address: str) -> None:
    """The password was right: the name's count begins anew, and the try is taken back from the address."""
    (name, _), (place, _) = _throttled(username, address)
    SignInThrottle.objects.filter(key=name).delete()
    SignInThrottle.objects.filter(key=place).update(tries=Greatest(F("tries") - 1, 0))


def _throttled(username: str, address: str) -> tuple[tuple[str, int], tuple[str, int]]:
    """Keys and limits. People type passwords as names: the key is a keyed digest."""
    told = (("name", username.strip().casefold(), SIGN_INS_OF_A_NAME), ("address", address, SIGN_INS_FROM_AN_ADDRESS))
    first, second = ((_key(kind, value), most) for kind, value, most in told)
    return first, second


def _key(kind: str, value: str) -> str:
    return salted_hmac(f"cartulary.sign_in.{kind}", value, algorithm="sha256").hexdigest()


def reset_failures(user_id) -> None:
    """Every count begins anew: somebody lifted the lock."""
    FailureCounter.objects.filter(user_id=user_id).update(**dict.fromkeys(COUNTS.values(), 0))
