"""The limits of decision 13 applied to one recorded value (EXE-04, EXE-05). Pure: no clock, no person, no database.

A parameter can have five bands. The first that is broken, in this order, is the judgement:

=============  ==================================================================================
implausible    no entry: the attempt is kept as typed, the step stays unfilled
hard           recorded; the step stops until the named role decides
action         recorded; an excursion is written; work may go on
alert          recorded; flagged
historical     recorded; flagged for review only
within         inside every band that is set
no_limit       none is set: the value is recorded, and nobody may read that as "within"
=============  ==================================================================================

A censored value is inside a band only if its bound proves it. What cannot be decided against a hard or action limit is treated as
outside the action limit; against an alert limit or a historical range it is flagged as outside; a plausible range refuses only
what is proven outside. Values are compared as entered, unrounded.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from batches.recipes.bounds import Standing, bounds_text, distance_text, standing
from batches.recipes.document.schema import Band, LimitName, Limits
from batches.recipes.quantities import Quantity

__all__ = ["Band", "Judgement", "Level", "Limits", "judge"]


class Level(StrEnum):
    """What a value breaks, most severe first."""

    IMPLAUSIBLE = "implausible"
    HARD = "hard"
    ACTION = "action"
    ALERT = "alert"
    HISTORICAL = "historical"
    WITHIN = "within"
    NO_LIMIT = "no_limit"


@dataclass(frozen=True)
class Judgement:
    """The level, the band that decided it, how far the value is from its bound, and the sentence shown and recorded.

    ``decided`` is False when a censored value proves neither inside nor outside.
    """

    level: Level
    sentence: str
    band: Band | None = None
    limit: Decimal | None = None
    distance: Decimal | None = None
    decided: bool = True

    @property
    def is_refused(self) -> bool:
        """Whether no entry is made and the attempt is kept instead."""
        return self.level is Level.IMPLAUSIBLE

    @property
    def is_excursion(self) -> bool:
        """Whether an excursion is written with the entry."""
        return self.level in (Level.HARD, Level.ACTION)

    @property
    def stops_step(self) -> bool:
        """Whether the step stops until the named role decides."""
        return self.level is Level.HARD

    @property
    def is_flagged(self) -> bool:
        """Whether the value is marked without being an excursion."""
        return self.level in (Level.ALERT, Level.HISTORICAL)


_LEVELS: dict[LimitName, Level] = {
    "plausible": Level.IMPLAUSIBLE,
    "hard": Level.HARD,
    "action": Level.ACTION,
    "alert": Level.ALERT,
    "historical": Level.HISTORICAL,
}
_WORDS = {Level.HARD: "hard ", Level.ACTION: "", Level.ALERT: "alert ", Level.HISTORICAL: "historical ", Level.IMPLAUSIBLE: ""}


def judge(
    quantity: Quantity,
    limits: Limits,
    *,
    accept: Collection[str] = (),
    outside: Literal["hard", "action", "alert"] = "action",
) -> Judgement:
    """The judgement of a value that was read, in the unit it was read in.

    A number is judged against ``limits``; a choice or a yes/no against ``accept`` (empty: every answer), where ``outside`` is what any
    other answer breaks. Other values have no limit.
    """
    if quantity.value is None:
        return _of_answer(quantity, accept, outside)
    undecided: Judgement | None = None
    nearest: Standing | None = None
    bands = [(name, band) for name, band in limits.bands()]
    for name, band in bands:
        stands = standing(quantity.value, quantity.qualifier, band)
        level = _LEVELS[name]
        if stands.place in ("below", "above"):
            broken = _broken(quantity, level, band, stands)
            # Proven outside a milder band does not outweigh what a stricter one could not decide.
            return undecided if undecided is not None and not broken.is_excursion and not broken.is_refused else broken
        if stands.place == "undecided" and undecided is None and level is not Level.IMPLAUSIBLE:
            undecided = _undecided(quantity, level, band, stands)
        if level is not Level.IMPLAUSIBLE and nearest is None and stands.side is not None:
            nearest = stands
    if undecided is not None:
        return undecided
    if nearest is None:
        return Judgement(Level.NO_LIMIT, "Recorded; no limit is set.")
    return Judgement(
        Level.WITHIN,
        f"Within limits: {distance_text(nearest, quantity.unit)}." if not quantity.is_censored else "Within limits.",
        limit=nearest.side.limit if nearest.side else None,
        distance=nearest.distance,
    )


def _broken(quantity: Quantity, level: Level, band: Band, stands: Standing) -> Judgement:
    if level is Level.IMPLAUSIBLE:
        plausible = bounds_text(band, quantity.unit)
        sentence = f"{quantity} is outside what is plausible here ({plausible}). Check the value and its unit, and type it again."
    elif quantity.is_censored:
        side = "lower" if stands.is_lower else "upper"
        sentence = f"{quantity} lies outside the {side} {_WORDS[level]}limit ({bounds_text(band, quantity.unit)})."
    else:
        text = distance_text(stands, quantity.unit, _WORDS[level])
        sentence = f"{text[0].upper()}{text[1:]}."
    return Judgement(level, sentence, band, stands.side.limit if stands.side else None, stands.distance)


def _undecided(quantity: Quantity, level: Level, band: Band, stands: Standing) -> Judgement:
    treated = Level.ACTION if level in (Level.HARD, Level.ACTION) else level
    limit = f"the {_WORDS[level]}limit ({bounds_text(band, quantity.unit)})"
    sentence = f"{quantity} does not prove whether {limit} is kept; it counts as outside the {treated} limit."
    return Judgement(treated, sentence, band, stands.side.limit if stands.side else None, None, decided=False)


def _of_answer(quantity: Quantity, accept: Collection[str], outside: Literal["hard", "action", "alert"]) -> Judgement:
    if not accept:
        return Judgement(Level.NO_LIMIT, "Recorded; no limit is set.")
    answer = ("yes" if quantity.content else "no") if isinstance(quantity.content, bool) else str(quantity.content)
    if answer in accept:
        return Judgement(Level.WITHIN, "Within limits.")
    return Judgement(Level(outside), f"{answer!r} is not an accepted answer. Accepted: {', '.join(sorted(accept))}.")
