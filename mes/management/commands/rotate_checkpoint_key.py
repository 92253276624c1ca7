"""manage.py rotate_checkpoint_key: announce the next key of a site's checkpoints under the present one."""

from django.core.management import BaseCommand, CommandError

from mes.checkpoints import services
from mes.errors import RuleBroken
from mes.people.models import Site
from mes.people.setup import system_actor


class Command(BaseCommand):
    help = "Makes the next key of a site's checkpoints and announces it in a checkpoint that the present key signs."

    def add_arguments(self, parser):
        parser.add_argument("--site", required=True, metavar="CODE")
        parser.add_argument("--reason", required=True)

    def handle(self, *args, **options):
        site = Site.objects.filter(code=options["site"]).first()
        if site is None:
            raise CommandError(f"There is no site {options['site']}.")
        try:
            checkpoint = services.announce_key(by=system_actor(site.pk, channel="command"), reason=options["reason"])
        except RuleBroken as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(f"From checkpoint {checkpoint.size + 1} on: {checkpoint.next_key}")
