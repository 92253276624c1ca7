"""When an exception may be decided and a review finished. AUD-11, AUD-12; PI 041-1 9.6, 9.8."""

from __future__ import annotations

from batches.dossier import queries as dossier
from batches.lots.models import Lot
from mes.errors import NotAllowed, RuleBroken
from mes.people.rules import check_may, check_person_may
from mes.records.actors import Actor
from quality.permissions import Permission
from quality.review.models import Review
from quality.review.queries import DECISIONS, Picture

LEAST_COMMENT = 10
REVIEWABLE = frozenset({"ordered", "in_execution", "manufactured", "in_review", "certified_stage_1", "terminated", "certified_final"})
SIGNABLE = frozenset({"manufactured", "in_review", "certified_stage_1"})


def check_reviewer(person_id, name: str, lot: Lot) -> None:
    """Raises NotAllowed("own_work"): nobody reviews a record they performed, checked or recorded in."""
    did = dossier.workers(lot).get(person_id)
    if did:
        raise NotAllowed(
            "own_work",
            f"{name} {' and '.join(sorted(did))} in lot {lot.number} and cannot review it. Another reviewer has to do it.",
            detail={"subject": str(lot.pk)},
        )


def check_can_open_review(*, by: Actor, lot: Lot) -> None:
    check_may(by, Permission.REVIEW_LOT)
    if lot.state not in REVIEWABLE:
        raise RuleBroken("lot_not_reviewable", f"Lot {lot.number} is {lot.state.replace('_', ' ')}. There is nothing left to review.")
    if Review.objects.filter(lot=lot).exists():
        raise RuleBroken("review_open", f"The review of lot {lot.number} was opened before.")


def check_can_disposition(*, by: Actor, lot: Lot, decision: str, comment: str) -> None:
    """Raises NotAllowed; RuleBroken: `unknown_decision`, `comment_missing`, `lot_not_reviewable`."""
    check_may(by, Permission.REVIEW_LOT)
    check_reviewer(by.user_id, by.full_name, lot)
    if lot.state not in REVIEWABLE:
        raise RuleBroken("lot_not_reviewable", f"Lot {lot.number} is {lot.state.replace('_', ' ')}. Its exceptions are no longer decided.")
    if decision not in DECISIONS:
        raise RuleBroken("unknown_decision", f"The decision is one of: {', '.join(word.lower() for word in DECISIONS.values())}.", field="decision")
    if len(comment.strip()) < LEAST_COMMENT:
        raise RuleBroken("comment_missing", f"Say why in at least {LEAST_COMMENT} characters: an inspector reads it beside the exception.", field="comment")


def check_can_finish_review(*, by: Actor, lot: Lot, shown: Picture, signer) -> None:
    """Raises NotAllowed; RuleBroken: `record_not_complete`, `review_done`, `exceptions_open`."""
    check_person_may(signer, Permission.REVIEW_LOT, by.site_id)
    check_reviewer(signer.pk, signer.full_name, lot)
    if lot.state not in SIGNABLE:
        raise RuleBroken(
            "record_not_complete", f"Lot {lot.number} is {lot.state.replace('_', ' ')}. The review is signed when every step before release is done."
        )
    if shown.is_current:
        raise RuleBroken("review_done", f"The review of lot {lot.number} is signed, and nothing came after it.")
    open_ones = shown.to_decide
    if open_ones:
        first = open_ones[0]
        word = "exception needs" if len(open_ones) == 1 else "exceptions need"
        sentence = f"{len(open_ones)} {word} a decision first. Number {first.number}: {first.finding.title}."
        if first.is_decided:
            sentence += f" It was decided as {first.decision_words.lower()}; decide again when that is done."
        raise RuleBroken("exceptions_open", sentence, detail={"exception": first.key})


def check_can_reopen_review(*, by: Actor, review: Review) -> None:
    if review.state != "reviewed":
        raise RuleBroken("review_open", "The review is open.")
