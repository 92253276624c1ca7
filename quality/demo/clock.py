"""The record clock of a demo: set back before anything is written, then moved forward only.

Moving it forward stops at every moment at which something becomes due and runs the sweeps there, as beat would have done in
real time: an alert of Tuesday night carries Tuesday night (decisions 7). The wall clock, which sessions, one-time codes and
signing intents follow, is never touched.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from django.conf import settings

from batches.execution import queries as execution
from batches.execution.models import StepRun
from batches.execution.queries.times import WATCHED
from batches.lots.models import Lot
from mes import clock
from mes.errors import NotAllowed, RuleBroken, UnreadableInput
from mes.people.models import SimulatedClock, Site
from mes.records.context import site_context
from quality import tasks, watch
from quality.alerts.models import Alert
from quality.samples import queries as samples

STEP = dt.timedelta(seconds=1)
"""How far past a due moment the clock stops: what is due at a moment is over just after it."""
MOST_STOPS = 2000
UNITS = {"d": "days", "h": "hours", "min": "minutes", "m": "minutes", "s": "seconds"}


def refuse_outside_demo() -> None:
    if not settings.SIMULATED_CLOCK or settings.CARTULARY_MODE == "production":
        raise NotAllowed("demo_only", "The record clock is the database's own here. Only a demo or a rehearsal can move it.")


def read_span(text: str) -> dt.timedelta:
    """A length of time as people write it: "2 d", "90 min", "1 d 4 h". Raises UnreadableInput("not_a_span")."""
    parts = re.findall(r"(\d+)\s*(d|h|min|m|s)\b", text)
    if not parts or re.sub(r"(\d+)\s*(d|h|min|m|s)\b", "", text).strip():
        raise UnreadableInput("not_a_span", f"{text!r} is no length of time. Write it as 2 d, 6 h, 90 min or 1 d 4 h.")
    return sum((dt.timedelta(**{UNITS[unit]: int(number)}) for number, unit in parts), dt.timedelta())


def set_back(span: dt.timedelta) -> None:
    """Begin a demo in the past, so that its lots of many days end about now. Only while nothing is recorded at all."""
    refuse_outside_demo()
    if Site.objects.exists():
        raise RuleBroken("clock_goes_forward", "Something is recorded already: from here on the record clock goes forward only.")
    _set(-span)


def advance(span: dt.timedelta, *, tell: Callable[[dt.datetime, dict[str, int]], None] | None = None) -> int:
    """Move the clock of the demo forward by a span; returns at how many due moments it stopped.

    `tell(moment, found)` hears of each stop: the record time and what the sweeps found there.
    """
    refuse_outside_demo()
    if span < dt.timedelta(0):
        raise RuleBroken("clock_goes_forward", "The record clock goes forward only.")
    return advance_to(clock.record_now() + span, tell=tell)


def advance_to(moment: dt.datetime, *, tell: Callable[[dt.datetime, dict[str, int]], None] | None = None) -> int:
    """The same to a moment of record time; one that has passed changes nothing."""
    refuse_outside_demo()
    stops = 0
    while stops < MOST_STOPS:
        now = clock.record_now()
        due = min((each for each in due_moments() if now < each + STEP <= moment), default=None)
        if due is None:
            break
        _move(due + STEP - now)
        stops += 1
        found = _sweep()
        if tell is not None:
            tell(clock.record_now(), found)
    _move(moment - clock.record_now())
    return stops


def catch_up() -> None:
    """Let a demo that began in the past go on at the present: record time becomes the database's own, unless it runs ahead already."""
    refuse_outside_demo()
    behind = -clock.offset()
    if behind > dt.timedelta(0):
        advance(behind)
        _set(dt.timedelta(0))


def _move(by: dt.timedelta) -> None:
    if by > dt.timedelta(0):
        _set(clock.offset() + by)


def _set(offset: dt.timedelta) -> None:
    SimulatedClock.objects.update_or_create(id=1, defaults={"offset": offset})


def _sweep() -> dict[str, int]:
    found: dict[str, int] = {}
    for site in Site.objects.order_by("code"):
        for name, number in tasks.sweep_site(site).items():
            found[name] = found.get(name, 0) + number
    return found


# --- when something becomes due ---------------------------------------------------------------------------------------


def due_moments() -> list[dt.datetime]:
    """Every moment at which something changes by itself, at every site, as far as is known now (record time, UTC)."""
    found: list[dt.datetime] = []
    for site in Site.objects.order_by("code"):
        with site_context(site.pk):
            found += [*_of_time_limits(site), *_of_steps(site), *_of_results(site), *_of_alerts(site)]
    return found


def _of_time_limits(site: Site) -> Iterator[dt.datetime]:
    now = clock.record_now()
    for lot in Lot.objects.filter(site=site, state__in=WATCHED).select_related("recipe_version__master", "site"):
        for limit in execution.time_limits(lot, now):
            if limit.standing is not None and limit.standing.next_moment is not None:
                yield limit.standing.next_moment


def _of_steps(site: Site) -> Iterator[dt.datetime]:
    zone, seen = ZoneInfo(site.time_zone), set()
    waiting = StepRun.objects.filter(site=site, lot__state="in_execution", lot__started_at__isnull=False, state__in=["waiting", "open", "stopped", "performed"])
    for run in waiting.select_related("lot").order_by("lot_id", "order"):
        if run.lot_id not in seen:
            seen.add(run.lot_id)
            ends = watch.end_of_day(run.lot.started_at, run.day, zone)
            yield ends - watch.STEP_PRE_ALERT
            yield ends


def _of_results(site: Site) -> Iterator[dt.datetime]:
    lots = Lot.objects.filter(site=site, state__in=["manufactured", "in_review", "certified_stage_1"], lot_specification__isnull=False)
    for lot in lots:
        yield from (line.due for line in samples.pending_after_release(lot) if line.due is not None)


def _of_alerts(site: Site) -> Iterator[dt.datetime]:
    raised = Alert.objects.filter(site=site, state="raised", next_escalation_at__isnull=False)
    yield from raised.values_list("next_escalation_at", flat=True)


# --- in words ---------------------------------------------------------------------------------------------------------


def shown(moment: dt.datetime) -> str:
    """A moment in the zone of the demo's site, with the zone."""
    zone = Site.objects.order_by("recorded_at").values_list("time_zone", flat=True).first() or "UTC"
    return f"{moment.astimezone(ZoneInfo(zone)):%d %b %Y %H:%M:%S %Z}"


def shown_now() -> str:
    return shown(clock.record_now())
