"""Units as people write them on a batch record, compared by meaning and converted exactly.

``10^6 cells/mL``, ``CAR+ cells/kg``, ``% of viable CD3+``, ``copies per transduced cell``, ``copies/100 ng DNA``, ``degC``, ``pH``.
A unit has three parts: a dimension (what is counted or measured, with its denominator), a factor (10^6, milli) and the *entity
words* (CAR+, transduced, of viable CD3+). Entity words never change a number, but two units whose entity words differ are not the same
unit: copies per cell and copies per transduced cell are different quantities, and EU/mL is never EU/kg.

Only the units of the table below exist. An open dictionary would read ``37 C`` as coulomb and ``T cells`` as tesla. Dimensions
and factors come from a pint registry made of this table alone (decimal, built on first use in a few milliseconds); factors are
kept as fractions, so a conversion is exact wherever the result is a finite decimal.
Sources: 21 CFR 211.160(b), 211.188; units of the published specifications (Castella 2019, doi:10.1016/j.omtm.2018.11.010).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache

from mes.errors import UnreadableInput

LONGEST_UNIT = 80
PERCENT = "percent"

# name, definition for pint (its base units carry brackets), other spellings. What is counted has a dimension of its own, so that cells
# never add to copies; U, IU, EU and TU are arbitrary units of different assays and never convert.
_TABLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("cell", "[cell]", ("cells",)),
    ("copy", "[copy]", ("copies",)),
    ("bead", "[bead]", ("beads",)),
    ("event", "[event]", ("events",)),
    ("particle", "[particle]", ("particles",)),
    ("vial", "[vial]", ("vials",)),
    ("bag", "[bag]", ("bags",)),
    ("piece", "[piece]", ("pieces", "pcs")),
    ("dose", "[dose]", ("doses",)),
    ("TU", "[transducing_unit]", ()),
    ("EU", "[endotoxin_unit]", ()),
    ("IU", "[international_unit]", ()),
    ("kIU", "1e3 IU", ()),
    ("MIU", "1e6 IU", ()),
    ("U", "[enzyme_unit]", ()),
    ("kU", "1e3 U", ()),
    ("CFU", "[colony_forming_unit]", ("cfu",)),
    ("pH", "[acidity]", ()),
    ("NTU", "[turbidity]", ()),
    ("percent", "0.01", ("%", "per cent")),
    ("fold", "1", ("times",)),
    ("m", "[length]", ()),
    ("cm", "0.01 m", ()),
    ("mm", "1e-3 m", ()),
    ("um", "1e-6 m", ("micron", "microns")),
    ("nm", "1e-9 m", ()),
    ("L", "1e-3 m**3", ("l", "litre", "litres", "liter", "liters")),
    ("dL", "0.1 L", ("dl",)),
    ("mL", "1e-3 L", ("ml",)),
    ("uL", "1e-6 L", ("ul",)),
    ("nL", "1e-9 L", ("nl",)),
    ("g", "[mass]", ()),
    ("kg", "1e3 g", ()),
    ("mg", "1e-3 g", ()),
    ("ug", "1e-6 g", ("mcg",)),
    ("ng", "1e-9 g", ()),
    ("pg", "1e-12 g", ()),
    ("fg", "1e-15 g", ()),
    ("s", "[time]", ("sec", "second", "seconds")),
    ("ms", "1e-3 s", ()),
    ("min", "60 s", ("minute", "minutes", "mins")),
    ("h", "3600 s", ("hr", "hrs", "hour", "hours")),
    ("d", "86400 s", ("day", "days")),
    ("week", "604800 s", ("weeks",)),
    # A month has no fixed length: a shelf life of 9 months is a calendar date, not a number of days.
    ("month", "[calendar_month]", ("months",)),
    ("mol", "[substance]", ()),
    ("mmol", "1e-3 mol", ()),
    ("umol", "1e-6 mol", ()),
    ("nmol", "1e-9 mol", ()),
    ("pmol", "1e-12 mol", ()),
    ("M", "mol/L", ()),
    ("mM", "1e-3 mol/L", ()),
    ("uM", "1e-6 mol/L", ()),
    ("nM", "1e-9 mol/L", ()),
    ("Osm", "[osmotic_amount]", ("osmol",)),
    ("mOsm", "1e-3 Osm", ("mosmol", "mOsmol")),
    ("K", "[temperature]", ()),
    ("degC", "kelvin_interval", ("°C", "celsius", "Celsius")),
    ("Pa", "1e3 g/m/s**2", ()),
    ("hPa", "1e2 Pa", ()),
    ("kPa", "1e3 Pa", ()),
    ("bar", "1e5 Pa", ()),
    ("mbar", "1e2 Pa", ()),
    ("mmHg", "133.322387415 Pa", ()),
    ("rpm", "[rotation]", ()),
    ("xg", "[relative_centrifugal_force]", ("x g", "rcf", "RCF")),
    ("Gy", "1e0 m**2/s**2", ()),
    ("V", "[voltage]", ()),
    ("mV", "1e-3 V", ()),
)
_CELSIUS_ZERO = Fraction(27315, 100)

_CANONICAL = {name: name for name, _, _ in _TABLE} | {alias: name for name, _, aliases in _TABLE for alias in aliases}
_COUNTED = frozenset({"cell", "copy", "bead", "event", "particle", "vial", "bag", "piece", "dose", "TU", "CFU"})
_JOINING_WORDS = frozenset({"of", "among", "in", "the", "a"})

_FOLDED = str.maketrans(
    {
        "µ": "u",
        "μ": "u",
        "·": "*",
        "⋅": "*",
        "×": "x",
        "−": "-",
        "–": "-",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "º": "°",
    }
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUPERSCRIPT_RUN = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_PER = re.compile(r"\s*/\s*|\s+per\s+(?!cent\b)")
_SCALE = re.compile(r"(?:x\s*)?10\s?(?:\^|\*\*)\s?(?P<power>-?\d{1,2})(?=\s|$)|(?P<number>\d{1,9}(?:\.\d{1,6})?(?:[eE][+-]?\d{1,2})?)(?=\s|$)")
_WORD_WITH_POWER = re.compile(r"(?P<word>[A-Za-z°%]+)(?:(?:\^|\*\*)?(?P<power>-?[1-9]))?")
_ENTITY_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9+\-_:.]*")


class UnitRefused(UnreadableInput):
    """A unit that cannot be read, or two units that cannot be compared. Codes: ``unknown_unit``, ``wrong_unit``."""


@dataclass(frozen=True)
class Unit:
    """A unit that was read. ``factor`` times a value gives base units; ``offset`` is 273.15 K for degC, else 0."""

    text: str = field(compare=False)
    factor: Fraction
    offset: Fraction
    dimension: tuple[tuple[str, int], ...]
    entities: tuple[tuple[str, str, str], ...]
    """(where, dimension, words) of each entity: ``("per", "cell", "transduced")``."""

    @property
    def is_number(self) -> bool:
        """Whether this is a plain number or ratio, percent included."""
        return not self.dimension

    @property
    def is_percent(self) -> bool:
        """Whether this is percent, of whatever."""
        return not self.dimension and self.factor == Fraction(1, 100)


@cache
def _registry():  # type: ignore[no-untyped-def]  # pint's registry class is made at run time
    # Late: importing pint costs a tenth of a second that no page without units should pay.
    import pint

    registry = pint.UnitRegistry(None, non_int_type=Decimal, autoconvert_offset_to_baseunit=False)
    registry.define("kelvin_interval = [temperature]")
    for name, definition, _ in _TABLE:
        registry.define(f"{name} = {'kelvin_interval' if name == 'K' else definition}")
    return registry


@cache
def _word(name: str) -> tuple[Fraction, tuple[tuple[str, int], ...]]:
    """Factor to base units and dimension of one word of the table."""
    quantity = _registry().Quantity(Decimal(1), name).to_root_units()
    dimension = tuple(sorted((dim.strip("[]"), int(power)) for dim, power in quantity.dimensionality.items()))
    return Fraction(quantity.magnitude), dimension


def parse_unit(text: str) -> Unit:
    """The unit written in ``text``; an empty text or ``1`` is a plain number.

    Raises ``UnitRefused`` (``unknown_unit``) with the nearest known spelling.
    """
    return _parse(text)


@lru_cache(maxsize=2048)
def _parse(text: str) -> Unit:
    written = text.strip()
    if len(written) > LONGEST_UNIT:
        raise UnitRefused("unknown_unit", f"The unit is longer than {LONGEST_UNIT} characters. Shorten it.")
    folded = _SUPERSCRIPT_RUN.sub(lambda run: "^" + run[0].translate(_SUPERSCRIPTS), written).translate(_FOLDED)
    folded = " ".join(folded.split())
    if folded in ("", "1"):
        return Unit(written, Fraction(1), Fraction(0), (), ())
    factor, offset = Fraction(1), Fraction(0)
    powers: dict[str, int] = {}
    entities: list[tuple[str, str, str]] = []
    for position, part in enumerate(_PER.split(folded)):
        sign = -1 if position else 1
        scale, rest = _scale(part, written)
        factor *= scale**sign
        if not rest:
            if position or part == "":
                raise _unknown(written, part)
            continue
        for product in rest.split("*"):
            name, power, words = _unit_and_words(product.strip(), written)
            word_factor, dimension = _word(name)
            factor *= word_factor ** (sign * power)
            for base, exponent in dimension:
                powers[base] = powers.get(base, 0) + exponent * power * sign
            if words:
                entities.append(("per" if position else "of", "*".join(base for base, _ in dimension) or "ratio", words))
            if name == "degC" and folded in _CANONICAL:
                offset = _CELSIUS_ZERO
    dimension = tuple(sorted((base, power) for base, power in powers.items() if power))
    return Unit(written, factor, offset, dimension, tuple(sorted(entities)))


def _scale(part: str, written: str) -> tuple[Fraction, str]:
    found = _SCALE.match(part)
    if found is None:
        return Fraction(1), part
    if found["power"] is not None:
        scale = Fraction(10) ** int(found["power"])
    else:
        scale = Fraction(Decimal(found["number"]))
    if scale == 0:
        raise UnitRefused("unknown_unit", f"The unit {written!r} has a factor of 0. Write the factor, such as 10^6.")
    return scale, part[found.end() :].strip()


def _unit_and_words(part: str, written: str) -> tuple[str, int, str]:
    """The one unit word of a part such as ``CAR+ viable T cells``, its power, and the entity words around it."""
    if part in _CANONICAL:
        return _CANONICAL[part], 1, ""
    words = part.split()
    read = [_WORD_WITH_POWER.fullmatch(word) for word in words]
    names = [_CANONICAL.get(found["word"]) if found else None for found in read]
    # What is counted wins ("CAR+ viable T cells", "transgene copies"); otherwise the unit comes first ("ng DNA", "% of viable CD3+").
    at = next((i for i, name in reversed(list(enumerate(names))) if name in _COUNTED), None)
    if at is None and names and names[0] is not None:
        at = 0
    if at is None:
        raise _unknown(written, part)
    others = [word for i, word in enumerate(words) if i != at]
    if any(not _ENTITY_WORD.fullmatch(word) for word in others):
        raise _unknown(written, part)
    found = read[at]
    power = int(found["power"]) if found and found["power"] else 1
    return str(names[at]), power, " ".join(word for word in others if word.casefold() not in _JOINING_WORDS).casefold()


def _unknown(written: str, part: str) -> UnitRefused:
    last = part.split()[-1] if part.split() else ""
    # "C" is what people write for degrees; by itself it is closer to no spelling of the table.
    near = ["degC"] if last == "C" else difflib.get_close_matches(last, [word for word in _CANONICAL if len(word) > 1], 1, 0.6)
    advice = f"Did you mean {near[0]!r}?" if near else "Use a unit such as mL, %, degC, h, 10^6 cells/mL, EU/mL or copies/cell."
    return UnitRefused("unknown_unit", f"The unit {written!r} is not known. {advice}")


def same_unit(one: str, other: str) -> bool:
    """Whether two spellings mean the same unit: dimension, factor and entity words. Raises ``UnitRefused``."""
    return parse_unit(one) == parse_unit(other)


def compatible(one: str, other: str) -> bool:
    """Whether a value can be converted from one unit to the other: same dimension, same entity words. Raises ``UnitRefused``."""
    first, second = parse_unit(one), parse_unit(other)
    return first.dimension == second.dimension and first.entities == second.entities


def agrees(given: str, expected: str) -> bool:
    """Whether a unit typed or sent with a value is that of its field.

    A bare ``%`` is taken for ``% of viable CD3+``: the field names the denominator. Nothing else is filled in. Raises ``UnitRefused``.
    """
    first, second = parse_unit(given), parse_unit(expected)
    return first == second or (first.is_percent and second.is_percent and not first.entities)


def convert(value: Decimal, given: str, wanted: str) -> Decimal:
    """The value in the unit ``wanted``, exact where the result is a finite decimal of at most 34 digits, else rounded half even to 34.

    Raises ``UnitRefused`` (``wrong_unit``) when the units do not measure the same thing, ``unknown_unit`` when one cannot be read.
    """
    first, second = parse_unit(given), parse_unit(wanted)
    if not compatible(given, wanted):
        raise UnitRefused("wrong_unit", f"{given!r} cannot be turned into {wanted!r}: they do not measure the same thing.")
    if (first.factor, first.offset) == (second.factor, second.offset):
        return value
    exact = (Fraction(value) * first.factor + first.offset - second.offset) / second.factor
    return decimal_of(exact)


def decimal_of(number: Fraction) -> Decimal:
    """A fraction as a decimal of at most 34 significant digits (IEEE 754 decimal128), half even."""
    context = Context(prec=34, rounding=ROUND_HALF_EVEN)
    return context.divide(Decimal(number.numerator), Decimal(number.denominator))
