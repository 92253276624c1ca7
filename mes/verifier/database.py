"""Reading the database: one snapshot, plain text of every value, cursors that never hold more than a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader

from .findings import CannotVerify

BATCH = 4000

#: What PostgreSQL writes must not depend on the server's settings. Every row is read: plans for the whole, in memory that a small server has.
SETTINGS = """
SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true), set_config('bytea_output', 'hex', true),
  set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true),
  set_config('cursor_tuple_fraction', '1.0', true), set_config('work_mem', '64MB', true)"""
SHUNNED = "ARRAY['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']"


@dataclass(frozen=True)
class Guarded:
    """A table of records (with the table of their versions) or of facts (`history` is "")."""

    name: str
    columns: tuple[str, ...]
    history: str = ""
    history_columns: tuple[str, ...] = ()


class Snapshot:
    """The database as it stood at one moment, read-only."""

    def __init__(self, url: str, same_as: str = ""):
        """`same_as` is the mark of another connection's snapshot: this one then sees the same moment."""
        try:
            self.connection = psycopg.connect(url, application_name="cartulary-verify", connect_timeout=10)
        except psycopg.OperationalError as error:
            raise CannotVerify(f"The database does not answer: {error}") from error
        connection = self.connection
        for known in psycopg.adapters.types:
            connection.adapters.register_loader(known.oid, TextLoader)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        if same_as:
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(same_as)))
        connection.execute(SETTINGS)
        try:
            self._check_role()
        except psycopg.Error as error:
            connection.close()
            raise CannotVerify(f"This database holds no audit trail that can be read: {error}") from error

    def _check_role(self) -> None:
        """Row security must hide nothing: a role that sees half of the rows would call the other half missing."""
        hidden = self.rows(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND row_security_active(c.oid)"
            " AND NOT EXISTS (SELECT 1 FROM pg_policies p WHERE p.schemaname = 'public' AND p.tablename = c.relname"
            " AND p.permissive = 'PERMISSIVE' AND p.cmd IN ('SELECT', 'ALL') AND p.qual = 'true'"
            " AND (current_user = ANY (p.roles) OR 'public' = ANY (p.roles))) ORDER BY 1 LIMIT 1"
        )
        if hidden:
            self.connection.close()
            raise CannotVerify(f"This role does not see every row (first of {hidden[0][0]}). Use the address of cartulary_verifier.")

    def mark(self) -> str:
        """What lets other connections see the same moment, for as long as this one stays open."""
        return self.rows("SELECT pg_export_snapshot()")[0][0]

    def few_of_many(self) -> None:
        """From here on a few entries of a long trail are asked for: through the index, which no plan for the whole would do.

        A plan that shuns what is switched off has so high a price that PostgreSQL would compile it, for longer than it runs.
        """
        self.connection.execute(f"SELECT set_config(name, 'off', true) FROM unnest({SHUNNED}) AS name")  # noqa: S608 - fixed names

    def all_again(self) -> None:
        """From here on whole tables are read: takes back what few_of_many() did."""
        self.connection.execute(f"SELECT set_config(name, 'on', true) FROM unnest({SHUNNED}) AS name")  # noqa: S608 - fixed names

    def close(self) -> None:
        self.connection.close()

    def rows(self, statement: str | sql.Composable, values=()) -> list[tuple]:
        return self.connection.execute(statement, values or None).fetchall()

    def stream(self, statement: str | sql.Composable, values=(), *, name: str = "verify") -> Iterator[tuple]:
        """Rows of a long result, a batch at a time (a cursor of the server)."""
        with self.connection.cursor(name=name) as cursor:
            cursor.itersize = BATCH
            cursor.execute(statement, values or None)
            yield from cursor

    def guarded(self) -> dict[str, Guarded]:
        """Every table of records and facts, found by its columns and not by what the product says."""
        columns: dict[str, list[str]] = {}
        for table, column in self.rows(
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attname"
        ):
            columns.setdefault(table, []).append(column)
        found = {}
        for table, names in columns.items():
            if not {"id", "site_id", "recorded_at", "tx"} <= set(names):
                continue
            history = f"{table}history"
            kept = columns.get(history, [])
            is_record = {"history_id", "id", "version"} <= set(kept)
            found[table] = Guarded(table, tuple(names), history if is_record else "", tuple(kept) if is_record else ())
        return found
