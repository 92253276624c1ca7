"""A lot that must not reach a patient is pushed towards one."""

import pytest

from batches.execution import services as steps
from batches.execution.models import Entry
from batches.execution.queries.content import correction_subject
from batches.lots import queries as lot_queries
from batches.lots import services as lots
from batches.lots.models import Container, Lot
from batches.lots.rules import check_can_order_lot
from mes.clock import record_now
from mes.people import services as people
from mes.people.models import Grant, Role
from quality.deviations.models import Deviation
from quality.deviations.rules import check_not_own_work
from quality.release import queries
from quality.release import services as supply
from quality.review import queries as review_queries
from quality.review import services as review
from quality.samples import services as samples
from quality.samples.models import Sample
from quality.samples.rules import check_evidence
from tests.builders.floor import din
from tests.builders.staff import PASSWORD

DANGER = "an unfit product reaches a patient"


def also(siege, name: str, role: str) -> None:
    """Give somebody a further role."""
    for held in Grant.objects.filter(user=siege.users[name], role__code="qc_analyst", ends_at=None):  # who tests is never given the right to certify beside it
        people.end_grant(by=siege.place.setup, grant_id=held.pk, seen=held.version, reason="Moves to quality")
    people.grant_role(by=siege.place.setup, user=siege.users[name], role=Role.objects.get(site=siege.place.site, code=role))


def dispatch(siege, lot, who="boss"):
    where = {"from_place": "Site", "to_place": "Demo hospital"}
    bag, proof = siege.bag(lot), siege.hand_over_proof(lot, "dispatch", who, "dispatched", **where)
    return supply.dispatch(by=siege.by(who), container_id=bag.pk, scanned=f"CTL:C:{bag.identifier}", proof=proof, **where)


def use(siege, lot, *, first="tess", second="tina", scanned="", coi=""):
    bag, facts = siege.bag(lot), {"started_at": record_now(), "ended_at": None, "volume": "98 mL", "reason_code": "", "reason": ""}
    with siege.reading():
        what = queries.use_subject(queries.bag_scanned(lot.number, bag.identifier), supply.use_facts(infused=True, **facts))
    proofs = [siege.proved("tess", who, what, meaning) for who, meaning in ((first, "infused"), (second, "confirmed_identity"))]
    return supply.record_use(
        by=siege.by("tess"), container_id=bag.pk, infused=True, scanned=scanned or f"CTL:C:{bag.identifier}",
        coi=coi or f"CTL:T:{bag.lot.therapy_event.coi}",
        first=proofs[0], second=proofs[1], **facts,
    )  # fmt: skip


@pytest.mark.req("REL-07", case="negative")
def test_a_running_lot_is_certified(siege, attack):
    """Certify a lot in the middle of its manufacture, with password and one-time code"""
    with attack.refused("gate_closed"):
        siege.certify(siege.young, "final")


@pytest.mark.req("REL-01", case="negative")
def test_a_lot_is_certified_as_final_while_a_result_is_pending(siege, attack):
    """Certify as final while sterility is not in"""
    with attack.refused("gate_closed"):
        siege.certify(siege.lot, "final")


@pytest.mark.req("REL-01", case="negative")
def test_a_failing_result_comes_in_beside_the_certification(siege, attack):
    """Record a failing result after the review, then certify"""
    siege.result(siege.lot, "sterility", "growth")
    with attack.refused("gate_closed"):
        siege.certify(siege.lot, "final")


@pytest.mark.req("SIG-05", case="negative")
def test_a_value_is_corrected_after_its_step_was_signed(siege, attack):
    """Correct a value of a signed step with a second person, then certify"""
    with siege.reading():
        entry = Entry.objects.select_related("step_run").get(lot=siege.lot, parameter="viability")
        what = correction_subject(entry, entry.step_run, "92.4", "Read the wrong line")
    proof = siege.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=siege.by("maya"), entry_id=entry.pk, text="92.4", reason="Read the wrong line", proof=proof)
    gate = siege.gate(siege.lot)
    assert not gate["signatures"].ok and not gate["review"].ok
    with attack.refused("gate_closed"):
        siege.certify(siege.lot)


@pytest.mark.req("REL-02", case="negative")
@pytest.mark.parametrize("who", ["maya", "jonas", "anna", "rolf"])
def test_who_made_or_tested_the_lot_certifies_it(siege, attack, who):
    """Performer, second person, analyst or reviewer of results move to the releasing role and certify"""
    siege.place.move(siege.users[who], "qa_release")
    with attack.refused("own_work"):
        siege.certify(siege.lot, who=who)


@pytest.mark.req("REL-02", case="negative")
def test_who_only_scanned_equipment_certifies(siege, attack):
    """Somebody who only scanned equipment or charged material of the lot certifies it"""
    also(siege, "ruth", "operator")
    steps.use_equipment(by=siege.by("ruth"), step_run_id=siege.run(siege.young, "A1.2").pk, class_code="counter", scanned=siege.equipment("counter").identifier)
    with attack.refused("own_work"):
        siege.certify(siege.young, "final")


@pytest.mark.req("AUD-11", case="negative")
def test_who_charged_material_reviews_the_record(siege, attack):
    """Somebody who only charged material decides the exceptions of the lot"""
    also(siege, "quentin", "operator")
    steps.consume(by=siege.by("quentin"), step_run_id=siege.run(siege.young, "A1.2").pk, line="medium", scanned=siege.medium().identifier)
    with attack.refused("own_work"):
        review.disposition(by=siege.by("quentin"), lot_id=siege.young.pk, exception="x", decision="justified", comment="Looked at, no effect")


@pytest.mark.req("EXE-01", case="negative")
def test_who_charged_the_material_is_the_second_person(siege, attack):
    """Charge the material, let a colleague sign as performer, then sign as the second person who checked it"""
    run = siege.run(siege.young, "A1.2")
    steps.consume(by=siege.by("jonas"), step_run_id=run.pk, line="medium", scanned=siege.medium().identifier)
    for kind in ("counter", "incubator"):
        steps.use_equipment(by=siege.by("maya"), step_run_id=run.pk, class_code=kind, scanned=siege.equipment(kind).identifier)
    steps.attach(by=siege.by("maya"), step_run_id=run.pk, code="report", file_name="c.csv", media_type="text/csv", content=b"cells\n")
    now = record_now().strftime("%Y-%m-%dT%H:%M:%SZ")
    siege.enter(siege.young, "A1.2", viability="82.4", density="1e6", volume="100", sampled_at=now)
    siege.perform(siege.young, "A1.2")
    with attack.refused("same_person"):
        siege.second(siege.young, "A1.2", "jonas")


@pytest.mark.req("REL-06", case="negative")
def test_a_lot_is_dispatched_before_it_is_certified(siege, attack):
    """Dispatch a lot that waits for its certification"""
    with attack.refused("not_certified"):
        dispatch(siege, siege.lot)


@pytest.mark.req("REL-06", case="negative")
def test_the_hand_over_of_custody_is_used_to_dispatch(siege, attack, client):
    """Dispatch by the hand-over of custody over the API, past the rules of the release"""
    bag = siege.bag(siege.lot)
    client.post("/sign-in/", {"username": siege.users["boss"].username, "password": PASSWORD})
    asked = f"/api/v1/lots/{siege.lot.number}/hand-overs/dispatch/sign/?scanned={bag.identifier}&from_place=a&to_place=b"
    answer = client.get(asked)
    assert answer.status_code in (403, 404), answer.content
    attack.came_of_it("no such hand-over there")


@pytest.mark.req("REL-09", case="negative")
def test_a_lot_is_dispatched_after_a_late_failure(siege, attack):
    """Certify in stage 1, let sterility fail, lift the hold, dispatch"""
    siege.certify(siege.lot)
    siege.result(siege.lot, "sterility", "growth")
    with attack.refused("certificate_invalid"):
        dispatch(siege, siege.lot)


@pytest.mark.req("REL-09", case="negative")
def test_a_failed_product_is_infused(siege, attack):
    """Infuse a bag that was dispatched before a late result failed"""
    siege.certify(siege.lot)
    dispatch(siege, siege.lot)
    siege.received(siege.lot)
    siege.result(siege.lot, "sterility", "growth")
    with attack.refused("certificate_invalid"):
        use(siege, siege.lot)


@pytest.mark.req("COI-05", case="negative")
def test_one_person_makes_both_identity_signatures(siege, attack):
    """One person signs the infusion and the check of its identity"""
    siege.certify(siege.lot)
    dispatch(siege, siege.lot)
    siege.received(siege.lot)
    with attack.refused("same_person"):
        use(siege, siege.lot, second="tess")


@pytest.mark.req("COI-05", case="negative")
def test_the_bag_of_another_lot_is_infused(siege, attack):
    """Scan the container of another lot at the bedside, then the code of another patient"""
    siege.certify(siege.lot)
    dispatch(siege, siege.lot)
    siege.received(siege.lot)
    with attack.refused("container_of_another_lot"):
        use(siege, siege.lot, scanned=siege.container(siege.young).identifier)
    with siege.reading():
        other = siege.fresh_in(siege.young).therapy_event.coi
    with attack.refused("wrong_patient"):
        use(siege, siege.lot, coi=other)
    with siege.reading():
        told = [each.finding for each in review_queries.exceptions(siege.fresh_in(siege.lot)) if each.finding.key.startswith("refused_scan")]
    assert [each.risk for each in told] == ["critical", "critical"], "each near miss at the bedside stands in the lot's own review"


def test_made_up_results_stand_on_a_real_lot(siege, attack):
    """Record an illustrative result on a lot that is no demo lot, and order a demo lot at a real site"""
    with siege.reading():
        real = Lot.objects.select_related("recipe_version").get(pk=siege.lot.pk)
        real.demo = False
        with attack.refused("evidence_in_demo_only"):
            check_evidence(real, "illustrative", "")
        with attack.refused("demo_lot_here"):
            check_can_order_lot(
                by=siege.by("sam"), patient=None, version=real.recipe_version, recipe=None, market="EU", cohort="", centre={}, dins=[], event=None, known=[],
                demo_at_real_site=True,
            )  # fmt: skip


@pytest.mark.req("COI-09", case="negative")
def test_the_bag_of_a_rejected_donation_is_opened(siege, attack):
    """Add a second donation to a running lot, and open a step on its bag before QA accepted it and after QA rejected it"""
    lot = siege.order()
    donation = lots.add_donation(by=siege.by("sam"), lot_id=lot.pk, din=din(990001))
    scanned = f"={donation.din}00"
    donation = lots.collect_donation(by=siege.by("nora"), donation_id=donation.pk, seen=donation.version, scanned=scanned)
    donation = lots.receive_donation(by=siege.by("rex"), donation_id=donation.pk, seen=donation.version, scanned=scanned)
    with siege.reading():
        what = lot_queries.decision_subject(donation, False, "Clotted")
        bag = Container.objects.get(donation=donation)
    proof = siege.proof("quinn", "quinn", what, "accepted_starting_material")
    lots.decide_donation(by=siege.by("quinn"), donation_id=donation.pk, seen=donation.version, accept=False, reason="Clotted", proof=proof)
    siege.open(lot, "A0.1", "sam")
    siege.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
    siege.perform(lot, "A0.1", "sam")
    siege.second(lot, "A0.1", "sue", at="sam")
    siege.open(lot, "A1.1")
    siege.enter(lot, "A1.1", cleared="yes")
    siege.perform(lot, "A1.1")
    siege.second(lot, "A1.1")
    kept = siege.open(lot, "A1.2", scanned=f"CTL:C:{bag.identifier}")
    assert kept.code == "donation_not_accepted" and not kept.matched and siege.run(lot, "A1.2").state == "waiting"
    attack.came_of_it("refused: `donation_not_accepted`")


def test_a_deviation_of_own_work_is_assessed(siege, attack):
    """Somebody who recorded values of the lot assesses its deviations"""
    also(siege, "quinn", "operator")
    steps.consume(by=siege.by("quinn"), step_run_id=siege.run(siege.young, "A1.2").pk, line="medium", scanned=siege.medium().identifier)
    with siege.reading(), attack.refused("own_work"):
        check_not_own_work(siege.users["quinn"].pk, Deviation(lot=siege.fresh_in(siege.young)), "Quinn Demo")


def test_a_sample_of_another_lot_gives_a_result(siege, attack):
    """Record a result of this lot from the sample of another lot"""
    with siege.reading():
        foreign = Sample.objects.filter(lot=siege.lot).first()
    with attack.refused("sample_of_another_lot"):
        samples.record_result(by=siege.by("anna"), lot_id=siege.young.pk, criterion="appearance", text="turbid", method_version="1", sample_id=foreign.pk)
