"""How a refusal and a failure are told: as a page, as a fragment for htmx, or as problem+json, always the same words."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from mes.errors import Missing, RuleBroken

API = "/api/"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A broken rule as a template shows it: `first` is the fact, `rest` is what to do."""

    code: str
    sentence: str
    field: str = ""
    status: int = 409

    @classmethod
    def of(cls, broken: RuleBroken) -> Refusal:
        return cls(broken.code, broken.sentence, broken.field, broken.status)

    @property
    def first(self) -> str:
        return self.sentence.partition(". ")[0].rstrip(".") + "."

    @property
    def rest(self) -> str:
        return self.sentence.partition(". ")[2]


BUSY = {"55P03", "40001", "40P01", "57014"}
"""PostgreSQL's words for: somebody else holds the row, two writes crossed, it took too long."""


def busy(error: OperationalError) -> RuleBroken | None:
    """The refusal for a write that met another one; None when the database failed for another reason."""
    if getattr(error.__cause__, "sqlstate", None) not in BUSY:
        return None
    return RuleBroken("busy", "Somebody else is writing to the same record right now. Nothing was saved. Send it once more.")


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith(API)


def problem_of(broken: RuleBroken, request: HttpRequest) -> dict:
    """The refusal as RFC 9457 members; `code` is the same on page and API."""
    problem = {
        "type": "about:blank",
        "title": Refusal.of(broken).first,
        "status": broken.status,
        "detail": broken.sentence,
        "code": broken.code,
        "request": getattr(request, "id", ""),
    }
    return problem | ({"field": broken.field} if broken.field else {})


def answer(request: HttpRequest, broken: RuleBroken) -> HttpResponse:
    """The refusal as whole answer: a page, a note for htmx, or problem+json."""
    if wants_json(request):
        return JsonResponse(problem_of(broken, request), status=broken.status, content_type="application/problem+json")
    template = "mes/web/_refusal.html" if getattr(request, "htmx", False) else "mes/web/problem.html"
    html = render_to_string(template, {"refusal": Refusal.of(broken), "page_title": Refusal.of(broken).first}, request)
    return HttpResponse(html, status=broken.status)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send somebody who is not signed in to the sign-in page and back."""
    if wants_json(request):
        return answer(request, RuleBroken("sign_in", "Nobody is signed in. Sign in, then ask again.", security=None))
    back = request.get_full_path() if request.method == "GET" and not request.htmx else ""
    url = "/sign-in/" + (f"?{urlencode({'next': back})}" if back and back != "/" else "")
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def not_found(request: HttpRequest, exception=None) -> HttpResponse:
    return answer(request, Missing("no_such_page", "There is no such page. Go back, or scan what you are looking for."))


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's cross-site check failed: the page is from before a sign-in, or from elsewhere."""
    broken = RuleBroken("page_too_old", "This page is from before somebody signed in here. Nothing was saved. Open it again and send it from there.")
    broken.status = 403
    return answer(request, broken)


def failed(request: HttpRequest) -> HttpResponse:
    """Something of ours broke. The page says what was not done and gives one code to read out."""
    code = getattr(request, "id", "")
    sentence = f"The server could not do this, and nothing was saved. Try once more; if it stays, read out this code: {code}."
    broken = RuleBroken("server_failed", sentence)
    broken.status = 500
    try:
        return answer(request, broken)
    except Exception:  # the page itself may be what breaks
        return HttpResponse(sentence, status=500, content_type="text/plain; charset=utf-8")
