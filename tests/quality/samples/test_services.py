"""Samples and results: born, drawn, received, tested, corrected, reviewed; and every refusal on the way."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from mes.clock import record_now
from mes.people import services as people
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from mes.signatures.models import Signature
from quality.samples import services
from quality.samples.models import Result, ResultReview, Sample
from tests.builders.laboratory import MEETS, SPECIFICATION
from tests.builders.registers import move_clock

pytestmark = pytest.mark.django_db


def results(lab, lot):
    with lab.reading():
        return list(Result.objects.filter(lot=lot).order_by("recorded_at"))


# --- samples ----------------------------------------------------------------------------------------------------------


def test_samples_are_born_with_the_lot_at_the_step_that_draws_them(lab):
    lot = lab.order()
    with lab.reading():
        born = {sample.code: (sample.state, sample.step_run.key, sample.identifier) for sample in Sample.objects.filter(lot=lot)}
    assert born == {"REL": ("expected", "A1.2", f"S-{lot.number}-REL"), "STER": ("expected", "A1.2", f"S-{lot.number}-STER")}


def test_the_signature_of_the_sampling_step_draws_its_samples(lab):
    lot = lab.to_count()
    lab.fill_count(lot)
    lab.perform(lot, "A1.2")
    assert lab.sample(lot).state == lab.sample(lot, "STER").state == "drawn"
    assert lab.sample(lot).drawn_at is not None


def test_a_sample_is_received_by_scanning_its_own_label_only(lab, refused):
    lot, other = lab.order(), lab.order()
    sample = services.draw_sample(by=lab.by("maya"), sample_id=lab.sample(lot).pk, seen=1)
    with refused("wrong_sample"):
        services.receive_sample(by=lab.by("ana"), sample_id=sample.pk, seen=sample.version, scanned=lab.sample(other).identifier)
    with lab.reading():
        assert SecurityEvent.objects.filter(code="wrong_sample", kind="wrong_scan").exists()
    assert services.receive_sample(by=lab.by("ana"), sample_id=sample.pk, seen=sample.version, scanned=sample.identifier).state == "received"


def test_a_sample_that_was_not_drawn_is_not_received(lab, refused):
    sample = lab.sample(lab.order())
    with refused("sample_not_drawn"):
        services.receive_sample(by=lab.by("ana"), sample_id=sample.pk, seen=sample.version, scanned=sample.identifier)


def test_a_sample_is_lost_with_a_reason_and_only_without_results(lab, refused):
    lot = lab.received(lab.order())
    lab.tested(lot, "viability")
    sample = lab.sample(lot)
    with refused("sample_has_results"):
        services.lose_sample(by=lab.by("ana"), sample_id=sample.pk, seen=sample.version, reason="The tube broke in the centrifuge.")
    other = lab.sample(lot, "STER")
    with refused("reason_missing"):
        services.lose_sample(by=lab.by("ana"), sample_id=other.pk, seen=other.version, reason="broke")
    assert services.lose_sample(by=lab.by("ana"), sample_id=other.pk, seen=other.version, reason="The tube broke in the centrifuge.").state == "lost"


# --- results ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("QC-01", case="positive")
@pytest.mark.parametrize(
    "criterion, text, unit, verdict, compared",
    [
        ("viability", "88.7", "%", "meets", "88.7"),
        ("viability", "69.95", "%", "meets", "70.0"),
        ("viability", "69.94", "%", "below", "69.9"),
        ("endotoxin", "< 0.05", "EU/mL", "meets", "<= 0.05"),
        ("endotoxin", "<= 0.5", "EU/mL", "meets", "<= 0.50"),
        ("endotoxin", "0,51", "EU/mL", "above", "0.51"),
        ("appearance", "clear", "", "meets", "clear"),
        ("appearance", "clumps", "", "does_not_meet", "clumps"),
        ("subset", "41.2", "%", "report_only", ""),
    ],
)
def test_a_result_is_judged_by_its_criterion_and_keeps_rule_and_version(lab, criterion, text, unit, verdict, compared):
    lot = lab.received(lab.order())
    result = lab.tested(lot, criterion, text, unit=unit)
    assert (result.verdict, result.rounded, result.value_text) == (verdict, compared, text)
    with lab.reading():
        assert result.specification_version.label == "1.0"
    assert result.rule


def test_a_number_keeps_its_text_its_digits_and_its_bound(lab):
    lot = lab.received(lab.order())
    lab.tested(lot, "viability", "88.70")
    lab.tested(lot, "endotoxin", "<0.05")
    kept = {each.criterion: (each.value_text, each.value, each.qualifier, each.unit) for each in results(lab, lot)}
    assert kept == {"viability": ("88.70", Decimal("88.70"), "", "%"), "endotoxin": ("<0.05", Decimal("0.05"), "<", "EU/mL")}


@pytest.mark.req("QC-06", case="negative")
@pytest.mark.parametrize(
    "criterion, text, unit, code",
    [
        ("viability", "1,234", "%", "ambiguous_thousands"),
        ("viability", "good", "%", "not_a_number"),
        ("viability", "88.7", "EU/mL", "wrong_unit"),
        ("viability", "88.7", "bananas", "unknown_unit"),
        ("viability", "88.7", "", "unit_missing"),
        ("viability", "< 88.7", "%", "censored_not_allowed"),
        ("viability", "", "%", "empty"),
        ("appearance", "Clear", "", "not_a_choice"),
        ("appearance", "clear", "%", "wrong_unit"),
    ],
)
def test_what_is_no_value_of_the_criterion_is_refused_and_nothing_is_written(lab, refused, criterion, text, unit, code):
    lot = lab.received(lab.order())
    with refused(code):
        lab.tested(lot, criterion, text, unit=unit)
    assert results(lab, lot) == [] and lab.deviations(lot) == []


def test_a_dose_is_compared_with_the_target_computed_from_the_lots_own_record(lab, refused):
    lot = lab.received(lab.order())
    with refused("target_unknown"):
        lab.tested(lot, "dose")
    lab.weighed(lot)
    result = lab.tested(lot, "dose", "8.41e6")
    assert (result.verdict, result.rounded) == ("above", "8.41e6")
    assert result.rule.startswith("7.00e6 ± 20 %: 5.6e6 to 8.4e6 CAR+ cells")


def test_a_dose_at_the_edge_of_its_tolerance_meets(lab):
    lot = lab.weighed(lab.received(lab.order()))
    assert lab.tested(lot, "dose", "8.40e6").verdict == "meets"


@pytest.mark.req("QC-01", case="negative")
def test_a_later_specification_does_not_move_a_stored_verdict(lab):
    lot = lab.received(lab.order())
    lab.tested(lot, "viability", "75.0")
    stricter = SPECIFICATION.replace('version: "1.0"', 'version: "2.0"').replace("min: 70", "min: 80")
    lab.put_into_effect(lab.approved_specification(stricter))
    line = lab.table(lot)["viability"]
    assert line.verdict == "meets" and "70" in line.rule
    other = lab.received(lab.order())
    assert lab.tested(other, "viability", "75.0").verdict == "below"


@pytest.mark.req("COI-04", case="negative")
def test_a_result_of_another_lots_sample_is_refused(lab, refused):
    lot, other = lab.received(lab.order()), lab.received(lab.order())
    with refused("sample_of_another_lot"):
        lab.tested(lot, "viability", sample_id=lab.sample(other).pk)
    with lab.reading():
        assert SecurityEvent.objects.filter(code="sample_of_another_lot").exists()
    assert results(lab, lot) == results(lab, other) == []


def test_a_test_of_another_sample_is_refused(lab, refused):
    lot = lab.received(lab.order())
    with refused("not_a_test_of_this_sample"):
        lab.tested(lot, "viability", sample_id=lab.sample(lot, "STER").pk)


def test_a_sample_that_is_not_in_the_laboratory_takes_no_result(lab, refused):
    lot = lab.order()
    with refused("sample_not_received"):
        lab.tested(lot, "viability")


@pytest.mark.req("QC-03", case="negative")
def test_a_second_result_is_refused_and_the_first_one_stays(lab, refused):
    lot = lab.received(lab.order())
    lab.tested(lot, "viability", "65.0")
    with refused("result_recorded_before"):
        lab.tested(lot, "viability", "88.7")
    assert [each.value_text for each in results(lab, lot)] == ["65.0"]


def test_an_untrained_analyst_is_refused(lab, refused):
    lot = lab.received(lab.order())
    with refused("not_trained"):
        lab.tested(lot, "viability", by="stu")


def test_a_person_without_the_right_is_refused_and_it_is_logged(lab, refused):
    lot = lab.received(lab.order())
    with refused("not_your_role"):
        lab.tested(lot, "viability", by="maya")
    with lab.reading():
        assert SecurityEvent.objects.filter(code="not_your_role", attempted="record_result").exists()


def test_a_device_or_a_job_records_no_result(lab, refused):
    from mes.people.setup import system_actor

    lot = lab.received(lab.order())
    with refused("only_people_test"):
        services.record_result(by=system_actor(lab.place.site.pk), lot_id=lot.pk, criterion="viability", text="88.7", unit="%", method_version="1")


def test_a_test_in_the_future_or_before_its_sample_is_refused(lab, refused):
    lot = lab.received(lab.order())
    with refused("tested_in_future"):
        lab.tested(lot, "viability", tested_at=record_now() + dt.timedelta(hours=1))
    with refused("tested_before_drawn"):
        lab.tested(lot, "viability", tested_at=record_now() - dt.timedelta(days=1))
    with refused("zone_missing"):
        lab.tested(lot, "viability", tested_at=dt.datetime(2026, 1, 1, 12, 0))


def test_a_result_by_another_version_of_the_method_counts_for_nothing(lab):
    lot = lab.received(lab.order())
    result = lab.tested(lot, "viability", method_version="2")
    assert result.verdict == "not_tested"
    assert lab.table(lot)["viability"].standing == "missing" and lab.deviations(lot) == []


def test_an_unknown_criterion_is_missing(lab, refused):
    with refused("no_such_criterion"):
        services.record_result(by=lab.by("ana"), lot_id=lab.order().pk, criterion="colour", text="red")


def test_a_published_value_names_its_source_and_made_up_ones_stand_in_demo_lots_only(lab, refused):
    from types import SimpleNamespace

    from quality.samples.rules import check_evidence

    lot = lab.received(lab.order())
    with refused("source_missing"):
        lab.tested(lot, "viability", evidence="published")
    result = lab.tested(lot, "viability", evidence="published", evidence_source="Castella 2019, Table 2")
    assert (result.evidence, result.evidence_source) == ("published", "Castella 2019, Table 2")
    with refused("evidence_in_demo_only"):
        check_evidence(SimpleNamespace(demo=False, number="X-1"), "illustrative", "")
    with refused("unknown_evidence"):
        lab.tested(lot, "subset", evidence="guessed")


# --- readings of tests that still run ---------------------------------------------------------------------------------


@pytest.mark.req("QC-07", case="positive")
def test_an_interim_reading_is_dated_and_never_conforming(lab):
    lot = lab.received(lab.order())
    move_clock(hours=6 * 24)
    reading = lab.tested(lot, "sterility", "no growth", kind="interim", interim_day=6)
    assert (reading.verdict, reading.interim_day) == ("pending", 6)
    line = lab.table(lot)["sterility"]
    assert (line.standing, line.word, line.result) == ("pending_after_release", "Pending", None)
    assert line.due == line.sample.drawn_at + dt.timedelta(days=14)


@pytest.mark.req("QC-07", case="negative")
def test_a_required_interim_reading_that_is_missing_is_no_pending_result(lab):
    lot = lab.received(lab.order())
    assert lab.table(lot)["sterility"].standing == "missing"
    assert lab.table(lot)["vcn"].standing == "pending_after_release"


def test_a_reading_of_a_day_still_to_come_is_refused(lab, refused):
    lot = lab.received(lab.order())
    with refused("day_not_reached"):
        lab.tested(lot, "sterility", "no growth", kind="interim", interim_day=6)


def test_an_interim_reading_in_other_letters_is_asked_again_and_growth_fails(lab, refused):
    lot = lab.received(lab.order())
    with refused("not_a_choice"):
        lab.tested(lot, "sterility", "No growth", kind="interim", interim_day=1)
    assert lab.tested(lot, "sterility", "growth", kind="interim", interim_day=1).verdict == "does_not_meet"
    assert lab.table(lot)["sterility"].standing == "failed"
    assert [each.kind for each in lab.deviations(lot)] == ["out_of_specification"]


def test_a_reading_twice_or_after_the_final_result_is_refused(lab, refused):
    lot = lab.received(lab.order())
    lab.tested(lot, "sterility", "no growth", kind="interim", interim_day=0)
    with refused("result_recorded_before"):
        lab.tested(lot, "sterility", "no growth", kind="interim", interim_day=0)
    lab.tested(lot, "sterility")
    with refused("result_recorded_before"):
        lab.tested(lot, "sterility", "no growth", kind="interim", interim_day=1)


def test_interim_readings_where_none_are_taken_and_days_where_none_belong_are_refused(lab, refused):
    lot = lab.received(lab.order())
    with refused("no_interim"):
        lab.tested(lot, "viability", kind="interim", interim_day=1)
    with refused("day_missing"):
        lab.tested(lot, "sterility", "no growth", kind="interim")
    with refused("day_of_final"):
        lab.tested(lot, "viability", interim_day=1)
    with refused("unknown_kind"):
        lab.tested(lot, "viability", kind="guess")


# --- out of specification ---------------------------------------------------------------------------------------------


@pytest.mark.req("QC-03", case="positive")
def test_out_of_specification_opens_a_deviation_in_the_same_deed(lab):
    from mes.audit.models import AuditEntry

    lot = lab.received(lab.order())
    result = lab.tested(lot, "viability", "65.0")
    (deviation,) = lab.deviations(lot)
    assert (deviation.kind, deviation.result_id, deviation.state) == ("out_of_specification", result.pk, "open")
    assert "65.0" in deviation.title and "Viability" in deviation.title
    with lab.reading():
        entry = AuditEntry.objects.filter(stream=f"lot:{lot.pk}").latest("seq")
    assert {"quality.deviation_opened", "quality.result_failed", "quality.result_recorded"} <= set(entry.events)


def test_a_result_that_only_reports_or_meets_opens_nothing(lab):
    lot = lab.received(lab.order())
    for criterion in ("viability", "subset", "endotoxin"):
        lab.tested(lot, criterion)
    assert lab.deviations(lot) == []


def test_when_the_deviation_cannot_be_written_the_result_is_not_either(lab, monkeypatch):
    from quality.deviations import rules

    lot = lab.received(lab.order())
    monkeypatch.setattr(rules, "check_can_open_for_result", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lab.tested(lot, "viability", "65.0")
    assert results(lab, lot) == [] and lab.deviations(lot) == []


def test_one_of_several_ways_may_fail_while_another_one_meets(lab):
    lot = lab.received(lab.order())
    lab.tested(lot, "potency_a", "90.0")
    assert lab.table(lot)["potency_a"].standing == "missing"
    lab.tested(lot, "potency_b")
    lines = lab.table(lot)
    assert lines["potency_a"].verdict == "above" and lines["potency_a"].standing == lines["potency_b"].standing == "met"
    assert lab.deviations(lot) == []


def test_when_no_way_meets_the_group_is_out_of_specification_once(lab):
    lot = lab.received(lab.order())
    lab.tested(lot, "potency_a", "90.0")
    lab.tested(lot, "potency_b", "10.0")
    assert len(lab.deviations(lot)) == 1
    assert lab.table(lot)["potency_a"].standing == "failed"


def test_a_test_left_out_says_why_and_only_where_another_way_is_there(lab, refused):
    lot = lab.received(lab.order())
    with refused("test_required"):
        services.state_not_tested(by=lab.by("ana"), lot_id=lot.pk, criterion="viability", reason="No time left for this test.")
    lab.tested(lot, "potency_b")
    stated = services.state_not_tested(by=lab.by("ana"), lot_id=lot.pk, criterion="potency_a", reason="The target cells did not grow.")
    assert stated.verdict == "not_tested" and lab.table(lot)["potency_a"].standing == "met"


def test_leaving_out_the_last_way_when_the_other_failed_opens_the_deviation(lab):
    lot = lab.received(lab.order())
    failing = lab.tested(lot, "potency_b", "10.0")
    services.state_not_tested(by=lab.by("ana"), lot_id=lot.pk, criterion="potency_a", reason="The target cells did not grow.")
    assert [each.result_id for each in lab.deviations(lot)] == [failing.pk]


# --- correction and review --------------------------------------------------------------------------------------------


@pytest.mark.req("QC-03", case="positive")
def test_a_correction_names_the_first_value_its_reason_and_the_second_person(lab):
    lot = lab.received(lab.order())
    first = lab.tested(lot, "viability", "87.8")
    second = lab.corrected(first, "88.7", unit="%")
    assert (second.supersedes_id, second.value_text, second.reason) == (first.pk, "88.7", "Two digits were swapped when typing.")
    line = lab.table(lot)["viability"]
    assert line.result.pk == second.pk and [each.pk for each in line.earlier] == [first.pk]
    with lab.reading():
        signature = Signature.objects.get(record_id=first.pk)
    assert (signature.meaning, signature.full_name) == ("confirmed_transcription", "Rea Demo")


def test_a_correction_by_the_same_person_or_without_reason_is_refused(lab, refused):
    lot = lab.received(lab.order())
    first = lab.tested(lot, "viability", "87.8")
    with refused("same_person"):
        lab.corrected(first, "88.7", unit="%", second="ana")
    with refused("reason_missing"):
        lab.corrected(first, "88.7", unit="%", reason="typo")
    with refused("not_your_role"):
        lab.corrected(first, "88.7", unit="%", second="maya")
    assert len(results(lab, lot)) == 1


@pytest.mark.req("QC-02", case="negative")
def test_a_correction_is_not_compared_by_whoever_wrote_the_value_before(lab, refused):
    first = lab.tested(lab.received(lab.order()), "viability", "87.8")
    with refused("same_person"):
        lab.corrected(first, "88.7", unit="%", by="ben", second="ana")
    second = lab.corrected(first, "88.7", unit="%", by="ben")
    with refused("same_person"):
        lab.corrected(second, "88.8", unit="%", by="ben", second="ana")


def test_a_corrected_result_is_not_corrected_again_but_the_one_that_counts(lab, refused):
    lot = lab.received(lab.order())
    first = lab.tested(lot, "viability", "87.8")
    second = lab.corrected(first, "88.7", unit="%")
    with refused("corrected_before"):
        lab.corrected(first, "88.8", unit="%")
    assert lab.corrected(second, "88.8", unit="%").supersedes_id == second.pk


def test_a_correction_that_still_fails_is_answered_by_the_deviation_there_is(lab):
    lot = lab.received(lab.order())
    first = lab.tested(lot, "viability", "56.0")
    lab.corrected(first, "65.0", unit="%")
    assert len(lab.deviations(lot)) == 1


def test_a_correction_that_fails_for_the_first_time_opens_one(lab):
    lot = lab.received(lab.order())
    lab.corrected(lab.tested(lot, "viability", "86.0"), "68.0", unit="%")
    assert len(lab.deviations(lot)) == 1


@pytest.mark.req("QC-02", case="positive")
def test_a_second_person_reviews_a_result_by_signature(lab):
    lot = lab.received(lab.order())
    result = lab.tested(lot, "viability")
    review = lab.reviewed(result)
    with lab.reading():
        signature = Signature.objects.get(record_id=result.pk)
        assert ResultReview.objects.get(result=result).pk == review.pk
    assert (signature.meaning, signature.lot_id, signature.full_name) == ("reviewed_result", lot.pk, "Rea Demo")
    assert lab.table(lot)["viability"].reviewed


@pytest.mark.req("QC-02", case="negative")
def test_nobody_reviews_an_own_result_even_with_the_role(lab, refused):
    lot = lab.received(lab.order())
    result = lab.tested(lot, "viability")
    people.grant_role(by=lab.place.setup, user=lab.users["ana"], role=lab.place.role("qc_reviewer"))
    with refused("same_person"):
        lab.reviewed(result, "ana")
    corrected = lab.corrected(result, "88.8", unit="%", by="ben")
    with refused("same_person"):
        lab.reviewed(corrected, "ana")
    with lab.reading():
        assert not ResultReview.objects.exists()


def test_a_result_is_reviewed_once_and_only_the_one_that_counts(lab, refused):
    lot = lab.received(lab.order())
    first = lab.tested(lot, "viability", "87.8")
    lab.reviewed(first)
    with refused("reviewed_before"):
        lab.reviewed(first)
    second = lab.corrected(first, "88.7", unit="%")
    assert not lab.table(lot)["viability"].reviewed
    with refused("corrected_before"):
        lab.reviewed(first)
    lab.reviewed(second)
    assert lab.table(lot)["viability"].reviewed


def test_one_signature_reviews_every_result_of_a_sample_and_shows_each(lab, refused):
    from quality.samples import queries

    lot = lab.weighed(lab.received(lab.order()))
    for criterion in ("viability", "endotoxin", "dose"):
        lab.tested(lot, criterion)
    sample = lab.sample(lot)

    def what():
        found = queries.sample_by_identifier(sample.identifier)
        return queries.sample_review_subject(found, queries.unreviewed(found))

    proof = lab.proof("rea", "rea", what, "reviewed_result")
    reviews = services.review_sample(by=lab.by("rea"), sample_id=sample.pk, seen=sample.version, proof=proof)
    assert len(reviews) == 3
    assert all(lab.table(lot)[criterion].reviewed for criterion in ("viability", "endotoxin", "dose"))
    with site_context(lab.place.site.pk, writable=True):
        from mes.signatures import ceremony

        nothing = ceremony.subject(sample, "sample.review/1", {})
    proof = lab.proof("rea", "rea", nothing, "reviewed_result")
    with refused("nothing_to_review"):
        services.review_sample(by=lab.by("rea"), sample_id=sample.pk, seen=sample.version, proof=proof)


def test_a_result_recorded_after_the_page_was_shown_is_not_signed_unseen(lab, refused):
    from quality.samples import queries

    lot = lab.received(lab.order())
    lab.tested(lot, "viability")
    sample = lab.sample(lot)

    def what():
        found = queries.sample_by_identifier(sample.identifier)
        return queries.sample_review_subject(found, queries.unreviewed(found))

    proof = lab.proof("rea", "rea", what, "reviewed_result")
    lab.tested(lot, "endotoxin")
    with refused("stale_screen"):
        services.review_sample(by=lab.by("rea"), sample_id=sample.pk, seen=sample.version, proof=proof)


def test_a_sample_is_tested_when_all_its_results_are_in(lab):
    lot = lab.weighed(lab.received(lab.order()))
    for criterion in MEETS:
        lab.tested(lot, criterion)
    assert lab.sample(lot).state == lab.sample(lot, "STER").state == "tested"
    assert {line.standing for line in lab.table(lot).values()} == {"met", "reported"}


def test_the_summary_for_the_certificate_is_plain_text_and_marks_what_is_made_up(lab):
    from batches.lots.models import Lot
    from quality.samples import queries

    lot = lab.received(lab.order())
    lab.tested(lot, "viability", evidence="illustrative")
    with lab.reading():
        lines = {each["criterion"]: each for each in queries.summary(Lot.objects.select_related("recipe_version", "site").get(pk=lot.pk))}
    assert lines["viability"]["mark"] == "illustrative, not published" and lines["viability"]["verdict"] == "Meets"
    assert lines["vcn"]["verdict"] == "Pending" and lines["vcn"]["due"]
    assert all(isinstance(value, str) for line in lines.values() for value in line.values())
