"""Makes the roles and the database in a PostgreSQL cluster: the same for embedded, test and customers' servers."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from mes.embedded.stopped import Stopped

FOLDER = Path(__file__).resolve().parent.parent.parent / "docker" / "postgres"
LOGIN_ROLES = ("cartulary_migrator", "cartulary_app", "cartulary_verifier", "cartulary_reader")
LOCK = 0x6361727475  # one number for "roles of Cartulary are being changed"


def prepare_cluster(admin_url: str, database: str, passwords: Mapping[str, str]) -> None:
    """Makes roles, database and rights; running it again changes nothing but the passwords given.

    Raises Stopped when a role exists whose password is not given, or a role has rights that pass the guards by.
    """
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        prepare_roles(admin, passwords)
        prepare_database(admin, database)


def prepare_roles(admin: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    places = {"admin": sql.Literal(admin.info.user)}
    for role in LOGIN_ROLES:
        if role not in passwords:
            raise Stopped(f"The password of the role {role} is not given. Give the address of that role.")
        # The verifier is computed here, so that no password crosses the wire or reaches a log.
        verifier = admin.pgconn.encrypt_password(passwords[role].encode(), role.encode(), b"scram-sha-256")
        places[role] = sql.Literal(verifier.decode())
    try:
        with admin.transaction():
            admin.execute(statement("roles.sql", places))
    except psycopg.errors.RaiseException as error:
        raise Stopped(f"The database server is not fit: {error.diag.message_primary}.") from error


def prepare_database(admin: psycopg.Connection, database: str) -> None:
    """Makes the database when it is missing, and its rights."""
    if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER cartulary_owner TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'").format(
                sql.Identifier(database)
            )
        )
    give_rights(with_database(dsn_of(admin), database), database)


def give_rights(admin_url: str, database: str) -> None:
    """Gives the rights inside a database; a copy of a database needs them anew."""
    with psycopg.connect(with_database(admin_url, database)) as inside:
        inside.execute(statement("database.sql", {"database": sql.Identifier(database)}))


def statement(name: str, places: Mapping[str, sql.Composable]) -> sql.Composed:
    """The SQL of a file with its places filled."""
    return sql.SQL((FOLDER / name).read_text()).format(**places)  # type: ignore[arg-type]


def dsn_of(connection: psycopg.Connection) -> str:
    return address(connection.info.user, connection.info.password, connection.info.host, connection.info.port, "postgres")


def address(role: str, password: str, host: str, port: int, database: str) -> str:
    """The address of a database for a role."""
    secret = f":{quote(password, safe='')}" if password else ""
    return f"postgresql://{quote(role)}{secret}@{quote(host, safe='')}:{port}/{quote(database)}"


def with_database(url: str, database: str) -> str:
    """The same address with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(database)}"))


def with_role(url: str, role: str, password: str) -> str:
    """The same address for another role."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password, safe='')}@{host}"))


def role_and_password(url: str) -> tuple[str, str]:
    """The role an address logs in as, and its password ('' when it gives none)."""
    parts = urlsplit(url)
    return unquote(parts.username or ""), unquote(parts.password or "")
