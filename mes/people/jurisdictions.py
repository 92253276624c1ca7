"""What a market asks of people and their signatures, as data: a new market is a new line here, never a branch in code (decisions 16)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """What the organisation tells an authority before anybody's signature binds."""

    authority: str
    text: str
    clause: str


@dataclass(frozen=True)
class PasswordPolicy:
    """What a password of this market has to be. Nothing here ages: NIST SP 800-63B-4 forbids forced change, draft Annex 11 asks for none."""

    least: int = 12
    remembered: int = 5
    """How many earlier passwords of the person are not taken again."""


@dataclass(frozen=True)
class Profile:
    """One jurisdiction, as far as it concerns people."""

    code: str
    name: str
    notice: Notice | None = None
    passwords: PasswordPolicy = PasswordPolicy()
    access_review_period: dt.timedelta = dt.timedelta(days=182)
    """How long a review of the access register holds. Annex 11 asks for a periodic one; half a year is this product's reading of it."""


FDA = Notice(
    "FDA",
    "the notice that our electronic signatures are meant as the legally binding equivalent of handwritten ones",
    "21 CFR 11.100(c)",
)

PROFILES: dict[str, Profile] = {
    profile.code: profile
    for profile in (
        Profile("EU", "European Union"),
        Profile("UK", "United Kingdom"),
        Profile("US", "United States", notice=FDA, passwords=PasswordPolicy(least=15)),
        Profile("JP", "Japan"),
    )
}


def profile_of(code: str) -> Profile:
    """The profile of a site's jurisdiction; KeyError when there is none (a site is opened with a known one only)."""
    return PROFILES[code]
