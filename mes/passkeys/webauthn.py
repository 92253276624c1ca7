"""What a browser is asked for and what it answers (W3C WebAuthn Level 3), checked by python-fido2. No database, no request.

User verification is required, a discoverable key is not, attestation is not asked for: docs/decisions/0017.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from django.conf import settings
from fido2 import cbor
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from mes.errors import RuleBroken, UnreadableInput

DOMAIN = b"cartulary:passkey:v1\x00"
"""Of the challenge that a signature's passkey signs. A format once used is never edited; a new one gets a new domain."""

ALGORITHMS = (-7, -8, -257)
"""ES256, EdDSA, RS256: those that the stand-alone verifier can check."""

LONGEST = 16_000
"""Characters of an answer: an attestation that nobody asked for is a few thousand."""

NAMES = ("internal", "usb", "nfc", "ble", "hybrid", "smart-card")
"""Ways to a device that are kept; what else a browser says is left out."""

Why = Literal["credential", "challenge", "origin", "site", "presence", "verification", "signature", "shape"]


class NotProven(Exception):
    """What a device answered does not prove what was asked. `why` is for the security event, not for the screen."""

    def __init__(self, why: Why):
        super().__init__(why)
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class Made:
    """A key that a device just made, as it said."""

    credential_id: bytes
    public_key: bytes
    aaguid: uuid.UUID
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assertion:
    """The exact bytes with which a device proved itself, and the counter in them."""

    credential_id: bytes
    authenticator_data: bytes
    client_data: bytes
    signature: bytes
    sign_count: int


# --- where ------------------------------------------------------------------------------------------------------------


def origin() -> str:
    """The address whose pages may ask for a passkey: the deployment's own (CARTULARY_ORIGIN); a machine's own address by its name."""
    parts = urlsplit(settings.ORIGIN)
    host = "localhost" if parts.hostname in ("127.0.0.1", "::1") else parts.hostname or ""
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"  # as browsers write it


def relying_party() -> str:
    """The host to which passkeys are bound for good. Raises RuleBroken("passkeys_off") where there is none to bind to.

    Browsers bind a key to a name reached by https, or to localhost; never to a number.
    """
    parts = urlsplit(origin())
    host = parts.hostname or ""
    local = host == "localhost" or host.endswith(".localhost")
    if not host or re.fullmatch(r"[0-9.]+|.*:.*", host) or (parts.scheme != "https" and not local):
        raise RuleBroken(
            "passkeys_off", "This server is not reached by a name over https, and passkeys need that. Use a one-time code, or ask whoever runs the system."
        )
    return host


def is_on() -> bool:
    """Whether passkeys can be used in this deployment."""
    try:
        return bool(relying_party())
    except RuleBroken:
        return False


def _server() -> Fido2Server:
    host = relying_party()
    server = Fido2Server(PublicKeyCredentialRpEntity(id=host, name="Cartulary"), attestation="none", verify_origin=lambda said: said == origin())
    server.allowed_algorithms = [PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=alg) for alg in ALGORITHMS]
    return server


# --- making one -------------------------------------------------------------------------------------------------------


def creation_options(*, challenge: bytes, user_id: uuid.UUID, username: str, full_name: str, known: Iterable[tuple[bytes, list[str]]]) -> dict:
    """What navigator.credentials.create() takes, as JSON. `known` are the person's keys: none is made twice in one device."""
    options, _ = _server().register_begin(
        PublicKeyCredentialUserEntity(id=user_id.bytes, name=username, display_name=full_name), credentials=_described(known),
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.REQUIRED, challenge=challenge,
    )  # fmt: skip
    return _as_json(options)


def made(answer: str | Mapping, challenge: bytes) -> Made:
    """The key in a device's answer. Raises UnreadableInput, and NotProven where the answer is to another question."""
    said = _read(answer)
    try:
        response = RegistrationResponse.from_dict(said)
        client, data = response.response.client_data, response.response.attestation_object.auth_data
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable() from error
    _check_answer(client, data, "webauthn.create", challenge)
    found = data.credential_data
    if found is None or found.public_key.get(3) not in ALGORITHMS or not found.credential_id:
        raise NotProven("shape")
    named = said.get("response", {}).get("transports", ())
    transports = tuple(name for name in NAMES if isinstance(named, list | tuple) and name in named)
    flags = data.flags
    return Made(
        bytes(found.credential_id), bytes(_cose_bytes(found)), uuid.UUID(bytes=bytes(found.aaguid)), data.counter, bool(flags & data.FLAG.BE),
        bool(flags & data.FLAG.BS), transports,
    )  # fmt: skip


def _cose_bytes(found: AttestedCredentialData) -> bytes:
    """The key's bytes as the device wrote them: after make, length and handle."""
    return bytes(found)[18 + len(found.credential_id) :]


# --- signing with one -------------------------------------------------------------------------------------------------


def challenge_of(nonce: bytes, digest: bytes) -> bytes:
    """What a signature's passkey signs: bound to one signing page (its nonce) and to the exact bytes that are signed (their digest)."""
    return hashlib.sha256(DOMAIN + nonce + digest).digest()


def request_options(*, challenge: bytes, known: Iterable[tuple[bytes, list[str]]]) -> dict:
    """What navigator.credentials.get() takes, as JSON."""
    options, _ = _server().authenticate_begin(credentials=_described(known), user_verification=UserVerificationRequirement.REQUIRED, challenge=challenge)
    return _as_json(options)


def read_assertion(answer: str | Mapping) -> Assertion:
    """The bytes in a device's answer, nothing of them checked. Raises UnreadableInput."""
    try:
        response = AuthenticationResponse.from_dict(_read(answer))
        data = response.response.authenticator_data
        return Assertion(bytes(response.raw_id), bytes(data), bytes(response.response.client_data), bytes(response.response.signature), data.counter)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable() from error


def check_assertion(said: Assertion, *, challenge: bytes, public_key: bytes) -> None:
    """Raises NotProven unless the device of this key signed this challenge, for this site, with the person present and verified."""
    try:
        client, data = CollectedClientData(said.client_data), AuthenticatorData(said.authenticator_data)
    except (ValueError, KeyError, TypeError) as error:
        raise NotProven("shape") from error
    _check_answer(client, data, "webauthn.get", challenge)
    try:
        key(public_key).verify(said.authenticator_data + client.hash, said.signature)
    except (InvalidSignature, ValueError) as error:
        raise NotProven("signature") from error


def key(public_key: bytes) -> CoseKey:
    """The key of its kept bytes."""
    return CoseKey.parse(cbor.decode(public_key))


def _check_answer(client, data, kind: str, challenge: bytes) -> None:
    """W3C WebAuthn Level 3, 7.1 and 7.2: kind, challenge, origin, relying party, presence, verification. Raises NotProven."""
    if client.type != kind:
        raise NotProven("shape")
    _check_challenge(client.challenge, challenge)
    if client.origin != origin() or client.cross_origin:
        raise NotProven("origin")
    if data.rp_id_hash != hashlib.sha256(relying_party().encode()).digest():
        raise NotProven("site")
    if not data.is_user_present():
        raise NotProven("presence")
    _check_verified(data)


def _check_challenge(said: bytes, challenge: bytes) -> None:
    """It answers this page and what is signed on it, nothing else."""
    if said != challenge:
        raise NotProven("challenge")


def _check_verified(data) -> None:
    """The device knows whose finger or PIN it was: possession alone is no second factor."""
    if not data.is_user_verified():
        raise NotProven("verification")


# --- in between -------------------------------------------------------------------------------------------------------


def text(raw: bytes) -> str:
    return websafe_encode(raw)


def raw(text: str) -> bytes:
    return websafe_decode(text)


def _described(known: Iterable[tuple[bytes, list[str]]]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=handle, transports=list(ways) or None) for handle, ways in known]


def _as_json(options: Any) -> dict:
    return json.loads(json.dumps(dict(options)["publicKey"]))  # the library's words of an enumeration become plain ones


def _read(answer: str | Mapping) -> Mapping:
    if isinstance(answer, str):
        if len(answer) > LONGEST:
            raise _unreadable()
        try:
            answer = json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise _unreadable() from error
    if not isinstance(answer, Mapping) or len(str(answer)) > LONGEST:
        raise _unreadable()
    return answer


def _unreadable() -> UnreadableInput:
    return UnreadableInput("passkey_unreadable", "What came from the passkey cannot be read. Try again, or type a one-time code.", field="passkey")
