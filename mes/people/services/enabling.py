"""What comes before a signature: an identity that was checked, and the organisation's notice where its market asks for one."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from mes.events import Event
from mes.people import rules
from mes.people.jurisdictions import profile_of
from mes.people.models import AuthorityNotice, IdentityCheck, Site, User
from mes.records.actors import Actor
from mes.records.door import deed_now, service


@service(Event.IDENTITY_VERIFIED)
def verify_identity(*, by: Actor, user: User, means: str) -> IdentityCheck:
    """Record that `by` checked who this person is, and how. 21 CFR 11.100(b)."""
    rules.check_can_verify_identity(by=by, user=user, means=means)
    check = IdentityCheck(site_id=by.site_id, by_id=by.user_id, user=user, means=means.strip())
    check.save()
    return check


@service(Event.NOTICE_RECORDED)
def record_notice(*, by: Actor, sent_on: dt.date, reference: str) -> AuthorityNotice:
    """Record that the organisation told the authority of this site's market that its electronic signatures bind. 21 CFR 11.100(c)."""
    site = Site.objects.one(pk=by.site_id)
    today = deed_now().at.astimezone(ZoneInfo(site.time_zone)).date()
    rules.check_can_record_notice(by=by, jurisdiction=site.jurisdiction, sent_on=sent_on, today=today, reference=reference)
    authority = profile_of(site.jurisdiction).notice.authority
    notice = AuthorityNotice(site_id=site.pk, by_id=by.user_id, authority=authority, sent_on=sent_on, reference=reference.strip())
    notice.save()
    return notice
