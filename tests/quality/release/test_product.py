"""When product is discarded, comes back or is not given: after the decision about its lot; and that the reason of a decision is signed."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.template.loader import render_to_string

from batches.custody.services import hand_over
from batches.lots.models import Container
from mes.audit import readable
from mes.audit.models import AuditEntry
from mes.errors import StaleRecord
from quality.release import queries, services
from quality.release.models import ProductUse, ReleaseDecision
from tests.builders.staff import PASSWORD, signed_in
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
    with judged.reading():
        told = readable.describe_all(list(AuditEntry.objects.filter(lot_id=judged_lot.pk)))
    given = next(line for lines in told.values() for line in lines if line.what.endswith(" not infused"))
    assert given.new == "The container is damaged: The bag leaks at its port" and given.notable


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
    where = {"from_place": "Demo hospital", "to_place": "Floor site"}
    proof = judged.hand_over_proof(lot, "return", "rex", "received", **where)
    return hand_over(by=judged.by("rex"), container_id=bag.pk, kind="return", scanned=f"CTL:C:{bag.identifier}", proof=proof, **where)


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


@pytest.mark.req("SIG-06", case="positive")
def test_the_reason_of_a_rejection_and_of_a_withdrawal_is_signed(judged):
    lot, other = judged.ready(), judged.ready()
    certifier = signed_in(judged.users["ruth"])
    page = certifier.get(f"/lots/{lot.number}/release/reject/").content.decode()
    body = {"who": judged.users["ruth"].username, "secret": PASSWORD, "reason": "The container leaks", "code": judged.code("ruth")}
    intent = re.search(r'name="intent" value="([^"]+)"', page)[1]
    assert certifier.post(f"/lots/{lot.number}/release/reject/", body | {"intent": intent}).status_code == 303
    judged.certify(other, who="rob")
    second, at = signed_in(judged.users["rob"]), f"/api/v1/lots/{other.number}/withdraw/"
    prepared = second.get(at).json()
    assert prepared["content"]["reason"] == ""
    sent = {
        "intent": prepared["intent"], "username": judged.users["rob"].username, "secret": PASSWORD, "code": judged.code("rob"),
        "reason": "The wrong chart was read",
    }  # fmt: skip
    answer = second.post(at, json.dumps(sent), content_type="application/json", HTTP_IDEMPOTENCY_KEY=str(uuid.uuid4()))
    assert answer.status_code == 201, answer.content
    for each, reason in ((lot, "The container leaks"), (other, "The wrong chart was read")):
        with judged.reading():
            decision = ReleaseDecision.objects.select_related("signature__payload").get(lot=each, kind__in=["rejected", "withdrawn"])
            assert queries.payload_of(decision)["reason"] == reason == decision.reason


@pytest.mark.req("SIG-06", case="negative")
def test_a_rejection_signed_for_one_reason_is_refused_for_another(judged):
    lot = judged.ready()
    proof = judged.proved("ruth", "ruth", lambda: queries.refusal_subject(judged.fresh_in(lot), "reject", "The container leaks"), "rejected")
    with pytest.raises(StaleRecord):
        services.reject(by=judged.by("ruth"), lot_id=lot.pk, seen=judged.fresh(lot).version, reason="Something else", proof=proof)
    assert judged.fresh(lot).state == "in_review"


def test_a_product_that_was_too_warm_on_its_way_is_marked_where_it_is_given():
    product = [("Use before", "28 Nov 2026, 08:55 CET", ""), ("On the way, Final container", "3.1 °C to 9.5 °C", "Past its limit")]
    drawn = render_to_string("quality/release/_product.html", {"product": product})
    assert drawn.count("Past its limit") == 1 and drawn.index("On the way") < drawn.index("Past its limit") < drawn.index("9.5 °C")
