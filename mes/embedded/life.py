"""Who uses our own servers: the first command starts them, the last one out stops them."""

import atexit
import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mes.embedded import place
from mes.embedded.pids import started
from mes.embedded.servers import Postgres, Redis, Secrets


class Services:
    """PostgreSQL and Redis in one var folder, shared by every command that is attached to them."""

    def __init__(self, var: Path, root: Path, *, postgres: bool = True, redis: bool = True):
        self.var = var
        self.lock = var / "services.lock"
        self.users = var / "services.pids"
        self.place = place.find(var, root)
        self.wants = [name for name, wanted in (("postgres", postgres), ("redis", redis)) if wanted]
        self.kept = Secrets(var / "services.json")
        self.postgres = Postgres(self.place, self.kept)
        self.redis = Redis(self.place, self.kept)

    def attach(self) -> None:
        """Starts what is not running and notes this process as a user until it ends."""
        with self.alone():
            self.kept.read()  # another command may have changed ports while this one waited
            try:
                for name in self.wants:
                    server = getattr(self, name)
                    if not server.answers():
                        server.start()
            except BaseException:
                self.stop_unless(self.alive())
                raise
            self.write(self.alive() | {os.getpid(): started(os.getpid())})
        atexit.register(self.detach, os.getpid())
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))

    def detach(self, pid: int) -> None:
        """Takes this process off the list; stops the servers when nobody is left on it."""
        if os.getpid() != pid:
            return  # a fork inherits what runs at the end, not the use
        with self.alone():
            left = self.alive()
            left.pop(pid, None)
            self.write(left)
            self.stop_unless(left)

    def stop_unless(self, users: dict[int, str]) -> None:
        if not users:
            self.redis.stop()
            self.postgres.stop()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with open(os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def alive(self) -> dict[int, str]:
        """The processes on the list that still run (a number given anew to another process does not count)."""
        listed = json.loads(self.users.read_text() or "{}") if self.users.exists() else {}
        return {int(pid): since for pid, since in listed.items() if since and started(int(pid)) == since}

    def write(self, users: dict[int, str]) -> None:
        new = self.users.with_suffix(".new")
        new.write_text(json.dumps(users))
        os.replace(new, self.users)
