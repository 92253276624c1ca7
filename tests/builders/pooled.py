"""Lots made once for many tests: a database with a site, committed, in which every test's own changes are rolled back.

Making a lot through its services takes seconds; tests of review, release and record need many. `made()` and `ready()` give lots
of the pool first and make further ones as asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from batches.lots.models import Lot
from mes.people import totp
from tests.builders.judged import Judged

_prepared: dict[str, Pooled] = {}


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

    def fresh_test(self) -> None:
        """Forget what an earlier test took; its changes are rolled back."""
        self.taken, self.codes = {}, {}

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


@contextmanager
def from_pool(databases, django_db_blocker, settings, tmp_path_factory) -> Iterator[Pooled]:
    """The pool for one test, in a transaction that is rolled back; made at the first call of a test process."""
    from django.db import transaction
    from django.test import override_settings

    from tests.conftest import close_connections, pointing

    if "site" not in _prepared:
        database, keys = databases.copy(), tmp_path_factory.mktemp("keys")
        with django_db_blocker.unblock(), pointing(database), override_settings(KEYS_FOLDER=keys):
            site = Pooled()
        site.database, site.keys = database, keys
        _prepared["site"] = site
    site = _prepared["site"]
    settings.KEYS_FOLDER = site.keys
    with django_db_blocker.unblock(), pointing(site.database):
        block = transaction.atomic()
        block._from_testcase = True  # as Django marks the transaction of its own rollback tests
        block.__enter__()
        try:
            site.fresh_test()
            yield site
        finally:
            transaction.set_rollback(True)
            block.__exit__(None, None, None)
            close_connections()
