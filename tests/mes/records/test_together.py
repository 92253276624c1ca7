"""What makes a deed fast changes nothing of it: statements sent together, rows locked by their key, rows filled plainly."""

from enum import StrEnum

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, models

from mes.audit import trail
from mes.audit.models import AuditEntry
from mes.errors import Missing, StaleRecord
from mes.keys import uuid7
from mes.people import services
from mes.people.models import AccessEvent, Grant, User
from mes.records import door, instances
from mes.records.context import site_context
from mes.records.door import deed_now, service
from mes.records.models import Guarded
from mes.records.together import together
from tests.builders.people import open_place


class Told(StrEnum):
    """Events of the services that these tests define."""

    DONE = "tests.done"


@pytest.fixture(autouse=True)
def _services_of_tests_stay_here(monkeypatch):
    monkeypatch.setattr(door, "SERVICES", dict(door.SERVICES))


@pytest.fixture
def place(db):
    return open_place()


def event(by, kind="in") -> AccessEvent:
    return AccessEvent(site_id=by.site_id, by_id=by.user_id, kind=kind, station="desk")


@pytest.fixture
def write(place):
    """A service that writes two facts and a new version of a person in one block."""

    @service(Told.DONE)
    def write(*, by, kinds, name):
        with together():
            facts = AccessEvent.objects.insert([event(by, kind) for kind in kinds])
            user = User.objects.lock(by.user_id)
            user.full_name = name
            user.save()
        assert all(fact.recorded_at >= deed_now().at for fact in facts), "a fact holds what was stored once the block is left"
        return user

    return write


@pytest.mark.req("AUD-01", case="positive")
def test_what_is_written_together_is_cited_row_by_row(place, write):
    user = write(by=place.setup, kinds=["in", "out"], name="Another Name")
    with site_context(place.site.pk):
        rows = [row for entry in AuditEntry.objects.filter(events__contains=["tests.done"]) for row in entry.rows.all()]
        kept = user.history.get(version=user.version)
    assert sorted((row.table, row.version) for row in rows) == [("mes_accessevent", 1), ("mes_accessevent", 1), ("mes_user", user.version)]
    assert (kept.full_name, kept.history_user_id) == ("Another Name", place.setup.user_id)


@pytest.mark.req("AUD-01", case="negative")
def test_what_the_database_refuses_of_them_takes_all_back(place, write):
    before = User.objects.get(pk=place.setup.user_id)
    with pytest.raises(DatabaseError, match="too long"):
        write(by=place.setup, kinds=["in", "x" * 500], name="Another Name")
    assert User.objects.get(pk=before.pk).version == before.version
    with site_context(place.site.pk):
        assert not AuditEntry.objects.filter(events__contains=["tests.done"]).exists()


@pytest.mark.req("AUD-01", case="negative")
def test_a_trail_that_the_database_refuses_takes_the_commit_sent_with_it_along(committed_db, monkeypatch):
    place = open_place()
    made = trail._entry

    def elsewhere(*given):
        return made(*given) | {"id": str(place.site.pk), "rows": [{"tbl": None}]}

    monkeypatch.setattr(trail, "_entry", elsewhere)
    with pytest.raises(DatabaseError):
        services.record_sign_in(by=place.setup)
    monkeypatch.undo()
    with committed_db.connect() as admin:
        assert admin.execute("SELECT count(*) FROM mes_accessevent").fetchone() == (0,)
    services.record_sign_in(by=place.setup)
    with committed_db.connect() as admin:
        assert admin.execute("SELECT count(*) FROM mes_accessevent").fetchone() == (1,)


def test_a_service_whose_first_statement_fails_leaves_the_connection_as_it_was(place):
    @service(Told.DONE)
    def fails(*, by):
        AccessEvent.objects.insert([event(by, "x" * 500)])

    with pytest.raises(DatabaseError, match="too long"):
        fails(by=place.setup)
    services.record_sign_in(by=place.setup)


def test_a_row_read_by_lock_is_locked(committed_db):
    place = open_place()

    @service(Told.DONE)
    def lock(*, by):
        for _ in range(4):  # more often than the plan takes to be kept
            user = Grant.objects.lock(grant_id)
            with committed_db.connect() as other, pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("SELECT 1 FROM mes_grant WHERE id = %s FOR UPDATE NOWAIT", [grant_id])
        return user

    place.person("ben", ["mes.read_audit"])
    grant_id = Grant.objects.latest("recorded_at").pk
    locked = lock(by=place.setup)
    asked = Grant.objects.get(pk=grant_id)
    assert {**vars(locked), "_state": None} == {**vars(asked), "_state": None}


def test_a_row_is_locked_by_its_key_and_version(place):
    ben, kim = place.person("ben"), place.person("kim")

    @service(Told.DONE)
    def lock(*, by):
        for person in (ben, kim, ben):
            user = User.objects.lock(person.user_id)
            assert (user.pk, user.username) == (person.user_id, User.objects.get(pk=person.user_id).username)
        with pytest.raises(Missing):
            User.objects.lock(uuid7())
        with pytest.raises(StaleRecord):
            User.objects.lock(ben.user_id, seen=user.version + 1)
        with pytest.raises(Missing):  # conditions of a queryset hold
            User.objects.exclude(pk=ben.user_id).lock(ben.user_id)
        return user

    lock(by=place.setup)


@pytest.mark.parametrize("model", [model for model in apps.get_models() if issubclass(model, Guarded)], ids=lambda model: model._meta.db_table)
def test_a_row_filled_plainly_is_the_row_that_django_makes(model):
    given = {"id": uuid7(), "site_id": uuid7()}
    ours, theirs = model(**given), model.__new__(model)
    models.Model.__init__(theirs, **given)
    assert instances.fill(model.__new__(model), dict(given)), "no model has columns that are set in a way of their own"
    assert vars(ours).keys() == vars(theirs).keys()
    same = {name: value for name, value in vars(theirs).items() if name != "_state" and not callable(getattr(value, "resolve_expression", None))}
    assert same == {name: vars(ours)[name] for name in same}
