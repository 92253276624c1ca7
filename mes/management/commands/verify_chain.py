"""manage.py verify_chain: the independent verifier, run with the verifier's own role."""

import sys
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from mes import env
from mes.checkpoints import keys
from mes.signatures.seal_keys import key_folder
from mes.verifier import run
from mes.verifier.database import CannotVerify


class Command(BaseCommand):
    help = "Checks every stream of the audit trail. Exit code 0: all intact, 1: broken, 2: not checked, 3: with --strict, intact as far as checked."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--stream", help="check this stream only, for example lot:0192…")
        parser.add_argument("--anchors", default="", metavar="FOLDER", help="where the anchored checkpoints lie; else CARTULARY_ANCHORS")
        parser.add_argument("--tsa", default=settings.TSA_CERTIFICATES, metavar="FILE", help="certificates of the time-stamp authority")
        parser.add_argument("--keys", default="", metavar="FILE", help="site keys, one a line: first checkpoint it signs, key")
        parser.add_argument("--witness", action="append", default=[], metavar="KEY", help="key of a witness as text; may be repeated")
        parser.add_argument("--links", action="store_true", help=run.LINKS_HELP)
        parser.add_argument("--since-checkpoint", action="store_true", help=run.SINCE_HELP)
        parser.add_argument("--strict", action="store_true", help=run.STRICT_HELP)
        parser.add_argument("--json", action="store_true", help="write the report as JSON")

    def handle(self, *args, **options):
        url = env.given("VERIFY_DATABASE_URL")
        if not url:
            raise CommandError("VERIFY_DATABASE_URL is missing. Set it to the address of the role cartulary_verifier.")
        trust = run.Trust(options["anchors"] or anchored(), options["keys"], options["tsa"], tuple(options["witness"]))
        wrong = run.misfit(links=options["links"], since_checkpoint=options["since_checkpoint"], stream=options["stream"])
        if wrong:
            raise CommandError(wrong, returncode=run.NOT_CHECKED)
        try:
            if options["links"]:
                report = run.verify_links(url, since_checkpoint=options["since_checkpoint"], trust=trust, tell=self.tell)
            else:
                report = run.verify(url, stream=options["stream"], trust=trust, key_lines=key_lines(), tell=self.tell)
        except CannotVerify as error:
            raise CommandError(str(error), returncode=run.NOT_CHECKED) from error
        code = run.show(report, as_json=options["json"], out=self.stdout.write, strict=options["strict"])
        if code:
            sys.exit(code)

    def tell(self, line: str) -> None:
        self.stderr.write(line, self.style.NOTICE)
        self.stderr.flush()


def key_lines() -> list[str]:
    """The public keys with which the sites here seal signatures and sign checkpoints, from the keys folder and not from the database that is judged."""
    return [line for path in sorted(key_folder().glob("*.keys.txt")) for line in path.read_text().split()] + keys.public_lines()


def anchored() -> str:
    """The folder of the settings, when checkpoints were anchored there; "" before the first one."""
    folder = Path(settings.ANCHORS_FOLDER)
    return str(folder) if any(folder.rglob("*.checkpoint")) else ""
