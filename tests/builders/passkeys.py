"""An authenticator in software: real keys, real CBOR, real signatures (WebAuthn Level 3, 6). What is wrong with an answer is asked for by name."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from mes.passkeys import services, webauthn
from mes.passkeys.models import Passkey
from mes.people.models import User
from tests.builders.staff import Staffed

ORIGIN, HOST = "http://localhost:8000", "localhost"
UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def cbor(value) -> bytes:
    """CBOR (RFC 8949) of what an authenticator sends: small maps, whole numbers, bytes and texts."""
    def head(kind: int, number: int) -> bytes:
        if number < 24:
            return bytes([kind << 5 | number])
        size = 1 if number < 256 else 2 if number < 65536 else 4
        return bytes([kind << 5 | {1: 24, 2: 25, 4: 26}[size]]) + number.to_bytes(size, "big")

    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(cbor(key) + cbor(each) for key, each in value.items())
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(0, value) if value >= 0 else head(1, -1 - value)


@dataclass
class Device:
    """A security key that holds one passkey. `counts` False: it sends 0 for ever, as keys that are copied between devices do."""

    algorithm: int = -7
    counts: bool = True
    handle: bytes = field(default_factory=lambda: os.urandom(32))
    count: int = 0

    def __post_init__(self) -> None:
        self.key = {
            -7: lambda: ec.generate_private_key(ec.SECP256R1()), -8: ed25519.Ed25519PrivateKey.generate,
            -257: lambda: rsa.generate_private_key(65537, 2048),
        }[self.algorithm]()  # fmt: skip

    @property
    def cose(self) -> bytes:
        public = self.key.public_key()
        if self.algorithm == -8:
            return cbor({1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()})
        numbers = public.public_numbers()
        if self.algorithm == -257:
            return cbor({1: 3, 3: -257, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")})
        return cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})

    def sign(self, message: bytes) -> bytes:
        if self.algorithm == -8:
            return self.key.sign(message)
        if self.algorithm == -257:
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))

    def _data(self, flags: int, host: str, count: int | None) -> bytes:
        self.count += int(self.counts)
        return hashlib.sha256(host.encode()).digest() + struct.pack(">BI", flags, self.count if count is None else count)

    def make(self, challenge: bytes, *, origin: str = ORIGIN, host: str = HOST, flags: int = UP | UV) -> dict:
        """The answer to navigator.credentials.create()."""
        data = self._data(flags | AT, host, None) + bytes(16) + struct.pack(">H", len(self.handle)) + self.handle + self.cose
        client = client_data("webauthn.create", challenge, origin)
        response = {"clientDataJSON": text(client), "attestationObject": text(cbor({"fmt": "none", "attStmt": {}, "authData": data})), "transports": ["usb"]}
        return {"id": text(self.handle), "rawId": text(self.handle), "type": "public-key", "response": response}

    def answer(
        self, challenge: bytes, *, origin: str = ORIGIN, host: str = HOST, flags: int = UP | UV, count: int | None = None, handle: bytes = b"",
        kind: str = "webauthn.get",
    ) -> dict:  # fmt: skip
        """The answer to navigator.credentials.get()."""
        data, client = self._data(flags, host, count), client_data(kind, challenge, origin)
        response = {"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(self.sign(data + hashlib.sha256(client).digest()))}
        named = text(handle or self.handle)
        return {"id": named, "rawId": named, "type": "public-key", "response": response}


def client_data(kind: str, challenge: bytes, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": text(challenge), "origin": origin, "crossOrigin": False}, separators=(",", ":")).encode()


def enrol_passkey(place: Staffed, user: User, device: Device | None = None, *, name: str = "Grey key") -> Device:
    """A passkey of this person, made and enrolled before a supervisor by the same service as in use."""
    device, challenge = device or Device(), os.urandom(32)
    made = webauthn.made(device.make(challenge), challenge)
    services.enrol_passkey(by=place.actor(user), made=made, name=name, checked_by=place.witness())
    return device


def passkey_of(device: Device) -> Passkey:
    return Passkey.objects.get(credential_id=device.handle)
