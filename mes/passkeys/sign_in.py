"""A passkey as the second factor of a session: the kind that a page made to look like ours cannot use. ACC-03; OWASP ASVS 5.0, V6.3.3."""

from __future__ import annotations

import hashlib
import os
import time

from django.http import HttpRequest

from mes.errors import SigningRefused
from mes.passkeys import proving, queries, webauthn
from mes.people import second_factor
from mes.people.models import User
from mes.records.actors import Actor
from mes.records.door import record_refusal

DOMAIN = b"cartulary:passkey:sign-in:v1\x00"
"""Another domain than that of signatures: what a device answered here signs nothing."""

ASKED_SECONDS = 300
"""How long an asked question can be answered; each once."""


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

    Raises SigningRefused: not_asked, locked_out and what proving.prove() raises; UnreadableInput.
    """
    said = webauthn.read_assertion(answer)
    asked = request.session.pop("passkey_asked", None) or {}
    if time.time() - asked.get("at", 0) > ASKED_SECONDS:
        raise SigningRefused("not_asked", "That took too long, or was asked elsewhere. Press Use a passkey again.", security=None)
    challenge = _challenge(webauthn.raw(asked["nonce"]))
    try:
        second_factor.counted(by, lambda: proving.prove(by, User.objects.get(pk=by.user_id), said, challenge))
    except SigningRefused as refusal:
        record_refusal(by, refusal, "second_factor")
        raise
    second_factor.mark(request)


def _challenge(nonce: bytes) -> bytes:
    return hashlib.sha256(DOMAIN + nonce).digest()
