"""Checkpoints that left the database, against the database: what was anchored must still be there, unchanged.

An administrator who rewrites a whole chain consistently is found here, back to the last checkpoint in the folder. The folder holds, per
site, `key.txt` (name+id+base64 key) and `NNNNNNNN.checkpoint` files: signed notes as of C2SP tlog-checkpoint, whose root is that of an RFC
6962 tree and whose line `snapshot` is the root over the lines "stream seq hash" of that moment. A line `next-key` announces, under the key
in force, the one that signs from the next checkpoint on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from . import merkle, notes
from .database import CannotVerify, Snapshot
from .findings import Finding, Report


@dataclass(frozen=True)
class Anchored:
    """One file of the folder, its signature checked."""

    path: Path
    size: int
    root: bytes
    snapshot_root: bytes


@dataclass
class KeyRing:
    """The keys of one site's log and the checkpoint that each signs first."""

    ranges: list[tuple[int, notes.Key]]
    given: bool = field(default=False)
    """Whether somebody gave the whole list: then an announcement adds nothing and must agree with it."""

    def at(self, size: int) -> notes.Key:
        return [key for first, key in self.ranges if first <= size][-1]

    def announced(self, size: int, text: str) -> bool:
        """Take a key that checkpoint `size` announces; False when it is not the one of the given list."""
        key = notes.read_key(text)
        if self.given:
            return self.at(size + 1) == key
        self.ranges.append((size + 1, key))
        return True


def check(snapshot: Snapshot, report: Report, folder: str, keys: str = "") -> int:
    """Compares every checkpoint in the folder with the database; returns how many were compared. Raises CannotVerify for an empty folder."""
    files = sorted(Path(folder).rglob("*.checkpoint"))
    if not files:
        raise CannotVerify(f"There is no checkpoint in {folder}.")
    given = _given(keys) if keys else {}
    for site in sorted({path.parent for path in files}):
        _site(snapshot, report, site, [path for path in files if path.parent == site], given)
    return len(files)


def _given(path: str) -> dict[str, KeyRing]:
    """The rings of a file of keys, by the log's name: lines of the first checkpoint and the key. Raises CannotVerify."""
    rings: dict[str, KeyRing] = {}
    try:
        for line in Path(path).read_text().splitlines():
            if line.strip():
                first, text = line.split()
                key = notes.read_key(text)
                rings.setdefault(key.name, KeyRing([], given=True)).ranges.append((int(first), key))
    except (OSError, ValueError) as error:
        raise CannotVerify(f"The keys in {path} cannot be read: {error}") from error
    for ring in rings.values():
        ring.ranges.sort(key=lambda each: each[0])
        if ring.ranges[0][0] != 1:
            raise CannotVerify(f"The first key in {path} signs from checkpoint {ring.ranges[0][0]} on; say which signed the first.")
    return rings


def _ring(folder: Path, given: dict[str, KeyRing]) -> KeyRing:
    try:
        first = notes.read_key((folder / "key.txt").read_text())
    except (OSError, notes.BadNote) as error:
        raise CannotVerify(f"The key of {folder.name} cannot be read: {error}") from error
    if given and first.name not in given:
        raise CannotVerify(f"No key of {first.name} was given.")
    return given.get(first.name) or KeyRing([(1, first)])


def _site(snapshot: Snapshot, report: Report, folder: Path, files: list[Path], given: dict[str, KeyRing]) -> None:
    ring = _ring(folder, given)
    rows = snapshot.rows(
        "SELECT c.size, c.snapshot, c.leaf FROM mes_checkpoint c JOIN mes_site s ON s.id = c.site_id WHERE s.code = %s ORDER BY c.size", [folder.name]
    )
    kept = {int(size): (_bytes(lines), _bytes(leaf)) for size, lines, leaf in rows}
    known: set[str] = set()
    for path in files:
        anchored = _read(path, ring, report)
        if anchored is not None:
            known |= _compare(snapshot, report, anchored, kept, known)


def newest(snapshot: Snapshot, report: Report, folder: str, keys: str = "") -> dict[str, Anchored]:
    """The last checkpoint of each site in the folder, by the site's code, its signature checked. Raises CannotVerify for an empty folder."""
    files = sorted(Path(folder).rglob("*.checkpoint"))
    if not files:
        raise CannotVerify(f"There is no checkpoint in {folder}.")
    given, found = _given(keys) if keys else {}, {}
    for site in sorted({path.parent for path in files}):
        ring = _ring(site, given)
        read = [_read(path, ring, report) for path in files if path.parent == site]  # in their order: one may announce the key of the next
        if read[-1] is not None:
            found[site.name] = read[-1]
    return found


def _bytes(text: str | bytes) -> bytes:
    text = text.decode() if isinstance(text, bytes) else text
    return bytes.fromhex(text.removeprefix("\\x"))


def _read(path: Path, ring: KeyRing, report: Report) -> Anchored | None:
    try:
        note = path.read_text()
        said = notes.read(note, ring.at(_size_of(note)))
        agrees = not said.next_key or ring.announced(said.size, said.next_key)
    except ValueError as error:
        words = f"the anchored file {path.name} is not signed by the key of {path.parent.name}: {error}"
        report.findings.add(Finding("edit", _stream(path), words))
        return None
    if not agrees:
        report.findings.add(Finding("edit", _stream(path), f"the anchored file {path.name} announces another key than the one given"))
    return Anchored(path, said.size, said.root, said.snapshot_root)


def _size_of(note: str) -> int:
    """The size a note claims, to know which key it has to be signed with. Raises ValueError."""
    lines = note.split("\n", 2)
    if len(lines) < 3 or not lines[1].isdecimal() or int(lines[1]) < 1:
        raise notes.BadNote("it is no checkpoint")
    return int(lines[1])


def _stream(path: Path) -> str:
    return f"anchor:{path.parent.name}/{path.name}"


def _compare(snapshot: Snapshot, report: Report, anchored: Anchored, kept: dict[int, tuple[bytes, bytes]], known: set[str]) -> set[str]:
    stream = _stream(anchored.path)
    if anchored.size not in kept:
        report.findings.add(Finding("truncation", stream, f"checkpoint {anchored.size} left the building and is not in the database"))
        return set()
    leaves = [kept[size][1] for size in sorted(kept) if size <= anchored.size]
    if len(leaves) != anchored.size or merkle.root_of(leaves) != anchored.root:
        report.findings.add(Finding("rewrite", stream, f"the site's log up to checkpoint {anchored.size} is not the one that was signed"))
    lines = kept[anchored.size][0].decode().splitlines()
    if merkle.root_of(line.encode() for line in lines) != anchored.snapshot_root:
        report.findings.add(Finding("rewrite", stream, f"the snapshot of checkpoint {anchored.size} is not the one that was signed"))
        return set()
    fresh = set(lines) - known
    for finding in lost(snapshot, sorted(fresh), anchored.size):
        report.findings.add(finding)
    return fresh


def lost(snapshot: Snapshot, lines: list[str], size: int) -> Iterator[Finding]:
    """Heads of that moment that are not entries of the database any more."""
    split = [line.split(" ") for line in lines]
    found = snapshot.rows(
        "SELECT h.stream, h.seq, h.hash, encode(e.hash, 'hex') FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS h(stream, seq, hash)"
        " LEFT JOIN mes_auditentry e ON e.stream = h.stream AND e.seq = h.seq WHERE e.hash IS NULL OR encode(e.hash, 'hex') <> h.hash ORDER BY 1",
        [[s for s, _, _ in split], [int(n) for _, n, _ in split], [h for _, _, h in split]],
    )
    for stream, seq, _, now in found:
        kind, words = ("truncation", "is gone") if now is None else ("rewrite", "is another")
        yield Finding(kind, stream, f"the entry that checkpoint {size} sealed {words}", seq=int(seq))
