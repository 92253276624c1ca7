"""Where every lot of the site stands, for the floor board and the first page."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from batches.execution.models import StepRun
from batches.execution.queries.expiry import expiry_in
from batches.execution.queries.runs import DONE
from batches.execution.queries.times import RELEASED, LotTimeLimit, infusions, time_limits
from batches.execution.queries.values import Ledger, ledgers, read_back
from batches.lots.models import Container, Hold, Lot

NEAR_EXPIRY = dt.timedelta(hours=24)
"""How long before its expiry a dose that is not used shows as needing someone: as long as the board's own words say."""
SPENT = ("emptied", "infused", "discarded")

WORST_FIRST = ("critical", "major", "unclassified", "minor")
"""Classes of a deviation; one that nobody classified yet may be anything."""
NO_SOURCE = ("rejected", "cancelled")
"""States of a donation that feeds no lot."""

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
    deviations: list[str]
    """The class of each deviation whose impact on the lot nobody has accepted yet, the worst first: they stand in the way of its release."""
    assessed: int
    """Deviations that stand in nobody's way any more."""
    expires: dt.datetime | None
    """When a dose that is still there expires."""
    collected: dt.datetime | None
    """When the first of its donations was collected; None where none was, or where that is not recorded here."""
    awaited: bool
    """Whether a donation known here is still to be collected."""
    infused: dt.datetime | None
    """When the first of it was given."""
    slot: dt.date | None
    """The day, or the moment, for which the treatment centre expects the product, as recorded."""
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
        return "warn" if self.deviations else ""


def boards(lots: Sequence[Lot], now: dt.datetime) -> list[Row]:
    """The row of each lot at `now` (record time). As many queries however many lots there are."""
    of_lots = ledgers(lots)
    # Quality stands above this folder: its records are asked for through the relations they hang into the lot.
    prefetch_related_objects(lots, "deviations", "lot_donations__donation")
    holds = {hold.lot_id: hold for hold in Hold.objects.filter(lot__in=lots, state="open")}
    doses = set(Container.objects.filter(lot__in=lots, kind="final_bag").exclude(state__in=SPENT).values_list("lot_id", flat=True))
    return [_row(of_lots[lot.pk], lot, holds.get(lot.pk), lot.pk in doses, now) for lot in lots]


def _row(ledger: Ledger, lot: Lot, hold: Hold | None, has_dose: bool, now: dt.datetime) -> Row:
    recipe = ledger.recipe
    open_ones = [each.classification for each in lot.deviations.all() if each.impact == "not_acceptable" or (not each.impact and each.state != "closed")]
    donations = [each.donation for each in lot.lot_donations.all() if each.donation.state not in NO_SOURCE]
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
        sorted(open_ones, key=WORST_FIRST.index),
        len(lot.deviations.all()) - len(open_ones),
        expiry_in(ledger) if has_dose else None,
        min((each.collected_at for each in donations if each.collected_at), default=None),
        any(each.collected_at is None for each in donations),
        next((use.started_at for use in infusions(lot)), None) if lot.state in RELEASED else None,
        slot_in(ledger),
        now,
    )


def slot_in(ledger: Ledger) -> dt.date | None:
    """The slot as the recipe's value for it records it; None where the recipe names none or nothing is recorded yet."""
    if ledger.recipe.slot is None:
        return None
    step, parameter = ledger.recipe.parameter(ledger.recipe.slot)
    found = (ledger.entry(run.pk, parameter.key) for run in ledger.by_step.get(step.key) or [])
    return next((read_back(entry, parameter, ledger.zone).content for entry in found if entry is not None), None)


def next_runs(lots: Sequence[Lot]) -> dict[uuid.UUID, StepRun]:
    """The first step of each lot that is not done, by the lot's id. One query."""
    left = StepRun.objects.filter(lot__in=lots).exclude(state__in=DONE).order_by("lot_id", "order").distinct("lot_id")
    return {run.lot_id: run for run in left}


def lots_on_the_floor() -> list[Lot]:
    """Lots that are worked on or waited for, those started first at the top. One query."""
    found = Lot.objects.filter(state__in=ON_THE_FLOOR).select_related("recipe_version__master", "therapy_event", "site")
    return list(found.order_by("recorded_at"))
