"""Refuses to empty tables."""

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Refuses: records are kept. A test that needs a database of its own takes the fixture committed_db."

    def add_arguments(self, parser):
        parser.add_argument("words", nargs="*")
        parser.add_argument("--noinput", "--no-input", action="store_true")
        parser.add_argument("--database")

    def handle(self, *args, **options):
        raise CommandError(self.help)
