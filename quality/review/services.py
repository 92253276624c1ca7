"""Deeds of the review: it is opened, each exception is decided, it is signed, and a later entry opens it again."""

from __future__ import annotations

from batches.lots.models import Lot
from batches.lots.services import move_lot
from mes.records.actors import Actor
from mes.records.door import service
from mes.signatures import ceremony
from mes.signatures.services import sign
from quality.deviations.services import open_by_hand
from quality.events import Event
from quality.permissions import Permission
from quality.review import rules
from quality.review.kinds import RULES_VERSION
from quality.review.models import Disposition, Review
from quality.review.queries import picture, subject_of


@service(Event.REVIEW_OPENED)
def open_review(*, by: Actor, lot_id) -> Review:
    """Open the review of a lot. It may be opened while the lot is still made (REL-07); a lot that is made moves into review."""
    lot = Lot.objects.lock(lot_id)
    rules.check_can_open_review(by=by, lot=lot)
    review = Review(site_id=lot.site_id, lot=lot, rules_version=RULES_VERSION)
    review.save()
    _into_review(by, lot)
    return review


def _into_review(by: Actor, lot: Lot) -> None:
    if lot.state == "manufactured":
        move_lot(by=by, lot_id=lot.pk, state="in_review")


def _review_of(by: Actor, lot: Lot) -> Review:
    """The lot's review, locked; opened by this very deed when there is none."""
    review = Review.objects.filter(lot=lot).first()
    if review is None:
        return open_review(by=by, lot_id=lot.pk)
    _into_review(by, lot)
    return Review.objects.lock(review.pk)


@service(Event.EXCEPTION_DISPOSITIONED)
def disposition(*, by: Actor, lot_id, exception: str, decision: str, comment: str) -> Disposition:
    """Decide about one exception. "needs_deviation" opens a deviation for an exception that has none; the comment describes it.

    A decision may be made again; the latest counts and all stay. It does not open a signed review: that is what finish_review signs.
    """
    lot = Lot.objects.lock(lot_id)
    rules.check_can_disposition(by=by, lot=lot, decision=decision, comment=comment)
    line = picture(lot).line(exception)
    review = _review_of(by, lot)
    if review.state == "reviewed":
        review = reopen_review(by=by, review_id=review.pk)
    made = Disposition(site_id=lot.site_id, lot=lot, review=review, exception=exception, decision=decision, comment=comment.strip())
    made.save()
    if decision == "needs_deviation" and line.deviation is None:
        open_by_hand(by=by, lot_id=lot.pk, title=line.finding.title, description=comment.strip())
    return made


@service(Event.LOT_REVIEWED)
def finish_review(*, by: Actor, lot_id, seen: int, proof: ceremony.Proof) -> Review:
    """Sign the review: every exception is decided, and the signature covers each decision and the trail up to its last entry (AUD-11)."""
    lot = Lot.objects.select_related("therapy_event", "recipe_version__master", "site").lock(lot_id)
    shown = picture(lot)
    what = subject_of(shown)
    rules.check_can_finish_review(by=by, lot=lot, shown=shown, signer=proof.user)
    review = Review.objects.lock(shown.review.pk, seen=seen)
    sign(by=by, proof=proof, what=what, meaning="reviewed", stream=review.stream, lot_id=lot.pk, permission=Permission.REVIEW_LOT)
    _into_review(by, lot)
    review.state, review.reviewed_by, review.entries_covered, review.rules_version = "reviewed", proof.user, shown.last_loud, RULES_VERSION
    review.save()
    return review


@service(Event.REVIEW_REOPENED)
def reopen_review(*, by: Actor, review_id) -> Review:
    """A later entry opens a signed review again, in that entry's own transaction."""
    review = Review.objects.lock(review_id)
    rules.check_can_reopen_review(by=by, review=review)
    review.state = "open"
    review.save()
    return review
