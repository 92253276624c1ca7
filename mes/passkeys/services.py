"""Deeds on passkeys: bound in front of a second person, suspected when the counter goes back, retired by another."""

from __future__ import annotations

import hashlib
from typing import Literal

from mes.asked import Sent
from mes.events import Event
from mes.passkeys import queries, rules
from mes.passkeys.models import Passkey, PasskeyCounter
from mes.passkeys.webauthn import Assertion, Made
from mes.people.models import User, UserSession
from mes.people.services import record_qualification
from mes.records.actors import Actor
from mes.records.door import service

COUNT_UP = Sent(
    "UPDATE mes_passkeycounter SET count = %s, answer = %s WHERE passkey_id = %s AND answer <> %s AND (count < %s OR (count = 0 AND %s = 0))"
)


@service(Event.PASSKEY_ENROLLED)
def enrol_passkey(*, by: Actor, made: Made, name: str, checked_by: Actor) -> Passkey:
    """Bind a passkey to its owner before a second person who checked the owner's identity and proved their own secrets.

    A password alone enrols nothing that releases: misuse takes two people. 21 CFR 11.200(a)(3), 11.300(b).
    """
    user = User.objects.lock(by.user_id)  # two at the same moment are counted one after the other
    rules.check_can_enrol_passkey(
        by=by, user_id=user.pk, name=name, credential_id=made.credential_id, checked_by=checked_by,
        retired_by=queries.retired_an_authenticator_of(user.pk),
    )  # fmt: skip
    passkey = Passkey(
        site_id=by.site_id, user=user, name=name.strip(), credential_id=made.credential_id, public_key=made.public_key, aaguid=made.aaguid,
        sign_count=made.sign_count, backup_eligible=made.backup_eligible, backed_up=made.backed_up, transports=list(made.transports),
    )  # fmt: skip
    passkey.save()
    PasskeyCounter.objects.create(passkey=passkey, count=made.sign_count)
    record_qualification(by=checked_by, user=user, subject=queries.enrolled(passkey), title="Identity checked in person at the enrolment of a passkey")
    return passkey


@service(Event.PASSKEY_RETIRED)
def retire_passkey(*, by: Actor, passkey_id, seen: int, reason: str) -> Passkey:
    """Revoke a lost, replaced or suspect passkey at once and end its owner's sessions. 21 CFR 11.300(c). Its owner enrols another one before a second person."""
    passkey = Passkey.objects.lock(passkey_id, seen=seen)
    rules.check_can_retire_passkey(by=by, passkey=passkey)
    passkey.active = False
    passkey.save()
    UserSession.objects.filter(user_id=passkey.user_id).delete()  # whoever holds the lost device may have opened them
    return passkey


@service(Event.PASSKEY_SUSPECTED)
def suspect_passkey(*, by: Actor, passkey_id, reason: str) -> Passkey:
    """Mark a passkey whose counter did not grow: there may be a copy of it. It signs nothing until an administrator retired it. 21 CFR 11.300(d)."""
    passkey = Passkey.objects.lock(passkey_id)
    rules.check_can_suspect_passkey(by=by, passkey=passkey)
    passkey.suspect = True
    passkey.save()
    return passkey


def count_up(passkey: Passkey, said: Assertion) -> Literal["", "used", "copied"]:
    """Keep the counter that a passkey sent. "used" where this very answer was taken before, "copied" where another one did not go on from it.

    Devices that count nothing send 0 for ever. One statement compares and keeps: of two at the same moment one is told. A working row, committed by itself.
    """
    answer, count = hashlib.sha256(said.authenticator_data + said.client_data + said.signature).digest(), said.sign_count
    if COUNT_UP.changed(count, answer, passkey.pk, answer, count, count) == 1:
        return ""
    return "used" if PasskeyCounter.objects.filter(passkey=passkey, answer=answer).exists() else "copied"
