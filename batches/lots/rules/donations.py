"""When a donation may be collected, received and decided on. COI-03, COI-09."""

from __future__ import annotations

from batches.lots.models import Donation, Lot
from batches.lots.rules.course import check_lot_open_for_work
from batches.lots.rules.orders import check_donation_is_ours
from batches.permissions import Permission
from mes.errors import NotAllowed, RuleBroken
from mes.people import rules as people
from mes.records.actors import Actor
from mes.signatures.ceremony import Proof


def check_can_add_donation(*, by: Actor, lot: Lot, known: Donation | None) -> None:
    people.check_may(by, Permission.ORDER_LOT)
    check_lot_open_for_work(lot)
    if known is not None:
        check_donation_is_ours(known, lot.therapy_event.patient, lot.therapy_event)
        if lot.lot_donations.filter(donation=known).exists():
            raise RuleBroken("din_twice", f"Donation {known.din} feeds this lot already.", field="din")


def check_can_collect_donation(*, by: Actor, donation: Donation) -> None:
    people.check_may(by, Permission.RECORD_COLLECTION)
    _check_move(donation, "collected")


def check_can_receive_donation(*, by: Actor, donation: Donation) -> None:
    people.check_may(by, Permission.RECEIVE_STARTING_MATERIAL)
    _check_move(donation, "received")


def check_can_decide_donation(*, by: Actor, donation: Donation, accept: bool, reason: str, proof: Proof, handled_by: set) -> None:
    """QA decides, never somebody who collected or received it. Raises NotAllowed (`not_your_role`, `same_person`), RuleBroken."""
    people.check_person_may(proof.user, Permission.DECIDE_STARTING_MATERIAL, by.site_id)
    if proof.user.pk in handled_by:
        raise NotAllowed("same_person", f"{proof.user.full_name} collected or received this donation. Somebody else decides on its use.")
    if not accept and len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "A donation is rejected with a reason in your words.", field="reason")
    _check_move(donation, "accepted" if accept else "rejected")


def _check_move(donation: Donation, to: str) -> None:
    if donation.state == to or to not in Donation.states.moves[donation.state]:
        raise RuleBroken("state_move", f"Donation {donation.din} is {donation.state}; it cannot become {to} from there.")
