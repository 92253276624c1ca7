"""Migrates as the migrator, which assumes the owner of the tables; the application's role may not."""

from django.core.management.commands.migrate import Command as Migrate


class Command(Migrate):
    help = f"{Migrate.help} Uses MIGRATE_DATABASE_URL."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.set_defaults(database="migrator")
