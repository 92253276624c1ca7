"""Deeds on a certified product: it is dispatched, and infused or not. REL-06; COI-05."""

from __future__ import annotations

import datetime as dt

from batches.custody.models import HandOver
from batches.custody.services import hand_over
from batches.lots.models import Container, Lot
from batches.lots.services import move_container, move_lot
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import ceremony
from mes.signatures.services import sign
from quality.events import Event
from quality.permissions import Permission
from quality.release import queries, rules
from quality.release.models import ProductUse


@service(Event.PRODUCT_DISPATCHED)
def dispatch(
    *, by: Actor, container_id, scanned: str, from_place: str, to_place: str, proof: ceremony.Proof, carrier: str = "", seal: str = "", logger: str = "",
    remark: str = "", typed_with: ceremony.Proof | None = None,
) -> HandOver:  # fmt: skip
    """Hand a certified product over for transport, by scan and signature of what custody shows (`hand_over_subject(container, "dispatch")`).

    Refused before certification, when the certificate no longer holds, on hold and past the shelf life.
    """
    container = _locked(container_id)
    standing = queries.standing_decision(container.lot)
    rules.check_can_dispatch(by=by, container=container, standing=standing, at=deed_now().at, signer=proof.user)
    return hand_over(
        by=by, container_id=container.pk, kind="dispatch", scanned=scanned, from_place=from_place, to_place=to_place, proof=proof, carrier=carrier, seal=seal,
        logger=logger, remark=remark, typed_with=typed_with,
    )  # fmt: skip


def _locked(container_id) -> Container:
    """The container with its lot, the lot locked first."""
    lot_id = Container.objects.one(pk=container_id).lot_id
    lot = queries.lot_locked(lot_id)
    container = Container.objects.lock(container_id)
    container.lot = lot
    return container


@service(Event.PRODUCT_USED)
def record_use(
    *, by: Actor, container_id, infused: bool, scanned: str, coi: str, first: ceremony.Proof, second: ceremony.Proof, started_at: dt.datetime | None = None,
    ended_at: dt.datetime | None = None, volume: str = "", reason_code: str = "", reason: str = "",
) -> ProductUse:  # fmt: skip
    """What became of a container: infused, or not and why, with the identity checked by two persons who both sign exactly this.

    `scanned` is the container's full identifier and `coi` the patient's chain-of-identity code, as scanned at the bedside. Where
    one of them was typed, both sign that it was, the second with a meaning of its own by which it is counted (decision 10). A lot of which
    nothing was infused ends as "manufactured, not infused".
    """
    container = _locked(container_id)
    lot, standing = container.lot, queries.standing_decision(container.lot)
    rules.check_can_record_use(
        by=by, container=container, infused=infused, scanned=scanned, coi=coi, standing=standing, at=deed_now().at, started_at=started_at, ended_at=ended_at,
        volume=volume if infused else "", reason_code=reason_code, reason=reason, first=first.user, second=second.user,
    )  # fmt: skip
    facts = queries.use_facts(infused=infused, started_at=started_at, ended_at=ended_at, volume=volume, reason_code=reason_code, reason=reason)
    typed = queries.identity_typed(scanned, coi)
    what = queries.use_subject(container, facts, typed=typed)
    made = {"by": by, "what": what, "stream": lot.stream, "lot_id": lot.pk}
    one = sign(proof=first, meaning="infused" if infused else "not_infused", permission=Permission.RECORD_INFUSION, **made)
    two = sign(proof=second, meaning=queries.identity_meaning(typed), permission=Permission.RECORD_INFUSION, **made)
    use = ProductUse(
        site_id=by.site_id, lot=lot, container=container, infused=infused, started_at=started_at if infused else None,
        ended_at=ended_at if infused else None, volume_text=volume.strip() if infused else "", reason_code="" if infused else reason_code,
        reason=reason.strip(), first_signature=one, second_signature=two,
    )  # fmt: skip
    use.save()
    move_container(by=by, container_id=container.pk, state="infused" if infused else "discarded")
    if not infused:
        _end_when_nothing_was_given(by, lot, reason_code, reason)
    return use


def _end_when_nothing_was_given(by: Actor, lot: Lot, reason_code: str, reason: str) -> None:
    bags = queries.final_bags(lot)
    if lot.state in rules.CERTIFIED and all(bag.state == "discarded" for bag in bags):
        move_lot(by=by, lot_id=lot.pk, state="manufactured_not_infused", reason_code=reason_code, reason=reason)
