"""Secrets: set by their owner, kept as hashes, proven again at every signature."""

from __future__ import annotations

import hashlib
import secrets

from django.contrib.auth.hashers import make_password

from mes.errors import RuleBroken, SigningRefused
from mes.events import Event
from mes.people import rules, totp
from mes.people.jurisdictions import profile_of
from mes.people.models import DeviceCredential, Qualification, SecondFactor, Site, UsedCode, User, UserSession
from mes.people.services.register import record_qualification
from mes.records.actors import Actor
from mes.records.door import service


@service(Event.PASSWORD_SET)
def set_password(*, by: Actor, user_id, new: str) -> User:
    """Set the owner's password (Argon2id, OWASP's setting)."""
    user = User.objects.lock(user_id)
    site = Site.objects.one(pk=by.site_id)
    rules.check_can_set_password(by=by, user=user, new=new, policy=profile_of(site.jurisdiction).passwords, said=(user.full_name, site.name, site.code))
    user.password = make_password(new)
    user.save()
    return user


@service(Event.PIN_SET)
def set_pin(*, by: Actor, user_id, pin: str) -> User:
    """Set the owner's signing PIN for the floor, at least six digits (decisions 5)."""
    user = User.objects.lock(user_id)
    rules.check_can_set_pin(by=by, user=user, pin=pin)
    user.pin = make_password(pin)
    user.save()
    return user


@service(Event.SECOND_FACTOR_BEGUN)
def begin_second_factor(*, by: Actor, user_id) -> SecondFactor:
    """Start enrolment of an authenticator; an earlier one that was never confirmed is retired."""
    rules.check_can_begin_second_factor(by=by, user_id=user_id)
    for old in SecondFactor.objects.filter(user_id=user_id, active=True, confirmed=False):
        old.active = False
        old.save()
    factor = SecondFactor(site_id=by.site_id, user_id=user_id, secret=totp.seal(totp.new_secret()))
    factor.save()
    return factor


@service(Event.SECOND_FACTOR_CONFIRMED)
def confirm_second_factor(*, by: Actor, user_id, code: str, checked_by: Actor) -> SecondFactor:
    """Finish enrolment with a first code, used up by it, before a second person who checked the owner's identity and proved their own secrets.

    A password alone enrols nothing that certifies: misuse takes two people. 21 CFR 11.200(a)(3).
    """
    before = SecondFactor.history.filter(user_id=user_id, active=False).values_list("history_user_id", flat=True)
    rules.check_can_confirm_second_factor(by=by, user_id=user_id, checked_by=checked_by, retired_by=set(before))
    factor = SecondFactor.objects.filter(user_id=user_id, active=True).first()
    if factor is None or factor.confirmed:
        raise RuleBroken("no_enrolment", "No authenticator waits to be confirmed. Begin again.")
    _use(factor, code)
    user = User.objects.one(pk=user_id)
    record_qualification(by=checked_by, user=user, subject=_enrolled(factor), title="Identity checked in person at the enrolment of an authenticator")
    factor.confirmed = True
    factor.save()
    return factor


@service(Event.SECOND_FACTOR_RETIRED)
def retire_second_factor(*, by: Actor, factor_id, seen: int, reason: str) -> SecondFactor:
    """Revoke a lost or replaced authenticator at once and end its owner's sessions. 21 CFR 11.300(c). Its owner enrols another one before a second person."""
    factor = SecondFactor.objects.lock(factor_id, seen=seen)
    rules.check_can_retire_second_factor(by=by, factor=factor)
    factor.active = False
    factor.save()
    UserSession.objects.filter(user_id=factor.user_id).delete()  # whoever holds the lost one may have opened them
    return factor


@service(Event.CODE_USED)
def use_code(*, by: Actor, user_id, code: str) -> UsedCode:
    """Accept a one-time code once. Raises SigningRefused for a wrong or used one."""
    rules.check_can_use_code(by=by, user_id=user_id)
    factor = SecondFactor.objects.filter(user_id=user_id, active=True, confirmed=True).first()
    if factor is None:
        raise SigningRefused(
            "no_second_factor",
            "This signature needs a second factor and none is enrolled. Enrol one under your name, top right.",
        )
    if not Qualification.objects.filter(user_id=user_id, subject=_enrolled(factor)).exclude(trainer_id=user_id).exists():
        raise SigningRefused(
            "second_factor_unchecked",
            "Nobody checked who enrolled this authenticator. An administrator retires it; then enrol another before a second person.",
        )
    return _use(factor, code)


def _enrolled(factor: SecondFactor) -> str:
    """Subject of the record that a second person checked who enrolled this authenticator: without it no code counts."""
    return f"authenticator:{factor.pk}"


def _use(factor: SecondFactor, code: str) -> UsedCode:
    step = totp.matching_step(totp.unseal(factor.secret), code)
    if step is None:
        raise SigningRefused(
            "wrong_code",
            "That code is not the authenticator's. Wait for the next one and type it.",
            field="code",
        )
    if UsedCode.objects.filter(factor=factor, time_step__gte=step).exists():
        raise SigningRefused(
            "used_code",
            "That code was used before. Wait for the next one and type it.",
            field="code",
        )
    used = UsedCode(site_id=factor.site_id, by_id=factor.user_id, factor=factor, time_step=step)
    used.save()
    return used


@service(Event.DEVICE_TOKEN_ISSUED)
def issue_device_token(*, by: Actor, user_id, equipment_id) -> tuple[DeviceCredential, str]:
    """A token for one equipment, shown once: 256 random bits, SHA-256 kept."""
    user = User.objects.one(pk=user_id)
    rules.check_can_issue_device_token(by=by, user=user)
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    credential = DeviceCredential(
        site_id=user.site_id,
        user=user,
        equipment_id=equipment_id,
        prefix=prefix,
        token_digest=hashlib.sha256(secret.encode()).hexdigest(),
    )
    credential.save()
    return credential, f"ctd_{prefix}_{secret}"


@service(Event.DEVICE_TOKEN_REVOKED)
def revoke_device_token(*, by: Actor, credential_id, seen: int, reason: str) -> DeviceCredential:
    """Revoke a token; it fails from the next request on."""
    credential = DeviceCredential.objects.lock(credential_id, seen=seen)
    rules.check_can_revoke_device_token(by=by, credential=credential)
    credential.revoked = True
    credential.save()
    return credential
