"""What a scanned or typed code names, seen from a step that waits for something."""

from __future__ import annotations

from dataclasses import dataclass

from batches.equipment.models import Equipment
from batches.execution.models import EntryAttempt, ScanEvent
from batches.lots.identifiers import IdentifierRefused, ScanKind, Scanned, parse_scan
from batches.lots.models import Container, Lot
from batches.materials.models import MaterialLot
from mes.errors import RuleBroken, UnreadableInput, WrongScan

KINDS = {
    ScanKind.BADGE: "a badge",
    ScanKind.LOT: "a lot number",
    ScanKind.DONATION: "a donation number",
    ScanKind.THERAPY_EVENT: "a chain-of-identity number",
}


@dataclass(frozen=True)
class Found:
    """What a code names here; `text` is what may be kept of it: an identifier of ours, never an unknown text that could name a person."""

    text: str
    container: Container | None = None
    material_lot: MaterialLot | None = None
    equipment: Equipment | None = None
    sentence: str = ""
    """Why it names nothing that is known here."""
    for_eyes: bool = False
    """Whether the identifier was typed as people read it, not scanned from a label."""


def look_up(code: str) -> Found:
    """What a code names here. Never raises: what cannot be read is told in `sentence`."""
    try:
        scanned = parse_scan(code)
    except IdentifierRefused as refused:
        return Found(f"unreadable code of {len(code)} characters", sentence=refused.sentence)
    value = scanned.value
    if scanned.kind is ScanKind.CONTAINER:
        found = Container.objects.select_related("lot", "donation").filter(identifier=value).first()
        return Found(value, container=found, sentence="" if found else "This container is not known here.", for_eyes=scanned.for_eyes)
    material_lot = _material_lot(scanned)
    if material_lot is not None:
        return Found(material_lot.identifier, material_lot=material_lot)
    equipment = _equipment(value)
    if equipment is not None:
        return Found(equipment.identifier, equipment=equipment)
    what = KINDS.get(scanned.kind, "nothing that is known here")
    return Found(f"{scanned.kind.value} code of {len(code)} characters", sentence=f"The code is {what}.")


def _equipment(value: str) -> Equipment | None:
    """By its identifier, or by the site's own number, which stands on the thing and names one piece at a site."""
    known = Equipment.objects.select_related("equipment_class")
    return known.filter(identifier=value).first() or known.filter(code=value).first()


def _material_lot(scanned: Scanned) -> MaterialLot | None:
    if scanned.kind not in (ScanKind.MATERIAL_LOT, ScanKind.UNKNOWN):
        return None
    lots = MaterialLot.objects.select_related("material")
    by_identifier = lots.filter(identifier=scanned.value).first()
    if by_identifier is not None or scanned.gs1 is None:
        return by_identifier
    # A supplier's own label names its lot number; it counts when exactly one received lot bears it.
    same_number = list(lots.filter(number=scanned.value)[:2])
    return same_number[0] if len(same_number) == 1 else None


def is_spent(container: Container, *, after_release: bool) -> bool:
    """Whether nothing more can be done with a container. A bag that was infused still proves its identity at the bedside."""
    return container.state in ("emptied", "discarded") or (container.state == "infused" and not after_release)


def container_sentence(found: Found, lot: Lot, wanted: str, *, spent: bool = False) -> tuple[str, str]:
    """Code and sentence of a wrong container scan: what this is, what is needed, where to put it back."""
    if spent and found.container is not None:
        return "container_spent", f"This is {found.container.title} of this lot, and it is {found.container.state} already. Call a supervisor."
    need = f"Needed: {wanted} of lot {lot.number}, check code {lot.check_code}."
    if found.container is None:
        return "container_unknown", f"{found.sentence or 'This is no container.'} {need}"
    if found.container.lot_id != lot.pk:
        other = found.container.lot
        return "wrong_lot", f"This is {found.container.title} of lot {other.number}, check code {other.check_code}. {need} Put it back where it came from."
    return "wrong_container", f"This is {found.container.title} of the same lot. {need}"


def donation_sentence(container: Container, lot: Lot) -> tuple[str, str] | None:
    """Code and sentence where a bag of this lot holds starting material that may not be used; None where it may. COI-09.

    Before manufacture the material is collected, received and tested undecided; from then on only what QA accepted is opened.
    """
    donation = container.donation
    if donation is None or donation.state == "accepted" or (lot.state == "ordered" and donation.state not in ("rejected", "cancelled")):
        return None
    return (
        "donation_not_accepted",
        f"This is {container.title} of donation {donation.din}, which is {donation.state}. Only starting material that QA accepted is used. Put it aside.",
    )


def refusal_of(result) -> RuleBroken | None:
    """The refusal that a kept attempt or a wrong scan stands for, to be told to the person; None for anything that was done.

    What was tried is committed as a fact before it is told, so a service returns it instead of raising.
    """
    if isinstance(result, EntryAttempt):
        return UnreadableInput(result.code, result.sentence, field=result.parameter)
    if isinstance(result, ScanEvent) and not result.matched:
        return WrongScan(result.code, result.sentence, field="code")
    return None
