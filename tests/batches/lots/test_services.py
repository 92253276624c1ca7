import pytest

from batches.equipment.queries import occupied_by
from batches.equipment.services import occupy
from batches.lots import queries, services
from batches.lots.models import Container, Donation, Hold, Lot, TherapyEvent
from batches.lots.rules import check_lot_open_for_work
from batches.recipes import services as recipes
from mes.errors import StaleRecord
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.registers import ARI, CENTRE, din, donation_again, fresh, open_world


def counts(world):
    with site_context(world.site.pk):
        return [model.objects.count() for model in (TherapyEvent, Donation, Lot, Container)]


@pytest.mark.req("COI-01", case="positive")
def test_an_order_makes_event_donations_lot_and_collection_bags_in_one_deed(world):
    lot = world.order(dins=[din(654321), din(654322)])
    with site_context(world.site.pk):
        lot = queries.lot(lot.pk)
        bags = queries.containers_of(lot)
        assert [each.din for each in queries.donations_of(lot)] == ["G123498654321", "G123498654322"]
    assert lot.number.startswith("UTR-") and lot.number.endswith("-0001") and len(lot.check_code) == 3
    assert lot.therapy_event.coi.startswith("COI-UTR-") and lot.state == "ordered" and lot.demo and lot.product == "ari0001"
    assert [(bag.code, bag.serial, bag.state) for bag in bags] == [("collection_bag", 1, "expected"), ("collection_bag", 2, "expected")]
    assert len({bag.identifier for bag in bags}) == 2


@pytest.mark.req("COI-01", case="negative")
def test_a_second_patients_lot_with_the_same_din_is_refused_and_nothing_half_written(world, refused):
    world.order()
    other = world.patient(family="Andersson", number="HN-2")
    before = counts(world)
    with refused("din_of_another") as answer:
        world.order(other)
    assert "G123498654321 belongs to another patient" in answer.value.sentence
    assert counts(world) == before
    with site_context(world.site.pk):
        assert SecurityEvent.objects.get(code="din_of_another").kind == "identity_mismatch"


@pytest.mark.req("COI-01", case="negative")
def test_a_din_of_another_site_is_refused_though_its_rows_are_not_seen(world, refused):
    open_world("BCN", "Barcelona").order()
    with refused("din_of_another"):
        world.order()
    assert counts(world) == [0, 0, 0, 0]


def test_a_remade_lot_joins_the_therapy_event_and_its_donation(world):
    patient = world.patient()
    first = world.order(patient)
    second = world.order(patient, therapy_event_id=first.therapy_event_id)
    assert second.therapy_event_id == first.therapy_event_id and second.number != first.number and second.check_code != first.check_code
    with site_context(world.site.pk):
        assert queries.donations_of(first) == queries.donations_of(second) and Donation.objects.count() == 1
        assert queries.siblings_of(first) == [second]


def test_the_same_patient_in_a_new_therapy_event_cannot_use_the_old_donation(world, refused):
    patient = world.patient()
    world.order(patient)
    with refused("din_of_other_event"):
        world.order(patient)


def test_a_therapy_event_of_another_patient_is_refused(world, refused):
    first = world.order()
    with refused("event_of_another"):
        world.order(world.patient(family="Andersson", number="HN-2"), dins=[din(7)], therapy_event_id=first.therapy_event_id)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"dins": ["G1234 98 654321 A"]}, "wrong_check_character"),
        ({"dins": ["G1234 98 654321"]}, "check_character_missing"),
        ({"dins": ["not a number"]}, "not_an_identifier"),
        ({"dins": []}, "din_missing"),
        ({"dins": [din(), din()]}, "din_twice"),
        ({"market": "XX"}, "market_unknown"),
        ({"cohort": "huge"}, "cohort_unknown"),
        ({"physician_email": "physician"}, "email_unreadable"),
        ({"treatment_centre": " "}, "centre_missing"),
    ],
)
@pytest.mark.req("COI-01", case="negative")
def test_an_order_that_is_not_whole_is_refused(world, refused, change, code):
    with refused(code):
        world.order(**change)
    assert counts(world) == [0, 0, 0, 0]


@pytest.mark.req("MBR-03", case="negative")
def test_only_an_effective_recipe_version_starts_a_lot(world, refused):
    draft = recipes.import_recipe(by=world.by("pavel"), text=ARI.read_text().replace('version: "1.0"', 'version: "1.1"', 1))
    with refused("recipe_not_effective"):
        world.order(recipe_version_id=draft.pk)


def test_somebody_without_the_right_cannot_order(world, refused):
    patient, version = world.patient(), world.version()
    with refused("not_your_role"):
        services.order_lot(by=world.by("olga"), patient_id=patient.pk, recipe_version_id=version.pk, market="EU", cohort="least", dins=[din()], **CENTRE)


@pytest.mark.req("COI-03", case="negative")
def test_a_wrong_bag_is_not_collected_or_received(world, refused):
    lot, other = world.order(), world.order(world.patient(family="Andersson", number="HN-2"), dins=[din(2)])
    donation, foreign = world.donation(lot), world.donation(other)
    with site_context(world.site.pk):
        foreign_bag = queries.containers_of(other)[0]
    for scan in (din(2), f"CTL:C:{foreign_bag.identifier}"):
        with refused("wrong_donation"):
            services.collect_donation(by=world.by("nora"), donation_id=donation.pk, seen=donation.version, scanned=scan)
    with refused("wrong_check_character"):
        services.collect_donation(by=world.by("nora"), donation_id=donation.pk, seen=donation.version, scanned="G1234 98 654321 A")
    with site_context(world.site.pk):
        assert fresh(donation).state == fresh(foreign).state == "expected"
        assert SecurityEvent.objects.filter(kind="wrong_scan").count() == 2


@pytest.mark.req("COI-03", case="negative")
def test_a_donation_number_that_one_person_typed_takes_nothing_in(world, refused):
    donation = world.donation(world.order())
    for typed in (din(), f"{din()[:5]} {din()[5:7]} {din()[7:13]} {din()[13]}"):
        with refused("typed_alone"):
            services.collect_donation(by=world.by("nora"), donation_id=donation.pk, seen=donation.version, scanned=typed)
    proof = world.sign("nora", lambda: queries.typed_subject(donation, din()), "typed_identifier")
    with refused("same_person"):
        services.collect_donation(by=world.by("nora"), donation_id=donation.pk, seen=donation.version, scanned=din(), typed_with=proof)
    collected = services.collect_donation(by=world.by("nora"), donation_id=donation.pk, seen=donation.version, scanned=f"={din()[:13]}00")
    with refused("typed_alone"):
        services.receive_donation(by=world.by("rita"), donation_id=donation.pk, seen=collected.version, scanned=din())


@pytest.mark.req("COI-03", case="positive")
def test_a_donation_number_that_two_people_read_is_taken_in_and_counted(world):
    lot = world.order()
    donation = world.donation(lot)
    proof = world.sign("petra", lambda: queries.typed_subject(donation, din()), "typed_identifier", at="nora")
    collected = services.collect_donation(by=world.by("nora"), donation_id=donation.pk, seen=donation.version, scanned=din(), typed_with=proof)
    assert collected.state == "collected"
    with site_context(world.site.pk):
        assert [each.username for each in queries.typed_identities(lot)] == ["petra.utr"]


@pytest.mark.req("COI-09", case="positive")
def test_a_lot_starts_with_accepted_starting_material(world):
    lot = world.started()
    assert lot.state == "in_execution" and lot.started_at is not None
    with site_context(world.site.pk):
        assert {bag.state for bag in queries.containers_of(lot)} == {"in_use"}


@pytest.mark.req("COI-09", case="negative")
def test_a_lot_does_not_start_before_qa_decided_on_its_starting_material(world, refused):
    lot = world.order()
    with refused("starting_material_not_accepted"):
        services.start_lot(by=world.by("olga"), lot_id=lot.pk)
    world.received(lot)
    with refused("starting_material_not_accepted"):
        services.start_lot(by=world.by("olga"), lot_id=lot.pk)


def test_a_lot_with_rejected_starting_material_does_not_start(world, refused):
    lot = world.order()
    assert world.decided(lot, accept=False, reason="Bag leaks.").state == "rejected"
    with refused("starting_material_not_accepted"):
        services.start_lot(by=world.by("olga"), lot_id=lot.pk)


def test_a_decision_signed_for_accepting_does_not_reject(world):
    lot = world.order()
    donation = world.received(lot)
    proof = world.sign("quinn", lambda: queries.decision_subject(donation_again(donation), True), "accepted_starting_material")
    with pytest.raises(StaleRecord):
        services.decide_donation(by=world.by("quinn"), donation_id=donation.pk, seen=donation.version, accept=False, reason="Leaks.", proof=proof)
    with site_context(world.site.pk):
        assert fresh(donation).state == "received"


@pytest.mark.req("COI-09", case="negative")
def test_somebody_without_qa_rights_does_not_decide(world, refused):
    lot = world.order()
    with refused("not_your_role"):
        world.decided(lot, who="rita")


def test_a_hold_stops_work_and_its_end_lets_it_go_on(world, refused):
    lot = world.started()
    hold = world.held(lot)
    with site_context(world.site.pk), refused("lot_on_hold") as answer:
        check_lot_open_for_work(fresh(lot))
    assert "Label in doubt." in answer.value.sentence
    with refused("on_hold_already"):
        world.held(lot)
    proof = world.sign("sue", lambda: queries.hold_subject(fresh(hold), "Label compared."), "resumed")
    services.end_hold(by=world.by("sue"), hold_id=hold.pk, seen=hold.version, reason="Label compared.", proof=proof)
    with site_context(world.site.pk):
        check_lot_open_for_work(fresh(lot))
        assert Hold.objects.get().ended_reason == "Label compared."


def test_an_operator_may_hold_but_not_resume(world, refused):
    hold = world.held(world.started())
    proof = world.sign("olga", lambda: queries.hold_subject(fresh(hold), "Fine again."), "resumed")
    with refused("not_your_role"):
        services.end_hold(by=world.by("olga"), hold_id=hold.pk, seen=hold.version, reason="Fine again.", proof=proof)


@pytest.mark.req("SIG-06", case="negative")
def test_a_signature_given_for_one_reason_holds_resumes_ends_and_decides_for_no_other(world):
    lot = world.order()
    olga, sue, quinn = world.by("olga"), world.by("sue"), world.by("quinn")
    donation = world.received(lot)
    proof = world.sign("quinn", lambda: queries.decision_subject(donation_again(donation), False, "Bag leaks."), "accepted_starting_material")
    with pytest.raises(StaleRecord):
        services.decide_donation(by=quinn, donation_id=donation.pk, seen=donation.version, accept=False, reason="Came too late.", proof=proof)
    proof = world.sign("quinn", lambda: queries.decision_subject(donation_again(donation), True), "accepted_starting_material")
    services.decide_donation(by=quinn, donation_id=donation.pk, seen=donation.version, accept=True, reason="", proof=proof)
    lot = services.start_lot(by=olga, lot_id=lot.pk)
    proof = world.sign("olga", lambda: queries.course_subject(fresh(lot), "place on hold", reason="Label in doubt."), "placed_on_hold")
    with pytest.raises(StaleRecord):
        services.place_hold(by=olga, lot_id=lot.pk, reason="The room was too warm.", proof=proof)
    proof = world.sign("sue", lambda: queries.course_subject(fresh(lot), "terminate", "too_few_cells", reason="A tenth came."), "terminated")
    with pytest.raises(StaleRecord):
        services.terminate_lot(by=sue, lot_id=lot.pk, seen=lot.version, reason_code="too_few_cells", reason="None came.", proof=proof)
    hold = world.held(lot)
    proof = world.sign("sue", lambda: queries.hold_subject(fresh(hold), "Label compared."), "resumed")
    with pytest.raises(StaleRecord):
        services.end_hold(by=sue, hold_id=hold.pk, seen=hold.version, reason="Nothing was compared.", proof=proof)


def terminate(world, lot, code="too_few_cells", who="sue", reason="Only a tenth of the cells came."):
    proof = world.sign(who, lambda: queries.course_subject(queries.lot(lot.pk), "terminate", code, reason=reason), "terminated")
    return services.terminate_lot(by=world.by(who), lot_id=lot.pk, seen=lot.version, reason_code=code, reason=reason, proof=proof)


def test_a_terminated_lot_keeps_its_reason_and_frees_its_equipment(world, refused):
    lot = world.started()
    device = world.equipment()
    occupy(by=world.by("olga"), equipment=device, lot=lot, step_run=world.step(lot))
    ended = terminate(world, lot)
    assert (ended.state, ended.end_reason_code) == ("terminated", "too_few_cells") and ended.ended_at is not None
    with site_context(world.site.pk):
        assert occupied_by(lot) == []
        with refused("lot_not_open_for_work"):
            check_lot_open_for_work(fresh(lot))


def test_a_lot_ends_with_a_known_reason_code_only(world, refused):
    lot = world.started()
    with refused("reason_code_unknown"):
        terminate(world, lot, code="no_idea")


def test_an_order_can_be_cancelled_before_it_starts_and_its_donation_with_it(world, refused):
    lot = world.order()
    services.cancel_lot(by=world.by("sam"), lot_id=lot.pk, seen=lot.version, reason="Patient not fit.")
    with site_context(world.site.pk):
        assert fresh(lot).state == "cancelled" and Donation.objects.get().state == "cancelled"
    with refused("state_move"):
        services.cancel_lot(by=world.by("sam"), lot_id=lot.pk, seen=lot.version + 1, reason="Twice.")


@pytest.mark.req("DI-02", case="negative")
def test_a_stale_screen_is_refused(world):
    lot = world.order()
    services.cancel_lot(by=world.by("sam"), lot_id=lot.pk, seen=lot.version, reason="Patient not fit.")
    with pytest.raises(StaleRecord):
        services.cancel_lot(by=world.by("sam"), lot_id=lot.pk, seen=lot.version, reason="Once more.")


def test_containers_come_from_the_recipe_alone(world, refused):
    lot = world.started()
    chamber = services.make_container(by=world.by("olga"), lot_id=lot.pk, code="chamber")
    again = services.make_container(by=world.by("olga"), lot_id=lot.pk, code="chamber")
    assert (chamber.serial, again.serial) == (1, 2) and again.title.endswith(" 2")
    with refused("container_not_in_recipe"):
        services.make_container(by=world.by("olga"), lot_id=lot.pk, code="bucket")


def test_moves_follow_the_table(world, refused):
    lot = world.order()
    with refused("state_move"):
        services.move_lot(by=world.by("olga"), lot_id=lot.pk, state="certified_final")
