"""A site under attack: made once, and every attack is rolled back. What was tried and what came of it is kept in docs/validation/attacks.md.

Write the file anew after adding or changing an attack: CARTULARY_WRITE_ATTACKS=1 python3 manage.py test tests/attack
Without it, an attack whose line in the file is missing or another one fails.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PAPER = Path(__file__).resolve().parents[2] / "docs/validation/attacks.md"
HEAD = """\
# Attacks, and what came of them

Each line was tried by a test of `tests/attack` against the product as it is; the outcome is what that run saw. The lines are written by the tests
themselves (`CARTULARY_WRITE_ATTACKS=1 python3 manage.py test tests/attack`), and every run compares them.

| Danger | What was tried | Outcome | Test |
|---|---|---|---|
"""
WRITING = bool(os.environ.get("CARTULARY_WRITE_ATTACKS"))
_written: list[str] = []


class Attack:
    """One attempt and its outcome."""

    def __init__(self, danger: str, tried: str, test: str) -> None:
        self.danger, self.tried, self.test, self.outcomes = danger, tried, test, []

    @contextmanager
    def refused(self, code: str) -> Iterator[None]:
        """Expects a broken rule with this code and nothing else."""
        from mes.errors import RuleBroken

        with pytest.raises(RuleBroken) as caught:
            yield
        assert caught.value.code == code, f"{caught.value.code}: {caught.value.sentence}"
        self.came_of_it(f"refused: `{code}`")

    @contextmanager
    def refused_by_database(self, state: str) -> Iterator[None]:
        """Expects an error of the database with this SQLSTATE."""
        import psycopg

        with pytest.raises(psycopg.Error) as caught:
            yield
        assert caught.value.sqlstate == state, caught.value
        self.came_of_it(f"refused by the database: {state}")

    def answered(self, response, status: int, code: str = "") -> None:
        """Expects an answer over HTTP with this status and, where there is one, this code."""
        assert response.status_code == status, (response.status_code, response.content[:400])
        if code:
            assert code in response.content.decode(), response.content[:400]
        self.came_of_it(f"answered {status}" + (f": `{code}`" if code else ""))

    def came_of_it(self, outcome: str) -> None:
        if outcome not in self.outcomes:
            self.outcomes.append(outcome)

    @property
    def line(self) -> str:
        return f"| {self.danger} | {self.tried} | {'; '.join(self.outcomes)} | `{self.test}` |"


@pytest.fixture
def attack(request) -> Iterator[Attack]:
    """The attempt of this test: its docstring says what is tried, DANGER of its module what it could lead to."""
    file = Path(request.fspath).name
    made = Attack(request.module.DANGER, " ".join(request.function.__doc__.split()).rstrip("."), f"{file}::{request.node.originalname}")
    yield made
    if not made.outcomes:
        return  # it failed before anything came of it
    if WRITING:
        _written.append(made.line)
    elif made.line not in PAPER.read_text(encoding="utf-8").splitlines():
        pytest.fail(f"{PAPER.name} is not current: it has no line\n{made.line}", pytrace=False)


def pytest_sessionfinish(session, exitstatus) -> None:
    if WRITING and _written and exitstatus == 0:
        PAPER.write_text(HEAD + "\n".join(sorted(dict.fromkeys(_written), key=lambda line: line.rsplit("`", 2)[1])) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def besieged(databases, django_db_setup, django_db_blocker, tmp_path_factory):
    """A database with a site at work and two lots, committed once: `lot` waits for the Qualified Person, `young` is at its count."""
    from django.test import override_settings

    from tests.conftest import pointing

    database, keys = databases.copy(), tmp_path_factory.mktemp("keys")
    with django_db_blocker.unblock(), pointing(database), override_settings(KEYS_FOLDER=keys, ANCHORS_FOLDER=tmp_path_factory.mktemp("anchors")):
        from tests.builders.judged import Judged

        site = Judged("SIEGE")
        site.lot, site.young = site.ready(), site.to_count()
        for name in ("ruth", "rob"):
            site.code(name)
        site.database, site.keys = database, keys
    yield site
    databases.drop(database.name)


@pytest.fixture
def siege(besieged, django_db_blocker, settings):
    """The besieged site; what an attack changes is rolled back."""
    from django.db import transaction

    from tests.conftest import close_connections, pointing

    settings.KEYS_FOLDER = besieged.keys
    with django_db_blocker.unblock(), pointing(besieged.database):
        block = transaction.atomic()
        block._from_testcase = True  # as Django marks the transaction of its own rollback tests
        block.__enter__()
        try:
            yield besieged
        finally:
            transaction.set_rollback(True)
            block.__exit__(None, None, None)
            close_connections()


@pytest.fixture
def raw(besieged):
    """The application's role without the application, at the besieged site; rolled back."""
    with besieged.database.connect("DATABASE_URL") as raw:
        raw.execute("SELECT set_config('cartulary.site', %s, false)", [str(besieged.place.site.pk)])
        yield raw
        raw.rollback()
