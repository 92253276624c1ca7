"""Where every lot of the site stands, for the floor board and the first page."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from batches.execution.models import Excursion, StepRun
from batches.execution.queries.expiry import expiry_in
from batches.execution.queries.runs import DONE
from batches.execution.queries.times import LotTimeLimit, time_limits
from batches.execution.queries.values import Ledger, ledgers
from batches.lots.models import Container, Hold, Lot

NEAR_EXPIRY = dt.timedelta(hours=24)
"""How long before its expiry a dose that is not used shows as needing someone: as long as the board's own words say."""
SPENT = ("emptied", "infused", "discarded")

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
    expires: dt.datetime | None
    """When a dose that is still there expires."""
    now: dt.datetime

    @property
    def expiry_is_next(self) -> bool:
        """Whether the expiry comes before the nearest time limit."""
        return self.expires is not None and (self.limit is None or self.expires <= self.limit.standing.due)

    @property
    def state(self) -> str:
        if self.hold is not None:
            return "hold"
        if self.limit is not None and self.limit.standing.is_broken:
            return "alarm"
        if self.next_run is not None and self.next_run.state == "stopped":
            return "alarm"
        if self.expires is not None and self.expires <= self.now:
            return "alarm"
        if self.expires is not None and self.expires - self.now <= NEAR_EXPIRY:
            return "warn"
        if self.limit is not None and self.limit.standing.state == "warning":
            return "warn"
        return ""


def boards(lots: Sequence[Lot], now: dt.datetime) -> list[Row]:
    """The row of each lot at `now` (record time). Five queries however many lots there are."""
    of_lots = ledgers(lots)
    holds = {hold.lot_id: hold for hold in Hold.objects.filter(lot__in=lots, state="open")}
    excursions = Counter(Excursion.objects.filter(lot__in=lots).values_list("lot_id", flat=True))
    doses = set(Container.objects.filter(lot__in=lots, kind="final_bag").exclude(state__in=SPENT).values_list("lot_id", flat=True))
    return [_row(of_lots[lot.pk], holds.get(lot.pk), excursions[lot.pk], lot.pk in doses, now) for lot in lots]


def _row(ledger: Ledger, hold: Hold | None, excursions: int, has_dose: bool, now: dt.datetime) -> Row:
    lot, recipe = ledger.lot, ledger.recipe
    left = [run for run in ledger.runs if run.state not in DONE]
    following = next((run for run in left if run.state != "waiting"), left[0] if left else None)
    running = [each for each in time_limits(lot, now, ledger) if each.is_running]
    open_stages = {run.stage for run in left}
    at = following.stage if following else ""
    titles = {stage.code: stage.title for stage in recipe.stages}
    return Row(
        lot,
        hold,
        ledger.runs,
        following,
        recipe.step(following.step_key).title if following else "",
        at,
        titles.get(at, ""),
        [(stage.code, "now" if stage.code == at else "todo" if stage.code in open_stages else "done") for stage in recipe.stages],
        min(running, key=lambda each: each.standing.due, default=None),
        excursions,
        expiry_in(ledger) if has_dose else None,
        now,
    )


def next_runs(lots: Sequence[Lot]) -> dict[uuid.UUID, StepRun]:
    """The first step of each lot that is not done, by the lot's id. One query."""
    left = StepRun.objects.filter(lot__in=lots).exclude(state__in=DONE).order_by("lot_id", "order").distinct("lot_id")
    return {run.lot_id: run for run in left}


def lots_on_the_floor() -> list[Lot]:
    """Lots that are worked on or waited for, those started first at the top. One query."""
    found = Lot.objects.filter(state__in=ON_THE_FLOOR).select_related("recipe_version__master", "therapy_event", "site")
    return list(found.order_by("recorded_at"))
