"""The unit of a part of an expression, worked out without any value (dimensional analysis).

A measure is a dimension and the factors its value may have. A number written in the formula can be a plain number (``0.8 * dose``)
or turn a unit (``count * 1000000``, ``pct / 100``): both readings are kept as possible factors, and a comparison, a sum or
the declared result must agree with one of them. So ``0.8 * volume`` in mL cannot pass as litres, and ``viable / total`` cannot pass
as percent until it is multiplied by 100.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from batches.recipes.units import Unit, decimal_of, parse_unit

Dimension = tuple[tuple[str, int], ...]
MOST_FACTORS = 64

# How a derived unit is written in a sentence: the unit of each dimension that people use, and its factor to the base unit.
_WRITTEN = {
    "length": ("m", 1), "mass": ("kg", 1000), "time": ("h", 3600), "cell": ("cells", 1), "copy": ("copies", 1), "bead": ("beads", 1),
    "event": ("events", 1), "particle": ("particles", 1), "vial": ("vials", 1), "bag": ("bags", 1), "piece": ("pieces", 1), "dose": ("doses", 1),
    "transducing_unit": ("TU", 1), "endotoxin_unit": ("EU", 1), "international_unit": ("IU", 1), "enzyme_unit": ("U", 1),
    "colony_forming_unit": ("CFU", 1), "acidity": ("pH", 1), "turbidity": ("NTU", 1), "calendar_month": ("months", 1), "substance": ("mol", 1),
    "osmotic_amount": ("Osm", 1), "temperature": ("K", 1), "rotation": ("rpm", 1), "relative_centrifugal_force": ("xg", 1), "voltage": ("V", 1),
}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """What a number measures. ``factors`` None: any factor. ``literal``: a number written in the formula, fitting any unit."""

    dimension: Dimension = ()
    factors: frozenset[Fraction] | None = frozenset({Fraction(1)})
    is_celsius: bool = False
    is_literal: bool = False
    literal: Fraction | None = None
    shown: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it has no dimension."""
        return not self.dimension


PLAIN = Measure()


def written(value: Fraction | None) -> Measure:
    """The measure of a number written in the formula; None when its value is not known before evaluation."""
    return Measure(factors=None, is_literal=True, literal=value)


def of_unit(text: str) -> Measure:
    """The measure of a parameter in this unit. Raises ``UnitRefused``."""
    unit: Unit = parse_unit(text)
    return Measure(unit.dimension, frozenset({unit.factor}), is_celsius=bool(unit.offset), shown=text.strip())


def product(one: Measure, other: Measure, *, divided: bool = False) -> Measure:
    """The measure of ``one * other`` or ``one / other``."""
    if one.is_literal and other.is_literal:
        return written(_literal_product(one.literal, other.literal, divided))
    powers = dict(one.dimension)
    for base, power in other.dimension:
        powers[base] = powers.get(base, 0) + (-power if divided else power)
    dimension = tuple(sorted((base, power) for base, power in powers.items() if power))
    return Measure(dimension, _factors_of_product(one, other, divided))


def _literal_product(one: Fraction | None, other: Fraction | None, divided: bool) -> Fraction | None:
    if one is None or other is None or (divided and other == 0):
        return None
    return one / other if divided else one * other


def _factors_of_product(one: Measure, other: Measure, divided: bool) -> frozenset[Fraction] | None:
    firsts, seconds = _readings(one, inverse=False), _readings(other, inverse=divided)
    if firsts is None or seconds is None or len(firsts) * len(seconds) > MOST_FACTORS:
        return None
    return frozenset(first * second for first in firsts for second in seconds)


def _readings(measure: Measure, *, inverse: bool) -> frozenset[Fraction] | None:
    """Factors a measure brings into a product. A written number n is plain (1) or turns the unit: n times more means a unit n times smaller."""
    if measure.is_literal:
        if not measure.literal:
            return frozenset({Fraction(1)})
        turned = measure.literal if inverse else 1 / measure.literal
        return frozenset({Fraction(1), abs(turned)})
    if measure.factors is None:
        return None
    return frozenset(1 / factor for factor in measure.factors) if inverse else measure.factors


def power(base: Measure, exponent: int) -> Measure:
    """The measure of ``base ** exponent``."""
    if base.is_literal:
        return written(base.literal**exponent if base.literal and abs(exponent) <= 20 else None)
    dimension = tuple((name, each * exponent) for name, each in base.dimension if exponent)
    factors = None if base.factors is None else frozenset(factor**exponent for factor in base.factors)
    return Measure(dimension, factors)


def root(of: Measure) -> Measure | None:
    """The measure of a square root; None when the dimension has none, such as the root of mL."""
    if of.is_literal:
        return written(None)
    if any(exponent % 2 for _, exponent in of.dimension):
        return None
    dimension = tuple((name, exponent // 2) for name, exponent in of.dimension)
    roots = [_exact_root(factor) for factor in of.factors or ()]
    return Measure(dimension, frozenset(each for each in roots if each) if roots and all(roots) else None)


def _exact_root(number: Fraction) -> Fraction | None:
    top, bottom = isqrt(number.numerator), isqrt(number.denominator)
    return Fraction(top, bottom) if top * top == number.numerator and bottom * bottom == number.denominator else None


def common(one: Measure, other: Measure) -> Measure | None:
    """The measure both agree on (for + - comparisons, min, max); None when dimension, factor or degC differ."""
    if one.is_literal:
        return other
    if other.is_literal:
        return one
    if one.dimension != other.dimension or one.is_celsius != other.is_celsius:
        return None
    if one.factors is None or other.factors is None:
        factors = other.factors if one.factors is None else one.factors
    else:
        factors = one.factors & other.factors
        if not factors:
            return None
    return Measure(one.dimension, factors, one.is_celsius, shown=one.shown or other.shown)


def fits(result: Measure, declared: Measure) -> bool:
    """Whether a result may be recorded in the declared unit. A difference of two degC values may be recorded in degC."""
    if result.is_celsius == declared.is_celsius or not result.is_celsius:
        return common(Measure(result.dimension, result.factors, declared.is_celsius, result.is_literal), declared) is not None
    return False


def unit_text(measure: Measure) -> str:
    """The unit as text that ``parse_unit`` reads, such as ``10^6 cells/mL``; of several possible factors the one that is shortest to write."""
    if measure.shown or measure.is_literal:
        return measure.shown
    return min((_unit_text(measure.dimension, factor) for factor in sorted(measure.factors or {Fraction(1)})), key=len)


def _unit_text(dimension: Dimension, factor: Fraction) -> str:
    if not dimension:
        return "%" if factor == Fraction(1, 100) else _scale(factor)
    over, under = [], []
    for base, exponent in dimension:
        word, word_factor, times = _WRITTEN[base][0], Fraction(_WRITTEN[base][1]), exponent
        if base == "length" and exponent % 3 == 0:
            word, word_factor, times = "mL", Fraction(1, 10**6), exponent // 3
        factor /= word_factor**times
        (over if times > 0 else under).append(word + (str(abs(times)) if abs(times) > 1 else ""))
    head = " ".join(part for part in (_scale(factor), "*".join(over)) if part) or "1"
    return "/".join([head, *under])


def _scale(factor: Fraction) -> str:
    if factor == 1:
        return ""
    exponent = len(str(factor.numerator)) - len(str(factor.denominator))
    return f"10^{exponent}" if Fraction(10) ** exponent == factor else f"{decimal_of(factor):.6g}"
