"""manage.py draw_permissions: prints who may do what, as a site opens with it, into docs/permissions.md."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand

from batches.permissions import Permission as Batches
from mes.permissions import Permission as Mes
from quality.permissions import Permission as Quality
from quality.roles import ROLES

PAGE = Path(settings.ROOT) / "docs" / "permissions.md"
APPS: tuple[tuple[str, type[StrEnum]], ...] = (("mes", Mes), ("batches", Batches), ("quality", Quality))

HEAD = """# Who may do what

Printed from the code by `python3 manage.py draw_permissions`; a test compares. These are the roles a site is opened with (`quality/roles.py`); a site
may change its own. A right is asked of the database at every request, on pages and over the API alike. It is never the only rule: training, the state of
the record, who did what before (nobody checks, reviews or releases their own work), holds and limits are asked in the deed itself.

The administrator holds no GMP right, and nobody who holds one may be made administrator. Equipment posts readings and never signs.
"""


def words(permission: str) -> str:
    return permission.split(".")[1].replace("_", " ")


def drawn() -> str:
    """The whole page: each role with its rights, then each right with its roles."""
    parts = [HEAD, "## By role\n"]
    for name, held in ROLES.values():
        parts.append(f"* **{name}**: {', '.join(sorted(words(str(each)) for each in held))}.")
    for app, permissions in APPS:
        parts.append(f"\n## Rights of {app}\n\n| Right | Roles |\n|---|---|")
        for permission in permissions:
            roles = [name for name, held in ROLES.values() if permission in held]
            parts.append(f"| {words(permission)} (`{permission}`) | {', '.join(roles) or 'none'} |")
    return "\n".join(parts) + "\n"


class Command(BaseCommand):
    help = "Prints who may do what into docs/permissions.md."
    requires_system_checks = ()

    def handle(self, *args, **options):
        PAGE.write_text(drawn())
        self.stdout.write(f"{PAGE}: {len(ROLES)} roles")
