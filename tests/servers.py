"""PostgreSQL and Redis for tests, ready before Django reads its settings.

Without addresses: servers of the tests' own in var/test, shared by test runs that run at the same time. With
ADMIN_DATABASE_URL or REDIS_URL: those, with databases and a Redis prefix of this run's own.
"""

import os
import secrets
from pathlib import Path

import psycopg

from mes.embedded import addresses, roles
from mes.embedded.servers import Secrets
from mes.embedded.stopped import Stopped

#: Names this run: its databases, its keys in Redis.
TOKEN = os.environ.setdefault("CARTULARY_TEST_TOKEN", secrets.token_hex(6))
FOLDER = Path(os.environ.setdefault("CARTULARY_TEST_VAR", str(addresses.var_folder() / "test")))


def prepare() -> None:
    """Brings the servers up and sets the environment. Raises Stopped with a sentence when that cannot be."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # the process that started this worker has set everything
    os.environ["CARTULARY_MODE"] = "test"
    os.environ["CARTULARY_VAR"] = str(FOLDER)
    os.environ["CARTULARY_REDIS_PREFIX"] = f"cartulary-test-{TOKEN}:"
    os.environ["DJANGO_SETTINGS_MODULE"] = "mes.settings"
    given = "DATABASE_URL" in os.environ or "ADMIN_DATABASE_URL" in os.environ
    if given and not os.environ.get("ADMIN_DATABASE_URL"):
        raise Stopped(
            "DATABASE_URL is set, ADMIN_DATABASE_URL is not. Tests make databases: set the address of a superuser too, "
            "or unset DATABASE_URL and the tests start a server of their own."
        )
    addresses.provide(FOLDER)
    if given:
        prepare_given(os.environ["ADMIN_DATABASE_URL"])


def prepare_given(admin_url: str) -> None:
    """Makes the roles on a given server, without changing the password of a role that others may use."""
    kept = Secrets(FOLDER / "services.json")
    passwords = {}
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [roles.LOCK])  # two runs that begin at the same moment alter the same roles
        existing = {row[0] for row in admin.execute("SELECT rolname FROM pg_roles").fetchall()}
        for name, role in addresses.ROLE_ADDRESSES.items():
            if role not in roles.LOGIN_ROLES:
                continue
            if os.environ.get(name):
                passwords[role] = roles.role_and_password(os.environ[name])[1]
            elif role in existing and f"given_{role}" not in kept.values:
                raise Stopped(f"The server has a role {role} already. Set {name} to its address.")
            else:
                passwords[role] = kept.password(f"given_{role}")
                os.environ[name] = roles.with_role(admin_url, role, passwords[role])
        roles.prepare_roles(admin, passwords)
