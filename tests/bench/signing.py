"""What a signature costs beside its password check: a step signed over HTTP against the check alone.

    .venv/bin/python tests/bench/signing.py [--rounds 7] [--each 8]

The product's web server as it is run (gunicorn in a process of its own, threads, Argon2id as in production) gets POST …/sign/ for a step whose
values are filled in: session, intent, body, password check, rules, 1 signature with its payload and seal, the step's move, history and chain,
committed. What is compared is the same `check_password` with the same secret, alone, in turns. Lots with filled steps and the page that prepares
the intent are made beforehand and not timed. The goal is at most 1.5 times the check.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import place

HASHER = "mes.people.hashers.Argon2id19"


class Signer:
    """One signed-in person, a server, and steps that wait for a signature."""

    def __init__(self, steps: int, address: str) -> None:
        from django.contrib.auth.hashers import make_password
        from django.test import Client

        from tests.builders.floor import Floor
        from tests.builders.staff import PIN, signed_in

        self.house, self.pin = Floor(), PIN
        self.user = self.house.users["maya"]
        self.stored = make_password(PIN)
        assert self.stored.startswith("argon2$argon2id$"), "production's hasher is measured"
        self.client: Client = signed_in(self.user)
        self.ready = [self._filled() for _ in range(steps)]
        self.token = self.client.get("/api/v1/session/").json()["csrf_token"]
        self.line = http.client.HTTPConnection(address.removeprefix("http://"))

    def _filled(self) -> tuple[str, str]:
        lot = self.house.to_count()
        self.house.fill_count(lot)
        path = f"/api/v1/lots/{lot.number}/steps/A1.2/sign/"
        return path, self.client.get(path).json()["intent"]

    def sign(self) -> None:
        path, intent = self.ready.pop()
        body = json.dumps({"intent": intent, "username": self.user.username, "secret": self.pin})
        cookies = "; ".join(f"{name}={kept.value}" for name, kept in self.client.cookies.items())
        headers = {"Content-Type": "application/json", "Cookie": cookies, "X-CSRFToken": self.token, "Idempotency-Key": str(uuid.uuid4())}
        self.line.request("POST", path, body, headers)
        answer = self.line.getresponse()
        said = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {said[:500]!r}")

    def check(self) -> None:
        from django.contrib.auth.hashers import check_password

        assert check_password(self.pin, self.stored)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--rounds", type=int, default=7)
    words.add_argument("--each", type=int, default=8, help="signatures in a round")
    given = words.parse_args()
    with place.own_database() as database, tempfile.TemporaryDirectory() as folder:
        from django.conf import settings

        from tests.builders.server import serving

        settings.PASSWORD_HASHERS, settings.ALLOWED_HOSTS = [HASHER], ["testserver"]
        place.say_where(database)
        began = time.monotonic()
        with serving(database, Path(folder)) as address:
            them = Signer((given.rounds + 1) * given.each, address)
            print(f"{len(them.ready)} steps made ready in {time.monotonic() - began:.0f} s", flush=True)
            take_turns(them, given.rounds, given.each)
    return 0


def take_turns(them: Signer, rounds: int, each: int) -> None:
    """Both, in turns, and what came out."""
    alone, signed = "the password check alone (Argon2id, 19 MiB, 2 passes)", "a step signed over HTTP"
    times = place.take_turns({alone: them.check, signed: them.sign}, rounds=rounds, each=each)
    place.table(times)
    place.goal("time of a signed step, in times the password check", place.ratio(times, signed, alone), 1.5, most=True)


if __name__ == "__main__":
    sys.exit(main())
