"""Reading what devices sent."""

from __future__ import annotations

from batches.equipment.models import Equipment, EquipmentUse
from batches.readings.models import Channel, Reading


def channels_of(equipment: Equipment) -> list[Channel]:
    """What a piece of equipment measures."""
    return list(Channel.objects.filter(equipment=equipment).order_by("code"))


def latest(equipment: Equipment, most: int = 50) -> list[Reading]:
    """The newest readings of a piece of equipment, used or kept only."""
    return list(Reading.objects.filter(equipment=equipment).select_related("lot", "step_run").order_by("-recorded_at", "-sequence")[:most])


def kept(equipment: Equipment, keys: list[tuple[str, int]]) -> dict[tuple[str, int], Reading]:
    """Readings that are here already, by channel and sequence."""
    rows = Reading.objects.filter(equipment=equipment, channel__in={c for c, _ in keys}, sequence__in={s for _, s in keys})
    return {(each.channel, each.sequence): each for each in rows}


def assignment(equipment: Equipment) -> EquipmentUse | None:
    """The one open step at which this equipment was scanned; None when there is none, or more than one."""
    rows = list(EquipmentUse.objects.filter(equipment=equipment, step_run__state="open").select_related("lot", "step_run")[:2])
    return rows[0] if len(rows) == 1 else None


def waiting(step_run) -> list[Reading]:
    """Usable readings of an open step that no entry was made of yet, oldest first: a named person confirms them."""
    return list(Reading.objects.filter(step_run=step_run, usable=True, entries=None).select_related("equipment").order_by("device_time", "sequence"))
