"""When a paper of the record may be asked for and kept."""

from __future__ import annotations

from batches.lots.models import Lot
from batches.permissions import Permission
from mes.errors import NotAllowed
from mes.people.rules import check_may
from mes.records.actors import Actor


def check_can_ask_for_record(*, by: Actor, lot: Lot) -> None:
    check_may(by, Permission.READ_RECORD)


def check_can_keep_record(*, by: Actor, lot: Lot) -> None:
    """Raises NotAllowed: papers are drawn by the background job from what is recorded."""
    if by.kind != "system":
        raise NotAllowed("rendered_by_job", "Papers are drawn by the background job from what is recorded.")
