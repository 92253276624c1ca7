"""Time limits in words and as a share of the limit. Pure: the caller passes the record clock's now (decisions: two clocks)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

ALERT_SHARE = Decimal("0.8")  # amber from 80 % of the limit unless the recipe says otherwise


def span(delta: timedelta, in_days: bool = False) -> str:
    """A duration for eyes: "18 min", "6 h 40", "17 d 03 h"; seconds only below one minute; days from 72 h, or always."""
    seconds = abs(int(delta.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if in_days or hours >= 72:
        return f"{days} d {hours % 24:02d} h"
    if minutes < 1:
        return f"{seconds} s"
    if hours < 1:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60:02d}"


@dataclass(frozen=True)
class Countdown:
    """One running limit. `elapsed` shows the time used ("17 d 03 h of 18 d") instead of the time left."""

    label: str
    start: datetime
    deadline: datetime | None
    now: datetime
    alert_at: datetime | None = None
    beside: str = ""
    elapsed: bool = False
    held: bool = False

    @property
    def state(self) -> str:
        if self.held:
            return "hold"
        if self.deadline is None:
            return ""
        if self.now > self.deadline:
            return "alarm"
        alert = self.alert_at or self.start + (self.deadline - self.start) * float(ALERT_SHARE)
        return "warn" if self.now >= alert else ""

    @property
    def percent(self) -> str:
        if self.deadline is None or self.deadline <= self.start:
            return "0.00"
        used = Decimal(str((self.now - self.start) / (self.deadline - self.start))) * 100
        return f"{min(Decimal(100), max(Decimal(0), used)):.2f}"

    @property
    def words(self) -> str:
        if self.held or self.deadline is None or self.elapsed:
            return span(self.now - self.start, in_days=self.elapsed and self.deadline is not None and self.deadline - self.start >= timedelta(hours=72))
        if self.now > self.deadline:
            return f"{span(self.now - self.deadline)} over"
        return f"{span(self.deadline - self.now)} left"
