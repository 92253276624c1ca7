"""From the written recipe to the steps of one lot: repeats expanded, in the order they are done. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from batches.recipes.document.schema import Recipe, Step

DOSE_TARGET = "dose_target"
"""The name expressions use for the target of the ordered cohort; it is implied by the dose, not recorded."""


@dataclass(frozen=True)
class PlannedStep:
    """One run of a step. ``key`` is the run key: the step's key, with ``@d5`` when the step repeats (here: on day 5)."""

    key: str
    step: Step
    occurrence_day: int
    order: int


def planned_steps(recipe: Recipe) -> list[PlannedStep]:
    """Every run of every step: by day, and within a day in the order written. ``order`` counts from 1."""
    runs: list[tuple[int, int, str, Step]] = []
    for position, step in enumerate(recipe.steps()):
        if step.repeat is None:
            runs.append((step.day, position, step.key, step))
        else:
            for day in range(step.repeat.from_day, step.repeat.to_day + 1):
                runs.append((day, position, f"{step.key}@d{day}", step))
    runs.sort(key=lambda run: run[:2])
    return [PlannedStep(key, step, day, order) for order, (day, _, key, step) in enumerate(runs, start=1)]


def planned_entries(recipe: Recipe) -> int:
    """How many entries a complete record of one lot holds: parameters and scanned material lines, repeats expanded."""
    return sum(len(run.step.parameters) + len(run.step.materials) for run in planned_steps(recipe))


def implied_values(recipe: Recipe, recorded: Mapping[str, object]) -> dict[str, Decimal]:
    """Values expressions may use without a parameter of that name: ``dose_target`` of the recorded cohort, once it is known."""
    parameter = recipe.dose.cohort_parameter
    cohort = None if parameter is None else recorded.get(parameter)
    if parameter is not None and not isinstance(cohort, str):
        return {}
    return {DOSE_TARGET: recipe.dose.target(cohort if isinstance(cohort, str) else None)}
