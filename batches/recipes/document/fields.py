"""Field types shared by the text forms of recipes and specifications.

Strict on purpose: a text form that is guessed at is a text form that is approved wrongly. Numbers arrive as ``Decimal`` made from the
characters that stand in the file (``reading.py``), so nothing here ever sees a binary float.
"""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

# A number in a recipe is a limit or a planned amount; 1e999999 is a legal Decimal and would stop every page that shows it.
LARGEST_EXPONENT = 30
LONGEST_NUMBER = 40

Evidence = Literal["V", "S", "K", "illustrative"]
"""V read in the cited source, S read in a text quoting it, K recalled, illustrative made up and marked so (decision 29)."""

_SPAN = re.compile(r"(?P<count>\d{1,5}(?:\.\d{1,3})?) (?P<unit>s|min|h|d)")
_SPAN_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


class Frozen(BaseModel):
    """A part of a text form: no unknown field, no conversion between types, no change after reading."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    @classmethod
    def filled_by_the_reader(cls) -> frozenset[str]:
        """Fields that are not written in the text but filled while reading."""
        return frozenset()


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("number_wanted", "a number without quotes is wanted here")
    number = Decimal(value)
    if not number.is_finite():
        raise PydanticCustomError("number_not_finite", "a finite number is wanted here")
    if len(number.as_tuple().digits) > LONGEST_NUMBER or abs(number.adjusted()) > LARGEST_EXPONENT:
        raise PydanticCustomError("number_too_large", "the number has more digits or a larger exponent than a measured value can have")
    return number


def _text(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("text_empty", "a text is wanted here; it stands empty")
    if any(ord(character) < 32 and character not in "\n\t" for character in value):
        raise PydanticCustomError("text_control_character", "the text holds a control character that cannot be printed")
    return value.strip()


def _span(value: str) -> str:
    if not _SPAN.fullmatch(value):
        raise PydanticCustomError("span_unreadable", "a time span is a number, a space and s, min, h or d, such as 30 min or 12 h")
    return value


def span(text: str) -> timedelta:
    """The time span written as ``30 min``, ``12 h``, ``7 d``. Raises ``ValueError`` for any other text."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time span such as 30 min or 12 h")
    # timedelta takes whole microseconds: three decimals of a day are exact in them, so no binary fraction is kept.
    microseconds = Decimal(found["count"]) * _SPAN_SECONDS[found["unit"]] * 1_000_000
    return timedelta(microseconds=int(microseconds))


def _shaped(pattern: str, wanted: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise PydanticCustomError("text_shape", "wanted is {wanted}", {"wanted": wanted})
        return value

    return AfterValidator(check)


Number = Annotated[Decimal, BeforeValidator(_number)]
Line = Annotated[str, Field(max_length=300), AfterValidator(_text)]
Text = Annotated[str, Field(max_length=8000), AfterValidator(_text)]
Code = Annotated[str, _shaped(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}", "a code: letters, digits, _ . and -, at most 40 characters")]
StepKey = Annotated[str, _shaped(r"[A-Za-z0-9]{1,10}(\.[A-Za-z0-9]{1,10}){0,3}", "a step key such as A4.2")]
ParameterKey = Annotated[str, _shaped(r"[a-z][a-z0-9]{0,39}(_[a-z0-9]{1,40}){0,8}", "a key in small letters, digits and _, such as cells_in")]
EventRef = Annotated[
    str,
    _shaped(
        r"step:[A-Za-z0-9.]{1,43}\.(started|signed)|[A-Za-z0-9.]{1,43}\.[a-z][a-z0-9_]{0,79}",
        "an event such as A1.2.collection_end or step:A6.1.signed",
    ),
]
Version = Annotated[str, _shaped(r"[0-9A-Za-z][0-9A-Za-z.\-]{0,19}", 'a version such as "1.0"')]
Unit = Annotated[str, Field(max_length=60), AfterValidator(_text)]
Span = Annotated[str, AfterValidator(_span)]
Percent = Annotated[Number, Field(ge=0, le=1000)]


class Source(Frozen):
    """A document a number was taken from; the id is what ``evidence_source`` names."""

    id: Code
    title: Line
    doi: Line | None = None
    url: Line | None = None
    note: Text | None = None
