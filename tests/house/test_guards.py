"""The database's guards stand on every table, and the application's role may do what each table's kind says and no more."""

import pytest
from django.db import connection

from mes.checks import role_findings
from mes.records import guards
from tests.house.source import report

pytestmark = pytest.mark.django_db

RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
#: Tables of other packages that the application uses as they are.
FOREIGN = {
    "auth_group", "auth_group_permissions", "auth_permission", "django_content_type", "django_migrations", "django_session",
}  # fmt: skip


def all_tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.req("AUD-05", case="positive")
def test_every_guard_stands_and_fires_always():
    found = guards.missing(connection)
    assert not found, report(found, "Run: python3 manage.py migrate. It puts every guard back.")


@pytest.mark.req("AUD-04", case="positive")
def test_every_table_is_guarded_or_known():
    unknown = all_tables() - {table.name for table in guards.tables()} - FOREIGN
    assert not unknown, report(unknown, "Give its model a kind, or list it in FOREIGN.")


@pytest.mark.req("AUD-04", case="positive")
def test_grants_equal_what_each_tables_kind_says():
    wrong = {}
    with connection.cursor() as cursor:
        for table in guards.tables():
            for role, allowed in (
                (guards.APP, set(guards.grants(table).split(", "))),
                (guards.READER, {"SELECT"}),
                (guards.VERIFIER, {"SELECT"}),
            ):
                cursor.execute(
                    "SELECT r FROM unnest(%s::text[]) AS r WHERE has_table_privilege(%s, format('%%I', %s::text)::regclass, r)",
                    [list(RIGHTS), role, table.name],
                )
                held = {right for (right,) in cursor.fetchall()}
                if (held != allowed) if role == guards.APP else (held - allowed):
                    wrong[f"{role} on {table.name} ({table.kind})"] = f"holds {sorted(held)}, should hold {sorted(allowed)}"
    assert not wrong, report(wrong, "Grants come from guards.grants() after each migrate. Mend that, not the database.")


@pytest.mark.req("ACC-02", case="positive")
def test_row_security_is_forced_on_every_guarded_table_but_the_listed():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        forced = {name for (name,) in cursor.fetchall()}
        cursor.execute("SELECT tablename, policyname, qual, with_check FROM pg_policies WHERE schemaname = 'public'")
        policies = {(table, name): (qual, check) for table, name, qual, check in cursor.fetchall()}
    guarded = {table.name: table for table in guards.tables() if table.kind not in {"working", "schema"}}
    free = {name for name, table in guarded.items() if guards.policy(table) is None}
    listed = set(guards.WITHOUT_SITE_POLICY) | {t.name for t in guarded.values() if t.record in guards.WITHOUT_SITE_POLICY}
    assert free == listed & set(guarded)
    bare = set(guarded) - free - forced
    assert not bare, report(bare, "Row security is forced from the first migration on.")
    open_to_all = {table for table in set(guarded) - free if "current_site" not in (policies.get((table, "site")) or ("",))[0]}
    assert not open_to_all, report(open_to_all, "The policy `site` asks for the site of the context.")


def test_every_exception_from_row_security_has_a_reason_and_a_table():
    assert all(guards.WITHOUT_SITE_POLICY.values())
    gone = set(guards.WITHOUT_SITE_POLICY) - {table.name for table in guards.tables()}
    assert not gone, report(gone, "Take these out of WITHOUT_SITE_POLICY.")


def test_the_application_owns_nothing_and_goes_past_nothing():
    assert role_findings(connection) == []


def test_guard_functions_belong_to_the_role_that_nobody_logs_in_as():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, pg_get_userbyid(p.proowner), p.proconfig, p.prosqlbody IS NOT NULL AND NOT p.prosecdef FROM pg_proc p"
            " WHERE p.pronamespace = 'guard'::regnamespace"
        )
        functions = cursor.fetchall()
    assert len(functions) > 10
    odd = {name: owner for name, owner, _, _ in functions if owner != guards.GUARD}
    assert not odd, report(odd, f"Guard functions belong to {guards.GUARD}.")
    # A body that PostgreSQL read when the function was made (RETURN …) names objects, not words: no search_path changes it.
    loose = {name for name, _, config, bound in functions if not bound and not any(c.startswith("search_path=") for c in config or [])}
    assert not loose, report(loose, "Set search_path in the function: a caller's own must not lead it astray.")
