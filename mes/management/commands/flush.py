"""Refuses to empty tables."""

from django.core.management.base import CommandError
from django.core.management.commands.flush import Command as Flush


class Command(Flush):
    help = "Refuses: records are kept. A test that needs a database of its own takes the fixture committed_db."

    def handle(self, *args, **options):
        raise CommandError(self.help)
