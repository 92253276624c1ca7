"""Co-signatures of checkpoints as text that others' tools read: C2SP tlog-cosignature, and the request of tlog-witness. Pure.

A co-signature says: at this time I saw this checkpoint, and it continued every one I saw before. Its line is an em dash, the witness's name,
and base64 of the key id (4 bytes), the time (8 bytes, seconds) and the signature over "cosignature/v1", the time and the checkpoint's text.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from mes.checkpoints import notes
from mes.checkpoints.notes import NoteRefused

COSIGNATURE = b"\x04"


def key_id(name: str, public: Ed25519PublicKey) -> bytes:
    return notes.key_id(name, public, COSIGNATURE)


def verifier_text(name: str, public: Ed25519PublicKey) -> str:
    """The witness's key as others' tools take it: name+id+base64."""
    return notes.verifier_text(name, public, COSIGNATURE)


def read_key(text: str) -> tuple[str, Ed25519PublicKey]:
    """A witness's name and key from its text. Raises NoteRefused."""
    return notes.read_key(text, COSIGNATURE, "witness")


def _message(body: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{body}".encode()


def cosign(note: str, name: str, key: Ed25519PrivateKey, at: dt.datetime) -> str:
    """The note with one signature line more."""
    body, seconds = note.rpartition("\n\n")[0] + "\n", int(at.timestamp())
    mark = key_id(name, key.public_key()) + seconds.to_bytes(8) + key.sign(_message(body, seconds))
    return f"{note}\u2014 {name} {base64.b64encode(mark).decode()}\n"


def read(note: str, name: str, public: Ed25519PublicKey) -> dt.datetime:
    """When the witness of this key co-signed the note. Raises NoteRefused."""
    body, _, marks = note.rpartition("\n\n")
    body += "\n"
    for line in marks.splitlines():
        words = line.split(" ")
        if len(words) != 3 or words[0] != "\u2014" or words[1] != name:
            continue
        try:
            mark = base64.b64decode(words[2], validate=True)
        except ValueError:
            continue
        if mark[:4] != key_id(name, public) or len(mark) != 76:
            continue
        seconds = int.from_bytes(mark[4:12])
        try:
            public.verify(mark[12:], _message(body, seconds))
        except InvalidSignature:
            raise NoteRefused(f"The co-signature of {name} is not that of this text.") from None
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    raise NoteRefused(f"The text carries no co-signature of {name}.")


def write_request(since: int, proof: Sequence[bytes], note: str) -> str:
    """What a witness is asked with: the size it saw last, the consistency proof from there, the checkpoint."""
    return f"old {since}\n" + "".join(f"{base64.b64encode(each).decode()}\n" for each in proof) + f"\n{note}"


def read_request(text: str) -> tuple[int, list[bytes], str]:
    """The size, the proof and the note of a request. Raises NoteRefused."""
    head, separator, note = text.partition("\n\n")
    first, *rest = head.split("\n")
    if not separator or not first.startswith("old ") or not first[4:].isdecimal() or len(first) > 22 or len(rest) > 63:
        raise NoteRefused("This is no request to a witness.")
    try:
        proof = [base64.b64decode(each, validate=True) for each in rest]
    except ValueError as error:
        raise NoteRefused("The proof of the request cannot be read.") from error
    return int(first[4:]), proof, note
