"""While a PIN is checked nobody waits for anybody: on committed data, seen from another connection."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from batches.lots.services import put_on_hold
from mes.records.door import before_commit
from mes.signatures import ceremony
from mes.signatures.models import Signature
from tests.batches.execution.test_api import Caller, step
from tests.builders.staff import PIN

LOCKS = """
SELECT a.pid, a.state, l.locktype, l.mode FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
  AND (a.xact_start IS NOT NULL OR l.pid IS NOT NULL) AND l.locktype IS DISTINCT FROM 'advisory'"""
"""Every open transaction and every lock but advisory ones: the request holds one on its own Idempotency-Key, which no other request asks for."""


@pytest.fixture
def floor(committed_db):
    from tests.builders.floor import Floor

    return Floor()


@pytest.mark.req("SIG-02", case="positive")
def test_no_lock_of_the_lot_is_held_while_the_secret_is_checked(floor, committed_db, monkeypatch):
    lot = floor.to_count()
    floor.fill_count(lot)
    checked, really = [], ceremony.check_password

    def check(secret, stored):
        with committed_db.connect() as other:
            checked.append(other.execute(LOCKS).fetchall())
            # and what the next value of the lot has to lock can be locked at once
            for table, where in (("batches_lot", "id"), ("batches_steprun", "lot_id")):
                other.execute(f"SELECT 1 FROM {table} WHERE {where} = %s FOR UPDATE NOWAIT", [lot.pk])
            other.execute("SELECT 1 FROM mes_streamhead WHERE stream = %s FOR UPDATE NOWAIT", [f"lot:{lot.pk}"])
        return really(secret, stored)

    monkeypatch.setattr(ceremony, "check_password", check)
    signed = Caller(floor).sign(step(lot, "sign/"))
    assert signed.status_code == 201, signed.content
    assert checked == [[]], "no transaction is open and no lock is held on any connection of the application"


@pytest.mark.req("SIG-02", case="negative")
def test_a_secret_is_not_checked_inside_a_transaction(floor, monkeypatch):
    lot, asked = floor.to_count(), []
    monkeypatch.setattr(ceremony, "check_password", lambda *words: asked.append(words))
    with pytest.raises(RuntimeError, match="no lock is held while a hash is checked"), transaction.atomic():
        ceremony.authenticate(by=floor.by("maya"), intent_id=lot.pk, username=floor.users["maya"].username, secret=PIN)
    assert asked == []


WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def hold_back_until_somebody_waits(committed_db):
    """Keeps a deed open, with all its locks, until another connection waits for one of them."""

    def hold(_deed):
        with committed_db.connect(autocommit=True) as other:
            for _ in range(200):
                if other.execute(WAITING).fetchone()[0]:
                    return
                time.sleep(0.05)
        raise AssertionError("nobody waited")

    return hold


def while_another_deed_is_open(committed_db, deed, act):
    """The result of `act`, done while the deed holds its locks and has written all it writes; the deed is committed once `act` waits for it."""
    written = threading.Event()

    def first():
        try:
            with before_commit(lambda one: (written.set(), hold_back_until_somebody_waits(committed_db)(one))):
                deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as others:
        open_deed = others.submit(first)
        assert written.wait(20)
        result = act()
        open_deed.result()
    return result


@pytest.mark.req("SIG-15", case="negative")
def test_what_is_recorded_while_a_signature_waits_is_found_and_nothing_is_signed(floor, committed_db):
    lot = floor.to_count()
    floor.fill_count(lot)
    caller, path = Caller(floor), step(lot, "sign/")
    body = {"intent": caller.get(path).json()["intent"], "username": caller.user.username, "secret": PIN}
    refused = while_another_deed_is_open(committed_db, lambda: floor.enter(lot, "A1.2", remark="cloudy"), lambda: caller.post(path, body))
    assert (refused.status_code, refused.json()["code"]) == (409, "stale_screen"), refused.content
    assert caller.sign(path).status_code == 201


@pytest.mark.req("EXE-01", case="negative")
def test_a_hold_that_is_placed_while_a_signature_waits_stops_it(floor, committed_db):
    lot = floor.to_count()
    floor.fill_count(lot)
    caller, path = Caller(floor), step(lot, "sign/")
    body = {"intent": caller.get(path).json()["intent"], "username": caller.user.username, "secret": PIN}
    place = lambda: put_on_hold(by=floor.by("boss"), lot_id=lot.pk, reason="The incubator alarmed")  # noqa: E731
    refused = while_another_deed_is_open(committed_db, place, lambda: caller.post(path, body))
    assert (refused.status_code, refused.json()["code"]) == (409, "lot_on_hold"), refused.content


@pytest.mark.req("SIG-05", case="negative")
def test_what_was_prepared_for_one_step_signs_no_other(floor):
    one, other = (floor.to_count() for _ in range(2))
    for lot in (one, other):
        floor.fill_count(lot)
    caller = Caller(floor)
    body = {"intent": caller.get(step(one, "sign/")).json()["intent"], "username": caller.user.username, "secret": PIN}
    refused = caller.post(step(other, "sign/"), body)
    assert (refused.status_code, refused.json()["code"]) == (403, "intent_of_other_record"), refused.content
    with floor.reading():
        assert not Signature.objects.filter(record_id__in=[floor.run(lot, "A1.2").pk for lot in (one, other)]).exists()
