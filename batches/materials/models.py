"""Materials, their lots, and what went into which step. 21 CFR 211.80 to 211.94, 211.184."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.materials.states import MATERIAL_LOT
from mes.records.models import Fact, Record


class Material(Record):
    """A kind of material, by the code that recipes use."""

    stream_kind = "site"
    stream_field = "site_id"

    code = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    unit = models.CharField(max_length=40)
    role = models.CharField(max_length=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "code"], name="material_one_code")]

    def __str__(self) -> str:
        return self.name


class MaterialLot(Record):
    """A received lot: quarantine until QA releases it; expiry; quantity received."""

    stream_kind = "material_lot"
    states = MATERIAL_LOT

    material = models.ForeignKey(Material, on_delete=models.PROTECT, related_name="lots")
    number = models.CharField(max_length=60)
    identifier = models.CharField(max_length=80, unique=True)
    supplier = models.CharField(max_length=120, blank=True)
    expires_at = models.DateTimeField()
    quantity = models.DecimalField(max_digits=20, decimal_places=6)
    unit = models.CharField(max_length=40)
    state = models.CharField(max_length=20, default="quarantine")
    state_reason = models.TextField(blank=True)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["material", "number", "site"], name="material_lot_one_number"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="material_lot_quantity_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.material_id} {self.number}"


class Consumption(Fact):
    """So much of a material lot went into a step, taken by scan. What is left is computed, never stored."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey("batches.Lot", on_delete=models.PROTECT, related_name="consumptions")
    step_run = models.ForeignKey("batches.StepRun", on_delete=models.PROTECT, related_name="consumptions")
    material_lot = models.ForeignKey(MaterialLot, on_delete=models.PROTECT, related_name="consumptions")
    line = models.CharField(max_length=60)
    """The recipe's material code of the line that this fills."""
    quantity = models.DecimalField(max_digits=20, decimal_places=6)
    quantity_text = models.CharField(max_length=40)
    unit = models.CharField(max_length=40)
    scanned = models.CharField(max_length=120)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(quantity__gte=0), name="consumption_not_negative")]
        indexes = [models.Index(fields=["material_lot"], name="consumption_material_lot")]

    def __str__(self) -> str:
        return f"{self.quantity_text} {self.unit} of {self.line}"
