"""The scheduled verification of a site's trail by the program that shares no code with the writer (AUD-07), and what it left behind.

It goes on from the checkpoint of the check before. A stream that did not hold is gone over from its beginning each time, and with it the site's
tables and signatures, until all of it holds: what a check of everything found must not be gone at the next that looks at less.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from mes import env
from mes.checkpoints import services
from mes.checkpoints.models import Checkpoint, TrailCheck
from mes.checkpoints.queries import last_check
from mes.records import guard_marks
from mes.records.actors import Actor
from mes.records.context import site_context
from mes.verifier.database import CannotVerify
from mes.verifier.increment import verify_site


def check_trail(by: Actor, *, whole: bool = False, seal_keys: Sequence[str] = ()) -> TrailCheck:
    """Verify what the site wrote since its last check, or everything, look at the guards, and keep the result. Raises CannotVerify: no check is no good news.

    `seal_keys` are the public keys of the site's seals; without them a seal has to be there and is not checked.
    """
    url = env.given("VERIFY_DATABASE_URL")
    if not url:
        raise CannotVerify("VERIFY_DATABASE_URL is missing: the scheduled verification reads as cartulary_verifier.")
    with site_context(by.site_id):
        last = last_check(by.site_id)
        newest = Checkpoint.objects.filter(site_id=by.site_id).order_by("-size").first()
        since = Checkpoint.objects.filter(site_id=by.site_id, size=last.size).first() if last and not whole else None
    sealed = bytes(since.snapshot).decode().splitlines() if since else []
    before = last.broken if last else {}
    report = verify_site(
        url, str(by.site_id), sealed=sealed, size=since.size if since else 0, again=set(before), whole=whole or bool(before), key_lines=seal_keys
    )
    states = report.findings.states()
    size = newest.size if newest else 0
    broken = {
        stream or "(no stream)": {"sentence": str(finding), "state": states[stream], "since": before.get(stream or "(no stream)", {}).get("since", str(size))}
        for stream, finding in sorted(report.findings.first.items())
    }
    gone = guard_marks.findings(connection)
    return services.record_trail_check(by=by, size=size, streams=report.streams, entries=report.entries, broken=broken, guards=gone)


def guards_changed(by: Actor) -> bool:
    """Whether the guards stand otherwise than the newest check found them: then the next one does not wait for its hour."""
    with site_context(by.site_id):
        last = last_check(by.site_id)
    return guard_marks.findings(connection) != (last.guards if last else [])
