"""Labels and hand-overs over the API: the same services and codes as on the pages."""

import json
from uuid import uuid4

import pytest

from batches.lots import queries
from mes.records.context import site_context
from tests.builders.registers import din
from tests.builders.staff import PIN, signed_in


@pytest.fixture
def api(world):
    """An API client in which a person of the site signed in; a call answers status and body."""

    def open_for(name):
        world.by(name)
        client = signed_in(world.users[name])

        def call(method, path, body=None, *, query=None):
            if method == "GET":
                answer = client.get(f"/api/v1/{path}", query or {})
            else:
                answer = client.post(
                    f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json", headers={"Idempotency-Key": str(uuid4())}, query_params=query
                )
            return answer.status_code, answer.json() if "json" in answer["Content-Type"] else answer

        return call

    return open_for


@pytest.fixture
def bag(world):
    lot = world.started()
    with site_context(world.site.pk):
        return lot, queries.containers_of(lot)[0]


@pytest.mark.req("COI-06", case="positive")
def test_a_label_is_printed_used_and_destroyed_over_the_api(api, bag):
    lot, container = bag
    olga = api("olga")
    status, label = olga("POST", f"lots/{lot.number}/labels/", {"container": container.identifier})
    assert status == 201 and (label["serial"], label["state"]) == (1, "printed")
    scans = {"seen": label["version"], "scanned_label": f"CTL:C:{container.identifier}", "scanned_container": f"CTL:D:{din()}"}
    status, label = olga("POST", f"labels/{label['id']}/use/", scans)
    assert status == 200 and label["state"] == "used"
    _, pdf = olga("POST", f"labels/{label['id']}/pdf/")
    assert pdf.content.startswith(b"%PDF") and pdf["Cache-Control"] == "no-store, private"
    status, label = olga("POST", f"labels/{label['id']}/destroy/", {"seen": label["version"], "reason": "Came off."})
    assert status == 200 and [each["state"] for each in olga("GET", f"lots/{lot.number}/labels/")[1]] == ["destroyed"]


@pytest.mark.req("COI-06", case="negative")
def test_a_second_label_without_reason_and_a_label_for_another_lots_container_are_refused(api, bag, world):
    lot, container = bag
    olga = api("olga")
    olga("POST", f"lots/{lot.number}/labels/", {"container": container.identifier})
    assert olga("POST", f"lots/{lot.number}/labels/", {"container": container.identifier})[1]["code"] == "reprint_without_reason"
    assert olga("POST", f"lots/{lot.number}/labels/", {"container": "CN-UTR-2222222222-0"})[1]["code"] == "not_found"
    assert api("tess")("POST", f"lots/{lot.number}/labels/", {"container": container.identifier})[1]["code"] == "not_your_role"


@pytest.mark.req("COI-04", case="positive")
def test_a_hand_over_is_signed_over_the_api_with_the_scan_of_the_container(api, bag):
    lot, container = bag
    nora, path = api("nora"), f"lots/{lot.number}/hand-overs/to_manufacture/sign/"
    query = {"scanned": f"CTL:C:{container.identifier}", "from_place": "Ward 3", "to_place": "Courier", "seal": "S-17"}
    status, prepared = nora("GET", path, query=query)
    assert status == 200 and prepared["content"]["container"] == container.identifier
    status, signed = nora("POST", path, {"intent": prepared["intent"], "username": "nora.utr", "secret": PIN}, query=query)
    assert status == 201 and signed["meaning"] == "dispatched"
    assert [(each["kind"], each["seal"]) for each in nora("GET", f"lots/{lot.number}/hand-overs/")[1]] == [("to_manufacture", "S-17")]


@pytest.mark.req("COI-04", case="negative")
def test_a_hand_over_of_an_unknown_kind_or_container_is_refused(api, bag):
    lot, container = bag
    nora = api("nora")
    assert nora("GET", f"lots/{lot.number}/hand-overs/to_the_moon/sign/")[0] == 404
    assert nora("GET", f"lots/{lot.number}/hand-overs/to_manufacture/sign/", query={"scanned": "5901234123457"})[1]["code"] == "container_unknown"
    assert (
        api("olga")("GET", f"lots/{lot.number}/hand-overs/to_manufacture/sign/", query={"scanned": f"CTL:C:{container.identifier}"})[1]["code"]
        == "not_your_role"
    )
