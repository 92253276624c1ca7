"""Co-signed checkpoints kept in the database (C2SP tlog-cosignature): whether each is the checkpoint that stands there, and who co-signed.

A co-signature is key id (4 bytes), time (8 bytes) and an Ed25519 signature over "cosignature/v1", a line with the time, and the note's text.
A witness's key as text is name+id+base64 of 04 and 32 bytes; its id is the first 4 bytes of SHA-256(name 0A 04 key).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable

from .canon import binary
from .database import CannotVerify, Snapshot
from .ed25519 import is_signed
from .findings import Finding, Report
from .notes import BadNote, signatures

KEPT = """
SELECT s.code, c.size, c.note, a.content, a.place FROM mes_anchorreceipt a JOIN mes_checkpoint c ON c.id = a.checkpoint_id
JOIN mes_site s ON s.id = a.site_id WHERE a.kind = 'cosignature' ORDER BY 1, 2, 5
"""


def read_key(text: str) -> tuple[str, bytes]:
    """A witness's name and key. Raises CannotVerify."""
    try:
        name, key_id, packed = text.strip().split("+", 2)
        raw = base64.b64decode(packed, validate=True)
    except (ValueError, binascii.Error) as error:
        raise CannotVerify(f"The key of a witness cannot be read: {error}") from error
    if raw[:1] != b"\x04" or len(raw) != 33 or _id(name, raw[1:]).hex() != key_id:
        raise CannotVerify(f"{text} is no key of a witness, or its id is not its own.")
    return name, raw[1:]


def _id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x04" + public).digest()[:4]


def check(snapshot: Snapshot, report: Report, keys: Iterable[str] = ()) -> int:
    """Compares every kept co-signed note with its checkpoint; with the witnesses' keys also the co-signatures. Returns how many."""
    known = dict(read_key(each) for each in keys)
    if not snapshot.rows("SELECT 1 FROM information_schema.columns WHERE table_name = 'mes_anchorreceipt' AND column_name = 'content'"):
        return 0  # an older database, which kept none
    count = unknown = 0
    for code, size, note, content, witness in snapshot.stream(KEPT, name="cosigned"):
        count += 1
        sentence = _wrong(note, bytes.fromhex(binary(content)), witness, known.get(witness))
        if sentence:
            report.findings.add(Finding("rewrite", f"cosignature:{code}/{size}", f"checkpoint {size}, co-signed by {witness}, {sentence}"))
        unknown += witness not in known
    if unknown:
        report.unchecked.append(f"{unknown} co-signature{'s' if unknown > 1 else ''} of witnesses (--witness)")
    return count


def _wrong(note: str, content: bytes, witness: str, public: bytes | None) -> str:
    try:
        body, marks = signatures(content.decode())
        here, _ = signatures(note)
    except (UnicodeDecodeError, BadNote) as error:
        return f"cannot be read: {error}"
    if body != here:
        return "is another than the one that stands there"
    if public is None:
        return ""
    for name, mark in marks:
        if name == witness and len(mark) == 76 and mark[:4] == _id(name, public):
            text = f"cosignature/v1\ntime {int.from_bytes(mark[4:12])}\n{body}".encode()
            if is_signed(public, text, mark[12:]):
                return ""
    return "does not carry the witness's signature"
