"""Reading people, their grants and their sites."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils.http import urlencode

from mes.people import accountability
from mes.people.jurisdictions import Notice, profile_of
from mes.people.models import Acknowledgement, AuthorityNotice, Grant, IdentityCheck, PersonLock, Qualification, SecondFactor, Site, User
from mes.records.models import RecordNow


def not_over() -> Q:
    """Grants whose end, where they have one, is still to come."""
    return Q(ends_at=None) | Q(ends_at__gt=RecordNow())


def vouched() -> Q:
    """Grants of one's own, and lent ones whose principal holds the role without a break since before it was lent. SIG-14; 21 CFR 11.100(a).

    The same within a site's context and without one, as at sign-in: an authority is seen at its own site only, and the grant says too who lent it.
    """
    lender = Coalesce(OuterRef("lent_by"), OuterRef("authority__principal"))
    own = Grant.objects.filter(
        not_over(), user=lender, role=OuterRef("role"), authority=None, lent_by=None, starts_at__lte=OuterRef("starts_at"), user__is_active=True
    )
    return Q(authority=None, lent_by=None) | Q(Exists(own))


def in_force() -> QuerySet[Grant]:
    """Every grant that gives its role now."""
    return Grant.objects.filter(not_over(), vouched(), starts_at__lte=RecordNow())


def lent_in_vain(principal_id: uuid.UUID) -> list[Grant]:
    """Grants, begun or to come, at whichever site, that somebody lent who does not hold the role any more."""
    lent = Q(lent_by=principal_id) | Q(authority__principal_id=principal_id)
    return list(Grant.objects.filter(not_over(), lent).exclude(vouched()).order_by("pk"))


def live_grants(user_id: uuid.UUID, site_id: uuid.UUID | None = None) -> list[Grant]:
    """A person's roles in force now, at one site or at all, with role and site. One query."""
    grants = in_force().filter(user_id=user_id, role__site_id__isnull=False).select_related("role", "role__site")
    if site_id is not None:
        grants = grants.filter(site_id=site_id)
    return list(grants.order_by("starts_at"))


def live_or_later(user_id: uuid.UUID, site_id: uuid.UUID) -> list[Grant]:
    """A person's roles at a site in force now or from some later moment on."""
    return list(Grant.objects.filter(Q(ends_at=None) | Q(ends_at__gt=RecordNow()), user_id=user_id, site_id=site_id).select_related("role"))


def sites_of(user_id: uuid.UUID) -> list[Site]:
    """The sites at which a person holds a role now, by name."""
    sites = {grant.role.site_id: grant.role.site for grant in live_grants(user_id)}
    return sorted(sites.values(), key=lambda site: site.name)


def names(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Full names by id: how streams of people are called."""
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "full_name"))


def site_names(ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
    return dict(Site.objects.filter(pk__in=ids).values_list("pk", "name"))


def badge_address(scanned) -> str | None:
    """A badge scanned anywhere hands the station over (a resolver of mes.web.scan_targets)."""
    if User.objects.filter(badge=scanned.text, kind=User.PERSON).exclude(badge="").exists():
        return "/switch/?" + urlencode({"who": scanned.text})
    return None


def first_site_id() -> uuid.UUID | None:
    """The site opened first: where refused sign-ins of nobody known are logged."""
    return Site.objects.order_by("recorded_at").values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One line of the register: a person or device of a site."""

    user: User
    roles: tuple[str, ...]
    training: tuple[str, ...]
    locked: bool


def register(site_id: uuid.UUID) -> list[RegisterLine]:
    """Everybody enrolled here or holding a role here, by name, jobs left out. Four queries."""
    users = User.objects.filter(Q(site_id=site_id) | Q(grants__site_id=site_id)).exclude(kind=User.SYSTEM).distinct().order_by("full_name")
    users = list(users)
    ids = [user.pk for user in users]
    in_force = Q(ends_at=None) | Q(ends_at__gt=RecordNow())
    roles = _grouped(Grant.objects.filter(in_force, user_id__in=ids, site_id=site_id, starts_at__lte=RecordNow()).values_list("user_id", "role__name"))
    training = _grouped(Qualification.objects.filter(in_force, user_id__in=ids, starts_at__lte=RecordNow()).values_list("user_id", "title"))
    locked = set(PersonLock.objects.filter(user_id__in=ids, open=True).values_list("user_id", flat=True))
    return [RegisterLine(u, roles.get(u.pk, ()), training.get(u.pk, ()), u.pk in locked) for u in users]


def _grouped(pairs) -> dict:
    found: dict = {}
    for key, value in pairs:
        found[key] = (*found.get(key, ()), value)
    return found


def person_here(user_id: uuid.UUID, site_id: uuid.UUID) -> User:
    """A person or device enrolled at the site or with a role there at any time. Raises Missing for anybody else."""
    here = User.objects.filter(Q(site_id=site_id) | Q(grants__site_id=site_id)).exclude(kind=User.SYSTEM).distinct()
    return here.one(pk=user_id)


def named_here(username: str, site_id: uuid.UUID) -> User:
    """The same by user name, in any case."""
    user_id = User.objects.filter(username__iexact=username).values_list("pk", flat=True).first()
    return person_here(user_id or uuid.UUID(int=0), site_id)


def grants_of(user_id: uuid.UUID, site_id: uuid.UUID) -> list[Grant]:
    """Every role a person was ever given at a site, newest first, with who gave it."""
    return list(Grant.objects.filter(user_id=user_id, site_id=site_id).select_related("role", "given_by").order_by("-starts_at"))


def training_of(user_id: uuid.UUID) -> list[Qualification]:
    """Every training recorded for a person, newest first, with the trainer."""
    return list(Qualification.objects.filter(user_id=user_id).select_related("trainer").order_by("-starts_at"))


def factor_of(user_id: uuid.UUID) -> SecondFactor | None:
    """The authenticator in use or waiting to be confirmed."""
    return SecondFactor.objects.filter(user_id=user_id, active=True).first()


def anybody_has_a_factor() -> bool:
    """Whether somebody has enrolled an authenticator here yet."""
    return SecondFactor.objects.filter(active=True, confirmed=True).exists()


@dataclass(frozen=True, slots=True)
class Enabling:
    """What a person needs before signing counts, and whether it is there. 21 CFR 11.100(b), 11.10(j), 11.100(c)."""

    identity: bool
    acknowledged: bool
    notice: Notice | None
    """The notice that this site's market asks for and nobody recorded."""

    @property
    def complete(self) -> bool:
        return self.identity and self.acknowledged and self.notice is None


def enabling(user_id: uuid.UUID, site_id: uuid.UUID) -> Enabling:
    """Which of the three records of a signer are there, at a site. One query."""
    here = Site.objects.filter(pk=site_id).annotate(
        identity=Exists(IdentityCheck.objects.filter(user_id=user_id)),
        acknowledged=Exists(Acknowledgement.objects.filter(user_id=user_id, text_version=accountability.CURRENT)),
        told=Exists(AuthorityNotice.objects.filter(site_id=OuterRef("pk"))),
    )
    jurisdiction, identity, acknowledged, told = here.values_list("jurisdiction", "identity", "acknowledged", "told").get()
    return Enabling(identity, acknowledged, None if told else profile_of(jurisdiction).notice)


def identity_checks(user_id: uuid.UUID) -> list[IdentityCheck]:
    """Who checked a person's identity, newest first."""
    return list(IdentityCheck.objects.filter(user_id=user_id).select_related("by").order_by("-recorded_at"))


def acknowledgements(user_id: uuid.UUID) -> list[Acknowledgement]:
    """Which texts on accountability a person signed, newest first."""
    return list(Acknowledgement.objects.filter(user_id=user_id).order_by("-recorded_at"))


def notices(site_id: uuid.UUID) -> list[AuthorityNotice]:
    """Notices to an authority that are recorded for a site, newest first."""
    return list(AuthorityNotice.objects.filter(site_id=site_id).select_related("by").order_by("-recorded_at"))


def earlier_passwords(user_id: uuid.UUID, how_many: int) -> list[str]:
    """The hashes of a person's last passwords, the present one first."""
    kept = User.history.model.objects.filter(id=user_id).exclude(password="").order_by("-version").values_list("password", flat=True)
    return list(dict.fromkeys(kept))[:how_many]
