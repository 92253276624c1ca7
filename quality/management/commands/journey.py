"""manage.py journey: one published lot from order to final certificate, on a database of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mes.embedded import addresses, roles
from mes.embedded.processes import ROOT, free_port
from mes.management.commands.verify_chain import key_lines
from mes.verifier import run as verifier
from quality.demo import journey, people, preparing, site
from quality.demo.client import Refused
from quality.demo.judging import TooSlow
from quality.demo.progress import Progress

DATABASE = "cartulary_journey"
INSIDE = "CARTULARY_JOURNEY"


class Command(BaseCommand):
    help = (
        "Drives the published lot ARI0001/01 from order to final certificate over HTTP, as different people, on a database of its own; leaves "
        "certificates, batch record and evidence in var/journey/, compares them with the published values, checks the audit trail, and ends "
        "with 1 when anything differs."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--lot", default="ARI0001/01", help="another published lot: ARI0001/02 or ARI0001/03")
        parser.add_argument("--port", type=int, default=8400)

    def handle(self, *args, lot: str, port: int, **options):
        if settings.CARTULARY_MODE != "demo":
            raise CommandError(f"This is a {settings.CARTULARY_MODE} installation. The journey runs in a demo only.")
        if os.environ.get(INSIDE):
            self.drive(lot, port)
        else:
            self.on_a_database_of_its_own(lot, port)

    # --- outside: a fresh database, then this command again inside ----------------------------------------------------

    def on_a_database_of_its_own(self, lot: str, port: int) -> None:
        admin = os.environ.get("ADMIN_DATABASE_URL")
        if not admin:
            raise CommandError("The journey makes a database of its own. Set ADMIN_DATABASE_URL, or none of the addresses.")
        site.bring_up_to_date(Progress(self.stdout._out))
        name = f"{DATABASE}_{os.getpid()}"
        folder = Path(settings.VAR_FOLDER) / "journey"
        shutil.rmtree(folder, ignore_errors=True)  # keys and anchors of an earlier journey belong to a database that is gone
        with psycopg.connect(roles.with_database(admin, "postgres"), autocommit=True) as connection:
            roles.prepare_database(connection, name)
            try:
                words = [sys.executable, str(ROOT / "manage.py"), "journey", "--lot", lot, "--port", str(port)]
                ended = subprocess.run(words, env=self.environment(name, folder), cwd=ROOT)
            finally:
                connection.execute(psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))
        if ended.returncode:
            sys.exit(ended.returncode)

    def environment(self, database: str, folder: Path) -> dict[str, str]:
        urls = {env: roles.with_database(os.environ[env], database) for env in addresses.ROLE_ADDRESSES if os.environ.get(env)}
        own = {
            INSIDE: "1", "CARTULARY_NO_INSTALL": "1", "CARTULARY_MODE": "demo", "CARTULARY_VAR": str(folder), "CARTULARY_STATIC": str(settings.STATIC_ROOT),
            "CARTULARY_REDIS_PREFIX": f"{database}:",
        }  # fmt: skip
        return {**os.environ, **urls, **own}

    # --- inside -------------------------------------------------------------------------------------------------------

    def drive(self, lot: str, port: int) -> None:
        progress = Progress(self.stdout._out)
        site.bring_up_to_date(progress)
        preparing.begin_in_the_past()
        people.open_demo_site()
        port = free_port("127.0.0.1", port)
        try:
            with site.supervisor("127.0.0.1", port) as running:
                progress.begin("Starting web, worker and beat")
                running.start()
                progress.done(f"Serving at http://127.0.0.1:{port}/")
                found = journey.run(f"http://127.0.0.1:{port}", Path(settings.VAR_FOLDER), progress, data=lot)
        except (Refused, TooSlow) as stopped:
            raise CommandError(f"The journey stopped: {stopped}", returncode=1) from stopped
        self.tell(found)
        self.check_trail(found)

    def tell(self, found: journey.Outcome) -> None:
        self.stdout.write("\n".join(["", *found.lines(), "", "Left behind:", *(f"  {path}" for path in found.files)]))
        if not found.good:
            raise CommandError("The certificate does not say what was published, or its evidence does not hold together.", returncode=1)
        self.stdout.write(f"\nEvery published value of the certificate of {found.lot} is as printed.")

    def check_trail(self, found: journey.Outcome) -> None:
        report = verifier.verify(os.environ["VERIFY_DATABASE_URL"], key_lines=key_lines())
        lines: list[str] = []
        code = verifier.show(report, as_json=False, out=lines.append)
        (Path(settings.VAR_FOLDER) / "verify_chain.txt").write_text("\n".join(lines) + "\n")
        self.stdout.write("\n".join(lines))
        if code:
            raise CommandError("The audit trail of the journey does not verify.", returncode=1)
