"""A person's session: proven by password, at one site, covered after idle time. 21 CFR 11.10(d), 11.300(d)."""

from __future__ import annotations

import datetime as dt
import secrets
import time
import uuid

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.hashers import check_password
from django.http import HttpRequest, HttpResponse

from mes.errors import NotAllowed, RuleBroken
from mes.people import queries, rules
from mes.people.hashers import nobodys_hash
from mes.people.models import Site, User, UserSession
from mes.people.services import begin_try, end_try, lock_person, record_sign_in, record_sign_out
from mes.people.services.access import FAILURES_ALLOWED, Secret, begin_in_vain, begin_sign_in, check_not_held_up, count_in_vain, end_sign_in
from mes.people.setup import system_actor
from mes.records.actors import Actor
from mes.records.door import record_refusal
from mes.web import panels

BACKEND = "mes.people.backends.PasswordBackend"
PROVEN_SECONDS = 300
"""How long a proven password waits for the choice of a site."""

NOT_TOGETHER = (
    "That user name and password do not belong together, or the person is locked out. After five wrong tries in a row an administrator has to lift the lock."
)
NOT_YOURS = "That is not the PIN or password of this person. After five wrong tries in a row an administrator has to lift the lock."


def prove(request: HttpRequest, username: str, password: str) -> User:
    """The person to whom both belong, counting what is wrong. Raises NotAllowed("sign_in") with one sentence for all cases."""
    known = User.objects.filter(username__iexact=username.strip(), kind=User.PERSON).first()
    left = _left(known, "password")
    user = authenticate(request, username=username, password=password)
    if user is None or left < 0 or rules.is_locked(user.pk):
        raise _refuse(request, known, left, sentence=NOT_TOGETHER)
    end_try(user.pk, "password")
    request.wrong_before = FAILURES_ALLOWED - 1 - left
    return user


def sign_in(request: HttpRequest, username: str, password: str) -> User:
    """The same for who is not signed in here, the witness beside a joining person included: slowed down per name and per address first.

    Raises TooManyTries.
    """
    address = address_of(request)
    begin_sign_in(username, address)
    user = prove(request, username, password)
    end_sign_in(username, address)
    if request.wrong_before > 0:
        request.session["wrong_before"] = request.wrong_before
    return user


def address_of(request: HttpRequest) -> str:
    """Where a request comes from: behind our own proxy the address that it saw, never what the client says before it."""
    if settings.SECURE_PROXY_SSL_HEADER is not None:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return request.META.get("REMOTE_ADDR", "")


def prove_again(request: HttpRequest, who: str, secret: str) -> User:
    """The person whose badge or user name and PIN or password these are: lifts the cover of an idle page. Raises TooManyTries."""
    check_not_held_up(request.actor)
    who = who.strip()
    user = User.objects.filter(username__iexact=who, kind=User.PERSON).first()
    if user is None and who:
        user = User.objects.filter(badge=who, kind=User.PERSON).first()
    left = _left(user, "pin", "password")
    in_vain = user is None or rules.is_locked(user.pk)
    if in_vain:
        begin_in_vain(request.actor)
    stored = (user.pin, user.password) if user else ("", "")
    # Two checks for everybody, known or not, with a PIN or without: the time tells nothing.
    is_pin, is_password = [check_password(secret, hashed or nobodys_hash()) and bool(hashed) for hashed in stored]
    if user is None or left < 0 or not (is_pin or is_password) or not user.is_active or rules.is_locked(user.pk):
        if not in_vain:
            count_in_vain(request.actor)
        raise _refuse(request, user, left, sentence=NOT_YOURS)
    end_try(user.pk, *(("pin", "password") if is_pin else ("password", "pin")))
    return user


def prove_own(request: HttpRequest, password: str) -> None:
    """The password of who is signed in, before a secret of theirs is changed: an open page is not enough."""
    user = User.objects.get(pk=request.actor.user_id)
    left = _left(user, "password")
    if not check_password(password, user.password) or left < 0:
        refusal = _refuse(request, user, left, sentence="That is not your password. After five wrong tries in a row you are locked out.")
        refusal.field = "current"
        raise refusal
    end_try(user.pk, "password")


def _left(user: User | None, *secrets: Secret) -> int:
    """How many tries are left if this one fails; what a locked person tries is not counted, for nothing of it is told."""
    return 0 if user is None or rules.is_locked(user.pk) else begin_try(user.pk, *secrets)


def _refuse(request: HttpRequest, user: User | None, left: int, *, sentence: str) -> RuleBroken:
    """Log a failed sign-in, and lock the person after the last try; the name as typed is not kept, for people type passwords there too."""
    refusal = NotAllowed("sign_in", sentence, security="sign_in_refused", detail={"subject": str(user.pk) if user else ""})
    site_id = user.site_id if user else queries.first_site_id()
    if site_id is not None:
        by = system_actor(site_id, channel="page").at_station(station_of(request))
        if user is not None and left <= 0 and not rules.is_locked(user.pk):
            lock_person(by=by, user_id=user.pk, why="wrong passwords in a row")
        record_refusal(by, refusal, "sign_in")
    return refusal


def begin(request: HttpRequest, user: User, site_id: uuid.UUID, *, going_on: bool = False) -> Actor:
    """Start the person's session at a site where a role is held; the session's key changes. Writes the access log.

    `going_on`: the same session at another site, without a secret, lasts no longer for it.
    """
    if site_id not in {site.pk for site in queries.sites_of(user.pk)}:
        raise NotAllowed("no_role_here", f"{user.full_name} holds no role at this site. An administrator can give one.")
    if request.user.is_authenticated and request.user.pk != user.pk:
        end(request)
    wrong = request.session.pop("wrong_before", 0)
    if not request.user.is_authenticated:
        request.session.pop("second_factor", None)  # proven by who was here before, not by this sign-in
    login(request, user, backend=BACKEND)
    request.session["site"] = str(site_id)
    request.session["began"] = request.session["began"] if going_on else time.time()
    request.session["station"] = station_of(request)
    request.session.pop("covered", None)
    touch(request)
    by = actor_of(request, user, Site.objects.get(pk=site_id), queries.live_grants(user.pk, site_id))
    told = panels.greetings(by) if by.channel == "page" else []
    record_sign_in(by=by)
    for sentence in told:
        messages.warning(request, sentence)
    if wrong and by.channel == "page":  # OWASP ASVS 5.0, V6.3.5
        times = "A wrong password was" if wrong == 1 else f"{wrong} wrong passwords were"
        messages.warning(request, f"{times} given in your name since the last right one. If that was not you, tell an administrator.")
    return by


def end(request: HttpRequest) -> None:
    """End the session; the access log says so when a person was in it."""
    by = getattr(request, "actor", None)
    logout(request)
    if by is not None:
        record_sign_out(by=by)


def sessions_of(user_id: uuid.UUID) -> list[UserSession]:
    """The person's sessions that have not lasted their longest time, the one touched last first."""
    oldest = dt.datetime.fromtimestamp(time.time() - settings.SESSION_COOKIE_AGE, dt.UTC)
    return list(UserSession.objects.filter(user_id=user_id, began_at__gt=oldest).order_by("-touched_at"))


def forget_others(user_id: uuid.UUID, keep: str = "") -> None:
    """Remove the sessions of a person whose password changed: the old password opens none of them any more."""
    UserSession.objects.filter(user_id=user_id).exclude(session_key=keep).delete()


def forget_old() -> int:
    """Remove sessions that have ended by themselves; returns how many. Each of them was refused before."""
    return UserSession.objects.filter(expire_date__lt=dt.datetime.fromtimestamp(time.time(), dt.UTC)).delete()[0]


def actor_of(request: HttpRequest, user: User, site: Site, grants) -> Actor:
    """The actor of a page: the session's person with the roles held at the site now."""
    return Actor(
        user.pk,
        user.username,
        user.full_name,
        site.pk,
        roles=tuple(dict.fromkeys(grant.role.name for grant in grants)),
        channel="api" if request.path.startswith("/api/") else "page",
        station=station_of(request),
        request_id=getattr(request, "id", ""),
        address=address_of(request),
    )


# --- the station ------------------------------------------------------------------------------------------------------


def station_of(request: HttpRequest) -> str:
    """The name of this tablet or desk, from its signed cookie; the same one through the whole request."""
    known = getattr(request, "station", None)
    if known is None:
        known = request.get_signed_cookie(settings.STATION_COOKIE_NAME, default="", salt="station")
        request.station_is_new = not known
        request.station = known = known or f"station-{secrets.token_hex(3)}"
    return known


def keep_station(request: HttpRequest, response: HttpResponse) -> None:
    """Give a browser that has no station name its own, for years: signing is bound to it."""
    if getattr(request, "station_is_new", False):
        response.set_signed_cookie(
            settings.STATION_COOKIE_NAME, request.station, salt="station", max_age=10 * 365 * 86400, httponly=True, samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip


# --- idle time --------------------------------------------------------------------------------------------------------


def touch(request: HttpRequest) -> None:
    """Note that a person was here. Written at most twice a minute."""
    now = time.time()
    if now - request.session.get("touched", 0) > 30:
        request.session["touched"] = now


def is_covered(request: HttpRequest) -> bool:
    """Whether the page is covered: told so by the page itself, or nobody touched it for the idle time (wall clock)."""
    return bool(request.session.get("covered")) or time.time() - request.session.get("touched", 0) > settings.IDLE_SECONDS + 30


def cover(request: HttpRequest) -> None:
    request.session["covered"] = request.session.get("covered") or time.time()


def uncover(request: HttpRequest) -> None:
    """Lift the cover for the same person; the key of the session changes. Raises NotAllowed("session_ended").

    The old key is given up first, once: a session that was ended while the secret was checked does not come back under a new one.
    """
    if not UserSession.objects.filter(session_key=request.session.session_key).delete()[0]:
        request.session.flush()
        raise NotAllowed("session_ended", "This session was ended meanwhile. Sign in again.")
    request.session.pop("covered", None)
    request.session["touched"] = time.time()
    request.session.cycle_key()


def is_over(request: HttpRequest) -> bool:
    """Whether the session has lasted its longest time; nobody can change it."""
    return time.time() - request.session.get("began", 0) > settings.SESSION_COOKIE_AGE
