"""The laboratory, specifications, deviations and alerts over the API: the same rules, the same codes."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

import pytest
from django.test import Client

from mes.people.setup import system_actor
from quality import watch
from quality.samples.models import Result
from tests.builders.laboratory import SPECIFICATION
from tests.builders.staff import PASSWORD, PIN, signed_in

pytestmark = pytest.mark.django_db
REASON = "The counter was checked and the value holds."


@pytest.fixture
def lot(lab):
    return lab.weighed(lab.received(lab.order()))


def post(client: Client, path: str, body: dict, key: str = ""):
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers={"Idempotency-Key": key or uuid.uuid4().hex})


def refused(answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content


def sign(client: Client, path: str, who, *, secret: str = PASSWORD, **query: str):
    url = path + (f"?{urlencode(query)}" if query else "")
    prepared = client.get(f"/api/v1/{url}").json()
    return prepared, post(client, url, {"intent": prepared["intent"], "username": who.username, "secret": secret})


def result_of(lab, lot, criterion: str) -> Result:
    with lab.reading():
        return Result.objects.get(lot=lot, criterion=criterion, superseded_by=None)


@pytest.mark.req("QC-01", case="negative")
def test_a_result_is_posted_judged_on_the_server_and_repeated_without_effect(lab, lot):
    ana, key = signed_in(lab.users["ana"]), uuid.uuid4().hex
    body = {"criterion": "viability", "value": "65.0", "unit": "%", "method_version": "1", "verdict": "meets"}
    answer = post(ana, f"lots/{lot.number}/results/", body, key)
    assert answer.status_code == 201
    found = answer.json()
    assert (found["verdict"], found["compared"], found["value"], found["specification_version"]) == ("below", "65.0", "65.0", "1.0")
    assert found["deviation"] == lab.deviations(lot)[0].number
    assert post(ana, f"lots/{lot.number}/results/", body, key).json() == found
    assert len(lab.deviations(lot)) == 1


@pytest.mark.parametrize(
    "change, status, code",
    [
        ({"value": "1,234"}, 422, "ambiguous_thousands"), ({"value": "good"}, 422, "not_a_number"), ({"unit": "EU/mL"}, 422, "wrong_unit"),
        ({"unit": ""}, 422, "unit_missing"), ({"criterion": "colour"}, 404, "no_such_criterion"), ({"sample": "S-NOPE"}, 404, "not_found"),
        ({"value": True}, 422, "not_a_number"), ({"kind": "interim"}, 409, "no_interim"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_the_codes_of_the_page(lab, lot, change, status, code):
    body = {"criterion": "viability", "value": "88.7", "unit": "%", "method_version": "1"} | change
    refused(post(signed_in(lab.users["ana"]), f"lots/{lot.number}/results/", body), status, code)
    with lab.reading():
        assert not Result.objects.filter(lot=lot).exists()


def test_an_exact_number_keeps_its_digits(lab, lot):
    ana = signed_in(lab.users["ana"])
    text = '{"criterion": "viability", "value": 88.70, "unit": "%", "method_version": "1"}'
    answer = ana.post(f"/api/v1/lots/{lot.number}/results/", text, content_type="application/json", headers={"Idempotency-Key": uuid.uuid4().hex})
    assert answer.json()["value"] == "88.70"


def test_the_table_of_a_lot_tells_what_is_missing_and_what_is_pending(lab, lot):
    lab.tested(lot, "viability")
    lines = {each["criterion"]: each for each in signed_in(lab.users["quinn"]).get(f"/api/v1/lots/{lot.number}/results/").json()}
    assert (lines["viability"]["standing"], lines["vcn"]["standing"], lines["endotoxin"]["standing"]) == ("met", "pending_after_release", "missing")
    assert lines["vcn"]["due"] and lines["vcn"]["result"] is None


def test_samples_are_drawn_and_received_by_their_scan(lab):
    lot = lab.order()
    maya, ana = signed_in(lab.users["maya"]), signed_in(lab.users["ana"])
    (first, _) = maya.get(f"/api/v1/lots/{lot.number}/samples/").json()
    assert post(maya, f"samples/{first['identifier']}/draw/", {"version": 1}).json()["state"] == "drawn"
    refused(post(ana, f"samples/{first['identifier']}/receive/", {"version": 2, "scanned": "S-OTHER"}), 409, "wrong_sample")
    refused(post(ana, f"samples/{first['identifier']}/receive/", {"version": 1, "scanned": first["identifier"]}), 409, "stale_screen")
    assert post(ana, f"samples/{first['identifier']}/receive/", {"version": 2, "scanned": first["identifier"]}).json()["state"] == "received"


def test_a_test_left_out_is_stated(lab, lot):
    ana = signed_in(lab.users["ana"])
    refused(post(ana, f"lots/{lot.number}/results/not-tested/", {"criterion": "viability", "reason": REASON}), 409, "test_required")
    assert post(ana, f"lots/{lot.number}/results/not-tested/", {"criterion": "potency_a", "reason": REASON}).json()["verdict"] == "not_tested"


@pytest.mark.req("QC-02", case="positive")
def test_a_review_is_signed_and_shows_what_is_signed(lab, lot):
    lab.tested(lot, "viability")
    rea = signed_in(lab.users["rea"])
    prepared, answer = sign(rea, f"samples/{lab.sample(lot).identifier}/review/", lab.users["rea"])
    assert prepared["content"]["results"][0]["value"] == "88.7" and prepared["meaning"] == "reviewed_result"
    assert answer.status_code == 201 and answer.json()["full_name"] == "Rea Demo"
    assert lab.table(lot)["viability"].reviewed


def test_one_result_is_reviewed_and_read(lab, lot):
    result = lab.tested(lot, "endotoxin")
    rea = signed_in(lab.users["rea"])
    assert sign(rea, f"results/{result.pk}/review/", lab.users["rea"])[1].status_code == 201
    assert rea.get(f"/api/v1/results/{result.pk}/").json()["value"] == "<0.05"
    nobodys = {"intent": str(uuid.uuid4()), "username": "a", "secret": "b"}
    refused(post(signed_in(lab.users["ana"]), f"results/{result.pk}/review/", nobodys), 403, "not_your_role")


def test_a_correction_is_signed_by_a_second_person(lab, lot):
    result = lab.tested(lot, "viability", "87.8")
    ana = signed_in(lab.users["ana"])
    query = {"value": "88.7", "unit": "%", "method_version": "1", "reason": "Two digits were swapped."}
    refused(sign(ana, f"results/{result.pk}/correct/", lab.users["ana"], secret=PIN, **query)[1], 403, "same_person")
    prepared, answer = sign(ana, f"results/{result.pk}/correct/", lab.users["rea"], secret=PIN, **query)
    assert prepared["content"]["becomes"]["value"] == "88.7" and answer.status_code == 201
    assert result_of(lab, lot, "viability").supersedes_id == result.pk


@pytest.mark.req("API-02", case="negative")
def test_a_device_posts_no_result_and_signs_nothing(lab, lot):
    from mes.keys import uuid7
    from mes.people import services as people

    device = lab.place.person("counter-1", "equipment", kind="device", password="", pin="")
    _, token = people.issue_device_token(by=lab.place.setup, user_id=device.pk, equipment_id=uuid7())
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid.uuid4().hex}
    body = {"criterion": "viability", "value": "88.7", "unit": "%", "method_version": "1"}
    answer = Client().post(f"/api/v1/lots/{lot.number}/results/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 403 and answer.json()["code"] == "not_your_role"


def test_a_specification_is_imported_approved_and_put_into_force(lab):
    erin, quinn = signed_in(lab.users["erin"]), signed_in(lab.users["quinn"])
    text = SPECIFICATION.replace('version: "1.0"', 'version: "2.0"')
    bad = post(erin, "specifications/", {"text": text.replace('unit: "%", min: 70', "min: 70")})
    refused(bad, 422, "specification_refused")
    made = post(erin, "specifications/", {"text": text}).json()
    at = f"specifications/{made['id']}/"
    assert post(erin, f"{at}submit/", {"version": 1}).json()["state"] == "in_review"
    assert post(quinn, f"{at}return/", {"version": 2, "reason": "Look at the limits."}).json()["state"] == "draft"
    assert post(erin, f"{at}submit/", {"version": 3}).json()["state"] == "in_review"
    assert sign(quinn, f"{at}approve/", lab.users["quinn"])[1].status_code == 201
    assert post(quinn, f"{at}make-effective/", {"version": 5}).json()["state"] == "effective"
    found = erin.get("/api/v1/specifications/").json()
    assert {(each["label"], each["state"]) for each in found} == {("1.0", "superseded"), ("2.0", "effective")}
    assert erin.get(f"/api/v1/{at}").json()["text"] == text


def test_a_deviation_goes_to_its_closure(lab, lot):
    lab.tested(lot, "viability", "65.0")
    (opened,) = lab.deviations(lot)
    watch.answer_deviation(system_actor(lab.place.site.pk), opened.pk)
    quinn, at = signed_in(lab.users["quinn"]), f"deviations/{opened.number}/"
    found = quinn.get(f"/api/v1/{at}").json()
    assert (found["classification"], found["state"]) == ("major", "classified")
    found = post(quinn, f"{at}classify/", {"version": found["version"], "classification": "minor", "reason": REASON}).json()
    found = post(quinn, f"{at}investigate/", {"version": found["version"], "text": REASON}).json()
    assert sign(quinn, f"{at}assess/", lab.users["quinn"], impact="acceptable", reason=REASON)[1].status_code == 201
    assert sign(quinn, f"{at}close/", lab.users["quinn"], closed_as="investigated", reason=REASON)[1].status_code == 201
    closed = quinn.get("/api/v1/deviations/?state=closed&lot=" + lot.number).json()
    assert [each["number"] for each in closed["items"]] == [opened.number]
    refused(post(quinn, f"{at}investigate/", {"version": 9, "text": REASON}), 409, "stale_screen")


def test_a_deviation_is_opened_by_hand(lab, lot):
    boss = signed_in(lab.users["boss"])
    made = post(boss, "deviations/", {"lot": lot.number, "title": "Power cut", "description": REASON})
    assert made.status_code == 201 and made.json()["kind"] == "manual"
    refused(post(boss, "deviations/", {"lot": "NOPE", "title": "Power cut", "description": REASON}), 404, "not_found")


def test_alerts_are_read_and_acknowledged(lab, lot):
    lab.tested(lot, "viability", "65.0")
    watch.answer_deviation(system_actor(lab.place.site.pk), lab.deviations(lot)[0].pk)
    boss = signed_in(lab.users["boss"])
    (alert,) = boss.get("/api/v1/alerts/").json()
    assert boss.get(f"/api/v1/alerts/{alert['id']}/").json()["severity"] == "warning"
    done = post(boss, f"alerts/{alert['id']}/acknowledge/", {"version": alert["version"]}).json()
    assert (done["state"], done["acknowledged_by"]) == ("acknowledged", "Boss Demo")
    assert boss.get("/api/v1/alerts/").json() == [] and len(boss.get("/api/v1/alerts/?all=1").json()) == 1
    refused(post(signed_in(lab.users["maya"]), f"alerts/{alert['id']}/acknowledge/", {"version": 2}), 403, "not_your_role")
