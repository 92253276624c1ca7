"""Lots made once for many tests: a database with a site, committed, in which every test's own changes are rolled back.

Making a lot through its services takes seconds; tests of review, release and record need many. `made()` and `ready()` give lots
of the pool first and make further ones as asked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batches.lots.models import Lot
from mes.people import totp
from tests.builders.judged import Judged
from tests.database import Database

_prepared: dict[Callable[[], Any], Kept] = {}


class Pooled(Judged):
    """A floor with quality whose lots are there already."""

    def __init__(self) -> None:
        self.pool: dict[str, list[Lot]] = {}
        self.taken: dict[str, int] = {}
        self.codes: dict[str, int] = {}
        super().__init__("POOL")
        self.pool["82.4"] = [super().made(), super().made()]
        self.pool["68.4"] = [super().made(viability="68.4")]
        self.pool["ready"] = [super().ready(), super().ready()]
        for name in ("ruth", "rob"):
            self.code(name)

    def take(self, kind: str) -> Lot | None:
        at = self.taken.get(kind, 0)
        self.taken[kind] = at + 1
        lots = self.pool.get(kind, [])
        return self.fresh(lots[at]) if at < len(lots) and self.pool.get("ready") else None

    def made(self, *, viability: str = "82.4") -> Lot:
        return self.take(viability) or super().made(viability=viability)

    def ready(self, **more) -> Lot:
        return (None if more else self.take("ready")) or super().ready(**more)

    def code(self, name: str) -> str:
        """Enrolled once; each test has the code of now, then that of the next half minute."""
        if name not in self.secrets:
            return super().code(name)
        asked = self.codes.get(name, 0)
        self.codes[name] = asked + 1
        return totp.code_at(self.secrets[name], totp.step_now() + asked)


@dataclass(frozen=True)
class Kept:
    """Something made once in a committed database of its own, with the folder of its patients' keys."""

    made: Any
    database: Database
    keys: Path


@contextmanager
def kept(make: Callable[[], Any], databases, django_db_blocker, settings, tmp_path_factory) -> Iterator[Any]:
    """What `make` made at its first call in this test process, as it was then, in a transaction that is rolled back."""
    from django.test import override_settings

    if make not in _prepared:
        database, keys = databases.copy(), tmp_path_factory.mktemp("keys")
        with django_db_blocker.unblock(), inside(database), override_settings(KEYS_FOLDER=keys):
            _prepared[make] = Kept(make(), database, keys)
    known = _prepared[make]
    settings.KEYS_FOLDER = known.keys
    with django_db_blocker.unblock(), inside(known.database), rolled_back():
        yield deepcopy(known.made)


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction as Django's own rollback tests have it."""
    from django.db import transaction

    block = transaction.atomic()
    block._from_testcase = True
    block.__enter__()
    try:
        yield
    finally:
        transaction.set_rollback(True)
        block.__exit__(None, None, None)


@contextmanager
def inside(database: Database) -> Iterator[None]:
    """Another database for a while, on connections of its own: a transaction that a test has open already waits untouched."""
    from django.db import connections

    before = {alias: connections[alias] for alias in connections}
    names = {alias: connections.settings[alias]["NAME"] for alias in connections}
    env = {name: os.environ[name] for name in database.urls}
    os.environ.update(database.urls)
    for alias in before:
        connections.settings[alias]["NAME"] = database.name
        connections[alias] = connections.create_connection(alias)
    try:
        yield
    finally:
        for alias, connection in before.items():
            connections[alias].close()
            connections.settings[alias]["NAME"] = names[alias]
            connections[alias] = connection
        os.environ.update(env)


@contextmanager
def from_pool(databases, django_db_blocker, settings, tmp_path_factory) -> Iterator[Pooled]:
    """The pool of lots for one test."""
    with kept(Pooled, databases, django_db_blocker, settings, tmp_path_factory) as site:
        yield site
