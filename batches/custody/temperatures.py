"""Temperatures read when a container changes hands: values as typed, judged against what the recipe allows on this way. COI-04; 21 CFR 211.150.

What is no temperature is refused. Where the recipe gives no limit nothing is judged, and that is said; so is a temperature nobody read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from batches.recipes.bounds import bounds_text, distance_text, standing
from batches.recipes.document.schema import Recipe
from batches.recipes.document.transport import TemperatureLimits
from batches.recipes.quantities import DecimalSign, Quantity, ValueRefused, read_value
from mes.errors import UnreadableInput

UNIT = "degC"
SHOWN = "°C"
LOWEST = Decimal("-273.15")
"""Nothing is colder."""
NAMES = {"temperature_min": "Lowest temperature", "temperature_max": "Highest temperature"}
OF_STARTING_MATERIAL = ("to_manufacture", "at_manufacture")
"""Kinds of hand-over of what a product is made of; the others are of the product."""


@dataclass(frozen=True)
class Temperatures:
    """What was read and how it stands: `level` is not_read, no_limit, within or action, as of a value of a step; the sentence says it."""

    low: Decimal | None
    high: Decimal | None
    level: str
    sentence: str


def limits_on(recipe: Recipe, kind: str) -> TemperatureLimits | None:
    """The limits of the recipe for a kind of hand-over; None where it gives none."""
    return recipe.transport.starting_material if kind in OF_STARTING_MATERIAL else recipe.transport.product


def limits_words(recipe: Recipe, kind: str) -> str:
    """The same for whoever reads the thermometer."""
    limits = limits_on(recipe, kind)
    return f"Limits {bounds_text(limits, SHOWN)}." if limits else "The recipe gives no limit for this way."


def read_and_judge(recipe: Recipe, kind: str, details: Mapping[str, str], decimal_sign: DecimalSign) -> Temperatures:
    """Read both temperatures as any value of a step is read, and judge them. Raises ValueRefused, UnreadableInput: `below_absolute_zero`,
    `temperatures_swapped`."""
    read = {name: found for name in NAMES if (found := _read(name, details.get(name, ""), decimal_sign)) is not None}
    low, high = (read[name].value if name in read else None for name in NAMES)
    if low is not None and high is not None and low > high:
        raise UnreadableInput("temperatures_swapped", "The lowest temperature lies above the highest. Look at the two again.", field="temperature_min")
    limits = limits_on(recipe, kind)
    if not read:
        return Temperatures(low, high, "not_read", "No temperature was read.")
    left = "".join(f" {words} was not read." for name, words in NAMES.items() if name not in read)
    if limits is None:
        return Temperatures(low, high, "no_limit", f"The recipe gives no limit for this way: not judged.{left}")
    found = [(name, quantity, standing(quantity.value, "", limits)) for name, quantity in read.items()]
    broken = [f"{NAMES[name]} {_shown(quantity)}: {distance_text(stands, SHOWN)}." for name, quantity, stands in found if stands.place != "inside"]
    if broken:
        return Temperatures(low, high, "action", " ".join(broken) + left)
    if (limits.min is not None and low is None) or (limits.max is not None and high is None):
        # A lowest temperature says nothing of how warm it was: where the one that a limit is about was not read, nobody knows that it was kept.
        return Temperatures(low, high, "not_read", f"What was read is within {bounds_text(limits, SHOWN)}.{left}")
    return Temperatures(low, high, "within", f"Within {bounds_text(limits, SHOWN)}.{left}")


def _read(name: str, typed: str, decimal_sign: DecimalSign) -> Quantity | None:
    if not typed.strip():
        return None
    try:
        found = read_value(typed, "decimal", unit=UNIT, decimals=2, decimal_sign=decimal_sign)
    except ValueRefused as refused:
        raise ValueRefused(refused.code, refused.sentence, field=name) from None
    if found.value < LOWEST:
        raise UnreadableInput("below_absolute_zero", f"Nothing is colder than {LOWEST} {SHOWN}. Read the temperature again.", field=name)
    return found


def _shown(quantity: Quantity) -> str:
    return quantity.text if quantity.text[-1:].isalpha() else f"{quantity.text} {SHOWN}"
