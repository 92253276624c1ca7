"""Where a value stands against a pair of bounds: exact, with censored values as the intervals they are.

A censored value proves only its bound. ``<= 0.5`` lies within a maximum of 0.5, and proves nothing about a maximum of 0.4. Measured amounts
are not negative, so ``< 0.5`` is read as 0 to 0.5 (QC-06). Nothing is rounded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Literal, Protocol

from batches.recipes.quantities import Qualifier, format_decimal

Place = Literal["inside", "below", "above", "undecided"]

# Wide enough that the difference of any two values the reader lets through is exact.
_EXACT = Context(prec=120)


class Bounds(Protocol):
    """Anything with these four: a band of limits, an acceptance criterion, ``Between``."""

    @property
    def min(self) -> Decimal | None: ...
    @property
    def max(self) -> Decimal | None: ...
    @property
    def min_exclusive(self) -> Decimal | None: ...
    @property
    def max_exclusive(self) -> Decimal | None: ...


@dataclass(frozen=True)
class Between:
    """Bounds that were computed, such as a dose of ± 20 %. ``min`` and ``max`` are inside, the exclusive ones are not."""

    min: Decimal | None = None
    max: Decimal | None = None
    min_exclusive: Decimal | None = None
    max_exclusive: Decimal | None = None


@dataclass(frozen=True)
class Side:
    """One bound: its value, and whether the value itself is outside."""

    limit: Decimal
    is_exclusive: bool


@dataclass(frozen=True)
class Standing:
    """Where a value stands. ``side`` is the bound that is broken, undecided, or nearest; None where there is no bound.

    ``distance`` is exact and never negative: from the bound, in the unit of the value.
    """

    place: Place
    side: Side | None
    is_lower: bool
    distance: Decimal


@dataclass(frozen=True)
class _Interval:
    low: Decimal | None
    low_closed: bool
    high: Decimal | None
    high_closed: bool


def lower(bounds: Bounds) -> Side | None:
    """The lower bound; where both are given, the stricter."""
    return _stricter(bounds.min, bounds.min_exclusive, highest=True)


def upper(bounds: Bounds) -> Side | None:
    """The upper bound; where both are given, the stricter."""
    return _stricter(bounds.max, bounds.max_exclusive, highest=False)


def _stricter(inclusive: Decimal | None, exclusive: Decimal | None, *, highest: bool) -> Side | None:
    if exclusive is not None and (inclusive is None or (exclusive >= inclusive if highest else exclusive <= inclusive)):
        return Side(exclusive, True)
    return None if inclusive is None else Side(inclusive, False)


def standing(value: Decimal, qualifier: Qualifier, bounds: Bounds) -> Standing:
    """Where ``qualifier value`` stands against the bounds. Raises ``ValueError`` on a number that is not finite."""
    if not value.is_finite():
        raise ValueError("only a finite number stands anywhere")
    low, high = lower(bounds), upper(bounds)
    interval = _interval(value, qualifier)
    if low and _wholly_below(interval, low):
        return Standing("below", low, True, _distance(value, low))
    if high and _wholly_above(interval, high):
        return Standing("above", high, False, _distance(value, high))
    if high and not _wholly_below_or_at(interval, high):
        return Standing("undecided", high, False, _distance(value, high))
    if low and not _wholly_above_or_at(interval, low):
        return Standing("undecided", low, True, _distance(value, low))
    nearest = [(side, is_lower) for side, is_lower in ((low, True), (high, False)) if side]
    if not nearest:
        return Standing("inside", None, True, Decimal(0))
    side, is_lower = min(nearest, key=lambda each: _distance(value, each[0]))
    return Standing("inside", side, is_lower, _distance(value, side))


def _interval(value: Decimal, qualifier: Qualifier) -> _Interval:
    if qualifier in ("<", "<="):
        return _Interval(Decimal(0) if value > 0 else None, True, value, qualifier == "<=")
    if qualifier in (">", ">="):
        return _Interval(value, qualifier == ">=", None, False)
    return _Interval(value, True, value, True)


def _wholly_below(interval: _Interval, low: Side) -> bool:
    if interval.high is None:
        return False
    return interval.high < low.limit or (interval.high == low.limit and (low.is_exclusive or not interval.high_closed))


def _wholly_above(interval: _Interval, high: Side) -> bool:
    if interval.low is None:
        return False
    return interval.low > high.limit or (interval.low == high.limit and (high.is_exclusive or not interval.low_closed))


def _wholly_below_or_at(interval: _Interval, high: Side) -> bool:
    if interval.high is None:
        return False
    return interval.high < high.limit or (interval.high == high.limit and (not high.is_exclusive or not interval.high_closed))


def _wholly_above_or_at(interval: _Interval, low: Side) -> bool:
    if interval.low is None:
        return False
    return interval.low > low.limit or (interval.low == low.limit and (not low.is_exclusive or not interval.low_closed))


def _distance(value: Decimal, side: Side) -> Decimal:
    return _EXACT.subtract(value, side.limit).copy_abs()


def _after(unit: str) -> str:
    """The unit as it stands after a number; a plain number, whose unit is 1, has none."""
    return f" {unit}" if unit and unit != "1" else ""


def bounds_text(bounds: Bounds, unit: str = "") -> str:
    """The bounds as a person reads them: ``≥ 70 %``, ``> 0.5 and ≤ 5 EU/mL``, ``2 to 8 degC``, or an empty text."""
    low, high = lower(bounds), upper(bounds)
    suffix = _after(unit)
    if low and high and not low.is_exclusive and not high.is_exclusive:
        return f"{format_decimal(low.limit)} to {format_decimal(high.limit)}{suffix}"
    parts = []
    if low:
        parts.append(f"{'>' if low.is_exclusive else '≥'} {format_decimal(low.limit)}")
    if high:
        parts.append(f"{'<' if high.is_exclusive else '≤'} {format_decimal(high.limit)}")
    return " and ".join(parts) + suffix if parts else ""


def distance_text(stands: Standing, unit: str = "", word: str = "") -> str:
    """``1.6 below the lower limit of 70.0 %``; ``word`` goes before limit (``alert ``). Empty where there is no bound.

    The limit is shown with its own digits; the distance is exact, so it never reads 0.0 for a value that is outside.
    """
    if stands.side is None:
        return ""
    side = "lower" if stands.is_lower else "upper"
    limit = f"the {side} {word}limit of {format_decimal(stands.side.limit)}{_after(unit)}"
    if stands.distance == 0:
        return f"at {limit}" + (", which is outside itself" if stands.side.is_exclusive and stands.place != "inside" else "")
    goes_below = stands.is_lower if stands.place != "inside" else not stands.is_lower
    return f"{format_decimal(stands.distance)} {'below' if goes_below else 'above'} {limit}"
