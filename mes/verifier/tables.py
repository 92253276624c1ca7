"""What nobody cites: rows without an entry, records that differ from their last version, entries' rows without an entry."""

from __future__ import annotations

from psycopg import sql

from .database import Guarded, Snapshot
from .findings import MOST_KEPT, Finding, Report

#: Types whose equal values may be written differently (1.0 and 1.00): compared as text.
AS_TEXT = {"numeric", "jsonb", "json"}


#: What stands in a row now, in one number: a further change of a broken row is told apart from the first.
NOW = "encode(sha256(convert_to(t::text, 'UTF8')), 'hex')"


def check(snapshot: Snapshot, report: Report, site: str | None = None) -> None:
    """Goes over every table of records and facts, and over the audit rows themselves; of one site, where one is given."""
    # Tables that were just filled have no statistics, and a nested loop over them never ends.
    snapshot.connection.execute("SELECT set_config('enable_nestloop', 'off', true)")
    for guarded in snapshot.guarded().values():
        if guarded.history:
            _uncited(snapshot, report, guarded.name, guarded.history, "t.version", site)
            _lost_records(snapshot, report, guarded, site)
            _live_records(snapshot, report, guarded, site)
        else:
            _uncited(snapshot, report, guarded.name, guarded.name, "1", site)
    _orphans(snapshot, report, site)


def _of(site: str | None, alias: str) -> sql.Composable:
    return sql.SQL(" AND {} = {}::uuid").format(sql.Identifier(alias, "site_id"), sql.Literal(site)) if site else sql.SQL("")


def _uncited(snapshot: Snapshot, report: Report, table: str, source: str, version: str, site: str | None) -> None:
    statement = sql.SQL(
        "SELECT t.id, {version}, {now} FROM {source} t WHERE NOT EXISTS (SELECT 1 FROM mes_auditrow a WHERE a.row_id = t.id"
        ' AND a.version = {version} AND a."table" = {table}){of} ORDER BY 1, 2'
    ).format(version=sql.SQL(version), now=sql.SQL(NOW), source=sql.Identifier(source), table=sql.Literal(table), of=_of(site, "t"))
    for row_id, number, now in snapshot.stream(statement):
        _add(snapshot, report, "uncited", table, row_id, int(number), f"no entry cites this row of {source}", now)


def _lost_records(snapshot: Snapshot, report: Report, guarded: Guarded, site: str | None) -> None:
    statement = sql.SQL(
        "SELECT h.id, max(h.version) FROM {history} h WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.id = h.id){of} GROUP BY h.id ORDER BY 1"
    ).format(history=sql.Identifier(guarded.history), table=sql.Identifier(guarded.name), of=_of(site, "h"))
    for row_id, version in snapshot.stream(statement):
        _add(snapshot, report, "missing", guarded.name, row_id, int(version), "its versions are kept, the record is gone")


def _live_records(snapshot: Snapshot, report: Report, guarded: Guarded, site: str | None) -> None:
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
        "SELECT t.id, t.version, h.version, concat_ws(', ', {named}), {now} FROM {table} t LEFT JOIN"
        " (SELECT DISTINCT ON (v.id) v.* FROM {history} v ORDER BY v.id, v.version DESC) h ON h.id = t.id"
        " WHERE (h.id IS NULL OR {differs}){of} ORDER BY 1"
    ).format(
        of=_of(site, "t"),
        now=sql.SQL(NOW),
        named=named,
        table=sql.Identifier(guarded.name),
        history=sql.Identifier(guarded.history),
        differs=sql.SQL(" OR ").join(differs),
    )
    for row_id, version, kept, columns, now in snapshot.stream(statement):
        if kept is None:
            _add(snapshot, report, "uncited", guarded.name, row_id, int(version), "the record has no kept version", now)
        else:
            sentence = f"the record differs from its last kept version ({kept}) in {columns}"
            _add(snapshot, report, "edit", guarded.name, row_id, int(version), sentence, now)


def _differs(name: str, kind: str) -> sql.Composable:
    cast = sql.SQL("::text") if kind in AS_TEXT else sql.SQL("")
    return sql.SQL("{}{} IS DISTINCT FROM {}{}").format(sql.Identifier("t", name), cast, sql.Identifier("h", name), cast)


def _orphans(snapshot: Snapshot, report: Report, site: str | None) -> None:
    statement = sql.SQL(
        'SELECT a."table", a.row_id, a.version FROM mes_auditrow a'
        " WHERE NOT EXISTS (SELECT 1 FROM mes_auditentry e WHERE e.id = a.entry_id){of} ORDER BY a.id"
    )
    for table, row_id, version in snapshot.stream(statement.format(of=_of(site, "a"))):
        _add(snapshot, report, "missing", table, row_id, int(version), "the entry of this audit row is not there")


def _add(snapshot: Snapshot, report: Report, kind: str, table: str, row_id: str, version: int, sentence: str, now: str = "") -> None:
    """Names the stream that other versions of the row belong to, where there is one."""
    stream = ""
    if report.findings.total < MOST_KEPT:  # the rest is counted only
        cited = snapshot.rows(
            'SELECT entry_id FROM mes_auditrow WHERE row_id = %s AND "table" = %s ORDER BY version DESC LIMIT 1', [row_id, table]
        )
        known = snapshot.rows("SELECT stream FROM mes_auditentry WHERE id = %s", [cited[0][0]]) if cited else []
        stream = known[0][0] if known else ""
    report.findings.add(Finding(kind, stream, sentence, table=table, row_id=row_id, version=version, now=now))
