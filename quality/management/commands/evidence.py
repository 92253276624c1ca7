"""manage.py evidence LOT --to FILE: the evidence file of a lot, made by the installation and written into the trail."""

from __future__ import annotations

from pathlib import Path

from django.core.management import BaseCommand, CommandError

from mes.errors import Missing, RuleBroken
from mes.evidence.proofs import key_lines
from mes.people.models import Site
from mes.people.setup import SETUP, system_actor
from mes.records.context import site_context
from mes.signatures import seal_keys
from quality.release import evidence_file, queries


class Command(BaseCommand):
    help = "Makes the evidence file of a lot, and with --keys writes the site's public keys beside it."

    def add_arguments(self, parser):
        parser.add_argument("lot", help="the lot's number")
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="the file to write; an existing one is not overwritten")
        parser.add_argument("--keys", type=Path, default=None, metavar="KEY.txt", help="also write the site's public keys here, for --key of the verifier")

    def handle(self, *args, lot: str, to: Path, keys: Path | None, **options):
        site = site_of(lot)
        try:
            with to.open("xb") as file:
                fact, content = evidence_file.evidence_file(system_actor(site.pk, SETUP, channel="command"), lot)
                file.write(content)
        except FileExistsError as error:
            raise CommandError(f"{to} is there already. Name another file.") from error
        except RuleBroken as refused:
            to.unlink(missing_ok=True)
            raise CommandError(refused.sentence) from refused
        if keys is not None:
            keys.write_text("\n".join([*key_lines(site.code), *seal_keys.public_lines(site.code)]) + "\n")
        self.stdout.write(f"{fact.sha256}  {to}")
        self.stdout.write(f"{fact.entries} entries of {fact.subject}, under checkpoint {fact.checkpoint} of {site.code}")


def site_of(number: str) -> Site:
    """The site that keeps the lot. Raises CommandError."""
    for site in Site.objects.order_by("code"):
        with site_context(site.pk):
            try:
                if queries.lot_by_number(number).site_id == site.pk:
                    return site
            except Missing:
                continue
    raise CommandError(f"There is no lot {number} at any site here.")
