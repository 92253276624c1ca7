"""Reviewing access, with a signature over every line; opening it for support or an emergency, and reviewing that."""

from __future__ import annotations

import datetime as dt

from mes.access import queries, rules
from mes.access.models import AccessReview, EmergencyAccess
from mes.events import Event
from mes.people.models import Grant, Role, Site, User
from mes.permissions import Permission
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures.ceremony import Proof
from mes.signatures.services import sign


@service(Event.ACCESS_REVIEWED)
def review_access(*, by: Actor, proof: Proof, result: str, reason: str) -> AccessReview:
    """Record that the register was reviewed, with the result. Raises StaleRecord when access changed since it was shown."""
    rules.check_can_review_access(by=by, signer=proof.user, result=result, findings=reason)
    now = deed_now().at
    lines = queries.register_as_of(by.site_id, now)
    site = Site.objects.one(pk=by.site_id)
    what = queries.review_subject(site, lines, result, reason)
    signature = sign(by=by, proof=proof, what=what, meaning="reviewed_access", stream=site.stream, permission=Permission.APPROVE_ACCESS)
    review = AccessReview(
        site_id=site.pk, by_id=proof.user.pk, as_of=now, lines=len(lines), result=result, findings=reason.strip(), signature_id=signature.pk
    )
    review.save()
    return review


@service(Event.EMERGENCY_ASKED)
def ask_for_emergency_access(*, by: Actor, user: User, role: Role, lasts: dt.timedelta, reason: str) -> EmergencyAccess:
    """An administrator asks, with the reason and for how long from now. It opens nothing before somebody else approves."""
    rules.check_can_ask_for_emergency_access(by=by, user=user, role=role, lasts=lasts)
    now = deed_now().at
    access = EmergencyAccess(
        site_id=by.site_id, user=user, role=role, starts_at=now, ends_at=now + lasts, why=reason.strip(), asked_by_id=by.user_id
    )
    access.save()
    return access


@service(Event.EMERGENCY_OPENED)
def approve_emergency_access(*, by: Actor, access_id, seen: int) -> EmergencyAccess:
    """A second person opens it: the role is held until its hour and ends by itself."""
    access = EmergencyAccess.objects.lock(access_id, seen=seen)
    now = deed_now().at
    rules.check_can_approve_emergency_access(by=by, access=access, now=now)
    grant = Grant(
        site_id=access.role.site_id, user_id=access.user_id, role_id=access.role_id, starts_at=now, ends_at=access.ends_at, given_by_id=access.asked_by_id
    )
    grant.save()
    access.grant, access.approved_by_id = grant, by.user_id
    access.save()
    return access


@service(Event.EMERGENCY_REVIEWED)
def review_emergency_access(*, by: Actor, access_id, seen: int, reason: str) -> EmergencyAccess:
    """Somebody who did not have the access says, once it has ended, what was done with it."""
    access = EmergencyAccess.objects.lock(access_id, seen=seen)
    rules.check_can_review_emergency_access(by=by, access=access, findings=reason, now=deed_now().at)
    access.reviewed_by_id, access.findings = by.user_id, reason.strip()
    access.save()
    return access
