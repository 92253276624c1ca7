"""What a deed in a step works on: the locked rows of lot and step with what the recipe says about them."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from batches.execution.models import StepRun
from batches.execution.queries.runs import recipe_of, zone_of
from batches.lots.models import Lot
from batches.recipes.document.schema import Recipe, Step


@dataclass(frozen=True)
class Work:
    """A run with its lot, recipe, step and the site's zone."""

    run: StepRun
    lot: Lot
    recipe: Recipe
    step: Step
    zone: ZoneInfo


def work_on(step_run_id, *, seen: int | None = None) -> Work:
    """Lock the lot, then the step (always in that order), to the end of the deed.

    A hold that is being placed and a value that is being recorded therefore come one after the other. Raises StaleRecord, Missing.
    """
    lot = Lot.objects.lock(StepRun.objects.one(pk=step_run_id).lot_id)
    run = StepRun.objects.lock(step_run_id, seen=seen)
    run.lot = lot
    recipe = recipe_of(lot)
    return Work(run, lot, recipe, recipe.step(run.step_key), zone_of(lot))


def seen_work(run: StepRun) -> Work:
    """The same for reading: nothing is locked."""
    recipe = recipe_of(run.lot)
    return Work(run, run.lot, recipe, recipe.step(run.step_key), zone_of(run.lot))
