"""Databases for tests: migrated once into a template, copied in a tenth of a second, used as the application's role."""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from mes.embedded import addresses, roles

ROOT = Path(__file__).resolve().parent.parent
#: What the template is made from: with any of these changed, a new one is made.
SOURCES = (
    "docker/postgres/*.sql",
    "mes/apps.py",
    "mes/settings.py",
    "*/**/migrations/*.py",
    "*/**/*.sql",
    "*/**/models.py",
    "*/**/models/*.py",
    "mes/records/*.py",
)
KEPT_TEMPLATES = 3
TEMPLATE_LOCK = 0x63617274


@dataclass(frozen=True)
class Database:
    """A database of this test run, with the address of each role by the environment's name for it."""

    name: str
    urls: dict[str, str]

    @property
    def env(self) -> dict[str, str]:
        """An environment for processes that are to use this database."""
        # Each database has a folder of its own for its anchors: a checkpoint is written once
        anchors = Path(tempfile.gettempdir()) / "cartulary-anchors" / self.name
        return {**os.environ, **self.urls, "CARTULARY_NO_INSTALL": "1", "CARTULARY_ANCHORS": str(anchors)}

    def connect(self, role: str = "ADMIN_DATABASE_URL", **options) -> psycopg.Connection:
        """A raw connection as the role of an address, for tests that go past the application."""
        return psycopg.connect(self.urls[role], **options)


def digest() -> str:
    """Names the template: changes whenever something changes from which tables, guards or grants are made."""
    hashed = hashlib.sha256()
    paths = {path for pattern in SOURCES for path in ROOT.glob(pattern)}
    for path in sorted(paths):
        if path.relative_to(ROOT).parts[0] in ("tests", "var", "node_modules") or ".venv" in path.parts:
            continue
        hashed.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return hashed.hexdigest()[:12]


class Databases:
    """Makes and drops the databases of one test process."""

    def __init__(self, token: str):
        self.token = token
        self.admin_url = roles.with_database(os.environ["ADMIN_DATABASE_URL"], "postgres")
        self.admin = psycopg.connect(self.admin_url, autocommit=True)
        self.made: list[str] = []
        # Held as long as this process lives: whoever can take it knows that these databases are nobody's any more.
        self.admin.execute("SELECT pg_advisory_lock(%s)", [int(token, 16)])
        self.drop_left_over()
        self.template = self.find_template()

    def close(self) -> None:
        for name in list(self.made):
            self.drop(name)
        self.admin.close()

    def copy(self) -> Database:
        """A fresh copy of the template."""
        name = f"cartulary_test_{self.token}_{len(self.made)}_{os.urandom(2).hex()}"
        self.made.append(name)
        self.create(name, self.template)
        return self.database(name)

    def database(self, name: str) -> Database:
        urls = {
            env: roles.with_database(os.environ[env], name) for env in addresses.ROLE_ADDRESSES if os.environ.get(env)
        }
        return Database(name, urls)

    def create(self, name: str, template: str) -> None:
        self.admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER cartulary_owner TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        roles.give_rights(self.admin_url, name)

    def drop(self, name: str) -> None:
        self.admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        if name in self.made:
            self.made.remove(name)

    def find_template(self) -> str:
        """The template of the present sources, migrated when it does not exist yet."""
        name = f"cartulary_template_{digest()}"
        with self.alone():
            if not self.exists(name):
                self.drop_old_templates()
                self.migrate(name)
        return name

    @contextmanager
    def alone(self) -> Iterator[None]:
        self.admin.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
        try:
            yield
        finally:
            self.admin.execute("SELECT pg_advisory_unlock(%s)", [TEMPLATE_LOCK])

    def exists(self, name: str) -> bool:
        return bool(self.admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())

    def migrate(self, name: str) -> None:
        """Migrates an empty database as a deployment does, then renames it: a template is whole or not there."""
        making = f"cartulary_test_{self.token}_making"
        self.drop(making)
        roles.prepare_database(self.admin, making)
        self.made.append(making)
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"],
            env=self.database(making).env,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py migrate ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        self.admin.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name))
        )
        self.made.remove(making)
        self.admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))

    def drop_old_templates(self) -> None:
        rows = self.admin.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'cartulary\\_template\\_%' ORDER BY oid DESC"
        ).fetchall()
        for (name,) in rows[KEPT_TEMPLATES - 1 :]:
            self.drop(name)

    def drop_left_over(self) -> None:
        """Drops databases of test runs that ended without cleaning up."""
        rows = self.admin.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'cartulary\\_test\\_%'"
        ).fetchall()
        for (name,) in rows:
            token = name.split("_")[2]
            if token == self.token:
                continue
            if self.admin.execute("SELECT pg_try_advisory_lock(%s)", [int(token, 16)]).fetchone()[0]:
                self.drop(name)
                self.admin.execute("SELECT pg_advisory_unlock(%s)", [int(token, 16)])
