"""Readings of equipment: always kept, used only when assigned, calibrated and unit-true, and confirmed by a person."""

from __future__ import annotations

from django.db import models

from batches.equipment.models import Equipment
from mes.records.fields import ExactDecimalField
from mes.records.models import Fact, Record


class Channel(Record):
    """One measured quantity of a piece of equipment and the unit it reports in."""

    stream_kind = "equipment"
    stream_field = "equipment_id"

    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="channels")
    code = models.CharField(max_length=60)
    unit = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["equipment", "code"], name="channel_one_code")]

    def __str__(self) -> str:
        return self.code


class Reading(Fact):
    """One reading as the device sent it. A repeat of equipment, channel and sequence changes nothing."""

    stream_kind = "equipment"
    stream_field = "equipment_id"

    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="readings")
    channel = models.CharField(max_length=60)
    value_text = models.CharField(max_length=60)
    value = ExactDecimalField(null=True)
    unit = models.CharField(max_length=40)
    device_time = models.DateTimeField()
    sequence = models.BigIntegerField()
    lot = models.ForeignKey("batches.Lot", on_delete=models.PROTECT, null=True, related_name="readings")
    step_run = models.ForeignKey("batches.StepRun", on_delete=models.PROTECT, null=True, related_name="readings")
    parameter = models.CharField(max_length=80, blank=True)
    usable = models.BooleanField(default=False)
    why_not = models.CharField(max_length=60, blank=True)
    """Code of the reason for which it is kept only: not_assigned, not_calibrated, wrong_unit, not_a_number, unknown_channel."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["equipment", "channel", "sequence"], name="reading_once")]

    def __str__(self) -> str:
        return f"{self.channel} {self.value_text} {self.unit}"
