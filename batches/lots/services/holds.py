"""Holds: a decision that a lot does not go on, and the decision that it does."""

from __future__ import annotations

from batches.events import Event
from batches.lots import queries, rules
from batches.lots.models import Hold, Lot
from batches.permissions import Permission
from mes.records.actors import Actor
from mes.records.door import service
from mes.signatures import ceremony
from mes.signatures.services import sign


@service(Event.HOLD_PLACED)
def place_hold(*, by: Actor, lot_id, reason: str, proof: ceremony.Proof) -> Hold:
    """Put a lot on hold by signature: every step of it is read-only until the hold ends."""
    lot = Lot.objects.lock(lot_id)
    rules.check_can_place_hold(by=by, proof=proof)
    rules.check_can_put_on_hold(by=by, lot=lot, reason=reason)
    what = queries.course_subject(lot, "place on hold", reason=reason)
    sign(by=by, proof=proof, what=what, meaning="placed_on_hold", stream=lot.stream, lot_id=lot.pk, permission=Permission.HOLD_LOT)
    return _write(by, lot, reason, proof.user.pk)


@service(Event.HOLD_PLACED)
def put_on_hold(*, by: Actor, lot_id, reason: str) -> Hold:
    """The same inside a deed that is signed itself (a decision step) or that a rule demands. It is no page's own act."""
    lot = Lot.objects.lock(lot_id)
    rules.check_can_put_on_hold(by=by, lot=lot, reason=reason)
    return _write(by, lot, reason, by.user_id)


def _write(by: Actor, lot: Lot, reason: str, placed_by) -> Hold:
    hold = Hold(site_id=by.site_id, lot=lot, reason=reason.strip(), placed_by_id=placed_by)
    hold.save()
    return hold


@service(Event.HOLD_ENDED)
def end_hold(*, by: Actor, hold_id, seen: int, reason: str, proof: ceremony.Proof) -> Hold:
    """Decide by signature that the lot goes on."""
    hold = Hold.objects.lock(hold_id, seen=seen)
    rules.check_can_end_hold(by=by, hold=hold, reason=reason, proof=proof)
    what = queries.hold_subject(hold, reason)
    sign(by=by, proof=proof, what=what, meaning="resumed", stream=hold.stream, lot_id=hold.lot_id, permission=Permission.RESUME_LOT)
    hold.state, hold.ended_by_id, hold.ended_reason = "ended", proof.user.pk, reason.strip()
    hold.save()
    return hold
