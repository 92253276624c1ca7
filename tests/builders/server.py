"""A real web server process on a test's own database, for browsers and public HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.database import ROOT, Database


@contextmanager
def serving(
    database: Database, folder: Path, *, workers: int = 1, threads: int = 4, name: str = "127.0.0.1", **environment: str
) -> Iterator[str]:  # fmt: skip
    """The address of a web server that uses this database; it is stopped on leaving. Its words go to folder/web.log.

    With one thread its workers are gunicorn's sync workers. `name` localhost: browsers bind passkeys to a name, never to a number.
    """
    port = free_port()
    words = [sys.executable, "-m", "gunicorn", "mes.wsgi", "-b", f"127.0.0.1:{port}", "-w", str(workers), "--threads", str(threads)]
    from django.conf import settings

    keys = str(settings.KEYS_FOLDER)  # the seals of this test's signatures lie there
    env = {**database.env, "CARTULARY_ORIGIN": f"http://{name}:{port}", "CARTULARY_KEYS": keys, **environment}
    with open(folder / "web.log", "w") as log:
        process = subprocess.Popen(words, env=env, cwd=ROOT, stdout=log, stderr=log)
        try:
            address = f"http://{name}:{port}"
            wait_for(address, process, folder / "web.log")
            yield address
        finally:
            process.terminate()
            process.wait(timeout=20)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(address: str, process: subprocess.Popen, log: Path, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/livez", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"The web server did not answer:\n{log.read_text()}")


def settled(tab) -> None:
    """Waits until a page has loaded and what it fetches by itself has come: half a second sooner than a network that is silent that long."""
    tab.wait_for_load_state("load")
    tab.wait_for_function("() => !document.querySelector('.htmx-request')")
