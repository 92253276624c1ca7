"""What was recorded in a lot, as it counts now: the last entry of each value, and its value for expressions."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import prefetch_related_objects

from batches.execution.models import Entry, StepRun
from batches.execution.queries.runs import recipe_of, zone_of
from batches.lots.models import Lot
from batches.recipes.document.planning import DOSE_TARGET
from batches.recipes.document.schema import Parameter, Recipe
from batches.recipes.expressions import Expression, Value
from batches.recipes.quantities import Quantity, ValueRefused, read_value


@lru_cache(maxsize=2048)
def expression(source: str) -> Expression:
    """An expression of an approved recipe, read once per process."""
    return Expression.parse(source)


def current_entry(run_id, parameter: str) -> Entry | None:
    """The entry that counts now for a value of a run, or None."""
    return Entry.objects.filter(step_run_id=run_id, parameter=parameter, superseded_by=None).select_related("by").first()


def current_entries(run: StepRun) -> dict[str, Entry]:
    """The entries that count now in a run, by parameter. One query."""
    found = Entry.objects.filter(step_run=run, superseded_by=None).select_related("by", "confirmed_by", "excursion")
    return {entry.parameter: entry for entry in found}


def read_back(entry: Entry, parameter: Parameter, zone: ZoneInfo) -> Quantity:
    """The entry as the value it is. Numbers come from the column; anything else is read from its text as it was when recorded."""
    if parameter.is_numeric:
        return Quantity(entry.value_text, entry.value, entry.qualifier, entry.decimals, None, entry.unit)
    return read_value(entry.value_text, parameter.type, choices=parameter.options, zone=zone)


def value_of(entry: Entry, parameter: Parameter, zone: ZoneInfo) -> Value | None:
    """The value for expressions; None for a censored number, of which only a bound is known."""
    if parameter.is_numeric:
        return None if entry.qualifier else entry.value
    content = read_back(entry, parameter, zone).content
    return content if isinstance(content, bool) else str(content)


def instant_of(entry: Entry | None, zone: ZoneInfo) -> dt.datetime | None:
    """The moment a date-time entry names (UTC), or None."""
    return instant_in(entry.value_text, zone) if entry is not None else None


def instant_in(text: str, zone: ZoneInfo) -> dt.datetime | None:
    """The moment that a text names (UTC), or None."""
    try:
        content = read_value(text, "datetime", zone=zone).content
    except ValueRefused:
        return None
    return content if isinstance(content, dt.datetime) else None


class Ledger:
    """Every value of a lot that counts now, read in two queries and kept up to date while a deed adds to it.

    `runs` and `entries` are given where they were read for several lots at once (`ledgers`).
    """

    def __init__(
        self,
        lot: Lot,
        recipe: Recipe | None = None,
        zone: ZoneInfo | None = None,
        runs: list[StepRun] | None = None,
        entries: list[Entry] | None = None,
    ) -> None:
        self.lot, self.recipe, self.zone = lot, recipe or recipe_of(lot), zone or zone_of(lot)
        self.runs = list(_runs([lot])) if runs is None else runs
        self.entries: dict[tuple, Entry] = {}
        self._known: dict = {}
        for entry in _counting([lot]) if entries is None else entries:
            self.put(entry)
        self.by_step: dict[str, list[StepRun]] = defaultdict(list)
        for run in self.runs:
            self.by_step[run.step_key].append(run)

    def put(self, entry: Entry) -> None:
        """Note an entry that has just become the one that counts."""
        self.entries[entry.step_run_id, entry.parameter] = entry
        self._known.clear()

    def take(self, run: StepRun) -> None:
        """Use this object for its run instead of the one read."""
        self.runs = [run if each.pk == run.pk else each for each in self.runs]
        of_step = self.by_step[run.step_key]
        self.by_step[run.step_key] = [run if each.pk == run.pk else each for each in of_step]

    def entry(self, run_id, parameter: str) -> Entry | None:
        return self.entries.get((run_id, parameter))

    def values(self, run: StepRun | None = None) -> dict[str, Value | list[Decimal] | None]:
        """By name, what an expression of `run` may use: values of its own run are single, those of other repeated steps are lists."""
        at = run.pk if run is not None else None
        if at not in self._known:
            self._known[at] = self._values(run)
        return self._known[at]

    def _values(self, run: StepRun | None) -> dict[str, Value | list[Decimal] | None]:
        found: dict[str, Value | list[Decimal] | None] = {}
        for step, parameter in self.recipe.parameters():
            runs = self.by_step[step.key]
            if step.repeat is not None and (run is None or run.step_key != step.key):
                known = [self._value(each.pk, parameter) for each in runs]
                found[parameter.key] = [value for value in known if value is not None]
            else:
                own = run if run is not None and run.step_key == step.key else runs[0] if runs else None
                found[parameter.key] = None if own is None else self._value(own.pk, parameter)
        return found | self._implied(found)

    def _value(self, run_id, parameter: Parameter) -> Value | None:
        entry = self.entry(run_id, parameter.key)
        return None if entry is None else value_of(entry, parameter, self.zone)

    def _implied(self, found: dict) -> dict[str, Decimal]:
        dose = self.recipe.dose
        cohort = (found.get(dose.cohort_parameter) if dose.cohort_parameter else None) or self.lot.cohort or None
        try:
            return {DOSE_TARGET: dose.target(cohort)}
        except KeyError:
            return {}


def _runs(lots: Sequence[Lot]):
    return StepRun.objects.filter(lot__in=lots).order_by("order")


def _counting(lots: Sequence[Lot]):
    return Entry.objects.filter(lot__in=lots, superseded_by=None).defer("trace", "limits")


def ledgers(lots: Sequence[Lot]) -> dict[uuid.UUID, Ledger]:
    """The ledger of each lot, by its id. Two queries however many lots there are, and a third where some are certified."""
    runs: dict[uuid.UUID, list[StepRun]] = defaultdict(list)
    entries: dict[uuid.UUID, list[Entry]] = defaultdict(list)
    for run in _runs(lots):
        runs[run.lot_id].append(run)
    for entry in _counting(lots):
        entries[entry.lot_id].append(entry)
    prefetch_related_objects([lot for lot in lots if lot.state == "certified_stage_1"], "product_uses")
    return {lot.pk: Ledger(lot, runs=runs[lot.pk], entries=entries[lot.pk]) for lot in lots}


def values(lot: Lot) -> dict[str, Value | list[Decimal] | None]:
    """Every value of the lot by name, as it counts now; None where nothing is recorded, a list where the step repeats."""
    return Ledger(lot).values()
