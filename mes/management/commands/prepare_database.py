"""Makes the database and its roles on a server of your own."""

import os
from urllib.parse import unquote, urlsplit

from django.core.management.base import BaseCommand, CommandError

from mes.embedded import roles
from mes.embedded.stopped import Stopped

ADDRESSES = {
    "MIGRATE_DATABASE_URL": "cartulary_migrator",
    "DATABASE_URL": "cartulary_app",
    "VERIFY_DATABASE_URL": "cartulary_verifier",
    "READ_DATABASE_URL": "cartulary_reader",
}


class Command(BaseCommand):
    help = (
        "Makes the roles, the database and its rights (docker/postgres/*.sql) with the address of a superuser in "
        f"ADMIN_DATABASE_URL and the passwords from {', '.join(ADDRESSES)}. Running it again changes nothing else."
    )
    requires_system_checks = ()

    def handle(self, *args, **options):
        missing = [name for name in ("ADMIN_DATABASE_URL", *ADDRESSES) if not os.environ.get(name)]
        if missing:
            raise CommandError(f"{', '.join(missing)} missing. Set the address for each.")
        passwords = {}
        for name, role in ADDRESSES.items():
            given, password = roles.role_and_password(os.environ[name])
            if given != role or not password:
                raise CommandError(f"{name} must log in as {role} with a password; it says {given!r}.")
            passwords[role] = password
        database = unquote(urlsplit(os.environ["DATABASE_URL"]).path.lstrip("/"))
        try:
            roles.prepare_cluster(os.environ["ADMIN_DATABASE_URL"], database, passwords)
        except Stopped as stopped:
            raise CommandError(str(stopped)) from None
        self.stdout.write(f"The database {database} and its roles are ready. Next: manage.py migrate")
