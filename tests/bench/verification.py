"""How fast a site's trail is verified: the verifier's links against PostgreSQL hashing the same bytes and nothing else.

    .venv/bin/python tests/bench/verification.py [--entries 1000000] [--streams 2000] [--rounds 3] [--whole]

Compared in turns, in one run: the plain pass (one SQL statement that counts entries whose hash is not that of their bytes), the links of
all entries (`--links`), and the links of the newest hundredth alone (`--links --since-checkpoint`). Start of the process is in each
time. The largest memory of any process of the verifier is printed: it has to stay bounded however long the trail is. At the end one byte
is changed in the middle of the trail, and the check has to name it. `--whole` also measures the whole check (form and columns too).

The trail (trail.py) is put in by COPY from two processes, with every trigger off: entries in the written-down form, chained by hashlib,
citing no rows, fifty lots at a time by turns, so that on the disk the entries of one lot lie among those of others.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import place, trail

PLAIN = r"SELECT count(*) FROM mes_auditentry WHERE hash <> sha256('cartulary:entry:v1'::bytea || '\x00'::bytea || canon)"


class Verifier:
    """Runs the verifier as a process; keeps what it said and its largest memory, its own processes counted one by one."""

    def __init__(self, url: str):
        self.words = [sys.executable, "-m", "mes.verifier", "--url", url, "--quiet"]
        self.said: dict[str, str] = {}
        self.most = 0

    def __call__(self, *more: str, code: int = 0) -> str:
        started = subprocess.Popen([*self.words, *more], cwd=place.ROOT, stdout=subprocess.PIPE, text=True)
        watch = threading.Thread(target=self._watch, args=[started])
        watch.start()
        out = started.communicate()[0]
        watch.join()
        if started.returncode != code:
            raise RuntimeError(f"the verifier ended with {started.returncode}: {out}")
        self.said[" ".join(more)] = out.strip().splitlines()[-1]
        return out

    def _watch(self, started: subprocess.Popen) -> None:
        while started.poll() is None:
            for pid in (started.pid, *_children(started.pid)):
                try:
                    status = Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue
                peak = next((line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), "0")
                self.most = max(self.most, int(peak))
            time.sleep(0.2)


def _children(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--entries", type=int, default=1_000_000)
    words.add_argument("--streams", type=int, default=2000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--whole", action="store_true", help="measure the whole check too")
    given = words.parse_args()
    with place.own_database() as database:
        place.say_where(database)
        began = time.monotonic()
        trail.fill(database, entries=given.entries, streams=given.streams)
        with database.connect(autocommit=True) as admin:
            size, count = admin.execute("SELECT pg_size_pretty(pg_relation_size('mes_auditentry')), count(*) FROM mes_auditentry").fetchone()
            print(f"{count} entries in {given.streams} streams, {size}, put in within {time.monotonic() - began:.0f} s", flush=True)
            admin.execute("SET max_parallel_workers_per_gather = 0")
            verifier = Verifier(database.urls["VERIFY_DATABASE_URL"])
            plain, links = "plain SQL hash pass, 1 process", f"all links, {len(os.sched_getaffinity(0))} processes"
            newer, whole = "links of the newest hundredth", "the whole check: form, columns, rows, records too"
            calls = {
                plain: lambda: admin.execute(PLAIN).fetchone(),
                links: lambda: verifier("--links"),
                newer: lambda: verifier("--links", "--since-checkpoint"),
            }
            if given.whole:
                calls[whole] = lambda: verifier()
            times = place.take_turns(calls, rounds=given.rounds, each=1)
            stream, seq = trail.spoil(admin)
            found = verifier("--links", code=1)
        for words_given, last in verifier.said.items():
            print(f"  {words_given or 'the whole check'}: {last}")
        place.table(times)
        place.goal("speed of the links as part of the plain pass", place.ratio(times, plain, links), 0.4)
        place.goal("time of the newest hundredth as part of all links", 1 / place.ratio(times, links, newer), 1 / 50, most=True)
        print(f"  largest memory of a verifying process: {verifier.most / 1024:.0f} MiB (goal: at most 200)")
        word = "found" if f"{stream} #{seq}: edit" in found else "NOT FOUND"
        print(f"  the byte changed in {stream} #{seq} was {word}; load at the end {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
