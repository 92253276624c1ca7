import json
import uuid

import pytest

from batches.lots.models import Lot
from mes.people.models import User
from mes.records.context import site_context
from tests.builders.registers import CENTRE, din
from tests.builders.staff import PASSWORD, signed_in

PATIENT = {"family_name": "Canarybird", "given_name": "Tweety", "born": "1961-04-23", "hospital_number": "HN-778899"}
ORDER = {"patient": PATIENT, "recipe": "ARI-0001-A", "recipe_version": "1.0", "market": "EU", "dins": [din()]} | CENTRE


class Caller:
    """A person who speaks to the API in a session of their own."""

    def __init__(self, world, name):
        world.by(name)
        self.client = signed_in(world.users[name])
        self.token = self.client.get("/api/v1/session/").json()["csrf_token"]

    def get(self, path):
        return self.client.get(f"/api/v1{path}")

    def post(self, path, body, key=None):
        headers = {"X-CSRFToken": self.token, "Idempotency-Key": key or str(uuid.uuid4())}
        return self.client.post(f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=headers)

    def sign(self, path, username, **more):
        prepared = self.get(path).json()
        return self.post(path, {"intent": prepared["intent"], "username": username, "secret": PASSWORD} | more)


@pytest.fixture
def call(world):
    world.version()
    return lambda name: Caller(world, name)


@pytest.mark.req("API-01", case="positive")
def test_a_lot_is_ordered_once_and_read_without_the_patient(world, call):
    sam, key = call("sam"), str(uuid.uuid4())
    first, again = sam.post("/lots/", ORDER, key), sam.post("/lots/", ORDER, key)
    assert first.status_code == again.status_code == 201 and first.json() == again.json() and again["Idempotency-Replayed"] == "true"
    with site_context(world.site.pk):
        assert Lot.objects.count() == 1
    body = sam.get("/lots/UTR-26-0001/").json()
    assert body["donations"][0]["din"] == "G123498654321" and body["containers"][0]["identifier"].startswith("CN-UTR-") and body["subject"].startswith("P-")
    assert "Canarybird" not in first.content.decode() and "778899" not in json.dumps(body)
    assert [each["number"] for each in sam.get("/lots/").json()["items"]] == ["UTR-26-0001"]


@pytest.mark.req("API-02", case="negative")
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"dins": ["G1234 98 654321 A"]}, 422, "wrong_check_character"),
        ({"market": "XX"}, 422, "unreadable_input"),
        ({"recipe_version": "9.9"}, 404, "not_found"),
        ({"patient": PATIENT | {"born": "yesterday"}}, 422, "born_not_a_date"),
    ],
)
def test_a_refused_order_answers_a_problem_and_leaves_no_lot(world, call, change, status, code):
    answer = call("sam").post("/lots/", ORDER | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer["Content-Type"].startswith("application/problem+json")
    with site_context(world.site.pk):
        assert Lot.objects.count() == 0


@pytest.mark.req("COI-01", case="negative")
def test_the_same_din_for_another_patient_is_refused_over_the_api(call):
    sam = call("sam")
    sam.post("/lots/", ORDER)
    answer = sam.post("/lots/", ORDER | {"patient": PATIENT | {"family_name": "Andersson", "hospital_number": "HN-2"}})
    assert (answer.status_code, answer.json()["code"]) == (409, "din_of_another")


def test_a_donation_is_collected_received_and_decided_over_the_api(call):
    call("sam").post("/lots/", ORDER)
    path = "/lots/UTR-26-0001/donations/G123498654321"
    alone = call("nora").post(f"{path}/collect/", {"seen": 1, "scanned": din()})
    assert (alone.status_code, alone.json()["code"]) == (422, "typed_alone")
    call("petra")
    wrong = {"seen": 1, "scanned": din(), "second_username": "petra.utr", "second_secret": "000000"}
    assert call("nora").post(f"{path}/collect/", wrong).status_code in {403, 422}
    collected = call("nora").post(f"{path}/collect/", {"seen": 1, "scanned": f"CTL:D:{din()[:13]}"})
    assert collected.status_code == 200 and collected.json()["state"] == "collected", collected.content
    rita, quinn = call("rita"), call("quinn")
    assert rita.post(f"{path}/receive/", {"seen": 1, "scanned": f"CTL:D:{din()[:13]}"}).json()["code"] == "stale_screen"
    assert rita.post(f"{path}/receive/", {"seen": 2, "scanned": f"CTL:D:{din()[:13]}"}).status_code == 200
    assert quinn.get(f"{path}/accept/sign/").json()["content"]["decision"] == "accept as starting material"
    signed = quinn.sign(f"{path}/accept/sign/", "quinn.utr")
    assert signed.status_code == 201 and signed.json()["role"] == "QA reviewer", signed.content
    assert quinn.get("/lots/UTR-26-0001/").json()["donations"][0]["state"] == "accepted"


@pytest.mark.req("ACC-02", case="negative")
def test_without_the_right_nothing_is_ordered(world, call):
    answer = call("olga").post("/lots/", ORDER)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_role")


@pytest.mark.req("SIG-03", case="negative")
def test_a_device_token_neither_orders_nor_signs(world, client):
    from mes.people import services as people

    lot, device = world.order(), world.equipment()
    user = world.staffed.person("counter.1", "equipment", kind=User.DEVICE, password="", pin="")
    _, token = people.issue_device_token(by=world.staffed.setup, user_id=user.pk, equipment_id=device.pk)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
    assert client.post("/api/v1/lots/", json.dumps(ORDER), content_type="application/json", headers=headers).status_code == 403
    signing = client.get(f"/api/v1/lots/{lot.number}/hold/sign/", headers=headers)
    assert signing.status_code == 403


def reading(device, **change):
    one = {"channel": "cells", "value": "1.250", "unit": "10^6 cells/mL", "device_time": "2026-11-22T10:00:00+01:00", "sequence": 7} | change
    return {"equipment": str(device.pk), "readings": [one]}


@pytest.mark.req("API-04", case="positive")
def test_a_device_posts_readings_once_with_its_own_token(world, client):
    from mes.people import services as people

    device = world.equipment("CNT-1", class_code="cell_counter")
    user = world.staffed.person("counter.1", "equipment", kind=User.DEVICE, password="", pin="")
    _, token = people.issue_device_token(by=world.staffed.setup, user_id=user.pk, equipment_id=device.pk)

    def post(body, key=None):
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key or str(uuid.uuid4())}
        return client.post("/api/v1/readings/", json.dumps(body), content_type="application/json", headers=headers)

    first, again = post(reading(device)), post(reading(device))
    assert first.status_code == 201, first.content
    assert first.json()["readings"][0] | {"repeated": True} == again.json()["readings"][0]
    assert first.json()["readings"][0]["why_not"] == "unknown_channel"
    assert post(reading(device, device_time="2026-11-22T10:00:00")).json()["code"] == "zone_missing"
    assert post(reading(device, value=None)).status_code == 422
    assert post(reading(device, sequence=8, value="1,234")).status_code == 201  # always kept, never a value
    assert post(reading(world.equipment("CNT-2", class_code="cell_counter"))).json()["code"] == "not_your_equipment"


def test_material_and_equipment_are_kept_over_the_api(call):
    rita, sue, quinn = call("rita"), call("sue"), call("quinn")
    assert rita.post("/materials/", {"code": "medium", "name": "Medium", "unit": "bags", "role": "raw"}).status_code == 201
    sent = {"material": "medium", "number": "L-1", "expires_at": "2030-01-01T00:00:00+01:00", "quantity": "10"}
    assert rita.post("/material-lots/", sent | {"unit": "mL"}).json()["code"] == "wrong_unit"
    lot = rita.post("/material-lots/", sent).json()
    assert (lot["state"], lot["left"]) == ("quarantine", "10")
    assert quinn.sign(f"/material-lots/{lot['id']}/release/sign/", "quinn.utr").status_code == 201
    assert rita.post(f"/material-lots/{lot['id']}/block/", {"seen": 2, "reason": "Recall."}).json()["state"] == "blocked"
    assert rita.post(f"/material-lots/{lot['id']}/reject/", {"seen": 3, "reason": "Recall."}).status_code == 403
    assert sue.post("/equipment-classes/", {"code": "prodigy", "name": "Prodigy"}).status_code == 201
    device = sue.post("/equipment/", {"equipment_class": "prodigy", "code": "PRO-1", "name": "One", "calibrated_until": "2030-01-01T00:00:00Z"}).json()
    assert (device["why_not"], device["lot"], device["identifier"]) == ("", "", "UTR.PRO-1")
    out = sue.post(f"/equipment/{device['id']}/state/", {"seen": 1, "state": "out_of_service", "reason": "Noise."})
    assert out.status_code == 200 and out.json()["why_not"] == "Out of service"
    renewed = {"seen": 2, "calibrated_until": "2031-01-01T00:00:00Z", "certificate": "C-1"}
    assert sue.post(f"/equipment/{device['id']}/calibration/", renewed).status_code == 200
