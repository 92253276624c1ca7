"""What the review hangs onto at start: it opens with the last step, and opens again with any later entry."""

from __future__ import annotations

from batches.events import Event as BatchEvent
from batches.lots.models import Lot
from mes.audit import kinds
from mes.records.door import receive
from mes.web.panels import register_nav
from quality.events import Event
from quality.permissions import Permission
from quality.review.kinds import INFORMATIONAL, QUIET
from quality.review.models import Review
from quality.review.services import reopen_review

SIGNED = Review.objects.filter(state="reviewed").order_by().kept()
"""Asked at nearly every deed: the key alone, in no order (a lot has one review)."""


def open_again(*, by, subject) -> None:
    """Receiver of everything that says how a lot was made or tested: a signed review of that lot is open again (AUD-11)."""
    lot_id = subject.pk if isinstance(subject, Lot) else getattr(subject, "lot_id", None)
    if lot_id is None:
        return
    for review_id in SIGNED.ids(lot_id=lot_id):
        reopen_review(by=by, review_id=review_id)


def register() -> None:
    kinds.routine(INFORMATIONAL)
    for event in (*BatchEvent, *Event):
        if event not in QUIET:
            receive(event, open_again)
    register_nav("Review", "quality:review:list", [Permission.REVIEW_LOT, Permission.CERTIFY_LOT], order=45)
