"""Specifications, versioned per market; which one judges a lot is fixed when the lot is ordered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.lots.models import Lot
from mes.records.models import Fact, Record
from quality.specifications.states import SPECIFICATION_VERSION


class Specification(Record):
    """A release specification of a product for named markets; its versions hold the criteria."""

    stream_kind = "specification"
    master_data = True

    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    product = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class SpecificationVersion(Record):
    """One version as text (YAML); `digest` is the SHA-256 of the text."""

    stream_kind = "specification"
    stream_field = "specification_id"
    master_data = True
    states = SPECIFICATION_VERSION

    specification = models.ForeignKey(Specification, on_delete=models.PROTECT, related_name="versions")
    label = models.CharField(max_length=30)
    markets = models.JSONField(default=list)
    text = models.TextField()
    digest = models.CharField(max_length=64)
    state = models.CharField(max_length=20, default="draft")
    author = models.ForeignKey("mes.User", on_delete=models.PROTECT, related_name="+")
    effective_from = models.DateTimeField(null=True)
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["specification", "label"], name="specification_version_one_label"),
            models.UniqueConstraint(
                fields=["specification"], condition=Q(state="effective"), name="specification_version_one_effective"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.specification_id} {self.label}"


class LotSpecification(Fact):
    """The specification version by which a lot is judged, fixed when the lot is ordered."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.OneToOneField(Lot, on_delete=models.PROTECT, related_name="lot_specification")
    specification_version = models.ForeignKey(SpecificationVersion, on_delete=models.PROTECT, related_name="lots")

    def __str__(self) -> str:
        return f"{self.specification_version_id} judges {self.lot_id}"
