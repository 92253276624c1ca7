"""The trail in words: one line per changed field of a record, one per new record, one per fact.

What an app has words for is said in them (mes.audit.wordings). All else, and everything where it is asked for exactly, is said generically over
models. There a model may say more about itself:
    audit_hidden = {"diagnosis"}       further columns whose values are never shown
    audit_left_out = {"limits"}        columns that would only repeat what another one says
    audit_said = {"kind": words}       columns that hold a code, with the function that says it
    audit_name                         property: what this row is called in a line ("Viability")
    audit_line() -> dict               for facts: any of what, field, old, new (texts), in place of the generic words
A fact with a foreign key `supersedes` to its own kind is read as a change of the one it supersedes.
"""

from __future__ import annotations

import datetime as dt
import decimal
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import models

from mes.audit.models import AuditEntry, AuditRow
from mes.audit.wordings import Cited, Words, counted, has_words, words_of
from mes.clock import day_words, moment_words, typed_words
from mes.words import is_code, plain, unit_words

NOT_SHOWN = "(not shown)"
HIDDEN = frozenset({"password", "pin", "secret", "token_digest"})
"""Columns whose values never leave the table, whatever the model. So do all columns of bytes: ciphertext, digests, payloads."""
LEFT_OUT = frozenset({"id", "site", "recorded_at", "tx", "version", "by", "stream_name"})
"""Columns that the entry itself says better. So do the id of the entry's own stream and its reason, wherever they stand."""

AS_TYPED = frozenset({"username", "file_name", "identifier", "number"})
"""Columns of names, which are never said in other words."""

UUID_IN_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CHUNK = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One change in words. `old` is empty for what is new."""

    what: str
    field: str
    old: str
    new: str
    table: str = ""
    row_id: uuid.UUID | None = None
    version: int = 1
    keys: dict = field(default_factory=dict, hash=False, compare=False)
    """Ids of the rows this one points to, by column ("step_run_id"): for grouping."""
    notable: bool = False
    """Whether a reviewer looks at it whatever the kind of act: a correction, a value past a limit."""
    where: str = ""
    """The step that it belongs to."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of a printed trail."""

    seq: int
    at: dt.datetime
    who: str
    username: str
    role: str
    what: str
    field: str
    old: str
    new: str
    why: str
    channel: str
    station: str
    event: str
    keys: dict = field(default_factory=dict, hash=False, compare=False)


def describe_all(entries: Sequence[AuditEntry], *, zone: str = "UTC", exact: bool = False) -> dict[uuid.UUID, list[Line]]:
    """The lines of many entries by entry id, with a handful of queries per table. Call it inside the site context.

    `exact` says every column as it is stored, without the words of a recipe: for what is read by machines.
    """
    rows: dict[uuid.UUID, list[AuditRow]] = {entry.pk: [] for entry in entries}
    for row in AuditRow.objects.filter(entry_id__in=list(rows)).order_by("id"):
        rows[row.entry_id].append(row)
    if exact:
        loaded = _Loaded([row for several in rows.values() for row in several], {entry.pk: entry for entry in entries}, ZoneInfo(zone))
        return {key: [line for row in several for line in loaded.lines(row)] for key, several in rows.items()}
    cited = Cited([row for several in rows.values() for row in several])
    return describe_rows(entries, rows, cited, words_of((entry.lot_id for entry in entries), zone), zone)


def describe_rows(
    entries: Sequence[AuditEntry], rows: Mapping[uuid.UUID, Sequence[AuditRow]], cited: Cited, words: Mapping[uuid.UUID | None, Words], zone: str
) -> dict[uuid.UUID, list[Line]]:
    """The same of entries whose cited rows, and the words of whose lots, are at hand."""
    rest = [row for entry in entries for row in rows[entry.pk] if not has_words(row.table)]
    loaded = _Loaded(rest, {entry.pk: entry for entry in entries}, ZoneInfo(zone), words)
    lines: dict[uuid.UUID, list[Line]] = {entry.pk: [] for entry in entries}
    for entry in entries:
        known = words.get(entry.lot_id) or words[None]
        for row in rows[entry.pk]:
            if has_words(row.table):
                where, said = known.where(cited.row(row)), cited.changes(known, row)
                lines[entry.pk] += [Line(each.what, "", each.old, each.new, row.table, row.row_id, row.version, {}, each.notable, where) for each in said]
            else:
                lines[entry.pk] += loaded.lines(row)
        lines[entry.pk] += [Line(each.what, "", "", each.new) for each in counted(rows[entry.pk])]
    return lines


def lines_of_stream(stream: str, *, zone: str = "UTC", chunk: int = CHUNK) -> Iterator[AuditLine]:
    """Every line of a stream from its first entry on, exactly as it is stored, read in chunks. Call it inside the site context.

    An entry whose rows this site may not see still gives one line, so that no entry is left out unseen.
    """
    after = 0
    while True:
        entries = list(AuditEntry.objects.filter(stream=stream, seq__gt=after).order_by("seq")[:chunk])
        if not entries:
            return
        lines = describe_all(entries, zone=zone, exact=True)
        for entry in entries:
            for line in lines[entry.pk] or [Line(event_words(entry.events), "", "", "")]:
                yield audit_line(entry, line)
        after = entries[-1].seq


@dataclass(frozen=True, slots=True)
class Standing:
    """How a cited row stood: its kind ("Entry"), its name, what is said of it, and every shown column. All are in words."""

    row: AuditRow
    kind: str
    name: str
    text: str
    fields: str


def states(rows: Sequence[AuditRow], entries: dict[uuid.UUID, AuditEntry], *, zone: str = "UTC") -> Iterator[Standing]:
    """Each cited row as it stood. Superseded facts are left out."""
    words = words_of((entry.lot_id for entry in entries.values()), zone)
    loaded, cited = _Loaded(rows, entries, ZoneInfo(zone), words), Cited(rows)
    gone = {getattr(fact, "supersedes_id", None) for key, fact in loaded.facts.items() if key in {(row.table, row.row_id) for row in rows}}
    for row in rows:
        model = _model_of(row.table)
        there = None
        if model is not None:
            there = loaded.versions.get((row.table, row.row_id, row.version)) if model.row_kind == "record" else loaded.facts.get((row.table, row.row_id))
        if there is None or (model.row_kind == "fact" and row.row_id in gone):
            continue
        kind = str(model._meta.verbose_name)
        known = words.get(getattr(there, "lot_id", None)) or words[None]
        named = ((field_label(one), loaded._text(model, one, there)) for one in _shown_fields(model) if one.name != "supersedes")
        fields = "; ".join(f"{label}: {text}" for label, text in named if text)
        said = "; ".join(f"{each.what}: {each.new}" if each.new else each.what for each in cited.stands(known, row))
        name = known.where(there) or getattr(there, "audit_name", "") or _borrowed_name(model, there)
        yield Standing(row, kind[:1].upper() + kind[1:], name, said or fields, fields if said else "")


def audit_line(entry: AuditEntry, line: Line) -> AuditLine:
    return AuditLine(
        entry.seq, entry.at, entry.by_name, entry.by_username, entry.role, line.what, line.field, line.old, line.new,
        entry.reason, entry.channel, entry.station, event_words(entry.events), line.keys,
    )  # fmt: skip


def event_words(events: Iterable[str]) -> str:
    """Events in words: "Grant given, signed"."""
    words = ", ".join(dict.fromkeys(event.rsplit(".", 1)[-1].replace("_", " ") for event in events))
    return words[:1].upper() + words[1:]


# --- rows -------------------------------------------------------------------------------------------------------------


@cache
def _model_of(table: str) -> type[models.Model] | None:
    return next((model for model in apps.get_models() if model._meta.db_table == table and hasattr(model, "row_kind")), None)


@cache
def _shown_fields(model: type[models.Model]) -> tuple[models.Field, ...]:
    without = LEFT_OUT | set(getattr(model, "audit_left_out", ()))
    return tuple(one for one in model._meta.concrete_fields if one.name not in without)


def _is_hidden(model: type[models.Model], one: models.Field) -> bool:
    return one.name in HIDDEN or isinstance(one, models.BinaryField) or one.name in getattr(model, "audit_hidden", ())


class _Loaded:
    """The rows that some entries cite, with their previous versions and the names of what they point to."""

    def __init__(self, cited: Sequence[AuditRow], entries: dict[uuid.UUID, AuditEntry], zone: ZoneInfo, words: Mapping | None = None):
        self.zone = zone
        self.words = words
        self.said = {key: {entry.stream.partition(":")[2], entry.reason} - {""} for key, entry in entries.items()}
        self.versions: dict[tuple[str, uuid.UUID, int], models.Model] = {}
        self.facts: dict[tuple[str, uuid.UUID], models.Model] = {}
        self.names: dict[tuple[type[models.Model], object], str] = {}
        self.called: dict[str, str] = {}
        by_table: dict[str, list[AuditRow]] = {}
        for row in cited:
            by_table.setdefault(row.table, []).append(row)
        for table, rows in by_table.items():
            model = _model_of(table)
            if model is None:
                continue
            if model.row_kind == "record":
                self._load_versions(table, model, rows)
            else:
                self._load_facts(table, model, {row.row_id for row in rows})
        self._load_names()
        self._load_called()

    def _load_versions(self, table: str, model, rows: Sequence[AuditRow]) -> None:
        wanted = {(row.row_id, version) for row in rows for version in (row.version, row.version - 1)}
        history = model.history.model.objects.filter(id__in={key for key, _ in wanted}, version__in={v for _, v in wanted})
        self.versions |= {(table, past.id, past.version): past for past in history}

    def _load_facts(self, table: str, model, keys: set[uuid.UUID]) -> None:
        found = {fact.pk: fact for fact in model._base_manager.filter(pk__in=keys)}
        before = {fact.supersedes_id for fact in found.values() if getattr(fact, "supersedes_id", None)} - set(found)
        found |= {fact.pk: fact for fact in model._base_manager.filter(pk__in=before)} if before else {}
        self.facts |= {(table, key): fact for key, fact in found.items()}

    def _load_names(self) -> None:
        wanted: dict[type[models.Model], set] = {}
        for row in (*self.versions.values(), *self.facts.values()):
            for one in row._meta.concrete_fields:
                if one.is_relation and getattr(row, one.attname) is not None:
                    wanted.setdefault(one.related_model, set()).add(getattr(row, one.attname))
        for model, keys in wanted.items():
            if model._meta.db_table in {"mes_site", "mes_auditentry"}:
                continue
            for target in model._base_manager.filter(pk__in=keys):
                self.names[(model, target.pk)] = row_name(target)

    def _load_called(self) -> None:
        """Names for ids that stand in texts, lists and objects, and not as links: whom a refused attempt was about, what an alert is about."""
        loose: set[str] = set()
        for row in (*self.versions.values(), *self.facts.values()):
            own = row.audit_line().values() if hasattr(row, "audit_line") else None
            for value in own if own is not None else (getattr(row, one.attname) for one in row._meta.concrete_fields if _may_hold_ids(one)):
                loose.update(UUID_IN_TEXT.findall(str(value)) if value else ())
        tables: dict[str, set[str]] = {}
        for table, key in AuditRow.objects.filter(row_id__in=loose).values_list("table", "row_id").distinct() if loose else ():
            tables.setdefault(table, set()).add(str(key))
        for table, keys in tables.items():
            model = _model_of(table)
            for target in model._base_manager.filter(pk__in=keys) if model is not None else ():
                self.called[str(target.pk)] = row_name(target) or f"{model._meta.verbose_name} …{uuid_end(target.pk)}"

    def _in_words(self, text: str) -> str:
        """A text without bare ids: what they name, else their last digits."""
        return UUID_IN_TEXT.sub(lambda found: self.called.get(found[0]) or f"…{uuid_end(found[0])}", text)

    def lines(self, row: AuditRow) -> list[Line]:
        model = _model_of(row.table)
        if model is None:
            return []
        if model.row_kind == "record":
            return self._record_lines(model, row)
        fact = self.facts.get((row.table, row.row_id))
        return self._fact_lines(model, row, fact) if fact is not None else []

    def _record_lines(self, model, row: AuditRow) -> list[Line]:
        now = self.versions.get((row.table, row.row_id, row.version))
        before = self.versions.get((row.table, row.row_id, row.version - 1))
        if now is None:
            return []
        name = _label(model, now)
        if before is None:
            return [self._line(row, now, f"{name}, new", "", "", self._whole(model, row, now))]
        changed = self._changes(model, row, before, now)
        return [self._line(row, now, name, *change) for change in changed] or [self._line(row, now, f"{name}, confirmed unchanged", "", "", "")]

    def _fact_lines(self, model, row: AuditRow, fact) -> list[Line]:
        own = fact.audit_line() if hasattr(fact, "audit_line") else {}
        name = own.get("what") or _label(model, fact)
        if own:
            return [self._line(row, fact, name, *(self._in_words(str(own.get(part) or "")) for part in ("field", "old", "new")))]
        before = self.facts.get((row.table, getattr(fact, "supersedes_id", None)))
        if before is not None:
            return [self._line(row, fact, name, *change) for change in self._changes(model, row, before, fact)]
        return [self._line(row, fact, name, "", "", self._whole(model, row, fact))]

    def _changes(self, model, row: AuditRow, before, now) -> list[tuple[str, str, str]]:
        """Every field that differs. What was empty and now only repeats the entry's reason is left out beside others."""
        found, repeated, said = [], [], self.said[row.entry_id]
        for one in _shown_fields(model):
            old, new = getattr(before, one.attname), getattr(now, one.attname)
            if one.name == "supersedes" or old == new:
                continue
            change = (field_label(one), self._text(model, one, before), self._text(model, one, now))
            (repeated if old in (None, "") and str(new) in said else found).append(change)
        return found or repeated

    def _fields(self, model, row: AuditRow, whole) -> list[models.Field]:
        said = self.said[row.entry_id]
        return [one for one in _shown_fields(model) if str(getattr(whole, one.attname)) not in said]

    def _whole(self, model, row: AuditRow, whole) -> str:
        parts = [(field_label(one), self._text(model, one, whole)) for one in self._fields(model, row, whole)]
        return "; ".join(f"{label}: {text}" for label, text in parts if text)

    def _line(self, row: AuditRow, whole, what: str, name: str, old: str, new: str) -> Line:
        keys = {one.attname: getattr(whole, one.attname) for one in whole._meta.concrete_fields if one.is_relation or isinstance(one, models.UUIDField)}
        return Line(what, name, old, new, row.table, row.row_id, row.version, keys)

    def _text(self, model, one: models.Field, row) -> str:
        value = getattr(row, one.attname)
        if value in (None, ""):
            return ""
        if _is_hidden(model, one):
            return NOT_SHOWN
        words = self.words and (self.words.get(getattr(row, "lot_id", None)) or self.words[None])
        if one.is_relation:
            said = words.called(one.related_model, value) if words else ""
            return said or self.names.get((one.related_model, value)) or f"…{uuid_end(value)}"
        if one.choices:
            return str(dict(one.flatchoices).get(value, value))
        code_words = getattr(model, "audit_said", {}).get(one.name) if words else None
        said = code_words(value) if code_words else words.coded(model, one.name, row) if words else ""
        text = said or self._in_words(value_text(value, self.zone))
        if not words or not isinstance(one, models.CharField):
            return text
        return plain(text) if is_code(text) and one.name not in AS_TYPED else unit_words(text) if one.name == "unit" else text


def _may_hold_ids(one: models.Field) -> bool:
    plain = isinstance(one, models.UUIDField | models.CharField | models.TextField | models.JSONField)
    return plain and not one.is_relation and not one.primary_key and one.name not in LEFT_OUT and one.name not in HIDDEN


def _label(model: type[models.Model], row) -> str:
    kind = str(model._meta.verbose_name)
    kind = kind[:1].upper() + kind[1:]
    # A history row is not an instance of the model: its words are asked of the model's own methods where they can read it.
    name = getattr(row, "audit_name", "") or _borrowed_name(model, row)
    return f"{kind} {name}" if name else kind


def _borrowed_name(model: type[models.Model], row) -> str:
    if isinstance(row, model):
        return row_name(row)
    copy = model(**{one.attname: getattr(row, one.attname) for one in model._meta.concrete_fields if hasattr(row, one.attname)})
    return row_name(copy)


def row_name(row) -> str:
    """What a row is called: its audit_name, else its text when that is words and no bare id."""
    try:
        name = str(getattr(row, "audit_name", "") or row)
    except Exception:  # a text that needs more than the row itself
        return ""
    return "" if UUID_IN_TEXT.search(name) or " object (" in name else name


def field_label(one: models.Field) -> str:
    label = str(one.verbose_name)
    return label[:1].upper() + label[1:]


def uuid_end(value) -> str:
    return str(value).replace("-", "")[-6:]


def value_text(value, zone: dt.tzinfo) -> str:
    """A value as a person reads it: times in the zone with its name, numbers as kept, lists and objects in plain words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return moment_words(value, zone, seconds=True)
    if isinstance(value, dt.date):
        return day_words(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, bytes | memoryview):
        return NOT_SHOWN
    if isinstance(value, list):
        between = ", " if all(isinstance(item, str | int) for item in value) else "; "
        return between.join(value_text(item, zone) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{str(key).replace('_', ' ')} {_inner(each, zone)}" for key, each in value.items() if each not in (None, ""))
    return typed_words(str(value), zone)


def _inner(value, zone: dt.tzinfo) -> str:
    text = value_text(value, zone)
    return f"({text})" if isinstance(value, dict | list) and value else text
