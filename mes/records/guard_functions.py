"""The functions behind the guards as they must stand, and what of them does not. AUD-05."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

SQL_FILE = Path(__file__).with_name("guards.sql")

HEAD = re.compile(r'CREATE OR REPLACE FUNCTION guard\."?(\w+)"?\(')


def record_is_sealed(table: str, history: str) -> str:
    """The function behind the deferred guard of a table of records: refuses the commit of a version without audit row or without its very copy in history.

    The history row names who changed it, when and why as the entry does that cites it: rules and pages read them there, and no digest covers them.
    """
    return f"""
CREATE OR REPLACE FUNCTION guard."sealed_{table}"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
DECLARE kept jsonb; found_rows int; said record;
BEGIN
  SELECT e.by_id, e.reason, e.at, e.wall INTO said FROM public.mes_auditrow a JOIN public.mes_auditentry e ON e.id = a.entry_id
  WHERE a.row_id = NEW.id AND a.version = NEW.version AND a."table" = TG_TABLE_NAME AND a.tx = pg_current_xact_id();
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Cartulary refuses the commit: % % version % has no audit row', TG_TABLE_NAME, NEW.id, NEW.version USING ERRCODE = 'CT003';
  END IF;
  SELECT count(*), (array_agg(to_jsonb(h)))[1] INTO found_rows, kept FROM public."{history}" h WHERE h.id = NEW.id AND h.version = NEW.version;
  IF found_rows <> 1 THEN
    RAISE EXCEPTION 'Cartulary refuses the commit: % % version % has % history rows', TG_TABLE_NAME, NEW.id, NEW.version, found_rows USING ERRCODE = 'CT003';
  END IF;
  IF kept - ARRAY['history_id','history_date','history_change_reason','history_type','history_user_id'] <> to_jsonb(NEW) - 'tx' THEN
    RAISE EXCEPTION 'Cartulary refuses the commit: the history row of % % differs from the record', TG_TABLE_NAME, NEW.id USING ERRCODE = 'CT003';
  END IF;
  -- The time is that at which the deed was opened; where the clock is a simulated one, it may have been moved since.
  IF found_rows = 1 AND (kept->>'history_user_id' IS DISTINCT FROM said.by_id::text OR kept->>'history_change_reason' NOT IN ('', said.reason)
     OR kept->>'history_type' <> (CASE WHEN NEW.version = 1 THEN '+' ELSE '~' END) OR (kept->>'history_date')::timestamptz > said.at
     OR ((kept->>'history_date')::timestamptz < transaction_timestamp() AND abs(extract(epoch FROM said.at - said.wall)) < 1)) THEN
    RAISE EXCEPTION 'Cartulary refuses the commit: the history row of % % does not say what its entry says', TG_TABLE_NAME, NEW.id USING ERRCODE = 'CT003';
  END IF;
  RETURN NULL;
END $$"""  # noqa: S608 - names of our own tables


def comparable(text: str | None) -> str:
    """A condition as it is compared: the database writes it back with brackets, names, types and capitals of its own."""
    return re.sub(r"\s|[()]|AS current_site|::\w+", "", text or "").lower()


def _expected(statements: str) -> dict[str, tuple[str, bool, bool]]:
    """Of each function of these statements: its body, whether it acts with its owner's rights, whether it names its search path."""
    found = {}
    for part in re.split(r"^(?=CREATE OR REPLACE FUNCTION guard)", statements, flags=re.MULTILINE):
        name = HEAD.match(part)
        if name is None:
            continue
        head, quoted, rest = part.partition("AS $$")
        body = rest.partition("$$")[0] if quoted else comparable(part[part.index("\nRETURN ") :].partition(";")[0])
        head = head if quoted else head.partition("\nRETURN ")[0]
        found[name[1]] = (body, "SECURITY DEFINER" in head, "SET search_path" in head)
    return found


def altered(cursor, more: Iterable[str]) -> list[str]:
    """Functions of the guards that are missing, say something else than guards.sql and `more`, act with other rights, or are none of ours."""
    wanted = _expected(SQL_FILE.read_text(encoding="utf-8"))
    for statement in more:
        wanted |= _expected(statement.strip())
    cursor.execute(
        "SELECT p.proname, CASE WHEN p.prosqlbody IS NULL THEN p.prosrc ELSE pg_get_function_sqlbody(p.oid) END, p.prosqlbody IS NOT NULL, p.prosecdef,"
        " coalesce(array_to_string(p.proconfig, ' '), '') LIKE '%search_path=%' FROM pg_proc p"
        " WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'guard') ORDER BY p.oid"
    )
    have: dict[str, tuple[str, bool, bool]] = {}
    strange = []
    for name, body, parsed, definer, path in cursor.fetchall():
        if name in have or name not in wanted:
            strange.append(f"function guard.{name} is not ours")  # a second one of this name would be another function
        have.setdefault(name, (comparable(body) if parsed else body, definer, path))  # the oldest is the one that was there first
    findings = [f"function guard.{name} is {'altered' if name in have else 'missing'}" for name in sorted(wanted) if have.get(name) != wanted[name]]
    return findings + sorted(strange)
