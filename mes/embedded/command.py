"""What manage.py does inside the environment: find the servers, then hand the words to Django or to pytest."""

import os
import sys

from mes.embedded import addresses, system
from mes.embedded.stopped import Stopped

#: Commands that need no database.
WITHOUT_SERVERS = {"", "help", "--help", "-h", "version", "--version", "collectstatic", "prepare_database"}
#: Commands that exist in a demo only, and set its mode.
DEMO_COMMANDS = {"demo", "demo_clock", "demo_code", "journey"}
#: Commands that also need what no wheel brings.
NEEDS = {"demo": system.FOR_RUNNING, "journey": system.FOR_RUNNING}


def run_command(argv: list[str]) -> int:
    """Runs one command of manage.py and returns its exit code."""
    try:
        if argv[1:2] == ["test"]:
            return run_tests(argv[2:])
        return run_django(argv)
    except Stopped as stopped:
        print(f"manage.py: {stopped}", file=sys.stderr)
        return 2


def run_django(argv: list[str]) -> int:
    command = argv[1] if len(argv) > 1 else ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mes.settings")
    addresses.read_files()
    own_servers = command not in WITHOUT_SERVERS and os.environ.get("CARTULARY_MODE") != "production"
    # Without a word on the mode, our own servers or none at all mean a demo; a given database means production.
    if command in DEMO_COMMANDS or not os.environ.get("DATABASE_URL"):
        os.environ.setdefault("CARTULARY_MODE", "demo")
    system.provide(NEEDS.get(command, ()))
    if own_servers:
        addresses.provide()

    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.INSTALLED_APPS  # noqa: B018 - reading the settings is what may refuse
    except ImproperlyConfigured as refusal:
        raise Stopped(str(refusal)) from None
    execute_from_command_line(argv)
    return 0


def run_tests(words: list[str]) -> int:
    """Runs pytest with these words on servers of the tests' own."""
    system.provide(system.FOR_TESTS)
    import pytest

    return int(pytest.main([*side_by_side(words), *words]))


def side_by_side(words: list[str]) -> list[str]:
    """The whole suite runs in as many processes as there are cores, at most four; chosen tests in one, as asked for."""
    chosen = any(not word.startswith("-") for word in words) or any(word in ("--sabotage", "-n", "-s", "--pdb", "-k", "-p", "-x") for word in words)
    cores = min(4, len(os.sched_getaffinity(0)))
    return [] if chosen or cores < 2 else ["-n", str(cores), "--dist", "loadgroup"]
