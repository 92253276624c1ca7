"""A step with ten values over HTTP JSON: the product against Tryton, with one client and with four.

    .venv/bin/python tests/bench/tryton.py [--rounds 7] [--each 8] [--environment var/bench/tryton]

Both have gunicorn with two sync workers and a database of their own on the tests' server. With the product an operator's session posts ten
values to `POST …/values/`, one request: session, CSRF token, key of the request, person, role, training, hold, order, each value read and judged against
five limits, ten facts written, one entry of the lot's chain that cites them, committed, and the step answered in full. With Tryton an employee's
session creates a quality.inspection with ten points and processes it, two requests over JSON-RPC, for it has no call that does both: the points
judged against two tolerances, two commits, no trail and no chain. It answers a number and then nothing, and its inspection stands for itself, beside
no production order: what would make it slower is left out.

Opening the step is a request of its own before that, measured by itself and printed without a goal: with Tryton the inspection comes into being in
what is measured, with the product its step was planned with the lot. So the ratio is printed with it too.

What is compared is the time in which one client, or four at once, have done theirs, in turns, in one run. gunicorn's sync workers keep no connection
open: every request of either side begins with one. Lots with a step that waits are made beforehand through the services and not timed. Afterwards
the rows of both databases are counted, and the independent verifier goes over the product's.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import place, tryton_site

VALUES, CLIENTS, STEP = 10, 4, "A1.5"
OPENED, RECORDED, INSPECTED = "the product: step opened; clients: ", "the product: ten values; clients: ", "Tryton: created and processed; clients: "
READ = {f"reading_{n}": f"{80 + n}.{n % 10}" for n in range(1, VALUES + 1)}
TEN = """\
      - key: A1.5
        title: Read the counter
        instruction: Read all ten channels.
        day: 0
        performed_by: operator
        second_person: verify
        parameters:
"""
VALUE = """\
          - key: {name}
            name: {words}
            type: decimal
            unit: "%"
            decimals: 1
            limit_class: CPP
            limits:
              plausible: {{min: 0, max: 200}}
              hard: {{min: 20, evidence: illustrative}}
              action: {{min: 70, max: 100, evidence: illustrative}}
              alert: {{min: 75, evidence: illustrative}}
            evidence: illustrative
"""


def recipe() -> str:
    """The floor's recipe with a step of ten values after its line clearance."""
    from tests.builders.floor import RECIPE

    step = TEN + "".join(VALUE.format(name=name, words=name.replace("_", " ").capitalize()) for name in READ)
    return RECIPE.replace("      - key: A1.2\n", f"{step}      - key: A1.2\n", 1)


class Operator:
    """Somebody signed in to the product over its API, on a line of their own."""

    def __init__(self, address: str, username: str, password: str) -> None:
        self.line = tryton_site.Line(address)
        said = json.loads(self.line.post("/api/v1/session/", {"username": username, "password": password}, {}))
        cookies = "; ".join(cookie.partition(";")[0] for cookie in self.line.cookies)
        self.headers = {"Cookie": cookies, "X-CSRFToken": said["csrf_token"]}

    def post(self, path: str, body: dict) -> bytes:
        return self.line.post(f"/api/v1/lots/{path}", body, self.headers | {"Idempotency-Key": str(uuid.uuid4())}, 201)

    def record(self, step: str) -> None:
        """What is measured: all values of the step in one request."""
        values = [{"parameter": name, "value": text, "unit": "%"} for name, text in READ.items()]
        said = self.post(f"{step}/values/", {"values": values})
        if said.count(b'"recorded":true') != VALUES:
            raise RuntimeError(f"not all of them were recorded: {said[:500]!r}")

    def open(self, step: str) -> None:
        self.post(f"{step}/open/", {"seen": 1})


class Floor:
    """The product's site: lots whose step waits, and operators whose sign-in is checked as in production."""

    def __init__(self) -> None:
        from django.conf import settings
        from django.test import override_settings

        from tests.builders.floor import Floor as Built
        from tests.builders.staff import PASSWORD

        self.house, self.password = Built("", recipe()), PASSWORD
        self.names = [f"op{number}" for number in range(CLIENTS)]
        with override_settings(PASSWORD_HASHERS=["mes.people.hashers.Argon2id19", *settings.PASSWORD_HASHERS]):
            for name in self.names:
                self.house.users[name] = self.house.place.person(f"{name}.{self.house.place.site.code.lower()}", "operator")
                self.house.train(name)
        self.waiting: list[str] = []
        self.opened: list[str] = []

    def lot(self) -> None:
        """A lot whose next step is the one with ten values."""
        house = self.house
        lot = house.order()
        house.open(lot, "A0.1", "sam")
        house.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
        house.perform(lot, "A0.1", "sam")
        house.second(lot, "A0.1", "sue", at="sam")
        house.open(lot, "A1.1")
        house.enter(lot, "A1.1", cleared="yes")
        house.perform(lot, "A1.1")
        house.second(lot, "A1.1")
        self.waiting.append(f"{lot.number}/steps/{STEP}")

    def open(self, who: Operator) -> None:
        step = self.waiting.pop()
        who.open(step)
        self.opened.append(step)

    def record(self, who: Operator) -> None:
        who.record(self.opened.pop())

    def operators(self, address: str) -> list[Operator]:
        return [Operator(address, self.house.users[name].username, self.password) for name in self.names]


def at_once(work: list[Callable[[], None]], each: int) -> None:
    """Every client does its work so many times, all at the same time. What one of them raises is raised."""
    failed: list[Exception] = []

    def client(call: Callable[[], None]) -> None:
        try:
            for _ in range(each):
                call()
        except Exception as error:  # any failure is a finding
            failed.append(error)

    threads = [threading.Thread(target=client, args=[call]) for call in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def durable(database, url: str) -> None:
    """Raises RuntimeError unless both applications' own sessions write their commits to disk."""
    import psycopg

    for address in (database.urls["DATABASE_URL"], url):
        with psycopg.connect(address) as connection:
            said = [connection.execute(f"SHOW {name}").fetchone()[0] for name in ("fsync", "synchronous_commit")]
        if said != ["on", "on"]:
            raise RuntimeError("fsync and synchronous_commit have to be on for both: figures without them say nothing")


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--each", type=int, default=8, help="steps of each client in a round")
    words.add_argument("--environment", type=Path, default=place.ROOT / "var" / "bench" / "tryton", help="folder for Tryton's own packages")
    given = words.parse_args()
    python = tryton_site.environment(given.environment.absolute())
    with place.own_database() as database, tempfile.TemporaryDirectory() as folder:
        return measure(given, python, database, Path(folder))


def measure(given: argparse.Namespace, python: Path, database, folder: Path) -> int:
    import psycopg

    from mes.embedded.roles import with_database
    from mes.verifier import run
    from tests.builders.server import serving

    name = f"cartulary_test_{os.environ['CARTULARY_TEST_TOKEN']}_tryton"  # a name that the next run of tests drops, were this one killed
    admin_url = database.urls["ADMIN_DATABASE_URL"]
    place.say_where(database)
    with (
        tryton_site.serving(python, admin_url, name, folder, points=VALUES, people=CLIENTS) as site,
        serving(database, folder, workers=2, threads=1, CARTULARY_MODE="demo") as address,
    ):
        durable(database, with_database(admin_url, name))
        began, floor = time.monotonic(), Floor()
        done = (given.rounds + 2) * given.each * (1 + CLIENTS)  # a round before that is not counted, and one of which the processor's time is taken
        for _ in range(done):
            floor.lot()
        print(f"{done} lots made ready in {time.monotonic() - began:.0f} s", flush=True)
        operators = floor.operators(address)
        work = {
            OPENED: [partial(floor.open, who) for who in operators],
            RECORDED: [partial(floor.record, who) for who in operators],
            INSPECTED: [partial(site.inspect, who, READ) for who in site.people],
        }
        calls = {f"{title}{count}": partial(at_once, each[:count], given.each) for count in (1, CLIENTS) for title, each in work.items()}
        times = place.take_turns(calls, rounds=given.rounds, each=1)
        say(times, given.each)
        with database.connect(autocommit=True) as admin:
            print("\nprocessor time of one of them: of the web server's workers, and of the backends of PostgreSQL")
            for title, call in calls.items():
                whose = ("trytond", name) if title.startswith(INSPECTED) else ("mes.wsgi", database.name)
                before = burnt(*whose, admin)
                call()
                spent = [(b - a) * 1000 / (given.each * int(title[-1])) for a, b in zip(before, burnt(*whose, admin), strict=True)]
                print(f"  {title:<66}{spent[0]:>9.2f} ms{spent[1]:>9.2f} ms")
        with psycopg.connect(with_database(admin_url, name)) as connection:
            inspected = tryton_site.counted(connection, VALUES)
        with database.connect() as connection:
            recorded = connection.execute("SELECT count(*) FROM batches_entry WHERE parameter LIKE 'reading\\_%'").fetchone()[0]
        report = run.verify(database.urls["VERIFY_DATABASE_URL"])
    print(f"  {recorded} values in the product's database, {inspected} passed inspections in Tryton's; {report.sentence()}")
    complete = recorded == done * VALUES and inspected == done
    if not complete:
        print(f"  NOT ALL OF IT HAPPENED: {done * VALUES} values and {done} inspections were asked for")
    return 0 if complete and report.intact else 1


def say(times: dict[str, list[float]], each: int) -> None:
    print(f"\ntime in which each client has done {each} steps")
    place.table(times)
    print(f"  load of the machine at the end: {os.getloadavg()[0]:.1f}\n")
    for count in (1, CLIENTS):
        opened, recorded, inspected = (times[f"{title}{count}"] for title in (OPENED, RECORDED, INSPECTED))
        together = {"inspected": inspected, "both": [a + b for a, b in zip(opened, recorded, strict=True)]}
        place.goal(f"times as fast as Tryton, clients: {count}", place.ratio(times, f"{INSPECTED}{count}", f"{RECORDED}{count}"), 5)
        print(f"  {'the same with the opening of the step':<66}{place.ratio(together, 'inspected', 'both'):>9.2f}")


def burnt(program: str, database: str, admin) -> tuple[float, float]:
    """Seconds of processor so far of a web server's workers, this process's grandchildren with that word in their command, and of their backends."""
    masters = [child for child in _children(os.getpid()) if program in Path(f"/proc/{child}/cmdline").read_text()]
    workers = [worker for master in masters for worker in _children(master)]
    backends = [row[0] for row in admin.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [database])]
    return _on_processor(workers), _on_processor(backends)


def _children(pid: int) -> list[int]:
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


def _on_processor(pids: list[int]) -> float:
    return sum(int(path.read_text().split()[0]) for pid in pids for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


if __name__ == "__main__":
    sys.exit(main())
