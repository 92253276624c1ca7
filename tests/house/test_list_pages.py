"""List pages ask the database the same number of questions however long the list is (baseline: queries.json)."""

import json
import os
import uuid
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mes.people import services
from mes.people.models import User
from mes.people.segregation import conflict_in
from mes.web.pages import Page
from tests.builders.staff import signed_in
from tests.house.source import report
from tests.house.test_pages import OPEN, address, routes
from tests.house.test_wiring import enums

BASELINE = Path(__file__).with_name("queries.json")
HOW = "CARTULARY_WRITE_BASELINE=1 python3 manage.py test tests/house/test_list_pages.py"

#: Pages without an argument that are no lists: what they show is of the person or of one thing.
NO_LIST = {
    "me/secrets/": "own secrets",
}


@pytest.fixture
def floor(db, settings, tmp_path):
    """A site with its people, a recipe and a specification in force."""
    from tests.builders.floor import Floor

    settings.KEYS_FOLDER = tmp_path / "keys"
    return Floor()


def grow(floor) -> None:
    """One more of everything that a list shows."""
    floor.order()
    floor.medium()
    floor.equipment("prodigy")
    floor.place.person(f"person.{uuid.uuid4().hex[:8]}", "operator")


def everybodys(floor):
    """Browsers of people who together may open every page: for counting only. As many as the duties that are kept apart need."""
    groups: list[list[str]] = []
    for right in sorted(str(p) for enum in enums("permissions", "Permission").values() for p in enum):
        group = next((one for one in groups if conflict_in([*one, right]) is None), None)
        if group is None:
            groups.append(group := [])
        group.append(right)
    clients = []
    for number, rights in enumerate(groups):
        person = floor.place.person(f"all.{number}")
        role = services.define_role(by=floor.place.setup, code=f"all-{number}", name=f"All {number}", permissions=rights)
        services.grant_role(by=floor.place.setup, user=person, role=role)
        clients.append(signed_in(User.objects.get(pk=person.pk)))
    return clients


def measure(clients) -> dict[str, int]:
    """Questions asked by each page that needs no argument, for the first of these people who may open it."""
    counted = {}
    for route, callback in routes().items():
        view = getattr(callback, "view_class", None)
        if "<" in route or route in OPEN or route in NO_LIST or view is None or not issubclass(view, Page):
            continue
        for client in clients:
            client.get(address(route))  # the first time fills caches of the process
            with CaptureQueriesContext(connection) as asked:
                answer = client.get(address(route))
            if answer.status_code == 200:
                counted[route] = len(asked)
                break
    return counted


def test_no_page_asks_more_questions_when_its_list_is_longer(floor):
    for _ in range(2):
        grow(floor)
    clients = everybodys(floor)
    few = measure(clients)
    for _ in range(3):
        grow(floor)
    many = measure(clients)
    grown = {route: f"{few[route]} questions, then {many[route]} with three more rows" for route in few if many.get(route, 0) > few[route]}
    assert not grown, report(grown, "Fetch what the rows show in one query: select_related, prefetch_related, or one query for all of them.")
    if os.environ.get("CARTULARY_WRITE_BASELINE"):
        BASELINE.write_text(json.dumps(few, indent=2, sort_keys=True) + "\n")
    kept = json.loads(BASELINE.read_text())
    new = set(few) - set(kept)
    assert not new, report(new, f"These pages have no baseline yet. Run: {HOW}")
    gone = set(kept) - set(few)
    assert not gone, report(gone, f"There are no such pages any more. Run: {HOW}")
    more = {route: f"{few[route]} questions, {kept[route]} in the baseline" for route in few if few[route] > kept[route]}
    assert not more, report(more, f"Ask fewer, or say in the commit why they are needed and run: {HOW}")
