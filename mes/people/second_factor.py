"""Whether a session proved a second factor, where one is asked for: from outside the controlled networks, and before duties that administer or release.

Until then the session holds no right, and nothing answers but what proves a factor or enrols one. EU GMP Annex 11 draft (2025) 11.3, 11.6;
OWASP ASVS 5.0, V6.3.3; NIST SP 800-63B-4, AAL2.
"""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable, Collection
from typing import NoReturn

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from mes.errors import NotAllowed, RuleBroken, SigningRefused
from mes.people import queries, rules, session
from mes.people.services import lock_person, use_code
from mes.people.services.access import count_try
from mes.people.setup import system_actor
from mes.records.actors import Actor
from mes.records.door import record_refusal
from mes.web import problems

PROVEN = "second_factor"
"""Where the session keeps that it was proven."""

ASKED_FOR = frozenset({
    "mes.manage_people", "mes.unlock_people", "mes.approve_access", "mes.record_training", "batches.erase_patient",
    "quality.certify_lot", "batches.release_material", "batches.decide_starting_material",
})  # fmt: skip
"""Permissions of privileged and of releasing roles: who holds one proves a second factor wherever they sit."""

OPEN_BEFORE = ("/sign-in/", "/sign-out/", "/lock/", "/unlock/", "/me/authenticator/", "/me/passkeys/", "/api/v1/session/", "/livez", "/readyz", "/static/")
"""What answers a session that still has to prove it."""


def is_outside(address: str) -> bool:
    """Whether a request comes from outside the controlled networks; an address that is none does."""
    try:
        here = ipaddress.ip_address(address)
    except ValueError:
        return True
    here = getattr(here, "ipv4_mapped", None) or here
    return not any(here in network for network in settings.CONTROLLED_NETWORKS)


def is_missing(request: HttpRequest, permissions: Collection[str]) -> bool:
    """Whether this session still has to prove a second factor, with what its person may do and where the request comes from now."""
    if not settings.SECOND_FACTOR_AT_SIGN_IN or request.session.get(PROVEN):
        return False
    return not ASKED_FOR.isdisjoint(permissions) or is_outside(session.address_of(request))


def is_asked_of_others(by: Actor) -> bool:
    """Whether who signs in this session without being its person proves a factor of their own: from outside the controlled networks the session proved
    its person's alone. ACC-03.
    """
    return settings.SECOND_FACTOR_AT_SIGN_IN and is_outside(by.address)


def state(request: HttpRequest, permissions: Collection[str]) -> str:
    """"proven", "asked" or "not asked": for clients of the API."""
    if request.session.get(PROVEN):
        return "proven"
    return "asked" if is_missing(request, permissions) else "not asked"


def answer_before(request: HttpRequest) -> HttpResponse:
    """What everything else answers before the factor is proven; what was typed stays in the page that sent it."""
    if request.method not in ("GET", "HEAD") or problems.wants_json(request):
        refusal = needed()
        record_refusal(request.actor, refusal, "second_factor")
        return problems.answer(request, refusal)
    url = "/sign-in/second-factor/?" + urlencode({"next": request.get_full_path()})
    return HttpResponseClientRedirect("/sign-in/second-factor/") if request.htmx else redirect(url)


def needed() -> RuleBroken:
    """The refusal of everything else."""
    return NotAllowed(
        "second_factor_needed",
        "This session has to prove a second factor first: your duties or this network ask for it. Nothing was saved. Sign in with your one-time code.",
    )


def prove(request: HttpRequest, by: Actor, code: str) -> None:
    """Take a one-time code for this session; its key changes. Tries are counted with those of signatures. 21 CFR 11.300(d).

    Raises what take_code() raises.
    """
    take_code(by, code)
    mark(request)


def check_witness(request: HttpRequest, by: Actor, code: str) -> None:
    """Who vouches for somebody's factor proves their own: two stolen passwords open nothing. The password was given before.

    Who has none vouches inside the controlled networks alone, except while nobody has one yet. Raises NotAllowed("witness_outside") and what take_code() raises.
    """
    if not settings.SECOND_FACTOR_AT_SIGN_IN:
        return
    if has_one(by.user_id):
        take_code(by, code, field="witness_code")
    elif is_outside(session.address_of(request)) and queries.anybody_has_a_factor():
        raise NotAllowed(
            "witness_outside", "Who checks an identity from outside the controlled networks proves a second factor, and this person has none. Do it at the site."
        )


def take_code(by: Actor, code: str, *, field: str = "code") -> None:
    """Take a one-time code of this person, counted before it is looked at.

    Raises SigningRefused: code_missing, wrong_code, used_code, no_second_factor, second_factor_unchecked, locked_out.
    """
    if not code.strip():
        raise SigningRefused("code_missing", "Type the six digits of your authenticator.", field=field)
    try:
        counted(by, lambda: use_code(by=by, user_id=by.user_id, code=code))
    except SigningRefused as refusal:
        refusal.security, refusal.field = None, field  # the service's door has written the security event already
        raise


def counted(by: Actor, attempt: Callable[[], object]) -> None:
    """One try of a second factor of this person outside the signing of a record; the last wrong one locks them out."""
    count_try(by.user_id, "code", attempt, lock=lambda: lock_out(by))


def lock_out(by: Actor) -> NoReturn:
    """Lock the person out, once, and say so. Raises SigningRefused("locked_out")."""
    if not rules.is_locked(by.user_id):
        job = system_actor(by.site_id, channel=by.channel).at_station(by.station)
        lock_person(by=job, user_id=by.user_id, why="wrong one-time codes in a row")
    raise SigningRefused("locked_out", "You are locked out after wrong codes. An administrator can lift the lock.")


def mark(request: HttpRequest) -> None:
    """Note that this session proved it, under a new key."""
    request.session[PROVEN] = True
    request.session.cycle_key()


def has_one(user_id: uuid.UUID) -> bool:
    """Whether the person has an authenticator that counts."""
    factor = queries.factor_of(user_id)
    return bool(factor and factor.confirmed)
