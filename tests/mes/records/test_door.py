"""The door: everything of a deed is written together, or nothing; who and why is never missing."""

import time
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from threading import Barrier

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from mes import reactions, tasks
from mes.audit import trail
from mes.audit.models import AuditEntry, AuditRow
from mes.errors import NotAllowed, OutOfSequence, RuleBroken, StaleRecord, WriteOutsideService
from mes.people import services
from mes.people.models import AccessEvent, PersonLock, Qualification, Role, User
from mes.permissions import Permission
from mes.records import door
from mes.records.collector import current_deed
from mes.records.context import site_context
from mes.records.door import service
from mes.records.models import SecurityEvent
from tests.builders.people import open_place


class Told(StrEnum):
    """Events of the services that these tests define."""

    OUTER = "tests.outer"
    INNER = "tests.inner"


@pytest.fixture(autouse=True)
def _services_of_tests_stay_here(monkeypatch):
    monkeypatch.setattr(door, "SERVICES", dict(door.SERVICES))
    monkeypatch.setattr(door, "_receivers", {name: list(known) for name, known in door._receivers.items()})


@pytest.fixture
def place(db):
    return open_place()


def entries(place, **lookup) -> list[AuditEntry]:
    with site_context(place.site.pk):
        return list(AuditEntry.objects.filter(**lookup).order_by("stream", "seq"))


def count_all(place) -> dict[str, int]:
    """Rows of everything that a deed writes."""
    with site_context(place.site.pk):
        return {model.__name__: model.objects.count() for model in (AuditEntry, AuditRow, Role, Role.history.model, AccessEvent, SecurityEvent)}


# --- all or nothing ---------------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-01", case="positive")
def test_a_deed_writes_row_version_entry_and_cited_row_together(place):
    before = count_all(place)
    role = place.role([Permission.READ_AUDIT])
    after = count_all(place)
    version = Role.history.model.__name__
    grown = {name for name in after if after[name] == before[name] + 1}
    assert grown == {"AuditEntry", "AuditRow", "Role", version}
    assert {name for name in after if after[name] == before[name]} == set(after) - grown
    (entry,) = entries(place, rows__row_id=role.pk)
    assert (entry.by_username, entry.channel, entry.events) == (place.setup.username, "command", ["mes.role_defined"])


@pytest.mark.req("AUD-01", case="negative")
def test_when_the_trail_cannot_be_written_nothing_is(place, monkeypatch):
    before = count_all(place)

    def fails(deed, rows):
        raise RuntimeError("the trail is not writable")

    monkeypatch.setattr(trail, "append", fails)
    with pytest.raises(RuntimeError, match="not writable"):
        place.role([Permission.READ_AUDIT])
    assert count_all(place) == before


@pytest.mark.req("AUD-01", case="negative")
def test_an_error_in_a_service_leaves_nothing(place):
    before = count_all(place)

    @service(Told.OUTER)
    def breaks(*, by):
        services.define_role(by=by, code="x", name="X", permissions=["mes.read_audit"])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        breaks(by=place.setup)
    assert count_all(place) == before
    assert current_deed.get() is None


@pytest.mark.req("AUD-01", case="negative")
def test_a_receiver_that_fails_takes_the_whole_deed_back(place):
    def answer(*, by, subject):
        services.record_sign_in(by=by)
        raise RuleBroken("no_answer", "The answer to this could not be written.")

    door.receive(Told.OUTER, answer)

    @service(Told.OUTER)
    def told(*, by):
        return services.define_role(by=by, code="x", name="X", permissions=["mes.read_audit"])

    before = count_all(place)
    with pytest.raises(RuleBroken):
        told(by=place.setup)
    assert count_all(place) == before


def test_a_receiver_writes_in_the_same_deed(place):
    door.receive(Told.OUTER, lambda *, by, subject: services.record_sign_in(by=by))

    @service(Told.OUTER)
    def told(*, by):
        return services.define_role(by=by, code="x", name="X", permissions=["mes.read_audit"])

    told(by=place.setup)
    several = entries(place, events__contains=["tests.outer"])
    assert {entry.stream.split(":")[0] for entry in several} == {"site", "security"}
    assert len({entry.deed_id for entry in several}) == 1


def test_nested_services_share_one_deed_and_one_entry_for_each_stream(place):
    @service(Told.INNER)
    def inner(*, by, code):
        return services.define_role(by=by, code=code, name=code, permissions=["mes.read_audit"])

    @service(Told.OUTER)
    def outer(*, by, reason):
        inner(by=by, code="a")
        return inner(by=by, code="b")

    outer(by=place.setup, reason="two at once")
    (entry,) = entries(place, events__contains=["tests.outer"])
    assert entry.events == ["mes.role_defined", "tests.inner", "mes.role_defined", "tests.inner", "tests.outer"]
    assert entry.reason == "two at once"
    with site_context(place.site.pk):
        assert entry.rows.count() == 2


# --- who may come in, and how -----------------------------------------------------------------------------------------


@pytest.mark.req("AUD-06", case="negative")
@pytest.mark.parametrize(
    "write",
    [
        lambda user: user.save(),
        lambda user: SecurityEvent(site_id=user.site_id, by_id=user.pk, code="x", kind="x", sentence="x").save(),
        lambda user: SecurityEvent.objects.insert([SecurityEvent(site_id=user.site_id, by_id=user.pk, code="x", kind="x")]),
        lambda user: User.objects.create(site_id=user.site_id, username="x", full_name="X"),
        lambda user: User.objects.get_or_create(username="x", defaults={"full_name": "X", "site_id": user.site_id}),
        lambda user: User.objects.update_or_create(pk=user.pk, defaults={"full_name": "X"}),
    ],
)
def test_a_write_outside_a_service_is_refused_before_the_sql(place, write):
    user = User.objects.get(pk=place.setup.user_id)
    with pytest.raises(WriteOutsideService):
        write(user)


@pytest.mark.req("DI-02", case="negative")
@pytest.mark.parametrize(
    "write",
    [
        lambda: User.objects.all().update(full_name="x"),
        lambda: User.objects.all().delete(),
        lambda: User.objects.first().delete(),
        lambda: User.objects.bulk_update([User.objects.first()], ["full_name"]),
        lambda: User.objects.bulk_create([User(username="x")]),
        lambda: Role.objects.all()._raw_delete("default"),
    ],
)
def test_bulk_changes_and_deletions_are_refused_even_inside_a_deed(place, write):
    @service(Told.OUTER)
    def bulk(*, by):
        write()

    with pytest.raises((WriteOutsideService, DatabaseError)):
        bulk(by=place.setup)


@pytest.mark.req("DI-02", case="negative")
def test_a_fact_is_never_saved_twice(place):
    event = services.record_sign_in(by=place.setup)

    @service(Told.OUTER)
    def again(*, by):
        event.kind = "out"
        event.save()

    with pytest.raises(WriteOutsideService, match="written once"):
        again(by=place.setup)


def test_a_service_takes_only_named_arguments_and_who_acts():
    with pytest.raises(TypeError, match="keyword-only"):

        @service(Told.OUTER)
        def positional(by, code):
            return None

    with pytest.raises(TypeError, match="`by`"):

        @service(Told.OUTER)
        def nobody(*, code):
            return None


def test_a_service_is_not_called_inside_a_read_context(place):
    with site_context(place.site.pk), pytest.raises(WriteOutsideService, match="read context"):
        place.role([Permission.READ_AUDIT])


def test_a_service_is_not_called_inside_a_transaction_of_somebody_else(committed_db):
    place = open_place()
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        place.role([Permission.READ_AUDIT])


# --- refused attempts -------------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-09", case="positive")
@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (NotAllowed("not_yours", "This is not yours."), "authority_refused"),
        (OutOfSequence("not_next", "This is not next."), "out_of_sequence"),
        (RuleBroken("odd", "This is odd.", security="odd_attempt"), "odd_attempt"),
    ],
)
def test_a_refused_attempt_survives_the_rollback_of_what_it_tried(place, refusal, kind):
    @service(Told.OUTER)
    def tried(*, by):
        services.define_role(by=by, code="x", name="X", permissions=["mes.read_audit"])
        raise refusal

    before = count_all(place)
    with pytest.raises(RuleBroken):
        tried(by=place.setup)
    after = count_all(place)
    assert after["Role"] == before["Role"]
    assert after["SecurityEvent"] == before["SecurityEvent"] + 1
    with site_context(place.site.pk):
        event = SecurityEvent.objects.get(code=refusal.code)
    assert (event.kind, event.attempted, event.username) == (kind, "tried", place.setup.username)
    (entry,) = entries(place, rows__row_id=event.pk)
    assert entry.events == ["mes.refused"]


def test_a_refused_attempt_survives_in_a_database_that_commits(committed_db):
    place = open_place()
    ben = place.person("ben", [Permission.READ_AUDIT])
    with pytest.raises(NotAllowed):
        services.define_role(by=ben, code="x", name="X", permissions=["mes.read_audit"])
    with committed_db.connect() as admin:
        found = admin.execute("SELECT code, attempted FROM mes_securityevent").fetchall()
        assert found == [("not_your_role", "define_role")]
        assert admin.execute("SELECT count(*) FROM mes_role WHERE code = 'x'").fetchone() == (0,)


def test_a_broken_rule_that_is_no_matter_of_security_leaves_nothing(place):
    before = count_all(place)
    with pytest.raises(RuleBroken, match="A role needs at least one permission"):
        services.define_role(by=place.setup, code="x", name="X", permissions=[])
    assert count_all(place) == before


def test_a_refusal_inside_a_nested_service_is_written_once(place):
    @service(Told.INNER)
    def inner(*, by):
        raise NotAllowed("not_yours", "This is not yours.")

    @service(Told.OUTER)
    def outer(*, by):
        inner(by=by)

    before = count_all(place)["SecurityEvent"]
    with pytest.raises(NotAllowed):
        outer(by=place.setup)
    assert count_all(place)["SecurityEvent"] == before + 1


# --- versions and states ----------------------------------------------------------------------------------------------


def test_a_stale_screen_saves_nothing(place):
    ben = place.person("ben")
    lock = services.lock_person(by=place.setup, user_id=ben.user_id, why="test")
    keeper = place.person("kim", [Permission.UNLOCK_PEOPLE])
    with pytest.raises(StaleRecord):
        services.unlock_person(by=keeper, lock_id=lock.pk, seen=lock.version + 1, reason="came back")
    assert PersonLock.objects.get(pk=lock.pk).open
    services.unlock_person(by=keeper, lock_id=lock.pk, seen=lock.version, reason="came back")
    with pytest.raises(StaleRecord):
        services.unlock_person(by=keeper, lock_id=lock.pk, seen=lock.version, reason="came back")


def test_every_save_is_one_version_with_who_when_and_why(place):
    ben = place.person("ben")
    lock = services.lock_person(by=place.setup, user_id=ben.user_id, why="test")
    keeper = place.person("kim", [Permission.UNLOCK_PEOPLE])
    services.unlock_person(by=keeper, lock_id=lock.pk, seen=1, reason="she called in")
    with site_context(place.site.pk):
        versions = list(PersonLock.history.filter(id=lock.pk).order_by("version"))
    assert [(v.version, v.open, v.history_user_id) for v in versions] == [
        (1, True, place.setup.user_id),
        (2, False, keeper.user_id),
    ]
    assert versions[1].history_change_reason == "she called in"


# --- afterwards -------------------------------------------------------------------------------------------------------


def test_a_broker_that_is_away_never_fails_a_deed(place, monkeypatch, caplog):
    monkeypatch.setitem(reactions.TASKS_AFTER, "mes.role_defined", ("tests.no_such_task",))
    monkeypatch.setattr(tasks, "_broken_until", 0.0)
    monkeypatch.setattr(tasks.app.conf, "broker_url", "redis://127.0.0.1:1/0")
    tasks.app.pool.force_close_all()  # no connection from an earlier test is left to send over
    began = time.monotonic()
    role = place.role([Permission.READ_AUDIT])
    another = place.role([Permission.READ_AUDIT])
    assert time.monotonic() - began < 3
    assert Role.objects.filter(pk__in=[role.pk, another.pk]).count() == 2
    assert "reaction_not_sent" in caplog.text


def test_a_reaction_is_sent_only_after_the_commit(place, monkeypatch):
    sent = []
    monkeypatch.setitem(reactions.TASKS_AFTER, "tests.outer", ("tests.answer",))
    monkeypatch.setattr(door, "_senders", [lambda task, words: sent.append((task, words, current_deed.get()))])

    @service(Told.OUTER)
    def told(*, by, breaks):
        assert sent == []
        role = services.define_role(by=by, code="x", name="X", permissions=["mes.read_audit"])
        if breaks:
            raise ZeroDivisionError
        return role

    with pytest.raises(ZeroDivisionError):
        told(by=place.setup, breaks=True)
    assert sent == []
    role = told(by=place.setup, breaks=False)
    assert sent == [("tests.answer", {"site": str(place.site.pk), "subject": str(role.pk)}, None)]


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.req("AUD-07", case="positive")
def test_deeds_at_the_same_time_on_the_same_streams_neither_tear_the_chain_nor_block_each_other(committed_db):
    place = open_place()
    people = [place.person(f"p{number}") for number in range(4)]
    start = Barrier(4)

    @service(Told.OUTER)
    def three_streams(*, by, number):
        # each thread touches its streams in another order; the heads are locked in the order of their names
        for other in people[number:] + people[:number]:
            services.record_qualification(by=place.setup, user=User(pk=other.user_id), subject="s", title="t")
        services.record_sign_in(by=by)

    def work(number):
        try:
            start.wait(20)
            for _ in range(5):
                three_streams(by=place.setup, number=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(work, number) for number in range(4)]:
            future.result(60)
    with committed_db.connect() as admin:
        for stream, several in admin.execute("SELECT stream, array_agg(seq ORDER BY seq) FROM mes_auditentry GROUP BY stream").fetchall():
            assert several == list(range(1, len(several) + 1)), stream
    from mes.verifier import run

    assert run.verify(committed_db.urls["VERIFY_DATABASE_URL"]).intact


def test_two_who_change_one_record_at_once_make_one_change(committed_db):
    place = open_place()
    ben = place.person("ben")
    keepers = [place.person(name, [Permission.UNLOCK_PEOPLE]) for name in ("kim", "lea")]
    lock = services.lock_person(by=place.setup, user_id=ben.user_id, why="test")
    start = Barrier(2)

    def unlock(keeper):
        try:
            start.wait(20)
            services.unlock_person(by=keeper, lock_id=lock.pk, seen=1, reason="called in")
        except (StaleRecord, IntegrityError) as refused:
            return type(refused)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(unlock, keepers))
    assert sorted(map(str, results)) == sorted(map(str, [None, StaleRecord]))
    assert PersonLock.history.filter(id=lock.pk).count() == 2
    assert Qualification.objects.count() == 0
