"""Coming in and going: sign-in, choice of a site, sign-out, the cover of an idle page."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django_htmx.http import HttpResponseClientRedirect, retarget

from mes.errors import NotAllowed, RuleBroken
from mes.people import queries, session
from mes.people.forms import SignInForm, SiteForm
from mes.people.models import User
from mes.web.pages import Page
from mes.web.problems import Refusal


def safe_next(request: HttpRequest) -> str:
    """Where the person wanted to go, when that is an address of ours; else the first page."""
    wanted = request.POST.get("next") or request.GET.get("next") or page_of(request) or "/"
    return wanted if wanted.startswith("/") and is_ours(request, wanted) else "/"


def is_ours(request: HttpRequest, address: str) -> bool:
    """Whether a browser that follows this address stays here, whatever slashes it is written with."""
    return url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())


def page_of(request: HttpRequest) -> str:
    """The page from which an island was asked, by the browser's word."""
    if not request.htmx:
        return ""
    parts = urlsplit(request.headers.get("Referer", ""))
    return parts.path + (f"?{parts.query}" if parts.query else "") if parts.netloc == request.get_host() else ""


class SignInPage(Page):
    """User name and password. One sentence for every refusal: no user enumeration, by words or by time."""

    open_to_all = True
    template_name = "mes/people/sign_in.html"
    title = "Sign in"

    def read(self) -> dict:
        form = SignInForm(initial={"username": self.typed.get("username", "")})
        return {"form": form, "next": safe_next(self.request), "open_to_all": True}

    def post(self, request) -> HttpResponse:
        form = SignInForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        user = session.sign_in(request, form.cleaned_data["username"], form.cleaned_data["password"])
        sites = queries.sites_of(user.pk)
        if not sites:
            raise NotAllowed("no_role", "You hold no role at any site yet. An administrator can give you one.", security=None)
        if len(sites) == 1:
            session.begin(request, user, sites[0].pk)
            return redirect(safe_next(request))
        if request.user.is_authenticated and request.user.pk != user.pk:
            session.end(request)  # who was here before: the choice of a site that follows is this person's
        request.session["proven"] = {"user": str(user.pk), "at": time.time()}
        return redirect("/sign-in/site/?" + urlencode({"next": safe_next(request)}))

    def show(self, status: int = 200, **extra) -> HttpResponse:
        return self.draw(self.read() | extra, status)


class ChooseSitePage(Page):
    """The site to work at, for a person with roles at several."""

    open_to_all = True
    template_name = "mes/people/choose_site.html"
    title = "Choose a site"

    def dispatch(self, request, *args, **kwargs) -> HttpResponse:
        if self.is_under_cover():
            return covered_answer(request)  # another site is no way round the cover: ACC-05
        return super().dispatch(request, *args, **kwargs)

    def is_under_cover(self) -> bool:
        """Whether a covered session asks, and nobody gave a secret for it a moment ago."""
        return self.by is not None and session.is_covered(self.request) and not self.just_proven()

    def just_proven(self) -> str:
        """Whose password was given a moment ago in this session, for this choice; empty where it was nobody's."""
        proven = self.request.session.get("proven") or {}
        return proven["user"] if time.time() - proven.get("at", 0) <= session.PROVEN_SECONDS else ""

    def proven(self) -> User:
        if self.by is not None:
            return self.request.user
        if not self.just_proven():
            raise RuleBroken("sign_in_again", "That took too long. Sign in again.")
        return User.objects.get(pk=self.just_proven())

    def read(self) -> dict:
        sites = queries.sites_of(self.proven().pk)
        return {"form": SiteForm(sites=sites), "next": safe_next(self.request)}

    def post(self, request) -> HttpResponse:
        user = self.proven()
        form = SiteForm(request.POST, sites=queries.sites_of(user.pk))
        if not form.is_valid():
            return self.show(422, form=form)
        going_on = not self.just_proven()
        request.session.pop("proven", None)
        session.begin(request, user, uuid.UUID(form.cleaned_data["site"]), going_on=going_on)
        return redirect(safe_next(request))

    def show(self, status: int = 200, **extra) -> HttpResponse:
        return self.draw(self.read() | extra, status)


def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session (POST only)."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    session.end(request)
    response = HttpResponseClientRedirect("/sign-in/") if request.htmx else redirect("/sign-in/")
    # Pages are never stored; this also takes away what a browser holds for its back button. Not the station's name, which is no secret.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


# --- the cover --------------------------------------------------------------------------------------------------------


def lock(request: HttpRequest) -> HttpResponse:
    """Cover the page: posted by the page after idle time, or by a person who walks away."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if request.actor is None:
        return HttpResponseClientRedirect("/sign-in/") if request.htmx else redirect("/sign-in/")
    session.cover(request)
    if request.htmx:
        return HttpResponse(render_to_string("mes/people/_cover.html", cover_context(request), request))
    return redirect("/unlock/?" + urlencode({"next": safe_next(request)}))


def touch(request: HttpRequest) -> HttpResponse:
    """Told by a page on which somebody types without sending anything."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if request.actor is not None and not session.is_covered(request):
        session.touch(request)
    return HttpResponse(status=204)


def switch(request: HttpRequest) -> HttpResponse:
    """Hand the station to somebody else, or to the same person again: covers the page and asks who is there.

    `who` is the badge that was scanned anywhere.
    """
    if request.actor is None:
        return redirect("/sign-in/")
    session.cover(request)
    asked = {"next": safe_next(request), "who": request.GET.get("who", "")}
    return redirect("/unlock/?" + urlencode({name: value for name, value in asked.items() if value}))


def cover_context(request: HttpRequest, refusal: Refusal | None = None, **extra) -> dict:
    covered = request.session.get("covered") or time.time()
    return {
        "action": "/unlock/",
        "locked_at": dt.datetime.fromtimestamp(covered, dt.UTC),
        "last_name": request.actor.full_name,
        "next": safe_next(request),
        "who": request.POST.get("who") or request.GET.get("who", ""),
        "error": refusal.sentence if refusal else "",
        "refusal": None,
        **extra,
    }


KEPT_OUT = {"csrfmiddlewaretoken", "passkey", "ask_passkey", "current", "new", "again", "pin_again"}
SECRETS = ("secret", "password", "pin", "intent")
"""How names of fields end that hold a secret: a second person's are called second_secret and the like."""
NOTHING_KEPT = ("/me/", "/join/")
"""Addresses whose forms hold only secrets."""


def kept_of(request: HttpRequest) -> list[tuple[str, str]]:
    """What was posted to a covered page and can be sent again after unlocking: no secrets, no one-time codes."""
    if request.path.startswith(NOTHING_KEPT):
        return []
    out = KEPT_OUT | ({"code"} if "secret" in request.POST else set())
    return [(name, value) for name, values in request.POST.lists() if name not in out and not name.endswith(SECRETS) for value in values]


def covered_answer(request: HttpRequest) -> HttpResponse:
    """What a covered session is answered: the cover over the page for htmx, else the unlock page that keeps what was typed."""
    if request.htmx:
        response = HttpResponse(render_to_string("mes/people/_cover.html", cover_context(request), request), status=423)
        return retarget(response, "#dialog")
    if request.method == "GET":
        return redirect("/unlock/?" + urlencode({"next": request.get_full_path()}))
    context = cover_context(request, kept=kept_of(request), kept_for=request.get_full_path(), next=request.get_full_path(), page_title="Locked")
    return HttpResponse(render_to_string("mes/people/unlock.html", context, request), status=423)


def unlock(request: HttpRequest) -> HttpResponse:
    """Lift the cover with badge or user name and PIN or password; somebody else starts as themselves."""
    if request.actor is None:
        return HttpResponseClientRedirect("/sign-in/") if request.htmx else redirect("/sign-in/")
    kept = [tuple(pair.split("=", 1)) for pair in request.POST.getlist("kept") if "=" in pair]
    context = {"kept": kept, "kept_for": request.POST.get("kept_for", ""), "page_title": "Locked"}
    if request.method != "POST":
        return HttpResponse(render_to_string("mes/people/unlock.html", cover_context(request) | context, request))
    try:
        user = session.prove_again(request, request.POST.get("who", ""), request.POST.get("secret", ""))
        same = user.pk == request.actor.user_id
        if same:
            session.uncover(request)
        else:
            session.begin(request, user, request.actor.site_id)
    except RuleBroken as broken:
        answer = cover_context(request, Refusal.of(broken)) | context
        template = "mes/people/_cover.html" if request.htmx else "mes/people/unlock.html"
        return HttpResponse(render_to_string(template, answer, request), status=broken.status)
    return _after_unlock(request, same, context)


def _after_unlock(request: HttpRequest, same: bool, context: dict) -> HttpResponse:
    if request.htmx:
        # An empty answer takes the cover away; what was typed under it is still there. Somebody else gets a fresh page.
        return HttpResponse("") if same else HttpResponseClientRedirect(safe_next(request))
    if same and context["kept_for"].startswith("/") and is_ours(request, context["kept_for"]):
        return HttpResponse(render_to_string("mes/people/send_kept.html", context, request))
    return redirect(safe_next(request))
