"""Reading labels and hand-overs: counts, what a label says, the chain of custody of a lot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from batches.custody.models import HandOver, Label
from batches.custody.temperatures import Temperatures, read_and_judge
from batches.custody.wording import FINAL, HAND_OVERS, IN_PROCESS, MARKETS
from batches.lots.models import Container, Lot
from batches.lots.queries import identity_content
from batches.recipes.document.schema import Recipe
from batches.recipes.quantities import ValueRefused, read_value
from batches.recipes.queries import document
from mes.clock import moment_words
from mes.errors import Missing
from mes.signatures import ceremony


@dataclass(frozen=True)
class Count:
    """Labels printed, used, destroyed, and not accounted for yet. 21 CFR 211.125(c)."""

    printed: int
    used: int
    destroyed: int

    @property
    def open(self) -> int:
        return self.printed - self.used - self.destroyed

    @property
    def agrees(self) -> bool:
        return self.open == 0


def reconciliation(lot: Lot) -> Count:
    """The labels of a lot: printed must be used plus destroyed before it is released."""
    return count(Label.objects.filter(lot=lot).values_list("state", flat=True))


def count(states: Sequence[str]) -> Count:
    """The count of labels in these states."""
    states = list(states)
    return Count(len(states), states.count("used"), states.count("destroyed"))


def labels_of(lot: Lot) -> list[Label]:
    """Every label of a lot, by container and serial; the specimens are left in the database."""
    rows = Label.objects.filter(lot=lot).select_related("container").defer("specimen")
    return list(rows.order_by("container__recorded_at", "container_id", "serial"))


def label(label_id) -> Label:
    """One label with its container and lot. Raises Missing."""
    found = Label.objects.filter(pk=label_id).select_related("container", "lot__therapy_event__patient").first()
    if found is None:
        raise Missing("not_found", "There is no such label here.")
    return found


def hand_overs_of(lot: Lot) -> list[HandOver]:
    """The chain of custody of a lot, oldest first."""
    return list(HandOver.objects.filter(lot=lot).select_related("container", "by").order_by("recorded_at", "id"))


def recorded_text(lot: Lot, parameter: str | None) -> str:
    """The standing value of a parameter as typed, "" when it is not recorded yet."""
    if not parameter:
        return ""
    # Steps stand above this folder: their entries are asked for through the relation they hang into the lot.
    entry = lot.entry_facts.filter(parameter=parameter, superseded_by=None).order_by("-recorded_at").first()
    return f"{entry.value_text} {entry.unit}".strip() if entry else ""


def expiry_text(typed: str, zone: str) -> str:
    """An expiry as a label prints it: in the zone of the site, named and with its offset, for whoever reads it in another one. USP <1046>."""
    try:
        moment = read_value(typed, "datetime", zone=ZoneInfo(zone)).content
    except ValueRefused:
        return typed  # a date without a time, or what an older recipe took as text
    if not isinstance(moment, dt.datetime):
        return typed
    offset = moment.astimezone(ZoneInfo(zone)).strftime("%z")
    return f"{moment_words(moment, zone)} ({offset[:3]}:{offset[3:]})"


def dose_lines(lot: Lot, recipe: Recipe) -> list[tuple[str, str]]:
    """The dose where the record knows it: that of one bag, else that of the lot, named so. Regulation (EC) 1394/2007 Annex III (b)."""
    named = recipe.certificate
    for words, parameter in (("Dose in the bag", named.dose_per_bag), ("Dose of the lot", named.total_car_cells), ("Dose per kg", named.dose_per_kg)):
        text = recorded_text(lot, parameter)
        if text:
            return [(words, text)]
    return []


def product_lines(lot: Lot, recipe: Recipe) -> list[tuple[str, str]]:
    """What whoever gives a product has to know of it, as its label says it: expiry, volume, dose, storage. What is not recorded yet is left out."""
    lines = []
    if expiry := recorded_text(lot, recipe.certificate.expiry):
        lines.append(("Expiry", expiry_text(expiry, lot.site.time_zone)))
    if volume := recorded_text(lot, recipe.certificate.volume):
        lines.append(("Volume", volume))
    return [*lines, *dose_lines(lot, recipe), ("Storage", recipe.shelf_life.storage)]


@dataclass(frozen=True)
class Wording:
    """What a label says, without the patient: lines in order, statements, and which fields of the identity it prints."""

    title: str
    lines: list[tuple[str, str]]
    statements: tuple[str, ...]
    identity: tuple[str, ...]
    missing: tuple[str, ...]


def wording(container: Container) -> Wording:
    """The words of a container's label. `missing` names what a final label must say and nobody has recorded yet."""
    lot, recipe = container.lot, document(container.lot.recipe_version)
    lines = [("Lot", lot.number), ("Chain of identity", lot.therapy_event.coi), ("Subject", lot.therapy_event.patient.pseudonym)]
    dins = [container.donation.din] if container.donation_id else [each.donation.din for each in lot.lot_donations.select_related("donation")]
    lines.append(("DIN", ", ".join(dins)))
    if container.kind != FINAL:
        return Wording(container.title, lines, IN_PROCESS, (), ())
    market, product = MARKETS[lot.market], product_lines(lot, recipe)
    said = {words for words, _ in product}
    wanted = (("Expiry", recipe.certificate.expiry), ("Volume", recipe.certificate.volume))
    missing = tuple(words.lower() for words, parameter in wanted if parameter and words not in said)
    return Wording(f"{recipe.name}: {container.title}", lines + product, market.statements, market.identity, missing)


HAND_OVER_DETAILS = ("from_place", "to_place", "carrier", "seal", "logger", "temperature_min", "temperature_max", "remark")


def hand_over_content(container: Container, kind: str, details: Mapping[str, str]) -> dict:
    """What is signed when a container changes hands: which one, and from where, to where and how, as it was typed, and how its temperatures stand.

    Raises what temperatures_of raises. 21 CFR 11.70; COI-04.
    """
    return identity_content(container.lot) | {
        "container": container.identifier,
        "title": container.title,
        "state": container.state,
        "hand_over": kind,
        "words": HAND_OVERS[kind],
        **{name: details.get(name, "").strip() for name in HAND_OVER_DETAILS},
        "temperatures": temperatures_of(container, kind, details).sentence,
    }


def temperatures_of(container: Container, kind: str, details: Mapping[str, str]) -> Temperatures:
    """The temperatures of a hand-over as typed, read and judged. Raises ValueRefused, UnreadableInput."""
    return read_and_judge(document(container.lot.recipe_version), kind, details, container.lot.site.decimal_sign)


BEFORE = {"at_manufacture": "to_manufacture", "at_centre": "dispatch", "to_bedside": "at_centre", "return": "dispatch"}
"""The hand-over that a kind follows: what left has to arrive."""


def hand_over_before(container: Container, kind: str) -> HandOver | None:
    """The hand-over with which this container left, or was issued, before; None where none is recorded."""
    if kind not in BEFORE:
        return None
    return HandOver.objects.filter(container=container, kind=BEFORE[kind]).order_by("-recorded_at").first()


def known_before(container: Container, kind: str) -> dict[str, str]:
    """What the form of a hand-over starts with: places and courier as they were handed over; nothing of what the person has to read."""
    before = hand_over_before(container, kind)
    if before is None:
        return {}
    if kind == "to_bedside":
        return {"from_place": before.to_place}
    if kind == "return":
        return {"from_place": before.to_place, "to_place": before.from_place}
    return {"from_place": before.from_place, "to_place": before.to_place, "carrier": before.carrier}


def hand_over_subject(container: Container, kind: str, details: Mapping[str, str]) -> ceremony.Subject:
    return ceremony.subject(container, "hand_over/3", hand_over_content(container, kind, details))
