"""The roles of the cluster: who may log in, own and create, the same on every server."""

import os

import psycopg
import pytest

from mes.embedded import roles
from mes.embedded.stopped import Stopped

NAMES = ("cartulary_owner", "cartulary_guard", *roles.LOGIN_ROLES)


@pytest.fixture
def admin(databases):
    with psycopg.connect(databases.admin_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def database(databases):
    """A database without tables of ours, as it is before the first migration."""
    name = f"cartulary_test_{databases.token}_roles"
    roles.prepare_database(databases.admin, name)
    databases.made.append(name)
    yield databases.database(name)
    databases.drop(name)


def passwords():
    found = [roles.role_and_password(url) for name, url in os.environ.items() if name.endswith("DATABASE_URL")]
    return {role: password for role, password in found if role in roles.LOGIN_ROLES}


@pytest.mark.req("AUD-04", case="negative")
def test_no_role_has_rights_that_pass_the_guards_by(admin):
    rows = admin.execute(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)",
        [list(NAMES)],
    ).fetchall()
    assert rows == []


def test_owner_and_guard_cannot_log_in_and_the_others_have_scram_passwords(admin):
    rows = admin.execute(
        "SELECT rolname, rolcanlogin, rolpassword LIKE 'SCRAM-SHA-256$%%' FROM pg_authid WHERE rolname = ANY(%s)",
        [list(NAMES)],
    ).fetchall()
    found = {name: (login, scram) for name, login, scram in rows}
    assert {name for name, (login, _) in found.items() if not login} == {"cartulary_owner", "cartulary_guard"}
    assert all(scram for login, scram in found.values() if login)


@pytest.mark.req("AUD-04", case="negative")
@pytest.mark.parametrize("role", ["cartulary_app", "cartulary_verifier", "cartulary_reader"])
def test_the_application_is_a_member_of_nothing(admin, role):
    for other in ("cartulary_owner", "cartulary_guard", "cartulary_migrator"):
        assert not admin.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [role, other]).fetchone()[0]


@pytest.mark.req("AUD-04", case="negative")
@pytest.mark.parametrize("address", ["DATABASE_URL", "VERIFY_DATABASE_URL", "READ_DATABASE_URL"])
def test_only_the_migrator_creates_tables(database, address):
    with database.connect(address) as connection, pytest.raises(psycopg.errors.Error) as refused:
        connection.execute("CREATE TABLE mine (id int)")
    assert refused.value.sqlstate in ("42501", "25006")  # not permitted; read-only


def test_the_migrator_creates_as_the_owner_and_hands_functions_to_the_guard(database):
    with database.connect("MIGRATE_DATABASE_URL", options="-c role=cartulary_owner") as connection:
        connection.execute("CREATE TABLE toy (id int)")
        connection.execute("CREATE FUNCTION watch() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
        connection.execute("ALTER FUNCTION watch() OWNER TO cartulary_guard")
        owner = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'toy'").fetchone()[0]
    assert owner == "cartulary_owner"


def test_without_assuming_the_owner_the_migrator_creates_nothing(database):
    with database.connect("MIGRATE_DATABASE_URL") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE public.toy (id int)")


@pytest.mark.parametrize("address", ["VERIFY_DATABASE_URL", "READ_DATABASE_URL"])
def test_those_who_read_start_read_only(database, address):
    with database.connect(address) as connection:
        assert connection.execute("SHOW default_transaction_read_only").fetchone()[0] == "on"


def test_a_stranger_to_the_database_cannot_connect(admin, database):
    query = "SELECT has_database_privilege('public', %s, 'CONNECT'), has_schema_privilege('public', 'public', 'CREATE')"
    with database.connect() as connection:
        assert connection.execute(query, [database.name]).fetchone() == (False, False)


def test_preparing_again_changes_nothing(admin, database):
    with admin.transaction(force_rollback=True):
        before = admin.execute("SELECT * FROM pg_auth_members ORDER BY 1, 2").fetchall()
        roles.prepare_roles(admin, passwords())
        assert admin.execute("SELECT * FROM pg_auth_members ORDER BY 1, 2").fetchall() == before
    roles.prepare_database(admin, database.name)


@pytest.mark.req("AUD-04", case="negative")
@pytest.mark.parametrize("right", ["BYPASSRLS", "CREATEDB", "SUPERUSER"])
def test_a_role_with_too_many_rights_is_refused(admin, right):
    with admin.transaction(force_rollback=True):
        admin.execute(f"ALTER ROLE cartulary_app {right}")
        with pytest.raises(Stopped, match="cartulary_app has rights that pass the guards by"):
            roles.prepare_roles(admin, passwords())


def test_a_missing_password_is_told_before_anything_is_changed(admin):
    given = passwords()
    del given["cartulary_reader"]
    with pytest.raises(Stopped, match="cartulary_reader"):
        roles.prepare_roles(admin, given)


def test_addresses_carry_any_password():
    url = roles.address("cartulary_app", "a:b/c@d%e", "127.0.0.1", 5432, "one")
    assert roles.role_and_password(url) == ("cartulary_app", "a:b/c@d%e")
    assert roles.with_database(url, "two").endswith("@127.0.0.1:5432/two")
    assert roles.role_and_password(roles.with_role(url, "other", "x@y")) == ("other", "x@y")
