"""Entries in the order in which they lie on disk, joined into runs: the chain of a stream, from wherever its pieces come. Pure.

An entry is held by three things at once: its hash is that of its bytes, its bytes hold the hash of the entry before, and the columns
beside them say the same two hashes. A run is a piece of one stream in which each entry follows the one before. What is left between runs
at the end is a break: `judge` names it. A stream that was written by one process at a time has one run, however long it is; memory follows
the number of runs.
"""

from __future__ import annotations

import hashlib
from binascii import hexlify
from collections.abc import Iterable, Iterator

from . import canon
from .chain import absent, head_finding
from .findings import Finding, Findings

#: In an entry's canonical bytes: names are sorted, so this stands there once. No text that a person typed can hold it, for in JSON a
#: quotation mark inside a text has a backslash before it.
PREV = b',"prev":"'
FIRST = bytes(32)

#: stream, seq, prev_hash, hash, canon
Row = tuple[str, int, bytes, bytes, bytes]


class TooMany(Exception):
    """More runs than may be held at once: the caller goes over fewer streams at a time."""


class Run:
    """A piece of a stream: from entry `first`, whose predecessor has the hash `before`, to the one before `next`, whose hash is `hash`."""

    __slots__ = ("at", "before", "first", "hash", "next")

    def __init__(self, first: int, before: bytes, next: int, hash: bytes, at: int = 0):
        self.first, self.before, self.next, self.hash = first, before, next, hash
        #: Where PREV stood in the bytes of the last entry: the next one is often as long.
        self.at = at

    def __reduce__(self):
        return Run, (self.first, self.before, self.next, self.hash)


class Pieces:
    """The runs of one stream beside the one that was added to last."""

    __slots__ = ("beginning", "doubled", "ending")

    def __init__(self) -> None:
        self.ending: dict[int, Run] = {}
        self.beginning: dict[int, Run] = {}
        self.doubled: list[Run] = []

    def put(self, run: Run) -> None:
        if run.next in self.ending or run.first in self.beginning:
            self.doubled.append(run)  # there are two entries of one number: `judge` has to see both
        else:
            self.ending[run.next] = self.beginning[run.first] = run

    def join(self, run: Run) -> int:
        """Makes a run longer by those that it continues or that continue it; how many these were."""
        joined = 0
        left = self.ending.get(run.first)
        if left is not None and left.hash == run.before:
            del self.ending[left.next], self.beginning[left.first]
            run.first, run.before = left.first, left.before
            joined += 1
        right = self.beginning.get(run.next)
        if right is not None and right.before == run.hash:
            del self.ending[right.next], self.beginning[right.first]
            run.next, run.hash, run.at = right.next, right.hash, right.at
            joined += 1
        return joined

    def all(self) -> list[Run]:
        return [*self.ending.values(), *self.doubled]


class Walk:
    """Takes entries in any order; keeps the runs of each stream and what is wrong with single entries."""

    def __init__(self, most: int):
        self.most = most
        self.now: dict[str, Run] = {}
        """The run of each stream that was added to last."""
        self.others: dict[str, Pieces] = {}
        self.held = 0
        """How many runs there are in all."""
        self.findings = Findings()

    def begin(self, stream: str, seq: int, digest: bytes) -> None:
        """Go on from an entry that was checked before."""
        self.now[stream] = Run(seq + 1, digest, seq + 1, digest)
        self.held += 1

    def take(self, rows: Iterable[Row]) -> None:
        """The loop that a whole site's entries go through: one lookup, one hash, four comparisons. Raises TooMany."""
        sha256, prefix, now = hashlib.sha256, canon.ENTRY, self.now.get
        for stream, seq, prev, said, text in rows:
            run = now(stream)
            digest = sha256(prefix + text).digest()
            if run is not None and seq == run.next and digest == said and prev == run.hash and text.startswith(PREV + hexlify(prev), run.at):
                run.next, run.hash = seq + 1, digest
            else:
                self._look(run, stream, seq, prev, said, text, digest)

    def _look(self, run: Run | None, stream: str, seq: int, prev: bytes, said: bytes, text: bytes, digest: bytes) -> None:
        """An entry that does not simply follow the last one of its stream: it begins a run, joins two, or is broken."""
        at = text.find(PREV)
        if run is not None and seq == run.next and digest == said and prev == run.hash and text.startswith(PREV + hexlify(prev), at):
            run.next, run.hash, run.at = seq + 1, digest, at
            return
        wrong = own(stream, seq, prev, said, text, digest)
        if wrong is not None:
            self.findings.add(wrong)
        # After a break the walk goes on from the entry as it stands, so that each break is named once, where it is.
        new = Run(seq, prev, seq + 1, said, at)
        if run is not None:
            pieces = self.others.setdefault(stream, Pieces())
            self.held -= pieces.join(run)
            pieces.put(run)
            self.held -= pieces.join(new)
        self.now[stream] = new
        self.held += 1
        if self.held > self.most:
            raise TooMany

    def runs(self) -> dict[str, list[Run]]:
        """Every run of every stream."""
        for stream, pieces in self.others.items():
            self.held -= pieces.join(self.now[stream])
        return {stream: [run, *(self.others[stream].all() if stream in self.others else ())] for stream, run in self.now.items()}


class Onward(Walk):
    """A walk that goes on from entries which a checkpoint sealed, and which are read again: each has to be there as it was sealed."""

    def __init__(self, most: int):
        super().__init__(most)
        self.sealed: dict[str, tuple[int, bytes, int]] = {}
        """Of a stream the number and the hash of an entry, and the checkpoint that says so."""
        self.met = 0
        """How many entries were met in the places that are sealed."""

    def _look(self, run: Run | None, stream: str, seq: int, prev: bytes, said: bytes, text: bytes, digest: bytes) -> None:
        place = self.sealed.get(stream)
        if place is None or place[0] != seq:
            super()._look(run, stream, seq, prev, said, text, digest)
            return
        del self.sealed[stream]
        self.met += 1
        if said != place[1]:
            self.findings.add(Finding("rewrite", stream, f"the entry that checkpoint {place[2]} sealed is another", seq=seq))
        elif (wrong := own(stream, seq, prev, said, text, digest)) is not None:
            self.findings.add(wrong)

    def missed(self) -> None:
        """Names the sealed places in which no entry was met."""
        for stream, (seq, _, size) in sorted(self.sealed.items()):
            self.findings.add(Finding("truncation", stream, f"the entry that checkpoint {size} sealed is gone", seq=seq))


def own(stream: str, seq: int, prev: bytes, said: bytes, text: bytes, digest: bytes) -> Finding | None:
    """What can be told of an entry by itself."""
    if digest != said:
        return Finding("edit", stream, "its hash is not that of its bytes", seq=seq)
    try:
        entry = canon.read_entry(text)
        of, number, before = entry["stream"], entry["seq"], entry["prev"]
    except (canon.Unreadable, KeyError) as error:
        return Finding("edit", stream, f"it cannot be read: {error}", seq=seq)
    if (of, number) != (stream, str(seq)):
        return Finding("swap", stream, f"its bytes say #{number}" + (f" of {of}" if of != stream else ""), seq=seq)
    if before != prev.hex():
        return Finding("edit", stream, "beside its bytes these columns say something else: prev_hash", seq=seq)
    return None


def judge(stream: str, runs: Iterable[Run], begins: tuple[int, bytes], head: tuple[int, bytes] | None) -> Iterator[Finding]:
    """What stands between the runs of a stream, before the first and after the last: gaps, forks, ends that are cut off.

    `begins` is the number and the hash of the entry that was checked before, (0, FIRST) from the beginning; `head` is what the database
    keeps beside the entries.
    """
    seq, digest = begins
    for run in sorted(runs, key=lambda each: (each.first, each.next)):
        if run.next == run.first:
            continue  # nothing came after the entry that was checked before
        if run.first <= seq:
            yield Finding("fork", stream, f"there are two entries #{run.first}", seq=run.first)
        elif run.first > seq + 1:
            yield Finding("gap", stream, absent(seq, run.first), seq=run.first)
        elif run.before != digest:
            yield Finding("fork", stream, f"it does not continue #{seq} as that stands here", seq=run.first)
        if run.next - 1 >= seq:
            seq, digest = run.next - 1, run.hash
    wrong = head_finding(stream, seq, digest.hex(), None if head is None else (head[0], head[1].hex()))
    if wrong is not None:
        yield wrong
