"""Leaving a step out: a signed decision of the named role, and the excursion that quality answers."""

from __future__ import annotations

import json

import pytest

from batches.execution import queries, services
from batches.execution.models import Excursion
from batches.execution.queries.content import left_out_subject, resume_subject
from batches.lots.models import Lot
from mes.errors import NotAllowed, OutOfSequence, RuleBroken, SigningRefused, StaleRecord, UnreadableInput
from mes.signatures import manifest
from mes.signatures.models import Signature, SigningIntent
from quality.deviations.models import Deviation
from tests.batches.execution.test_api import Caller, step
from tests.batches.execution.test_pages import address, browser, sign
from tests.builders.staff import PASSWORD

pytestmark = pytest.mark.django_db
WHY = "The counter is out of order until tomorrow"


def refused(code: str, kind=RuleBroken):
    return pytest.raises(kind, check=lambda broken: broken.code == code)


def leave_out(floor, lot, key: str = "A1.2", who: str = "boss", reason: str = WHY, signer: str = "", subject=None, meaning: str = "left_out"):
    run = floor.run(lot, key)
    with floor.reading():
        what = subject(floor_run(lot, key)) if subject else left_out_subject(floor_run(lot, key), reason)
    proof = floor.proof(who, signer or who, what, meaning)
    return services.leave_out_step(by=floor.by(who), step_run_id=run.pk, seen=run.version, reason=reason, proof=proof)


def floor_run(lot, key: str):
    return queries.run_by_key(lot.number, key)


@pytest.mark.req("EXE-01", case="positive")
def test_a_step_is_left_out_by_signature_and_its_excursion_has_a_deviation(floor):
    lot = floor.to_count()
    run = leave_out(floor, lot)
    assert (run.state, run.state_reason) == ("not_done", WHY)
    with floor.reading():
        signature = Signature.objects.get(record_id=run.pk, meaning="left_out")
        assert (signature.signer_id, signature.role) == (floor.users["boss"].pk, "Supervisor")
        assert signature.meaning_text == "I decide that this step is not done."
        excursion = Excursion.objects.get(lot=lot)
        assert (excursion.kind, excursion.step_run_id) == ("other", run.pk) and WHY in excursion.sentence
        assert Deviation.objects.get(excursion=excursion).lot_id == lot.pk
    floor.open(lot, "A1.3", "boss")
    assert floor.run(lot, "A1.3").state == "open"


def test_the_last_step_left_out_makes_the_lot_manufactured(floor):
    lot = floor.counted()
    floor.open(lot, "A1.3", "boss")
    floor.decide(lot, "go")
    floor.second(lot, "A1.3", "deputy", at="boss")
    floor.open(lot, "A1.4")
    floor.enter(lot, "A1.4", cleared_fill="yes")
    floor.perform(lot, "A1.4")
    floor.second(lot, "A1.4")
    leave_out(floor, lot, "A2.1")
    with floor.reading():
        assert Lot.objects.get(pk=lot.pk).state == "manufactured"


@pytest.mark.req("EXE-01", case="negative")
def test_line_clearances_decisions_and_orders_are_never_left_out(floor):
    lot = floor.order()
    with refused("cannot_be_left_out"):
        leave_out(floor, lot, "A0.1")
    floor.counted(lot)
    with refused("cannot_be_left_out"):
        leave_out(floor, lot, "A1.3")
    with refused("cannot_be_left_out"):
        leave_out(floor, lot, "A1.4")
    with floor.reading():
        assert not Excursion.objects.filter(lot=lot).exists() and not Signature.objects.filter(meaning="left_out").exists()


@pytest.mark.req("EXE-01", case="negative")
def test_a_step_that_is_not_next_or_is_signed_is_not_left_out(floor):
    lot = floor.to_count()
    with refused("step_not_next", OutOfSequence):
        leave_out(floor, lot, "A2.1")
    floor.fill_count(lot)
    floor.perform(lot, "A1.2")
    with refused("step_signed"):
        leave_out(floor, lot)


@pytest.mark.req("ACC-02", case="negative")
def test_who_may_not_resume_a_lot_leaves_no_step_out(floor):
    lot = floor.to_count()
    with refused("not_your_role", NotAllowed):
        leave_out(floor, lot, signer="jonas")
    assert floor.run(lot, "A1.2").state == "open"
    assert browser(floor).get(address(lot, rest="leave-out/")).status_code == 403


def test_a_step_is_not_left_out_without_a_reason_or_on_a_stale_screen(floor):
    lot = floor.to_count()
    with refused("reason_missing", UnreadableInput):
        leave_out(floor, lot, reason=" ")
    run = floor.run(lot, "A1.2")
    with floor.reading():
        what = left_out_subject(floor_run(lot, "A1.2"), WHY)
    proof = floor.proof("boss", "boss", what, "left_out")
    with pytest.raises(StaleRecord):
        services.leave_out_step(by=floor.by("boss"), step_run_id=run.pk, seen=run.version - 1, reason=WHY, proof=proof)


@pytest.mark.req("SIG-07", case="negative")
def test_the_signature_of_going_on_does_not_leave_a_step_out(floor):
    lot = floor.to_count()
    with pytest.raises((SigningRefused, StaleRecord)):
        leave_out(floor, lot, subject=lambda run: resume_subject(run, ""), meaning="resumed")
    assert floor.run(lot, "A1.2").state == "open"


def test_the_step_offers_leaving_out_to_who_may_decide_it_and_only_where_it_can_be(floor):
    lot = floor.to_count()
    there = address(lot, rest="leave-out/")
    boss = browser(floor, "boss")
    assert there in boss.get(address(lot)).content.decode()
    assert there not in browser(floor).get(address(lot)).content.decode()
    for key in ("A1.1", "A1.3", "A2.1"):  # signed, a decision, not next
        assert "leave-out/" not in boss.get(address(lot, key)).content.decode()
        assert boss.get(address(lot, key, "leave-out/")).status_code == 409
    answer = sign(boss, there, floor.users["boss"], secret=PASSWORD, reason=WHY)
    assert answer.status_code == 303
    shown = boss.get(address(lot)).content.decode()
    assert "This step was left out." in shown and WHY in shown


def test_a_step_is_left_out_over_the_api(floor):
    lot = floor.to_count()
    assert Caller(floor).get(step(lot, "leave-out/sign/")).status_code == 403
    caller = Caller(floor, "boss")
    short = caller.sign(step(lot, "leave-out/sign/"), secret=PASSWORD, reason="")
    assert short.status_code == 422 and short.json()["code"] == "reason_missing"
    signed = caller.sign(step(lot, "leave-out/sign/"), secret=PASSWORD, reason=WHY)
    assert signed.status_code == 201 and signed.json()["meaning"] == "left_out"
    assert caller.get(step(lot)).json()["state"] == "not_done"


def payload_of(floor, run) -> dict:
    with floor.reading():
        signature = Signature.objects.select_related("payload").get(record_id=run.pk, meaning="left_out")
        assert manifest.digest(bytes(signature.payload.content)) == bytes(signature.payload_digest)
        return json.loads(bytes(signature.payload.content))["content"]


@pytest.mark.req("SIG-06", case="positive")
def test_the_reason_is_part_of_what_is_signed_on_the_page_and_over_the_api(floor):
    first, second = floor.to_count(), floor.to_count()
    sign(browser(floor, "boss"), address(first, rest="leave-out/"), floor.users["boss"], secret=PASSWORD, reason=f"  {WHY} ")
    assert payload_of(floor, floor.run(first, "A1.2"))["reason"] == WHY
    caller = Caller(floor, "boss")
    wrong = caller.sign(step(second, "leave-out/sign/"), secret="wrong", reason=WHY)
    assert wrong.json()["code"] == "wrong_secret"
    assert caller.sign(step(second, "leave-out/sign/"), secret=PASSWORD, reason=WHY).status_code == 201
    assert payload_of(floor, floor.run(second, "A1.2"))["reason"] == WHY


@pytest.mark.req("SIG-06", case="negative")
def test_a_signature_given_for_one_reason_carries_no_other(floor):
    lot = floor.to_count()
    run = floor.run(lot, "A1.2")
    with floor.reading():
        what = left_out_subject(floor_run(lot, "A1.2"), WHY)
    proof = floor.proof("boss", "boss", what, "left_out")
    with pytest.raises(StaleRecord):
        services.leave_out_step(by=floor.by("boss"), step_run_id=run.pk, seen=run.version, reason="Another reason", proof=proof)
    assert floor.run(lot, "A1.2").state == "open"


@pytest.mark.req("SIG-15", case="negative")
def test_a_reason_typed_for_what_is_no_longer_there_signs_nothing(floor):
    lot = floor.to_count()
    boss, there = browser(floor, "boss"), address(lot, rest="leave-out/")
    intent = boss.get(there).content.decode().split('name="intent" value="')[1].split('"')[0]
    body = {"who": floor.users["boss"].username, "secret": PASSWORD, "reason": WHY}
    floor.enter(lot, "A1.2", viability="82.4")
    stale = boss.post(there, body | {"intent": intent})
    assert stale.status_code == 409 and stale["X-Refusal"] == "stale_screen" and floor.run(lot, "A1.2").state == "open"
    assert boss.post(there, body | {"intent": "nothing"})["X-Refusal"] == "no_intent"
    fresh = stale.content.decode().split('name="intent" value="')[1].split('"')[0]
    assert boss.post(there, body | {"intent": fresh}).status_code == 303
    with floor.reading():
        assert not SigningIntent.objects.filter(pk=fresh, used_at=None).exists()
