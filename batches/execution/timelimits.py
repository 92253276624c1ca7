"""Time limits between two events of a lot: hold times, thaw to use, harvest to fill (EXE-06; 21 CFR 211.111). Pure: the caller brings the clock.

Ending at the due moment keeps the limit. The warning comes at a share of the span (usually 0.8), counted in whole microseconds, never in
binary fractions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

_MICROSECOND = timedelta(microseconds=1)


class LimitState(StrEnum):
    """How a time limit stands."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    WARNING = "warning"
    OVER = "over"
    MET = "met"
    MISSED = "missed"
    STOPPED = "stopped"
    """The lot ended before the second event: nothing is judged any more."""


@dataclass(frozen=True)
class TimeLimitStanding:
    """State, the moments that matter, and what remains until due: negative once over; when ended, what was left at the end."""

    state: LimitState
    warns: datetime | None = None
    due: datetime | None = None
    remaining: timedelta | None = None
    used: timedelta | None = None

    @classmethod
    def stopped(cls) -> TimeLimitStanding:
        return cls(LimitState.STOPPED)

    @property
    def is_broken(self) -> bool:
        """Whether the limit was exceeded, ended or not: a deviation is owed."""
        return self.state in (LimitState.OVER, LimitState.MISSED)

    @property
    def is_open(self) -> bool:
        """Whether the clock is running."""
        return self.state in (LimitState.RUNNING, LimitState.WARNING, LimitState.OVER)

    @property
    def next_moment(self) -> datetime | None:
        """When the state changes by itself next: the moment a watch has to look again. None when nothing more will come."""
        return {LimitState.RUNNING: self.warns, LimitState.WARNING: self.due}.get(self.state)


@dataclass(frozen=True)
class TimeLimitSpan:
    """The most time from one event to the other, and the share of it at which people are warned.

    Raises ``ValueError`` when the span is not positive or the share not between 0 and 1.
    """

    maximum: timedelta
    alert_at: Decimal = Decimal("0.8")

    def __post_init__(self) -> None:
        if self.maximum <= timedelta(0):
            raise ValueError("a time limit is longer than nothing")
        if not 0 < self.alert_at < 1:
            raise ValueError("people are warned at a share between 0 and 1")

    @property
    def alert_after(self) -> timedelta:
        """How long after the start people are warned, to the microsecond."""
        microseconds = Decimal(self.maximum // _MICROSECOND) * self.alert_at
        return timedelta(microseconds=int(microseconds.to_integral_value(ROUND_HALF_EVEN)))

    def stand(self, started: datetime | None, ended: datetime | None, now: datetime) -> TimeLimitStanding:
        """How the limit stands at ``now``, all in record time.

        Raises ``ValueError`` for a time without zone, or an end without or before its start.
        """
        for moment in (started, ended, now):
            if moment is not None and moment.utcoffset() is None:
                raise ValueError("a time limit counts in times with a zone")
        if started is None:
            if ended is not None:
                raise ValueError("an end without a start cannot be judged")
            return TimeLimitStanding(LimitState.NOT_STARTED)
        if ended is not None and ended < started:
            raise ValueError("the end lies before the start")
        warns, due = started + self.alert_after, started + self.maximum
        at = now if ended is None else ended
        return TimeLimitStanding(self._state(warns, due, ended, now), warns, due, due - at, at - started)

    def _state(self, warns: datetime, due: datetime, ended: datetime | None, now: datetime) -> LimitState:
        if ended is not None:
            return LimitState.MET if ended <= due else LimitState.MISSED
        if now > due:
            return LimitState.OVER
        return LimitState.WARNING if now >= warns else LimitState.RUNNING
