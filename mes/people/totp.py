"""Time-based one-time codes (RFC 6238: SHA-1, 30 s, 6 digits) and the encryption of their secrets at rest."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import struct
import time
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

STEP_SECONDS = 30
DIGITS = 6
DRIFT_STEPS = 1


def new_secret() -> bytes:
    """20 random bytes (RFC 4226, 4)."""
    return os.urandom(20)


def code_at(secret: bytes, step: int) -> str:
    """The code of one 30-second step."""
    mac = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = mac[-1] & 0xF
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_now() -> int:
    """The current step by the wall clock (decisions 7: one-time codes never follow the record clock)."""
    return int(time.time()) // STEP_SECONDS


def matching_step(secret: bytes, code: str, *, now: int | None = None) -> int | None:
    """The step whose code was typed, one step of drift either way; None when there is none. Constant time per step."""
    now = step_now() if now is None else now
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(code_at(secret, step).encode(), code.strip().replace(" ", "").encode()):
            found = step
    return found


def _key(secret_key: str) -> AESGCM:
    return AESGCM(hashlib.sha256(b"cartulary:totp:" + secret_key.encode()).digest())


def seal(secret: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + _key(settings.SECRET_KEY).encrypt(nonce, secret, b"totp")


def unseal(sealed: bytes) -> bytes:
    """The secret, also where an earlier SECRET_KEY sealed it (settings.SECRET_KEY_FALLBACKS). Raises InvalidTag when none did."""
    sealed = bytes(sealed)
    *first, last = settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS
    for each in first:
        with suppress(InvalidTag):
            return _key(each).decrypt(sealed[:12], sealed[12:], b"totp")
    return _key(last).decrypt(sealed[:12], sealed[12:], b"totp")


def enrolment_uri(username: str, secret: bytes, issuer: str = "Cartulary") -> str:
    """What an authenticator app reads from a QR code."""
    from urllib.parse import quote

    return f"otpauth://totp/{quote(issuer)}:{quote(username)}?secret={base64.b32encode(secret).decode().rstrip('=')}&issuer={quote(issuer)}&digits={DIGITS}&period={STEP_SECONDS}"
