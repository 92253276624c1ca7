"""While a PIN is checked nobody waits for anybody: on committed data, seen from another connection."""

import pytest
from django.db import transaction

from mes.signatures import ceremony
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
