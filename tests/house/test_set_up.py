"""The tests' own set-up: who they are to the database, what they may not do, and what every run tells."""

import os
import socket
import subprocess
import sys

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.database import ROOT, digest


def run(folder, text, *words):
    """Runs pytest on one file of its own, with this project's set-up."""
    (folder / "test_one.py").write_text(text)
    options = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "-p", "tests.conftest", "-q"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *words, str(folder / "test_one.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.django_db
def test_a_test_is_the_application_to_the_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user, current_database()")
        assert cursor.fetchone()[:2] == ("cartulary_app", "cartulary_app")


def test_a_committing_test_has_a_database_of_its_own(committed_db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone()[0] == committed_db.name
    assert os.environ["DATABASE_URL"].endswith(f"/{committed_db.name}")
    assert committed_db.env["ADMIN_DATABASE_URL"].endswith(f"/{committed_db.name}")
    assert not connection.in_atomic_block


def test_the_copy_is_gone_after_its_test(databases):
    rows = databases.admin.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"cartulary\\_test\\_{databases.token}\\_%"]).fetchall()
    assert {name for (name,) in rows} == set(databases.made)


def test_the_template_cannot_be_entered(databases):
    database = databases.database(databases.template)
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        database.connect()


def test_tables_cannot_be_emptied():
    with pytest.raises(CommandError, match="records are kept"):
        call_command("flush", interactive=False)


@pytest.mark.parametrize(
    "text",
    [
        "def test_x(transactional_db): pass",
        "def test_x(live_server): pass",
        "import pytest\n@pytest.mark.django_db(transaction=True)\ndef test_x(): pass",
    ],
)
def test_a_test_that_would_empty_tables_is_told_what_to_take(tmp_path, text):
    done = run(tmp_path, text)
    assert done.returncode == 1
    assert "take the fixture committed_db" in done.stdout


def test_a_long_test_is_left_out_and_named(tmp_path):
    text = "import pytest\ndef test_a(): pass\n@pytest.mark.long\ndef test_b(): pass\ndef test_c(): pytest.skip('no moon')"
    done = run(tmp_path, text)
    assert "1 passed, 1 skipped, 1 deselected" in done.stdout
    assert "::test_b" in done.stdout
    assert "test --long" in done.stdout
    assert "no moon" in done.stdout
    assert "2 passed" in run(tmp_path, text, "--long").stdout


def test_a_requirement_needs_its_case(tmp_path):
    done = run(tmp_path, "import pytest\n@pytest.mark.req('SIG-01')\ndef test_x(): pass")
    assert done.returncode != 0
    assert 'case="positive" or "negative"' in done.stdout + done.stderr


def test_a_warning_is_an_error(tmp_path):
    assert run(tmp_path, "import warnings\ndef test_x(): warnings.warn('old', DeprecationWarning)").returncode == 1


def test_tests_reach_this_machine_only():
    with pytest.raises(OSError, match="this machine only"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(socket.gaierror, match="this machine only"):
        socket.getaddrinfo("registry.example", 443)


def test_the_template_is_named_by_its_sources(monkeypatch, tmp_path):
    from tests import database

    for name in ("one", "two"):
        folder = tmp_path / name / "mes" / "migrations"
        folder.mkdir(parents=True)
        (folder / "0001_first.py").write_text(name)
    monkeypatch.setattr(database, "ROOT", tmp_path / "one")
    first = digest()
    assert first == digest()
    monkeypatch.setattr(database, "ROOT", tmp_path / "two")
    assert first != digest()
