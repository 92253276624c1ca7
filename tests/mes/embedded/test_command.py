"""The words of manage.py: what needs servers, what refuses, and in which words."""

import os
import subprocess
import sys

import pytest

from mes.embedded import system
from mes.embedded.stopped import Stopped
from tests.database import ROOT


def manage(*words, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words],
        env={**kept, "CARTULARY_NO_INSTALL": "1", **environment},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )


def test_help_starts_no_server(tmp_path):
    done = manage("help", CARTULARY_VAR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "prepare_database" in done.stdout
    assert not (tmp_path / "services").exists()


@pytest.mark.req("AUD-04", case="negative")
def test_tables_are_never_emptied(committed_db):
    done = manage("flush", "--noinput", **{**committed_db.urls, "CARTULARY_MODE": "test", "REDIS_URL": "redis://x"})
    assert done.returncode == 1
    assert "records are kept" in done.stderr


def test_preparing_a_database_needs_every_address():
    done = manage("prepare_database", CARTULARY_MODE="test", DATABASE_URL="postgresql://cartulary_app:x@db/c")
    assert done.returncode == 1
    assert "ADMIN_DATABASE_URL, MIGRATE_DATABASE_URL" in done.stderr


def test_preparing_a_database_refuses_another_role(committed_db):
    urls = {**committed_db.urls, "DATABASE_URL": committed_db.urls["MIGRATE_DATABASE_URL"]}
    done = manage("prepare_database", CARTULARY_MODE="test", **urls)
    assert done.returncode == 1
    assert "must log in as cartulary_app" in done.stderr


def test_preparing_a_given_database_again_leaves_it_working(committed_db):
    done = manage("prepare_database", CARTULARY_MODE="test", **committed_db.urls)
    assert done.returncode == 0, done.stderr
    with committed_db.connect("DATABASE_URL") as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("cartulary_app",)


def test_a_missing_package_is_named_in_the_line_to_run(monkeypatch):
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    need = system.Need("Pango, which sets text", ("libpango-1.0-0", "libpangoft2-1.0-0"), lambda: False)
    with pytest.raises(Stopped) as stopped:
        system.provide([need])
    assert "lacks Pango, which sets text" in str(stopped.value)
    assert "apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0" in str(stopped.value)


def test_nothing_is_installed_when_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(system.subprocess, "run", lambda *_words, **_options: pytest.fail("something was installed"))
    system.provide([system.Need("Pango", ("libpango-1.0-0",), lambda: True)])


def test_an_address_may_stand_in_a_file(tmp_path, monkeypatch):
    from mes.embedded import addresses

    (tmp_path / "redis").write_text("redis://:secret@redis:6379/0\n")
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "redis"))
    addresses.read_files()
    assert os.environ["REDIS_URL"] == "redis://:secret@redis:6379/0"
