"""What equipment hangs onto at start."""

import uuid

from batches.equipment.models import Equipment
from batches.permissions import Permission
from mes.audit import streams
from mes.people import choices
from mes.web import panels, scan_targets


def address_of(scanned: scan_targets.Scanned) -> str | None:
    """The page of the equipment that a label or number names."""
    text = scanned.text.strip().removeprefix("CTL:E:")
    found = Equipment.objects.filter(identifier=text).first() or Equipment.objects.filter(code=text).first()
    return f"/equipment/{found.pk}/" if found else None


def for_tokens() -> list[tuple[str, str]]:
    """The equipment a device's token can be issued for."""
    return [(str(each.pk), f"{each.code}, {each.name}") for each in Equipment.objects.exclude(state="retired").order_by("code")]


def codes(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(Equipment.objects.filter(pk__in=ids).values_list("pk", "code"))


def register() -> None:
    streams.name_with("equipment", codes)
    panels.register_nav("Equipment", "batches:equipment:list", Permission.MANAGE_EQUIPMENT, order=610)
    scan_targets.register(address_of, order=210)
    choices.offer_equipment(for_tokens)
