"""manage.py cosign: have a site of another deployment co-sign checkpoints, by files that are carried over and back (C2SP tlog-witness)."""

from pathlib import Path

from django.core.management import BaseCommand, CommandError

from mes.checkpoints import cosigned, witnessing
from mes.checkpoints.models import AnchorReceipt
from mes.checkpoints.notes import NoteRefused
from mes.errors import RuleBroken
from mes.people.models import Site
from mes.people.setup import system_actor
from mes.records.actors import Actor
from mes.records.context import site_context


class Command(BaseCommand):
    help = "Asks a witness, answers as one, or keeps what it answered."

    def add_arguments(self, parser):
        acts = parser.add_subparsers(dest="act", required=True)
        ask = acts.add_parser("ask", help="write what the witness is to be asked")
        answer = acts.add_parser("answer", help="as a witness: co-sign requests; writes FILE.cosigned")
        keep = acts.add_parser("keep", help="keep co-signed notes")
        key = acts.add_parser("key", help="print the site's key as a witness")
        for each in (ask, answer, keep, key):
            each.add_argument("--site", required=True, metavar="CODE")
        for each in (ask, keep):
            each.add_argument("--witness", required=True, metavar="KEY", help="the witness's key as text, got from its site")
        for each in (answer, keep):
            each.add_argument("files", nargs="+", type=Path, metavar="FILE")
        ask.add_argument("--output", required=True, type=Path, metavar="FOLDER")
        answer.add_argument("--key", default="", help="the log's key as text; needed the first time")

    def handle(self, *args, **options):
        site = Site.objects.filter(code=options["site"]).first()
        if site is None:
            raise CommandError(f"There is no site {options['site']}.")
        by = system_actor(site.pk, channel="command")
        try:
            {"ask": self.ask, "answer": self.answer, "keep": self.keep, "key": self.key}[options["act"]](by, site, options)
        except (RuleBroken, NoteRefused) as refusal:
            raise CommandError(str(refusal)) from refusal

    def ask(self, by: Actor, site: Site, options: dict) -> None:
        name, _ = cosigned.read_key(options["witness"])
        with site_context(site.pk):
            kept = AnchorReceipt.objects.filter(site_id=site.pk, kind=witnessing.COSIGNED, place=name).order_by("-checkpoint__size")
            since = kept.values_list("checkpoint__size", flat=True).first() or 0
        options["output"].mkdir(parents=True, exist_ok=True)
        for number, request in enumerate(witnessing.requests(by, since), start=1):
            path = options["output"] / f"{site.code}-{since:08d}-{number:03d}.request"
            path.write_text(request, encoding="utf-8")
            self.stdout.write(str(path))

    def answer(self, by: Actor, site: Site, options: dict) -> None:
        for path in sorted(options["files"]):
            note = witnessing.answer(by, path.read_text(encoding="utf-8"), options["key"])
            path.with_name(f"{path.name}.cosigned").write_text(note, encoding="utf-8")
            self.stdout.write(f"{path}.cosigned")

    def keep(self, by: Actor, site: Site, options: dict) -> None:
        for path in sorted(options["files"]):
            receipt = witnessing.keep(by, path.read_text(encoding="utf-8"), options["witness"])
            self.stdout.write(f"kept with {receipt.checkpoint}")

    def key(self, by: Actor, site: Site, options: dict) -> None:
        self.stdout.write(witnessing.witness_key_text(site.code))
