"""When product is discarded, comes back or is recorded as not given: after the decision about its lot, never before."""

from __future__ import annotations

import pytest

from batches.custody.services import hand_over
from batches.lots.models import Container
from quality.release import queries, services
from quality.release.models import ProductUse
from tests.quality.release.test_services import broken, dispatch, reject, use

NOTHING_GIVEN = {"started_at": None, "ended_at": None, "volume": "", "reason_code": "other", "reason": "Poured away"}


@pytest.mark.req("REL-06", case="negative")
def test_two_persons_cannot_discard_a_bag_of_a_lot_that_nobody_decided_about(judged):
    made, judged_lot = judged.made(), judged.ready()
    for lot, words in ((made, "manufactured"), (judged_lot, "in review")):
        with broken("lot_not_decided") as answer:
            use(judged, lot, infused=False, reason_code="product_damaged", reason="The bag leaks at its port")
        assert f"Lot {lot.number} is {words}" in answer.value.sentence
        with judged.reading():
            assert not ProductUse.objects.filter(lot=lot).exists() and Container.objects.get(lot=lot, kind="final_bag").state == "in_use"
    reject(judged, judged_lot)
    use(judged, judged_lot, infused=False, reason_code="product_damaged", reason="The bag leaks at its port")
    with judged.reading():
        assert Container.objects.get(lot=judged_lot, kind="final_bag").state == "discarded"
    assert judged.fresh(judged_lot).state == "rejected"


@pytest.mark.req("REL-06", case="negative")
def test_product_comes_back_only_after_the_decision_about_its_lot(judged):
    lot = judged.ready()
    with broken("lot_not_decided"):
        come_back(judged, lot)
    judged.certify(lot)
    dispatch(judged, lot)
    come_back(judged, lot)
    with judged.reading():
        assert Container.objects.get(lot=lot, kind="final_bag").state == "discarded"


def come_back(judged, lot):
    bag = judged.bag(lot)
    proof = judged.hand_over_proof(lot, "return", "rex", "received")
    return hand_over(
        by=judged.by("rex"), container_id=bag.pk, kind="return", scanned=bag.identifier, from_place="Demo hospital", to_place="Floor site", proof=proof
    )


def test_a_container_of_the_process_is_no_product_that_is_used(judged):
    lot = judged.ready()
    judged.certify(lot)
    source = judged.container(lot)
    with judged.reading():
        what = queries.use_subject(Container.objects.select_related("lot__therapy_event").get(pk=source.pk), services.use_facts(infused=False, **NOTHING_GIVEN))
    proofs = [judged.proved("tess", *who, what, meaning) for who, meaning in ((["tess"], "not_infused"), (["tina"], "confirmed_identity"))]
    with broken("not_a_final_bag"):
        services.record_use(
            by=judged.by("tess"), container_id=source.pk, infused=False, scanned=source.identifier, coi=judged.bag(lot).lot.therapy_event.coi,
            first=proofs[0], second=proofs[1], **NOTHING_GIVEN,
        )  # fmt: skip
