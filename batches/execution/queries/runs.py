"""Reading the step runs of a lot: which they are, which comes next, what stands in the way."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from batches.execution.models import StepRun
from batches.lots.models import Hold, Lot
from batches.recipes import queries as recipe_queries
from batches.recipes.document.schema import Recipe, Step
from mes.asked import asked
from mes.errors import Missing

DONE = ("complete", "not_done")


def recipe_of(lot: Lot) -> Recipe:
    """The recipe in the version the lot was started with."""
    return recipe_queries.document(lot.recipe_version)


def zone_of(lot: Lot) -> ZoneInfo:
    """The zone in which the lot's site writes its times."""
    return ZoneInfo(lot.site.time_zone)


def step_of(run: StepRun) -> Step:
    """What the recipe says about the step of a run."""
    return recipe_of(run.lot).step(run.step_key)


def is_after_release(recipe: Recipe, step_key: str) -> bool:
    """Whether the step opens only after certification (issue, bedside, closure)."""
    code = recipe.step(step_key).stage
    return any(stage.after_release for stage in recipe.stages if stage.code == code)


def lot_by_number(number: str) -> Lot:
    """The lot with its recipe version, therapy event and site. Raises Missing."""
    found = Lot.objects.select_related("recipe_version__master", "therapy_event", "site").filter(number=number).first()
    if found is None:
        raise Missing("not_found", f"There is no lot {number} here. Scan its label, or look in the list of lots.")
    return found


def run_by_key(number: str, key: str) -> StepRun:
    """The run of a step of a lot, by the lot's number and the run key such as A9.1@d5. Raises Missing."""
    found = _run_by_key(number, key)
    if not found:
        raise Missing("not_found", f"Lot {lot_by_number(number).number} has no step {key}.")
    return found[0]


@asked(str, str)
def _run_by_key(number, key):
    beside = ("opened_by", "performed_by", "second_by", "lot__recipe_version__master", "lot__therapy_event", "lot__site")
    return StepRun.objects.select_related(*beside).defer("lot__recipe_version__text").filter(lot__number=number, key=key)


def runs_of(lot: Lot) -> list[StepRun]:
    """Every run of the lot's steps in order, with the people of each. One query."""
    return list(StepRun.objects.filter(lot=lot).select_related("opened_by", "performed_by", "second_by").order_by("order"))


def earlier_open(run: StepRun) -> StepRun | None:
    """The first run before this one that is not complete, or None."""
    return StepRun.objects.filter(lot_id=run.lot_id, order__lt=run.order).exclude(state__in=DONE).order_by("order").first()


def clearance_missing(run: StepRun, recipe: Recipe) -> StepRun | None:
    """The line clearance of the run's day that has to be complete before it, or None. 21 CFR 211.130(e)."""
    clearances = [step.key for step in recipe.steps() if step.kind == "line_clearance"]
    if run.step_key in clearances:
        return None
    return (
        StepRun.objects.filter(lot_id=run.lot_id, day=run.day, order__lt=run.order, step_key__in=clearances)
        .exclude(state="complete").order_by("order").first()
    )  # fmt: skip


def next_steps(lot: Lot) -> list[StepRun]:
    """What a lot waits for: the runs that are open, stopped or waiting for a second person, else the one that may open next."""
    runs = [run for run in runs_of(lot) if run.state not in DONE]
    going = [run for run in runs if run.state != "waiting"]
    return going or runs[:1]


def open_hold(lot: Lot) -> Hold | None:
    """The hold in force, or None."""
    return Hold.objects.filter(lot=lot, state="open").select_related("placed_by").first()


def making_is_done(lot: Lot, recipe: Recipe) -> bool:
    """Whether every step up to release is complete or left out."""
    after = [step.key for stage in recipe.stages if stage.after_release for step in stage.steps]
    return not StepRun.objects.filter(lot=lot).exclude(state__in=DONE).exclude(step_key__in=after).exists()
