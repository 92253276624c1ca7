"""How a person stands at a site now: roles, lock, training and what enables signing, read in one statement at the moment of use.

Rules that would each ask the database one thing are given this instead. It is read anew in each deed and kept by nobody.
21 CFR 11.10(d), (g), 211.25.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import JSONObject

from mes.asked import asked
from mes.people import accountability
from mes.people.jurisdictions import profile_of
from mes.people.models import Acknowledgement, AuthorityNotice, Grant, IdentityCheck, PersonLock, Qualification, Site, User
from mes.people.queries import Enabling, in_force
from mes.records.models import RecordNow


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role in force now, one's own or, with an authority, another one's."""

    grant_id: uuid.UUID
    code: str
    name: str
    permissions: frozenset[str]
    lent: bool


@dataclass(frozen=True)
class Standing:
    """A person at a site, as the database said a moment ago in the same deed."""

    user: User
    site_id: uuid.UUID
    site_code: str
    site_zone: str
    roles: tuple[HeldRole, ...]
    """In the order in which they began."""
    locked: bool
    trained_for: str | None
    """The subject that was asked for, where training for it is in force."""
    enabling: Enabling

    @cached_property
    def permissions(self) -> frozenset[str]:
        """Every permission held at the site now."""
        return frozenset().union(*(role.permissions for role in self.roles))

    def is_of(self, user_id: uuid.UUID, site_id: uuid.UUID) -> bool:
        """Whether it speaks of this person at this site: another one's answers nothing about them."""
        return (self.user.pk, self.site_id) == (user_id, site_id)


def standing_of(user_id: uuid.UUID, site_id: uuid.UUID, subject: str = "") -> Standing:
    """The standing of a person at a site, with training for a subject such as "recipe_version:<id>". One statement.

    Read it within the site's context, as every rule is: a deputy's authority is seen at its own site only.
    """
    (user,) = _standing(user_id, site_id, subject, accountability.CURRENT)
    return standing_from(user, site_id, subject)


def with_enabling(people: QuerySet[User], site_id: uuid.UUID, text_version: str) -> QuerySet[User]:
    """The same people with `locked`, and what `enabling_in` reads; `text_version` is that of the text on accountability in force."""
    site = Site.objects.filter(pk=site_id).values(json=JSONObject(code="code", zone="time_zone", jurisdiction="jurisdiction"))
    return people.annotate(
        locked=Exists(PersonLock.objects.filter(user_id=OuterRef("pk"), open=True)),
        identity=Exists(IdentityCheck.objects.filter(user_id=OuterRef("pk"))),
        acknowledged=Exists(Acknowledgement.objects.filter(user_id=OuterRef("pk"), text_version=text_version)),
        told=Exists(AuthorityNotice.objects.filter(site_id=site_id)),
        at_site=Subquery(site),
    )


def enabling_in(user: Any) -> Enabling:
    """What a person of `with_enabling` needs before signing counts."""
    return Enabling(user.identity, user.acknowledged, None if user.told else profile_of(user.at_site["jurisdiction"]).notice)


@asked(uuid.UUID, uuid.UUID, str, str)
def _standing(user_id, site_id, subject, text_version):
    return standings(user_id, site_id, subject, text_version)


def standings(user_id: uuid.UUID, site_id: uuid.UUID, subject: Any, text_version: str) -> QuerySet[User]:
    """The person with what `standing_from` reads; the subject of the training may be an expression."""
    held = in_force().filter(user_id=OuterRef("pk"), site_id=site_id).order_by("starts_at", "pk")
    roles = held.values(json=JSONObject(grant="pk", code="role__code", name="role__name", permissions="role__permissions", authority="authority__pk"))
    trained = Qualification.objects.filter(
        Q(ends_at=None) | Q(ends_at__gt=RecordNow()), user_id=OuterRef("pk"), subject=subject, starts_at__lte=RecordNow()
    )
    return with_enabling(User.objects.filter(pk=user_id), site_id, text_version).annotate(trained=Exists(trained), held=ArraySubquery(roles))


def standing_from(user: Any, site_id: uuid.UUID, subject: str) -> Standing:
    """The standing in a row of `standings`; `subject` is the one that was asked about."""
    roles = tuple(
        HeldRole(uuid.UUID(each["grant"]), each["code"], each["name"], frozenset(each["permissions"]), each["authority"] is not None) for each in user.held
    )
    return Standing(user, site_id, user.at_site["code"], user.at_site["zone"], roles, user.locked, subject if user.trained else None, enabling_in(user))


# --- the person of a session -------------------------------------------------------------------------------------------


@asked(uuid.UUID)
def _grants_of_session(user_id):
    grants = in_force().filter(user_id=user_id, role__site_id__isnull=False, user__kind=User.PERSON)
    locked = Exists(PersonLock.objects.filter(user_id=OuterRef("user_id"), open=True))
    return grants.select_related("user", "role", "role__site").annotate(locked=locked).order_by("starts_at")


@dataclass(frozen=True, slots=True)
class SessionRights:
    """What a session's person holds, read with the person themselves for the one request."""

    grants: tuple[Grant, ...]
    locked: bool

    def at(self, site_id: uuid.UUID) -> list[Grant]:
        return [grant for grant in self.grants if grant.site_id == site_id]


def person_of_session(user_id: uuid.UUID) -> User | None:
    """The person of a session; where roles are held, with them as `in_session`. One statement for whoever holds a role."""
    grants = _grants_of_session(user_id)
    if not grants:
        return User.objects.filter(pk=user_id, kind=User.PERSON).first()
    user = grants[0].user
    user.in_session = SessionRights(tuple(grants), grants[0].locked)
    return user
