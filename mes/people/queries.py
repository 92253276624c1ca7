"""Reading people, their grants and their sites."""

from __future__ import annotations

import uuid

from django.db.models import Q

from mes.people.models import Grant, Site
from mes.records.models import RecordNow


def live_grants(user_id: uuid.UUID, site_id: uuid.UUID | None = None) -> list[Grant]:
    """A person's roles in force now, at one site or at all, with role and site. One query."""
    grants = Grant.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=RecordNow()), user_id=user_id, starts_at__lte=RecordNow(), role__site_id__isnull=False
    ).select_related("role", "role__site")
    if site_id is not None:
        grants = grants.filter(site_id=site_id)
    return list(grants.order_by("starts_at"))


def sites_of(user_id: uuid.UUID) -> list[Site]:
    """The sites at which a person holds a role now, by name."""
    sites = {grant.role.site_id: grant.role.site for grant in live_grants(user_id)}
    return sorted(sites.values(), key=lambda site: site.name)


def first_site_id() -> uuid.UUID | None:
    """The site opened first: where refused sign-ins of nobody known are logged."""
    return Site.objects.order_by("recorded_at").values_list("pk", flat=True).first()
