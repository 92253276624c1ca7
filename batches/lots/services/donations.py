"""Starting material: collected at the bedside, received, and decided on by QA."""

from __future__ import annotations

import datetime as dt

from batches.events import Event
from batches.lots import queries, rules
from batches.lots.identifiers import check_din, parse_scan
from batches.lots.models import Container, Donation, Lot
from batches.lots.services.containers import move_container
from batches.lots.services.identity import prove_identity
from batches.lots.services.orders import feed, new_donation
from batches.permissions import Permission
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import ceremony
from mes.signatures.services import sign


@service(Event.DONATION_ADDED)
def add_donation(*, by: Actor, lot_id, din: str) -> Donation:
    """A further donation feeds the lot. Raises what ordering raises for a donation number, and `din_twice`."""
    lot = Lot.objects.lock(lot_id)
    number = check_din(din)
    known = Donation.objects.filter(din=number).select_related("therapy_event").first()
    rules.check_can_add_donation(by=by, lot=lot, known=known)
    donation = known or new_donation(by, lot.therapy_event, number)
    feed(by, lot, donation)
    return donation


@service(Event.DONATION_COLLECTED)
def collect_donation(
    *, by: Actor, donation_id, seen: int, scanned: str, collected_at: dt.datetime | None = None, typed_with: ceremony.Proof | None = None
) -> Donation:
    """The donation was collected. `scanned` is the DIN or the label on the bag; `collected_at` the time of collection where it was earlier.

    `typed_with` is the proof of a second person who read an identifier that could not be scanned. Raises WrongScan: `wrong_donation`,
    `container_unknown`; UnreadableInput("typed_alone").
    """
    donation = Donation.objects.lock(donation_id, seen=seen)
    rules.check_can_collect_donation(by=by, donation=donation)
    _check_scan(by, donation, scanned, typed_with)
    donation.state, donation.collected_at = "collected", collected_at or deed_now().at
    donation.save()
    for container in Container.objects.filter(donation=donation, state="expected").order_by("id"):
        move_container(by=by, container_id=container.pk, state="in_use")
    return donation


@service(Event.DONATION_RECEIVED)
def receive_donation(*, by: Actor, donation_id, seen: int, scanned: str, typed_with: ceremony.Proof | None = None) -> Donation:
    """The donation arrived where it is made into a lot, and its bag was scanned, or its identifier typed in full and read by a second person too."""
    donation = Donation.objects.lock(donation_id, seen=seen)
    rules.check_can_receive_donation(by=by, donation=donation)
    _check_scan(by, donation, scanned, typed_with)
    donation.state = "received"
    donation.save()
    return donation


def _check_scan(by: Actor, donation: Donation, scanned: str, typed_with: ceremony.Proof | None) -> None:
    read = parse_scan(scanned)
    rules.check_same_donation(donation, read, queries.container_of(read))
    prove_identity(by=by, record=donation, read=read, first_id=by.user_id, typed_with=typed_with)


@service(Event.DONATION_DECIDED)
def decide_donation(*, by: Actor, donation_id, seen: int, accept: bool, reason: str, proof: ceremony.Proof) -> Donation:
    """QA accepts the donation as starting material or rejects it, by signature."""
    donation = Donation.objects.lock(donation_id, seen=seen)
    rules.check_can_decide_donation(by=by, donation=donation, accept=accept, reason=reason, proof=proof, handled_by=queries.handled_by(donation))
    sign(
        by=by, proof=proof, what=queries.decision_subject(donation, accept, reason), meaning="accepted_starting_material", stream=donation.stream,
        permission=Permission.DECIDE_STARTING_MATERIAL,
    )  # fmt: skip
    donation.state, donation.decision_reason = "accepted" if accept else "rejected", reason.strip()
    donation.save()
    return donation
