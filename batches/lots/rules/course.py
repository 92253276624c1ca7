"""When a lot starts, goes on, is held and ends."""

from __future__ import annotations

from batches.lots.models import Donation, Hold, Lot
from batches.lots.states import TERMINATION_REASONS
from batches.permissions import Permission
from mes.errors import RuleBroken
from mes.people import rules as people
from mes.records.actors import Actor
from mes.signatures.ceremony import Proof

OPEN_FOR_WORK = {"ordered", "in_execution"}


def check_lot_open_for_work(lot: Lot) -> None:
    """Raises RuleBroken: `lot_not_open_for_work`, `lot_on_hold`. Every deed on a running lot asks this first."""
    if lot.state not in OPEN_FOR_WORK:
        raise RuleBroken("lot_not_open_for_work", f"Lot {lot.number} is {lot.state.replace('_', ' ')}. Nothing more is recorded in its steps.")
    hold = Hold.objects.filter(lot=lot, state="open").select_related("placed_by").first()
    if hold:
        raise RuleBroken(
            "lot_on_hold",
            f"Lot {lot.number} is on hold, placed by {hold.placed_by.full_name}: {hold.reason} Somebody who may resume it decides how it goes on.",
        )


def check_can_start_lot(*, by: Actor, lot: Lot) -> None:
    """Manufacture starts with starting material that QA accepted. Raises RuleBroken: `state_move`, `starting_material_not_accepted`. COI-09."""
    people.check_may(by, Permission.RECORD_VALUES)
    check_lot_open_for_work(lot)
    if lot.state != "ordered":
        raise RuleBroken("state_move", f"Lot {lot.number} was started before.")
    states = dict(Donation.objects.filter(lot_donations__lot=lot).values_list("din", "state"))
    waiting = [din for din, state in states.items() if state not in {"accepted", "rejected"}]
    if waiting or "accepted" not in states.values():
        which = f"Donation {waiting[0]} is {states[waiting[0]]}." if waiting else "No donation of this lot was accepted."
        raise RuleBroken("starting_material_not_accepted", f"{which} QA decides on its use before manufacture starts.")


def check_can_move_lot(*, by: Actor, lot: Lot, state: str) -> None:
    """Authority is asked by the deed that moves the lot; here only that people belong to the site, and the table of moves."""
    if by.kind == "person":
        people.check_may(by, Permission.READ_LOTS)
    if state not in Lot.states.moves or lot.state == state:
        raise RuleBroken("state_move", f"Lot {lot.number} is {lot.state.replace('_', ' ')}; it cannot become {state.replace('_', ' ')}.")
    Lot.states.check_move(lot.state, state)


def check_can_put_on_hold(*, by: Actor, lot: Lot, reason: str) -> None:
    """Raises RuleBroken: `lot_ended`, `on_hold_already`, `reason_missing`."""
    if by.kind == "person":
        people.check_may(by, Permission.READ_LOTS)
    if not lot.is_open:
        raise RuleBroken("lot_ended", f"Lot {lot.number} has ended: {lot.state.replace('_', ' ')}.")
    if Hold.objects.filter(lot=lot, state="open").exists():
        raise RuleBroken("on_hold_already", f"Lot {lot.number} is on hold already.")
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "A hold needs a reason in your words.", field="reason")


def check_can_place_hold(*, by: Actor, proof: Proof) -> None:
    people.check_person_may(proof.user, Permission.HOLD_LOT, by.site_id)


def check_can_end_hold(*, by: Actor, hold: Hold, reason: str, proof: Proof) -> None:
    people.check_person_may(proof.user, Permission.RESUME_LOT, by.site_id)
    if hold.state != "open":
        raise RuleBroken("hold_ended", "This hold was ended before.")
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "Say why the lot may go on.", field="reason")


def check_can_terminate_lot(*, by: Actor, lot: Lot, reason_code: str, reason: str, proof: Proof) -> None:
    """Raises NotAllowed; RuleBroken: `reason_code_unknown`, `reason_missing`, `state_move`."""
    people.check_person_may(proof.user, Permission.TERMINATE_LOT, by.site_id)
    if reason_code not in TERMINATION_REASONS:
        raise RuleBroken("reason_code_unknown", f"The reason is one of: {', '.join(TERMINATION_REASONS)}.", field="reason_code")
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "A lot ends with a reason in your words.", field="reason")
    Lot.states.check_move(lot.state, "terminated")
    if lot.state == "terminated":
        raise RuleBroken("state_move", f"Lot {lot.number} was terminated before.")


def check_can_cancel_lot(*, by: Actor, lot: Lot, reason: str) -> None:
    people.check_may(by, Permission.ORDER_LOT)
    if lot.state != "ordered":
        raise RuleBroken(
            "state_move", f"Lot {lot.number} is {lot.state.replace('_', ' ')}. Only a lot that has not started is cancelled; this one can be terminated."
        )
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "An order is cancelled with a reason in your words.", field="reason")
