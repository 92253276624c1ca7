"""What was found of trail and guards, for a person: which guard, of which table, and what is wrong with it; the digest apart.

The finding itself stays as it is found, signed and kept: a person who assesses it sees both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from django.apps import apps

_MARK = re.compile(r"\s*\((?:now )?([0-9a-f]{32,64})\)")
_GUARD = re.compile(r"(trigger|rule|policy) (\S+) on (\S+) (is missing|is altered|is not ours|does not fire always|calls another function|fires at .*)")
_SECURITY = re.compile(r"row security on (\S+) is not forced")
_FUNCTION = re.compile(r"function guard\.(\S+) is (missing|altered|not ours)")
_TABLE = re.compile(r"\b(?:mes|batches|quality)_[a-z0-9_]+\b")

PURPOSES = {
    "guard_write": "that lets no write in past the door",
    "guard_change": "that refuses changes and removals",
    "guard_remove": "that refuses removals",
    "guard_truncate": "that refuses to empty it",
    "guard_sealed": "that lets no row go without its entry in the audit trail",
    "guard_duties": "that keeps duties apart",
    "site": "that keeps sites apart",
    "guard_all": "that lets the guards themselves read it",
}
STATES = {"does not fire always": "is switched off or does not always act", "is not ours": "was added by somebody"}


@dataclass(frozen=True, slots=True)
class Said:
    """A finding in words, and exactly as it was found, with its digest."""

    words: str
    exact: str


def said(finding: str) -> Said:
    """A finding of trail or guards as it is told to a person."""
    plain = _MARK.sub("", finding)
    return Said(_sentence(plain), finding)


def without_mark(text: str) -> str:
    """A text without the digests that stand in it in brackets."""
    return _MARK.sub("", text)


def _sentence(found: str) -> str:
    if guard := _GUARD.fullmatch(found):
        kind, name, table, state = guard.groups()
        wrong = STATES.get(state, state)
        if name in PURPOSES:
            return f"The guard of {_table_words(table)} {PURPOSES[name]} {wrong}."
        return f"A {kind} “{name}” on {_table_words(table)} {wrong}."
    if security := _SECURITY.fullmatch(found):
        return f"The guard of {_table_words(security[1])} that keeps sites apart is switched off."
    if function := _FUNCTION.fullmatch(found):
        return f"The guards' function {function[1]} {STATES.get('is ' + function[2], 'is ' + function[2])}."
    words = _TABLE.sub(lambda table: _table_words(table[0]), found).strip()
    return words if words.endswith(".") else f"{words}."


@cache
def _table_words(table: str) -> str:
    """A table by what its rows are called, and its own name."""
    model = next((each for each in apps.get_models() if each._meta.db_table == table), None)
    return f"the table of “{model._meta.verbose_name}” ({table})" if model is not None else f"the table {table}"
