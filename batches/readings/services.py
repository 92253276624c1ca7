"""ingest() is the only way in for readings: from the API now, from other gateways later."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from batches.equipment.models import Equipment
from batches.events import Event
from batches.readings import queries, rules
from batches.readings.models import Channel, Reading
from batches.recipes.quantities import ValueRefused, read_value
from batches.recipes.units import UnitRefused, agrees, parse_unit
from mes.records.actors import Actor
from mes.records.door import deed_now, service


@dataclass(frozen=True, slots=True)
class Sent:
    """One reading as the device sent it. `value` is text, never a binary float; `device_time` is the device's own clock."""

    channel: str
    value: str
    unit: str
    device_time: dt.datetime
    sequence: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a sent reading. A `repeated` one changed nothing; `differs` says that it was sent with other content before."""

    reading: Reading
    repeated: bool = False
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Packet:
    """The readings of one call, in the order sent."""

    equipment: Equipment
    kept: list[Kept]

    @property
    def pk(self):
        return self.equipment.pk


@service(Event.CHANNEL_DEFINED)
def define_channel(*, by: Actor, equipment_id, code: str, unit: str) -> Channel:
    """Define what a piece of equipment measures and the unit it reports in. Raises UnitRefused for an unknown unit."""
    equipment = Equipment.objects.lock(equipment_id)
    rules.check_can_define_channel(by=by, equipment=equipment, code=code)
    parse_unit(unit)
    channel = Channel(site_id=by.site_id, equipment=equipment, code=code.strip(), unit=unit.strip())
    channel.save()
    return channel


@service(Event.READING_KEPT)
def ingest(*, by: Actor, equipment_id, readings: list[Sent]) -> Packet:
    """Keep what a device sent, exactly once per equipment, channel and sequence.

    Every reading is kept as sent. It is usable only when the channel is known, the value is a number in the channel's unit, the
    equipment is in calibration, and it was scanned at exactly one open step; otherwise `why_not` says the first of these that
    failed. Nothing becomes a step value here: a named person confirms it. Raises what rules.check_can_ingest raises.
    """
    equipment = Equipment.objects.lock(equipment_id)  # two packets at once: the second sees what the first kept
    rules.check_can_ingest(by=by, equipment=equipment, readings=readings)
    here = queries.kept(equipment, [(each.channel, each.sequence) for each in readings])
    units = {each.code: each.unit for each in queries.channels_of(equipment)}
    use = queries.assignment(equipment)
    answer, fresh = [], []
    for sent in readings:
        before = here.get((sent.channel, sent.sequence))
        if before is not None:
            answer.append(Kept(before, repeated=True, differs=_differs(before, sent)))
            continue
        reading = _reading(by, equipment, sent, units, use)
        here[(sent.channel, sent.sequence)] = reading
        fresh.append(reading)
        answer.append(Kept(reading))
    Reading.objects.insert(fresh)
    return Packet(equipment, answer)


def _differs(before: Reading, sent: Sent) -> bool:
    return (before.value_text, before.unit, before.device_time) != (sent.value, sent.unit, sent.device_time)


def _reading(by: Actor, equipment: Equipment, sent: Sent, units: dict[str, str], use) -> Reading:
    value, why_not = None, ""
    unit = units.get(sent.channel)
    if unit is None:
        why_not = "unknown_channel"
    else:
        value, why_not = _read(sent, unit)
    if not why_not and equipment.state != "in_service":
        why_not = "out_of_service"
    if not why_not and equipment.calibrated_until <= deed_now().at:
        why_not = "not_calibrated"
    if not why_not and use is None:
        why_not = "not_assigned"
    return Reading(
        site_id=by.site_id, by_id=by.user_id, equipment=equipment, channel=sent.channel, value_text=sent.value, value=value, unit=sent.unit,
        device_time=sent.device_time, sequence=sent.sequence, lot=use.lot if use else None, step_run=use.step_run if use else None,
        usable=not why_not, why_not=why_not,
    )  # fmt: skip


def _read(sent: Sent, unit: str):
    """The value and "" when it is a number in the channel's unit, else None and the code of the reason."""
    try:
        if not agrees(sent.unit, unit):
            return None, "wrong_unit"
    except UnitRefused:
        return None, "wrong_unit"
    try:
        return read_value(sent.value, "decimal", unit=unit).value, ""
    except ValueRefused as refused:
        return None, "wrong_unit" if refused.code == "wrong_unit" else "not_a_number"
