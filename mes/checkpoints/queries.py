"""When the trail or a guard of a site did not hold, by the scheduled checks: what was written then is marked (decisions 8)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import QuerySet

from mes.checkpoints.models import TrailCheck


@dataclass(frozen=True, slots=True)
class NotHeld:
    """From the last check that found everything in order to the next one that does (record time). None: none before, none since."""

    key: uuid.UUID
    """The first check that found it."""
    since: dt.datetime | None
    until: dt.datetime | None
    found: str
    """What that check found first."""

    def covers(self, at: dt.datetime) -> bool:
        """Whether something may have been written while it did not hold: a check tells no better than that."""
        return (self.since is None or at > self.since) and (self.until is None or at <= self.until)


def last_check(site_id) -> TrailCheck | None:
    """The newest check of a site. Called inside its context."""
    return TrailCheck.objects.filter(site_id=site_id).order_by("-recorded_at", "-id").first()


def _good(site_id) -> QuerySet:
    return TrailCheck.objects.filter(site_id=site_id, broken={}, guards=[]).order_by("recorded_at")


def not_held(site_id) -> list[NotHeld]:
    """Every such time of a site, the first one first. One query where everything always held; called inside the site's context."""
    found: list[NotHeld] = []
    bad = TrailCheck.objects.filter(site_id=site_id).exclude(broken={}, guards=[]).order_by("recorded_at", "id")
    for check in bad:
        if found and (found[-1].until is None or check.recorded_at < found[-1].until):
            continue
        before = _good(site_id).filter(recorded_at__lt=check.recorded_at).values_list("recorded_at", flat=True).last()
        after = _good(site_id).filter(recorded_at__gt=check.recorded_at).values_list("recorded_at", flat=True).first()
        found.append(NotHeld(check.pk, before, after, check.first_finding))
    return found
