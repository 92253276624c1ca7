"""What the benchmarks share: a database of their own on the tests' server, rounds that take turns, medians, ratios.

Every figure is compared with another of the same run: each round runs every contender once, one after the other, so that
what else the machine does falls on all of them alike. Absolute figures differ from machine to machine by far more.
"""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


@contextmanager
def own_database(*apps: str) -> Iterator:
    """Django on a fresh copy of the tests' template, as the application's role. `apps` are added to the installed ones."""
    import django
    from django.conf import settings

    from tests.conftest import pointing  # brings the servers up and sets the environment
    from tests.database import Databases

    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, *apps]
    django.setup()
    databases = Databases(os.environ["CARTULARY_TEST_TOKEN"])
    database = databases.copy()
    try:
        with pointing(database):
            yield database
    finally:
        databases.drop(database.name)
        databases.close()


def say_where(database) -> None:
    """The machine and the settings that the figures depend on. Raises RuntimeError when commits are not written to disk."""
    with database.connect(autocommit=True) as admin:
        said = {name: admin.execute(f"SHOW {name}").fetchone()[0] for name in ("server_version", "fsync", "synchronous_commit", "full_page_writes")}
    if said["fsync"] != "on" or said["synchronous_commit"] != "on":
        raise RuntimeError("fsync and synchronous_commit have to be on: figures without them say nothing")
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"PostgreSQL {said['server_version']}, fsync and synchronous_commit on; Python {version}; {cores} cores; {dt.date.today()}")
    print(f"load of the machine at the start: {load:.1f}" + (" (other work runs beside this: read the ratios only)" if load > 1 else ""))


def take_turns(contenders: Mapping[str, Callable[[], object]], *, rounds: int, each: int) -> dict[str, list[float]]:
    """Seconds of one run of each contender, per round: the median of `each` runs. One round before is not counted."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        taken: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(each):
            for name, call in contenders.items():
                began = time.perf_counter()
                call()
                taken[name].append(time.perf_counter() - began)
        if number:
            for name, values in taken.items():
                times[name].append(statistics.median(values))
    return times


def processor(contenders: Mapping[str, Callable[[], object]], backend: int, *, each: int) -> dict[str, tuple[float, float]]:
    """Milliseconds of processor of one run of each contender: of this process, and of the backend of PostgreSQL with this id.

    They tell what other work on the machine hides: a time that is waited for is not in them.
    """
    spent = {name: [0.0, 0.0] for name in contenders}
    for _ in range(each):
        for name, call in contenders.items():
            here, there = time.process_time(), _on_processor(backend)
            call()
            spent[name][0] += time.process_time() - here
            spent[name][1] += _on_processor(backend) - there
    return {name: (here / each * 1000, there / each * 1000) for name, (here, there) in spent.items()}


def _on_processor(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def ratio(times: Mapping[str, list[float]], slow: str, fast: str) -> float:
    """How many times the time of `fast` the time of `slow` is: the median over the rounds of the ratio within each."""
    return statistics.median(a / b for a, b in zip(times[slow], times[fast], strict=True))


def table(times: Mapping[str, list[float]]) -> None:
    for name, values in times.items():
        print(f"  {name:<66}{statistics.median(values) * 1000:>9.2f} ms")


def goal(words: str, value: float, wanted: float, *, most: bool = False) -> bool:
    """One line with the figure, the goal and whether it is reached."""
    reached = value <= wanted if most else value >= wanted
    sign = "at most" if most else "at least"
    print(f"  {words:<66}{value:>9.2f}    goal: {sign} {wanted:g}   {'reached' if reached else 'NOT REACHED'}")
    return reached
