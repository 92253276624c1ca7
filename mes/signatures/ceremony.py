"""The signing ceremony: full re-authentication for every signature, bound to what was shown. 21 CFR 11.200(a).

    intent = prepare(by, subject, meaning, payload)                 GET of the signing page
    proof  = authenticate(by=…, intent_id=…, username=…, …)          POST, before any transaction: hashes are slow
    service(by=by, …, proof=proof)                                  inside: signatures.services.sign(…)

The signer need not be the session's user: any qualified person signs at another's station with their own secrets.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import check_password
from django.db import connection
from django.db.models import DateTimeField, Exists, Func
from django.utils import timezone

from mes import clock
from mes.asked import Sent, asked, together
from mes.errors import Missing, RuleBroken, SigningRefused, StaleRecord
from mes.passkeys.webauthn import Assertion
from mes.people import accountability, second_factor
from mes.people import rules as people_rules
from mes.people.hashers import nobodys_hash
from mes.people.models import User
from mes.people.services import begin_try, end_try_unless_locked, lock_person, use_code
from mes.people.services.access import Secret, begin_in_vain, check_not_held_up, count_in_vain, count_try, held_up, vain_keys
from mes.people.standing import enabling_in, with_enabling
from mes.records.actors import Actor
from mes.records.door import record_refusal
from mes.signatures import manifest, passkeys
from mes.signatures.meanings import Meaning
from mes.signatures.meanings import meaning as meaning_of
from mes.signatures.models import Signature, SigningIntent

LIFE = dt.timedelta(minutes=5)
_COLUMNS = [column.attname for column in SigningIntent._meta.concrete_fields]
SPEND = Sent(  # names of our own columns
    f"UPDATE {SigningIntent._meta.db_table} SET used_at = %s WHERE id = %s AND used_at IS NULL "  # noqa: S608
    f"RETURNING {', '.join(column.column for column in SigningIntent._meta.concrete_fields)}"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is signed: a record of a version, and the canonical bytes of what was shown."""

    record_type: str
    record_id: uuid.UUID
    record_version: int
    payload: bytes
    schema: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A person proved who they are for one intent. Made by authenticate() only, used once by sign()."""

    intent_id: uuid.UUID
    user: User
    meaning: str
    methods: tuple[str, ...]
    record_id: uuid.UUID | None = None
    """Of what the intent was made for."""
    asserted: passkeys.Asserted | None = None
    """What the signer's passkey proved, where it was the second factor."""
    signed: list[Signature] = field(default_factory=list, compare=False, repr=False)
    """The signature that was made with it, as the database returned it: for the answer to whoever signed."""


def subject(record, schema: str, content: dict) -> Subject:
    """The subject of a record in its present version (a fact has one: 1). `schema` such as "step/1"; `content` holds text, lists, dicts."""
    version = getattr(record, "version", 1)
    payload = manifest.payload_bytes(
        schema,
        record._meta.label_lower,
        record.pk,
        version,
        record.site_id,
        content,
    )
    return Subject(record._meta.label_lower, record.pk, version, payload, schema)


def prepare(by: Actor, what: Subject, meaning: str) -> SigningIntent:
    """Bind what is shown now to an intent: this record version, this digest, this meaning, this station, five minutes."""
    meaning_of(meaning)
    return SigningIntent.objects.create(
        site_id=by.site_id, session_user_id=by.user_id, record_type=what.record_type, record_id=what.record_id,
        record_version=what.record_version, meaning=meaning, station=by.station, payload_digest=manifest.digest(what.payload),
        expires_at=timezone.now() + LIFE,
    )  # fmt: skip


def authenticate_with_reason(*, by: Actor, intent_id, shown: Subject, what: Subject, **given: Any) -> Proof:
    """The same for what was shown together with the reason that the signer typed beside the secrets (`given`): those bytes are signed, no others.

    `shown` is what the page bound before there was a reason, built anew, and `what` the same with it. The proof is bound to `what`, and the
    intent of the page is used up with it, once: of two that are sent at the same moment one signs. Raises StaleRecord when what was shown changed,
    and what authenticate() raises. 21 CFR 11.70.
    """
    bound = _bind_reason(by, intent_id, shown, what)
    proof = authenticate(by=by, intent_id=bound.pk, **given)
    if not _use_up(intent_id):
        _use_up(bound.pk)
        refusal = _used_before()
        record_refusal(by, refusal, "sign")
        raise refusal
    return proof


def _use_up(intent_id) -> bool:
    """Whether the intent could be used and is used up now: of two at the same moment one is told so."""
    return bool(SigningIntent.objects.filter(pk=intent_id, used_at=None).update(used_at=timezone.now()))


def _used_before() -> SigningRefused:
    return SigningRefused("intent_used", "This signing page was used before. Open it again to sign again.")


def _bind_reason(by: Actor, intent_id, shown: Subject, what: Subject) -> SigningIntent:
    """An intent with the reason, which lives no longer than the one of the page."""
    first = SigningIntent.objects.filter(pk=intent_id).first()
    if first is None:
        raise Missing("no_intent", "This signing page is not known. Open the step again and sign there.")
    try:
        _check_intent(by, first)
    except RuleBroken as refusal:
        record_refusal(by, refusal, "sign")
        raise
    if bytes(first.payload_digest) != manifest.digest(shown.payload):
        raise StaleRecord("Something you were about to sign changed since it was shown. Nothing was signed. Look at it again, then sign.")
    bound = prepare(by, what, first.meaning)
    bound.expires_at, bound.nonce = first.expires_at, bytes(first.nonce)
    bound.save(update_fields=["expires_at", "nonce"])
    return bound


def authenticate(
    *, by: Actor, intent_id, username: str, secret: str, code: str = "", passkey: str | Mapping = "", own: bool = False
) -> Proof:
    """Both components, every time; for certifying meanings the second factor, and outside the controlled networks of whoever is not the session's
    person. Call it outside any transaction.

    `username` is a user name or a badge code; `passkey` what the person's device answered to ask_passkey(), in place of a `code`.
    `own`: the signer began the intent in a session of their own, at whichever station of the site;
    else it is the page that stands open here. Raises SigningRefused (and writes the security event, counts towards the
    lock-out) with the same sentence for an unknown person and a wrong secret.
    """
    try:
        said = passkeys.read(passkey)
        intent, user, meaning = _proven(by, intent_id, username.strip(), secret, own)
        methods, asserted = ["badge or user name", "signing PIN" if meaning.proof == "floor" else "password"], None
        if _asks_factor(by, user, meaning):
            asserted = _second_factor(by, user, intent, code, said)
            methods.append("passkey" if asserted else "one-time code")
        return Proof(intent.pk, user, intent.meaning, tuple(methods), intent.record_id, asserted)
    except RuleBroken as refusal:
        if refusal.security:
            record_refusal(by, refusal, "sign")
        raise


def ask_passkey(*, by: Actor, intent_id, username: str, secret: str, what: Subject | None = None, own: bool = False) -> dict:
    """What the browser asks the signer's device, once user name and password are right: bound to this intent and to what is signed.

    `what` is what was shown with the reason typed beside it, where that is signed. Nothing is signed and the intent is not used. Raises what
    authenticate() raises, SigningRefused("no_passkey") and RuleBroken("passkeys_off", "no_second_factor_here").
    """
    try:
        intent, user, meaning = _proven(by, intent_id, username.strip(), secret, own)
        if not _asks_factor(by, user, meaning):
            raise RuleBroken("no_second_factor_here", "This signature takes no second factor. Sign without a passkey.")
        return passkeys.options(user, intent, bytes(intent.payload_digest) if what is None else manifest.digest(what.payload))
    except RuleBroken as refusal:
        if refusal.security:
            record_refusal(by, refusal, "sign")
        raise


def _proven(by: Actor, intent_id, username: str, secret: str, own: bool) -> tuple[SigningIntent, User, Meaning]:
    """The intent, and the person whose first two components these are, for whom signing is enabled here."""
    if connection.in_atomic_block and not getattr(
        connection.atomic_blocks[-1], "_from_testcase", False
    ):
        raise RuntimeError(
            "authenticate() is called before any transaction: no lock is held while a hash is checked"
        )
    if by.kind != User.PERSON:
        raise SigningRefused(
            "only_people_sign",
            "A device or a program never signs. A person has to do it.",
        )
    intent, drift, named = _intent_and_signer(by, intent_id, username)
    _check_clock(drift)
    if intent is None:
        raise Missing(
            "no_intent",
            "This signing page is not known. Open the step again and sign there.",
        )
    _check_intent(by, intent, own=own)
    check_not_held_up(by, intent.held_up)
    meaning = meaning_of(intent.meaning)
    user = named or _with_this_badge(username, by.site_id)
    if user is not None and user.kind != User.PERSON:
        raise SigningRefused(
            "only_people_sign",
            "A device or a program never signs. A person has to do it.",
        )
    kind: Secret = "pin" if meaning.proof == "floor" else "password"
    stored = "" if user is None else getattr(user, kind)
    locked = user is not None and people_rules.is_locked(user.pk, user.locked)
    left = 0
    if user is None or locked:
        begin_in_vain(by)
    else:
        left = begin_try(user.pk, kind)
    # An unknown person costs as much time as a known one: no user enumeration by the clock.
    right = check_password(secret, stored or nobodys_hash())
    if locked:
        # Said before anything of the secret is: a lock that still tells right from wrong would let the guessing go on.
        raise _locked_out(by, user, meaning.proof)
    if user is None or not user.is_active or not right or not stored or left < 0:
        raise _wrong_secret(by, user, meaning.proof, left)
    if not end_try_unless_locked(user.pk, kind) and people_rules.is_locked(user.pk):
        raise _locked_out(by, user, meaning.proof)
    if own:
        _check_begun_by(intent, user)
    # Said only to who proved to be this person; asked again by the deed that signs.
    people_rules.check_signing_enabled(user, by.site_id, to_acknowledge=meaning.before_enabled, there=enabling_in(user))
    return intent, user, meaning


@asked(uuid.UUID, str, str)
def _intent(intent_id, person, place):
    asked_at = Func(function="clock_timestamp", output_field=DateTimeField())
    return SigningIntent.objects.filter(pk=intent_id).annotate(asked_at=asked_at, held_up=Exists(held_up(person, place)))


def _intent_and_signer(by: Actor, intent_id, username: str) -> tuple[SigningIntent | None, dt.timedelta, User | None]:
    """The intent with whether this session is held up, how far this host's clock is from the database's, and whose user name this is; asked together."""
    if intent_id is None:
        return None, clock.drift(), None
    before = clock.host_seconds()
    found, named = together((_intent, uuid.UUID(str(intent_id)), *vain_keys(by)), (_named, username, by.site_id, accountability.CURRENT))
    after = clock.host_seconds()
    if not found:
        return None, clock.drift(), None
    return found[0], clock.drift_between(before, found[0].asked_at, after), named[0] if named else None


@asked(str, uuid.UUID, str)
def _named(username, site_id, text_version):
    return with_enabling(User.objects.filter(username__iexact=username), site_id, text_version)


@asked(str, uuid.UUID, str)
def _with_badge(badge, site_id, text_version):
    return with_enabling(User.objects.filter(badge=badge), site_id, text_version)


def _with_this_badge(badge: str, site_id) -> User | None:
    found = _with_badge(badge, site_id, accountability.CURRENT) if badge else []
    return found[0] if found else None


def _check_clock(by: dt.timedelta) -> None:
    """Nobody signs where the clock is wrong: intents and one-time codes are judged by it (AUD-13)."""
    if clock.has_drifted(by):
        raise SigningRefused(
            "clock_drift",
            f"The clock of this server is {clock.drift_words(by)}. Nobody can sign until it is set right; call whoever runs the system.",
        )


def _may_be_named(by: Actor, user: User) -> bool:
    """Names, locks and tries left are told at a station of a site where the person works, and nowhere else: a badge found elsewhere says nothing."""
    return bool(by.station) and bool(people_rules.live_grants(user.pk, by.site_id))


def _not_told(proof: str, user: User | None) -> SigningRefused:
    """One sentence for who is unknown and for who does not work at this site."""
    word = "PIN" if proof == "floor" else "password"
    detail = {"subject": str(user.pk)} if user else None
    return SigningRefused("wrong_secret", f"That {word} does not belong to this person.", field="secret", detail=detail)


def _locked_out(by: Actor, user: User, proof: str) -> SigningRefused:
    if not _may_be_named(by, user):
        return _not_told(proof, user)
    return SigningRefused(
        "locked_out",
        f"{user.full_name} is locked out after wrong secrets. An administrator can lift the lock; another qualified person can sign.",
    )


def _check_begun_by(intent: SigningIntent, user: User) -> None:
    if intent.session_user_id != user.pk:
        raise SigningRefused(
            "intent_of_another", f"This was not shown to {user.full_name}. Each person opens it in their own session and signs what was shown there."
        )


def _check_intent(by: Actor, intent: SigningIntent, *, own: bool = False) -> None:
    begun_here = intent.session_user_id == by.user_id and intent.station == by.station
    if intent.site_id != by.site_id or not (begun_here or own):
        raise SigningRefused(
            "intent_of_another",
            "This signing page was opened by somebody else or at another station. Open it again here.",
        )
    if intent.used_at is not None:
        raise _used_before()
    if intent.expires_at < timezone.now():
        raise SigningRefused(
            "intent_expired",
            "This signing page is older than five minutes. Open it again: something may have changed.",
        )


def _wrong_secret(by: Actor, user: User | None, proof: str, left: int) -> SigningRefused:
    word = "PIN" if proof == "floor" else "password"
    if user is None:
        return _not_told(proof, None)
    count_in_vain(by)
    if left <= 0:
        lock_person(by=by, user_id=user.pk, why="wrong secrets in a row")
    if not _may_be_named(by, user):
        return _not_told(proof, user)
    tries = (
        "No try is left: an administrator can lift the lock."
        if left <= 0
        else f"{left} {'try' if left == 1 else 'tries'} left."
    )
    return SigningRefused(
        "wrong_secret",
        f"That {word} is not {user.full_name}'s. {tries}",
        field="secret",
        detail={"subject": str(user.pk)},
    )


def _asks_factor(by: Actor, user: User, meaning: Meaning) -> bool:
    return meaning.proof == "certify" or (user.pk != by.user_id and second_factor.is_asked_of_others(by))


def _second_factor(by: Actor, user: User, intent: SigningIntent, code: str, said: Assertion | None) -> passkeys.Asserted | None:
    """A passkey's answer or a one-time code; both count as tries of the same. Returns what the passkey proved."""
    if said is None and not code.strip():
        why = "" if user.pk == by.user_id or not second_factor.is_asked_of_others(by) else (
            f"This is outside the site's own networks, and it is not {user.full_name} who is signed in. "
        )  # fmt: skip
        raise SigningRefused("code_missing", f"{why}This signature also needs the six digits of your authenticator, or your passkey.", field="code")
    def attempt() -> passkeys.Asserted | None:
        if said is not None:
            return passkeys.prove(by, user, intent, said)
        try:
            use_code(by=by, user_id=user.pk, code=code)
        except SigningRefused as refusal:
            refusal.security = None  # the service's door has written the security event already
            raise
        return None

    def lock() -> SigningRefused:
        lock_person(by=by, user_id=user.pk, why="wrong one-time codes or passkeys in a row")
        return _locked_out(by, user, "certify")

    return count_try(user.pk, "code", attempt, lock=lock)


def spending(intent_id) -> tuple:
    """Marks the intent used inside the deed that signs: a question for `together()`, whose answer `spent()` reads.

    The statement that marks it also asks whether it is unused, and locks it: of two that spend it at one moment the second waits, and finds it used.
    """
    return (SPEND, timezone.now(), intent_id)


def spent(rows: list[tuple]) -> SigningIntent:
    """The intent that was marked. Raises SigningRefused when it was used before; with that the deed is rolled back."""
    if not rows:
        raise _used_before()
    return SigningIntent.from_db(connection.alias, _COLUMNS, rows[0])


__all__ = [
    "LIFE", "Proof", "Subject", "ask_passkey", "authenticate", "authenticate_with_reason", "prepare", "spending", "spent", "subject",
]  # fmt: skip
