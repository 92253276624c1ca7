"""Equipment: class, calibration, and which lot occupies it. One lot at a time. 21 CFR 211.63 to 211.68, 211.182."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.equipment.states import EQUIPMENT
from mes.records.models import Fact, Record


class EquipmentClass(Record):
    """A kind of equipment, by the code that recipes use."""

    stream_kind = "site"
    stream_field = "site_id"

    code = models.CharField(max_length=60)
    name = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "code"], name="equipment_class_one_code")]

    def __str__(self) -> str:
        return self.name


class Equipment(Record):
    """One piece of equipment; fit for use while in service and within its calibration."""

    stream_kind = "equipment"
    states = EQUIPMENT

    equipment_class = models.ForeignKey(EquipmentClass, on_delete=models.PROTECT, related_name="equipment")
    code = models.CharField(max_length=60)
    identifier = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    serial = models.CharField(max_length=80, blank=True)
    calibrated_until = models.DateTimeField()
    state = models.CharField(max_length=20, default="in_service")
    state_reason = models.TextField(blank=True)
    shared = models.BooleanField(default=False)
    """A shared instrument (balance, counter) serves several lots in turn and is not occupied."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "code"], name="equipment_one_code")]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"


class Occupancy(Record):
    """A lot is in a piece of equipment from a step on, until it is freed."""

    stream_kind = "lot"
    stream_field = "lot_id"

    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="occupancies")
    lot = models.ForeignKey("batches.Lot", on_delete=models.PROTECT, related_name="occupancies")
    step_run = models.ForeignKey("batches.StepRun", on_delete=models.PROTECT, related_name="occupancies")
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["equipment"], condition=Q(ended_at=None), name="occupancy_one_lot_at_a_time"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="occupancy_ended_at_and_by",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.equipment_id} holds {self.lot_id}"


class EquipmentUse(Fact):
    """A piece of equipment scanned at a step: what the record names, with its calibration as it was then."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey("batches.Lot", on_delete=models.PROTECT, related_name="equipment_uses")
    step_run = models.ForeignKey("batches.StepRun", on_delete=models.PROTECT, related_name="equipment_uses")
    equipment = models.ForeignKey(Equipment, on_delete=models.PROTECT, related_name="uses")
    class_code = models.CharField(max_length=60)
    calibrated_until = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step_run", "equipment"], name="equipment_use_once_a_step")]

    def __str__(self) -> str:
        return f"{self.equipment_id} at {self.step_run_id}"
