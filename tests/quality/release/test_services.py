"""The gate, both stages of the certification, rejection, withdrawal, the late failure, and what became of the product."""

from __future__ import annotations

import datetime as dt

import pytest

from batches.custody.services import hand_over
from batches.execution.queries.board import boards
from batches.execution.queries.times import LimitState, limit_in
from batches.execution.queries.values import Ledger
from batches.lots.models import Container, Hold, Lot
from batches.lots.services import place_hold
from batches.subjects.retention import Traceability
from mes.audit.models import AuditRow
from mes.clock import day_words, record_now
from mes.errors import NotAllowed, RuleBroken, StaleRecord, WrongScan
from mes.people.setup import system_actor
from mes.web.countdown import span
from quality.alerts.models import Alert
from quality.alerts.services import raise_alert
from quality.deviations.models import Deviation
from quality.release import queries, services
from quality.release.models import CertificateInvalidation, ProductUse, ReleaseDecision
from quality.review import queries as review_queries
from quality.samples.queries import work_list
from tests.builders.staff import signed_in


def broken(code: str, kind=RuleBroken):
    return pytest.raises(kind, check=lambda each: each.code == code)


def decisions(judged, lot) -> list[str]:
    with judged.reading():
        return list(ReleaseDecision.objects.filter(lot=lot).order_by("recorded_at").values_list("kind", flat=True))


def dispatch(judged, lot, who="boss"):
    bag = judged.bag(lot)
    details = {"from_place": "Floor site", "to_place": "Demo hospital", "seal": "S-1"}
    proof = judged.hand_over_proof(lot, "dispatch", who, "dispatched", **details)
    return services.dispatch(by=judged.by(who), container_id=bag.pk, scanned=f"CTL:C:{bag.identifier}", proof=proof, **details)


def use(judged, lot, *, infused=True, first="tess", second="tina", coi="", scanned="", typed=(), **facts):
    bag = judged.bag(lot)
    facts = {"started_at": None, "ended_at": None, "volume": "", "reason_code": "", "reason": ""} | facts
    if infused and facts["started_at"] is None:
        facts |= {"started_at": record_now(), "volume": "98 mL"}
    with judged.reading():
        what = queries.use_subject(queries.bag_scanned(lot.number, f"CTL:C:{bag.identifier}"), services.use_facts(infused=infused, **facts), typed=typed)
    one = judged.proved("tess", first, what, "infused" if infused else "not_infused")
    two = judged.proved("tess", second, what, queries.identity_meaning(typed))
    return services.record_use(
        by=judged.by("tess"), container_id=bag.pk, infused=infused, scanned=scanned or f"CTL:C:{bag.identifier}",
        coi=coi or f"CTL:T:{bag.lot.therapy_event.coi}", first=one, second=two, **facts,
    )  # fmt: skip


def reject(judged, lot, reason="Viability below its limit", who="ruth"):
    proof = judged.proved(who, who, lambda: queries.refusal_subject(judged.fresh_in(lot), "reject", reason), "rejected")
    return services.reject(by=judged.by(who), lot_id=lot.pk, seen=judged.fresh(lot).version, reason=reason, proof=proof)


# --- the gate ---------------------------------------------------------------------------------------------------------


@pytest.mark.req("REL-07", case="positive")
def test_what_blocks_release_is_said_from_the_first_day(judged):
    lot = judged.order()
    lines = judged.gate(lot)
    assert not lines["steps"].ok and "A0.1" in lines["steps"].detail
    assert not lines["review"].ok and not lines["results_in"].ok and not lines["expiry"].ok and not lines["bags"].ok
    assert lines["chain"].ok and lines["guards"].ok and lines["holds"].ok


@pytest.mark.req("REL-01", case="negative")
def test_each_missing_thing_closes_the_gate_and_names_itself(judged):
    lot = judged.made(viability="68.4")
    judged.tested(lot, interim="")
    lines = judged.gate(lot)
    closed = {code for code, line in lines.items() if line.blocking and not line.ok}
    assert closed == {"state", "exceptions", "review", "deviations", "pending_sterility"}
    assert "interim reading is required" in lines["pending_sterility"].detail
    judged.result(lot, "sterility", "no growth", kind="interim", interim_day=1, review=False)
    judged.assess(lot)
    judged.reviewed(lot)
    with broken("gate_closed") as answer:
        judged.certify(lot)
    assert answer.value.detail["lines"] == ["results_reviewed"] and "Sterility, interim" in answer.value.sentence
    assert decisions(judged, lot) == []


@pytest.mark.req("REL-01", case="negative")
def test_a_hold_and_a_label_that_is_not_accounted_for_close_the_gate(judged):
    from batches.custody import services as custody
    from batches.lots.queries import course_subject

    lot = judged.ready()
    custody.print_label(by=judged.by("maya"), container_id=judged.bag(lot).pk, reason="First one smeared")
    proof = judged.proved("boss", "boss", lambda: course_subject(judged.fresh_in(lot), "place on hold", reason="Label in doubt"), "placed_on_hold")
    place_hold(by=judged.by("boss"), lot_id=lot.pk, reason="Label in doubt", proof=proof)
    lines = judged.gate(lot)
    assert not lines["labels"].ok and "1 not accounted for" in lines["labels"].detail
    assert not lines["holds"].ok and "Label in doubt" in lines["holds"].detail
    assert not lines["review"].ok and "came after it" in lines["review"].detail


@pytest.mark.req("AUD-07", case="negative")
def test_a_trail_that_does_not_verify_closes_the_gate(judged, monkeypatch):
    lot = judged.ready()
    monkeypatch.setattr("quality.release.integrity.stream_findings", lambda stream: ["entry 7 has other bytes than its hash"])
    with broken("gate_closed") as answer:
        judged.certify(lot)
    assert "entry 7" in answer.value.sentence and decisions(judged, lot) == []


@pytest.mark.req("AUD-05", case="negative")
def test_a_missing_guard_closes_the_gate(judged, monkeypatch):
    lot = judged.ready()
    monkeypatch.setattr("mes.records.guards.missing", lambda connection: ["trigger guard_change on batches_entry is missing"])
    assert not judged.gate(lot)["guards"].ok


@pytest.mark.req("QC-07", case="negative")
def test_made_up_results_stand_in_demo_lots_only_and_are_counted(judged):
    lot = judged.made()
    judged.tested(lot, evidence="illustrative")
    line = judged.gate(lot)["evidence"]
    assert line.ok and "1 result illustrative" in line.detail
    with judged.reading():
        real = judged.fresh_in(lot)
        real.demo = False
        lines = {each.code: each for each in queries.gate(real, "stage_1", record_now())}
    assert not lines["evidence"].ok


@pytest.mark.req("QC-07", case="negative")
def test_a_made_up_interim_reading_is_marked_wherever_it_is_printed(judged):
    lot = judged.made()
    judged.tested(lot, interim="")
    judged.result(lot, "sterility", "no growth", kind="interim", interim_day=1, evidence="illustrative")
    assert "Sterility" in judged.gate(lot)["evidence"].detail
    judged.reviewed(lot)
    decision = judged.certify(lot)
    with judged.reading():
        content = queries.payload_of(ReleaseDecision.objects.select_related("signature__payload").get(pk=decision.pk))
    assert [row["mark"] for row in content["results"] if row["test"] == "Sterility"] == ["illustrative, not published"]


# --- certification ----------------------------------------------------------------------------------------------------


@pytest.mark.req("REL-03", case="positive")
@pytest.mark.req("REL-02", case="positive")
def test_stage_1_lists_what_is_pending_and_final_takes_its_place(judged):
    lot = judged.ready()
    first = judged.certify(lot)
    assert judged.fresh(lot).state == "certified_stage_1"
    with judged.reading():
        first = queries.standing_decision(judged.fresh_in(lot))
        content = queries.payload_of(first)
    assert content["stamp"] == "STAGE 1: Sterility pending" and content["pending"] == ["Sterility"]
    assert [row["interim"] for row in content["results"] if row["test"] == "Sterility"] == ["no growth, day 1"]
    assert first.signature.auth_methods == ["badge or user name", "password", "one-time code"]
    assert first.signature.role == "Qualified Person"
    with broken("gate_closed") as answer:
        judged.certify(lot, "final", "rob")
    assert "results_in" in answer.value.detail["lines"]
    judged.result(lot, "sterility", "sterile")
    judged.reviewed(lot)
    final = judged.certify(lot, "final", "rob")
    assert judged.fresh(lot).state == "certified_final" and final.supersedes_id == first.pk
    with judged.reading():
        again = ReleaseDecision.objects.get(pk=first.pk)
        assert queries.why_not_valid(again) == "The final certificate took its place."
        assert queries.payload_of(queries.standing_decision(judged.fresh_in(lot)))["supersedes"] == f"CERT-{lot.number}-1"


@pytest.mark.req("REL-08", case="positive")
def test_the_signed_content_holds_the_whole_certificate_and_no_patient(judged):
    lot = judged.ready()
    judged.certify(lot)
    with judged.reading():
        decision = queries.standing_decision(judged.fresh_in(lot))
        content, text = queries.payload_of(decision), bytes(decision.signature.payload.content).decode()
    assert {each["name"]: each["value"] for each in content["product_values"]}["Volume"] == "100"
    assert content["expires_at"] and content["storage"] == "2 to 8 degC" and content["site"]["time_zone"]
    assert [line["code"] for line in content["gate"]] == [line["code"] for line in decision.gate]
    assert int(content["audit"]["entries"]) == len(content["audit"]["lines"])
    assert content["signatures"][-1]["meaning"] == "reviewed"
    assert "Patient" not in text and "1970-01-01" not in text


@pytest.mark.req("REL-02", case="negative")
@pytest.mark.parametrize("who", ["maya", "jonas", "anna", "rolf"])
def test_nobody_who_made_checked_or_tested_the_lot_releases_it(judged, who):
    lot = judged.ready()
    judged.place.move(judged.users[who], "qa_release")
    with broken("own_work", NotAllowed):
        judged.certify(lot, who=who)
    assert decisions(judged, lot) == [] and judged.fresh(lot).state == "in_review"


@pytest.mark.req("REL-02", case="negative")
def test_only_the_releasing_role_certifies(judged):
    lot = judged.ready()
    with broken("not_your_role", NotAllowed):
        judged.certify(lot, who="quentin")


@pytest.mark.req("REL-03", case="negative")
def test_stage_1_needs_something_pending_and_is_given_once(judged):
    lot = judged.ready()
    judged.certify(lot)
    with broken("certified_before"):
        judged.certify(lot, "stage_1", "rob")
    other = judged.tested(judged.made())
    judged.result(other, "sterility", "sterile")
    judged.reviewed(other)
    with broken("nothing_pending"):
        judged.certify(other)
    judged.certify(other, "final", "rob")
    assert judged.fresh(other).state == "certified_final"


@pytest.mark.req("REL-01", case="negative")
def test_a_lot_whose_result_fails_is_refused_and_can_be_rejected(judged):
    lot = judged.made()
    judged.tested(lot, viability="61.0")
    judged.assess(lot)
    judged.reviewed(lot)
    with broken("gate_closed") as answer:
        judged.certify(lot)
    assert "results_meet" in answer.value.detail["lines"]
    with judged.reading():
        before = {sample.lot_id for sample in work_list(judged.place.site.pk)}
    reject(judged, lot)
    assert judged.fresh(lot).state == "rejected" and decisions(judged, lot) == ["rejected"]
    with judged.reading():
        assert before - {sample.lot_id for sample in work_list(judged.place.site.pk)} == {lot.pk}, "it takes no results any more"
    with judged.reading():
        assert queries.certificates_of(lot) == []


@pytest.mark.req("SIG-15", case="negative")
def test_a_change_after_showing_refuses_the_signature_and_a_delivered_mail_does_not(judged):
    lot = judged.ready()
    shown = judged.shown(lot, "stage_1")
    proof = judged.proved("ruth", "ruth", shown, "certified_stage_1")
    raise_alert(by=system_actor(judged.place.site.pk), cause="test:1", severity="notice", title="Something to know", lot_id=lot.pk)
    services.certify(by=judged.by("ruth"), lot_id=lot.pk, seen=judged.fresh(lot).version, stage="stage_1", proof=proof)
    other = judged.ready()
    proof = judged.proved("rob", "rob", judged.shown(other, "stage_1"), "certified_stage_1")
    with judged.reading():
        deviation_free = not Deviation.objects.filter(lot=other).exists()
    assert deviation_free
    from quality.deviations.services import open_by_hand

    open_by_hand(by=judged.by("quinn"), lot_id=other.pk, title="Seen in the cold room", description="A door stood open for a while")
    with pytest.raises((StaleRecord, RuleBroken)):
        services.certify(by=judged.by("rob"), lot_id=other.pk, seen=judged.fresh(other).version, stage="stage_1", proof=proof)
    assert decisions(judged, other) == []


# --- after certification ----------------------------------------------------------------------------------------------


@pytest.mark.req("REL-09", case="positive")
def test_a_failing_late_result_opens_a_critical_matter_and_stops_the_product(judged):
    lot = judged.ready()
    judged.certify(lot)
    judged.result(lot, "sterility", "growth", review=False)
    with judged.reading():
        fresh = judged.fresh_in(lot)
        decision = queries.standing_decision(fresh)
        assert Deviation.objects.get(lot=lot).kind == "late_failing_result"
        assert "failed after certification" in queries.why_not_valid(decision)
        assert Hold.objects.filter(lot=lot, state="open").exists()
        alert = Alert.objects.get(lot=lot, cause__startswith="late_result:")
        assert alert.severity == "alarm" and {"treatment_centre", "qa_reviewer", "qa_release"} <= set(alert.roles) and alert.state == "raised"
        assert CertificateInvalidation.objects.filter(lot=lot).count() == 1
    with broken("certificate_invalid"):
        dispatch(judged, lot)
    with judged.reading():
        assert Container.objects.get(lot=lot, kind="final_bag").state == "in_use"


@pytest.mark.req("REL-09", case="positive")
def test_a_withdrawal_names_who_has_the_product_and_blocks_it(judged):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    why = "Wrong chart of the filter"
    proof = judged.proved("rob", "rob", lambda: queries.refusal_subject(judged.fresh_in(lot), "withdraw", why), "withdrawn")
    services.withdraw(by=judged.by("rob"), lot_id=lot.pk, seen=judged.fresh(lot).version, reason=why, proof=proof)
    assert judged.fresh(lot).state == "withdrawn"
    with judged.reading():
        alert = Alert.objects.get(lot=lot, cause__startswith="withdrawn:")
    assert "Demo hospital" in alert.body and "treatment_centre" in alert.roles
    with broken("not_certified"):
        use(judged, lot)


@pytest.mark.req("REL-06", case="negative")
def test_dispatch_is_refused_before_certification(judged):
    lot = judged.ready()
    with broken("not_certified"):
        dispatch(judged, lot)
    with judged.reading():
        assert Container.objects.get(lot=lot, kind="final_bag").state == "in_use"


@pytest.mark.req("COI-05", case="positive")
def test_two_persons_sign_the_infusion_of_the_right_bag_into_the_right_patient(judged):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    judged.received(lot)
    made = use(judged, lot)
    with judged.reading():
        made = ProductUse.objects.select_related("first_signature", "second_signature").get(pk=made.pk)
        assert clock_of(judged, lot).is_running is False and clock_of(judged, lot).end == made.started_at
        assert made.infused and made.first_signature.signer_id != made.second_signature.signer_id
        assert made.first_signature.meaning == "infused" and made.second_signature.meaning == "confirmed_identity"
        assert Container.objects.get(lot=lot, kind="final_bag").state == "infused"
        assert Lot.objects.get(pk=lot.pk).state == "certified_stage_1"


def test_vein_to_vein_stands_on_the_board_from_the_infusion_on(judged):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    judged.received(lot)
    made = use(judged, lot)
    for days in (0, 9):
        with judged.reading():
            (row,) = boards([judged.fresh_in(lot)], record_now() + dt.timedelta(days=days))
        assert row.infused == made.started_at and row.collected is not None
    page = signed_in(judged.users["maya"]).get("/floor/").content.decode()
    assert "Infused after" in page and span(row.infused - row.collected) in page


@pytest.mark.req("DEV-01", case="positive")
def test_a_product_that_arrives_too_warm_has_its_deviation_in_the_same_deed(judged):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    bag, details = judged.bag(lot), {"from_place": "Courier", "to_place": "Demo hospital", "temperature_min": "3.1 °C", "temperature_max": "12.5"}
    proof = judged.hand_over_proof(lot, "at_centre", "tess", "received", **details)
    made = hand_over(by=judged.by("tess"), container_id=bag.pk, kind="at_centre", scanned=f"CTL:C:{bag.identifier}", proof=proof, **details)
    with judged.reading():
        (opened,) = Deviation.objects.filter(lot=lot).select_related("excursion")
        assert opened.state == "open" and opened.excursion.reference == str(made.pk) and opened.excursion.limit_class == "CPP"
        assert "Highest temperature 12.5 °C: 4.5 above the upper limit of 8 °C" in opened.title
        told, asked = (list(AuditRow.objects.filter(row_id=each.pk).values_list("entry_id", flat=True)) for each in (made, opened))
        assert told == asked, "one deed wrote both"
        shown = review_queries.picture(judged.fresh_in(lot))
        assert [line.finding.kind for line in shown.lines] == ["transport"]
        assert {each.name: each.found for each in review_queries.checks(shown)}["Time limits"] == 0
    page = signed_in(judged.users["tess"]).get(f"/lots/{lot.number}/infusion/").content.decode()
    assert "3.1 °C to 12.5" in page and "4.5 above the upper limit" in page
    assert "Open deviation" in page and opened.number in page, "whoever gives it is told"


@pytest.mark.req("COI-08", case="negative")
def test_the_page_that_erases_says_why_a_treated_patient_stays_traceable_and_until_when(judged):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    judged.received(lot)
    with judged.reading():
        patient = judged.fresh_in(lot).therapy_event.patient
    page = f"/patients/{patient.pseudonym}/erase/"
    assert "A lot of this patient is still open." in signed_in(judged.users["quentin"]).get(page).content.decode()
    made = use(judged, lot)
    answer = signed_in(judged.users["quentin"]).get(page)
    said = " ".join(answer.content.decode().split())
    assert answer.status_code == 409 and "still open" not in said and "30 years" in said and "1394/2007 Art. 15(4)" in said
    zone = judged.place.site.time_zone
    assert day_words(made.started_at, zone) in said and day_words(Traceability(30, "").until(made.started_at), zone) in said


@pytest.mark.parametrize(
    ("given", "held", "more"),
    [("100", "100", False), ("12.5", "100", False), ("100.4", "100", False), ("100.5", "100", True), ("98.05", "98.0", True), ("99", "98.6", False)],
)
def test_a_volume_is_held_against_that_of_the_bag_on_the_last_digit_both_have(given, held, more):
    assert queries.is_more(queries.volume_read(given, "."), queries.volume_read(held, ".")) is more


def clock_of(judged, lot, *, days: int = 30):
    """A limit from the end of the fill to the infusion, as it stands so many days from now. Call it inside the site context."""
    ledger = Ledger(judged.fresh_in(lot))
    limit = ledger.recipe.time_limits[0].model_copy(update={"starts": "A2.1.fill_end", "ends": "A3.1.infusion_end", "max": "72 h"})
    return limit_in(ledger, limit, record_now() + dt.timedelta(days=days))


@pytest.mark.req("EXE-06", case="negative")
def test_a_clock_runs_on_for_no_product_that_was_used_and_for_no_lot_that_has_ended(judged):
    lot = judged.ready()
    judged.certify(lot)
    with judged.reading():
        assert clock_of(judged, lot).is_broken  # nobody has given it: a month is too long
    use(judged, lot, infused=False, reason_code="patient_condition", reason="Fever since the morning")
    with judged.reading():
        stands = clock_of(judged, lot)
    assert not stands.is_running and not stands.is_broken and stands.standing.state is LimitState.STOPPED


@pytest.mark.req("COI-03", case="positive")
def test_identifiers_typed_at_the_bedside_are_signed_as_typed_and_counted(judged):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    judged.received(lot)
    assert judged.gate(lot)["identity"].detail == "all scanned"
    use(judged, lot, scanned=judged.bag(lot).identifier, typed=("container",))
    assert judged.gate(lot)["identity"].detail == "1 typed with a second person"
    with judged.reading():
        assert ProductUse.objects.select_related("second_signature").get(lot=lot).second_signature.meaning == "confirmed_typed_identity"
        titles = [each.finding.title for each in review_queries.picture(judged.fresh_in(lot)).lines]
    assert titles == ["Identifier typed, not scanned, with Tina Demo"]


@pytest.mark.parametrize(
    ("scanned", "coi", "words"),
    [
        ("CTL:C:{bag}", "CTL:T:{coi}", "scanned"),
        ("{bag}", "CTL:T:{coi}", "container typed in full, patient scanned"),
        ("CTL:C:{bag}", "{coi}", "container scanned, patient typed in full"),
        ("{bag}", "{coi}", "typed in full"),
    ],
)
def test_what_both_sign_at_the_bedside_says_of_each_identifier_how_it_was_read(judged, scanned, coi, words):
    lot = judged.order()
    bag = judged.container(lot)
    with judged.reading():
        codes = [text.format(bag=bag.identifier, coi=judged.fresh_in(lot).therapy_event.coi) for text in (scanned, coi)]
    assert queries.how_read(queries.identity_typed(*codes)) == words


@pytest.mark.req("COI-03", case="negative")
@pytest.mark.parametrize("which", ["container", "patient"])
def test_a_typed_identifier_is_not_signed_as_scanned_at_the_bedside(judged, which):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    judged.received(lot)
    bag = judged.bag(lot)
    with pytest.raises(RuleBroken):
        use(judged, lot, **({"scanned": bag.identifier} if which == "container" else {"coi": bag.lot.therapy_event.coi}))
    with judged.reading():
        assert not ProductUse.objects.exists()


@pytest.mark.req("COI-05", case="negative")
def test_one_person_another_patient_or_a_bag_not_received_refuse_the_infusion(judged):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    with broken("not_received"):
        use(judged, lot)
    judged.received(lot)
    with broken("same_person", NotAllowed):
        use(judged, lot, second="tess")
    with broken("wrong_patient", WrongScan):
        use(judged, lot, coi="COI-FL1-SOMEBODYELSE-X")
    other = judged.made()
    with pytest.raises(WrongScan):
        use(judged, lot, scanned=f"CTL:C:{judged.bag(other).identifier}")
    with broken("start_in_the_future"):
        use(judged, lot, started_at=record_now() + dt.timedelta(hours=2))
    with judged.reading():
        assert not ProductUse.objects.exists()


@pytest.mark.req("REL-06", case="negative")
@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("start_before_certification", {"started_at": lambda now: dt.datetime(1970, 1, 1, tzinfo=dt.UTC)}),
        ("end_in_the_future", {"ended_at": lambda now: dt.datetime(2099, 12, 31, tzinfo=dt.UTC)}),
        ("end_in_the_future", {"ended_at": lambda now: now + dt.timedelta(minutes=5)}),
        ("end_before_start", {"ended_at": lambda now: now - dt.timedelta(minutes=1)}),
        ("start_in_the_future", {"started_at": lambda now: now + dt.timedelta(minutes=5)}),
        ("not_a_number", {"volume": "a bag"}),
        ("thousands_separator", {"volume": "1.500,0 mL"}),
        ("wrong_unit", {"volume": "98 L"}),
        ("volume_not_positive", {"volume": "0"}),
        ("volume_above_bag", {"volume": "101 mL"}),
        ("volume_above_bag", {"volume": "980"}),
    ],
)
def test_an_infusion_whose_times_or_volume_cannot_be_is_refused(judged, code, facts):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    judged.received(lot)
    now = record_now()
    given = {"started_at": now, "volume": "98 mL"} | {name: value(now) if callable(value) else value for name, value in facts.items()}
    with broken(code) as answer:
        use(judged, lot, **given)
    assert answer.value.field == next(iter(facts))
    with judged.reading():
        assert not ProductUse.objects.exists() and Container.objects.get(lot=lot, kind="final_bag").state == "received"
    use(judged, lot, started_at=now, ended_at=record_now(), volume="98,5")


@pytest.mark.req("REL-06", case="negative")
def test_an_infusion_does_not_start_before_its_container_arrived_nor_after_the_shelf_life(judged, monkeypatch):
    lot = judged.ready()
    judged.certify(lot)
    dispatch(judged, lot)
    judged.received(lot)
    now = record_now()
    monkeypatch.setattr(queries, "received_at_centre", lambda container: now + dt.timedelta(minutes=3))
    with broken("start_before_receipt"):
        use(judged, lot, started_at=now)
    monkeypatch.undo()
    monkeypatch.setattr("quality.release.rules.check_may_leave", lambda *given: None)
    monkeypatch.setattr("quality.release.rules.expiry_of", lambda lot: now)
    with broken("product_expired"):
        use(judged, lot, started_at=now)


def test_a_product_that_nobody_was_given_ends_the_lot_as_manufactured_not_infused(judged):
    lot = judged.ready()
    judged.certify(lot)
    with broken("reason_code_unknown"):
        use(judged, lot, infused=False, reason="Fever")
    use(judged, lot, infused=False, reason_code="patient_condition", reason="Fever since the morning")
    assert judged.fresh(lot).state == "manufactured_not_infused"
    with judged.reading():
        assert Container.objects.get(lot=lot, kind="final_bag").state == "discarded"
