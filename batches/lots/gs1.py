"""GS1 element strings: what a GS1 Data Matrix holds, built and read (GS1 General Specifications, section 3; open).

Only the application identifiers a batch record meets: what suppliers print on materials (01, 10, 11, 17, 21 ...) and 91 to 99, which are
free for a company's own use and carry our own codes. The raw form has a group separator (FNC1, here ``\\x1d``) after each value of
variable length that is not the last; the bracketed form is what a person reads and what the barcode writer takes.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from mes.errors import UnreadableInput

SEPARATOR = "\x1d"
OWN = "91"
"""Application identifier of our own codes: company internal information."""

# AI: (least, most, digits only). A fixed length has least == most.
_IDENTIFIERS: dict[str, tuple[int, int, bool]] = {
    "00": (18, 18, True), "01": (14, 14, True), "02": (14, 14, True), "10": (1, 20, False), "11": (6, 6, True), "12": (6, 6, True),
    "13": (6, 6, True), "15": (6, 6, True), "16": (6, 6, True), "17": (6, 6, True), "20": (2, 2, True), "21": (1, 20, False), "22": (1, 20, False),
    "30": (1, 8, True), "37": (1, 8, True), "240": (1, 30, False), "241": (1, 30, False), "250": (1, 30, False), "400": (1, 30, False),
    "414": (13, 13, True), "7003": (10, 10, True), "8018": (18, 18, True), "90": (1, 30, False),
} | {f"{ai}": (1, 90, False) for ai in range(91, 100)}  # fmt: skip
# Only these lengths are known to every reader in advance; all others end with a separator.
_PREDEFINED = frozenset({"00", "01", "02", "11", "12", "13", "15", "16", "17", "20", "414"})
_DATES = frozenset({"11", "12", "13", "15", "16", "17"})
_CHECKED = frozenset({"00", "01", "02", "414", "8018"})
# Character set 82 without the round brackets, which would close an identifier in the bracketed form.
_VALUE = re.compile(r"[!\"%&'*+,\-./0-9:;<=>?A-Z_a-z]+")
_BRACKETED = re.compile(r"\((\d{2,4})\)([^()]+)")


class ElementsRefused(UnreadableInput):
    """Text that is no GS1 element string. Codes: ``not_gs1``, ``wrong_check_digit``, ``not_a_date``."""


@dataclass(frozen=True)
class Elements:
    """The parts of an element string in the order they stand."""

    parts: tuple[tuple[str, str], ...]

    def get(self, identifier: str) -> str | None:
        """The value of an application identifier, or None."""
        return next((value for each, value in self.parts if each == identifier), None)

    @property
    def expiry(self) -> date | None:
        """The expiry date (17); the last of the month where the day is 00."""
        value = self.get("17")
        return None if value is None else _date(value)

    def raw(self) -> str:
        """As a scanner sends it, without a symbology identifier."""
        written = ""
        for position, (identifier, value) in enumerate(self.parts):
            is_last = position == len(self.parts) - 1
            written += identifier + value + ("" if is_last or identifier in _PREDEFINED else SEPARATOR)
        return written

    def bracketed(self) -> str:
        """As a person reads it, and as the barcode writer takes it."""
        return "".join(f"({identifier}){value}" for identifier, value in self.parts)


def elements(*parts: tuple[str, str]) -> Elements:
    """An element string of these parts. Raises ``ElementsRefused`` when one does not fit its identifier."""
    if not parts:
        raise ElementsRefused("not_gs1", "An element string has at least one part. Give an identifier and a value.")
    for identifier, value in parts:
        _check(identifier, value)
    return Elements(parts)


def parse_elements(text: str) -> Elements:
    """The parts of a raw or bracketed element string. Raises ``ElementsRefused``."""
    if text.startswith("("):
        found = _BRACKETED.findall(text)
        if "".join(f"({identifier}){value}" for identifier, value in found) != text:
            raise ElementsRefused("not_gs1", f"{text[:80]!r} is not a GS1 element string. Scan it again.")
        return elements(*found)
    parts, rest = [], text.removeprefix(SEPARATOR)
    while rest:
        identifier = next((rest[:length] for length in (2, 3, 4) if rest[:length] in _IDENTIFIERS), None)
        if identifier is None:
            raise ElementsRefused("not_gs1", f"{rest[:4]!r} is not an application identifier known here. Scan it again.")
        rest = rest[len(identifier) :]
        if identifier in _PREDEFINED:
            length = _IDENTIFIERS[identifier][1]
            value, rest = rest[:length], rest[length:].removeprefix(SEPARATOR)
        else:
            value, _, rest = rest.partition(SEPARATOR)
        parts.append((identifier, value))
    return elements(*parts)


def gs1_check_digit(digits: str) -> str:
    """The modulo 10 check digit of the digits before it: weights 3 and 1 from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _check(identifier: str, value: str) -> None:
    shape = _IDENTIFIERS.get(identifier)
    if shape is None:
        raise ElementsRefused("not_gs1", f"({identifier}) is not an application identifier known here. Scan it again.")
    least, most, digits_only = shape
    if not least <= len(value) <= most or not _VALUE.fullmatch(value) or (digits_only and not (value.isascii() and value.isdigit())):
        raise ElementsRefused("not_gs1", f"{value[:40]!r} does not fit application identifier ({identifier}). Scan it again.")
    if identifier in _CHECKED and gs1_check_digit(value[:-1]) != value[-1]:
        raise ElementsRefused("wrong_check_digit", f"The check digit of ({identifier}){value} is wrong. Scan it again.")
    if identifier in _DATES:
        _date(value)


def _date(value: str) -> date:
    # A label of living or thawed material never reaches back a century: every year is 20YY.
    year, month, day = 2000 + int(value[:2]), int(value[2:4]), int(value[4:])
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        raise ElementsRefused("not_a_date", f"{value!r} is not a date of the form YYMMDD. Scan it again.") from None
