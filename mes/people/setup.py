"""Opening a site: the site's register, the named jobs, and its roles. The only deeds done by the installation itself."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from mes.keys import uuid7
from mes.people import services
from mes.people.models import Role, Site, User
from mes.records.actors import Actor

SETUP, JOBS = "setup", "jobs"


def open_first_site(
    *,
    code: str,
    name: str,
    kind: str,
    time_zone: str,
    jurisdiction: str,
    demo: bool,
    decimal_sign: str = ".",
    roles: Mapping[str, tuple[str, list[str]]],
) -> tuple[Site, Actor]:
    """Open a site with its named jobs and roles (`roles`: code -> (printed name, permissions)).

    Returns the site and the setup actor. Running it for a site that exists changes nothing.
    """
    existing = Site.objects.filter(code=code).first()
    if existing:
        return existing, system_actor(existing.pk, SETUP)
    site_id, setup_id = uuid7(), uuid7()
    by = Actor(
        setup_id,
        f"{SETUP}@{code}",
        "Installation",
        site_id,
        kind="system",
        channel="command",
    )
    site = services.open_site(
        by=by,
        site_id=site_id,
        code=code,
        name=name,
        kind=kind,
        time_zone=time_zone,
        jurisdiction=jurisdiction,
        demo=demo,
        decimal_sign=decimal_sign,
    )
    services.name_system_actor(
        by=by,
        user_id=setup_id,
        username=f"{SETUP}@{code}",
        full_name="Installation",
        site_id=site_id,
    )
    services.name_system_actor(
        by=by,
        user_id=uuid7(),
        username=f"{JOBS}@{code}",
        full_name="Cartulary background jobs",
        site_id=site_id,
    )
    for role_code, (role_name, permissions) in roles.items():
        services.define_role(by=by, code=role_code, name=role_name, permissions=permissions)
    return site, by


def system_actor(site_id: uuid.UUID, job: str = JOBS, *, channel: str = "task") -> Actor:
    """The named job of a site, as it acts in tasks and commands. It never signs."""
    user = User.objects.get(site_id=site_id, kind=User.SYSTEM, username__startswith=f"{job}@")
    return Actor(
        user.pk,
        user.username,
        user.full_name,
        site_id,
        kind="system",
        roles=("background job",),
        channel=channel,
    )


def enrol(
    *,
    by: Actor,
    username: str,
    full_name: str,
    roles: list[str],
    email: str = "",
    badge: str = "",
    kind: str = User.PERSON,
) -> User:
    """Enrol somebody with roles, in deeds of the installation (set-up and demo)."""
    user = services.enrol_person(
        by=by,
        username=username,
        full_name=full_name,
        email=email,
        kind=kind,
        badge=badge,
    )
    for code in roles:
        services.grant_role(by=by, user=user, role=Role.objects.get(site_id=by.site_id, code=code))
    return user
