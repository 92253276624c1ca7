"""What changes while a secret is checked is judged as it is under the lock: on committed data, changed by another connection."""

import threading

import pytest
from django.db import connection
from django.test import override_settings

from batches.equipment.models import Equipment
from batches.equipment.services import calibrate
from batches.execution import services
from batches.execution.queries.content import correction_subject
from batches.lots.services import put_on_hold
from batches.materials.models import MaterialLot
from batches.materials.services import block_lot
from mes.clock import record_now
from mes.people import services as people
from mes.people.models import Grant
from mes.signatures import ceremony
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
    """Lets `act` happen on a connection of its own after the intent was looked at and before the answer about the secret is given."""
    checking = ceremony.check_password

    def check(secret, stored):
        def elsewhere():
            try:
                act()
            finally:
                connection.close()

        other = threading.Thread(target=elsewhere)
        other.start()
        other.join(30)
        return checking(secret, stored)

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


@pytest.mark.req("SIG-15", case="positive")
def test_a_change_that_concerns_nothing_of_what_is_signed_stands_in_nobodys_way(floor, lot, monkeypatch):
    def renew():
        with floor.reading():
            used = Equipment.objects.filter(uses__lot=lot).first()
        calibrate(by=floor.by("boss"), equipment_id=used.pk, seen=used.version, calibrated_until=record_now().replace(year=2031), certificate="C-2")

    caller, path = Caller(floor), step(lot, "sign/")
    body = {"intent": caller.get(path).json()["intent"], "username": caller.user.username, "secret": PIN}
    while_checked(monkeypatch, renew)
    answer = caller.post(path, body)
    assert answer.status_code == 201, answer.content
