"""The lot's audit trail as it is printed: one item per entry, in words, with the step it belongs to. AUD-02, REC-01.

The wording of a table is a function here, or registered by the app above it (`word`); what has none is said by mes.audit.readable.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from django.apps import apps
from django.db import models

from batches.dossier.queries.trail import stream_of
from batches.execution.models import Excursion
from batches.execution.queries.runs import recipe_of, runs_of
from batches.lots.models import Container, Lot
from batches.recipes.document.schema import Recipe
from mes.audit.models import AuditEntry, AuditRow
from mes.audit.readable import describe_all, event_words
from mes.clock import typed_words

AFTER_STEPS = "Quality and release"
BEFORE_STEPS = "The lot as a whole"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that an entry did. `old` is empty for what is new."""

    what: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One audit entry as it is printed."""

    seq: int
    at: dt.datetime
    who: str
    username: str
    role: str
    channel: str
    event: str
    changes: tuple[Change, ...]
    why: str
    group: str


@dataclass
class Words:
    """What wordings may ask: the recipe's names and the lot's steps."""

    lot: Lot
    recipe: Recipe
    runs: dict[uuid.UUID, object] = field(default_factory=dict)
    containers: dict[uuid.UUID, str] = field(default_factory=dict)

    def parameter(self, run_id, key: str) -> str:
        run = self.runs.get(run_id)
        try:
            return self.recipe.step(run.step_key).parameter(key).name if run else key
        except KeyError:
            return key

    def typed(self, text: str, unit: str = "") -> str:
        """A recorded value with its unit; a moment in the zone of the site."""
        return f"{typed_words(text, self.lot.site.time_zone)} {unit}".strip()

    def material(self, code: str) -> str:
        return next((each.name for each in self.recipe.materials if each.code == code), code)

    def step(self, run_id) -> str:
        run = self.runs.get(run_id)
        return f"Step {run.key}, {self.recipe.step(run.step_key).title}" if run else ""


Wording = Callable[[Words, models.Model, models.Model | None], Sequence[Change]]
"""(words, the row as this entry wrote it, its previous version or the fact it supersedes) -> what is printed; nothing leaves it out."""

_wordings: dict[str, tuple[Wording, tuple[str, ...]]] = {}


def word(table: str, wording: Wording, *related: str) -> None:
    """Register how a table is worded; `related` is loaded with its rows."""
    _wordings[table] = (wording, related)


def annex(lot: Lot, upto: int | None = None, only: Collection[int] | None = None) -> list[Item]:
    """Every entry of the lot's stream up to a sequence number, each once, in its order; or `only` those numbers. Call it inside the site context."""
    recipe = recipe_of(lot)
    containers = dict(Container.objects.filter(lot=lot).values_list("pk", "title"))
    words = Words(lot, recipe, {run.pk: run for run in runs_of(lot)}, containers)
    found = AuditEntry.objects.filter(stream=stream_of(lot.pk)).defer("canon", "prev_hash", "hash").order_by("seq")
    found = found if upto is None else found.filter(seq__lte=upto)
    entries = list(found if only is None else found.filter(seq__in=list(only)))
    rows: dict[uuid.UUID, list[AuditRow]] = defaultdict(list)
    for row in AuditRow.objects.filter(entry_id__in=[entry.pk for entry in entries]).order_by("id"):
        rows[row.entry_id].append(row)
    loaded = _Loaded([row for several in rows.values() for row in several], lot)
    rest = [entry for entry in entries if any(row.table not in _wordings for row in rows[entry.pk])]
    generic = describe_all(rest, zone=lot.site.time_zone) if rest else {}
    items = []
    for entry in entries:
        changes: list[Change] = []
        for row in rows[entry.pk]:
            changes += loaded.changes(words, row)
        planned = sum(row.table == "batches_steprun" and row.version == 1 for row in rows[entry.pk])
        if planned:
            changes.append(Change("Steps planned", "", str(planned)))
        changes += [Change(f"{line.what}, {line.field}".rstrip(", "), line.old, line.new) for line in generic.get(entry.pk, ()) if line.table not in _wordings]
        items.append(
            Item(
                entry.seq, entry.at.astimezone(dt.UTC), entry.by_name, entry.by_username, entry.role, entry.channel, event_words(_told(entry.events)),
                tuple(dict.fromkeys(changes)), entry.reason, _group(words, rows[entry.pk], loaded, entry),
            )
        )  # fmt: skip
    return items


def _told(events: Sequence[str]) -> list[str]:
    """The events of a deed, the outermost first: it is told last."""
    return list(dict.fromkeys(reversed(events)))


def _group(words: Words, rows: Sequence[AuditRow], loaded: _Loaded, entry: AuditEntry) -> str:
    """The step that the entry works on, found through the run it moves or the fact it adds; an entry over several steps is the lot's."""
    runs = {row.row_id for row in rows if row.table == "batches_steprun"} or {loaded.run_of(row) for row in rows}
    named = [run for run in runs if run in words.runs]
    if len(named) == 1:
        return words.step(named[0])
    return AFTER_STEPS if any(event.startswith("quality.") for event in entry.events) and not named else BEFORE_STEPS


class _Loaded:
    """The rows that entries cite: facts by id, records by version."""

    def __init__(self, rows: Sequence[AuditRow], lot: Lot):
        self.excursions = dict(Excursion.objects.filter(lot=lot).values_list("pk", "step_run_id"))
        self.rows: dict[tuple[str, uuid.UUID, int], models.Model] = {}
        wanted: dict[str, set[uuid.UUID]] = defaultdict(set)
        for row in rows:
            wanted[row.table].add(row.row_id)
        for table, ids in wanted.items():
            if table in _wordings or table in _RUN_TABLES:
                self._load(table, ids)

    def _load(self, table: str, ids: set[uuid.UUID]) -> None:
        model = next(each for each in apps.get_models() if each._meta.db_table == table)
        bytes_of = [one.name for one in model._meta.concrete_fields if isinstance(one, models.BinaryField)]
        if model.row_kind == "record":
            for row in model.history.model.objects.filter(id__in=ids).defer(*bytes_of):
                self.rows[table, row.id, row.version] = row
        else:
            related = _wordings[table][1] if table in _wordings else ()
            for row in model.objects.filter(pk__in=ids).defer(*bytes_of).select_related(*related):
                self.rows[table, row.pk, 1] = row

    def changes(self, words: Words, cited: AuditRow) -> Sequence[Change]:
        if cited.table not in _wordings:
            return ()
        row = self.rows.get((cited.table, cited.row_id, cited.version))
        if row is None:
            return (Change(f"{cited.table} {cited.row_id} cannot be read"),)
        before = self.rows.get((cited.table, cited.row_id, cited.version - 1))
        return _wordings[cited.table][0](words, row, before)

    def run_of(self, cited: AuditRow):
        row = self.rows.get((cited.table, cited.row_id, cited.version))
        if cited.table == "mes_signature" and row is not None:
            return row.record_id
        if cited.table == "batches_excursion":
            return self.excursions.get(cited.row_id)
        return getattr(row, "step_run_id", None) or self.excursions.get(getattr(row, "excursion_id", None))


_RUN_TABLES = frozenset({"quality_sample", "batches_occupancy"})
"""Tables that name a step and may have no wording here."""


def grouped(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """Items by step: the steps in the order in which they were first touched, the lot as a whole first, quality last."""
    found: dict[str, list[Item]] = {BEFORE_STEPS: []}
    for item in items:
        found.setdefault(item.group, []).append(item)
    last = found.pop(AFTER_STEPS, [])
    return [(name, several) for name, several in (*found.items(), (AFTER_STEPS, last)) if several]
