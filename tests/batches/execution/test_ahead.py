"""What is read while the secret is checked counts only where nothing changed until the lock: on committed data, changed by another connection."""

import re
import threading

import pytest
from django.apps import apps
from django.db import OperationalError, connection, connections
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from batches.equipment.models import Equipment
from batches.equipment.services import calibrate
from batches.execution import ahead, services
from batches.execution.models import StepRun
from batches.execution.queries.content import correction_subject
from batches.execution.queries.held import held_by, steps_with_rows
from batches.lots.services import put_on_hold
from batches.materials.models import MaterialLot
from batches.materials.services import block_lot
from mes.clock import record_now
from mes.people import services as people
from mes.people.models import Grant
from mes.signatures import ceremony, readers
from mes.signatures.models import Signature
from tests.batches.execution.test_api import Caller, step
from tests.builders.staff import PIN


@pytest.fixture(scope="module")
def floor(databases, django_db_setup, django_db_blocker, tmp_path_factory):
    """A site whose lots are committed, for all of these tests: each fills in a step of a lot of its own."""
    from tests.builders.floor import Floor
    from tests.conftest import close_connections, pointing

    database, folder = databases.copy(), tmp_path_factory.mktemp("keys")
    with django_db_blocker.unblock(), pointing(database), override_settings(KEYS_FOLDER=folder, ANCHORS_FOLDER=folder / "anchors"):
        floor = Floor()
        floor.database = database
        yield floor
        close_connections()
    databases.drop(database.name)


@pytest.fixture
def lot(floor):
    lot = floor.to_count()
    floor.fill_count(lot)
    return lot


def while_checked(monkeypatch, act):
    """Lets `act` happen in the thread that checks the secret, on its own connection, once everything was read ahead and before the answer is given."""
    read, reading, checking = threading.Event(), readers.ahead_of, ceremony.check_password

    def ahead_then_tell(by, intent):
        try:
            return reading(by, intent)
        finally:
            read.set()

    def check(secret, stored):
        assert read.wait(20)
        try:
            act()
        finally:
            connection.close()
        return checking(secret, stored)

    monkeypatch.setattr(readers, "ahead_of", ahead_then_tell)
    monkeypatch.setattr(ceremony, "check_password", check)


def record_a_value(floor, lot, _):
    floor.enter(lot, "A1.2", remark="cloudy")


def correct_a_value(floor, lot, correction):
    services.correct_value(by=floor.by("maya"), **correction)


def place_a_hold(floor, lot, _):
    put_on_hold(by=floor.by("boss"), lot_id=lot.pk, reason="The incubator alarmed")


def block_the_medium(floor, lot, _):
    with floor.reading():
        used = MaterialLot.objects.get(consumptions__lot=lot)
    block_lot(by=floor.by("rex"), material_lot_id=used.pk, seen=used.version, reason="The vendor called it back")


def take_the_role(floor, lot, _):
    for grant in Grant.objects.filter(user=floor.users["olga"], ends_at=None):
        people.end_grant(by=floor.place.setup, grant_id=grant.pk, seen=grant.version, reason="Left")


def stop_the_step(floor, lot, _):
    run = floor.run(lot, "A1.2")
    services.stop_step(by=floor.by("maya"), step_run_id=run.pk, seen=run.version, reason="The hood failed")


def damage_the_file(floor, lot, _):
    """By a superuser past the guards, who leaves no entry in any chain."""
    with floor.database.connect() as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("ALTER TABLE batches_attachment DISABLE TRIGGER USER")
        assert admin.execute("UPDATE batches_attachment SET content = 'cells,99' WHERE lot_id = %s", [lot.pk]).rowcount == 1
        names = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'batches_attachment'::regclass AND NOT tgisinternal"
        for (name,) in admin.execute(names).fetchall():
            admin.execute(f"ALTER TABLE batches_attachment ENABLE ALWAYS TRIGGER {name}")


CHANGES = [
    (record_a_value, 409, "stale_screen"), (correct_a_value, 409, "stale_screen"), (place_a_hold, 409, "lot_on_hold"), (block_the_medium, 409, "lot_on_hold"),
    (take_the_role, 403, "not_your_record"), (stop_the_step, 409, "step_stopped"), (damage_the_file, 409, "file_damaged"),
]  # fmt: skip


@pytest.mark.req("SIG-15", case="negative")
@pytest.mark.parametrize(("change", "status", "code"), CHANGES, ids=lambda each: each.__name__ if callable(each) else "")
def test_what_changes_while_the_secret_is_checked_is_judged_as_it_is_under_the_lock(floor, lot, monkeypatch, change, status, code):
    caller, given = Caller(floor, "olga" if change is take_the_role else "maya"), None
    if change is correct_a_value:
        with floor.reading():
            entry = floor.run(lot, "A1.2").entry_facts.get(parameter="viability")
            what = correction_subject(entry, floor.run(lot, "A1.2"), "84.2", "Digits turned")
        proof = floor.proof("maya", "wim", what, "confirmed_transcription")
        given = {"entry_id": entry.pk, "text": "84.2", "reason": "Digits turned", "proof": proof}
    body = {"intent": caller.get(step(lot, "sign/")).json()["intent"], "username": caller.user.username, "secret": PIN}
    changed: list[bool] = []
    while_checked(monkeypatch, lambda: (change(floor, lot, given), changed.append(True)))
    refused = caller.post(step(lot, "sign/"), body)
    assert changed and (refused.status_code, refused.json()["code"]) == (status, code), refused.content
    with floor.reading():
        run = floor.run(lot, "A1.2")
        assert run.state != "performed" and not Signature.objects.filter(record_id=run.pk, meaning="performed").exists()


def signed(caller, path, body):
    """What is asked of the database between the end of the check and the end of the request."""
    with CaptureQueriesContext(connection) as asked:
        answer = caller.post(path, body)
    sent = [one["sql"] for one in asked.captured_queries]
    return answer, sent[next(at for at, sql in enumerate(sent) if sql.startswith("UPDATE mes_failurecounter")) :]


@pytest.mark.req("SIG-15", case="positive")
def test_a_change_that_concerns_nothing_of_what_is_signed_is_read_again_and_signed(floor, lot, monkeypatch):
    def renew():
        with floor.reading():
            used = Equipment.objects.filter(uses__lot=lot).first()
        calibrate(by=floor.by("boss"), equipment_id=used.pk, seen=used.version, calibrated_until=record_now().replace(year=2031), certificate="C-2")

    caller, path = Caller(floor), step(lot, "sign/")
    body = {"intent": caller.get(path).json()["intent"], "username": caller.user.username, "secret": PIN}
    while_checked(monkeypatch, renew)
    answer, sent = signed(caller, path, body)
    assert answer.status_code == 201, answer.content
    assert any("batches_entry" in sql for sql in sent), "read again under the lock"


@pytest.mark.req("SIG-15", case="positive")
def test_where_nothing_changed_nothing_is_read_twice(floor, lot):
    caller, path = Caller(floor), step(lot, "sign/")
    body = {"intent": caller.get(path).json()["intent"], "username": caller.user.username, "secret": PIN}
    answer, sent = signed(caller, path, body)
    assert answer.status_code == 201, answer.content
    assert sum("FOR NO KEY UPDATE OF" in sql for sql in sent) == 1 and not any("batches_entry" in sql for sql in sent), sent


CHAINED = {
    "batches_attachment": "lot", "batches_consumption": "lot", "batches_container": "lot", "batches_entry": "lot", "batches_equipmentuse": "lot",
    "batches_excursion": "lot", "batches_excursionchoice": "lot", "batches_hold": "lot", "batches_lot": "lot", "batches_scanevent": "lot",
    "batches_stepdecision": "lot", "batches_steprun": "lot", "batches_equipment": "equipment", "batches_material": "site",
    "batches_materiallot": "material_lot", "batches_therapyevent": "therapy_event", "batches_masterrecipe": "recipe", "batches_recipeversion": "recipe",
    "mes_site": "site", "mes_user": "person",
}  # fmt: skip
"""Every table that is read ahead, with the kind of the chain in which a change of it leaves its entry."""


@pytest.mark.req("SIG-15", case="positive")
def test_the_chain_of_every_table_that_is_read_ahead_is_known(db):
    read = {name for question in (steps_with_rows, ahead._step) for name in re.findall(r'(?:FROM|JOIN) "(\w+)"', question.plan.sql)}
    models = {model._meta.db_table: model for model in apps.get_models()}
    assert {name: models[name].stream_kind for name in read} == CHAINED, "a table more: let ahead.streams_of() name its chain, then write it here"


@pytest.mark.req("SIG-15", case="positive")
def test_the_heads_of_all_these_chains_are_witnesses(floor, lot):
    floor.enter(lot, "A1.2", remark="cloudy")
    with floor.reading():
        run = StepRun.objects.get(pk=floor.run(lot, "A1.2").pk)
        held = held_by(run)
        read = ahead.read_ahead(run.pk)
        medium, devices = MaterialLot.objects.get(consumptions__lot=lot), Equipment.objects.filter(uses__step_run=run)
        people = {run.opened_by_id, *(entry.by_id for entry in run.entry_facts.all())}
        version = run.lot.recipe_version
        wanted = {f"lot:{lot.pk}", medium.stream, medium.material.stream, *(each.stream for each in devices), *(f"person:{each}" for each in people)}
        wanted |= {version.stream, version.master.stream, lot.therapy_event.stream, lot.site.stream}
    assert held.scans and held.consumptions and len(held.equipment) == 2 and held.files
    assert wanted == set(read.streams) == {stream for stream, _, _ in read.witnesses[0]}


@pytest.mark.req("SIG-12", case="positive")
def test_as_much_is_read_for_an_unknown_person(floor, lot):
    caller, path = Caller(floor), step(lot, "sign/")
    counts = []
    for name in (caller.user.username, "nobody.here"):
        body = {"intent": caller.get(path).json()["intent"], "username": name, "secret": "000000"}
        with CaptureQueriesContext(connection) as asked:
            assert caller.post(path, body).json()["code"] == "wrong_secret"
        counts.append([sum(word in one["sql"] for one in asked.captured_queries) for word in ("batches_entry", "mes_streamhead WHERE stream = ANY")])
    assert counts == [[1, 1], [1, 1]]


@pytest.mark.req("SIG-02", case="negative")
def test_the_secret_is_checked_beside_the_request_without_a_database_and_its_failure_is_the_requests(floor, lot, monkeypatch):
    seen = []

    def check(secret, stored):
        seen.append((threading.get_ident(), connections["default"].connection))
        raise MemoryError("no room for the hash")

    monkeypatch.setattr(ceremony, "check_password", check)
    caller, path = Caller(floor), step(lot, "sign/")
    caller.client.raise_request_exception = False
    body = {"intent": caller.get(path).json()["intent"], "username": caller.user.username, "secret": PIN}
    assert caller.post(path, body).status_code == 500
    ((thread, opened),) = seen
    assert thread != threading.get_ident() and opened is None
    with floor.reading():
        assert not Signature.objects.filter(record_id=floor.run(lot, "A1.2").pk).exists()


@pytest.mark.req("SIG-12", case="positive")
def test_who_has_the_right_secret_is_not_locked_out_where_reading_ahead_fails(floor, lot, monkeypatch):
    def busy(by, intent):
        raise OperationalError("canceling statement due to statement timeout")

    caller, path = Caller(floor), step(lot, "sign/")
    caller.client.raise_request_exception = False
    reading = readers.ahead_of
    monkeypatch.setattr(readers, "ahead_of", busy)
    for _ in range(6):
        assert caller.post(path, {"intent": caller.get(path).json()["intent"], "username": caller.user.username, "secret": PIN}).status_code >= 500
    monkeypatch.setattr(readers, "ahead_of", reading)
    signed = caller.post(path, {"intent": caller.get(path).json()["intent"], "username": caller.user.username, "secret": PIN})
    assert signed.status_code == 201, signed.content
