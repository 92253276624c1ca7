"""Duties that are kept apart, below the rules: the database refuses what a statement would bring together, and use refuses what came together anyway."""

import threading

import psycopg
import pytest
from django.test import Client

from mes.errors import NotAllowed
from mes.events import Event
from mes.keys import uuid7
from mes.people.models import Grant, Role, User
from mes.people.rules import check_may, check_person_may
from mes.people.segregation import CONFLICTS
from mes.permissions import Permission
from mes.records import door
from tests.builders.people import PASSWORD, open_place

GRANT = (
    "INSERT INTO mes_grant (id, site_id, version, user_id, role_id, starts_at, ends_at, given_by_id) "
    "VALUES (%s, %s, 1, %s, %s, guard.record_now() + %s::interval, guard.record_now() + %s::interval, %s)"
)


@pytest.fixture
def place(committed_db):
    place = open_place()
    place.db = committed_db
    return place


def pair(conflict) -> tuple[str, str]:
    return tuple(pattern.replace("*", "read_lots") for pattern in (conflict.one, conflict.other))


@pytest.fixture
def raw(place):
    """The application's role, without the application, in a deed of its own making."""
    with place.db.connect("DATABASE_URL") as raw:
        deed(raw, place)
        yield raw
        raw.rollback()


def deed(raw, place) -> None:
    raw.execute("SELECT guard.open_deed(%s, %s, %s)", [uuid7(), place.setup.user_id, place.site.pk])


def give(raw, place, user_id, role, begins="0", ends=None) -> None:
    raw.execute(GRANT, [uuid7(), place.site.pk, user_id, role.pk, begins, ends, place.setup.user_id])


def refused():
    return pytest.raises(psycopg.Error, check=lambda error: error.sqlstate == "CT006")


def test_the_database_keeps_apart_what_the_rules_keep_apart(raw):
    listed = raw.execute("SELECT code, one, other FROM guard.conflicts()").fetchall()
    assert listed == [(each.code, each.one, each.other) for each in CONFLICTS], "Change guard.conflicts() in mes/records/guards.sql with the table."
    assert not [each for each in CONFLICTS if each.one.endswith("*")], "guard.conflict_in() reads a pattern on the other side only."


@pytest.mark.req("ACC-07", case="negative")
@pytest.mark.parametrize("number", range(len(CONFLICTS)), ids=[f"{each.code} {each.other}" for each in CONFLICTS])
def test_no_statement_gives_one_person_two_duties_that_are_kept_apart(place, raw, number):
    one, other = pair(CONFLICTS[number])
    person = place.person("pia", [one])
    role = place.role([other])
    raw.rollback()
    deed(raw, place)
    with refused():
        give(raw, place, person.user_id, role)
    raw.rollback()
    deed(raw, place)
    with refused():  # nor for a while, nor from tomorrow on
        give(raw, place, person.user_id, role, "1 day", "2 days")
    raw.rollback()
    deed(raw, place)
    held = Role.objects.get(grants__user_id=person.user_id)
    with refused():
        raw.execute("UPDATE mes_role SET permissions = %s, version = version + 1 WHERE id = %s", [psycopg.types.json.Jsonb([one, other]), held.pk])
    raw.rollback()
    deed(raw, place)
    second = place.person("pat", ["mes.read_audit"])
    plain = Role.objects.get(grants__user_id=second.user_id)
    give(raw, place, person.user_id, plain)
    with refused():
        raw.execute("UPDATE mes_role SET permissions = %s, version = version + 1 WHERE id = %s", [psycopg.types.json.Jsonb([other]), plain.pk])


@pytest.mark.req("ACC-07", case="negative")
def test_two_roles_given_at_the_same_moment_do_not_pass_each_other(place):
    one, other = pair(CONFLICTS[0])
    person, roles = place.person("pia"), (place.role([one]), place.role([other]))
    said = []
    with place.db.connect(autocommit=True) as admin:  # a commit by hand, without its trail
        admin.execute("ALTER TABLE mes_grant DISABLE TRIGGER guard_sealed")

    def late() -> None:
        with place.db.connect("DATABASE_URL") as second:
            deed(second, place)
            try:
                give(second, place, person.user_id, roles[1])
            except psycopg.Error as error:
                said.append(error.sqlstate)
            second.rollback()

    with place.db.connect("DATABASE_URL") as first:
        deed(first, place)
        give(first, place, person.user_id, roles[0])
        thread = threading.Thread(target=late)
        thread.start()
        thread.join(0.5)
        assert thread.is_alive() and not said, "the second waits for the first"
        first.commit()
        thread.join(30)
    assert said == ["CT006"]


@pytest.mark.req("ACC-07", case="positive")
def test_a_role_that_ended_stands_in_the_way_of_nothing(place, raw):
    one, other = pair(CONFLICTS[0])
    person, role = place.person("pia"), place.role([other])
    held = place.role([one])
    give(raw, place, person.user_id, held, "-2 days", "-1 day")
    give(raw, place, person.user_id, role, "0")
    assert raw.execute("SELECT count(*) FROM mes_grant WHERE user_id = %s", [person.user_id]).fetchone() == (2,)


@pytest.mark.req("ACC-07", case="negative")
def test_duties_that_a_superuser_brought_together_open_nothing(place):
    with place.db.connect(autocommit=True) as admin:
        admin.execute("ALTER TABLE mes_grant DISABLE TRIGGER guard_duties")
    for number, conflict in enumerate(CONFLICTS):
        one, other = pair(conflict)
        person, role = place.person(f"p{number}", [one]), place.role([other])
        user = User.objects.get(pk=person.user_id)

        def insert(*, by, user=user, role=role):
            grant = Grant(site_id=by.site_id, user=user, role=role, starts_at=door.deed_now().at, given_by_id=by.user_id)
            grant.save()
            return grant

        door._run(door.Deed(by=place.setup), Event.GRANT_GIVEN, insert, {})
        for permission in (one, other):
            with pytest.raises(NotAllowed) as answer:
                check_may(person, permission)
            assert answer.value.code == conflict.code
            with pytest.raises(NotAllowed) as answer:
                check_person_may(user, permission, place.site.pk)
            assert answer.value.code == conflict.code


@pytest.mark.req("ACC-07", case="negative")
def test_a_page_opens_nothing_for_duties_that_came_together(place):
    anna = place.person("anna", [Permission.MANAGE_PEOPLE], secrets=True)
    role = place.role(["batches.read_lots"])

    def insert(*, by):
        grant = Grant(site_id=by.site_id, user_id=anna.user_id, role=role, starts_at=door.deed_now().at, given_by_id=by.user_id)
        grant.save()
        return grant

    client = Client()
    client.post("/sign-in/", {"username": "anna", "password": PASSWORD})
    assert client.get("/people/").status_code == 200
    with place.db.connect(autocommit=True) as admin:
        admin.execute("ALTER TABLE mes_grant DISABLE TRIGGER guard_duties")
    door._run(door.Deed(by=place.setup), Event.GRANT_GIVEN, insert, {})
    assert client.get("/people/").status_code == 403
