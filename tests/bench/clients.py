"""Eight people at once: on one lot, whose chain they share, against eight lots; the chains are verified at the end.

    .venv/bin/python tests/bench/clients.py [--rounds 5] [--each 15]

Each client is a thread with a connection of its own and records the submission of submission.py. What is compared is the time in
which all eight have done theirs, in turns, in one run. Afterwards the independent verifier goes over the whole database.
"""

from __future__ import annotations

import argparse
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import place, submission

CLIENTS = 8


class Clients:
    """Eight lots with an open step each, and threads that wait for their work."""

    def __init__(self, each: int) -> None:
        from tests.builders.floor import Floor

        self.house, self.each, self.number, self.failed = Floor(), each, 0, []
        self.by = self.house.by("maya")
        self.steps = [self.house.run(self.house.to_count(), "A1.2") for _ in range(CLIENTS)]
        self.lock = threading.Lock()

    def _values(self, step) -> list[dict]:
        from mes.keys import uuid7

        with self.lock:
            self.number += 1
            number = self.number
        return [
            {"id": uuid7(), "site_id": self.by.site_id, "by_id": self.by.user_id, "lot_id": step.lot_id, "step_run_id": step.pk,
             "parameter": f"v{number}.{place}", "value_text": "82.40", "value": "82.40", "unit": "%", "decimals": 2, "limits": submission.LIMITS}
            for place in range(submission.VALUES)
        ]  # fmt: skip

    def _work(self, step) -> None:
        from django.db import connection

        try:
            for _ in range(self.each):
                submission._submit()(by=self.by, step_run_id=step.pk, values=self._values(step), why="one of eight")
        except Exception as error:  # any failure is a finding
            self.failed.append(error)
        finally:
            connection.close()

    def all_at(self, steps) -> None:
        threads = [threading.Thread(target=self._work, args=[step]) for step in steps]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--each", type=int, default=15, help="submissions of each client in a round")
    given = words.parse_args()
    with place.own_database() as database:
        from mes.verifier import run

        place.say_where(database)
        them = Clients(given.each)
        one, eight = "eight clients on one lot", "eight clients on eight lots"
        times = place.take_turns(
            {one: lambda: them.all_at(them.steps[:1] * CLIENTS), eight: lambda: them.all_at(them.steps)}, rounds=given.rounds, each=1
        )  # fmt: skip
        print(f"\n{CLIENTS} clients with {given.each} submissions each")
        place.table(times)
        place.goal("speed on one lot as part of that on eight", place.ratio(times, eight, one), 0.5)
        report = run.verify(database.urls["VERIFY_DATABASE_URL"])
        print(f"  {len(them.failed)} submissions failed; {report.sentence()}")
    return 0 if report.intact and not them.failed else 1


if __name__ == "__main__":
    sys.exit(main())
