"""Trails: one that stays whole, one with every break, one for each test."""

from contextlib import contextmanager

import pytest
from django.db import connections

from tests.conftest import pointing
from tests.mes.verifier.breaks import BREAKS


def make(database, names):
    from tests.mes.verifier import trail  # models: only once Django is set up

    return trail.make(database, names)


@contextmanager
def own_database(databases, blocker):
    database = databases.copy()
    with blocker.unblock(), pointing(database):
        yield database
        connections.close_all()
    databases.drop(database.name)


@pytest.fixture(scope="module")
def whole_trail(databases, django_db_setup, django_db_blocker):
    """Nothing spoilt; made once, for tests that change nothing."""
    with own_database(databases, django_db_blocker) as database:
        yield make(database, ["ben"])


@pytest.fixture
def whole(whole_trail, django_db_blocker):
    with django_db_blocker.unblock(), pointing(whole_trail.database):
        yield whole_trail


@pytest.fixture(scope="module")
def spoilt(databases, django_db_setup, django_db_blocker):
    """Each break in a stream of its own, and the verifier's one report of them all."""
    with own_database(databases, django_db_blocker) as database:
        trail = make(database, BREAKS)
        assert trail.verify().intact
        for name, broken in BREAKS.items():
            trail.spoil(name, broken.statements, **broken.values)
        trail.report = trail.verify()
        yield trail


@pytest.fixture
def trail(committed_db):
    """A trail that a test may spoil in its own way."""
    return make(committed_db, ["ben"])
