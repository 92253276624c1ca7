"""Every address, method, role and site: each cell of tests/house/access.yaml is really called. ACC-02; architecture 7.

The table says for each address and method who may: `open` (anybody), `signed in`, a permission, or several of which one
is enough. Who holds a permission follows from the roles a site is opened with. A new address fails here until it has a row;
the message prints the row that its view asks for, to be judged by whoever adds it.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import uuid
from functools import cache

import pytest
from django.http import HttpResponse
from django.test import Client
from django.views import View
from ruamel.yaml import YAML

from mes.api.views import ServiceView
from mes.people.segregation import TEMPORARY_ROLES
from mes.people.session_store import SessionStore
from mes.web.pages import Page
from quality.roles import ROLES
from tests.house.source import ROOT, report
from tests.house.test_pages import routes

TABLE = ROOT / "tests" / "house" / "access.yaml"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: What a site shares with every other by design (architecture 5): recipes and specifications are data of the network.
SHARED = ("masters/", "specifications/", "api/v1/recipes/", "api/v1/specifications/")
#: Answered with nothing in it, as for a stream that is not there.
EMPTY = ("audit/stream/",)
#: Every role but the administrator's, who never holds one of these as well, and equipment, which is no person.
#: Who recipes are approved by does not write them, and who tests lots does not certify them (mes/people/segregation.py).
APART = {"process_engineer", "qa_release"}
GMP_ROLES = sorted(set(ROLES) - {"administrator", "equipment"} - set(TEMPORARY_ROLES) - APART)
#: Every address of the API that is none: answered by no method of its own.
ELSEWHERE = "api/v1/^.*$"
#: The kind of hand-over that is asked for; each kind has a right of its own, asked by the same line of the view.
HAND_OVER = "at_manufacture"


@cache
def table() -> dict[str, dict[str, str | list[str]]]:
    return YAML(typ="safe").load(TABLE.read_text(encoding="utf-8"))


def cells() -> list[tuple[str, str, str | list[str]]]:
    return [(route, method, needs) for route, row in table().items() for method, needs in row.items()]


def row_of(callback) -> dict[str, object]:
    """The row that a view asks for, as a proposal."""
    view = getattr(callback, "view_class", getattr(callback, "cls", None))
    if view is not None and issubclass(view, Page):
        right = view.permission or ("open" if view.open_to_all else "signed in")
        words = str(right) if isinstance(right, str) else [str(one) for one in right]
        return {"GET": words} | {m: words for m in METHODS if m != "GET" and hasattr(view, m.lower())}
    if view is not None and issubclass(view, ServiceView):
        usual = "open" if view.open_to_anyone else "signed in"
        return {m: str(view.permissions.get(m, view.permission) or usual) for m in METHODS if hasattr(view, m.lower())}
    return {"GET": "open"}


def without_a_row(rows) -> dict[str, object]:
    """Every address that has none of these rows, with the row that its view asks for."""
    return {f'"{route}"': row_of(callback) for route, callback in routes().items() if route not in rows}


def test_every_address_has_its_row_and_every_row_its_address():
    new = without_a_row(table())
    assert not new, report(new, f"Judge these rows and add them to {TABLE.relative_to(ROOT)} (without the quotes of the values).")
    gone = set(table()) - set(routes())
    assert not gone, report(gone, f"There is no such address any more: take its row out of {TABLE.relative_to(ROOT)}.")


@pytest.mark.req("ACC-02", case="negative")
def test_an_address_that_lost_its_row_is_named_whichever_it_is():
    assert len(routes()) > 200
    for route in routes():
        assert set(without_a_row(set(table()) - {route})) == {f'"{route}"'}


def test_every_row_names_every_method_its_view_answers():
    found = {}
    for route, callback in routes().items():
        view = getattr(callback, "view_class", getattr(callback, "cls", None))
        if view is None or not issubclass(view, Page | ServiceView):
            continue
        missing = set(row_of(callback)) ^ set(table().get(route, {}))
        if missing and route != ELSEWHERE:
            found[route] = sorted(missing)
    assert not found, report(found, "The row and the view do not name the same methods.")


def test_every_right_of_the_table_is_held_by_a_role_and_no_role_reads_as_open():
    held = {str(permission) for _, permissions in ROLES.values() for permission in permissions}
    needed = {one for _, _, needs in cells() for one in ([needs] if isinstance(needs, str) else needs)} - {"open", "signed in"}
    assert not needed - held, report(needed - held, "No role of quality/roles.py holds it: nobody could ever be let in.")


# --- a site to be read --------------------------------------------------------------------------------------------------


class World:
    """A site with a lot made and tested, somebody for each role, a device, and people of another site."""

    def __init__(self) -> None:
        from tests.builders.judged import Judged
        from tests.builders.people import Place
        from tests.builders.staff import open_site

        self.site = Judged("MATRIX")
        self.lot = self.site.tested(self.site.made(viability="60.0"))
        place = self.site.place
        self.people = {code: self.member(code) for code in ROLES if code not in ("equipment",)}
        self.device, self.token = Place(place.site, place.setup).device("device.matrix", ["batches.post_readings"])
        self.everybody = place.person("everybody.matrix", *GMP_ROLES, full_name="Everybody Matrix")
        other = open_site("FAR", "A far site", roles=ROLES)
        self.outsider = other.person("outsider.far", *GMP_ROLES)
        self.far_administrator = other.person("administrator.far", "administrator")
        with self.site.reading():
            self.arguments = self._arguments()

    def member(self, code: str):
        """Somebody of one role; a role that ends at an hour is given until tomorrow."""
        from mes.clock import record_now
        from mes.people import services
        from mes.people.models import Role

        place, full_name = self.site.place, f"{code.title()} Matrix"
        if code not in TEMPORARY_ROLES:
            return place.person(f"{code}.matrix", code, full_name=full_name)
        user = place.person(f"{code}.matrix", full_name=full_name)
        role = Role.objects.get(site=place.site, code=code)
        services.grant_role(by=place.setup, user=user, role=role, ends_at=record_now() + dt.timedelta(days=1))
        return user

    def _arguments(self) -> dict[str, dict[str, str]]:
        """A real thing of this site for each argument, by the beginning of the address; `` holds for all."""
        from batches.custody.models import Label
        from batches.equipment.models import Equipment
        from batches.execution.models import Entry, Excursion
        from batches.lots.models import Container, Donation
        from batches.materials.models import Consumption, MaterialLot
        from mes.people.models import Grant
        from quality.deviations.models import Deviation
        from quality.samples.models import Result, Sample
        from quality.specifications.models import SpecificationVersion

        lot, person = self.lot, self.people["operator"]
        first = lambda model, **where: model.objects.filter(**where).first()  # noqa: E731
        recipe, specification = self.site.version, first(SpecificationVersion, label="1.0")
        usual = {
            "number": lot.number, "key": "A1.2", "parameter": "viability", "din": first(Donation, therapy_event=lot.therapy_event).din, "decision": "accept",
            "label_id": first(Label).pk, "container_id": first(Container, lot=lot, kind="final_bag").pk, "kind": HAND_OVER,
            "pseudonym": lot.therapy_event.patient.pseudonym, "lot_id": first(MaterialLot).pk, "equipment_id": first(Equipment).pk,
            "entry_id": first(Entry, step_run__lot=lot, parameter="viability").pk, "excursion_id": first(Excursion, lot=lot).pk,
            "consumption_id": first(Consumption).pk, "identifier": first(Sample, lot=lot).identifier, "result_id": first(Result, lot=lot).pk,
            "criterion": "viability", "version_id": specification.pk, "user_id": person.pk, "grant_id": first(Grant, user=person).pk, "stream_id": lot.pk,
            "code": "report", "label": "1.0", "option": "go", "old": "1.0", "act": "block", "paper": 1, "certificate": f"{lot.number}-C1",
            "token": "x", "name": "desk",
        }  # fmt: skip
        deviation = first(Deviation, lot=lot).number
        return {
            "": usual,
            "masters/": usual | {"code": recipe.master.code}, "api/v1/recipes/": usual | {"code": recipe.master.code},
            "specifications/": usual | {"code": specification.specification.code},
            "deviations/": usual | {"number": deviation}, "api/v1/deviations/": usual | {"number": deviation},
            "audit/": usual | {"kind": "lot"}, "verify/": usual | {"code": "MATRIX-" + "A" * 24},
        }  # fmt: skip

    def address(self, route: str) -> str:
        found = next(values for start, values in sorted(self.arguments.items(), reverse=True) if route.startswith(start))

        def fill(match) -> str:
            kind, name = match[1] or "str", match[2]
            return str(found.get(name, uuid.UUID(int=7) if kind == "uuid" else "x"))

        return "/" + re.sub(r"<(?:(\w+):)?(\w+)>", fill, route).replace("^.*$", "nothing")

    def names(self) -> list[str]:
        """What nobody elsewhere may read of this site: numbers, identifiers, names. What the caller wrote into the address is said back."""
        usual = self.arguments[""]
        return [
            usual["number"], usual["pseudonym"], usual["identifier"], usual["din"], str(usual["container_id"]), self.arguments["deviations/"]["number"],
            "Operator Matrix", "Maya Demo", "Jonas Demo",
        ]  # fmt: skip


@pytest.fixture(scope="module")
def made(databases, django_db_setup, django_db_blocker, tmp_path_factory):
    from django.test import override_settings

    from tests.conftest import pointing

    database, keys = databases.copy(), tmp_path_factory.mktemp("keys")
    with django_db_blocker.unblock(), pointing(database), override_settings(KEYS_FOLDER=keys, ANCHORS_FOLDER=tmp_path_factory.mktemp("anchors")):
        world = World()
        world.database, world.keys = database, keys
    yield world
    databases.drop(database.name)


@pytest.fixture
def world(made, django_db_blocker, settings, monkeypatch):
    """The site; what a call changes is rolled back.

    That a refusal leaves its security event is shown by its own tests (AUD-09); some thousand refusals here are only counted.
    """
    from django.db import transaction

    from tests.conftest import close_connections, pointing

    settings.KEYS_FOLDER = made.keys
    made.refusals = []
    for module in ("mes.web.pages", "mes.people.api_gate", "mes.people.second_factor"):
        monkeypatch.setattr(f"{module}.record_refusal", lambda by, refusal, attempted: made.refusals.append(attempted))
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)
    with django_db_blocker.unblock(), pointing(made.database):
        block = transaction.atomic()
        block._from_testcase = True  # as Django marks the transaction of its own rollback tests
        block.__enter__()
        try:
            yield made
        finally:
            transaction.set_rollback(True)
            block.__exit__(None, None, None)
            close_connections()


class Caller:
    """Somebody who calls addresses, each time with the session as it was after signing in."""

    def __init__(self, world: World, *, user=None, token: str = "") -> None:
        from tests.builders.staff import signed_in

        self.world, self.headers = world, {"authorization": f"Bearer {token}"} if token else {}
        self.client = signed_in(user) if user else Client()
        self.client.raise_request_exception = False
        self.kept = dict(self.client.session) if user else None

    def call(self, route: str, method: str):
        if self.kept is not None and table().get(route, {}).get(method) == "open":
            self._session_anew()
        key = {"idempotency-key": uuid.uuid4().hex} if method != "GET" else {}
        body = {"data": {}, "content_type": "application/json"} if route.startswith("api/") and method != "GET" else {}
        answer = getattr(self.client, method.lower())(self.world.address(route), headers=self.headers | key, **body)
        if self.kept is not None and table().get(route, {}).get(method) == "open":
            self._session_anew()
        return answer

    def _session_anew(self) -> None:
        """An open address may end or cover the session: the next call has it as it was."""
        store = SessionStore()
        store.update(self.kept)
        store.create()
        self.client.cookies["cartulary_session"] = store.session_key


def to_sign_in(answer) -> bool:
    return answer.status_code == 302 and answer["Location"].startswith(("/sign-in/", "/unlock/"))


def is_turned_away(answer) -> bool:
    """Whether the address itself was refused, before anything of what was sent was looked at."""
    if answer.status_code == 401 or to_sign_in(answer):
        return True
    if answer.status_code != 403:
        return False
    if answer["Content-Type"].startswith("application/"):
        return answer.json().get("code") == "not_your_role"
    return answer.headers.get("X-Refusal") in (None, "not_your_role")


def may(needs: str | list[str], rights: set[str]) -> bool:
    if needs in ("open", "signed in"):
        return True
    return not rights.isdisjoint([needs] if isinstance(needs, str) else needs)


def gates_only(monkeypatch) -> None:
    """Whoever is let in is answered 204, and nothing more is done: the address, the session, the person's rights now and the gate are real."""
    monkeypatch.setattr(View, "dispatch", lambda view, request, *args, **kwargs: HttpResponse(status=204))
    monkeypatch.setattr(ServiceView, "_answer", lambda view, request: HttpResponse(status=204))


def findings(caller: Caller, rights: set[str], *, api_only: bool = False) -> dict[str, str]:
    """Every cell that does not answer as the table says, for somebody who is signed in with these rights."""
    found = {}
    for route, method, needs in cells():
        if needs == "open":
            continue
        answer = caller.call(route, method)
        let_in = may(needs, rights) and (not api_only or route.startswith("api/"))
        said = f"answered {answer.status_code}, the table says {needs}"
        if answer.status_code >= 500:
            found[f"{method} {route}"] = said
        elif let_in and is_turned_away(answer):
            found[f"{method} {route}"] = f"{said}: it should be let in"
        elif not let_in and answer.status_code not in (401, 403) and not to_sign_in(answer):
            found[f"{method} {route}"] = f"{said}: it should be refused"
    return found


# --- each cell ----------------------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-02", case="negative")
def test_nobody_who_is_not_signed_in_is_answered_anywhere_but_at_open_addresses(world):
    caller, found = Caller(world), {}
    for route, method, needs in cells():
        answer = caller.call(route, method)
        refused = answer.status_code == 401 if route.startswith("api/") else to_sign_in(answer)
        if (answer.status_code >= 500 and answer.status_code != 503) or (needs != "open" and not refused):
            found[f"{method} {route}"] = f"answered {answer.status_code}"
    assert not found, report(found, "Nobody who is not signed in gets an answer here.")


@pytest.mark.req("ACC-02", case="negative")
@pytest.mark.req("ACC-02", case="positive")
@pytest.mark.parametrize("role", sorted(set(ROLES) - {"equipment"}))
def test_each_role_is_let_in_where_the_table_says_and_nowhere_else(world, monkeypatch, role):
    caller = Caller(world, user=world.people[role])
    gates_only(monkeypatch)
    found = findings(caller, {str(permission) for permission in ROLES[role][1]})
    assert not found, report(found, f"As {role}: the view and tests/house/access.yaml differ. Mend whichever is wrong.")


@pytest.mark.req("ACC-02", case="positive")
@pytest.mark.parametrize("who", ["everybody", *sorted(APART)])
def test_whoever_holds_every_right_of_the_work_is_answered_by_every_page_of_it(world, who):
    """Behind the gates nothing refuses for want of a right, and no made-up or empty body breaks anything."""
    rights = {str(permission) for role in (GMP_ROLES if who == "everybody" else [who]) for permission in ROLES[role][1]}
    found = findings(Caller(world, user=world.everybody if who == "everybody" else world.people[who]), rights)
    assert not found, report(found, f"As {who}: the answer is not what the table says.")


@pytest.mark.req("ACC-02", case="negative")
def test_a_device_reaches_what_devices_may_and_no_page(world):
    found = findings(Caller(world, token=world.token), {"batches.post_readings"}, api_only=True)
    assert not found, report(found, "As a device: the view and tests/house/access.yaml differ.")


@pytest.mark.req("ACC-02", case="negative")
@pytest.mark.parametrize("who", ["outsider", "far_administrator"])
def test_somebody_of_another_site_with_every_right_there_finds_nothing_of_this_one_by_guessed_id(world, who):
    """The same sentence as for a thing that is not there; nothing of this site in any answer; nothing written at this site."""
    caller, found = Caller(world, user=getattr(world, who)), {}
    before, names = written(world), world.names()
    for route, method, needs in cells():
        if needs == "open":
            continue
        answer = caller.call(route, method)
        text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode("latin-1")
        said = [name for name in names if name in text and name not in world.address(route)]
        if said or answer.status_code >= 500:
            found[f"{method} {route}"] = f"answered {answer.status_code} with {said}"
        elif "<" in route and method == "GET" and answer.status_code == 200 and not route.startswith((*SHARED, *EMPTY)):
            found[f"{method} {route}"] = f"answered {answer.status_code}"
    assert not found, report(found, "What belongs to a site is not there for any other.")
    assert written(world) == before


def written(world) -> list[tuple[str, int]]:
    """The last entry of each stream at this site."""
    from mes.audit.models import AuditEntry

    with world.site.reading():
        return sorted((stream, seq) for stream, seq in AuditEntry.objects.filter(site_id=world.site.place.site.pk).values_list("stream", "seq"))


#: Asking for a copy of the record: what an inspector is there for; a job draws it.
COPIES = ("lots/<str:number>/record/", "api/v1/lots/<str:number>/record/papers/")
#: Streams of what somebody's own session leaves: sign-ins, refusals, own secrets.
OWN_STREAMS = ("person:", "site:", "security:")


@pytest.mark.req("REC-01", case="negative")
def test_an_inspector_is_refused_every_write(world):
    """Everything that is not a reading address is called; nothing of a lot, a master, material or equipment is written."""
    caller = Caller(world, user=world.people["inspector"])
    kept = lambda: [line for line in written(world) if not line[0].startswith(OWN_STREAMS)]  # noqa: E731
    before, answered = kept(), {}
    for route, method, needs in cells():
        if method == "GET" or needs == "open":
            continue
        answer = caller.call(route, method)
        if answer.status_code < 400 and route not in COPIES:
            answered[f"{method} {route}"] = answer.status_code
    assert len(before) > 5 and kept() == before
    assert not answered, report(answered, "An inspector reads.")


@pytest.mark.req("ACC-02", case="negative")
def test_a_method_that_no_row_names_is_answered_nowhere(world):
    caller, found = Caller(world, user=world.people["supervisor"]), {}
    for route, row in table().items():
        for method in METHODS:
            if method in row or "open" in row.values():
                continue
            answer = caller.call(route, method)
            if answer.status_code not in (401, 403, 404, 405):
                found[f"{method} {route}"] = f"answered {answer.status_code}"
    assert not found, report(found, "Name the method in the row, or do not answer it.")
