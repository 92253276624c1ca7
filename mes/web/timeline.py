"""Geometry of a lot's timeline: stages, days and exception marks as percent of its width. Pure."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mes.words import counted

MARK_GAP = 1.9  # percent two marks keep between them, so that both can be read
NAME_NEEDS = 0.62  # percent of the width one letter of a stage's name takes at 1280 px

SHORT = timedelta(days=2)
"""A lot made in less time than this is drawn by the hour."""
DAY_NEEDS = 0.09
"""Share of the width that the first day's name takes before an hour may stand beside it."""

AFTERWARDS = 0.1
"""Share of a lot's time by which the present may lie behind its last stage and still be drawn."""


@dataclass(frozen=True)
class Stage:
    name: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Mark:
    """An exception: triangle for a passed limit, diamond for the rest; state alarm or warn until it is reviewed."""

    number: int
    at: datetime
    shape: str = "diamond"
    state: str = ""


def _day(moment: datetime, month: bool) -> str:
    return f"{moment.day} {moment:%b}" if month else str(moment.day)


def _days(start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """A tick a day, or every few where there are many."""
    days = max(1, (end - start).days)
    step = next(one for one in (1, 2, 5, 10, 30, 90, 365) if days / one <= 12 or one == 365)
    moment = start
    while moment <= end:
        yield moment, _day(moment, month=moment == start or moment.day <= step)
        moment += timedelta(days=step)


def _hours(start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """Ticks on the clock for a lot that is made within two days: the day where one begins, full hours or their parts between."""
    minutes = (end - start) / timedelta(minutes=1)
    step = next(one for one in (5, 10, 30, 60, 120, 180, 360) if minutes / one <= 9)
    yield start, _day(start, month=True)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    moment = midnight + timedelta(minutes=step) * math.ceil((start + (end - start) * DAY_NEEDS - midnight) / timedelta(minutes=step))
    while moment <= end:
        yield moment, _day(moment, month=True) if (moment.hour, moment.minute) == (0, 0) else f"{moment:%H:%M}"
        moment += timedelta(minutes=step)


def _apart(places: list[float], last: float) -> list[float]:
    """Sorted places moved to keep their gap, none of them beyond `last`: nothing that was found is drawn after the present."""
    gap = min(MARK_GAP, last / max(1, len(places) - 1))
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else place)
    for back, place in enumerate(reversed(moved)):
        moved[-1 - back] = min(place, last - back * gap)
    return moved


def lay_out(stages: list[Stage], marks: list[Mark], now: datetime, limit: datetime | None = None, limit_text: str = "", words: str = "") -> dict:
    """What `_components/timeline.html` draws. Raises ValueError without stages. Times in the zone the days are to be shown in."""
    if not stages:
        raise ValueError("a timeline needs at least one stage")
    start = min(stage.start for stage in stages)
    last_thing = max([*(stage.end for stage in stages), *(min(mark.at, now) for mark in marks), *([limit] if limit else [])])
    is_over = now - last_thing > (last_thing - start) * AFTERWARDS  # the axis of a lot that is long done ends with it
    end = last_thing if is_over else max(now, last_thing)
    whole = (end - start) / timedelta(seconds=1) or 1.0

    def x(moment: datetime) -> float:
        return min(100.0, max(0.0, (moment - start) / timedelta(seconds=1) / whole * 100))

    drawn_stages = []
    for stage in stages:
        begun, ended = x(stage.start), x(stage.end)
        done = max(0.0, min(ended, x(now)) - begun)
        planned = max(begun, x(now))
        drawn_stages.append(
            {
                "name": stage.name, "x": f"{begun:.2f}", "width": f"{done:.2f}", "shown": ended - begun > NAME_NEEDS * len(stage.name) + 1,
                "plan_x": f"{planned:.2f}" if ended > planned else "", "plan_width": f"{max(0.0, ended - planned):.2f}",
            }
        )  # fmt: skip
    ordered = sorted(marks, key=lambda one: one.at)
    places = _apart([x(min(mark.at, now)) for mark in ordered], x(now))
    drawn_marks = [
        {"x": f"{place:.2f}", "number": mark.number, "shape": mark.shape, "state": mark.state} for mark, place in zip(ordered, places, strict=True)
    ]
    ticks = []
    for moment, text in _hours(start, end) if end - start < SHORT else _days(start, end):
        at = x(moment)
        ticks.append({"x": f"{at:.2f}", "text": text, "anchor": "start" if at < 2 else "end" if at > 98 else "middle"})
    close = limit is not None and abs(x(now) - x(limit)) < 7
    return {
        "words": words or f"Lot timeline, {_day(start, True)} to {_day(now, True)}, {counted(len(marks), 'exception')} marked",
        "stages": drawn_stages,
        "days": ticks,
        "marks": drawn_marks,
        "now_x": "" if is_over else f"{x(now):.2f}",
        "now_low": close,
        "limit_x": f"{x(limit):.2f}" if limit else "",
        "limit_text": limit_text,
    }
