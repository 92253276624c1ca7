"""When a label may be printed, used and destroyed, and when a container may change hands. COI-04, COI-06, COI-07; 21 CFR 211.125, 211.130."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from batches.custody.models import Label
from batches.custody.queries import Wording
from batches.custody.wording import FINAL, HAND_OVERS
from batches.lots.identifiers import ScanKind, Scanned
from batches.lots.models import Container
from batches.lots.rules import check_may_be_discarded, check_same_container
from batches.permissions import Permission
from mes.errors import RuleBroken, UnreadableInput, WrongScan
from mes.people import rules as people
from mes.records.actors import Actor
from mes.signatures.ceremony import Proof

MOST_LABELS = 99
"""The symbol holds two digits of the serial."""
CERTIFIED = {"certified_stage_1", "certified_final", "supplied_out_of_specification"}


@dataclass(frozen=True)
class HandOverRule:
    """What a kind of hand-over means when it is signed, the right it takes, and where the container is afterwards."""

    meaning: str
    permission: StrEnum
    state: str = ""
    comes_from: tuple[str, ...] = ()
    """States of the container in which it may happen; any where none are named."""


HAND_OVER_RULES = {
    "to_manufacture": HandOverRule("dispatched", Permission.RECORD_COLLECTION),
    "at_manufacture": HandOverRule("received", Permission.RECEIVE_STARTING_MATERIAL),
    "dispatch": HandOverRule("dispatched", Permission.ISSUE_PRODUCT, "dispatched"),
    "at_centre": HandOverRule("received", Permission.RECORD_VALUES, "received", ("dispatched",)),
    "to_bedside": HandOverRule("confirmed_identity", Permission.RECORD_VALUES, comes_from=("received",)),
    "return": HandOverRule("received", Permission.RECEIVE_STARTING_MATERIAL, "discarded", ("dispatched", "received")),
}


def check_can_print_label(*, by: Actor, container: Container, wording: Wording, printed: int, reason: str) -> None:
    """Raises NotAllowed; RuleBroken: `reprint_without_reason`, `label_incomplete`, `container_gone`, `too_many_labels`."""
    people.check_may(by, Permission.PRINT_LABELS)
    if container.state in {"discarded", "emptied", "infused"}:
        raise RuleBroken("container_gone", f"{container.title} is {container.state}. It needs no label.")
    if printed >= MOST_LABELS:
        raise RuleBroken("too_many_labels", f"{container.title} has {printed} printed labels. QA decides how to go on.")
    if printed and len(reason.strip()) < 3:
        raise RuleBroken(
            "reprint_without_reason",
            f"{container.title} has {printed} printed label{'s' if printed > 1 else ''} already. A further one needs a reason.",
            field="reason",
        )
    if wording.missing:
        raise RuleBroken("label_incomplete", f"The final label needs {' and '.join(wording.missing)}. Record this in its step, then print.")


def check_can_use_label(*, by: Actor, label: Label, first: Scanned, named: Container | None, second: Scanned, other: Container | None, in_use: bool) -> None:
    """Whether this label goes onto this container: the new label was scanned, and the old one was scanned or read by two (services.use_label).

    Raises UnreadableInput("label_not_scanned"); WrongScan: `container_unknown`, `container_of_another_lot`, `wrong_container`, `wrong_label`, `same_label_twice`,
    `wrong_donation`; RuleBroken: `label_in_use`, `state_move`. COI-03, COI-06.
    """
    people.check_may(by, Permission.RECORD_VALUES)
    if label.state != "printed":
        raise RuleBroken("state_move", f"Label {label.serial} of {label.container.title} is {label.state} already.")
    if in_use:
        raise RuleBroken("label_in_use", f"{label.container.title} carries a label already. Take it off and destroy it first, or destroy this one.")
    check_same_container(label.container, named)
    serial = first.gs1.get("20") if first.gs1 else None
    if serial is not None and int(serial) != label.serial:
        raise WrongScan("wrong_label", f"This is label {int(serial)} of {label.container.title}, and label {label.serial} is asked for.")
    if first.for_eyes:
        raise UnreadableInput(
            "label_not_scanned",
            "The new label was typed, not scanned. Scan it; one that cannot be scanned is destroyed, and another one is printed.",
            field="scanned_label",
        )
    if second.kind is ScanKind.DONATION:
        dins = {each.donation.din for each in label.lot.lot_donations.select_related("donation")}
        if second.value not in dins:
            raise WrongScan("wrong_donation", f"Donation {second.value} does not feed lot {label.lot.number}. Put the bag aside and call QA.")
        return
    if other is None:
        raise WrongScan("container_unknown", "The second scan names no container known here. Scan the label or the donation number that is on it now.")
    if other.lot_id != label.lot_id:
        check_same_container(label.container, other)
    if other.pk == label.container_id and second.gs1 == first.gs1:
        raise WrongScan("same_label_twice", "The same label was scanned twice. Scan what the container carries now, or the container it was filled from.")


def check_can_destroy_label(*, by: Actor, label: Label, reason: str) -> None:
    people.check_may(by, Permission.PRINT_LABELS)
    if label.state == "destroyed":
        raise RuleBroken("state_move", f"Label {label.serial} of {label.container.title} was destroyed before.")
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "A label is destroyed with a reason in your words.", field="reason")


def check_can_open_specimen(*, by: Actor, label: Label) -> None:
    people.check_may(by, Permission.PRINT_LABELS)


def check_can_hand_over(*, by: Actor, container: Container, kind: str, named: Container | None, proof: Proof, places: tuple[str, str]) -> None:
    """Raises NotAllowed; WrongScan; RuleBroken: `hand_over_unknown`, `place_missing`, `not_certified`, `lot_not_decided`, `state_move`. COI-04."""
    if kind not in HAND_OVERS:
        raise RuleBroken("hand_over_unknown", f"A hand-over is one of: {', '.join(HAND_OVERS)}.", field="kind")
    rule = HAND_OVER_RULES[kind]
    people.check_person_may(proof.user, rule.permission, by.site_id)
    check_same_container(container, named)
    if not all(place.strip() for place in places):
        raise RuleBroken("place_missing", "A hand-over names where the container comes from and where it goes.", field="to_place")
    if kind == "dispatch" and container.kind == FINAL and container.lot.state not in CERTIFIED:
        raise RuleBroken("not_certified", f"Lot {container.lot.number} is {container.lot.state.replace('_', ' ')}. It leaves after certification, not before.")
    if rule.state:
        if container.state == rule.state:
            raise RuleBroken("state_move", f"{container.title} is {container.state} already.")
        Container.states.check_move(container.state, rule.state)
        if rule.state == "discarded":
            check_may_be_discarded(container)
    if not fits(container, kind):
        states = " or ".join(rule.comes_from)
        raise RuleBroken("state_move", f"{container.title} is {container.state.replace('_', ' ')}. {HAND_OVERS[kind]} once it is {states}.")


def fits(container: Container, kind: str) -> bool:
    """Whether this hand-over can be next for the container as it stands."""
    return container.state in (HAND_OVER_RULES[kind].comes_from or (container.state,))
