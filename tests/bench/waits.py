"""How long people wait: every request of one lot from order to certificate, over HTTP, grouped by what a person does.

Run it alone on a quiet machine:  .venv/bin/python tests/bench/waits.py
It drives `manage.py journey` (real web, worker and beat, PostgreSQL with fsync on, Argon2id as in production) and prints, per kind of
request, how many there were, the median, the 95th of 100, and the longest, in milliseconds. Nothing is asserted here: figures are quoted
in the README with the machine they were measured on.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from quality.demo.client import Person

KINDS: tuple[tuple[str, str, str], ...] = (
    ("a value is recorded", "POST", r"/steps/[^/]+/values/$"),
    ("a step is opened", "POST", r"/steps/[^/]+/open/$"),
    ("a material or equipment is scanned", "POST", r"/steps/[^/]+/(materials|equipment)/$"),
    ("a step is signed (PIN checked, sealed)", "POST", r"/steps/[^/]+/(second/)?sign/$"),
    ("a certification is signed (password, code)", "POST", r"/(certify|release)[^ ]*sign/$"),
    ("a step page opens", "PAGE", r"/lots/[^/]+/steps/[^/]+/$"),
    ("the review page opens", "PAGE", r"/lots/[^/]+/review/$"),
)

times: dict[str, list[float]] = defaultdict(list)
_send = Person._send


def timed(person: Person, method: str, path: str, body: bytes | None, headers: dict, *, kind: str = ""):
    began = time.perf_counter()
    answer = _send(person, method, path, body, headers)
    taken = time.perf_counter() - began
    for words, wanted, pattern in KINDS:
        if wanted == (kind or method) and re.search(pattern, path.partition("?")[0]) and answer.status < 400:
            times[words].append(taken)
    return answer


def send(person: Person, method: str, path: str, body: bytes | None, headers: dict):
    """The same request, timed; and beside what the API reads, the page that a person would open."""
    answer = timed(person, method, path, body, headers)
    page = re.fullmatch(r"/api/v1(/lots/[^/]+/(?:steps/[^/]+|review)/)(?:sign/)?", path) if method == "GET" else None
    if page and answer.status == 200:
        timed(person, "GET", page[1], None, {"Accept": "text/html"}, kind="PAGE")
    return answer


def main() -> int:
    from mes.embedded.command import run_command

    if os.environ.get("CARTULARY_JOURNEY"):  # inside: the journey started this file again, on a database of its own
        Person._send = send
        code = run_command(["manage.py", *sys.argv[1:]])
        table()
        return code
    here, run = str(Path(__file__).resolve()), subprocess.run

    def again(words, **more):
        """The journey starts manage.py again inside its own database; this file goes in its place."""
        words = [here if str(word).endswith("manage.py") else word for word in words] if "journey" in words else words
        return run(words, **more)

    subprocess.run = again
    return run_command(["manage.py", "journey", *sys.argv[1:]])


def table() -> None:
    print(f"\n{'what a person waits for':<46}{'times':>6}{'median':>9}{'95 %':>8}{'longest':>9}  (ms)")
    for words, _, _ in KINDS:
        taken = sorted(times[words])
        if taken:
            high = taken[min(len(taken) - 1, int(len(taken) * 0.95))]
            print(f"{words:<46}{len(taken):>6}{statistics.median(taken) * 1000:>9.0f}{high * 1000:>8.0f}{taken[-1] * 1000:>9.0f}")


if __name__ == "__main__":
    sys.exit(main())
