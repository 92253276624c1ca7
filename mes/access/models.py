"""Reviews of who holds which access, and emergency access with its end and its review."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q

from mes.people.models import Grant, Role, User
from mes.records.models import Fact, Record

LONGEST = dt.timedelta(hours=8)
"""Emergency and support access never lasts longer: one shift."""


class AccessReview(Fact):
    """Somebody reviewed the access register of a site and signed the result. Annex 11 (2011) 12; 21 CFR 11.300(b)."""

    stream_kind = "site"
    stream_field = "site_id"

    CONFIRMED, CHANGES = "confirmed", "changes"

    as_of = models.DateTimeField()
    lines = models.IntegerField()
    result = models.CharField(max_length=20)
    findings = models.TextField()
    signature_id = models.UUIDField(unique=True)
    """The reviewer's signature, by value; its bytes hold every line that was reviewed."""

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(result__in=["confirmed", "changes"]), name="access_review_result_known")]

    def __str__(self) -> str:
        return f"{self.result}, {self.lines} lines"


class EmergencyAccess(Record):
    """Access for support or an emergency: two persons open it, it ends at its hour, holds no signing right, and is reviewed afterwards.

    Annex 11 (2011) 12.1; 45 CFR 164.312(a)(2)(ii).
    """

    stream_kind = "person"
    stream_field = "user_id"

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    why = models.CharField(max_length=400)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    grant = models.OneToOneField(Grant, on_delete=models.PROTECT, null=True, related_name="emergency")
    reviewed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    findings = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at"), ends_at__lte=F("starts_at") + LONGEST), name="emergency_ends_in_time"),
            models.CheckConstraint(
                condition=Q(approved_by=None, grant=None) | (Q(grant__isnull=False) & ~Q(approved_by=F("asked_by")) & ~Q(approved_by=F("user"))),
                name="emergency_opened_by_two",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | (~Q(reviewed_by=F("user")) & Q(grant__isnull=False)), name="emergency_reviewed_by_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} until {self.ends_at}"
