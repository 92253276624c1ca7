"""Alerts: raised once per cause, delivered in the app and by mail, escalated until a person acknowledges."""

from __future__ import annotations

from django.db import models

from batches.lots.models import Lot
from mes.keys import uuid7
from mes.people.models import User
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


class SecretNotice(Fact):
    """Something of a person's secrets changed, and the person is to know it: whose, what, where. Nothing of the secret itself. OWASP ASVS 5.0, V6.3.7."""

    stream_kind = "person"
    stream_field = "person_id"

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="secret_notices")
    what = models.CharField(max_length=60)
    """The event (mes.events) of the deed that changed it; the words stand in quality/alerts/secrets.py."""
    station = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["person", "recorded_at"], name="secret_notice_person")]

    def __str__(self) -> str:
        return f"{self.what} to {self.person_id}"


class SecretNoticeMail(Fact):
    """An attempt to tell a person by mail that a secret of theirs changed, and whether it went out."""

    stream_kind = "person"
    stream_field = "person_id"

    notice = models.ForeignKey(SecretNotice, on_delete=models.PROTECT, related_name="mails")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    delivered = models.BooleanField()
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice"], condition=models.Q(delivered=True), name="secret_notice_mailed_once")]

    def __str__(self) -> str:
        return f"mail of {self.notice_id}"


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
