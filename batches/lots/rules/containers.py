"""Which container is which, and when one may be made or moved. COI-03."""

from __future__ import annotations

from batches.lots.identifiers import ScanKind, Scanned
from batches.lots.models import Container, Donation, Lot
from batches.lots.rules.course import check_lot_open_for_work
from batches.permissions import Permission
from batches.recipes.document.schema import Recipe
from mes.errors import RuleBroken, WrongScan
from mes.people import rules as people
from mes.records.actors import Actor


def check_same_container(wanted: Container, found: Container | None) -> None:
    """Whether the scanned container is the wanted one. The sentence says which bag this is and which is needed.

    Raises WrongScan: `container_unknown`, `container_of_another_lot` (critical: another patient's or lot's), `wrong_container`.
    """
    need = f"Needed: {wanted.title}, check code {wanted.lot.check_code}."
    if found is None:
        raise WrongScan("container_unknown", f"This label belongs to no container known here. {need}")
    if found.lot_id != wanted.lot_id:
        raise WrongScan(
            "container_of_another_lot",
            f"This is {found.title} of lot {found.lot.number}, check code {found.lot.check_code}. {need} Put it back where it came from.",
            detail={"subject": str(wanted.lot_id)},
        )
    if found.pk != wanted.pk:
        raise WrongScan("wrong_container", f"This is {found.title} ({found.identifier}) of the same lot. {need}", detail={"subject": str(wanted.lot_id)})


def check_same_donation(donation: Donation, scanned: Scanned, found: Container | None) -> None:
    """Whether a scan names this donation, by its DIN or by the label of its bag. Raises WrongScan: `wrong_donation`, `container_unknown`."""
    if scanned.kind is ScanKind.DONATION:
        if scanned.value != donation.din:
            raise WrongScan("wrong_donation", f"This is donation {scanned.value}, and {donation.din} is needed. Put it aside and call QA.")
        return
    if found is None:
        raise WrongScan("container_unknown", f"This label belongs to no bag known here. Donation {donation.din} is needed.")
    if found.donation_id != donation.pk:
        raise WrongScan("wrong_donation", f"This bag is {found.title} of lot {found.lot.number}, not of donation {donation.din}. Put it aside and call QA.")


def check_can_make_container(*, by: Actor, lot: Lot, recipe: Recipe, code: str) -> None:
    """Raises RuleBroken("container_not_in_recipe") and what check_lot_open_for_work raises."""
    people.check_may(by, Permission.RECORD_VALUES)
    check_lot_open_for_work(lot)
    if code not in {each.code for each in recipe.containers}:
        raise RuleBroken("container_not_in_recipe", f"The recipe of lot {lot.number} has no container {code}.", field="code")


UNDECIDED = frozenset({"ordered", "in_execution", "manufactured", "in_review"})
"""States of a lot about whose product nobody decided yet."""


def check_may_be_discarded(container: Container) -> None:
    """A bag of product is discarded after the decision about its lot, never while the lot is made or judged. 21 CFR 211.110(c), 211.192.

    Raises RuleBroken("lot_not_decided"): whoever ends a lot before its release does so by the signed termination or rejection, not bag by bag.
    """
    lot = container.lot
    if container.kind == "final_bag" and lot.state in UNDECIDED:
        raise RuleBroken(
            "lot_not_decided",
            f"Lot {lot.number} is {lot.state.replace('_', ' ')}: nobody has certified, rejected or ended it. "
            f"{container.title} is not discarded before that. Call QA.",
            detail={"subject": str(container.lot_id)},
        )


def check_can_move_container(*, by: Actor, container: Container, state: str) -> None:
    if by.kind == "person":
        people.check_may(by, Permission.READ_LOTS)
    if state not in Container.states.moves or container.state == state:
        raise RuleBroken("state_move", f"{container.title} is {container.state.replace('_', ' ')}; it cannot become {state.replace('_', ' ')}.")
    Container.states.check_move(container.state, state)
    if state == "discarded":
        check_may_be_discarded(container)
