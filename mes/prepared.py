"""Statements of every deed: parsed and planned once on a connection, then only run, with their values beside them.

The ORM writes the values into the text of a statement, so that PostgreSQL reads and plans each one anew. What is run here gives the same
errors and is counted like any other statement; its text must not depend on its values.
"""

from __future__ import annotations

from django.db import connections
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.backends.utils import CursorDebugWrapper, CursorWrapper

AFTER = 2
"""Runs on a connection before a plan is kept: what is asked once or twice is not worth a question more."""


def cursor(using: str) -> CursorWrapper:
    """A cursor on this database whose statements are prepared."""
    connection = connections[using]
    connection.ensure_connection()
    if connection.connection.prepare_threshold is None:
        connection.connection.prepare_threshold = AFTER  # concerns only cursors like this one: the ORM's have no values to bind
    connection.validate_thread_sharing()
    return (_Counting if connection.queries_logged else CursorWrapper)(ServerBindingCursor(connection.connection), connection)


class _Counting(CursorDebugWrapper):
    """Notes the statement as it was given: inside a pipeline the cursor does not know yet what it asked."""

    def execute(self, sql, params=None):
        with self.debug_sql(sql, params):
            return CursorWrapper.execute(self, sql, params)
