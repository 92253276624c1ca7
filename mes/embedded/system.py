"""System packages that come with no wheel: found, installed where that is allowed, or named in one line."""

import ctypes
import ctypes.util
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mes.embedded.stopped import Stopped


@dataclass(frozen=True)
class Need:
    """Something of the system: how to see that it is there, Debian's packages for it, what is lost without it."""

    what: str
    packages: tuple[str, ...]
    present: Callable[[], bool]


def has_library(*names: str) -> bool:
    """Whether the dynamic linker finds these libraries."""
    for name in names:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
    return True


def has_program(*names: str) -> bool:
    """Whether one of these programs is on the path."""
    return any(shutil.which(name) for name in names)


PANGO = Need(
    "Pango, which sets the text of certificates and labels",
    ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"),
    lambda: has_library("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0"),
)
CHROMIUM = Need("Chromium, which the browser tests drive", ("chromium",), lambda: has_program("chromium"))
POPPLER = Need("Poppler, with which tests look at PDFs", ("poppler-utils",), lambda: has_program("pdftoppm"))
CURL = Need("curl, with which the documented lines are tried", ("curl",), lambda: has_program("curl"))
POSTGRESQL = Need("PostgreSQL", ("postgresql",), lambda: False)
REDIS = Need("Redis", ("redis-server",), lambda: has_program("redis-server", "valkey-server"))

FOR_RUNNING = (PANGO,)
FOR_TESTS = (PANGO, CHROMIUM, POPPLER, CURL)


def provide(needs: Iterable[Need]) -> None:
    """Installs what is missing when this is root on a Debian-like system, else raises Stopped with the line to run."""
    missing = [need for need in needs if not need.present()]
    if not missing:
        return
    packages = [package for need in missing for package in need.packages]
    line = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
    names = "; ".join(need.what for need in missing)
    if os.geteuid() != 0 or not Path("/usr/bin/apt-get").exists():
        raise Stopped(f"This machine lacks {names}. On Debian or Ubuntu run: sudo sh -c '{line}'")
    print(f"Installing {', '.join(packages)} ...", flush=True)
    # create_main_cluster: the server programs are wanted, not a cluster of the system's own
    script = (
        "mkdir -p /etc/postgresql-common && { [ -e /etc/postgresql-common/createcluster.conf ] || "
        "echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf; }; " + line
        if "postgresql" in packages
        else line
    )
    result = subprocess.run(
        ["sh", "-c", script],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        end = "\n".join((result.stdout + result.stderr).strip().splitlines()[-5:])
        raise Stopped(f"Installing system packages ended with {result.returncode}. The line was: {line}\n{end}")
