"""What a deed in a step works on: the locked rows of lot and step with what the recipe says about them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from batches.execution.models import StepRun
from batches.execution.queries.runs import recipe_of, run_by_key, zone_of
from batches.lots.models import Lot
from batches.recipes.document.schema import Recipe, Step
from mes.asked import asked
from mes.errors import Missing, StaleRecord


@dataclass(frozen=True)
class Work:
    """A run with its lot, recipe, step and the site's zone."""

    run: StepRun
    lot: Lot
    recipe: Recipe
    step: Step
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class At:
    """A step by its address: the number of the lot and the key of the run."""

    number: str
    key: str


def work_on(step: uuid.UUID | At, *, seen: int | None = None) -> Work:
    """Lock the lot, then the step (always in that order), to the end of the deed. `step` is the id of the run, or its address.

    A hold that is being placed and a value that is being recorded therefore come one after the other. Raises StaleRecord, Missing.
    """
    found = _locked_at(step.number, step.key) if isinstance(step, At) else _locked(step)
    if not found:
        # What is not there is not locked either: the reads that say which of the two it is.
        run = run_by_key(step.number, step.key) if isinstance(step, At) else StepRun.objects.lock(step)
        raise Missing("not_found", f"There is no such {run._meta.verbose_name} here.")
    run = found[0]
    if seen is not None and run.version != seen:
        raise StaleRecord()
    return seen_work(run)


def _both() -> QuerySet[StepRun]:
    """One statement locks both, the lot first: PostgreSQL takes the locks of a row in the order in which they are named.

    Whoever waits gets both rows as they are after the wait; what is read beside them a lot names once and for ever.
    """
    beside = ("lot__recipe_version__master", "lot__therapy_event", "lot__site")
    return StepRun.objects.select_related(*beside).defer("lot__recipe_version__text").select_for_update(no_key=True, of=("lot", "self"))


@asked(uuid.UUID)
def _locked(run_id):
    return _both().filter(pk=run_id)


@asked(str, str)
def _locked_at(number, key):
    return _both().filter(lot__number=number, key=key)


def seen_work(run: StepRun) -> Work:
    """The same for reading: nothing is locked."""
    recipe = recipe_of(run.lot)
    return Work(run, run.lot, recipe, recipe.step(run.step_key), zone_of(run.lot))
