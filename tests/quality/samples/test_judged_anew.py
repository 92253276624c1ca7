"""A verdict that was computed from the batch record, after the record was corrected: the gate notices, and the verdict is made anew."""

from __future__ import annotations

import json
import uuid

import pytest

from batches.execution import services as steps
from batches.execution.models import Entry, StepRun
from batches.execution.queries import correction_subject
from mes.clock import record_now
from mes.errors import NotAllowed
from quality.release import queries as release
from quality.review import queries as review
from quality.samples import services
from quality.samples.models import Result
from tests.builders.staff import signed_in

pytestmark = pytest.mark.django_db
WHY = "The weight of the order was corrected"


@pytest.fixture
def lot(lab):
    """A lot of a patient of 70.0 kg: the dose is 7.0e6 ± 20 %."""
    return lab.weighed(lab.received(lab.order()))


def weigh_again(lab, lot, text: str) -> None:
    """The weight is corrected: it was typed wrongly."""
    with lab.reading():
        entry = Entry.objects.select_related("by").get(lot=lot, parameter="weight_kg", superseded_by=None)
        run = StepRun.objects.select_related("lot").get(pk=entry.step_run_id)
        what = correction_subject(entry, run, text, "Typed from the wrong chart")
    proof = lab.proof("sam", "sue", what, "confirmed_transcription")
    made = steps.correct_value(by=lab.by("sam"), entry_id=entry.pk, text=text, reason="Typed from the wrong chart", proof=proof)
    assert isinstance(made, Entry)


def line(lab, lot):
    """The gate's line about verdicts."""
    with lab.reading():
        return next(each for each in release.gate(release.lot_by_number(lot.number), "stage_1", record_now()) if each.code == "verdicts")


def current(lab, lot) -> Result:
    with lab.reading():
        return Result.objects.select_related("supersedes").get(lot=lot, criterion="dose", superseded_by=None)


@pytest.mark.req("QC-01", case="negative")
def test_a_verdict_whose_ground_was_corrected_blocks_release_until_it_is_made_anew(lab, lot):
    result = lab.tested(lot, "dose", "8.3e6")
    lab.tested(lot, "viability")
    assert result.verdict == "meets" and line(lab, lot).ok
    weigh_again(lab, lot, "60.0")
    closed = line(lab, lot)
    assert closed.blocking and not closed.ok and closed.state == "alarm"
    assert "Dose was judged by 7.00e6" in closed.detail and "now it is 6.00e6" in closed.detail and "Judge it anew" in closed.detail
    assert current(lab, lot).verdict == "meets"  # what was stored is never changed
    made = services.judge_anew(by=lab.by("ana"), result_id=result.pk, reason=WHY)
    assert (made.verdict, made.value_text, made.unit, made.supersedes_id, made.reason) == ("above", "8.3e6", "CAR+ cells", result.pk, WHY)
    assert line(lab, lot).ok
    (deviation,) = lab.deviations(lot)
    assert deviation.result_id == made.pk
    with lab.reading():
        titles = [each.finding.title for each in review.picture(release.lot_by_number(lot.number)).lines]
        lines = {each.code: each for each in release.gate(release.lot_by_number(lot.number), "stage_1", record_now())}
    assert "Result of Dose judged anew" in titles
    assert "Dose" in lines["results_meet"].detail and "Dose" in lines["results_reviewed"].detail


@pytest.mark.req("QC-01", case="positive")
def test_a_verdict_can_come_to_meet_and_a_correction_taken_back_lets_it_stand(lab, lot):
    result = lab.tested(lot, "dose", "8.3e6")
    weigh_again(lab, lot, "60.0")
    weigh_again(lab, lot, "70.0")
    assert line(lab, lot).ok
    weigh_again(lab, lot, "69.5")
    assert not line(lab, lot).ok  # it would still meet, by another band than the one that is printed
    made = services.judge_anew(by=lab.by("ana"), result_id=result.pk, reason=WHY)
    assert made.verdict == "meets" and made.rule != result.rule and line(lab, lot).ok
    lab.reviewed(made)


@pytest.mark.req("QC-01", case="negative")
def test_a_verdict_that_stands_is_not_made_anew(lab, lot, refused):
    dose, viability = lab.tested(lot, "dose", "8.41e6"), lab.tested(lot, "viability", "60")
    with refused("verdict_stands"):
        services.judge_anew(by=lab.by("ana"), result_id=dose.pk, reason=WHY)
    weigh_again(lab, lot, "72.0")
    with refused("verdict_stands"):
        services.judge_anew(by=lab.by("ana"), result_id=viability.pk, reason=WHY)
    with pytest.raises(NotAllowed):
        services.judge_anew(by=lab.by("rea"), result_id=dose.pk, reason=WHY)
    with refused("reason_missing"):
        services.judge_anew(by=lab.by("ana"), result_id=dose.pk, reason=" ")
    services.judge_anew(by=lab.by("ana"), result_id=dose.pk, reason=WHY)
    with refused("corrected_before"):
        services.judge_anew(by=lab.by("ana"), result_id=dose.pk, reason=WHY)


def test_the_page_says_so_and_offers_it_and_the_api_does_the_same(lab, lot):
    lab.tested(lot, "dose", "8.3e6")
    ana, there = signed_in(lab.users["ana"]), f"/lots/{lot.number}/qc/?criterion=dose"
    assert "no longer stands" not in ana.get(there).content.decode()
    weigh_again(lab, lot, "60.0")
    page, offer = ana.get(there).content.decode(), f"/qc/results/{current(lab, lot).pk}/judge-anew/"
    assert "This verdict no longer stands." in page and offer in page
    assert offer not in signed_in(lab.users["rea"]).get(there).content.decode()
    assert "now it is 6.00e6" in ana.get(offer).content.decode()
    assert ana.post(offer, {"reason": ""}).status_code in (409, 422)
    assert ana.post(offer, {"reason": WHY}).status_code == 303
    assert current(lab, lot).verdict == "above"
    weigh_again(lab, lot, "71.0")
    answer = ana.post(
        f"/api/v1/results/{current(lab, lot).pk}/judge-anew/", json.dumps({"reason": WHY}), content_type="application/json",
        HTTP_IDEMPOTENCY_KEY=str(uuid.uuid4()),
    )  # fmt: skip
    assert answer.status_code == 201 and answer.json()["verdict"] == "meets"
