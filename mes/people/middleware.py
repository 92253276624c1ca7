"""Puts who acts on the request, asked of the database each time: a role or account that ended ends for the next request."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import structlog
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from mes.errors import RuleBroken, TooManyTries
from mes.people import queries, rules, second_factor, session
from mes.people.models import User
from mes.people.segregation import conflict_in
from mes.web import limits, problems

OPEN_UNDER_COVER = ("/lock/", "/unlock/", "/sign-in/", "/sign-out/", "/livez", "/readyz", "/static/")
"""What answers while a page is covered."""


def is_touch(request: HttpRequest) -> bool:
    """Whether a person did this: islands that refresh themselves, probes and the cover itself are nobody's touch."""
    by_itself = request.method == "GET" and request.headers.get("HX-Request")
    return not by_itself and not request.path_info.startswith(OPEN_UNDER_COVER)


class ActorMiddleware:
    """Sets `request.actor` (mes.records.actors.Actor or None), `request.site`, `request.rights`, `request.held` and `request.station`.

    `request.held` is every permission that the database named just now for who is in the session, conflicts included: rules judge those.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor, request.site, request.rights, request.held = None, None, frozenset(), None
        session.station_of(request)
        response = None
        if "site" in request.session and request.user.is_authenticated:
            response = self.find(request)
        response = response or self.get_response(request)
        session.keep_station(request, response)
        return response

    def find(self, request: HttpRequest) -> HttpResponse | None:
        """Find out who acts, or end the session. The answer when the page is covered, else None."""
        user, site_id = request.user, uuid.UUID(request.session["site"])
        known = getattr(user, "in_session", None)
        grants = queries.live_grants(user.pk, site_id) if known is None else known.at(site_id)
        ended = self.why_ended(request, user, grants)
        if ended:
            request.session.flush()
            request.user = AnonymousUser()
            messages.error(request, ended)
            return None
        request.site = grants[0].role.site
        request.actor = session.actor_of(request, user, request.site, grants)
        rights = request.held = frozenset(permission for grant in grants for permission in grant.role.permissions)
        request.rights = frozenset(one for one in rights if conflict_in(rights, with_permission=one) is None)  # ACC-07, at use
        before = second_factor.is_missing(request, rights)
        if before:  # ACC-03: a password alone opens no right
            request.actor, request.rights, request.held = session.actor_of(request, user, request.site, ()), frozenset(), frozenset()
        structlog.contextvars.bind_contextvars(user=str(user.pk), site=str(site_id), station=request.actor.station)
        try:
            limits.count(str(user.pk))
        except TooManyTries as broken:
            return problems.answer(request, broken)
        if session.is_covered(request):
            session.cover(request)
            if not request.path_info.startswith(OPEN_UNDER_COVER):
                return self.answer_under_cover(request)
        elif is_touch(request):
            session.touch(request)
        if before and not request.path_info.startswith(second_factor.OPEN_BEFORE):
            return second_factor.answer_before(request)
        return None

    def why_ended(self, request: HttpRequest, user: User, grants: list) -> str:
        if not user.is_active:
            return "This account was closed."
        known = getattr(user, "in_session", None)
        if rules.is_locked(user.pk, known and known.locked):
            return f"{user.full_name} is locked out after wrong secrets. An administrator can lift the lock; another qualified person can go on."
        if not grants:
            return f"{user.full_name} holds no role at this site any more. An administrator can give one."
        if session.is_over(request):
            return "This session has lasted its longest time. Sign in again."
        return ""

    def answer_under_cover(self, request: HttpRequest) -> HttpResponse:
        if problems.wants_json(request):
            broken = RuleBroken("session_covered", "Nobody was here for a while, so this session is covered. Unlock it with your own PIN or password.")
            broken.status = 423
            return problems.answer(request, broken)
        from mes.people.views.access import covered_answer

        return covered_answer(request)
