"""Everybody of the demo becomes able to sign, over HTTP, as people do: a supervisor checks who they are, they acknowledge accountability.

21 CFR 11.100(b), 11.10(j). The demo's site is in the EU profile, where no authority asks for a notice.
"""

from __future__ import annotations

from quality.demo.cast import Cast

MEANS = "made-up person of a demo, compared with its role"


def enable_signing(cast: Cast) -> None:
    """The records that enable signing, for whom they are missing; asking twice changes nothing."""
    for username, person in sorted(cast.people.items()):
        if person.get("/api/v1/me/")["signing_enabled"]:
            continue
        checker = cast["supervisor2" if username == "supervisor" else "supervisor"]
        address = f"/api/v1/people/{username}/identity/"
        if not checker.get(address):
            checker.post(address, {"means": MEANS})
        person.sign("/api/v1/me/accountability/sign/")
