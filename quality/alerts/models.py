"""Alerts: raised once per cause, delivered in the app and by mail, escalated until a person acknowledges."""

from __future__ import annotations

from django.db import models

from batches.lots.models import Lot
from mes.keys import uuid7
from mes.records.models import Fact, Record
from quality.alerts.states import ALERT


class Alert(Record):
    """One thing people must know. `cause` makes it one per cause, however often a task runs."""

    stream_kind = "alert"
    states = ALERT

    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="alerts")
    cause = models.CharField(max_length=160)
    """For example "deviation:<id>", "time_limit_warning:<lot>:<code>", "late_result:<id>", "heartbeat:<sweep>"."""
    severity = models.CharField(max_length=10)
    """notice, warning, alarm."""
    title = models.CharField(max_length=300)
    body = models.TextField(blank=True)
    roles = models.JSONField(default=list)
    """Codes of the roles told; escalation adds the next."""
    level = models.IntegerField(default=0)
    next_escalation_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=14, default="raised")
    acknowledged_by = models.ForeignKey("mes.User", on_delete=models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "cause"], name="alert_one_per_cause")]
        indexes = [models.Index(fields=["site", "state"], name="alert_site_state")]

    def __str__(self) -> str:
        return self.title

    @property
    def stream(self) -> str:
        return f"lot:{self.lot_id}" if self.lot_id else f"site:{self.site_id}"


class AlertDelivery(Fact):
    """An attempt to reach somebody: in the app or by mail, whether it went out."""

    stream_kind = "alert"

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="deliveries")
    lot = models.ForeignKey(Lot, on_delete=models.PROTECT, null=True, related_name="+")
    channel = models.CharField(max_length=8)
    recipient = models.CharField(max_length=200)
    """A user name, or "physician" for the named physician; never a patient."""
    level = models.IntegerField(default=0)
    delivered = models.BooleanField()
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "channel", "recipient", "level"],
                condition=models.Q(delivered=True),
                name="alert_delivered_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.recipient}"

    @property
    def stream(self) -> str:
        return f"lot:{self.lot_id}" if self.lot_id else f"site:{self.site_id}"


class Heartbeat(models.Model):
    """Working row: when a sweep last finished for a site. A missed one alarms outside Celery (readiness)."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    site_id = models.UUIDField()
    sweep = models.CharField(max_length=60)
    last_at = models.DateTimeField()
    found = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site_id", "sweep"], name="heartbeat_one_per_sweep")]

    def __str__(self) -> str:
        return self.sweep
