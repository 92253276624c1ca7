"""The rows in an evidence file: against the digests that entries sealed, against each other, and what is signed and attached."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from . import enrolments, signatures
from .canon import row_digest, schema_id
from .findings import Finding, Report
from .keys import Keys


@dataclass
class Row:
    """A row as the file holds it; `columns` are in sealed text, bytes in hexadecimal."""

    table: str
    id: str
    version: int
    schema: str
    columns: dict
    seq: int = 0
    named: tuple[str, ...] = ()
    """The members that hold bytes of it."""


class RowsOfFile:
    """rows.jsonl and live.jsonl with the members they name."""

    def __init__(self, members: dict[str, bytes], stream: str, entries: list[dict], sites: dict, keys: Keys, report: Report):
        self.members, self.stream, self.entries, self.sites, self.keys, self.report = members, stream, entries, sites, keys, report
        self.schemas: dict[str, tuple[str, set[str]]] = {}
        self.rows: dict[tuple[str, str, int], Row] = {}
        self.named: set[str] = set()
        self.signed: list[dict] = []
        """The content of every signature, as it was signed."""
        self.unenrolled = 0
        """Signatures with a passkey of which the file holds no enrolment."""

    def add(self, kind: str, sentence: str, row: Row | None = None) -> None:
        place = {} if row is None else {"seq": row.seq or None, "table": row.table, "row_id": row.id, "version": row.version}
        self.report.findings.add(Finding(kind, self.stream, sentence, **place))

    def check(self) -> None:
        self._schemas()
        for row in self._read("rows.jsonl"):
            if self.rows.setdefault((row.table, row.id, row.version), row) is not row:
                self.add("fork", "the row is there twice", row)
        last = self._cited()
        self._live(last)
        self._attached()
        self._signatures()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _lines(self, member: str) -> Iterator[tuple[int, dict]]:
        for number, line in enumerate(self.members.get(member, b"").splitlines(), start=1):
            try:
                said = json.loads(line)
                if not isinstance(said, dict):
                    raise ValueError("no object")
            except ValueError as error:
                self.add("edit", f"line {number} of {member} cannot be read: {error}")
                continue
            yield number, said

    def _schemas(self) -> None:
        for number, said in self._lines("schemas.jsonl"):
            try:
                name, table, columns = said["id"], said["table"], said["columns"]
                if schema_id(table, columns) != name:
                    raise ValueError("it does not give its id")
                self.schemas[name] = (table, set(columns))
            except (ValueError, KeyError, TypeError) as error:
                self.add("edit", f"the column list in line {number} of schemas.jsonl cannot be used: {error}")

    def _read(self, member: str) -> Iterator[Row]:
        for number, said in self._lines(member):
            try:
                named: list[str] = []
                columns = {str(name): self._value(value, named) for name, value in said["columns"].items()}
                yield Row(str(said["table"]), str(said["id"]), int(said["version"]), str(said.get("schema", "")), columns, named=tuple(named))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.add("edit", f"the row in line {number} of {member} cannot be read: {error}")

    def _value(self, value, named: list[str]):
        """A value in sealed text; {"file": name} stands for the bytes of that member."""
        if value is None or isinstance(value, bool | str):
            return value
        name = value["file"]
        named.append(name)
        self.named.add(name)
        content = self.members.get(name)
        return None if content is None else content.hex()

    # --- against the entries ------------------------------------------------------------------------------------------

    def _cited(self) -> dict[tuple[str, str], Row]:
        """Each cited row is there and gives its digest; returns the last version of each record."""
        last: dict[tuple[str, str], Row] = {}
        cited = set()
        for said in self.entries:
            for table, row_id, version, schema, digest in said["rows"]:
                self.report.cited += 1
                key = (table, row_id, int(version))
                cited.add(key)
                row = self.rows.get(key)
                if row is None:
                    self.add("missing", "the row it cites is not there", Row(*key, schema, {}, int(said["seq"])))
                    continue
                row.seq = int(said["seq"])
                self._digest(row, schema, digest)
                before = last.get((table, row_id))
                if "version" in self.schemas.get(schema, ("", set()))[1] and (before is None or key[2] > before.version):
                    last[table, row_id] = row
        for key in self.rows.keys() - cited:
            self.add("uncited", "no entry cites this row", self.rows[key])
        return last

    def _digest(self, row: Row, schema: str, digest: str) -> None:
        table, columns = self.schemas.get(schema, ("", set()))
        self.report.rows += 1
        lost = [name for name in row.named if name not in self.members]
        if lost:
            self.add("missing", f"its file {lost[0]} is not there", row)
        elif table != row.table or columns != set(row.columns) or row.schema != schema:
            self.add("edit", "it does not have the columns that were sealed", row)
        elif row_digest(row.columns) != digest:
            what = f" (a column of it lies in {row.named[0]})" if row.named else ""
            self.add("edit", f"the row's values are not those that were sealed{what}", row)
        elif row.columns.get("id") != row.id or int(row.columns.get("version") or 1) != row.version:
            self.add("swap", "it stands in the place of another row", row)

    def _live(self, last: dict[tuple[str, str], Row]) -> None:
        """The records that people saw when the file was made must be their last versions, column by column."""
        there = {}
        for row in self._read("live.jsonl"):
            kept = last.get((row.table, row.id))
            row.seq = kept.seq if kept else 0
            there[row.table, row.id] = row
            if kept is None:
                self.add("uncited", "the record has no version that an entry cites", row)
                continue
            differing = sorted(name for name in row.columns.keys() | kept.columns.keys() if row.columns.get(name) != kept.columns.get(name))
            if differing:
                self.add("edit", f"the record differs from its last version ({kept.version}) in {', '.join(differing)}", row)
        for key in last.keys() - there.keys():
            self.add("missing", "its versions are kept, the record is gone", last[key])

    # --- files and signatures -----------------------------------------------------------------------------------------

    def _attached(self) -> None:
        """A row that keeps bytes under a column sha256 keeps the bytes of that digest: attachments, papers."""
        for row in self.rows.values():
            digest = row.columns.get("sha256")
            for name in row.named if isinstance(digest, str) else ():
                self.report.files += 1
                if hashlib.sha256(self.members.get(name, b"")).hexdigest() != digest:
                    self.add("edit", f"the file {name} does not give its digest", row)

    def _signatures(self) -> None:
        beside: dict[tuple[str, str], Row] = {}
        enrolled = self._enrolments()
        for row in self.rows.values():
            if row.table in ("mes_signaturepayload", "mes_signatureseal", "mes_signatureassertion"):
                beside[row.table, str(row.columns.get("signature_id"))] = row
        for row in self.rows.values():
            if row.table != "mes_signature":
                continue
            self.report.signatures += 1
            payload, seal, assertion = (beside.get((f"mes_signature{each}", row.id)) for each in ("payload", "seal", "assertion"))
            try:
                content = None if payload is None else bytes.fromhex(payload.columns["content"])
                site = self.sites.get(str(row.columns["site_id"]), "")
                for kind, sentence in signatures.check(row.columns, content, seal and seal.columns, site, self.keys, assertion and assertion.columns):
                    self.add(kind, sentence, row)
            except (ValueError, KeyError, TypeError) as error:
                self.add("edit", f"the signature cannot be read: {error}", row)
                continue
            self._remember(content)
            self._enrolment(row, assertion, enrolled)
        if self.unenrolled:
            many = "" if self.unenrolled == 1 else "s"
            self.report.unchecked.append(f"who enrolled the passkey of {self.unenrolled} signature{many} (the file holds no enrolment of it)")

    def _enrolments(self) -> dict[str, enrolments.Enrolment]:
        found, broken = enrolments.read(self.members.get("enrolments.jsonl", b""), self.sites, self.keys)
        for sentence in broken:
            self.add("unproven", sentence)
        return found

    def _enrolment(self, row: Row, assertion: Row | None, enrolled: dict[str, enrolments.Enrolment]) -> None:
        """A passkey that signed was enrolled by the signer. Files of an earlier day, and those of a key enrolled at another site, hold no enrolment."""
        if assertion is None:
            return
        enrolment = enrolled.get(str(assertion.columns.get("passkey_id")))
        if enrolment is None:
            self.unenrolled += 1
            return
        for kind, sentence in enrolments.check(enrolment, row.columns, assertion.columns):
            self.add(kind, sentence, row)

    def _remember(self, content: bytes | None) -> None:
        try:
            said = json.loads(content or b"")["content"]
        except (ValueError, KeyError, TypeError):
            return  # named already: such bytes do not give the signed digest
        if isinstance(said, dict):
            self.signed.append(said)
