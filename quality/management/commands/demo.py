"""manage.py demo: everything a newcomer needs, from an empty folder to lots in every stage, in one command."""

from __future__ import annotations

import fcntl
import os
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mes.embedded.processes import free_port
from mes.errors import RuleBroken
from quality.demo import clock, people, preparing, site, story
from quality.demo.client import Refused
from quality.demo.enabling import enable_signing
from quality.demo.progress import Progress


class Command(BaseCommand):
    help = (
        "Starts Cartulary with made-up people and lots: database, Redis, web, worker and beat, all in var/. The first start drives ten lots "
        "from their order to where each waits and takes some minutes; the next ones take seconds and keep the data. Ctrl-C ends it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="the port wanted; the next free one is taken (8000)")
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
        parser.add_argument("--no-lots", action="store_true", help="people and servers only: no recipes, no lots")
        parser.add_argument("--once", action="store_true", help="prepare, print the log-ins and end: for rehearsals and tests")

    def handle(self, *args, host: str, port: int, no_lots: bool, once: bool, **options):
        if settings.CARTULARY_MODE != "demo":
            raise CommandError(f"This is a {settings.CARTULARY_MODE} installation. The demo runs with CARTULARY_MODE=demo only.")
        progress, began = Progress(self.stdout._out), time.monotonic()
        _lock = self.alone()  # held to the end of this process
        site.bring_up_to_date(progress)
        port = free_port(host, port)
        try:
            if not no_lots:
                preparing.begin_in_the_past()
            people.open_demo_site()
            with site.supervisor(host, port) as running:
                progress.begin("Starting web, worker and beat")
                running.start()
                progress.done(f"Serving at http://{host}:{port}/")
                if no_lots:
                    enable_signing(story.open_cast(f"http://{host}:{port}"))
                else:
                    self.prepare(f"http://{host}:{port}", progress)
                self.print_people(host, port, time.monotonic() - began)
                if not once:
                    self.watch(running)
        except RuleBroken as refusal:
            raise CommandError(refusal.sentence) from refusal

    def alone(self):
        """One demo at a time works in a folder: two would drive the same lots. Held by a lock that ends with the process, however it ends."""
        settings.VAR_FOLDER.mkdir(parents=True, exist_ok=True)
        lock = open(settings.VAR_FOLDER / "demo.lock", "a+")  # noqa: SIM115 - held open as long as the process lives
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            with lock:
                lock.seek(0)
                other = lock.read().strip()
            raise CommandError(f"A demo already runs in {settings.VAR_FOLDER} (process {other}). Use it, or end it first with Ctrl-C.") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def prepare(self, base: str, progress: Progress) -> None:
        if story.is_told():
            return
        self.stdout.write("\nAnybody of these may sign in and look on while the lots are made:")
        self.print_log_ins()
        try:
            story.tell(base, progress)
        except Refused as refused:
            raise CommandError(
                f"The preparation stopped at {refused.where}: {refused.sentence} ({refused.code}).\n"
                "What was recorded stays. Start the demo again: it goes on where it stopped. To begin anew, remove the folder "
                f"{settings.VAR_FOLDER} (and what it links to)."
            ) from refused

    def print_people(self, host: str, port: int, seconds: float) -> None:
        self.stdout.write(f"\nCartulary is ready after {seconds:.0f} s:  http://{host}:{port}/\n")
        self.stdout.write("Everything in it is made up. One log-in per role (user name, password, signing PIN):\n")
        self.print_log_ins()
        self.stdout.write("\nCertifying also asks for a one-time code:  python3 manage.py demo_code qp")
        self.stdout.write(f'Time can be moved forward:  python3 manage.py demo_clock advance "2 d"   (record time now: {clock.shown_now()})')
        self.stdout.write("Check the audit trail:  python3 manage.py verify_chain\n")

    def print_log_ins(self) -> None:
        for person in people.known_people().values():
            self.stdout.write(f"  {person.username:<12}{person.password:<20}{person.pin:<9}{person.full_name}")
        self.stdout.flush()  # into a file or a pipe too

    def watch(self, running) -> None:
        self.stdout.write("Ctrl-C ends it; the data stays.")
        self.stdout.flush()  # into a file or a pipe too, address and log-ins are read while it serves
        try:
            running.watch()
        except KeyboardInterrupt:
            self.stdout.write("\nStopping ...")
