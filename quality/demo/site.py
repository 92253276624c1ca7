"""The running demo: database brought up to date, static files collected, web, worker and beat started and watched."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from mes.embedded import processes
from mes.embedded.processes import Child, Supervisor
from quality.demo.progress import Progress

MARK = ".made-from"


def bring_up_to_date(progress: Progress) -> None:
    """Migrate and collect static files, each only when something changed since the last time."""
    if not is_migrated():
        progress.begin("Making the tables")
        call_command("migrate", verbosity=0)
        progress.done("The database is ready")
    if collect_static():
        progress.say("The static files are collected")


def is_migrated() -> bool:
    """Whether every migration of this code is applied."""
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations')")
        if cursor.fetchone()[0] is None:
            return False
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def collect_static() -> bool:
    """Collect the static files when they differ from the last time; whether it did. The digest lies beside them."""
    if settings.STATIC_ROOT is None:
        return False  # tests read the files where they lie
    root = Path(settings.STATIC_ROOT)
    made_from, mark = _digest_of_static(), root / MARK
    if mark.exists() and mark.read_text() == made_from:
        return False
    call_command("collectstatic", interactive=False, clear=root.exists(), verbosity=0)
    mark.write_text(made_from)
    return True


def _digest_of_static() -> str:
    from importlib.metadata import version

    hashed = hashlib.sha256(f"{version('django')} {version('drf-spectacular-sidecar')}".encode())
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                hashed.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return hashed.hexdigest()


def children(host: str, port: int, *, workers: int = 2) -> list[Child]:
    """Web, worker and beat, told by the environment where the page is opened."""
    os.environ["CARTULARY_ORIGIN"] = f"http://{host}:{port}"
    return [processes.web(host, port, workers=workers), processes.worker(concurrency=2), processes.beat()]


def supervisor(host: str, port: int, *, workers: int = 2) -> Supervisor:
    """What starts, watches and stops them; their logs lie in var/logs."""
    return Supervisor(children(host, port, workers=workers), Path(settings.VAR_FOLDER) / "logs")
