"""How the guards of the database stand now, as one short mark: who judges a missing or altered guard signs the mark with it (decisions 8).

`guards.missing` says which guard is none, not what it says instead. A guard that was altered once can be altered again, and the sentence about it
stays the same: the mark does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from mes.records import guards

#: Each question answers with rows of text, in an order of their own: what is compared is what they say.
ASKED = (
    "SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), pg_get_userbyid(p.proowner), coalesce(p.proacl::text, '') FROM pg_proc p"
    " WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'guard') AND %s::text[] IS NOT NULL",
    "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, pg_get_functiondef(t.tgfoid) FROM pg_trigger t JOIN pg_class c"
    " ON c.oid = t.tgrelid WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal AND c.relname = ANY(%s)",
    "SELECT c.relname, r.rulename, pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)",
    "SELECT p.tablename, p.policyname, p.permissive, p.cmd, p.roles::text, p.qual, p.with_check FROM pg_policies p"
    " WHERE p.schemaname = 'public' AND p.tablename = ANY(%s)",
    "SELECT c.relname, c.relrowsecurity::text, c.relforcerowsecurity::text, pg_get_userbyid(c.relowner) FROM pg_class c"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)",
    "SELECT c.relname, '', coalesce(r.rolname, 'PUBLIC'), a.privilege_type FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a"
    " LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)",
    "SELECT c.relname, t.attname, coalesce(r.rolname, 'PUBLIC'), a.privilege_type FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid"
    " CROSS JOIN LATERAL aclexplode(t.attacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
    " WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)",
    "SELECT r.rolname, r.rolsuper::text, r.rolbypassrls::text, r.rolcreaterole::text, r.rolreplication::text, coalesce(m.rolname, '') FROM pg_roles r"
    " LEFT JOIN pg_auth_members a ON a.member = r.oid LEFT JOIN pg_roles m ON m.oid = a.roleid"
    " WHERE r.rolname LIKE 'cartulary\\_%%' AND %s::text[] IS NOT NULL",
)


def findings(connection) -> list[str]:
    """Every guard that is missing, disabled or altered, each with the mark of how all of them stand now; empty when all stand. AUD-05."""
    gone = guards.missing(connection)
    now = mark(connection, (table.name for table in guards.tables())) if gone else ""
    return [f"{found} (now {now})" for found in gone]


def mark(connection, tables: Iterable[str]) -> str:
    """The mark of all that guards these tables: functions, triggers with what they call, rules, policies, rights, roles. AUD-05.

    It is of all of them and not of one: two guards altered after each other are two states of the whole.
    """
    named = sorted(tables)
    with connection.cursor() as cursor:
        said = []
        for question in ASKED:
            cursor.execute(question, [named])
            said.append(sorted(json.dumps(row, default=str) for row in cursor.fetchall()))
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]
