"""What a device may send. A reading that comes in is always kept; these rules refuse only what is no reading. API-04, 21 CFR 211.68."""

from __future__ import annotations

from batches.equipment.models import Equipment
from batches.permissions import Permission
from batches.readings.models import Channel
from mes.errors import NotAllowed, RuleBroken, UnreadableInput
from mes.people import rules as people
from mes.people.models import DeviceCredential
from mes.records.actors import Actor

MOST = 1000
"""Readings in one packet."""
LARGEST_SEQUENCE = 2**63 - 1


def check_can_define_channel(*, by: Actor, equipment: Equipment, code: str) -> None:
    people.check_may(by, Permission.MANAGE_EQUIPMENT)
    if not code.strip() or len(code) > 60 or not code.isprintable():
        raise UnreadableInput("code_shape", "A channel has a name of 1 to 60 characters, as the device sends it.", field="code")
    if Channel.objects.filter(equipment=equipment, code=code).exists():
        raise RuleBroken("channel_known", f"{equipment} has a channel {code} already.", field="code")


def check_can_ingest(*, by: Actor, equipment: Equipment, readings: list) -> None:
    """Raises NotAllowed (`not_your_role`, `not_your_equipment`), UnreadableInput (`packet_empty`, `packet_too_large`, `reading_shape`, `zone_missing`)."""
    people.check_may(by, Permission.POST_READINGS)
    if by.kind == "device" and not DeviceCredential.objects.filter(user_id=by.user_id, equipment_id=equipment.pk, revoked=False).exists():
        raise NotAllowed("not_your_equipment", f"This token does not belong to {equipment}. Readings come with the token of their own equipment.")
    if not readings:
        raise UnreadableInput("packet_empty", "The packet holds no reading.", field="readings")
    if len(readings) > MOST:
        raise UnreadableInput("packet_too_large", f"A packet holds at most {MOST} readings. Send the rest in a second one.", field="readings")
    for place, each in enumerate(readings):
        if not (0 <= each.sequence <= LARGEST_SEQUENCE) or not 0 < len(each.channel) <= 60 or len(each.value) > 60 or len(each.unit) > 40:
            raise UnreadableInput(
                "reading_shape",
                f"Reading {place + 1} does not fit: channel and value have at most 60 characters, the unit 40, the sequence is 0 or more.",
                field=f"readings.{place}",
            )
        if each.device_time.tzinfo is None:
            raise UnreadableInput("zone_missing", f"The device time of reading {place + 1} has no zone.", field=f"readings.{place}.device_time")
