"""What nobody cites: rows without an entry, records that differ from their last version, entries' rows without an entry."""

from __future__ import annotations

from psycopg import sql

from .database import Guarded, Snapshot
from .findings import MOST_KEPT, Finding, Report

#: Types whose equal values may be written differently (1.0 and 1.00): compared as text.
AS_TEXT = {"numeric", "jsonb", "json"}


def check(snapshot: Snapshot, report: Report) -> None:
    """Goes over every table of records and facts, and over the audit rows themselves."""
    # Tables that were just filled have no statistics, and a nested loop over them never ends.
    snapshot.connection.execute("SELECT set_config('enable_nestloop', 'off', true)")
    for guarded in snapshot.guarded().values():
        if guarded.history:
            _uncited(snapshot, report, guarded.name, guarded.history, "t.version")
            _lost_records(snapshot, report, guarded)
            _live_records(snapshot, report, guarded)
        else:
            _uncited(snapshot, report, guarded.name, guarded.name, "1")
    _orphans(snapshot, report)


def _uncited(snapshot: Snapshot, report: Report, table: str, source: str, version: str) -> None:
    statement = sql.SQL(
        "SELECT t.id, {version} FROM {source} t WHERE NOT EXISTS (SELECT 1 FROM mes_auditrow a WHERE a.row_id = t.id"
        ' AND a.version = {version} AND a."table" = {table}) ORDER BY 1, 2'
    ).format(version=sql.SQL(version), source=sql.Identifier(source), table=sql.Literal(table))
    for row_id, number in snapshot.stream(statement):
        _add(snapshot, report, "uncited", table, row_id, int(number), f"no entry cites this row of {source}")


def _lost_records(snapshot: Snapshot, report: Report, guarded: Guarded) -> None:
    statement = sql.SQL(
        "SELECT h.id, max(h.version) FROM {history} h WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.id = h.id) GROUP BY h.id ORDER BY 1"
    ).format(history=sql.Identifier(guarded.history), table=sql.Identifier(guarded.name))
    for row_id, version in snapshot.stream(statement):
        _add(snapshot, report, "missing", guarded.name, row_id, int(version), "its versions are kept, the record is gone")


def _live_records(snapshot: Snapshot, report: Report, guarded: Guarded) -> None:
    """The record that people see must be its last kept version, column by column."""
    types = dict(
        snapshot.rows(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s",
            [guarded.name],
        )
    )
    common = [name for name in guarded.columns if name != "tx" and name in guarded.history_columns]
    differs = [_differs(name, types[name]) for name in common]
    named = sql.SQL(", ").join(
        sql.SQL("CASE WHEN {} THEN {} END").format(condition, sql.Literal(name)) for name, condition in zip(common, differs, strict=True)
    )
    statement = sql.SQL(
        "SELECT t.id, t.version, h.version, concat_ws(', ', {named}) FROM {table} t LEFT JOIN"
        " (SELECT DISTINCT ON (v.id) v.* FROM {history} v ORDER BY v.id, v.version DESC) h ON h.id = t.id"
        " WHERE h.id IS NULL OR {differs} ORDER BY 1"
    ).format(
        named=named,
        table=sql.Identifier(guarded.name),
        history=sql.Identifier(guarded.history),
        differs=sql.SQL(" OR ").join(differs),
    )
    for row_id, version, kept, columns in snapshot.stream(statement):
        if kept is None:
            _add(snapshot, report, "uncited", guarded.name, row_id, int(version), "the record has no kept version")
        else:
            sentence = f"the record differs from its last kept version ({kept}) in {columns}"
            _add(snapshot, report, "edit", guarded.name, row_id, int(version), sentence)


def _differs(name: str, kind: str) -> sql.Composable:
    cast = sql.SQL("::text") if kind in AS_TEXT else sql.SQL("")
    return sql.SQL("{}{} IS DISTINCT FROM {}{}").format(sql.Identifier("t", name), cast, sql.Identifier("h", name), cast)


def _orphans(snapshot: Snapshot, report: Report) -> None:
    for table, row_id, version in snapshot.stream(
        'SELECT a."table", a.row_id, a.version FROM mes_auditrow a WHERE NOT EXISTS (SELECT 1 FROM mes_auditentry e WHERE e.id = a.entry_id) ORDER BY a.id'
    ):
        _add(snapshot, report, "missing", table, row_id, int(version), "the entry of this audit row is not there")


def _add(snapshot: Snapshot, report: Report, kind: str, table: str, row_id: str, version: int, sentence: str) -> None:
    """Names the stream that other versions of the row belong to, where there is one."""
    stream = ""
    if report.findings.total < MOST_KEPT:  # the rest is counted only
        cited = snapshot.rows(
            'SELECT entry_id FROM mes_auditrow WHERE row_id = %s AND "table" = %s ORDER BY version DESC LIMIT 1', [row_id, table]
        )
        known = snapshot.rows("SELECT stream FROM mes_auditentry WHERE id = %s", [cited[0][0]]) if cited else []
        stream = known[0][0] if known else ""
    report.findings.add(Finding(kind, stream, sentence, table=table, row_id=row_id, version=version))
