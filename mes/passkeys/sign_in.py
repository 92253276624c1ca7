"""A passkey as the second factor of a session: the kind that a page made to look like ours cannot use. ACC-03; OWASP ASVS 5.0, V6.3.3."""

from __future__ import annotations

import hashlib
import os
import time

from django.http import HttpRequest

from mes.errors import SigningRefused
from mes.passkeys import queries, webauthn
from mes.passkeys.services import count_up, suspect_passkey
from mes.people import second_factor
from mes.people.services.access import begin_try, end_try
from mes.records.actors import Actor

DOMAIN = b"cartulary:passkey:sign-in:v1\x00"
"""Another domain than that of signatures: what a device answered here signs nothing."""

ASKED_SECONDS = 300
"""How long an asked question can be answered; each once."""

WRONG = "That passkey does not prove that it is you. Try again, or type a one-time code."


def ask(request: HttpRequest, by: Actor) -> dict:
    """What the browser asks the person's device, kept in the session to be answered once.

    Raises SigningRefused("no_passkey") and RuleBroken("passkeys_off").
    """
    found = queries.usable(by.user_id)
    if not found:
        raise SigningRefused("no_passkey", "No passkey of yours can be used here. Type a one-time code.", security=None)
    nonce = os.urandom(32)
    options = webauthn.request_options(challenge=_challenge(nonce), known=queries.known(found))
    request.session["passkey_asked"] = {"nonce": webauthn.text(nonce), "at": time.time()}
    return options


def prove(request: HttpRequest, by: Actor, answer: str) -> None:
    """Take a device's answer for this session; its key changes. Tries are counted with those of one-time codes. 21 CFR 11.300(d).

    Raises SigningRefused: not_asked, wrong_passkey, passkey_retired, passkey_unchecked, used_passkey, passkey_counter, locked_out; UnreadableInput.
    """
    said = webauthn.read_assertion(answer)
    asked = request.session.pop("passkey_asked", None) or {}
    if time.time() - asked.get("at", 0) > ASKED_SECONDS:
        raise SigningRefused("not_asked", "That took too long, or was asked elsewhere. Press Use a passkey again.", security=None)
    left = begin_try(by.user_id, "code")
    if left < 0:
        second_factor.lock_out(by)
    try:
        _check(by, said, _challenge(webauthn.raw(asked["nonce"])))
    except SigningRefused as refusal:
        if refusal.code == "used_passkey":
            end_try(by.user_id, None, "code")
        elif left == 0:
            second_factor.lock_out(by)
        raise
    end_try(by.user_id, "code")
    second_factor.mark(request)


def _check(by: Actor, said: webauthn.Assertion, challenge: bytes) -> None:
    passkey = queries.with_handle(said.credential_id)
    if passkey is None or passkey.user_id != by.user_id or not passkey.active or passkey.suspect:
        raise _refusal(by, "credential")
    if not queries.was_checked(passkey):
        raise SigningRefused(
            "passkey_unchecked", "Nobody checked who enrolled this passkey. An administrator retires it; then enrol another before a second person.",
            detail={"subject": str(by.user_id)},
        )  # fmt: skip
    try:
        webauthn.check_assertion(said, challenge=challenge, public_key=bytes(passkey.public_key))
    except webauthn.NotProven as reason:
        raise _refusal(by, reason.why) from reason
    going_on = count_up(passkey, said)
    if going_on == "used":
        raise SigningRefused("used_passkey", "That answer of your passkey was used before. Press Use a passkey again.", detail={"subject": str(by.user_id)})
    if going_on == "copied":
        suspect_passkey(by=by, passkey_id=passkey.pk, reason=f"Its counter did not grow: {said.sign_count} was sent. There may be a copy.")
        raise SigningRefused(
            "passkey_counter", "The counter of this passkey did not go on, as if there were a copy of it. It opens and signs nothing from now on. Tell an "
            "administrator, and use another one or a one-time code.", detail={"subject": str(by.user_id)},
        )  # fmt: skip


def _challenge(nonce: bytes) -> bytes:
    return hashlib.sha256(DOMAIN + nonce).digest()


def _refusal(by: Actor, why: str) -> SigningRefused:
    return SigningRefused("wrong_passkey", WRONG, field="passkey", detail={"subject": str(by.user_id), "why": why})
