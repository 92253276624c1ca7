"""What the review hangs onto at start: it opens with the last step, and opens again with any later entry."""

from __future__ import annotations

import uuid

from batches.events import Event as BatchEvent
from batches.lots.models import Lot
from mes.asked import asked
from mes.audit import kinds
from mes.records.door import receive
from mes.web.panels import register_nav
from quality.events import Event
from quality.permissions import Permission
from quality.review.kinds import INFORMATIONAL, QUIET
from quality.review.models import Review
from quality.review.services import reopen_review


@asked(uuid.UUID)
def _signed_reviews(lot_id):
    """Asked at nearly every deed: the key alone, in no order (a lot has one review)."""
    return Review.objects.filter(lot_id=lot_id, state="reviewed").only("pk").order_by()


def open_again(*, by, subject) -> None:
    """Receiver of everything that says how a lot was made or tested: a signed review of that lot is open again (AUD-11)."""
    lot_id = subject.pk if isinstance(subject, Lot) else getattr(subject, "lot_id", None)
    if lot_id is None:
        return
    for review in _signed_reviews(lot_id):
        reopen_review(by=by, review_id=review.pk)


def register() -> None:
    kinds.routine(INFORMATIONAL)
    for event in (*BatchEvent, *Event):
        if event not in QUIET:
            receive(event, open_again)
    register_nav("Review", "quality:review:list", [Permission.REVIEW_LOT, Permission.CERTIFY_LOT], order=45)
