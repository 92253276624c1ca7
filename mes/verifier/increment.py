"""The check of what one site wrote since its last check: the new entries, their rows, and that what was checked before still stands.

What an earlier check went over is compared by the hashes of its checkpoint: a rewritten or shortened past does not lead to them. A value
changed behind an old entry without touching the chain is found by the check of everything, which starts every stream at its beginning, and
goes over the site's tables and signatures as well: what no entry cites, records against their last version, seals.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from . import anchors, canon, chain, keys, seals, tables
from .database import Snapshot
from .findings import CannotVerify, Finding, Report
from .rows import RowCheck


def verify_site(
    url: str, site: str, *, sealed: Collection[str] = (), size: int = 0, again: Collection[str] = (), whole: bool = False, key_lines: Collection[str] = (),
) -> Report:  # fmt: skip
    """Checks the streams of a site since a checkpoint, given as its lines "stream seq hash" and its size; without them from the beginning.

    `again` names streams to check from their beginning whatever the checkpoint says; `whole` adds the site's tables
    and its signatures, with `key_lines` their seals. Raises CannotVerify.
    """
    try:
        known = keys.read(list(key_lines)) if key_lines else None
    except keys.BadKey as error:
        raise CannotVerify(f"The seal keys cannot be used: {error}") from error
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
        if whole:
            if sealed:
                snapshot.all_again()
            seals.check(snapshot, report, known, None, site)
            tables.check(snapshot, report, site)
    finally:
        snapshot.close()
    report.seconds = time.monotonic() - began
    return report
