"""The quick check: every entry's bytes, hash, place and link, and nothing beside them. Made for a site's whole trail each night.

The table is read once, in the order in which it lies on disk, in as many pieces as there are processors, all of one moment; runs.py joins
the entries. What it does not look at is named in NOT_LOOKED_AT and said in each report: the whole check (run.verify) looks at all of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql

from . import anchors, bundles, copying, merkle
from .database import CannotVerify, Snapshot
from .findings import Finding, Report
from .runs import FIRST, Onward, Run, TooMany, Walk, judge

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

HELD = "all links hold"
NOT_LOOKED_AT = (
    "Looked at: each entry's bytes against its hash, its place, its link to the one before, and the head of its stream. Not looked at:"
    " the form of the bytes and the columns beside them, the rows that entries cite, records against their versions, rows that nobody"
    " cites, seals, time-stamps. The check without --links looks at them."
)

#: Runs that all processes together may hold; where there are more, the streams are gone over in several rounds.
MOST_RUNS = 400_000
#: Blocks of the table below which one process is done before a second has started.
SMALL = 20_000
#: Parts after which going over fewer streams at a time helps no more: one stream alone is in such disorder.
MOST_ROUNDS = 4096
EVERY_SECONDS = 5.0


def verify(
    url: str, *, since_checkpoint: bool = False, folder: str = "", keys: str = "", jobs: int = 0, tell: Callable[[str], None] = lambda line: None
) -> Report:
    """Checks the links of every stream of the database at the address; since the last checkpoint only those of newer entries.

    `folder` holds anchored checkpoints: then the last of each site there is gone on from, its signature checked; else the last one in the
    database, which vouches for itself. Raises CannotVerify when the database cannot be read whole.
    """
    began = time.monotonic()
    report = Report(scope="links of the whole database", all_held=HELD, notes=[NOT_LOOKED_AT])
    snapshot = Snapshot(url)
    try:
        if since_checkpoint:
            _newer(snapshot, report, folder, keys, _Clock(report, 0, began, tell))
        else:
            _whole(url, snapshot, report, jobs or processors(), began, tell)
            if folder:
                tell(f"checkpoints in {folder}")
                anchors.check(snapshot, report, folder, keys)
    finally:
        snapshot.close()
    report.seconds = time.monotonic() - began
    return report


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# --- everything -------------------------------------------------------------------------------------------------------


def _whole(url: str, snapshot: Snapshot, report: Report, jobs: int, began: float, tell: Callable[[str], None]) -> None:
    statement = (
        "SELECT greatest(reltuples, 0)::bigint, pg_relation_size(oid) / current_setting('block_size')::int FROM pg_class WHERE oid = 'mes_auditentry'::regclass"
    )
    expected, blocks = (int(number) for number in snapshot.rows(statement)[0])
    jobs = 1 if blocks < SMALL else jobs
    streams = int(snapshot.rows("SELECT count(*) FROM mes_streamhead")[0][0])
    rounds = 1 + streams * jobs * 2 // MOST_RUNS
    clock = _Clock(report, expected, began, tell)
    while True:
        try:
            for number in range(rounds):
                _round(url, snapshot, report, (number, rounds), _pieces(blocks, jobs), clock)
        except TooMany:
            # entries lie far from the order in which they were written, or very many are broken: fewer streams at a time
            rounds *= 4
            if rounds > MOST_ROUNDS:
                raise CannotVerify("One stream is in such disorder that its links cannot be gone over quickly: make the check without --links.") from None
            report.streams, report.entries = 0, 0
            report.findings = type(report.findings)()
            continue
        return


def _pieces(blocks: int, jobs: int) -> list[tuple[int, int | None]]:
    """Ranges of the table's blocks that are all of it together: the last one has no end."""
    firsts = [blocks * job // jobs for job in range(jobs)]
    return list(zip(firsts, [*firsts[1:], None], strict=True))


class _Clock:
    """Tells how far the check has come."""

    def __init__(self, report: Report, expected: int, began: float, tell: Callable[[str], None]):
        self.report, self.expected, self.began, self.tell, self.told = report, expected, began, tell, began

    def count(self, entries: int) -> None:
        self.report.entries += entries
        now = time.monotonic()
        if now - self.told >= EVERY_SECONDS:
            self.told = now
            of = f" of about {self.expected}" if self.expected >= self.report.entries else ""
            self.tell(f"{self.report.entries} entries{of}, {self.report.entries / (now - self.began):.0f} a second")


def _round(url: str, snapshot: Snapshot, report: Report, part: tuple[int, int], pieces: list, clock: _Clock) -> None:
    """One reading of the table, for the streams of one part. Raises TooMany."""
    most = MOST_RUNS // len(pieces)
    runs: dict[str, list[Run]] = {}
    walks = [_walk(snapshot, pieces[0], part, most, clock.count)] if len(pieces) == 1 else _at_once(url, snapshot.mark(), pieces, part, most, clock)
    for found, broken in walks:
        report.findings.take(broken)
        for stream, several in found.items():
            runs.setdefault(stream, []).extend(several)
    report.streams += len(runs)
    where = f" WHERE {_of_part('stream', part)}"
    heads = f"SELECT stream, seq, hash FROM mes_streamhead{where}"  # noqa: S608 - fixed words and two numbers
    for stream, seq, digest in snapshot.stream(heads, name="heads"):
        mine = runs.pop(stream, [])
        head = (int(seq), bytes.fromhex(digest.removeprefix("\\x")))
        report.streams += not mine and head[0] > 0
        if mine or head[0] > 0:
            _judge(report, stream, mine, (0, FIRST), head)
    for stream, mine in runs.items():
        _judge(report, stream, mine, (0, FIRST), None)


def _judge(report: Report, stream: str, runs: list[Run], begins: tuple[int, bytes], head: tuple[int, bytes] | None) -> None:
    for finding in judge(stream, runs, begins, head):
        report.findings.add(finding)


def _of_part(column: str, part: tuple[int, int]) -> str:
    number, of = part
    return "true" if of == 1 else f"mod(hashtextextended({column}, 0) & 2147483647, {of}) = {number}"


def _walk(snapshot: Snapshot, piece: tuple[int, int | None], part: tuple[int, int], most: int, count: Callable[[int], None]):
    first, end = piece
    walk = Walk(most)
    until = "" if end is None else f" AND ctid < '({end},0)'"
    for rows in copying.batches(snapshot.connection, f"WHERE ctid >= '({first},0)'{until} AND {_of_part('stream', part)}"):
        walk.take(rows)
        count(len(rows))
    return walk.runs(), walk.findings


# --- several processes ------------------------------------------------------------------------------------------------


def _at_once(url: str, mark: str, pieces: list, part: tuple[int, int], most: int, clock: _Clock) -> list:
    """Each piece in a process of its own, all seeing one moment. Raises TooMany, CannotVerify."""
    import multiprocessing  # here, for a check of few entries is done before it is read
    from multiprocessing.connection import wait

    context = multiprocessing.get_context("spawn")
    started, answers = [], []
    for piece in pieces:
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(there, url, mark, piece, part, most), daemon=True)
        process.start()
        there.close()
        started.append((process, here))
    try:
        open_ends = [here for _, here in started]
        while open_ends:
            for end in wait(open_ends):
                said = _said(end)
                if isinstance(said, int):
                    clock.count(said)
                elif isinstance(said, Exception):
                    raise said
                else:
                    answers.append(said)
                    open_ends.remove(end)
    finally:
        for process, here in started:
            here.close()
            process.terminate()
            process.join()
    return answers


def _said(end: Connection):
    try:
        return end.recv()
    except EOFError:
        return CannotVerify("A process of the check ended before it had read its part.")


def _work(there: Connection, url: str, mark: str, piece: tuple[int, int | None], part: tuple[int, int], most: int) -> None:
    """What one process does. Whatever goes wrong is said to the one who waits: a part that was not read must not pass for one that holds."""
    try:
        snapshot = Snapshot(url, same_as=mark)
        try:
            there.send(_walk(snapshot, piece, part, most, there.send))
        finally:
            snapshot.close()
    except TooMany as reason:
        there.send(reason)
    except Exception as error:
        there.send(CannotVerify(f"A part of the trail could not be read: {error}"))


# --- what is newer than the last checkpoint ---------------------------------------------------------------------------

LAST = """
SELECT DISTINCT ON (c.site_id) s.code, c.size, c.snapshot, c.snapshot_root FROM mes_checkpoint c JOIN mes_site s ON s.id = c.site_id
ORDER BY c.site_id, c.size DESC"""
OF_SIZE = "SELECT c.snapshot FROM mes_checkpoint c JOIN mes_site s ON s.id = c.site_id WHERE s.code = %s AND c.size = %s"

#: Every stream that has an entry, by one look into the index for each.
STREAMS = """
WITH RECURSIVE s AS ((SELECT stream FROM mes_auditentry ORDER BY stream LIMIT 1)
  UNION ALL SELECT (SELECT e.stream FROM mes_auditentry e WHERE e.stream > s.stream ORDER BY e.stream LIMIT 1) FROM s WHERE s.stream IS NOT NULL)
SELECT stream FROM s WHERE stream IS NOT NULL"""


#: Of each stream the entry named and those behind it, through the index of places: whole streams one after the other.
ONWARD = "JOIN unnest({}::text[], {}::bigint[]) AS b(name, last) ON stream = b.name AND seq >= b.last"

Place = tuple[int, bytes]
"""Number and hash of an entry."""


@dataclass
class _Onward:
    """What is gone on from: places that were checked before, what checkpoints sealed, and the heads."""

    begins: dict[str, Place] = field(default_factory=dict)
    sealed: dict[str, tuple[int, bytes, int]] = field(default_factory=dict)
    heads: dict[str, Place] = field(default_factory=dict)

    def new(self) -> int:
        """How many entries there should be."""
        return sum(seq - self.begins[stream][0] for stream, (seq, _) in self.heads.items())


def _newer(snapshot: Snapshot, report: Report, folder: str, keys: str, clock: _Clock) -> None:
    """Entries behind the last checkpoint, from the very entries that it names; a stream that it does not name from its beginning."""
    report.scope = "links since the last checkpoint"
    snapshot.few_of_many()
    on = _Onward()
    for site, size, lines in _sealed(snapshot, report, folder, keys):
        report.notes.append(f"Up to checkpoint {size} of {site} only the last entry of each stream was compared, by its hash.")
        again = []
        for line in lines:
            stream, seq, digest = line.split(" ")
            if stream in on.begins:  # another site's checkpoint names it too
                again.append(line)
                continue
            place = int(seq), bytes.fromhex(digest)
            on.begins[stream], on.sealed[stream] = place, (*place, size)
        for finding in anchors.lost(snapshot, again, size) if again else ():
            report.findings.add(finding)
    for stream, seq, digest in snapshot.stream("SELECT stream, seq, hash FROM mes_streamhead WHERE seq > 0", name="heads"):
        on.heads[stream] = int(seq), bytes.fromhex(digest[2:])
        on.begins.setdefault(stream, (0, FIRST))
    clock.expected = on.new()
    for (name,) in snapshot.stream(STREAMS, name="streams"):
        on.begins.setdefault(name, (0, FIRST))
    _one_by_one(snapshot, report, on, _bundled(snapshot, report, on, clock), clock)


def _quoted(snapshot: Snapshot, words: str, on: _Onward, streams: list[str]) -> str:
    """SQL that asks for what is new in some streams."""
    return sql.SQL(words).format(sql.Literal(streams), sql.Literal([on.begins[stream][0] for stream in streams])).as_string(snapshot.connection)


def _bundled(snapshot: Snapshot, report: Report, on: _Onward, clock: _Clock) -> list[str]:
    """Goes over the streams that have few new entries; returns those that are left: that have many, and that do not simply hold."""
    few = [stream for stream, (seq, _) in on.heads.items() if 0 <= seq - on.begins[stream][0] < bundles.MOST]
    held = set()
    for some in copying.messages(snapshot.connection, _quoted(snapshot, bundles.ASK, on, few)) if few else ():
        for message in some:
            if len(message) > 2:  # header and trailer may come alone
                name, *arrays = bundles.fields(message)
                stream = name.decode()
                new = bundles.holds(stream, arrays, on.begins[stream], on.heads[stream])
                if new is not None:
                    held.add(stream)
                    report.streams += new > 0
                    clock.count(new)
    return [stream for stream in on.begins if stream not in held]


def _one_by_one(snapshot: Snapshot, report: Report, on: _Onward, streams: list[str], clock: _Clock) -> None:
    """Some streams from where each is gone on from: names what is broken in them. Raises CannotVerify."""
    walk = Onward(max(MOST_RUNS, 4 * len(streams)))
    for stream in streams:
        if stream in on.sealed:
            walk.begin(stream, *on.begins[stream])
            walk.sealed[stream] = on.sealed[stream]
    try:
        for rows in copying.batches(snapshot.connection, _quoted(snapshot, ONWARD, on, streams)) if streams else ():
            walk.take(rows)
            clock.count(len(rows))
    except TooMany as error:
        raise CannotVerify("Too much is out of order to go on from a checkpoint: check all links, without --since-checkpoint.") from error
    report.entries -= walk.met  # these were checked before
    walk.missed()
    report.findings.take(walk.findings)
    found = walk.runs()
    for stream in streams:
        runs = found.get(stream, [])
        if any(run.next > run.first for run in runs) or on.heads.get(stream) != on.begins[stream]:
            report.streams += 1
            _judge(report, stream, runs, on.begins[stream], on.heads.get(stream))


def _sealed(snapshot: Snapshot, report: Report, folder: str, keys: str) -> Iterator[tuple[str, int, list[str]]]:
    """Site, size and lines of the checkpoints to go on from. One whose lines are not the ones that were signed is a finding, and nothing is taken from it."""
    if folder:
        for site, anchored in anchors.newest(snapshot, report, folder, keys).items():
            kept = snapshot.rows(OF_SIZE, [site, anchored.size])
            if not kept:
                report.findings.add(Finding("truncation", f"anchor:{site}", f"checkpoint {anchored.size} left the building and is not in the database"))
                continue
            yield from _lines(report, site, anchored.size, kept[0][0], anchored.snapshot_root)
    else:
        for site, size, lines, root in snapshot.rows(LAST):
            yield from _lines(report, site, int(size), lines, bytes.fromhex(root.removeprefix("\\x")))


def _lines(report: Report, site: str, size: int, kept: str, root: bytes) -> Iterator[tuple[str, int, list[str]]]:
    lines = bytes.fromhex(kept.removeprefix("\\x")).decode().splitlines()
    if merkle.root_of(line.encode() for line in lines) != root:
        report.findings.add(Finding("rewrite", f"checkpoint:{site}/{size}", f"the snapshot of checkpoint {size} is not the one that was signed"))
        return
    yield site, size, lines
