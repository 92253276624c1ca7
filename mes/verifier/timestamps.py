"""Time-stamp tokens (RFC 3161) kept with checkpoints: whether each is about the checkpoint it lies with, from when, and who signed it.

What a token is about and the time it states (genTime) are read here, byte by byte. Its signature is checked by the program `openssl`, where
that is there and the certificates of the authority are given.
"""

from __future__ import annotations

import datetime as dt
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
GENERALIZED_TIME = 0x18
TST_INFO = bytes.fromhex("2a864886f70d0109100104")
WRITTEN = "(SELECT e.wall FROM mes_auditrow r JOIN mes_auditentry e ON e.id = r.entry_id WHERE r.row_id = {} AND r.\"table\" = '{}' LIMIT 1)"
KEPT = f"""
SELECT s.code, c.size, c.note, a.content, a.sha256, extract(epoch FROM {WRITTEN.format("c.id", "mes_checkpoint")}),
extract(epoch FROM {WRITTEN.format("a.id", "mes_anchorreceipt")}) FROM mes_anchorreceipt a JOIN mes_checkpoint c ON c.id = a.checkpoint_id
JOIN mes_site s ON s.id = a.site_id WHERE a.kind = 'timestamp' ORDER BY 1, 2
"""  # noqa: S608 - fixed names
"""With the wall clock at which the checkpoint was taken and its token written down, as the trail says."""

APART = dt.timedelta(minutes=1)
"""How far the clocks of database and authority may be apart. Both are watched; a minute is more than either is ever wrong without an alarm."""
LATEST = dt.timedelta(days=1)
"""How long after its checkpoint a token may be from: a night without the authority or the network. What comes later leaves a day in which the
checkpoint could have been rewritten; the product has a newer one stamped instead, in whose log the older one stands."""


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


def stated(token: bytes) -> dt.datetime:
    """The time (genTime) that a token states. Raises NoToken."""
    values = list(_values(_inside(token, 0, 1, 0, 2, 1, 0, 0)))
    if len(values) < 5 or values[4][0] != GENERALIZED_TIME:
        raise NoToken("it states no time")
    text = values[4][1].decode("ascii", "replace")
    try:
        return dt.datetime.strptime(text, "%Y%m%d%H%M%S.%fZ" if "." in text else "%Y%m%d%H%M%SZ").replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise NoToken(f"it states no time: {text}") from error


def check(snapshot: Snapshot, report: Report, certificates: str = "") -> int:
    """Compares every kept token with its checkpoint; with `certificates` (a PEM file) also its signature. Returns how many."""
    if certificates and shutil.which("openssl") is None:
        raise CannotVerify("The signatures of time-stamp tokens are checked by openssl, which is not here.")
    if not snapshot.rows("SELECT 1 FROM information_schema.columns WHERE table_name = 'mes_anchorreceipt' AND column_name = 'content'"):
        return 0  # an older database, which kept none
    count = 0
    for code, size, note, content, digest, taken, came in snapshot.stream(KEPT, name="tokens"):
        token, count = bytes.fromhex(binary(content)), count + 1
        sentence = _wrong(note.encode(), token, digest) or _untimely(token, _moment(taken), _moment(came))
        sentence = sentence or (certificates and _unsigned(note.encode(), token, certificates))
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


def _moment(epoch: object) -> dt.datetime | None:
    """None where no entry cites the row: another check names that."""
    return None if epoch is None else dt.datetime.fromtimestamp(float(str(epoch)), dt.UTC)


def _said(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"


def _untimely(token: bytes, taken: dt.datetime | None, came: dt.datetime | None) -> str:
    """What is wrong with the time that a token states, against the checkpoint's and that of its coming."""
    try:
        at = stated(token)
    except NoToken as error:
        return f"cannot be read: {error}"
    if taken is not None and at < taken - APART:
        return f"is older than the checkpoint: it says {_said(at)}, the checkpoint {_said(taken)}"
    if came is not None and at > came + APART:
        return f"is younger than its coming: it says {_said(at)} and was written down at {_said(came)}"
    if taken is not None and at > taken + LATEST:
        return f"came later than a day after the checkpoint: it says {_said(at)}, the checkpoint {_said(taken)}"
    return ""


def _unsigned(note: bytes, token: bytes, certificates: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("note", note), ("token", token)):
            Path(folder, name).write_bytes(content)
        words = ["openssl", "ts", "-verify", "-data", "note", "-in", "token", "-token_in", "-CAfile", str(Path(certificates).absolute())]
        done = subprocess.run(words, cwd=folder, capture_output=True, timeout=60, check=False)
    return "" if done.returncode == 0 and b"Verification: OK" in done.stdout + done.stderr else "is not signed by the authority"
