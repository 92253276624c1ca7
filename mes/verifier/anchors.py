"""Checkpoints that left the database, against the database: what was anchored must still be there, unchanged.

An administrator who rewrites a whole chain consistently is found here, back to the last checkpoint in the folder. The folder holds, per
site, `key.txt` (name+id+base64 key) and `NNNNNNNN.checkpoint` files: signed notes as of C2SP tlog-checkpoint, whose root is that of an RFC
6962 tree and whose line `snapshot` is the root over the lines "stream seq hash" of that moment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .database import CannotVerify, Snapshot
from .ed25519 import is_signed
from .findings import Finding, Report


@dataclass(frozen=True)
class Anchored:
    """One file of the folder, its signature checked."""

    path: Path
    size: int
    root: bytes
    snapshot_root: bytes


def _tree(leaves: Iterable[bytes]) -> bytes:
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").digest()
    # Pairing level by level, the odd one carried up, is the tree of RFC 6962.
    while len(level) > 1:
        paired = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = paired + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def check(snapshot: Snapshot, report: Report, folder: str) -> int:
    """Compares every checkpoint in the folder with the database; returns how many were compared. Raises CannotVerify for an empty folder."""
    files = sorted(Path(folder).rglob("*.checkpoint"))
    if not files:
        raise CannotVerify(f"There is no checkpoint in {folder}.")
    for site in sorted({path.parent for path in files}):
        _site(snapshot, report, site, [path for path in files if path.parent == site])
    return len(files)


def _site(snapshot: Snapshot, report: Report, folder: Path, files: list[Path]) -> None:
    try:
        name, _, key = (folder / "key.txt").read_text().strip().split("+", 2)
        public = base64.b64decode(key, validate=True)[1:]
    except (OSError, ValueError, binascii.Error) as error:
        raise CannotVerify(f"The key of {folder.name} cannot be read: {error}") from error
    rows = snapshot.rows(
        "SELECT c.size, c.snapshot, c.leaf FROM mes_checkpoint c JOIN mes_site s ON s.id = c.site_id WHERE s.code = %s ORDER BY c.size", [folder.name]
    )
    kept = {int(size): (_bytes(lines), _bytes(leaf)) for size, lines, leaf in rows}
    known: set[str] = set()
    for path in files:
        anchored = _read(path, name, public, report)
        if anchored is not None:
            known |= _compare(snapshot, report, anchored, kept, known)


def _bytes(text: str | bytes) -> bytes:
    text = text.decode() if isinstance(text, bytes) else text
    return bytes.fromhex(text.removeprefix("\\x"))


def _read(path: Path, name: str, public: bytes, report: Report) -> Anchored | None:
    body, _, marks = path.read_text().rpartition("\n\n")
    body += "\n"
    signed = False
    for line in marks.splitlines():
        words = line.split(" ")
        if len(words) == 3 and words[1] == name:
            try:
                signed = is_signed(public, body.encode(), base64.b64decode(words[2], validate=True)[4:])
            except binascii.Error:
                signed = False
    lines = body.splitlines()
    if not signed or len(lines) < 4 or lines[0] != name:
        report.findings.add(Finding("edit", _stream(path), f"the anchored file {path.name} is not signed by the key of {path.parent.name}"))
        return None
    root = base64.b64decode(lines[2])
    snapshot_root = base64.b64decode(lines[3].split(" ")[1])
    return Anchored(path, int(lines[1]), root, snapshot_root)


def _stream(path: Path) -> str:
    return f"anchor:{path.parent.name}/{path.name}"


def _compare(snapshot: Snapshot, report: Report, anchored: Anchored, kept: dict[int, tuple[bytes, bytes]], known: set[str]) -> set[str]:
    stream = _stream(anchored.path)
    if anchored.size not in kept:
        report.findings.add(Finding("truncation", stream, f"checkpoint {anchored.size} left the building and is not in the database"))
        return set()
    leaves = [kept[size][1] for size in sorted(kept) if size <= anchored.size]
    if len(leaves) != anchored.size or _tree(leaves) != anchored.root:
        report.findings.add(Finding("rewrite", stream, f"the site's log up to checkpoint {anchored.size} is not the one that was signed"))
    lines = kept[anchored.size][0].decode().splitlines()
    if _tree(line.encode() for line in lines) != anchored.snapshot_root:
        report.findings.add(Finding("rewrite", stream, f"the snapshot of checkpoint {anchored.size} is not the one that was signed"))
        return set()
    fresh = set(lines) - known
    for finding in _lost(snapshot, sorted(fresh), anchored):
        report.findings.add(finding)
    return fresh


def _lost(snapshot: Snapshot, lines: list[str], anchored: Anchored) -> Iterator[Finding]:
    """Heads of that moment that are not entries of the database any more."""
    split = [line.split(" ") for line in lines]
    found = snapshot.rows(
        "SELECT h.stream, h.seq, h.hash, encode(e.hash, 'hex') FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS h(stream, seq, hash)"
        " LEFT JOIN mes_auditentry e ON e.stream = h.stream AND e.seq = h.seq WHERE e.hash IS NULL OR encode(e.hash, 'hex') <> h.hash ORDER BY 1",
        [[s for s, _, _ in split], [int(n) for _, n, _ in split], [h for _, _, h in split]],
    )
    for stream, seq, _, now in found:
        kind, words = ("truncation", "is gone") if now is None else ("rewrite", "is another")
        yield Finding(kind, stream, f"the entry that checkpoint {anchored.size} sealed {words}", seq=int(seq))
