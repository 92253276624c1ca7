"""The course of a lot: start, moves inside other deeds, end before release."""

from __future__ import annotations

from batches.equipment.services import free_all_of
from batches.events import Event
from batches.lots import queries, rules
from batches.lots.models import Donation, Lot
from batches.permissions import Permission
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import ceremony
from mes.signatures.services import sign


@service(Event.LOT_STARTED)
def start_lot(*, by: Actor, lot_id) -> Lot:
    """Manufacture starts. Raises RuleBroken: `starting_material_not_accepted`, `lot_on_hold`, `state_move`. COI-09."""
    lot = Lot.objects.lock(lot_id)
    rules.check_can_start_lot(by=by, lot=lot)
    lot.state, lot.started_at = "in_execution", deed_now().at
    lot.save()
    return lot


@service(Event.LOT_MOVED)
def move_lot(*, by: Actor, lot_id, state: str, reason_code: str = "", reason: str = "") -> Lot:
    """Move a lot inside the deed that decides it (last step, review, certification, a signed decision to stop).

    That deed asks for authority and signature; here the table of moves is asked. A lot that ends leaves its equipment.
    """
    lot = Lot.objects.lock(lot_id)
    rules.check_can_move_lot(by=by, lot=lot, state=state)
    _move(by, lot, state, reason_code, reason)
    if state in {"manufactured", "terminated"}:
        deed_now().tell(Event.LOT_MANUFACTURED if state == "manufactured" else Event.LOT_TERMINATED, lot)
    return lot


def _move(by: Actor, lot: Lot, state: str, reason_code: str, reason: str) -> None:
    lot.state = state
    if reason_code or reason:
        lot.end_reason_code, lot.end_reason = reason_code, reason.strip()
    if not lot.is_open:
        lot.ended_at = deed_now().at
    lot.save()
    if state in {"manufactured", "terminated"}:
        free_all_of(by=by, lot=lot)


@service(Event.LOT_TERMINATED)
def terminate_lot(*, by: Actor, lot_id, seen: int, reason_code: str, reason: str, proof: ceremony.Proof) -> Lot:
    """End a lot before release, by signature, with a reason code of rules.TERMINATION_REASONS and words."""
    lot = Lot.objects.lock(lot_id, seen=seen)
    rules.check_can_terminate_lot(by=by, lot=lot, reason_code=reason_code, reason=reason, proof=proof)
    what = queries.course_subject(lot, "terminate", reason_code, reason=reason)
    sign(by=by, proof=proof, what=what, meaning="terminated", stream=lot.stream, lot_id=lot.pk, permission=Permission.TERMINATE_LOT)
    _move(by, lot, "terminated", reason_code, reason)
    return lot


@service(Event.LOT_CANCELLED)
def cancel_lot(*, by: Actor, lot_id, seen: int, reason: str) -> Lot:
    """Cancel an order before the lot started; donations that feed no other lot are cancelled too, when they were not collected."""
    lot = Lot.objects.lock(lot_id, seen=seen)
    rules.check_can_cancel_lot(by=by, lot=lot, reason=reason)
    lot.state, lot.end_reason, lot.ended_at = "cancelled", reason.strip(), deed_now().at
    lot.save()
    for donation in Donation.objects.filter(lot_donations__lot=lot, state="expected").order_by("id"):
        if not donation.lot_donations.exclude(lot=lot).exclude(lot__state="cancelled").exists():
            donation = Donation.objects.lock(donation.pk)
            donation.state = "cancelled"
            donation.save()
    return lot
