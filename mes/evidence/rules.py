"""Who may take a stream's evidence out of the building, and from where."""

from __future__ import annotations

from mes.errors import NotAllowed, RuleBroken
from mes.people.models import User
from mes.people.rules import check_may
from mes.permissions import Permission
from mes.records.actors import Actor


def check_can_make_evidence(*, by: Actor, site_id) -> None:
    """Raises NotAllowed for whoever may not; RuleBroken("evidence_at_own_site") at another site, which does not see the whole stream.

    The installation's own account may: whoever runs the command has the machine. What it does is audited all the same.
    """
    if by.kind == User.DEVICE:
        raise NotAllowed("not_your_role", "A device makes no evidence file. Ask somebody whose role allows it.")
    if by.kind == User.PERSON:
        check_may(by, Permission.MAKE_EVIDENCE)
    if by.site_id != site_id:
        raise RuleBroken("evidence_at_own_site", "An evidence file is made at the site that keeps this record, under its checkpoints. Ask there.")


def check_can_record_evidence_file(*, by: Actor, site_id, sha256: str, entries: int) -> None:
    """The same, and that there is something to write down."""
    check_can_make_evidence(by=by, site_id=site_id)
    if len(sha256) != 64 or entries < 1:
        raise RuleBroken("evidence_without_digest", "An evidence file names its entries and the SHA-256 of its bytes.")
