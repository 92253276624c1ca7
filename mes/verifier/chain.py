"""The entries of each stream: their bytes, their order, their links, and what the columns beside the bytes say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from . import canon
from .database import BATCH, Snapshot
from .findings import Finding, Report

COLUMNS = (
    "id", "stream", "seq", "site_id", "lot_id", "deed_id", "at", "wall", "by_id", "by_username", "by_name", "role",
    "channel", "station", "events", "reason", "canon", "prev_hash", "hash",
)  # fmt: skip
SELECT = f"SELECT {', '.join(COLUMNS)} FROM mes_auditentry"  # noqa: S608 - fixed names

#: Column and where the bytes say the same; how the column's text becomes the bytes' text.
AGREE: tuple[tuple[str, Callable[[dict], object], Callable[[str], object]], ...] = (
    ("id", lambda said: said["id"], str),
    ("stream", lambda said: said["stream"], str),
    ("site_id", lambda said: said["site"], str),
    ("lot_id", lambda said: said["lot"], str),
    ("deed_id", lambda said: said["deed"], str),
    ("at", lambda said: said["at"], canon.instant),
    ("wall", lambda said: said["wall"], canon.instant),
    ("by_id", lambda said: said["by"]["id"], str),
    ("by_username", lambda said: said["by"]["username"], str),
    ("by_name", lambda said: said["by"]["name"], str),
    ("role", lambda said: said["by"]["role"], str),
    ("channel", lambda said: said["channel"], str),
    ("station", lambda said: said["station"], str),
    ("events", lambda said: said["events"], json.loads),
    ("reason", lambda said: said["reason"], str),
)


#: Where the check of a stream goes on from: number and hash (hexadecimal) of its last checked entry; (0, GENESIS) from its beginning.
Begins = Mapping[str, tuple[int, str]]


@dataclass
class Entry:
    """One entry as read: its place, and what its bytes say (None when they cannot be read)."""

    id: str
    stream: str
    seq: int
    deed: str
    said: dict | None

    def finding(self, kind: str, sentence: str, **row) -> Finding:
        return Finding(kind, self.stream, sentence, seq=self.seq, **row)


@dataclass
class _Place:
    """Where the walk along a stream stands."""

    stream: str = ""
    seq: int = 0
    hash: str = canon.GENESIS
    at: str = ""
    ends: list[tuple[str, int, str]] = field(default_factory=list)
    begins: Begins = field(default_factory=dict)


def entries(snapshot: Snapshot, report: Report, stream: str | None, begins: Begins | None = None) -> Iterator[list[Entry]]:
    """Checks every entry in the order of its stream; hands them on in batches for the check of their rows.

    `begins` names the streams to check and where each goes on from: the number and the hash of an entry that was checked before.
    """
    where, values = (" WHERE stream = %s", [stream]) if stream else ("", [])
    if begins is not None:
        where = " JOIN unnest(%s::text[], %s::bigint[]) AS b(name, last) ON stream = b.name AND seq > b.last"
        values = [list(begins), [seq for seq, _ in begins.values()]]
    place, batch = _Place(begins=begins or {}), []
    for row in snapshot.stream(f"{SELECT}{where} ORDER BY stream, seq, id", values):
        batch.append(_check(dict(zip(COLUMNS, row, strict=True)), place, report))
        report.entries += 1
        if len(batch) >= BATCH:
            yield batch
            batch = []
        if len(place.ends) >= BATCH:
            _check_heads(snapshot, place.ends, report)
            place.ends = []
    if batch:
        yield batch
    if place.stream:
        place.ends.append((place.stream, place.seq, place.hash))
    _check_heads(snapshot, place.ends, report)


def _check(row: dict[str, str], place: _Place, report: Report) -> Entry:
    if row["stream"] != place.stream:
        if place.stream:
            place.ends.append((place.stream, place.seq, place.hash))
        place.stream, place.at = row["stream"], ""
        place.seq, place.hash = place.begins.get(place.stream, (0, canon.GENESIS))
        report.streams += 1
    entry = Entry(row["id"], row["stream"], int(row["seq"]), row["deed_id"], None)
    found = _own(row, entry) or _order(row, entry, place)
    if found is not None:
        report.findings.add(replace(found, now=hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()))
    # After a break the walk goes on from the entry as it stands, so that each break is named once, where it is.
    place.seq, place.hash = entry.seq, canon.binary(row["hash"])
    place.at = entry.said["at"] if entry.said else place.at
    return entry


def _own(row: dict[str, str], entry: Entry) -> Finding | None:
    """What can be told of an entry by itself; sets what it says."""
    raw = bytes.fromhex(canon.binary(row["canon"]))
    if canon.entry_hash(raw) != canon.binary(row["hash"]):
        return entry.finding("edit", "its hash is not that of its bytes")
    try:
        entry.said = canon.read_entry(raw)
        differing = [column for column, says, convert in AGREE if says(entry.said) != (None if row[column] is None else convert(row[column]))]
        said_seq, said_prev = entry.said["seq"], entry.said["prev"]
        said_rows, said_siblings = entry.said["rows"], entry.said["siblings"]
    except (canon.Unreadable, KeyError, TypeError, ValueError) as error:
        entry.said = None
        return entry.finding("edit", f"it cannot be read: {error}")
    if said_seq != row["seq"]:
        return entry.finding("swap", f"its bytes say #{said_seq}")
    if said_prev != canon.binary(row["prev_hash"]):
        differing.append("prev_hash")
    if differing:
        return entry.finding("edit", f"beside its bytes these columns say something else: {', '.join(differing)}")
    if not isinstance(said_siblings, list) or not all(isinstance(row, list) and len(row) == 5 for row in said_rows):
        return entry.finding("edit", "what it cites cannot be read")
    return None


def _order(row: dict[str, str], entry: Entry, place: _Place) -> Finding | None:
    """What can be told of an entry by the one before it."""
    if entry.seq == place.seq:
        return entry.finding("fork", f"there are two entries #{entry.seq}")
    if entry.seq != place.seq + 1:
        return entry.finding("gap", absent(place.seq, entry.seq))
    if canon.binary(row["prev_hash"]) != place.hash:
        return entry.finding("fork", f"it does not continue #{place.seq} as that stands here")
    if entry.said and entry.said["at"] < place.at:
        return entry.finding("swap", "it is older than the entry before it")
    return None


def absent(before: int, seq: int) -> str:
    """Which entries are missing between two."""
    return f"before it #{before + 1} is missing" if seq == before + 2 else f"before it #{before + 1} to #{seq - 1} are missing"


# --- where streams end ------------------------------------------------------------------------------------------------


def _check_heads(snapshot: Snapshot, ends: list[tuple[str, int, str]], report: Report) -> None:
    """Compares the last entry of each stream with the head that the database keeps beside it."""
    if not ends:
        return
    heads = {
        stream: (int(seq), canon.binary(digest))
        for stream, seq, digest in snapshot.rows("SELECT stream, seq, hash FROM mes_streamhead WHERE stream = ANY (%s)", [[stream for stream, _, _ in ends]])
    }
    for stream, seq, digest in ends:
        wrong = head_finding(stream, seq, digest, heads.get(stream))
        if wrong is not None:
            report.findings.add(wrong)


def head_finding(stream: str, seq: int, digest: str, head: tuple[int, str] | None) -> Finding | None:
    """The last entry of a stream against the head that the database keeps beside it."""
    if head is None:
        return Finding("missing", stream, "its head is not there", seq=seq)
    if head[0] > seq and seq == 0:
        return Finding("truncation", stream, f"none of its {head[0]} entries is there", seq=1)
    if head[0] > seq:
        return Finding("truncation", stream, f"it ends here, and its head says #{head[0]}", seq=seq + 1)
    if head != (seq, digest):
        return Finding("fork", stream, f"its head stands at #{head[0]} with another hash", seq=seq)
    return None


LOST = """
SELECT h.stream, h.seq FROM mes_streamhead h
WHERE h.seq > 0 AND NOT EXISTS (SELECT 1 FROM mes_auditentry e WHERE e.stream = h.stream)
AND (%(stream)s::text IS NULL OR h.stream = %(stream)s::text) ORDER BY 1
"""


def lost_streams(snapshot: Snapshot, report: Report, stream: str | None) -> None:
    """Streams that have a head and not one entry."""
    for name, seq in snapshot.stream(LOST, {"stream": stream}):
        report.streams += 1
        report.findings.add(Finding("truncation", name, f"none of its {seq} entries is there", seq=1))


def siblings(snapshot: Snapshot, batch: Iterable[Entry], report: Report) -> None:
    """A deed that touched several streams names them all in each: its entries in the others must be there too."""
    named = [entry for entry in batch if entry.said and entry.said.get("siblings")]
    if not named:
        return
    there = {
        (deed, stream)
        for deed, stream in snapshot.rows(
            "SELECT deed_id, stream FROM mes_auditentry WHERE deed_id = ANY (%s::uuid[])",
            [sorted({entry.deed for entry in named})],
        )
    }
    for entry in named:
        for stream in entry.said["siblings"]:
            if (entry.deed, stream) not in there:
                report.findings.add(Finding("missing", stream, f"the entry that {entry.stream} #{entry.seq} names here is not there"))
