"""Signed checkpoints (C2SP signed-note, tlog-checkpoint), read from this description and not by the code that writes them.

Text, an empty line, one line per signature: em dash, name, base64 of 4 bytes key id and the signature. The text's lines: origin, size,
base64 root, then ours: `snapshot <base64 root> <streams>`, and `next-key <key>` where the site announces its next key. A key as text is
name+id+base64 of 01 and 32 bytes; its id is the first 4 bytes of SHA-256(name 0A 01 key).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from .ed25519 import is_signed


class BadNote(ValueError):
    """The text is no checkpoint signed by this key."""


@dataclass(frozen=True)
class Key:
    """Whose key, and its 32 bytes."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n\x01" + self.public).digest()[:4]


@dataclass(frozen=True)
class Said:
    """What a checkpoint says once its signature holds."""

    origin: str
    size: int
    root: bytes
    snapshot_root: bytes
    next_key: str
    body: str


def read_key(text: str) -> Key:
    """A key from its text. Raises BadNote."""
    try:
        name, key_id, packed = text.strip().split("+", 2)
        raw = base64.b64decode(packed, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadNote(f"the key cannot be read: {error}") from error
    key = Key(name, raw[1:])
    if raw[:1] != b"\x01" or len(raw) != 33 or key.id.hex() != key_id:
        raise BadNote("the key is no Ed25519 key, or its id is not its own")
    return key


def signatures(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text of a note and its signatures: name, and key id with signature. Raises BadNote."""
    body, separator, marks = note.rpartition("\n\n")
    if not separator:
        raise BadNote("it has no signature")
    found = []
    for line in marks.splitlines():
        words = line.split(" ")
        try:
            if len(words) == 3 and words[0] == "\u2014":
                found.append((words[1], base64.b64decode(words[2], validate=True)))
        except binascii.Error:
            continue
    return body + "\n", found


def read(note: str, key: Key) -> Said:
    """What a note says, its signature by this key checked. Raises BadNote."""
    body, marks = signatures(note)
    if not any(name == key.name and mark[:4] == key.id and is_signed(key.public, body.encode(), mark[4:]) for name, mark in marks):
        raise BadNote(f"it is not signed by {key.name} with the key {key.id.hex()}")
    lines = body.splitlines()
    try:
        more = dict(line.split(" ", 1) for line in lines[3:])
        said = Said(
            lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True), base64.b64decode(more["snapshot"].split(" ")[0], validate=True),
            more.get("next-key", ""), body,
        )  # fmt: skip
    except (IndexError, KeyError, ValueError, binascii.Error) as error:
        raise BadNote(f"it is no checkpoint: {error}") from error
    if said.origin != key.name:
        raise BadNote(f"it speaks of the log {said.origin}, and its key is {key.name}'s")
    return said
