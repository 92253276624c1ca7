"""Patient 1-n TherapyEvent (COI) 1-n Donation (DIN) and 1-n Lot; Lot 1-n Container (decisions 11)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from batches.lots.states import CONTAINER, DONATION, HOLD, LOT
from batches.recipes.models import RecipeVersion
from batches.subjects.models import Patient
from mes.records.models import Fact, Record


class TherapyEvent(Record):
    """One intended treatment of one patient, with one chain-of-identity identifier."""

    stream_kind = "therapy_event"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="therapy_events")
    coi = models.CharField(max_length=40, unique=True)
    treatment_centre = models.CharField(max_length=120)
    physician_name = models.CharField(max_length=120)
    physician_email = models.EmailField()

    def __str__(self) -> str:
        return self.coi


class Donation(Record):
    """One collection with its donation identification number; QA decides on its use."""

    stream_kind = "therapy_event"
    stream_field = "therapy_event_id"
    states = DONATION

    therapy_event = models.ForeignKey(TherapyEvent, on_delete=models.PROTECT, related_name="donations")
    din = models.CharField(max_length=20, unique=True)
    state = models.CharField(max_length=20, default="expected")
    collected_at = models.DateTimeField(null=True)
    decision_reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.din


class Lot(Record):
    """What one execution of a recipe makes for one patient."""

    stream_kind = "lot"
    states = LOT
    lot_column = "id"

    number = models.CharField(max_length=40, unique=True)
    check_code = models.CharField(max_length=3)
    therapy_event = models.ForeignKey(TherapyEvent, on_delete=models.PROTECT, related_name="lots")
    recipe_version = models.ForeignKey(RecipeVersion, on_delete=models.PROTECT, related_name="lots")
    product = models.CharField(max_length=60)
    market = models.CharField(max_length=8)
    cohort = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=40, default="ordered")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    end_reason_code = models.CharField(max_length=60, blank=True)
    end_reason = models.TextField(blank=True)
    demo = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["site", "state"], name="lot_site_state")]

    def __str__(self) -> str:
        return self.number

    @property
    def lot_id(self):
        """A lot belongs to itself: row security and the trail ask every row for its lot."""
        return self.pk

    @property
    def is_open(self) -> bool:
        return bool(LOT.moves[self.state])


class LotDonation(Fact):
    """A donation feeds a lot."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="lot_donations")
    donation = models.ForeignKey(Donation, on_delete=models.PROTECT, related_name="lot_donations")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lot", "donation"], name="lot_donation_once")]

    def __str__(self) -> str:
        return f"{self.donation_id} in {self.lot_id}"


class LotSite(Record):
    """A site that takes part in a lot and may therefore see it. `site` is the participant; the owner comes first."""

    stream_kind = "lot"
    stream_field = "lot_id"

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="lot_sites")
    part = models.CharField(max_length=40, default="manufacture")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lot", "site"], name="lot_site_once")]

    def __str__(self) -> str:
        return f"{self.site_id} in {self.lot_id}"


class Container(Record):
    """A vessel that holds the patient's material, with its own full identifier."""

    stream_kind = "lot"
    stream_field = "lot_id"
    states = CONTAINER

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="containers")
    donation = models.ForeignKey(Donation, on_delete=models.PROTECT, null=True, related_name="containers")
    code = models.CharField(max_length=60)
    """The recipe's container code; `serial` counts containers of the same code."""
    serial = models.IntegerField(default=1)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=30)
    identifier = models.CharField(max_length=80, unique=True)
    state = models.CharField(max_length=20, default="expected")
    volume_text = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lot", "code", "serial"], name="container_one_serial")]

    def __str__(self) -> str:
        return self.identifier


class Hold(Record):
    """A decision that a lot does not go on: every step of it is read-only until it ends."""

    stream_kind = "lot"
    stream_field = "lot_id"
    states = HOLD

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, related_name="holds")
    state = models.CharField(max_length=10, default="open")
    reason = models.TextField()
    placed_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, related_name="+")
    ended_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    ended_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lot"], condition=Q(state="open"), name="hold_one_open"),
            models.CheckConstraint(condition=Q(state="open") | Q(ended_by__isnull=False), name="hold_ended_by_someone"),
        ]

    def __str__(self) -> str:
        return f"hold on {self.lot_id}"
