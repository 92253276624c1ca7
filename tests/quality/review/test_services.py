"""The review by exception: what it shows, who may decide, what it signs, and that a later entry opens it again."""

from __future__ import annotations

import json
import uuid

import pytest

from batches.execution import services as steps
from batches.execution.models import Entry
from batches.execution.queries.content import correction_subject, typed_subject
from batches.lots.models import Lot
from mes.audit.models import AuditEntry
from mes.errors import Missing, NotAllowed, RuleBroken, StaleRecord
from quality.deviations.models import Deviation
from quality.review import queries, services
from quality.review.models import Disposition, Review
from tests.builders.staff import signed_in


def picture(judged, lot) -> queries.Picture:
    with judged.reading():
        return queries.picture(judged.fresh_in(lot))


def decide(judged, lot, key, decision="justified", *, who="quentin", comment="Looked at, no effect on the product"):
    return services.disposition(by=judged.by(who), lot_id=lot.pk, exception=key, decision=decision, comment=comment)


def seeded(judged) -> Lot:
    """A lot with one of many things that must surface: a limit, a correction, attempts, a wrong scan, an alert value, a reprint."""
    lot = judged.to_count()
    judged.fill_count(lot, viability="68.4")
    judged.enter(lot, "A1.2", remark="Clear")
    judged.choose_to_keep(lot)
    with judged.reading():
        entry = Entry.objects.select_related("by", "step_run__lot").get(lot=lot, parameter="volume", superseded_by=None)
        what = correction_subject(entry, entry.step_run, "110", "Read the wrong line")
    proof = judged.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text="110", reason="Read the wrong line", proof=proof)
    return lot


@pytest.mark.req("AUD-11", case="positive")
def test_exceptions_stand_first_with_their_step_and_the_counts_add_up(judged):
    lot = seeded(judged)
    shown = picture(judged, lot)
    kinds = {line.finding.kind for line in shown.lines}
    assert {"limit", "change"} <= kinds
    limit = next(line for line in shown.lines if line.finding.kind == "limit")
    assert limit.step_key == "A1.2" and limit.deviation.number and "below the lower limit" in limit.finding.title
    change = next(line for line in shown.lines if line.finding.kind == "change")
    assert (change.finding.old, change.finding.new, change.finding.reason) == ("100 mL", "110 mL", "Read the wrong line")
    with judged.reading():
        stream = AuditEntry.objects.filter(stream=f"lot:{lot.pk}").count()
    assert shown.total == stream == shown.informational + len(shown.significant)
    assert len(shown.informational_entries()) == shown.informational
    assert shown.sum_words == f"{stream} entries = {shown.informational} informational + {len(shown.significant)} significant"


@pytest.mark.req("AUD-12", case="positive")
def test_an_attempt_a_wrong_scan_and_a_value_past_its_alert_level_surface(judged):
    lot = judged.order()
    judged.open(lot, "A0.1", "sam")
    judged.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70,0 kilo")
    judged.enter(lot, "A0.1", "sam", weight_kg="70.0")
    judged.perform(lot, "A0.1", "sam")
    judged.second(lot, "A0.1", "sue", at="sam")
    judged.open(lot, "A1.1")
    judged.enter(lot, "A1.1", cleared="yes")
    judged.perform(lot, "A1.1")
    judged.second(lot, "A1.1")
    other = judged.order()
    judged.open(lot, "A1.2", scanned=f"CTL:C:{judged.container(other).identifier}")
    judged.open(lot, "A1.2")
    judged.fill_count(lot, viability="73.0")
    shown = picture(judged, lot)
    found = {line.finding.kind: line for line in shown.lines}
    assert found["attempt"].finding.new == "70,0 kilo"
    assert found["identity"].finding.risk == "major" and found["identity"].finding.title == "Wrong container scanned"
    assert found["alert"].finding.new == "73.0 %"
    assert shown.total == shown.informational + len(shown.significant)


def test_a_lot_without_a_fault_has_no_exception(judged):
    lot = judged.made()
    shown = picture(judged, lot)
    assert not shown.lines and not shown.significant


@pytest.mark.req("AUD-11", case="negative")
def test_the_review_is_not_signed_while_an_exception_is_open(judged):
    lot = judged.made(viability="68.4")
    services.open_review(by=judged.by("quentin"), lot_id=lot.pk)
    with pytest.raises(RuleBroken) as broken:
        judged.sign_review(lot)
    assert broken.value.code == "exceptions_open" and "Viability" in broken.value.sentence
    (line,) = judged.lines(lot)
    decide(judged, lot, line.key, "escalate")
    with pytest.raises(RuleBroken, check=lambda each: each.code == "exceptions_open"):
        judged.sign_review(lot)
    decide(judged, lot, line.key)
    review = judged.sign_review(lot)
    assert review.state == "reviewed" and picture(judged, lot).is_current
    assert judged.fresh(lot).state == "in_review"
    with judged.reading():
        assert list(Disposition.objects.filter(lot=lot).order_by("recorded_at").values_list("decision", flat=True)) == ["escalate", "justified"]


@pytest.mark.req("AUD-12", case="negative")
def test_whoever_worked_in_the_lot_neither_decides_nor_signs(judged):
    from mes.people import services as people

    lot = judged.made(viability="68.4")
    role = judged.place.role("qa_reviewer")
    people.grant_role(by=judged.place.setup, user=judged.users["maya"], role=role)
    (line,) = judged.lines(lot)
    with pytest.raises(NotAllowed, check=lambda each: each.code == "own_work"):
        decide(judged, lot, line.key, who="maya")
    services.open_review(by=judged.by("quentin"), lot_id=lot.pk)
    judged.decided(lot)
    with pytest.raises(NotAllowed, check=lambda each: each.code == "own_work"):
        judged.sign_review(lot, "maya")


@pytest.mark.req("AUD-11", case="negative")
def test_a_later_entry_opens_a_signed_review_again_and_a_mail_does_not(judged):
    from mes.people.setup import system_actor
    from quality.alerts.services import raise_alert

    lot = judged.made()
    judged.tested(lot, interim="")
    judged.reviewed(lot)
    raise_alert(by=system_actor(judged.place.site.pk), cause="test:1", severity="notice", title="Something to know", lot_id=lot.pk)
    assert picture(judged, lot).is_current
    judged.result(lot, "sterility", "no growth", kind="interim", interim_day=1)
    shown = picture(judged, lot)
    assert shown.review.state == "open" and not shown.is_current and len(shown.newer) == 2
    page = signed_in(judged.users["quentin"]).get(f"/lots/{lot.number}/review/").content.decode()
    told = page[page.index('id="newer"') : page.index("</section>", page.index('id="newer"'))]
    assert "2 entries came after the signed review." in told and told.count("<tr>") == 3  # the head and two entries
    assert all(each in told for each in ("no growth", "Sterility", "Anna Demo", "Rolf Demo", str(shown.newer[0].seq), "CE"))
    assert judged.sign_review(lot).state == "reviewed"
    assert picture(judged, lot).is_current
    assert 'id="newer"' not in signed_in(judged.users["quentin"]).get(f"/lots/{lot.number}/review/").content.decode()


@pytest.mark.req("SIG-15", case="negative")
def test_a_decision_made_after_the_page_was_drawn_refuses_the_signature(judged):
    lot = judged.made(viability="68.4")
    services.open_review(by=judged.by("quentin"), lot_id=lot.pk)
    judged.decided(lot)
    proof = judged.proved("quentin", "quentin", lambda: queries.subject_of(queries.picture(judged.fresh_in(lot))), "reviewed")
    (line,) = judged.lines(lot)
    decide(judged, lot, line.key, comment="Looked at again, still without effect")
    with judged.reading():
        seen = Review.objects.get(lot=lot).version
    with pytest.raises(StaleRecord):
        services.finish_review(by=judged.by("quentin"), lot_id=lot.pk, seen=seen, proof=proof)


def test_needs_a_deviation_opens_one_that_is_no_new_exception(judged):
    lot = seeded(judged)
    change = next(line for line in judged.lines(lot) if line.finding.kind == "change")
    before = len(judged.lines(lot))
    decide(judged, lot, change.key, "needs_deviation", comment="The volume was read twice and differs")
    lines = judged.lines(lot)
    assert len(lines) == before
    again = next(line for line in lines if line.key == change.key)
    assert again.is_settled and again.deviation is not None
    with judged.reading():
        assert Deviation.objects.get(lot=lot, kind="manual").number == again.deviation.number
    decide(judged, lot, change.key, "needs_deviation", comment="Said again, there is one deviation")
    with judged.reading():
        assert Deviation.objects.filter(lot=lot, kind="manual").count() == 1


@pytest.mark.parametrize(
    ("decision", "comment", "code"), [("fine", "Looked at, no effect on the product", "unknown_decision"), ("justified", "ok", "comment_missing")]
)
def test_a_decision_needs_one_of_four_words_and_a_reason(judged, decision, comment, code):
    lot = judged.made(viability="68.4")
    (line,) = judged.lines(lot)
    with pytest.raises(RuleBroken, check=lambda each: each.code == code):
        decide(judged, lot, line.key, decision, comment=comment)
    with pytest.raises(Missing, check=lambda each: each.code == "no_such_exception"):
        decide(judged, lot, "excursion:nothing")
    with judged.reading():
        assert not Disposition.objects.filter(lot=lot).exists() and not Review.objects.filter(lot=lot).exists()


def test_a_lot_that_is_still_made_can_be_looked_at_but_not_signed(judged):
    lot = seeded(judged)
    judged.decided(lot)
    with pytest.raises(RuleBroken, check=lambda each: each.code == "record_not_complete"):
        judged.sign_review(lot)


@pytest.mark.req("COI-03", case="negative")
def test_an_identifier_typed_to_open_a_step_is_one_exception(judged):
    lot = judged.to_count()
    judged.fill_count(lot)
    judged.perform(lot, "A1.2")
    judged.second(lot, "A1.2")
    before = len(judged.lines(lot))
    judged.open(lot, "A1.3", "boss")
    judged.decide(lot, "go")
    judged.second(lot, "A1.3", "deputy", at="boss")
    judged.open(lot, "A1.4")
    judged.enter(lot, "A1.4", cleared_fill="yes")
    judged.perform(lot, "A1.4")
    judged.second(lot, "A1.4")
    run, identifier = judged.run(lot, "A2.1"), judged.container(lot).identifier
    proof = judged.proof("maya", "wim", lambda: typed_subject(run, identifier), "typed_identifier")
    steps.open_step(by=judged.by("maya"), step_run_id=run.pk, seen=run.version, scanned=identifier, typed_with=proof)
    lines = judged.lines(lot)
    assert len(lines) == before + 1 and [line.finding.title for line in lines if line.finding.kind == "identity"] == [
        "Identifier typed, not scanned, with Wim Demo"
    ]
    assert judged.gate(lot)["identity"].detail == "1 typed with a second person"


@pytest.mark.req("COI-03", case="negative")
def test_codes_of_material_and_equipment_that_were_typed_are_counted_and_shown(judged):
    lot = judged.to_count()
    page = f"/lots/{lot.number}/steps/A1.2/scan/"
    client, medium, counter, incubator = signed_in(judged.users["maya"]), judged.medium(), judged.equipment("counter"), judged.equipment("incubator")
    assert client.post(page, {"code": incubator.identifier, "by_scanner": "code"}).status_code == 303
    assert not [line for line in judged.lines(lot) if line.finding.kind == "identity"]
    assert client.post(page, {"code": medium.identifier}).status_code == 303
    body = {"class_code": "counter", "scanned": counter.identifier, "typed": True}
    answer = client.post(
        f"/api/v1/lots/{lot.number}/steps/A1.2/equipment/", json.dumps(body), content_type="application/json", HTTP_IDEMPOTENCY_KEY=str(uuid.uuid4())
    )
    assert answer.status_code in (200, 201), answer.content
    found = {line.finding.title: line.finding.new for line in judged.lines(lot) if line.finding.kind == "identity"}
    assert found == {"Code of material typed, not scanned": medium.identifier, "Code of equipment typed, not scanned": counter.identifier}
    assert judged.gate(lot)["identity"].detail != "2 typed with a second person"


@pytest.mark.req("QC-07", case="negative")
@pytest.mark.parametrize(("text", "early"), [("sterile", True), ("growth", False)])
def test_a_final_result_in_order_before_its_due_day_is_an_exception(judged, text, early):
    lot = judged.tested(judged.made(), interim="no growth")
    judged.result(lot, "sterility", text)
    titles = [line.finding.title for line in judged.lines(lot)]
    assert ("Sterility: final result given before its due day" in titles) is early


@pytest.mark.req("AUD-12", case="negative")
def test_a_total_dose_that_is_not_the_ordered_one_is_an_exception(judged):
    lot = judged.to_count()
    judged.fill_count(lot)
    assert not [line for line in judged.lines(lot) if line.key.startswith("dose:")]
    correct_volume(judged, lot, "300")
    (line,) = (line for line in judged.lines(lot) if line.key.startswith("dose:"))
    assert "Total CAR+ cells is not the ordered dose: 3e8 CAR+ cells; ordered 9.8e7 CAR+ cells within 20 %" in line.finding.title
    assert line.step_key == "A1.2" and line.finding.risk == "major"


def correct_volume(judged, lot, text: str) -> None:
    with judged.reading():
        entry = Entry.objects.select_related("by", "step_run__lot").get(lot=lot, parameter="volume", superseded_by=None)
        what = correction_subject(entry, entry.step_run, text, "Read the wrong line")
    proof = judged.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text=text, reason="Read the wrong line", proof=proof)
