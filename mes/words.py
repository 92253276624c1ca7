"""How codes, units and counts are said to a person: the one place of it. What is stored stays as it was written."""

from __future__ import annotations

import re

_DEGREES = re.compile(r"(?<![A-Za-z])deg\s?([CFK])\b")
_MICRO = re.compile(r"(?<![A-Za-z])u(?=(?:L|g|M|mol)\b)|(?<=\d )u(?=m\b)")
_MICRO_IN_TEXT = re.compile(r"(?<![A-Za-z_-])u(?=(?:L|M|mol)\b(?![=-])|g/)|(?<=\d )u(?=[gm]\b)|(?<=\d)u(?=g\b(?!=))")
"""Narrower: alone or in brackets `ug` is who signed (initials are user names), and what hangs together by hyphens or ends with = is a code."""
_ONE = re.compile(
    r"(?<![\w.,−/+-])1 (?:(piece|vial|bag|dose|bead|event|particle|cell|day|week|month|hour|minute|second)s|(cop)ies)\b(?!\s*/)"
)
_AT_MOST = re.compile(r"(?:<|&lt;)=\s*(?=[-−]?\d)")
_AT_LEAST = re.compile(r"(?:>|&gt;)=\s*(?=[-−]?\d)")
_NEEDED = re.compile(r"deg\s?[CFK]\b|(?<![A-Za-z])u(?:[LgMm]\b|mol\b)|1 [a-z]+s\b|&[lg]t;=")
_MARKUP = re.compile(r"(?is)(<(textarea|pre|code|script|style|bdi)\b.*?</\2\s*>|<!--.*?-->|<[^>]*>)")
_CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+", re.ASCII)


def plain(code: str) -> str:
    """A code as plain words: "in_execution" as "in execution"."""
    return code.replace("_", " ")


def is_code(text: str) -> bool:
    """Whether a text is a name for machines, written with underscores, and nothing that a person typed."""
    return _CODE.fullmatch(text) is not None


def unit_words(text: str) -> str:
    """A unit, or a sentence with units in it, as a person writes them: degC as °C, uL as µL. Powers are drawn by the templates (`unit`, `figures`)."""
    return _MICRO.sub("µ", _DEGREES.sub(r"°\1", text))


def shown_unit(unit: str) -> str:
    """The unit that is written after a value: none after a plain number, whose unit is stored as 1. "100 1" would be read as 1001."""
    return "" if unit == "1" else unit_words(unit or "")


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 entry", "2 entries"; `many` where an s is not enough."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def said(text: str) -> str:
    """A text with its units as people write them, one thing of a kind in the singular, and bounds by their signs: "1 pieces" as "1 piece", "<=0.5" as "≤ 0.5"."""
    text = _AT_LEAST.sub("≥ ", _AT_MOST.sub("≤ ", text))
    return _ONE.sub(lambda found: f"1 {found[1] or found[2] + 'y'}", _MICRO_IN_TEXT.sub("µ", _DEGREES.sub(r"°\1", text)))


def said_in(html: str) -> str:
    """The same for every text of a page or a paper. Attributes, what is typed in or was typed (`as_typed`), code and scripts stay: they are sent back or exact."""
    if not _NEEDED.search(html):
        return html
    parts = _MARKUP.split(html)  # text, markup, name of an element whose content stays, text, ...
    return "".join(said(part) if place % 3 == 0 else part or "" for place, part in enumerate(parts) if place % 3 != 2)
