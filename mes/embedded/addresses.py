"""Tells the settings, through the environment, where the database and Redis are."""

import os
from pathlib import Path

from mes.embedded.life import Services
from mes.embedded.servers import ADMIN

ROOT = Path(__file__).resolve().parent.parent.parent
#: Addresses by the role that logs in; the environment's names for them.
ROLE_ADDRESSES = {
    "DATABASE_URL": "cartulary_app",
    "MIGRATE_DATABASE_URL": "cartulary_migrator",
    "VERIFY_DATABASE_URL": "cartulary_verifier",
    "READ_DATABASE_URL": "cartulary_reader",
    "ADMIN_DATABASE_URL": ADMIN,
}


def var_folder() -> Path:
    return Path(os.environ.get("CARTULARY_VAR") or ROOT / "var").absolute()


def provide(var: Path | None = None) -> Services | None:
    """Attaches to our own servers for every address that is not given; None when all are given."""
    read_files()
    wants_postgres = not (os.environ.get("DATABASE_URL") or os.environ.get("ADMIN_DATABASE_URL"))
    wants_redis = not os.environ.get("REDIS_URL")
    if not (wants_postgres or wants_redis):
        return None
    services = Services(var or var_folder(), ROOT, postgres=wants_postgres, redis=wants_redis)
    services.attach()
    if wants_postgres:
        for name, role in ROLE_ADDRESSES.items():
            os.environ[name] = services.postgres.url(role)
    if wants_redis:
        os.environ["REDIS_URL"] = services.redis.url()
    return services


def read_files() -> None:
    """Takes addresses from files, where the environment names files (as secret stores of containers do)."""
    for name in (*ROLE_ADDRESSES, "REDIS_URL"):
        if path := os.environ.get(f"{name}_FILE"):
            os.environ.setdefault(name, Path(path).read_text().strip())
