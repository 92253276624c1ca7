"""What docker/compose.yml starts: each part with the roles it needs and no others, run here by its own entry point in production mode."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mes.embedded.programs import find_redis
from tests.builders.background import wait_for
from tests.database import ROOT

FOLDER = ROOT / "docker"
ROLES = {
    "admin_database_url": "ADMIN_DATABASE_URL", "migrate_database_url": "MIGRATE_DATABASE_URL", "database_url": "DATABASE_URL",
    "verify_database_url": "VERIFY_DATABASE_URL", "read_database_url": "READ_DATABASE_URL",
}  # fmt: skip
HOST = "records.example"
GIVEN = {"CARTULARY_HOSTS": HOST, "CARTULARY_ORIGIN": f"https://{HOST}"}


@pytest.fixture(scope="module")
def parts() -> dict:
    """Services of ours, by name."""
    services = YAML(typ="safe").load((FOLDER / "compose.yml").read_text())["services"]
    return {name: part for name, part in services.items() if part["image"] == "cartulary"}


def test_secrets_are_no_part_of_the_image():
    left_out = (FOLDER / "Dockerfile.dockerignore").read_text().split()
    assert {"docker/secrets", "docker/.env", "**/.env", "var", ".git"} <= set(left_out), "COPY . . takes everything else into a layer"


@pytest.mark.req("AUD-04", case="negative")
def test_each_part_is_given_the_addresses_of_its_own_roles_and_no_others(parts):
    given = {name: {secret for secret in part["secrets"] if secret in ROLES} for name, part in parts.items()}
    assert given == {
        "prepare": set(ROLES),
        "migrate": {"database_url", "migrate_database_url"},
        "web": {"database_url"},
        "worker": {"database_url", "verify_database_url"},
        "paper": {"database_url"},
        "beat": {"database_url"},
    }
    for name, part in parts.items():
        named = {Path(value).name for value in part["environment"].values() if str(value).startswith("/run/secrets/")}
        assert named == set(part["secrets"]), f"{name} is given secrets that it does not read, or reads some it is not given"


def test_parts_hold_no_right_of_the_machine_and_only_web_is_reached_from_this_machine_alone(parts):
    for part in parts.values():
        assert part["read_only"] and part["cap_drop"] == ["ALL"] and part["security_opt"] == ["no-new-privileges:true"]
    assert {name: part["ports"] for name, part in parts.items() if "ports" in part} == {"web": ["127.0.0.1:8000:8000"]}
    whole = YAML(typ="safe").load((FOLDER / "compose.yml").read_text())
    assert not any("ports" in whole["services"][name] for name in ("database", "broker"))
    assert whole["networks"]["inside"] == {"internal": True}
    assert re.search(r"^USER cartulary$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def whole() -> dict:
    return YAML(typ="safe").load((FOLDER / "compose.yml").read_text())


NEEDED = {
    "database": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"},
    "broker": {"CHOWN", "DAC_OVERRIDE", "SETGID", "SETPCAP", "SETUID"},
}
"""What the images' own entry points do as root: take over the data folder, read the secret, become the service's user."""


def test_database_and_broker_keep_no_right_of_the_machine_but_those_their_entry_points_need(whole):
    for name, needed in NEEDED.items():
        part = whole["services"][name]
        assert part["cap_drop"] == ["ALL"] and set(part["cap_add"]) == needed, name
        assert part["security_opt"] == ["no-new-privileges:true"], name
        assert not any(part.get(word) for word in ("privileged", "network_mode", "pid", "devices")), name


def test_no_password_stands_in_the_file_or_on_a_command_line(whole):
    for name, part in whole["services"].items():
        said = json.dumps([part.get("command"), part.get("entrypoint")])
        assert "--requirepass" not in said and "PASSWORD=" not in said, name
        assert all(str(value).startswith("/run/secrets/") for key, value in (part.get("environment") or {}).items() if "PASSWORD" in key), name


def test_the_broker_takes_its_password_from_the_secret_and_no_process_sees_it_on_a_command_line(whole, tmp_path):
    password, words = "5e" * 32, tmp_path / "words"
    (tmp_path / "redis_password").write_text(password + "\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    stand_in = tmp_path / "docker-entrypoint.sh"  # the image's own becomes another user first, then does the same
    stand_in.write_text(f'#!/bin/sh\nprintf "%s " "$@" > {words}\nexec "$@" --port {port} --bind 127.0.0.1 --dir {tmp_path}\n')
    stand_in.chmod(0o755)
    program = tmp_path / "redis-server"
    program.symlink_to(find_redis())
    command = [word.replace("$$", "$").replace("/run/secrets", str(tmp_path)) for word in whole["services"]["broker"]["command"]]
    with subprocess.Popen(command, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}, stdout=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: answers(port, "PING"), 20)
            assert "NOAUTH" in answers(port, "PING")
            assert answers(port, f"AUTH {password}", "PING").splitlines() == ["+OK", "+PONG"]
            assert Path(f"/proc/{server.pid}/comm").read_text().strip() in ("redis-server", "valkey-server"), "a stop reaches the server itself"
        finally:
            server.terminate()
    assert words.read_text().startswith("redis-server") and password not in words.read_text()
    assert (tmp_path / "appendonlydir").is_dir()


def answers(port: int, *lines: str) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall("".join(f"{each}\r\n" for each in (*lines, "QUIT")).encode())
            said = b"".join(iter(lambda: line.recv(4096), b"")).decode()
    except OSError:
        return ""
    return "\n".join(said.splitlines()[: len(lines)])


def test_keys_and_anchors_are_held_by_who_uses_them_and_written_by_who_writes_them(parts):
    held = {name: {volume.split(":")[0]: "ro" if volume.endswith(":ro") else "rw" for volume in part.get("volumes", ())} for name, part in parts.items()}
    assert held == {
        "prepare": {}, "migrate": {}, "beat": {}, "paper": {},  # that paper needs none: tests/quality/release/test_keyless_paper.py
        "web": {"keys": "rw", "anchors": "ro"},  # seal keys and patients' keys are made and burnt while somebody waits
        "worker": {"keys": "rw", "anchors": "rw"},  # checkpoint keys and anchors are made, left-over keys of erased patients burnt
    }  # fmt: skip


def test_secrets_are_made_once_readable_by_their_owner_and_all_that_compose_names(tmp_path):
    copy = tmp_path / "docker"
    copy.mkdir()
    (copy / "secrets.sh").write_text((FOLDER / "secrets.sh").read_text())

    def made() -> dict[str, str]:
        subprocess.run(["sh", copy / "secrets.sh", HOST], check=True, capture_output=True)
        return {path.name: path.read_text() for path in (copy / "secrets").iterdir()}

    first = made()
    assert set(first) == set(YAML(typ="safe").load((FOLDER / "compose.yml").read_text())["secrets"])
    assert made() == first
    assert {path.stat().st_mode & 0o077 for path in (copy / "secrets").iterdir()} == {0}
    passwords = [re.search(r":([0-9a-f]{64})@", first[secret])[1] for secret in ROLES]
    assert len(set(passwords)) == len(ROLES)
    assert f"CARTULARY_ORIGIN=https://{HOST}" in (copy / ".env").read_text()


class Deployment:
    """The parts of the compose file as processes of this machine, on a database and a Redis of the tests."""

    def __init__(self, parts: dict, database, folder: Path) -> None:
        self.parts, self.folder, self.running = parts, folder, []
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        for secret, name in ROLES.items():
            self.keep(secret, database.urls[name])
        self.keep("redis_url", os.environ["REDIS_URL"])
        self.keep("secret_key", "".join(f"{number:x}q" for number in range(40)))
        self.keep("email_url", "smtp://127.0.0.1:9")
        for name in ("keys", "anchors"):
            (folder / name).mkdir()

    def keep(self, name: str, value: str) -> None:
        (self.secrets / name).write_text(value + "\n")

    def environment(self, part: str, **more: str) -> dict[str, str]:
        """What a container of this part would see, with the paths of this machine."""
        said = {}
        for name, value in self.parts[part]["environment"].items():
            value = re.sub(r"\$\{(\w+)(?::[?-]([^}]*))?\}", lambda found: GIVEN.get(found[1], "" if ":?" in found[0] else found[2] or ""), str(value))
            said[name] = value.replace("/run/secrets", str(self.secrets))
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        image = {
            "PATH": path, "CARTULARY_NO_INSTALL": "1", "CARTULARY_VAR": str(self.folder), "CARTULARY_KEYS": str(self.folder / "keys"),
            "CARTULARY_ANCHORS": str(self.folder / "anchors"), "CARTULARY_STATIC": str(self.folder / "static"), "PYTHONDONTWRITEBYTECODE": "1",
            "CARTULARY_REDIS_PREFIX": f"{self.folder.name}:", "HOME": str(self.folder),
        }  # fmt: skip
        return image | said | more

    def run(self, part: str) -> str:
        done = subprocess.run(self.words(part), env=self.environment(part), cwd=self.folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, part: str, **more: str) -> subprocess.Popen:
        with open(self.folder / f"{part}.log", "wb") as log:
            process = subprocess.Popen(self.words(part), env=self.environment(part, **more), cwd=self.folder, stdout=log, stderr=log)
        self.running.append(process)
        return process

    def words(self, part: str) -> list:
        return ["sh", FOLDER / "entrypoint.sh", *self.parts[part]["command"]]

    def log(self, part: str) -> str:
        return (self.folder / f"{part}.log").read_text()

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(timeout=30)


@pytest.fixture
def deployment(parts, databases, tmp_path):
    database = databases.copy()
    deployment = Deployment(parts, database, tmp_path)
    deployment.database = database
    yield deployment
    deployment.stop()
    databases.drop(database.name)


def asked(url: str) -> tuple[int, dict]:
    request = urllib.request.Request(url, headers={"Host": HOST, "X-Forwarded-Proto": "https"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"{}")
    except OSError:
        return 0, {}


def users_of(deployment, pid: int) -> set[str]:
    """The roles as which the processes that this one started are logged in, by their port."""
    with deployment.database.connect(autocommit=True) as admin:
        rows = admin.execute("SELECT usename, client_port FROM pg_stat_activity WHERE datname = current_database()").fetchall()
    ports = {port: user for user, port in rows}
    return {ports[port] for port in _ports(pid) if port in ports}


def _ports(pid: int) -> set[int]:
    """Local ports of the TCP connections of a process and of those below it."""
    found, inodes = {pid}, set()
    for _ in range(4):
        for each in list(found):
            for task in Path(f"/proc/{each}/task").glob("*"):
                found |= {int(child) for child in (task / "children").read_text().split()}
    for each in found:
        for link in Path(f"/proc/{each}/fd").glob("*"):
            try:
                inodes.add(os.readlink(link).removeprefix("socket:[").rstrip("]"))
            except OSError:
                continue
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(line[1].rpartition(":")[2], 16) for line in lines if line[9] in inodes}


@pytest.mark.req("AUD-04", case="positive")
def test_the_parts_start_in_production_mode_and_log_in_as_their_own_roles(deployment):
    assert "are ready" in deployment.run("prepare")
    deployment.run("migrate")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    web = deployment.start("web", WEB_BIND=f"127.0.0.1:{port}", WEB_WORKERS="1")
    url = f"http://127.0.0.1:{port}/readyz"
    try:
        wait_for(lambda: asked(url)[1].get("database"), 60)
    except AssertionError:
        raise AssertionError(f"{asked(url)}\n{deployment.log('web')[-3000:]}") from None
    told = asked(url)[1]
    assert told["ready"] and told["migrations"] and told["guards"] and told["role"] and told["redis"], told
    assert wait_for(lambda: asked(url) and users_of(deployment, web.pid), 20) == {"cartulary_app"}
    deployment.start("worker", WORKER_PROCESSES="1")
    deployment.start("beat", BEAT_SCHEDULE=str(deployment.folder / "beat"), CARTULARY_SWEEP_SECONDS="1")
    wait_for(lambda: "quality.sweep" in deployment.log("worker") and "succeeded" in deployment.log("worker"), 90)
    assert "cartulary_admin" not in deployment.log("worker") + deployment.log("web")


def test_gunicorn_and_celery_read_addresses_from_files_as_manage_py_does(deployment):
    words = [sys.executable, "-c", "import mes.settings; from mes import env; print(env.given('VERIFY_DATABASE_URL'))"]
    said = subprocess.run(words, env=deployment.environment("worker"), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == deployment.database.urls["VERIFY_DATABASE_URL"]


@pytest.mark.req("AUD-04", case="negative")
def test_a_part_that_is_given_the_address_of_a_stronger_role_does_not_start(deployment):
    deployment.keep("database_url", deployment.database.urls["ADMIN_DATABASE_URL"].replace("cartulary_admin", "cartulary_owner"))
    web = deployment.start("web", WEB_BIND="127.0.0.1:0", WEB_WORKERS="1")
    assert wait_for(web.poll, 60), "it serves"
    assert "which could switch off what guards the records" in deployment.log("web")
