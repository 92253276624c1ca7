"""What materials hang onto at start."""

import uuid

from batches.materials.models import MaterialLot
from batches.permissions import Permission
from mes.audit import streams
from mes.web import panels, scan_targets


def address_of(scanned: scan_targets.Scanned) -> str | None:
    """The page of the material lot that our own label names."""
    text = scanned.text.strip().removeprefix("CTL:M:")
    found = MaterialLot.objects.filter(identifier=text).first()
    return f"/materials/lots/{found.pk}/" if found else None


def names(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    found = MaterialLot.objects.filter(pk__in=ids).values_list("pk", "material__name", "number")
    return {key: f"{number} of {material}" for key, material, number in found}


def register() -> None:
    streams.name_with("material_lot", names)
    panels.register_nav("Materials", "batches:materials:list", (Permission.MANAGE_MATERIALS, Permission.RELEASE_MATERIAL), order=600)
    scan_targets.register(address_of, order=200)
