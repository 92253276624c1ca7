"""Deviations: opened with what causes them, classified, investigated, assessed and closed by signature."""

from __future__ import annotations

import pytest

from batches.execution import queries as execution
from batches.execution import services as steps
from batches.execution.models import Entry, Excursion
from batches.lots.models import Lot
from batches.lots.services import move_lot
from mes.signatures.models import Signature
from quality import watch
from quality.deviations import queries, services
from quality.deviations.models import Deviation
from tests.builders.staff import PASSWORD, signed_in

pytestmark = pytest.mark.django_db
REASON = "The counter was checked and the value holds."


@pytest.fixture
def lot(lab):
    return lab.to_count()


@pytest.fixture
def deviation(lab, lot):
    """The deviation of a viability below its action limit, classified by the job."""
    lab.enter(lot, "A1.2", viability="65.0")
    (opened,) = lab.deviations(lot)
    watch.answer_deviation(jobs(lab), opened.pk)
    return fresh(lab, opened)


def jobs(lab):
    from mes.people.setup import system_actor

    return system_actor(lab.place.site.pk)


def fresh(lab, deviation) -> Deviation:
    with lab.reading():
        return queries.by_number(deviation.number)


def assessed(lab, deviation, *, impact="acceptable", who="quinn", reason=REASON):
    deviation = fresh(lab, deviation)
    proof = lab.proof(who, who, lambda: queries.assessment_subject(queries.by_number(deviation.number), impact=impact, reason=reason), "assessed")
    return services.assess(by=lab.by(who), deviation_id=deviation.pk, seen=deviation.version, impact=impact, reason=reason, proof=proof)


def closed(lab, deviation, *, closed_as="investigated", who="quinn", reason=REASON):
    deviation = fresh(lab, deviation)
    proof = lab.proof(who, who, lambda: queries.closure_subject(queries.by_number(deviation.number), closed_as=closed_as, reason=reason), "closed")
    return services.close(by=lab.by(who), deviation_id=deviation.pk, seen=deviation.version, closed_as=closed_as, reason=reason, proof=proof)


def investigated(lab, deviation, who="boss"):
    deviation = fresh(lab, deviation)
    return services.investigate(by=lab.by(who), deviation_id=deviation.pk, seen=deviation.version, text=REASON)


@pytest.mark.req("DEV-01", case="positive")
@pytest.mark.req("DEV-02", case="positive")
def test_a_value_out_of_its_action_limit_opens_one_numbered_deviation_in_its_own_deed(lab, lot):
    lab.enter(lot, "A1.2", viability="65.0")
    (opened,) = lab.deviations(lot)
    assert opened.number.startswith(f"DEV-{lab.place.site.code}-") and opened.number.endswith("-0001")
    assert (opened.state, opened.classification, opened.kind) == ("open", "unclassified", "excursion")
    with lab.reading():
        assert opened.excursion.entry_id == Entry.objects.get(lot=lot, parameter="viability").pk


@pytest.mark.req("DEV-02", case="negative")
def test_when_the_deviation_cannot_be_written_the_value_is_not_silently_passed(lab, lot, monkeypatch):
    from quality.deviations import rules

    monkeypatch.setattr(rules, "check_can_open_for_excursion", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        lab.enter(lot, "A1.2", viability="65.0")
    with lab.reading():
        assert not Entry.objects.filter(lot=lot, parameter="viability").exists() and not Excursion.objects.filter(lot=lot).exists()


def test_numbers_count_up_per_site(lab, lot):
    lab.enter(lot, "A1.2", viability="65.0", density="1", volume="1")
    assert [each.number[-4:] for each in lab.deviations(lot)] == ["0001", "0002"]


def test_the_job_classifies_by_the_rule_and_says_which(lab, deviation):
    assert (deviation.state, deviation.classification) == ("classified", "major")
    assert deviation.classification_reason == "rule: action limit of class CPP is major"


@pytest.mark.parametrize("kind, limit_class, wanted", [
    ("hard_limit", "CPP", "critical"), ("identity", "none", "critical"), ("late_failing_result", "none", "critical"), ("time_limit", "CPP", "major"),
    ("late_entry", "none", "minor"), ("limit", "KPP", "minor"), ("limit", "CQA", "major"), ("something_new", "unheard", "major"),
])  # fmt: skip
def test_the_rule_table_classifies_the_unknown_as_major(kind, limit_class, wanted):
    from quality.deviations.rules import first_classification

    assert first_classification(kind, limit_class)[0] == wanted


def test_qa_classifies_again_with_a_reason_and_the_job_leaves_it(lab, deviation, refused):
    with refused("reason_missing"):
        services.classify(by=lab.by("quinn"), deviation_id=deviation.pk, seen=deviation.version, classification="critical", reason="bad")
    with refused("unknown_class"):
        services.classify(by=lab.by("quinn"), deviation_id=deviation.pk, seen=deviation.version, classification="huge", reason=REASON)
    with refused("not_your_role"):
        services.classify(by=lab.by("maya"), deviation_id=deviation.pk, seen=deviation.version, classification="minor", reason=REASON)
    again = services.classify(by=lab.by("quinn"), deviation_id=deviation.pk, seen=deviation.version, classification="critical", reason=REASON)
    watch.answer_deviation(jobs(lab), again.pk)
    assert fresh(lab, again).classification == "critical"
    with refused("classified_before"):
        services.classify(by=jobs(lab), deviation_id=deviation.pk, seen=again.version, classification="minor", reason="rule")


@pytest.mark.req("DEV-03", case="positive")
def test_a_deviation_is_investigated_assessed_and_closed_by_signature(lab, deviation):
    investigated(lab, deviation)
    assert assessed(lab, deviation).state == "assessed"
    done = closed(lab, deviation)
    assert (done.state, done.closed_as, done.impact) == ("closed", "investigated", "acceptable")
    with lab.reading():
        meanings = [each.meaning for each in Signature.objects.filter(record_id=deviation.pk).order_by("recorded_at")]
    assert meanings == ["assessed", "closed"]


@pytest.mark.req("DEV-03", case="negative")
def test_closing_with_anything_missing_is_refused(lab, deviation, refused):
    with refused("not_assessed"):
        closed(lab, deviation)
    assessed(lab, deviation)
    with refused("not_investigated"):
        closed(lab, deviation)
    investigated(lab, deviation)
    with refused("not_assessed"):  # a new investigation asks for a new assessment
        closed(lab, deviation)
    assessed(lab, deviation)
    with refused("unknown_closure"):
        closed(lab, deviation, closed_as="forgotten")
    with refused("reason_missing"):
        closed(lab, deviation, reason="done")
    with refused("not_your_role"):
        closed(lab, deviation, who="boss")
    assert fresh(lab, deviation).state == "assessed"


def test_an_assessment_needs_a_class_an_impact_and_a_reason(lab, lot, refused):
    lab.enter(lot, "A1.2", viability="65.0")
    (opened,) = lab.deviations(lot)
    with refused("not_classified"):
        assessed(lab, opened)
    watch.answer_deviation(jobs(lab), opened.pk)
    with refused("unknown_impact"):
        assessed(lab, opened, impact="")
    with refused("reason_missing"):
        assessed(lab, opened, reason="fine")


@pytest.mark.req("DEV-03", case="negative")
def test_who_made_or_tested_the_lot_does_not_assess_it(lab, deviation, lot, refused):
    from mes.people import services as people

    for name in ("maya", "ana"):
        people.grant_role(by=lab.place.setup, user=lab.users[name], role=lab.place.role("qa_reviewer"))
    with refused("own_work"):
        assessed(lab, deviation, who="maya")
    lab.received(lot)
    lab.tested(lot, "endotoxin")
    with refused("own_work"):
        assessed(lab, deviation, who="ana")


def test_what_changed_since_it_was_shown_is_not_signed(lab, deviation, refused):
    proof = lab.proof("quinn", "quinn", lambda: queries.assessment_subject(queries.by_number(deviation.number), impact="none", reason=REASON), "assessed")
    with refused("stale_screen"):
        services.assess(by=lab.by("quinn"), deviation_id=deviation.pk, seen=deviation.version, impact="acceptable", reason=REASON, proof=proof)


@pytest.mark.req("DEV-05", case="negative")
def test_an_undecided_or_unaccepted_deviation_blocks(lab, deviation, lot):
    def blocking():
        with lab.reading():
            return [each.number for each in queries.undecided(lot.pk)]

    assert blocking() == [deviation.number]
    assessed(lab, deviation, impact="not_acceptable")
    assert blocking() == [deviation.number]
    services.classify(by=lab.by("quinn"), deviation_id=deviation.pk, seen=fresh(lab, deviation).version, classification="minor", reason=REASON)
    assert blocking() == [deviation.number]
    assessed(lab, deviation)
    assert blocking() == []


def test_a_corrected_transcription_is_closed_as_entry_error_in_one_act(lab, lot, deviation, refused):
    with refused("no_entry_error"):
        closed(lab, deviation, closed_as="entry_error")
    with lab.reading():
        entry = Entry.objects.get(lot=lot, parameter="viability")
        excursion = entry.excursion
    steps.choose(by=lab.by("maya"), excursion_id=excursion.pk, choice="correct", reason="Digits were swapped.")
    what = lambda: execution.correction_subject(entry, run, "85.0", "Digits were swapped.")  # noqa: E731
    run = lab.run(lot, "A1.2")
    proof = lab.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=lab.by("maya"), entry_id=entry.pk, text="85.0", reason="Digits were swapped.", proof=proof)
    done = closed(lab, deviation, closed_as="entry_error")
    assert (done.state, done.closed_as, done.impact) == ("closed", "entry_error", "none")
    with refused("deviation_closed"):
        closed(lab, deviation)
    with refused("deviation_closed"):
        services.investigate(by=lab.by("boss"), deviation_id=deviation.pk, seen=done.version, text=REASON)


def test_a_corrected_result_is_an_entry_error_only_when_it_meets_now(lab, lot, refused):
    lab.received(lot)
    first = lab.tested(lot, "viability", "56.0")
    (opened,) = lab.deviations(lot)
    second = lab.corrected(first, "65.0", unit="%")
    with refused("no_entry_error"):
        closed(lab, opened, closed_as="entry_error")
    lab.corrected(second, "86.0", unit="%")
    with refused("no_entry_error"):  # the first correction still failed; the last one counts
        closed(lab, opened, closed_as="entry_error")


def test_a_deviation_is_opened_by_hand(lab, lot, refused):
    with refused("title_missing"):
        services.open_by_hand(by=lab.by("boss"), lot_id=lot.pk, title=" ", description=REASON)
    opened = services.open_by_hand(by=lab.by("boss"), lot_id=lot.pk, title="Power cut of four minutes", description=REASON)
    assert (opened.kind, opened.state) == ("manual", "open")


@pytest.mark.req("REL-09", case="positive")
def test_a_result_that_fails_after_certification_is_critical(lab, lot, monkeypatch):
    from mes.records import door

    # What release answers to such a result is tested there; here the lot is moved without a certificate.
    own = {event: [each for each in known if not each.__module__.startswith("quality.release")] for event, known in door._receivers.items()}
    monkeypatch.setattr(door, "_receivers", own)
    lab.received(lot)
    for state in ("manufactured", "in_review", "certified_stage_1"):
        move_lot(by=lab.by("boss"), lot_id=lot.pk, state=state)
    lab.tested(lot, "sterility", "growth")
    (opened,) = lab.deviations(lot)
    assert opened.kind == "late_failing_result"
    watch.answer_deviation(jobs(lab), opened.pk)
    assert fresh(lab, opened).classification == "critical"
    (alert,) = lab.alerts(cause=f"deviation:{opened.pk}")
    assert alert.severity == "alarm" and {"qa_reviewer", "qa_release", "treatment_centre", "supervisor"} <= set(alert.roles)
    with lab.reading():
        assert Lot.objects.get(pk=lot.pk).state == "certified_stage_1"


# --- pages ------------------------------------------------------------------------------------------------------------


def test_the_pages_lead_from_the_list_to_the_closure(lab, deviation):
    import re

    quinn = signed_in(lab.users["quinn"])
    assert deviation.number in quinn.get("/deviations/").content.decode()
    assert deviation.number in quinn.get("/deviations/panel/", HTTP_HX_REQUEST="true").content.decode()
    base = f"/deviations/{deviation.number}/"
    assert quinn.get(base).status_code == 200
    answer = quinn.post(f"{base}investigate/", {"seen": str(deviation.version), "investigation": REASON})
    assert answer.status_code == 303
    for act, given in (("assess", {"impact": "none"}), ("close", {"closed_as": "investigated"})):
        url, asked = f"{base}{act}/", {**given, "reason": REASON}
        shown = quinn.post(url, asked).content.decode()
        assert REASON in shown
        intent = re.search(r'name="intent" value="([^"]+)"', shown)[1]
        assert quinn.post(url, asked | {"intent": intent, "who": lab.users["quinn"].username, "secret": PASSWORD}).status_code == 303
    page = quinn.get(base).content.decode()
    assert "Closed" in page and "Quinn Demo" in page
    assert deviation.number not in quinn.get("/deviations/").content.decode()
    assert deviation.number in quinn.get("/deviations/?show=all").content.decode()


def test_a_refused_act_on_the_page_says_why(lab, deviation):
    quinn = signed_in(lab.users["quinn"])
    base = f"/deviations/{deviation.number}/"
    stale = quinn.post(f"{base}classify/", {"seen": "1", "classification": "minor", "reason": REASON})
    assert stale.status_code == 409 and 'data-code="stale_screen"' in stale.content.decode()
    assert quinn.post(f"{base}close/", {"closed_as": "investigated", "reason": REASON}).status_code == 409
    assert signed_in(lab.users["tess"]).get(base).status_code == 403


def test_a_deviation_is_opened_on_its_page(lab, lot):
    boss = signed_in(lab.users["boss"])
    assert boss.get("/deviations/new/").status_code == 200
    answer = boss.post("/deviations/new/", {"lot": lot.number, "title": "Power cut", "description": REASON})
    assert answer.status_code == 303 and lab.deviations(lot)[0].title == "Power cut"
    assert lab.deviations(lot)[0].number in boss.get(f"/lots/{lot.number}/deviations/panel/", HTTP_HX_REQUEST="true").content.decode()


@pytest.mark.req("DEV-01", case="positive")
def test_the_alert_of_a_closed_deviation_waits_for_nobody(lab, deviation):
    alert = next(each for each in lab.alerts() if each.cause == f"deviation:{deviation.pk}")
    assert alert.state == "raised"
    investigated = services.investigate(by=lab.by("quinn"), deviation_id=deviation.pk, seen=deviation.version, text=REASON)
    done = assessed(lab, investigated, impact="none")
    assert next(each for each in lab.alerts() if each.pk == alert.pk).state == "raised"
    closed(lab, done)
    settled = next(each for each in lab.alerts() if each.pk == alert.pk)
    assert (settled.state, settled.acknowledged_by_id, settled.next_escalation_at) == ("acknowledged", lab.users["quinn"].pk, None)
