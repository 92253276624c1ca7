"""The access register as of any moment, and whether its review is due. Annex 11 (2011) 12.3; 21 CFR 11.10(d)."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from mes.access.models import AccessReview, EmergencyAccess
from mes.people.jurisdictions import profile_of
from mes.people.models import Grant, Role, Site, User
from mes.signatures import ceremony

REVIEW_AFTER = dt.timedelta(days=3)
"""How long after its end emergency access may wait for its review."""


@dataclass(frozen=True, slots=True)
class Access:
    """One role that somebody held at a moment, with what it allowed at that moment."""

    user_id: uuid.UUID
    username: str
    full_name: str
    kind: str
    role: str
    permissions: tuple[str, ...]
    starts_at: dt.datetime
    ends_at: dt.datetime | None
    given_by: str


def register_as_of(site_id: uuid.UUID, at: dt.datetime) -> list[Access]:
    """Who held which role at a site at a moment, from the versions of that moment: what was changed later changes nothing. Four queries."""
    grants = [each for each in _versions(Grant, at, site_id=site_id) if each.starts_at <= at and (each.ends_at is None or each.ends_at > at)]
    roles = {each.id: each for each in _versions(Role, at, id__in={each.role_id for each in grants})}
    users = {each.id: each for each in _versions(User, at, id__in={each.user_id for each in grants})}
    givers = dict(User.objects.filter(pk__in={each.given_by_id for each in grants}).values_list("pk", "username"))
    found = [
        Access(
            user.id, user.username, user.full_name, user.kind, roles[each.role_id].name, tuple(roles[each.role_id].permissions), each.starts_at, each.ends_at,
            givers[each.given_by_id],
        )
        for each in grants
        if (user := users[each.user_id]).is_active
    ]  # fmt: skip
    return sorted(found, key=lambda each: (each.full_name, each.username, each.role))


def _versions(model, at: dt.datetime, **lookup) -> list:
    """The last version of each row up to a moment."""
    kept = model.history.model.objects.filter(history_date__lte=at, **lookup)
    return list(kept.order_by("id", "-version").distinct("id"))


def reviews(site_id: uuid.UUID) -> list[AccessReview]:
    """Every review of a site's register, newest first."""
    return list(AccessReview.objects.filter(site_id=site_id).select_related("by").order_by("-recorded_at"))


def review_due(site_id: uuid.UUID) -> dt.datetime:
    """Until when the register has to be reviewed: the period of the market's profile after the last review, or after the site was opened."""
    site = Site.objects.one(pk=site_id)
    last = AccessReview.objects.filter(site_id=site_id).order_by("-recorded_at").values_list("recorded_at", flat=True).first()
    return (last or site.recorded_at) + profile_of(site.jurisdiction).access_review_period


def review_subject(site: Site, lines: list[Access], result: str, findings: str = "") -> ceremony.Subject:
    """What a reviewer signs: every line of the register, the result, and what was found in the reviewer's words."""
    content = {
        "result": result,
        "findings": findings.strip(),
        "lines": [
            {
                "username": each.username, "full_name": each.full_name, "role": each.role, "permissions": list(each.permissions),
                "from": each.starts_at.isoformat(), "to": each.ends_at.isoformat() if each.ends_at else None, "given_by": each.given_by,
            }
            for each in lines
        ],
    }  # fmt: skip
    return ceremony.subject(site, "access_review/2", content)


def emergencies(site_id: uuid.UUID) -> list[EmergencyAccess]:
    """Every emergency access of a site, newest first, waiting ones too."""
    people = ("user", "role", "asked_by", "approved_by", "reviewed_by", "grant")
    return list(EmergencyAccess.objects.filter(site_id=site_id).select_related(*people).order_by("-recorded_at"))


def unreviewed_emergencies(site_id: uuid.UUID, now: dt.datetime) -> list[EmergencyAccess]:
    """Emergency access that ended longer ago than a review may wait."""
    return [each for each in emergencies(site_id) if each.grant and each.reviewed_by_id is None and each.grant.ends_at + REVIEW_AFTER < now]
