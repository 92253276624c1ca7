"""What a market asks of people and their signatures, as data: a new market is a new line here, never a branch in code (decisions 16)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """What the organisation tells an authority before anybody's signature binds."""

    authority: str
    text: str
    clause: str


@dataclass(frozen=True)
class Profile:
    """One jurisdiction, as far as it concerns people."""

    code: str
    name: str
    notice: Notice | None = None


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
        Profile("US", "United States", notice=FDA),
        Profile("JP", "Japan"),
    )
}


def profile_of(code: str) -> Profile:
    """The profile of a site's jurisdiction; KeyError when there is none (a site is opened with a known one only)."""
    return PROFILES[code]
