"""Starts and stops PostgreSQL and Redis of the project's own, on free ports of this machine's loopback address."""

import json
import os
import re
import secrets
import socket
import subprocess
import time
from pathlib import Path

import psycopg
import redis

from mes.embedded import pids, programs, roles
from mes.embedded.place import Place
from mes.embedded.stopped import Stopped

HOST = "127.0.0.1"
ADMIN = "cartulary_admin"
DATABASE = "cartulary"
START_SECONDS = 60

# What is written is on disk when the answer is given, and nothing of a patient can reach the server's log: no
# parameters, no statements (drivers merge values into them), no details of constraints (they quote the row).
SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_connections = 150
shared_buffers = '128MB'
fsync = on
synchronous_commit = on
full_page_writes = on
timezone = 'UTC'
log_timezone = 'UTC'
log_statement = 'none'
log_min_duration_statement = -1
log_min_error_statement = 'panic'
log_error_verbosity = 'terse'
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


class Secrets:
    """Passwords and ports of one place, kept in a file that only the caller reads."""

    def __init__(self, path: Path):
        self.path = path
        self.values: dict = {}
        self.read()

    def read(self) -> None:
        self.values = json.loads(self.path.read_text()) if self.path.exists() else {}

    def password(self, name: str) -> str:
        if name not in self.values:
            self.remember(name, secrets.token_urlsafe(32))
        return self.values[name]

    def remember(self, name: str, value: str | int) -> None:
        self.values[name] = value
        new = self.path.with_suffix(".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.values, file, indent=1)
        os.replace(new, self.path)

    def free_port(self, name: str) -> int:
        """The port of last time when it is free, else another free one, remembered."""
        for wanted in (int(self.values.get(name, 0)), 0):
            try:
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((HOST, wanted))
                    port = probe.getsockname()[1]
            except OSError:
                continue
            self.remember(name, port)
            return port
        raise Stopped(f"No port is free on {HOST}.")


class Postgres:
    """The project's own PostgreSQL cluster."""

    def __init__(self, place: Place, kept: Secrets):
        self.place = place
        self.kept = kept
        self.data = place.folder / "postgres"
        self.log = place.folder / "postgres.log"

    def url(self, role: str, database: str = DATABASE) -> str:
        return roles.address(role, self.kept.password(role), HOST, self.kept.values["postgres_port"], database)

    def answers(self) -> bool:
        if "postgres_port" not in self.kept.values:
            return False
        try:
            psycopg.connect(self.url(ADMIN, "postgres"), connect_timeout=3).close()
        except psycopg.OperationalError:
            return False
        return True

    def start(self) -> None:
        """Starts the cluster, made on first use, and brings roles and database up to this version's files."""
        folder = self.programs()
        if not (self.data / "PG_VERSION").exists():
            self.initialise(folder)
        for _attempt in range(3):  # another program may take the port between looking and starting
            port = self.kept.free_port("postgres_port")
            settings = self.data / "cartulary.conf"
            settings.write_text(SETTINGS.format(port=port))
            self.place.give(settings)
            started = self.place.run(
                folder / "pg_ctl", "-D", self.data, "-w", "-t", START_SECONDS, "-l", self.log, "start",
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            if started.returncode == 0 and self.answers():
                break
        else:
            raise Stopped(f"PostgreSQL did not start. Its last lines:\n{tail(self.log)}")
        passwords = {role: self.kept.password(role) for role in roles.LOGIN_ROLES}
        roles.prepare_cluster(self.url(ADMIN, "postgres"), DATABASE, passwords)

    def programs(self) -> Path:
        version = self.data / "PG_VERSION"
        folder = programs.find_postgres(int(version.read_text()) if version.exists() else None)
        return self.place.reachable(folder / "postgres").parent

    def initialise(self, folder: Path) -> None:
        secret = self.place.folder / "initial"
        with open(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(self.kept.password(ADMIN))
        self.place.give(secret)
        try:
            made = self.place.run(
                folder / "initdb", "-D", self.data, "-U", ADMIN, "--pwfile", secret, "-A", "scram-sha-256",
                "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums",
                capture_output=True, text=True,
            )  # fmt: skip
        finally:
            secret.unlink()
        if made.returncode:
            raise Stopped(f"PostgreSQL's data could not be made in {self.data}:\n{made.stderr.strip()}")
        with open(self.data / "postgresql.conf", "a") as file:
            file.write("include 'cartulary.conf'\n")

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.place.run(
                self.programs() / "pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop",
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip


class Redis:
    """The project's own Redis."""

    def __init__(self, place: Place, kept: Secrets):
        self.place = place
        self.kept = kept
        self.folder = place.folder / "redis"
        self.log = place.folder / "redis.log"

    def url(self) -> str:
        return f"redis://:{self.kept.password('redis')}@{HOST}:{self.kept.values['redis_port']}/0"

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url(), socket_connect_timeout=1, socket_timeout=5)

    def answers(self) -> bool:
        if "redis_port" not in self.kept.values:
            return False
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.log.touch()
        for path in (self.folder, self.log):
            self.place.give(path)
        program = self.place.reachable(programs.find_redis())
        for _attempt in range(3):
            settings = self.configure(self.kept.free_port("redis_port"))
            # The shell leaves the server behind as nobody's child: this process may end before it.
            left = self.place.run(
                "sh", "-c", '"$0" "$1" >> "$2" 2>&1 & echo $!', program, settings, self.log,
                start_new_session=True, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            pid = int(left.stdout)
            until = time.monotonic() + START_SECONDS
            while pids.started(pid) and time.monotonic() < until:
                if self.answers():
                    return
                time.sleep(0.02)
        raise Stopped(f"Redis did not start. Its last lines:\n{tail(self.log)}")

    def configure(self, port: int) -> Path:
        path = self.folder / "redis.conf"
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(
                f"bind {HOST}\nport {port}\nrequirepass {self.kept.password('redis')}\ndir {self.folder}\n"
                'save ""\nappendonly yes\nappendfsync everysec\nmaxmemory-policy noeviction\ndaemonize no\n'
            )
        self.place.give(path)
        return path

    def stop(self) -> None:
        if self.answers():
            try:
                self.client().shutdown(save=False)
            except redis.RedisError:
                return


def tail(log: Path, lines: int = 8) -> str:
    """The end of a server's log, without anything that looks like a secret in an address."""
    if not log.exists():
        return "(no log)"
    text = "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return re.sub(r"//[^@\s]*@", "//", text)
