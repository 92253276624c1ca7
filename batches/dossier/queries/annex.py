"""The lot's audit trail as it is printed: one item per entry, in words, with the step it belongs to. AUD-02, REC-01.

A change is said as it is on the screen: by the wording of its table (mes.audit.wordings), and where there is none by mes.audit.readable.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from batches.dossier.queries.trail import stream_of
from batches.dossier.queries.words import lot_words
from batches.execution.models import Excursion
from batches.lots.models import Lot
from mes.audit.models import AuditEntry, AuditRow
from mes.audit.readable import describe_rows, event_words
from mes.audit.wordings import Change, Cited, Words

AFTER_STEPS = "Quality and release"
BEFORE_STEPS = "The lot as a whole"


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


def annex(lot: Lot, upto: int | None = None, only: Collection[int] | None = None) -> list[Item]:
    """Every entry of the lot's stream up to a sequence number, each once, in its order; or `only` those numbers. Call it inside the site context."""
    words = lot_words([lot.pk], lot.site.time_zone)[lot.pk]
    found = AuditEntry.objects.filter(stream=stream_of(lot.pk)).defer("canon", "prev_hash", "hash").order_by("seq")
    found = found if upto is None else found.filter(seq__lte=upto)
    entries = list(found if only is None else found.filter(seq__in=list(only)))
    rows: dict[uuid.UUID, list[AuditRow]] = defaultdict(list)
    for row in AuditRow.objects.filter(entry_id__in=[entry.pk for entry in entries]).order_by("id"):
        rows[row.entry_id].append(row)
    loaded = _Loaded([row for several in rows.values() for row in several], lot)
    said = describe_rows(entries, rows, loaded, {lot.pk: words, None: words}, lot.site.time_zone)
    items = []
    for entry in entries:
        changes = [Change(f"{line.what}, {line.field}".rstrip(", "), line.old, line.new) for line in said[entry.pk]]
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
    named = [run for run in runs if words.step(run)]
    if len(named) == 1:
        return words.step(named[0])
    return AFTER_STEPS if any(event.startswith("quality.") for event in entry.events) and not named else BEFORE_STEPS


class _Loaded(Cited):
    """The cited rows, and the step run that each belongs to."""

    def __init__(self, rows: Sequence[AuditRow], lot: Lot):
        super().__init__(rows, also=_RUN_TABLES)
        self.excursions = dict(Excursion.objects.filter(lot=lot).values_list("pk", "step_run_id"))

    def run_of(self, cited: AuditRow):
        row = self.row(cited)
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
