"""Installs the database's guards after every migrate: functions, triggers (always firing), policies, grants.

What each table gets follows from its kind alone: record, fact, history, audit, working row.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.apps import apps

from mes.audit import chain
from mes.records import collector, guard_functions, guard_standing

APP, VERIFIER, READER, GUARD = (
    "cartulary_app",
    "cartulary_verifier",
    "cartulary_reader",
    "cartulary_guard",
)

OURS = ("mes", "batches", "quality")

WITHOUT_SITE_POLICY = {
    "mes_site": "read at sign-in, before a site is known",
    "mes_user": "read at sign-in, before a site is known",
    "mes_role": "read with the grants at sign-in",
    "mes_grant": "read at sign-in to know a person's sites",
    "mes_secondfactor": "read at sign-in and in the signing ceremony",
    "mes_usedcode": "read in the signing ceremony, at whichever site the person signs",
    "mes_passkey": "read in the signing ceremony, at whichever site the person signs",
    "mes_personlock": "read at sign-in, before a site is known",
    "mes_devicecredential": "read to know a device before its site is known",
    "mes_identitycheck": "read in the signing ceremony; it follows the person between sites",
    "mes_acknowledgement": "read in the signing ceremony; it follows the person between sites",
    "mes_authoritynotice": "read in the signing ceremony with the other two, in one question",
    "mes_qualification": "training follows the person between sites",
}
"""Guarded tables that are read before a site is known, each with its reason."""


APART = {"mes_grant": "duties_apart", "mes_role": "role_apart"}
"""Tables by which rights reach a person, with the function that keeps duties apart there (ACC-07)."""

IN_A_CONTEXT = "(SELECT guard.current_site()) IS NOT NULL"


@dataclass(frozen=True)
class Table:
    """One guarded table: its kind and the column that names its lot ("" when it has none)."""

    name: str
    kind: str
    lot_column: str = ""
    master: bool = False
    history: str = ""
    record: str = ""
    has_site: bool = True


@cache
def tables() -> tuple[Table, ...]:
    """Every table of ours with its kind: record, fact, history, entry, audit_row, schema or working."""
    found = []
    for model in apps.get_models(include_auto_created=True):
        if model._meta.app_label not in OURS:
            continue
        name, kind = model._meta.db_table, getattr(model, "row_kind", None)
        columns = {f.column for f in model._meta.concrete_fields}
        lot = getattr(model, "lot_column", "lot_id" if "lot_id" in columns else "")
        master = getattr(model, "master_data", False)
        if kind == "record":
            history = model.history.model._meta.db_table
            found.append(Table(name, "record", lot, master, history=history))
            found.append(Table(history, "history", lot, master, record=name))
        elif kind == "fact":
            found.append(Table(name, "fact", lot, master))
        elif kind == "history":
            continue
        elif name == "mes_auditentry":
            found.append(Table(name, "entry", "lot_id"))
        elif name == "mes_auditrow":
            found.append(Table(name, "audit_row", "lot_id"))
        elif name == "mes_rowschema":
            found.append(Table(name, "schema", has_site=False))
        else:
            found.append(Table(name, "working", has_site=False))
    return tuple(found)


def triggers(table: Table) -> dict[str, str]:
    """Name to CREATE statement of every trigger the table must have; each is set ENABLE ALWAYS."""
    t, out = table.name, {}
    if table.kind == "working":
        return out

    def trigger(
        name: str,
        when: str,
        function: str,
        *,
        each: str = "ROW",
        constraint: bool = False,
    ) -> None:
        word, deferred = (
            ("CONSTRAINT TRIGGER", " DEFERRABLE INITIALLY DEFERRED")
            if constraint
            else ("TRIGGER", "")
        )
        out[name] = (
            f'CREATE {word} {name} {when} ON "{t}"{deferred} FOR EACH {each} EXECUTE FUNCTION guard.{function}'
        )

    if table.kind == "record":
        trigger("guard_write", "BEFORE INSERT OR UPDATE", "before_record()")
        trigger("guard_remove", "BEFORE DELETE", "refuse_removal()")
        trigger(
            "guard_sealed",
            "AFTER INSERT OR UPDATE",
            f'"sealed_{table.name}"()',
            constraint=True,
        )
    else:
        trigger("guard_change", "BEFORE UPDATE OR DELETE", "refuse_change()")
    if t in APART:
        trigger("guard_duties", "BEFORE INSERT OR UPDATE", f"{APART[t]}()")
    if table.kind == "fact":
        trigger("guard_write", "BEFORE INSERT", "before_fact()")
        trigger("guard_sealed", "AFTER INSERT", "fact_is_sealed()", constraint=True)
    elif table.kind == "history":
        trigger("guard_write", "BEFORE INSERT", "before_history()")
        trigger(
            "guard_sealed",
            "AFTER INSERT",
            f"history_is_sealed('{table.record}')",
            constraint=True,
        )
    elif table.kind == "entry":
        trigger("guard_write", "BEFORE INSERT", "before_entry()")
    elif table.kind == "audit_row":
        trigger("guard_write", "BEFORE INSERT", "before_audit_row()")
    trigger("guard_truncate", "BEFORE TRUNCATE", "refuse_removal()", each="STATEMENT")
    return out


def grants(table: Table) -> str:
    """What the application's role may do with a table, by its kind."""
    return {
        "record": "SELECT, INSERT, UPDATE",
        "working": "SELECT, INSERT, UPDATE, DELETE",
        "schema": "SELECT",
    }.get(table.kind, "SELECT, INSERT")


def reads(table: Table) -> bool:
    """Whether reports may read a table at all."""
    return policy(table) is not None or table.kind in {"record", "history", "fact"}


def _wanted() -> dict[str, guard_standing.Wanted]:
    return {table.name: guard_standing.Wanted(triggers(table), grants(table), "SELECT" if reads(table) else "") for table in tables()}


def policy(table: Table) -> str | None:
    """The row-level security condition, or None for the tables listed without one."""
    if (
        table.kind in {"working", "schema"}
        or table.name in WITHOUT_SITE_POLICY
        or table.record in WITHOUT_SITE_POLICY
    ):
        return None
    if table.master:
        return "guard.may_see_master(site_id)"
    # Nearly every row is of the site itself: compared with one value per statement before the function is asked per row.
    return f"(site_id = (SELECT guard.current_site()) OR guard.may_see(site_id, {table.lot_column or 'NULL'}))"


def install_functions(connection) -> None:
    """Create or replace the guard functions, owned by the no-login role. Column defaults call them: run before migrate.

    Raises RuntimeError when the connection does not act as the owner.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
        if owner != "cartulary_owner":
            raise RuntimeError(
                f"guards are installed as cartulary_owner, not as {owner}; use migrate --database migrator"
            )
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS guard AUTHORIZATION {GUARD}")
        cursor.execute(f"SET ROLE {GUARD}")
        cursor.execute(guard_functions.SQL_FILE.read_text())
        cursor.execute(
            f"GRANT USAGE ON SCHEMA guard TO cartulary_owner, {APP}, {VERIFIER}, {READER}"
        )
        cursor.execute(
            f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA guard TO cartulary_owner, {APP}, {VERIFIER}, {READER}"
        )
        cursor.execute(f"SET ROLE {owner}")


def install(connection) -> None:
    """Bring functions, triggers, policies and grants up to the models; every step can be repeated."""
    install_functions(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
        present = {row[0] for row in cursor.fetchall()}
        ours = set()
        for table in tables():
            if table.name in present:
                ours.add(table.name)
                _guard(cursor, table)
        for name in sorted(present - ours):
            # third-party tables (sessions, content types, migrations): no GMP meaning
            cursor.execute(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{name}" TO {APP}')
        cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP}")
        cursor.execute(
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {GUARD}, {VERIFIER}"
        )
        _keep_schemas(cursor, present)
        # The check of a record's commit was one function for all tables before each table had its own
        _as_guard(cursor, "DROP FUNCTION IF EXISTS guard.record_is_sealed()")


def _as_guard(cursor, statement: str) -> None:
    """Create a function that belongs to the no-login role and acts with its rights."""
    cursor.execute("SELECT current_user")
    (owner,) = cursor.fetchone()
    cursor.execute(f"SET ROLE {GUARD}")
    cursor.execute(statement)
    cursor.execute(f"SET ROLE {owner}")


def _guard(cursor, table: Table) -> None:
    t = table.name
    cursor.execute(f'REVOKE ALL ON "{t}" FROM {APP}, {READER}, PUBLIC')
    cursor.execute(f'GRANT {grants(table)} ON "{t}" TO {APP}')
    if table.kind == "history":
        cursor.execute(f'CREATE UNIQUE INDEX IF NOT EXISTS "{t[:48]}_one_version" ON "{t}" (id, version)')
    cursor.execute(
        "SELECT tgname, pg_get_triggerdef(oid), tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgname LIKE 'guard\\_%%'",
        [f'"{t}"'],
    )
    have = {name for name, _, enabled in cursor.fetchall()}
    if table.kind == "record":
        _as_guard(cursor, guard_functions.record_is_sealed(table.name, table.history))
    for name, statement in triggers(table).items():
        if name in have:
            cursor.execute(f'DROP TRIGGER {name} ON "{t}"')
        cursor.execute(statement)
        cursor.execute(f'ALTER TABLE "{t}" ENABLE ALWAYS TRIGGER {name}')
    condition = policy(table)
    _let_read(cursor, table)
    if condition is None:
        return
    cursor.execute(f'ALTER TABLE "{t}" ENABLE ROW LEVEL SECURITY')
    cursor.execute(f'ALTER TABLE "{t}" FORCE ROW LEVEL SECURITY')
    for name in ("site", "guard_all"):
        cursor.execute(f'DROP POLICY IF EXISTS {name} ON "{t}"')
    cursor.execute(
        f'CREATE POLICY site ON "{t}" TO {APP}, {READER} USING ({IN_A_CONTEXT} AND {condition}) WITH CHECK ({condition})'
    )
    cursor.execute(
        f'CREATE POLICY guard_all ON "{t}" FOR SELECT TO {GUARD}, {VERIFIER} USING (true)'
    )


def _let_read(cursor, table: Table) -> None:
    """What reports may read: everything of a table but what proves who somebody is."""
    if not reads(table):
        return
    cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s", [table.name])
    columns = [name for (name,) in cursor.fetchall()]
    shown = [name for name in columns if name not in guard_standing.SECRETS]
    quoted = ", ".join(f'"{name}"' for name in shown)
    names = f"({quoted})" if len(shown) < len(columns) else ""
    cursor.execute(f'GRANT SELECT {names} ON "{table.name}" TO {READER}')


def _keep_schemas(cursor, present: set[str]) -> None:
    for model in apps.get_models():
        if (
            getattr(model, "row_kind", None) in {"record", "fact"}
            and model._meta.db_table in present
            and "mes_rowschema" in present
        ):
            columns = [column for column, _ in collector.digest_columns(model)]
            cursor.execute(
                'INSERT INTO mes_rowschema (id, "table", columns) VALUES (%s, %s, %s::jsonb) ON CONFLICT (id) DO NOTHING',
                [
                    collector.schema_of(model),
                    model._meta.db_table,
                    chain.canonical_json(columns),
                ],
            )


def missing(connection) -> list[str]:
    """Every guard that is absent, disabled, not firing always, or altered; empty when all stand.

    A table without row security that should have it is named too. A guard that stands and says something else is none: functions are compared
    with guards.sql, policies with policy(), triggers by the function they call. AUD-05; 21 CFR 11.10(e).
    """
    with connection.cursor() as cursor:
        findings = [*guard_functions.altered(cursor, _sealed_functions()), *_altered_policies(cursor)]
        findings += guard_standing.strayed(cursor, _wanted(), (APP, READER, VERIFIER))
        cursor.execute(
            "SELECT c.relname, t.tgname, t.tgenabled, p.proname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_proc p ON p.oid = t.tgfoid WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal"
        )
        have, called = {}, {}
        for table, name, enabled, function in cursor.fetchall():
            have[table, name], called[table, name] = enabled, function
        cursor.execute(
            "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        )
        security = {name: (on, forced) for name, on, forced in cursor.fetchall()}
    for table in tables():
        if table.name not in security:
            findings.append(f"table {table.name} does not exist")
            continue
        for name, statement in triggers(table).items():
            state = have.get((table.name, name))
            state = state.decode() if isinstance(state, bytes) else state
            if state is None:
                findings.append(f"trigger {name} on {table.name} is missing")
            elif state != "A":
                findings.append(f"trigger {name} on {table.name} does not fire always")
            elif f"guard.{called[table.name, name]}(" not in statement.replace('"', ""):
                findings.append(f"trigger {name} on {table.name} calls another function")
        if policy(table) and security[table.name] != (True, True):
            findings.append(f"row security on {table.name} is not forced")
    return findings


def _altered_policies(cursor) -> list[str]:
    cursor.execute("SELECT tablename, policyname, cmd, roles::text[], qual, with_check FROM pg_policies WHERE schemaname = 'public'")
    have = {(table, name): rest for table, name, *rest in cursor.fetchall()}
    findings = []
    for table in tables():
        condition = policy(table)
        if condition is None:
            continue
        wanted = {
            "site": ["ALL", [APP, READER], guard_functions.comparable(f"{IN_A_CONTEXT} AND {condition}"), guard_functions.comparable(condition)],
            "guard_all": ["SELECT", [GUARD, VERIFIER], "true", ""],
        }
        for name, expected in wanted.items():
            rest = have.pop((table.name, name), None)
            if rest is None:
                findings.append(f"policy {name} on {table.name} is missing")
                continue
            command, roles, qual, check = rest
            if [command, sorted(roles), guard_functions.comparable(qual), guard_functions.comparable(check)] != [expected[0], sorted(expected[1]), *expected[2:]]:
                findings.append(f"policy {name} on {table.name} is altered")
    return findings + [f"policy {name} on {table} is not ours" for table, name in sorted(have)]


def _sealed_functions() -> tuple[str, ...]:
    return tuple(guard_functions.record_is_sealed(table.name, table.history) for table in tables() if table.kind == "record")


def before_migrate(sender, using, **kwargs) -> None:
    """pre_migrate: the functions that column defaults call, once, before the first of our apps."""
    from django.db import connections

    if sender.name == OURS[0]:
        install_functions(connections[using])


def after_migrate(sender, using, **kwargs) -> None:
    """post_migrate: install once, after the last of our apps."""
    from django.db import connections

    # Django tells only apps that have models; third-party tables come with the grants of the last of all.
    last = [
        config for config in apps.get_app_configs() if config.models_module is not None
    ][-1]
    if sender.name == last.name:
        install(connections[using])


__all__ = [
    "WITHOUT_SITE_POLICY",
    "Table",
    "after_migrate",
    "before_migrate",
    "install",
    "install_functions",
    "missing",
    "policy",
    "tables",
    "triggers",
]
