"""Time-stamp tokens (RFC 3161) kept with checkpoints: whether each is about the checkpoint it lies with, and who signed it.

What a token is about is read here, byte by byte. Its signature is checked by the program `openssl`, where that is there and the certificates
of the authority are given.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .canon import binary
from .database import CannotVerify, Snapshot
from .findings import Finding, Report

SHA256 = bytes.fromhex("608648016503040201")
TST_INFO = bytes.fromhex("2a864886f70d0109100104")
KEPT = """
SELECT s.code, c.size, c.note, a.content, a.sha256 FROM mes_anchorreceipt a JOIN mes_checkpoint c ON c.id = a.checkpoint_id
JOIN mes_site s ON s.id = a.site_id WHERE a.kind = 'timestamp' ORDER BY 1, 2
"""


class NoToken(ValueError):
    """The bytes are no time-stamp token."""


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The DER values in a row: tag and content."""
    place = 0
    while place < len(data):
        if place + 2 > len(data):
            raise NoToken("it is cut off")
        tag, size, start = data[place], data[place + 1], place + 2
        if size > 127:
            start, size = start + size - 128, int.from_bytes(data[start : start + size - 128])
        if start + size > len(data):
            raise NoToken("it is cut off")
        yield tag, data[start : start + size]
        place = start + size


def _inside(data: bytes, *way: int) -> bytes:
    """The content of the value that one comes to by taking, level by level, the value of that number."""
    for number in way:
        values = list(_values(data))
        if number >= len(values):
            raise NoToken("a part of it is missing")
        data = values[number][1]
    return data


def imprint(token: bytes) -> bytes:
    """The SHA-256 that a token is about. Raises NoToken."""
    content = _inside(token, 0, 1, 0, 2)
    if _inside(content, 0) != TST_INFO:
        raise NoToken("it holds something else than a time-stamp")
    stamped = _inside(content, 1, 0, 0, 2)
    if _inside(stamped, 0, 0) != SHA256:
        raise NoToken("its digest is not SHA-256")
    return _inside(stamped, 1)


def check(snapshot: Snapshot, report: Report, certificates: str = "") -> int:
    """Compares every kept token with its checkpoint; with `certificates` (a PEM file) also its signature. Returns how many."""
    if certificates and shutil.which("openssl") is None:
        raise CannotVerify("The signatures of time-stamp tokens are checked by openssl, which is not here.")
    if not snapshot.rows("SELECT 1 FROM information_schema.columns WHERE table_name = 'mes_anchorreceipt' AND column_name = 'content'"):
        return 0  # an older database, which kept none
    count = 0
    for code, size, note, content, digest in snapshot.stream(KEPT, name="tokens"):
        token, count = bytes.fromhex(binary(content)), count + 1
        sentence = _wrong(note.encode(), token, digest) or (certificates and _unsigned(note.encode(), token, certificates))
        if sentence:
            report.findings.add(Finding("rewrite", f"timestamp:{code}/{size}", f"the time-stamp token of checkpoint {size} {sentence}"))
    if count and not certificates:
        report.unchecked.append(f"the signatures of {count} time-stamp{'s' if count > 1 else ''} (--tsa)")
    return count


def _wrong(note: bytes, token: bytes, digest: str) -> str:
    if hashlib.sha256(token).hexdigest() != digest:
        return "is not the one that came"
    try:
        about = imprint(token)
    except NoToken as error:
        return f"cannot be read: {error}"
    return "" if about == hashlib.sha256(note).digest() else "is about something else than the checkpoint that stands there"


def _unsigned(note: bytes, token: bytes, certificates: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("note", note), ("token", token)):
            Path(folder, name).write_bytes(content)
        words = ["openssl", "ts", "-verify", "-data", "note", "-in", "token", "-token_in", "-CAfile", str(Path(certificates).absolute())]
        done = subprocess.run(words, cwd=folder, capture_output=True, timeout=60, check=False)
    return "" if done.returncode == 0 and b"Verification: OK" in done.stdout + done.stderr else "is not signed by the authority"
