"""The steps of a lot, told apart by the certification: those it waits for, and those it opens."""

from __future__ import annotations

from batches.execution.models import StepRun
from batches.execution.queries.runs import is_after_release, recipe_of, runs_of
from batches.lots.models import Lot
from batches.recipes.document.schema import Recipe


def before_release(lot: Lot, recipe: Recipe | None = None) -> list[StepRun]:
    """The runs that review and release wait for, in order. One query."""
    recipe = recipe or recipe_of(lot)
    return [run for run in runs_of(lot) if not is_after_release(recipe, run.step_key)]
