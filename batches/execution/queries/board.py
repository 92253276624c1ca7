"""Where every lot of the site stands, for the floor board and the first page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from batches.execution.models import Excursion, StepRun
from batches.execution.queries.runs import DONE, recipe_of
from batches.execution.queries.times import LotTimeLimit, time_limits
from batches.execution.queries.values import Ledger
from batches.lots.models import Hold, Lot

ON_THE_FLOOR = ("ordered", "in_execution", "manufactured", "in_review", "certified_stage_1")


@dataclass(frozen=True)
class Row:
    """One lot as the board shows it. Moments are UTC."""

    lot: Lot
    hold: Hold | None
    runs: list[StepRun]
    next_run: StepRun | None
    next_title: str
    stage_code: str
    stage_title: str
    stages: list[tuple[str, str]]
    """Code and state (done, now, todo) of each stage."""
    limit: LotTimeLimit | None
    excursions: int

    @property
    def state(self) -> str:
        if self.hold is not None:
            return "hold"
        if self.limit is not None and self.limit.standing.is_broken:
            return "alarm"
        if self.next_run is not None and self.next_run.state == "stopped":
            return "alarm"
        if self.limit is not None and self.limit.standing.state == "warning":
            return "warn"
        return ""


def board(lot: Lot, now: dt.datetime) -> Row:
    """One lot's row at `now` (record time)."""
    recipe = recipe_of(lot)
    ledger = Ledger(lot, recipe)
    left = [run for run in ledger.runs if run.state not in DONE]
    following = next((run for run in left if run.state != "waiting"), left[0] if left else None)
    running = [each for each in time_limits(lot, now, ledger) if each.is_running]
    open_stages = {run.stage for run in left}
    at = following.stage if following else ""
    titles = {stage.code: stage.title for stage in recipe.stages}
    return Row(
        lot,
        Hold.objects.filter(lot=lot, state="open").first(),
        ledger.runs,
        following,
        recipe.step(following.step_key).title if following else "",
        at,
        titles.get(at, ""),
        [(stage.code, "now" if stage.code == at else "todo" if stage.code in open_stages else "done") for stage in recipe.stages],
        min(running, key=lambda each: each.standing.due, default=None),
        Excursion.objects.filter(lot=lot).count(),
    )


def lots_on_the_floor() -> list[Lot]:
    """Lots that are worked on or waited for, those started first at the top. One query."""
    found = Lot.objects.filter(state__in=ON_THE_FLOOR).select_related("recipe_version__master", "therapy_event", "site")
    return list(found.order_by("recorded_at"))
