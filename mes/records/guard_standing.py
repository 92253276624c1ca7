"""Whether triggers fire when they should, nothing foreign hangs on our tables, and roles hold no more than they are given. AUD-05; ACC-02.

A trigger of the right name that never fires, a right given by hand, or a role that goes past row security is no guard: each is named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

SECRETS = ("password", "pin", "secret", "token_digest")
"""Columns that prove who somebody is. Reports never need them: a PIN's digest can be tried out elsewhere."""

BITS = {"BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
"""pg_trigger.tgtype; 1 is FOR EACH ROW."""


@dataclass(frozen=True)
class Wanted:
    """What one table must have: its triggers' statements, and what application and reports may do ("SELECT, INSERT")."""

    triggers: Mapping[str, str]
    app: str
    reader: str


def _fires(statement: str) -> tuple[int, bool, str]:
    """When a trigger fires, whether at the commit, and its argument."""
    when, _, rest = statement.partition(" ON ")
    bits = sum(bit for word, bit in BITS.items() if re.search(rf"\b{word}\b", when))
    argument = re.search(r"\('([^']*)'\)$", rest)
    return bits + ("FOR EACH ROW" in rest), "INITIALLY DEFERRED" in rest, argument[1] if argument else ""


def strayed(cursor, wanted: Mapping[str, Wanted], roles: tuple[str, str, str]) -> list[str]:
    """What differs from what was installed; `roles` are the application's, the reports' and the verifier's. Three questions in all."""
    return [*_triggers(cursor, wanted), *_rights(cursor, wanted, roles), *_roles(cursor, roles)]


def _triggers(cursor, wanted: Mapping[str, Wanted]) -> list[str]:
    cursor.execute(
        "SELECT c.relname, t.tgname, t.tgtype, t.tgdeferrable AND t.tginitdeferred, t.tgqual IS NULL AND t.tgattr = ''::int2vector,"
        " encode(t.tgargs, 'escape') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal"
        " UNION ALL SELECT c.relname, r.rulename, -1, false, false, '' FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
    )
    found = []
    for table, name, kind, deferred, always, arguments in cursor.fetchall():
        if table not in wanted:
            continue
        statement = wanted[table].triggers.get(name)
        if statement is None:
            found.append(f"{'rule' if kind == -1 else 'trigger'} {name} on {table} is not ours")
        elif (kind, deferred, arguments.removesuffix("\\000")) != _fires(statement) or not always:
            found.append(f"trigger {name} on {table} fires at other times than it should")
    return sorted(found)


def _rights(cursor, wanted: Mapping[str, Wanted], roles: tuple[str, str, str]) -> list[str]:
    app, reader, verifier = roles
    cursor.execute(
        "SELECT c.relname, coalesce(r.rolname, 'PUBLIC'), string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) FROM pg_class c"
        " CROSS JOIN LATERAL aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE c.relnamespace = 'public'::regnamespace AND (a.grantee = 0 OR r.rolname = ANY(%s)) GROUP BY 1, 2"
        " UNION ALL SELECT c.relname, coalesce(r.rolname, 'PUBLIC') || ' by column', string_agg(DISTINCT a.privilege_type, ', ') FROM pg_attribute t"
        " JOIN pg_class c ON c.oid = t.attrelid CROSS JOIN LATERAL aclexplode(t.attacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE c.relnamespace = 'public'::regnamespace AND (a.grantee = 0 OR r.rolname = ANY(%s)"
        " AND NOT (r.rolname = %s AND a.privilege_type = 'SELECT' AND t.attname <> ALL(%s))) GROUP BY 1, 2",
        [list(roles), list(roles), reader, list(SECRETS)],
    )
    have = {(table, role): held for table, role, held in cursor.fetchall()}
    found = []
    for table, each in wanted.items():
        for role, given in ((app, each.app), (reader, each.reader), (verifier, "SELECT"), ("PUBLIC", "")):
            held = have.get((table, role), "")
            if set(filter(None, held.split(", "))) - set(filter(None, given.split(", "))):
                found.append(f"{role} may do more on {table} than it was given: {held}")
            if (table, f"{role} by column") in have:
                found.append(f"{role} was given columns of {table}: {have[table, f'{role} by column']}")
    return found


def _roles(cursor, roles: tuple[str, str, str]) -> list[str]:
    cursor.execute(
        "SELECT rolname, 'goes past the guards' FROM pg_roles WHERE rolname = ANY(%s) AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication)"
        " UNION ALL SELECT m.rolname, 'is a member of ' || r.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
        " JOIN pg_roles r ON r.oid = a.roleid WHERE m.rolname = ANY(%s)",
        [list(roles), list(roles)],
    )
    return [f"role {name} {what}" for name, what in sorted(cursor.fetchall())]
