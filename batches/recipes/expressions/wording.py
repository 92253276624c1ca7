"""An expression as a person reads it: the names of parameters in place of their keys."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WORDS = re.compile(r"'[^']*'|\b[A-Za-z_]\w*\b(?!\s*\()")


def in_names(written: str, names: Mapping[str, str]) -> str:
    """An expression, or the trace of one, with each key that has a name said by it: "viable / total * 100" as "“Viable cells” / “Total cells” × 100".

    Functions, texts in quotes and keys without a name stay as they are written.
    """
    named = _WORDS.sub(lambda found: f"“{names[found[0]]}”" if found[0] in names else found[0], written)
    return named.replace(" * ", " × ").replace(" - ", " − ")
