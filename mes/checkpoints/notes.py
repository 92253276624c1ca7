"""Signed checkpoints as text that others' tools read: C2SP signed-note and tlog-checkpoint, with Ed25519.

A checkpoint is three lines (origin, size of the log, base64 of its root) and our extension lines; the signature line is an em dash, the
key's name, and base64 of the key id (4 bytes) and the signature.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
NEXT_KEY = "next-key "


class NoteRefused(ValueError):
    """The text is no signed checkpoint, or its signature is not that of the key."""


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint says: whose log, how many leaves, its root, and extension lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def next_key(self) -> str:
        """The key announced for the checkpoints after this one; "" when the key stays."""
        return next((line.removeprefix(NEXT_KEY) for line in self.extensions if line.startswith(NEXT_KEY)), "")

    def body(self) -> str:
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions]
        return "".join(f"{line}\n" for line in lines)


def key_id(name: str, public: Ed25519PublicKey, algorithm: bytes = ED25519) -> bytes:
    """SHA-256(name, newline, algorithm, public key), first four bytes."""
    return hashlib.sha256(name.encode() + b"\n" + algorithm + public.public_bytes_raw()).digest()[:4]


def verifier_text(name: str, public: Ed25519PublicKey, algorithm: bytes = ED25519) -> str:
    """The key as others' tools take it: name+id+base64."""
    return f"{name}+{key_id(name, public, algorithm).hex()}+{base64.b64encode(algorithm + public.public_bytes_raw()).decode()}"


def read_key(text: str, algorithm: bytes = ED25519, whose: str = "log") -> tuple[str, Ed25519PublicKey]:
    """A log's (or a witness's) name and key from its text. Raises NoteRefused."""
    try:
        name, claimed, packed = text.strip().split("+", 2)
        raw = base64.b64decode(packed, validate=True)
        public = Ed25519PublicKey.from_public_bytes(raw[1:])
    except ValueError as error:
        raise NoteRefused(f"The {whose}'s key cannot be read.") from error
    if raw[:1] != algorithm or key_id(name, public, algorithm).hex() != claimed:
        raise NoteRefused(f"This is no key of a {whose}, or its id is not its own.")
    return name, public


def sign(checkpoint: Checkpoint, name: str, key: Ed25519PrivateKey) -> str:
    """The signed note."""
    body = checkpoint.body()
    mark = base64.b64encode(key_id(name, key.public_key()) + key.sign(body.encode())).decode()
    return f"{body}\n\u2014 {name} {mark}\n"


def read(note: str, name: str, public: Ed25519PublicKey) -> Checkpoint:
    """Check a note's signature by this key and return what it says. Raises NoteRefused."""
    body, separator, marks = note.rpartition("\n\n")
    if not separator:
        raise NoteRefused("The text has no signature.")
    body += "\n"
    wanted = key_id(name, public)
    for line in marks.splitlines():
        words = line.split(" ")
        if len(words) != 3 or words[0] != "\u2014" or words[1] != name:
            continue
        try:
            mark = base64.b64decode(words[2], validate=True)
        except ValueError:
            continue
        if mark[:4] != wanted:
            continue
        try:
            public.verify(mark[4:], body.encode())
        except InvalidSignature:
            raise NoteRefused(f"The signature of {name} is not that of this text.") from None
        return _parse(body)
    raise NoteRefused(f"The text carries no signature of {name}.")


def _parse(body: str) -> Checkpoint:
    lines = body.splitlines()
    if len(lines) < 3 or not lines[1].isdecimal():
        raise NoteRefused("The text is no checkpoint.")
    try:
        return Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True), tuple(lines[3:]))
    except ValueError as error:
        raise NoteRefused("The root of the checkpoint cannot be read.") from error
