"""What makes a password too weak: length by the market's policy, and what is known from breaches. NIST SP 800-63B-4, 3.1.1.2."""

from __future__ import annotations

from functools import cache

from django.contrib.auth.password_validation import CommonPasswordValidator


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
