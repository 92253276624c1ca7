"""What makes a password too weak: length by the market's policy, and what is known from breaches. NIST SP 800-63B-4, 3.1.1.2."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from django.contrib.auth.password_validation import CommonPasswordValidator

WORDS = frozenset({"cartulary", "batchrecord", "operator", "supervisor", "administrator", "qualified", "release", "password", "hospital"})
"""What everybody here would try first. Names of the person and of the site come to it. OWASP ASVS 5.0, V6.1.2 and V6.2.11."""


def word_of_here(password: str, said: Iterable[str]) -> str:
    """A word of this place in a password of which such words make half of the letters and digits, or more; "" for none."""
    rest = plain = "".join(each for each in password.lower() if each.isalnum())
    words, found = WORDS | {word for text in said for word in re.findall(r"\w+", text.lower()) if len(word) > 3}, ""
    for word in sorted(words, key=len, reverse=True):
        if word in rest:
            found, rest = found or word, rest.replace(word, "")
    return found if 2 * len(rest) <= len(plain) else ""


@cache
def _known() -> frozenset[str]:
    """The twenty thousand passwords most often found in breaches, as Django ships them; nothing is asked of a network."""
    return frozenset(CommonPasswordValidator().passwords)


def is_known(password: str) -> bool:
    """Whether this password, or what is left of it without digits and signs at its ends, stands in the list of breached ones.

    "Password-2026!!" is "password" with a decoration that everybody tries.
    """
    lowered = password.lower().strip()
    core = lowered.strip("0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
    return lowered in _known() or core in _known() or _repeats(lowered)


def _repeats(text: str) -> bool:
    """One short piece over and over: "abcabcabcabc"."""
    return any(len(text) % size == 0 and text == text[:size] * (len(text) // size) for size in range(1, min(6, len(text) // 2) + 1))
