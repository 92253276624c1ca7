"""The register of sites, people, roles, grants and training."""

from __future__ import annotations

from mes.events import Event
from mes.people import queries, rules
from mes.people.models import DeviceCredential, Grant, Qualification, Role, Site, User
from mes.records.actors import Actor
from mes.records.door import deed_now, service


@service(Event.SITE_OPENED)
def open_site(
    *,
    by: Actor,
    site_id,
    code: str,
    name: str,
    kind: str,
    time_zone: str,
    jurisdiction: str,
    demo: bool = False,
    decimal_sign: str = ".",
) -> Site:
    """Open a site's register. `by` acts at the new site itself. `decimal_sign` is how people there write decimals, "." or ","."""
    rules.check_can_open_site(by=by, code=code, jurisdiction=jurisdiction, decimal_sign=decimal_sign)
    site = Site(
        id=site_id,
        site_id=site_id,
        code=code,
        name=name,
        kind=kind,
        time_zone=time_zone,
        jurisdiction=jurisdiction,
        demo=demo,
        decimal_sign=decimal_sign,
    )
    site.save()
    return site


@service(Event.SYSTEM_ACTOR_NAMED)
def name_system_actor(*, by: Actor, user_id, username: str, full_name: str, site_id) -> User:
    """Register a named job (setup, celery, migration): it acts, it never signs. Annex 11 (2011) 12."""
    rules.check_can_name_system_actor(by=by, username=username)
    user = User(
        id=user_id,
        site_id=site_id,
        username=username,
        full_name=full_name,
        kind=User.SYSTEM,
    )
    user.save()
    return user


@service(Event.ROLE_DEFINED)
def define_role(*, by: Actor, code: str, name: str, permissions: list[str]) -> Role:
    """Write a role of the site: its code, printed name and permissions."""
    rules.check_can_define_role(by=by, code=code, permissions=permissions)
    role = Role(
        site_id=by.site_id,
        code=code,
        name=name,
        permissions=sorted(str(p) for p in permissions),
    )
    role.save()
    return role


@service(Event.PERSON_ENROLLED)
def enrol_person(
    *,
    by: Actor,
    username: str,
    full_name: str,
    email: str = "",
    kind: str = User.PERSON,
    badge: str = "",
) -> User:
    """Enrol a person or a device. The user name is theirs for ever. 21 CFR 11.100."""
    rules.check_can_enrol_person(by=by, username=username, full_name=full_name)
    user = User(
        site_id=by.site_id,
        username=username,
        full_name=full_name,
        email=email,
        kind=kind,
        badge=badge,
    )
    user.save()
    return user


@service(Event.GRANT_GIVEN)
def grant_role(*, by: Actor, user: User, role: Role, ends_at=None) -> Grant:
    """Give a role from now on. An administrator never gets GMP rights beside (ACC-07)."""
    rules.check_can_grant_role(by=by, user=user, role=role, ends_at=ends_at)
    grant = Grant(
        site_id=role.site_id,
        user=user,
        role=role,
        starts_at=deed_now().at,
        ends_at=ends_at,
        given_by_id=by.user_id,
    )
    grant.save()
    return grant


@service(Event.GRANT_ENDED)
def end_grant(*, by: Actor, grant_id, seen: int, reason: str) -> Grant:
    """End a role now; it ends for the next request."""
    grant = Grant.objects.lock(grant_id, seen=seen)
    now = deed_now().at
    rules.check_can_end_grant(by=by, grant=grant, now=now)
    grant.ends_at = max(now, grant.starts_at)  # one that has not begun never does
    grant.save()
    _end_what_was_lent(grant.user_id, now)
    return grant


def _end_what_was_lent(principal_id, now) -> None:
    """Nobody deputises for somebody who does not hold the role any more: the lent role ends in the register too. SIG-14."""
    for lent in queries.lent_in_vain(principal_id):
        lent.ends_at = max(now, lent.starts_at)
        lent.save()


@service(Event.ACCOUNT_CLOSED)
def close_account(*, by: Actor, user_id, seen: int, reason: str) -> User:
    """Close an account at once: sessions and tokens fail from the next request on, roles end, the user name stays taken. 21 CFR 11.300(b)."""
    user = User.objects.lock(user_id, seen=seen)
    rules.check_can_close_account(by=by, user=user)
    now = deed_now().at
    user.is_active = False
    user.save()
    for grant in Grant.objects.filter(user_id=user_id).order_by("pk"):
        if grant.ends_at is None or grant.ends_at > now:
            grant.ends_at = max(now, grant.starts_at)
            grant.save()
    _end_what_was_lent(user_id, now)
    for credential in DeviceCredential.objects.filter(user_id=user_id, revoked=False).order_by("pk"):
        credential.revoked = True
        credential.save()
    return user


@service(Event.QUALIFICATION_RECORDED)
def record_qualification(*, by: Actor, user: User, subject: str, title: str, ends_at=None) -> Qualification:
    """Record that a person is trained for a subject, for example one version of a recipe."""
    rules.check_can_record_qualification(by=by, user=user, subject=subject)
    qualification = Qualification(
        site_id=by.site_id,
        user=user,
        subject=subject,
        title=title,
        starts_at=deed_now().at,
        ends_at=ends_at,
        trainer_id=by.user_id,
    )
    qualification.save()
    return qualification
