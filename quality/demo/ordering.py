"""Ordering a lot and bringing its starting material, over HTTP: scheduler, collection nurse, receiving, quality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from quality.demo.cast import Cast
from quality.demo.client import Person

CHECK = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*"


@dataclass(frozen=True)
class Order:
    """What is ordered: the recipe, a made-up patient, a made-up donation."""

    recipe: str
    recipe_version: str
    cohort: str
    patient: str
    """A short word that makes the patient: name and hospital number are built from it and say that they are made up."""
    din: str
    """Donation number without its check character."""

    def body(self) -> dict:
        return {
            "patient": {
                "family_name": f"Demo-{self.patient}", "given_name": "Made-up", "born": "1970-01-01", "hospital_number": f"DEMO-{self.patient}".upper(),
                "namesake": True,
            },
            "recipe": self.recipe, "recipe_version": self.recipe_version, "market": "EU", "cohort": self.cohort,
            "treatment_centre": "Demo treatment centre", "physician_name": "Demo Physician", "physician_email": "physician@demo.invalid",
            "dins": [self.din + check_character(self.din)], "demo": True,
        }  # fmt: skip


def check_character(din: str) -> str:
    """The ISO/IEC 7064 MOD 37-2 check character of a donation number, as the label shows it."""
    remainder = 0
    for letter in din:
        remainder = (remainder + CHECK.index(letter)) * 2 % 37
    return CHECK[(38 - remainder) % 37]


def place(cast: Cast, order: Order, key: str) -> dict:
    """Order the lot; the same key orders it once. Returns the lot as the API tells it."""
    return cast["scheduler"].post("/api/v1/lots/", order.body(), key=key)


def facts_of(lot: dict) -> dict[str, str]:
    """Words in braces that a lot's values may use."""
    din = lot["donations"][0]["din"] if lot["donations"] else ""
    return {
        "lot": lot["number"], "coi": lot["coi"], "subject": lot["subject"], "cohort": lot["cohort"], "check": lot["check_code"],
        "din": din + check_character(din) if din else "", "din_plain": din,
    }  # fmt: skip


def collect(cast: Cast, number: str) -> None:
    """The collection nurse collects what is expected, scanning the bag."""
    _each(cast["nurse"], number, "expected", "collect")


def receive(cast: Cast, number: str) -> None:
    """Receiving takes in what was collected, scanning the bag."""
    _each(cast["receiver"], number, "collected", "receive")


def _each(person: Person, number: str, state: str, act: str) -> None:
    for donation in person.get(f"/api/v1/lots/{number}/donations/"):
        if donation["state"] == state:
            body = {"seen": donation["version"], "scanned": f"CTL:D:{donation['din']}"}
            person.post(f"/api/v1/lots/{number}/donations/{donation['din']}/{act}/", body)


def accept(cast: Cast, number: str) -> None:
    """Quality decides by signature that what was received is used."""
    person = cast["qareviewer"]
    for donation in person.get(f"/api/v1/lots/{number}/donations/"):
        if donation["state"] == "received":
            person.sign(f"/api/v1/lots/{number}/donations/{donation['din']}/accept/sign/")


AFTER: dict[str, Callable[[Cast, str], None]] = {"collection_nurse": collect, "receiving": receive}
"""What the register of donations is told when a role has done its last step before the next role begins."""
