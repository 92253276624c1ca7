"""Where the time limits of a lot stand. 21 CFR 211.111."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from batches.execution.models import StepRun
from batches.execution.queries.runs import is_after_release
from batches.execution.queries.values import Ledger, instant_of
from batches.execution.timelimits import LimitState, TimeLimitSpan, TimeLimitStanding
from batches.lots.models import Lot
from batches.recipes.document.schema import TimeLimit

WATCHED = ("ordered", "in_execution", "manufactured", "in_review")
"""States of a lot in which a limit that passes is told and becomes a deviation by itself: until quality has decided."""
ENDED = ("rejected", "withdrawn", "terminated", "cancelled", "manufactured_not_infused")
RELEASED = ("certified_stage_1", "certified_final", "supplied_out_of_specification")


@dataclass(frozen=True)
class LotTimeLimit:
    """One time limit of the recipe as it stands in a lot. `start` and `end` are moments in UTC or None."""

    limit: TimeLimit
    start: dt.datetime | None
    end: dt.datetime | None
    standing: TimeLimitStanding | None
    """None when the two moments contradict each other (the end was recorded before the start)."""
    end_run: StepRun | None

    @property
    def code(self) -> str:
        return self.limit.code

    @property
    def is_broken(self) -> bool:
        return self.standing is not None and self.standing.is_broken

    @property
    def is_running(self) -> bool:
        return self.standing is not None and self.standing.is_open


def time_limits(lot: Lot, now: dt.datetime, ledger: Ledger | None = None) -> list[LotTimeLimit]:
    """Every time limit of the lot's recipe at `now` (record time), in the order of the recipe."""
    ledger = ledger or Ledger(lot)
    return [limit_in(ledger, limit, now) for limit in ledger.recipe.time_limits]


def events_of(limit: TimeLimit) -> tuple[str, str]:
    return limit.starts, limit.ends


def limit_in(ledger: Ledger, limit: TimeLimit, now: dt.datetime) -> LotTimeLimit:
    """One limit as it stands: judged on the recorded moments. It runs on for no product that was used, and for no lot that has ended."""
    start, _ = _moment(ledger, limit.starts)
    end, run = _moment(ledger, limit.ends)
    if end is None and start is not None:
        end = _used_at(ledger, limit)
    if end is None and start is not None and ledger.lot.state in ENDED:
        return LotTimeLimit(limit, start, None, TimeLimitStanding.stopped(), run)
    standing: TimeLimitStanding | None = None
    if (start is not None or end is None) and not (start and end and end < start):
        standing = TimeLimitSpan(limit.max_span, limit.alert_at).stand(start, end, now)
    return LotTimeLimit(limit, start, end, standing, run)


def infusions(lot: Lot) -> list:
    """What was given of the lot, the first one first. Quality stands above this folder: its facts are asked for through the relation they hang into the lot."""
    return sorted((use for use in lot.product_uses.all() if use.infused), key=lambda use: use.started_at)


def _used_at(ledger: Ledger, limit: TimeLimit) -> dt.datetime | None:
    """When the product was given, for a limit that ends after release: the infusion is signed on a page of its own, and its step may be filled in
    later. None while nothing was given."""
    key = limit.ends.removeprefix("step:").rpartition(".")[0]
    if ledger.lot.state not in RELEASED or not is_after_release(ledger.recipe, key):
        return None
    return max((use.ended_at or use.started_at for use in infusions(ledger.lot)), default=None)


def _moment(ledger: Ledger, event: str) -> tuple[dt.datetime | None, StepRun | None]:
    """The moment of an event such as A1.2.collection_end or step:A6.1.signed, and the run it belongs to."""
    of_step = event.startswith("step:")
    key, _, what = event.removeprefix("step:").rpartition(".")
    runs = ledger.by_step.get(key) or []
    run = runs[0] if runs else None
    if run is None:
        return None, None
    if of_step:
        return (run.opened_at if what == "started" else run.performed_at), run
    return instant_of(ledger.entry(run.pk, what), ledger.zone), run


def moment_of(ledger: Ledger, event: str) -> dt.datetime | None:
    """When an event of the recipe happened in this lot (UTC): a recorded time, or the start or signature of a step; None: not yet."""
    return _moment(ledger, event)[0]


def next_countdown(lot: Lot, now: dt.datetime, ledger: Ledger | None = None) -> LotTimeLimit | None:
    """The running limit that is due first, or None."""
    running = [each for each in time_limits(lot, now, ledger) if each.is_running]
    return min(running, key=lambda each: each.standing.due, default=None)


__all__ = ["WATCHED", "LimitState", "LotTimeLimit", "events_of", "limit_in", "next_countdown", "time_limits"]
