"""Geometry and words of a limit gauge: where a value stands inside its limits.

Pure functions on Decimal; the template tag draws what they return. Nothing here decides about a lot: a page passes
the state the server's one judging function has recorded, and only where none is given the state is read from the limits.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

HUNDRED = Decimal(100)
EDGE = Decimal("1.5")  # percent kept free at both ends, so that the mark stays whole
MARGIN = Decimal("0.35")  # of the span, shown outside each limit


@dataclass(frozen=True)
class Limits:
    """Limits of one value in its own unit; None where there is none. The window is what the gauge shows."""

    low: Decimal | None = None
    high: Decimal | None = None
    alert_low: Decimal | None = None
    alert_high: Decimal | None = None
    window_low: Decimal | None = None
    window_high: Decimal | None = None


@dataclass(frozen=True)
class Gauge:
    """A drawn gauge: positions are percent of the width as text with two decimals, ready for an SVG attribute."""

    state: str
    window_low: Decimal
    window_high: Decimal
    mark: str | None
    off_scale: bool
    allowed: tuple[str, str]  # start, width
    zones: tuple[tuple[str, str], ...]  # alert zones: start, end
    ticks: tuple[tuple[str, str], ...]  # position, text of the limit
    words: str

    @property
    def low_text(self) -> str:
        return f"{self.window_low:f}"

    @property
    def high_text(self) -> str:
        return f"{self.window_high:f}"


def to_decimal(value: Any) -> Decimal | None:
    """The value as Decimal, or None for nothing, an empty text or a text that is no number."""
    if value is None or value == "":
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    try:
        number = Decimal(str(value).strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def limits_of(source: Any) -> Limits:
    """Limits from a Limits, a mapping, or any object with the same attribute names (missing ones are None)."""
    if isinstance(source, Limits):
        return source
    take = source.get if hasattr(source, "get") else lambda name: getattr(source, name, None)
    return Limits(**{name: to_decimal(take(name)) for name in Limits.__dataclass_fields__})


def state_of(value: Decimal | None, limits: Limits) -> str:
    """ "empty", "alarm" past a limit, "warn" past an alert level, else "ok". A limit itself is allowed."""
    if value is None:
        return "empty"
    if (limits.low is not None and value < limits.low) or (limits.high is not None and value > limits.high):
        return "alarm"
    if (limits.alert_low is not None and value < limits.alert_low) or (limits.alert_high is not None and value > limits.alert_high):
        return "warn"
    return "ok"


def words_of(value: Decimal | None, limits: Limits) -> str:
    """The distance in words: "1.6 below the lower limit", "Within limits"; no unit, as many decimals as are there."""
    if value is None:
        return "No value yet"
    if limits.low is not None and value < limits.low:
        return f"{limits.low - value:f} below the lower limit"
    if limits.high is not None and value > limits.high:
        return f"{value - limits.high:f} above the upper limit"
    if limits.alert_low is not None and value < limits.alert_low:
        return "Within limits, below the alert level"
    if limits.alert_high is not None and value > limits.alert_high:
        return "Within limits, above the alert level"
    if limits.low is None and limits.high is None:
        return "No limits"
    return "Within limits"


def limits_text(limits: Limits) -> str:
    """The limits in a sentence: "70.0 to 100.0, alert below 75.0"; "at least 80.0"; empty when there are none."""
    if limits.low is not None and limits.high is not None:
        text = f"{limits.low:f} to {limits.high:f}"
    elif limits.low is not None:
        text = f"at least {limits.low:f}"
    elif limits.high is not None:
        text = f"at most {limits.high:f}"
    else:
        return ""
    if limits.alert_low is not None:
        text += f", alert below {limits.alert_low:f}"
    if limits.alert_high is not None:
        text += f", alert above {limits.alert_high:f}"
    return text


def window_of(limits: Limits, unit: str = "", value: Decimal | None = None) -> tuple[Decimal, Decimal]:
    """What the gauge shows: the limits with a margin, never below zero for a limit that is not, a percentage to 100."""
    low, high = limits.low, limits.high
    ceiling = HUNDRED if unit.strip() == "%" else None
    if low is not None and high is not None:
        margin = (high - low) * MARGIN or abs(high) * MARGIN or Decimal(1)
        bottom, top = low - margin, high + margin
    elif high is not None:
        bottom, top = min(Decimal(0), high), high + (abs(high) * MARGIN or Decimal(1))
    elif low is not None:
        top = ceiling if ceiling is not None and low < ceiling else low + (abs(low) or Decimal(1))
        bottom = low - (top - low)
    else:
        centre = value if value is not None else Decimal(0)
        margin = abs(centre) or Decimal(1)
        bottom, top = centre - margin, centre + margin
    if bottom < 0 and (low is None or low >= 0) and (high is None or high >= 0) and (value is None or value >= 0):
        bottom = Decimal(0)
    if ceiling is not None and top > ceiling and (high is None or high <= ceiling):
        top = ceiling
    bottom = limits.window_low if limits.window_low is not None else bottom
    top = limits.window_high if limits.window_high is not None else top
    return (bottom, top) if top > bottom else (bottom, bottom + 1)


def position(value: Decimal, bottom: Decimal, top: Decimal) -> Decimal:
    """Percent of the window's width, kept between 0 and 100."""
    return min(HUNDRED, max(Decimal(0), (value - bottom) / (top - bottom) * HUNDRED))


def _text(percent: Decimal) -> str:
    return f"{percent.quantize(Decimal('0.01'), ROUND_HALF_EVEN):f}"


def measure(value: Any, source: Any, unit: str = "", state: str | None = None) -> Gauge:
    """Everything a drawing needs, from a value (Decimal, text or None) and its limits in the same unit."""
    limits, number = limits_of(source), to_decimal(value)
    bottom, top = window_of(limits, unit, number)
    start = position(limits.low, bottom, top) if limits.low is not None else Decimal(0)
    end = position(limits.high, bottom, top) if limits.high is not None else HUNDRED
    if limits.low is None and limits.high is None:
        end = start
    zones = []
    if limits.alert_low is not None:
        zones.append((_text(start), _text(position(limits.alert_low, bottom, top))))
    if limits.alert_high is not None:
        zones.append((_text(position(limits.alert_high, bottom, top)), _text(end)))
    ticks = tuple((_text(position(limit, bottom, top)), f"{limit:f}") for limit in (limits.low, limits.high) if limit is not None and bottom < limit <= top)
    mark = None
    if number is not None:
        mark = _text(min(HUNDRED - EDGE, max(EDGE, position(number, bottom, top))))
    return Gauge(
        state=state or state_of(number, limits),
        window_low=bottom,
        window_high=top,
        mark=mark,
        off_scale=number is not None and not bottom <= number <= top,
        allowed=(_text(start), _text(max(Decimal(0), end - start))),
        zones=tuple(zones),
        ticks=ticks,
        words=words_of(number, limits),
    )
