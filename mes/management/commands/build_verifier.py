"""manage.py build_verifier: the verifier as one file that needs only Python, and psycopg where a database is checked."""

import hashlib
import zipfile
from pathlib import Path

from django.conf import settings
from django.core.management import BaseCommand

PACKAGE = Path(__file__).resolve().parent.parent.parent / "verifier"
NAME = "cartulary-verify.pyz"
MAIN = """import sys

from cartulary_verifier.run import main

sys.exit(main())
"""
#: One date for every file: the same sources give the same bytes, whoever builds them.
DATE = (1980, 1, 1, 0, 0, 0)


def build(target: Path) -> str:
    """Writes the file and returns its SHA-256 in hexadecimal."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb") as file:
        file.write(b"#!/usr/bin/env python3\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            add(archive, "__main__.py", MAIN.encode())
            for path in sorted(PACKAGE.glob("*.py")):
                add(archive, f"cartulary_verifier/{path.name}", path.read_bytes())
    target.chmod(0o755)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


class Command(BaseCommand):
    help = f"Builds {NAME}, the verifier of the audit trail as one file, and prints its SHA-256."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("--output", type=Path, default=None, help=f"the file to write, else {NAME} in var/")

    def handle(self, *args, **options):
        target = options["output"] or Path(settings.VAR_FOLDER) / NAME
        self.stdout.write(f"{build(target)}  {target}")
