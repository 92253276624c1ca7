"""What a passkey's device signed for a signature (W3C WebAuthn Level 3, 7.2), checked again from the bytes that were kept.

Passkey v1     challenge = SHA-256("cartulary:passkey:v1" 00 nonce digest), the nonce and the signature's payload digest each 32 bytes.
               The device signed authenticator_data and SHA-256(client_data); client_data is JSON that names the challenge and the address,
               authenticator_data begins with SHA-256(relying_party), the flags (present 1, verified 4) and the counter.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from . import cose

COLUMNS = ("passkey_id", "credential_id", "public_key", "nonce", "relying_party", "authenticator_data", "client_data", "proof")
PRESENT, VERIFIED = 1, 4


def check(signature: Mapping, assertion: Mapping | None) -> Iterator[tuple[str, str]]:
    """Kind and sentence of each break: of the proof that is there, or that should be. Values are in sealed text, bytes in hexadecimal."""
    claimed = "passkey" in _methods(signature)
    if assertion is None:
        if claimed:
            yield "missing", "it was made with a passkey, whose proof is not there"
        return
    if not claimed:
        yield "unproven", "a passkey's proof stands at it, and it was not made with one"
    try:
        yield from (("unproven", sentence) for sentence in _broken(signature, assertion))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        yield "unproven", f"the passkey's proof cannot be read: {error}"


def _methods(signature: Mapping) -> list:
    said = signature.get("auth_methods")
    try:
        methods = json.loads(said) if isinstance(said, str) else said
    except ValueError:
        return []
    return methods if isinstance(methods, list) else []


def _broken(signature: Mapping, assertion: Mapping) -> Iterator[str]:
    nonce, key, data, client, proof = (bytes.fromhex(assertion[name]) for name in ("nonce", "public_key", "authenticator_data", "client_data", "proof"))
    party = str(assertion["relying_party"])
    said = json.loads(client)
    challenge = hashlib.sha256(b"cartulary:passkey:v1\x00" + nonce + bytes.fromhex(signature["payload_digest"])).digest()
    if said["type"] != "webauthn.get" or said["challenge"] != base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() or len(nonce) != 32:
        yield "the passkey was asked about something else than what is signed here"
    if not _is_of(str(said["origin"]), party) or said.get("crossOrigin") or data[:32] != hashlib.sha256(party.encode()).digest():
        yield f"the passkey answered at another address than {party}"
    if data[32] & (PRESENT | VERIFIED) != PRESENT | VERIFIED:
        yield "the passkey's device did not check who was there"
    if not cose.is_signed(key, data + hashlib.sha256(client).digest(), proof):
        yield "the passkey's key did not sign its answer"


def _is_of(origin: str, party: str) -> bool:
    """An address of the relying party: https, or this machine's own name."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    return (host == party or host.endswith(f".{party}")) and (parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"))
