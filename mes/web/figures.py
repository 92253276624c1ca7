"""How numbers are read most surely: the one way for pages and papers."""

from __future__ import annotations

import re


def number(text: str) -> str:
    """A number as it is read most surely: one of many digits in groups of three, or as a power of ten where that loses no digit."""
    found = re.fullmatch(r"(-?)(\d{5,})(\.\d+)?", text)
    if not found:
        # Only the sign is drawn as it is printed: "<=0.5" as "≤ 0.5".
        return re.sub(r"^(<=|>=|<|>)\s*(?=\d)", lambda sign: {"<=": "≤ ", ">=": "≥ "}.get(sign[1], f"{sign[1]} "), text)
    sign, whole, rest = found[1], found[2], found[3] or ""
    digits = whole.rstrip("0")
    if not rest and len(digits) <= 4:
        return f"{sign}{digits[0]}{'.' + digits[1:] if digits[1:] else ''}e{len(whole) - 1}"
    return sign + re.sub(r"(?<=\d)(?=(\d{3})+$)", "\u202f", whole) + rest


def numbers_in(text: str) -> str:
    """A text about limits with each number in it as it is read: "at least 10000000" as "at least 1e7"."""
    return re.sub(r"(?<![\w.,])-?\d{5,}(?:\.\d+)?(?![\w.,]\d|\w)", lambda found: number(found[0]), text)
