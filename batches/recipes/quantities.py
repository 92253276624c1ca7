"""The one reader of typed input: what a person, a file or a device wrote, as a value that keeps how it was written.

Page, API and equipment gateway all read through ``read_value``, so the same text gets the same answer everywhere. Nothing is
clamped, rounded or converted (EXE-04; 21 CFR 211.68(b), 211.110). A text that can be read in two ways is refused with both
readings shown; what is refused is kept by the caller as an ``EntryAttempt`` with the text as typed and the code (decision 13).

Rules for numbers
* Point and comma are both decimal signs; thousands are never typed. Where the site writes the point, ``1,234`` is refused (1.234 or
  1234?), and where it writes the comma ``1.234`` is; each in the site's own sign, ``0,234`` and ``12,5`` are not ambiguous.
* ``1.29e9`` and ``1.29 x 10^9`` are read for cell counts; exponents run from -20 to 20, numbers up to 30 digits.
* ``< 0,05`` and ``<= 0.5`` are values of their own (a qualifier and a bound) where the parameter allows censored values.
* A unit after the number must be that of the field.
* ``.5`` and ``5.`` are refused: a decimal sign without digits on both sides is misread (ISMP list of error-prone notations).
* Minus zero is zero. Significant digits and decimals are counted as entered; the text is kept.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Literal

from batches.recipes.units import UnitRefused, agrees
from mes.errors import UnreadableInput

LONGEST_NUMBER = 60
MOST_DIGITS = 30
LARGEST_EXPONENT = 20
LONGEST_TEXT = 2000
LONGEST_IDENTIFIER = 100

ValueType = Literal["decimal", "integer", "calculated", "text", "choice", "datetime", "date", "boolean", "identifier"]
Qualifier = Literal["", "<", "<=", ">", ">="]
DecimalSign = Literal[".", ","]


class ValueRefused(UnreadableInput):
    """The text is no value of the type. ``code`` is stable; ``sentence`` says the fact and what to type."""


@dataclass(frozen=True)
class Quantity:
    """A value that was read.

    ``text`` is what was typed, without outer blanks. A number stands in ``value`` (in ``unit``), with ``qualifier`` when it is
    censored, the ``decimals`` and ``significant`` digits as entered. Anything else stands in ``content``: a bool, a date, a
    date-time in UTC, or the text itself.
    """

    text: str
    value: Decimal | None = None
    qualifier: Qualifier = ""
    decimals: int | None = None
    significant: int | None = None
    unit: str = ""
    content: bool | date | datetime | str | None = None

    @property
    def is_censored(self) -> bool:
        """Whether only a bound of the value is known, such as ``< 0.05``."""
        return self.qualifier != ""

    def __str__(self) -> str:
        return f"{self.text} {self.unit}" if self.unit and self.value is not None and self.unit not in self.text else self.text


_BLANKS = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\u2007"), " ")
_FOLDED = str.maketrans({"\u2212": "-", "\u2264": "<=", "\u2265": ">=", "\u00d7": "x", "\u00b7": "x"} | {chr(k): v for k, v in _BLANKS.items()})
_SUPERSCRIPT = re.compile("10([\u207b\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+)")
_SUPERSCRIPT_DIGITS = str.maketrans("\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789")
_QUALIFIER = re.compile(r"(<=|>=|=<|=>|<|>)\s*")
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)\s?(?P<mantissa>[0-9.,' ]*[0-9.,])"
    r"(?:[eE](?P<e>[+-]?[0-9]+)|\s?[x*]\s?10(?:\^|\*\*)(?P<ten>[+-]?[0-9]+))?"
    r"\s*(?P<unit>.*)",
    re.DOTALL,
)
_PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[,.' ][0-9]{3})+(?:[.,][0-9]+)?")
_THREE_AFTER = re.compile(r"(?!0)[0-9]{1,3}(?P<sign>[.,])[0-9]{3}")
_IDENTIFIER = re.compile(r"[!-~]+")
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_NAMED_DATE = re.compile(r"(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4})", re.ASCII)
_DATE_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?\s?(Z|z|[+-]\d{2}:?\d{2})?", re.ASCII)
_MONTHS = {name: i for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1)}
_YES = frozenset({"yes", "true"})
_NO = frozenset({"no", "false"})


def read_value(
    text: str,
    type: ValueType,
    *,
    unit: str = "",
    given_unit: str | None = None,
    censored: bool = False,
    choices: Collection[str] = (),
    decimals: int | None = None,
    decimal_sign: DecimalSign = ".",
    zone: tzinfo | None = None,
) -> Quantity:
    """Read what was typed or sent for a parameter of this type.

    ``unit`` is that of the parameter, ``given_unit`` the one sent beside the value (API, equipment); ``decimals`` the most the
    parameter takes; ``decimal_sign`` the one the site writes; ``zone`` the site's, for a date-time without offset.
    Raises ``ValueRefused``: ``empty``, ``too_long``, ``unprintable``, ``not_a_number``, ``incomplete_decimal``, ``ambiguous_thousands``,
    ``thousands_separator``, ``number_out_of_range``, ``too_many_decimals``, ``not_whole``, ``censored_not_allowed``, ``wrong_unit``,
    ``unknown_unit``, ``not_a_choice``, ``not_yes_or_no``, ``not_a_date``, ``ambiguous_date``, ``not_a_datetime``, ``zone_missing``,
    ``no_such_time``, ``ambiguous_time``, ``not_an_identifier``. Raises ``TypeError`` when not given text (a JSON number has lost its digits).
    """
    if not isinstance(text, str):
        raise TypeError("read_value reads text; a number that went through a float has lost its digits")
    typed = text.strip()
    _printable(typed)
    if not typed:
        raise ValueRefused("empty", "Nothing was typed. Type the value.")
    if type in ("decimal", "integer", "calculated"):
        return _number(typed, type, unit, given_unit, censored, decimals, decimal_sign)
    if given_unit:
        raise ValueRefused("wrong_unit", f"This value has no unit, and {given_unit!r} was sent with it. Send it without unit.")
    if type == "choice":
        return Quantity(typed, content=_choice(typed, choices))
    if type == "boolean":
        return Quantity(typed, content=_boolean(typed))
    if type == "date":
        return Quantity(typed, content=_date(typed))
    if type == "datetime":
        return Quantity(typed, content=_datetime(typed, zone))
    if type == "identifier":
        return Quantity(typed, content=_identifier(typed))
    if type == "text":
        return Quantity(typed, content=typed)
    raise ValueError(f"unknown type of value {type!r}")


def format_decimal(number: Decimal) -> str:
    """A finite decimal as people read it, every digit kept: plain, or as ``1.29e9`` where it is that large and was written so.

    ``read_value`` reads it back to the same number.
    """
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("only finite numbers are shown")
    if number.adjusted() >= -7 and (exponent <= 0 or number.adjusted() < 6):
        return f"{number:f}"
    mantissa = Decimal((sign, digits, 1 - len(digits)))
    return f"{mantissa:f}e{number.adjusted()}"


def read_back(text: str, value: Decimal | None) -> str:
    """How a number with a comma was read, said back to whoever typed it: "read as 68.5"; "" where text and number look the same.

    The text is kept as typed; a comma that could be a thousands sign is refused before (``ambiguous_thousands``).
    """
    return f"read as {format_decimal(value)}" if value is not None and "," in text else ""


def computed(value: Decimal, unit: str = "") -> Quantity:
    """A calculated value as a quantity, so that it is judged and recorded like a typed one. Raises ``ValueError`` when it is not finite."""
    text = format_decimal(value)
    _, digits, exponent = value.as_tuple()
    return Quantity(text, value, decimals=max(0, -int(exponent)), significant=len(digits), unit=unit)


def _printable(typed: str) -> None:
    if len(typed) > LONGEST_TEXT:
        raise ValueRefused("too_long", f"The text has {len(typed)} characters; {LONGEST_TEXT} fit. Shorten it or attach a file.")
    if any((ord(character) < 32 and character not in "\n\t") or ord(character) == 127 for character in typed):
        raise ValueRefused("unprintable", "The text holds a control character that cannot be printed. Type it again.")


def _number(typed: str, type: ValueType, unit: str, given_unit: str | None, censored: bool, decimals: int | None, decimal_sign: DecimalSign) -> Quantity:
    if len(typed) > LONGEST_NUMBER + len(unit):
        raise ValueRefused("not_a_number", f"This is longer than a number can be ({len(typed)} characters). Type the number alone.")
    folded = _SUPERSCRIPT.sub(lambda found: "10^" + found[1].translate(_SUPERSCRIPT_DIGITS), typed).translate(_FOLDED)
    qualifier, rest = _qualifier(folded, censored)
    found = _NUMBER.fullmatch(rest)
    if found is None:
        raise ValueRefused("not_a_number", f"{typed!r} is not a number. Type digits, such as 97.9.")
    mantissa = _mantissa(found["mantissa"], typed, decimal_sign)
    if found["unit"] and found["unit"][0].isdigit():
        raise ValueRefused("not_a_number", f"{typed!r} is not a number. Type digits, such as 97.9.")
    _same_unit_as_field(found["unit"], given_unit, unit, typed)
    power = int(found["e"] or found["ten"] or 0) if len(found["e"] or found["ten"] or "") <= 4 else LARGEST_EXPONENT + 1
    if len(mantissa.replace(".", "")) > MOST_DIGITS or abs(power) > LARGEST_EXPONENT:
        raise ValueRefused(
            "number_out_of_range",
            f"The number has more than {MOST_DIGITS} digits or an exponent beyond {LARGEST_EXPONENT}. Check what was typed.",
        )
    # The constructor is exact whatever the context: no digit of what was typed is lost.
    value = Decimal(f"{'-' if found['sign'] == '-' else ''}{mantissa}e{power}")
    if value == 0:
        value = value.copy_abs()
    entered = max(0, -int(value.as_tuple().exponent))
    if type == "integer" and value != value.to_integral_value():
        raise ValueRefused("not_whole", f"{typed!r} is not a whole number. Type it without decimals.")
    if decimals is not None and entered > decimals:
        raise ValueRefused(
            "too_many_decimals",
            f"{typed!r} has {entered} decimals; this value is recorded with {decimals}. Read it again and type {decimals}.",
        )
    significant = len(mantissa.replace(".", "").lstrip("0")) or 1
    return Quantity(typed, value, qualifier, entered, significant, unit)


def _qualifier(folded: str, censored: bool) -> tuple[Qualifier, str]:
    found = _QUALIFIER.match(folded)
    if found is None:
        return "", folded
    if not censored:
        raise ValueRefused("censored_not_allowed", f"{found[1]!r} cannot be recorded here: this value is a plain number. Type the number read.")
    qualifiers: dict[str, Qualifier] = {"<": "<", "<=": "<=", "=<": "<=", ">": ">", ">=": ">=", "=>": ">="}
    return qualifiers[found[1]], folded[found.end() :]


def _mantissa(written: str, typed: str, decimal_sign: DecimalSign) -> str:
    """The digits with a decimal point. Raises ``ValueRefused`` when they can be read in two ways or hold thousands."""
    three = _THREE_AFTER.fullmatch(written)
    if three and three["sign"] != decimal_sign:
        small, large = written.replace(three["sign"], decimal_sign), written.replace(three["sign"], "")
        said = f"{typed!r} can be read as {small} or as {large}. Here decimals are written {small}."
        raise ValueRefused("ambiguous_thousands", f"{said} Type {large}, or {small}.")
    if _PLAIN.fullmatch(written):
        return written.replace(",", ".")
    if _GROUPED.fullmatch(written) and "." != written[-1] != ",":
        raise ValueRefused("thousands_separator", f"{typed!r} holds thousands separators. Type {_ungrouped(written)}.")
    if re.fullmatch(r"[.,][0-9]+|[0-9]+[.,]", written):
        digits = written.strip(".,")
        better = f"0.{digits}" if written[0] in ".," else digits
        raise ValueRefused("incomplete_decimal", f"{typed!r} has no digit on one side of the decimal sign. Type {better}.")
    raise ValueRefused("not_a_number", f"{typed!r} is not a number. Type digits, such as 97.9.")


def _ungrouped(written: str) -> str:
    """Thousands taken out: the last sign is the decimal sign when it differs from the first."""
    signs = [character for character in written if not character.isdigit()]
    if signs[-1] in ".," and (len(signs) > 1 and signs[-1] != signs[0]):
        whole, _, fraction = written.rpartition(signs[-1])
        return f"{re.sub('[^0-9]', '', whole)}.{fraction}"
    return re.sub("[^0-9]", "", written)


def _same_unit_as_field(typed_unit: str, given_unit: str | None, unit: str, typed: str) -> None:
    for given in (typed_unit.strip(), (given_unit or "").strip()):
        if not given:
            continue
        try:
            if agrees(given, unit):
                continue
        except UnitRefused as refused:
            # Letters after a number that are no unit at all are a slip of the keyboard, not a unit.
            if given == typed_unit.strip():
                raise ValueRefused("not_a_number", f"{typed!r} is not a number. Type digits, such as 97.9.") from None
            raise ValueRefused(refused.code, refused.sentence) from None
        wanted = f"in {unit}" if unit else "without unit"
        raise ValueRefused("wrong_unit", f"The value was given in {given!r}; it is recorded {wanted}. Give it {wanted}.")


def _choice(typed: str, choices: Collection[str]) -> str:
    if typed in choices:
        return typed
    near = difflib.get_close_matches(typed, list(choices), 1, 0.6) or [c for c in choices if c.casefold() == typed.casefold()]
    advice = f"Did you mean {near[0]!r}?" if near else f"Choose one of: {', '.join(choices)}."
    raise ValueRefused("not_a_choice", f"{typed[:80]!r} is not one of the answers. {advice}")


def _boolean(typed: str) -> bool:
    if typed.casefold() in _YES:
        return True
    if typed.casefold() in _NO:
        return False
    raise ValueRefused("not_yes_or_no", f"{typed[:80]!r} is neither yes nor no. Answer yes or no.")


def _identifier(typed: str) -> str:
    # ASCII alone: a Cyrillic A looks like a Latin A on the label and is another character in the scan.
    if len(typed) > LONGEST_IDENTIFIER or not _IDENTIFIER.fullmatch(typed):
        raise ValueRefused(
            "not_an_identifier",
            f"{typed[:80]!r} is not an identifier: up to {LONGEST_IDENTIFIER} letters A to Z, digits and signs, without blanks. Scan it again.",
        )
    return typed


def _date(typed: str) -> date:
    iso, named = _ISO_DATE.fullmatch(typed), _NAMED_DATE.fullmatch(typed)
    if re.fullmatch(r"\d{1,4}[./]\d{1,2}[./]\d{1,4}", typed):
        raise ValueRefused("ambiguous_date", f"{typed!r} can be read as day-month or month-day. Type the date as 2026-03-19 or 19 Mar 2026.")
    try:
        if iso:
            return _in_range(date(int(iso[1]), int(iso[2]), int(iso[3])))
        if named:
            return _in_range(date(int(named[3]), _MONTHS[named[2].casefold()], int(named[1])))
    except (ValueError, KeyError):
        pass
    raise ValueRefused("not_a_date", f"{typed[:80]!r} is not a date. Type it as 2026-03-19 or 19 Mar 2026.")


def _in_range(day: date) -> date:
    if not 1900 <= day.year <= 2199:
        raise ValueError("year out of range")
    return day


def _datetime(typed: str, zone: tzinfo | None) -> datetime:
    found = _DATE_TIME.fullmatch(typed)
    try:
        if found is None:
            raise ValueError("not written as a date-time")
        seconds = f"{found[4] or '00'}{found[5] or ''}"
        local = datetime.fromisoformat(f"{found[1]}T{found[2]}:{found[3]}:{seconds}")
        _in_range(local.date())
        if found[6]:
            offset = "+00:00" if found[6] in "Zz" else found[6]
            return datetime.fromisoformat(f"{local.isoformat()}{offset}").astimezone(UTC)
    except ValueError:
        raise ValueRefused("not_a_datetime", f"{typed[:80]!r} is not a date and time. Type it as 2026-03-19 14:05.") from None
    if zone is None:
        raise ValueRefused("zone_missing", f"{typed!r} has no time zone. Give the offset, such as 2026-03-19T14:05+01:00.")
    return _local(local, zone, typed)


def _local(local: datetime, zone: tzinfo, typed: str) -> datetime:
    """The instant of a site's wall-clock time; refused in the hour that is skipped or repeated when clocks change."""
    early, late = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ValueRefused("no_such_time", f"{typed!r} did not happen here: clocks were put forward. Check the time.")
    if early.utcoffset() != late.utcoffset():
        raise ValueRefused(
            "ambiguous_time",
            f"{typed!r} happened twice here: clocks were put back. Type it with offset, {early.isoformat()} or {late.isoformat()}.",
        )
    return early.astimezone(UTC)
