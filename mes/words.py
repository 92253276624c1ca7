"""How codes, units and counts are said to a person: the one place of it. What is stored stays as it was written."""

from __future__ import annotations

import re

_DEGREES = re.compile(r"(?<![A-Za-z])deg\s?([CFK])\b")
_MICRO = re.compile(r"(?<![A-Za-z])u(?=(?:L|l|g|m|M|mol|S|A|Sv|Gy|bar)\b)")
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
