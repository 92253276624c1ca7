"""The fixed list of functions, with what each takes. Values are exact decimals; rounding is half up as in USP General Notices 7.20."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Literal

Shape = Literal["same_unit", "root", "logarithm", "round", "count", "list", "convert"]


@dataclass(frozen=True)
class Function:
    """``takes_lists``: every value of a repeated parameter may be given; ``shape``: how units pass through."""

    least: int
    most: int
    shape: Shape
    compute: Callable[[Sequence[Decimal]], Decimal]
    takes_lists: bool = False


def _rounded(values: Sequence[Decimal], mode: str) -> Decimal:
    return values[0].quantize(Decimal(1).scaleb(-int(values[1])), mode)


def _mean(values: Sequence[Decimal]) -> Decimal:
    return sum(values, Decimal(0)) / len(values)


FUNCTIONS: dict[str, Function] = {
    "min": Function(1, 20, "same_unit", min, takes_lists=True),
    "max": Function(1, 20, "same_unit", max, takes_lists=True),
    "sum": Function(1, 20, "same_unit", lambda values: sum(values, Decimal(0)), takes_lists=True),
    "mean": Function(1, 20, "same_unit", _mean, takes_lists=True),
    "abs": Function(1, 1, "same_unit", lambda values: abs(values[0])),
    "sqrt": Function(1, 1, "root", lambda values: values[0].sqrt()),
    "log10": Function(1, 1, "logarithm", lambda values: values[0].log10()),
    "ln": Function(1, 1, "logarithm", lambda values: values[0].ln()),
    "round": Function(2, 2, "round", lambda values: _rounded(values, ROUND_HALF_UP)),
    "round_half_even": Function(2, 2, "round", lambda values: _rounded(values, ROUND_HALF_EVEN)),
    "count": Function(1, 1, "count", lambda values: Decimal(len(values)), takes_lists=True),
    "first": Function(1, 1, "list", lambda values: values[0], takes_lists=True),
    "last": Function(1, 1, "list", lambda values: values[-1], takes_lists=True),
    # Units are texts and known when the recipe is checked; the value alone is turned at evaluation.
    "convert": Function(3, 3, "convert", lambda values: values[0]),
}
EMPTY_IS_FINE = frozenset({"sum", "count"})
MOST_PLACES = 20
