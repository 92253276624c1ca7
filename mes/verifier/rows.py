"""What the entries cite: the audit rows beside them, and the rows of records and facts behind those."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass

from psycopg import sql

from . import canon
from .chain import Entry
from .database import Guarded, Snapshot
from .findings import Report


@dataclass(frozen=True)
class Cited:
    """A row as an entry's bytes cite it."""

    entry: Entry
    table: str
    row_id: str
    version: int
    schema: str
    digest: str

    @property
    def key(self) -> tuple:
        return (self.table, self.row_id, self.version, self.schema, self.digest)

    def finding(self, kind: str, sentence: str, now: str = ""):
        return self.entry.finding(kind, sentence, table=self.table, row_id=self.row_id, version=self.version, now=now)


class RowCheck:
    """Compares cited digests with the rows as they stand, a batch of entries at a time."""

    def __init__(self, snapshot: Snapshot, report: Report):
        self.snapshot, self.report = snapshot, report
        self.tables = snapshot.guarded()
        self.schemas: dict[str, tuple[str, tuple[str, ...]]] = {}
        for name, table, columns in snapshot.rows('SELECT id, "table", columns FROM mes_rowschema'):
            names = tuple(sorted(canon.json.loads(columns)))
            if canon.schema_id(table, names) == name:  # another list under this id is no list of this id
                self.schemas[name] = (table, names)

    def check(self, batch: list[Entry]) -> None:
        """The audit rows and the cited rows of one batch."""
        cited = [
            Cited(entry, row[0], row[1], int(row[2]), row[3], row[4])
            for entry in batch
            if entry.said is not None and all(isinstance(row, list) and len(row) == 5 for row in entry.said.get("rows", ()))
            for row in entry.said["rows"]
        ]
        self.report.cited += len(cited)
        self._audit_rows([entry for entry in batch if entry.said is not None], cited)
        by_schema: dict[tuple[str, str], list[Cited]] = defaultdict(list)
        for one in cited:
            by_schema[one.table, one.schema].append(one)
        for (table, schema), several in sorted(by_schema.items()):
            self._rows(table, schema, several)

    # --- the audit rows -----------------------------------------------------------------------------------------------

    def _audit_rows(self, batch: list[Entry], cited: list[Cited]) -> None:
        """The rows of mes_auditrow must say exactly what the bytes of their entry say."""
        stored: dict[str, dict[tuple, tuple]] = defaultdict(dict)
        for entry_id, table, row_id, version, schema, digest in self.snapshot.rows(
            'SELECT entry_id, "table", row_id, version, schema, digest FROM mes_auditrow WHERE entry_id = ANY (%s::uuid[])',
            [[entry.id for entry in batch]],
        ):
            stored[entry_id][table, row_id, int(version)] = (schema, canon.binary(digest))
        for one in cited:
            found = stored[one.entry.id].pop((one.table, one.row_id, one.version), None)
            if found is None:
                self.report.findings.add(one.finding("missing", "its audit row is not there"))
            elif found != (one.schema, one.digest):
                self.report.findings.add(one.finding("edit", "its audit row is not what the entry's bytes say", ":".join(found)))
        for entry in batch:
            for (table, row_id, version), more in stored[entry.id].items():
                self.report.findings.add(
                    entry.finding(
                        "uncited",
                        "this audit row was added to an entry that does not cite it",
                        table=table,
                        row_id=row_id,
                        version=version,
                        now=":".join(more),
                    )
                )

    # --- the rows behind them -----------------------------------------------------------------------------------------

    def _rows(self, table: str, schema: str, cited: list[Cited]) -> None:
        guarded, known = self.tables.get(table), self.schemas.get(schema)
        if guarded is None:
            self._all(cited, "missing", "there is no such table")
            return
        if known is None or known[0] != table:
            self._all(cited, "missing", f"the column list {schema} is not there or was changed")
            return
        lost = [name for name in known[1] if name not in (guarded.history_columns or guarded.columns)]
        if lost:
            self._all(cited, "missing", f"its columns {', '.join(lost)} are gone")
            return
        found = self._digests(guarded, known[1], cited)
        for number, one in enumerate(cited):
            digests = found.get(number)
            if digests is None:
                self.report.findings.add(one.finding("missing", "the row it cites is not there"))
            elif len(digests) > 1:
                self.report.findings.add(one.finding("fork", f"the row it cites is there {len(digests)} times", ",".join(sorted(digests))))
            elif digests[0] != one.digest:
                self.report.findings.add(one.finding("edit", "the row's values are not those that were sealed", digests[0]))
            self.report.rows += 1
        if guarded.history:
            self._said_beside(guarded, cited)

    def _all(self, cited: list[Cited], kind: str, sentence: str) -> None:
        for one in cited:
            self.report.findings.add(one.finding(kind, sentence))

    def _digests(self, guarded: Guarded, columns: tuple[str, ...], cited: list[Cited]) -> dict[int, list[str]]:
        """Digests of the rows that are there, by the number of the citation. A fact has one version, itself."""
        source = sql.Identifier(guarded.history or guarded.name)
        version = sql.SQL(" AND t.version = k.version") if guarded.history else sql.SQL(" AND k.version = 1")
        statement = sql.SQL("SELECT k.n, {} FROM unnest(%s::uuid[], %s::int[], %s::int[]) AS k(id, version, n) JOIN {} t ON t.id = k.id{}").format(
            sql.SQL(", ").join(sql.Identifier("t", name) for name in columns), source, version
        )
        values = [[one.row_id for one in cited], [one.version for one in cited], list(range(len(cited)))]
        found: dict[int, list[str]] = {}
        with self.snapshot.connection.cursor() as cursor:
            cursor.execute(statement, values)
            convert = [canon.converter(column.type_code) for column in cursor.description[1:]]
            for number, *texts in cursor:
                found.setdefault(int(number), []).append(_digest(columns, texts, convert))
        return found

    def _said_beside(self, guarded: Guarded, cited: list[Cited]) -> None:
        """What a version says beside the record's own columns (who, when, why) is under no digest: it has to be what the entry's bytes say."""
        lost = [name for name in BESIDE if name not in guarded.history_columns]
        if lost:
            self._all(cited, "missing", f"its columns {', '.join(lost)} are gone")
            return
        statement = sql.SQL(
            "SELECT k.n, {} FROM unnest(%s::uuid[], %s::int[], %s::int[]) AS k(id, version, n) JOIN {} t ON t.id = k.id AND t.version = k.version"
        )
        values = [[one.row_id for one in cited], [one.version for one in cited], list(range(len(cited)))]
        with self.snapshot.connection.cursor() as cursor:
            cursor.execute(statement.format(sql.SQL(", ").join(sql.Identifier("t", name) for name in BESIDE), sql.Identifier(guarded.history)), values)
            for number, *texts in cursor:
                one = cited[int(number)]
                wrong = _differs(*texts, one)
                if wrong:
                    self.report.findings.add(one.finding("edit", f"its version names {wrong} than the entry does", ", ".join(map(str, texts))))


BESIDE = ("history_user_id", "history_change_reason", "history_date", "history_type")
LONGEST_DEED = dt.timedelta(hours=1)
"""A version says when its deed was opened, the entry when it was closed."""


def _differs(who: str | None, why: str | None, when: str | None, kind: str | None, one: Cited) -> str:
    """What of a version is not what the entry says, in words, or "". Where the record clock is a simulated one it may have been moved in between."""
    said = one.entry.said or {}
    by = said.get("by")
    if who != (by.get("id") if isinstance(by, dict) else None):
        return "another person"
    if why not in ("", said.get("reason")):
        return "another reason"
    if kind != ("+" if one.version == 1 else "~"):
        return "another kind of change"
    try:
        opened, closed, wall = (dt.datetime.fromisoformat(text) for text in (canon.instant(when or ""), str(said.get("at")), str(said.get("wall"))))
        took, moved = closed - opened, abs(closed - wall) > dt.timedelta(seconds=1)
    except (ValueError, TypeError):
        return "another time"
    return "another time" if took < dt.timedelta() or (took > LONGEST_DEED and not moved) else ""


def _digest(columns: tuple[str, ...], texts: list, convert: list) -> str:
    try:
        return canon.row_digest({name: None if text is None else turn(text) for name, text, turn in zip(columns, texts, convert, strict=True)})
    except canon.Unreadable:
        return "no sealed form"
