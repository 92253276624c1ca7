"""The check of what one site wrote since its last check: the new entries, their rows, and that what was checked before still stands.

What an earlier check went over is compared by the hashes of its checkpoint: a rewritten or shortened past does not lead to them. A value
changed behind an old entry without touching the chain is found by the check of everything, which starts every stream at its beginning.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from . import anchors, canon, chain
from .database import Snapshot
from .findings import Finding, Report
from .rows import RowCheck


def verify_site(url: str, site: str, *, sealed: Collection[str] = (), size: int = 0, again: Collection[str] = ()) -> Report:
    """Checks the streams of a site since a checkpoint, given as its lines "stream seq hash" and its size; without them from the beginning.

    `again` names streams to check from their beginning whatever the checkpoint says. Raises CannotVerify.
    """
    began = time.monotonic()
    report = Report(scope=f"site {site} since checkpoint {size}" if size else f"site {site}")
    snapshot = Snapshot(url)
    try:
        if sealed:
            snapshot.few_of_many()
        checked = {stream: (int(seq), digest) for stream, seq, digest in (line.split(" ") for line in sealed)}
        for finding in anchors.lost(snapshot, sorted(sealed), size):
            report.findings.add(finding)
        rows = snapshot.rows("SELECT stream, seq, hash FROM mes_streamhead WHERE site_id = %s AND seq > 0 ORDER BY stream", [site])
        heads = {stream: (int(seq), canon.binary(digest)) for stream, seq, digest in rows}
        begins = {
            stream: (0, canon.GENESIS) if stream in again else checked.get(stream, (0, canon.GENESIS))
            for stream, head in heads.items()
            if stream in again or checked.get(stream) != head
        }
        seen: set[str] = set()
        check = RowCheck(snapshot, report)
        for batch in chain.entries(snapshot, report, None, begins):
            seen.update(entry.stream for entry in batch)
            check.check(batch)
            chain.siblings(snapshot, batch, report)
        for stream in begins.keys() - seen:
            report.streams += 1
            report.findings.add(Finding("truncation", stream, f"its head says #{heads[stream][0]}, and nothing after #{begins[stream][0]} is there"))
    finally:
        snapshot.close()
    report.seconds = time.monotonic() - began
    return report
