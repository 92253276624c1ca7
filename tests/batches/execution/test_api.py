"""Steps over the API: the same codes as on the page."""

from __future__ import annotations

import json
import uuid

import pytest
from django.test import Client

from batches.execution.models import Entry
from tests.builders.staff import PIN, signed_in

pytestmark = pytest.mark.django_db


class Caller:
    """A signed-in person who calls the API."""

    def __init__(self, floor, name: str = "maya") -> None:
        self.client: Client = signed_in(floor.users[name])
        self.user = floor.users[name]

    def get(self, path: str):
        return self.client.get(f"/api/v1/{path}")

    def post(self, path: str, body: dict, key: str = ""):
        return self.client.post(
            f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers={"Idempotency-Key": key or str(uuid.uuid4())}
        )

    def sign(self, path: str, user=None, query: str = "", **more):
        prepared = self.get(f"{path}{query}")
        assert prepared.status_code == 200, prepared.content
        body = {"intent": prepared.json()["intent"], "username": (user or self.user).username, "secret": PIN} | more
        return self.post(f"{path}{query}", body)


@pytest.fixture
def lot(floor):
    return floor.to_count()


def step(lot, rest: str = "", key: str = "A1.2") -> str:
    return f"lots/{lot.number}/steps/{key}/{rest}"


def test_the_steps_of_a_lot_are_read(floor, lot):
    caller = Caller(floor)
    listed = caller.get(f"lots/{lot.number}/steps/").json()
    assert [each["key"] for each in listed][:3] == ["A0.1", "A1.1", "A1.2"]
    one = caller.get(step(lot)).json()
    assert one["state"] == "open" and one["equipment"] == ["counter", "incubator"]
    assert {"text": "Enter Viability.", "anchor": "in-viability"} in one["missing"]


@pytest.mark.req("EXE-04", case="negative")
def test_a_value_that_is_none_is_a_problem_with_the_same_code(floor, lot):
    caller = Caller(floor)
    answer = caller.post(step(lot, "values/"), {"values": [{"parameter": "viability", "value": "1,234"}]})
    assert answer.status_code == 422 and answer.json()["code"] == "ambiguous_thousands"
    wrong = caller.post(step(lot, "values/"), {"values": [{"parameter": "volume", "value": "1", "unit": "L"}]})
    assert wrong.json()["code"] == "wrong_unit"


@pytest.mark.req("EXE-03", case="positive")
def test_values_are_recorded_once_per_key(floor, lot):
    caller, body = Caller(floor), {"values": [{"parameter": "viability", "value": "68.4"}, {"parameter": "volume", "value": "ten"}]}
    first, again = (caller.post(step(lot, "values/"), body, key="one") for _ in range(2))
    assert first.status_code == again.status_code == 201
    shown = first.json()["values"]
    assert shown[0]["recorded"] and shown[0]["entry"]["level"] == "action" and shown[1]["code"] == "not_a_number"
    assert len(first.json()["step"]["undecided"]) == 1
    with floor.reading():
        assert Entry.objects.filter(lot=lot, parameter="viability").count() == 1
    stale = caller.post(step(lot, "values/"), {"values": [{"parameter": "viability", "value": "70.0"}]})
    assert stale.status_code == 409 and stale.json()["code"] == "stale_screen"


@pytest.mark.req("SIG-02", case="positive")
def test_a_step_is_done_and_signed_by_present_people(floor, lot):
    caller = Caller(floor)
    for class_code in ("counter", "incubator"):
        assert caller.post(step(lot, "equipment/"), {"class_code": class_code, "scanned": floor.equipment(class_code).identifier}).status_code == 201
    assert caller.post(step(lot, "materials/"), {"line": "medium", "scanned": floor.medium().identifier, "quantity": "12"}).status_code == 201
    wrong = caller.post(step(lot, "materials/"), {"line": "medium", "scanned": floor.equipment("counter").identifier})
    assert wrong.status_code == 409 and wrong.json()["code"] == "wrong_material"
    early = caller.sign(step(lot, "sign/"))
    assert early.status_code == 409 and early.json()["code"] == "step_incomplete"
    from django.core.files.uploadedfile import SimpleUploadedFile

    sent = caller.client.post(
        f"/api/v1/{step(lot, 'files/report/')}", {"file": SimpleUploadedFile("r.csv", b"1", content_type="text/csv")}, headers={"Idempotency-Key": "file"}
    )
    assert sent.status_code == 201, sent.content
    values = [{"parameter": "viability", "value": "82.4"}, {"parameter": "density", "value": "1e6"}, {"parameter": "volume", "value": "100"}]
    values.append({"parameter": "sampled_at", "value": "2026-03-01T10:00:00Z"})
    assert caller.post(step(lot, "values/"), {"values": values}).status_code == 201
    signed = caller.sign(step(lot, "sign/"))
    assert signed.status_code == 201 and signed.json()["meaning"] == "performed", signed.content
    same = caller.sign(step(lot, "second/sign/"))
    assert same.status_code == 403 and same.json()["code"] == "same_person"
    assert caller.sign(step(lot, "second/sign/"), floor.users["jonas"]).status_code == 201
    assert caller.get(step(lot)).json()["state"] == "complete"


def test_a_wrong_scan_over_the_api_has_its_code(floor, lot):
    other = floor.order()
    caller = Caller(floor, "sam")
    opened = caller.post(step(other, "open/", "A0.1"), {"seen": 1})
    assert opened.status_code == 201 and opened.json()["state"] == "open"
    again = caller.post(step(other, "open/", "A0.1"), {"seen": 2})
    assert again.json()["code"] == "step_is_open"


@pytest.mark.req("SIG-16", case="negative")
def test_a_device_signs_nothing(floor, lot):
    from mes.people.services import issue_device_token
    from mes.people.setup import enrol

    device = enrol(by=floor.place.setup, username="counter-device", full_name="Counter", roles=["equipment"], kind="device")
    _, token = issue_device_token(by=floor.by("adm"), user_id=device.pk, equipment_id=floor.equipment("counter").pk)
    answer = Client().get(f"/api/v1/{step(lot, 'sign/')}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
