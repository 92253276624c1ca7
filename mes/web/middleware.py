"""Around every request: its id, and a broken rule that nobody answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from mes.errors import RuleBroken, UnreadableInput
from mes.keys import uuid7
from mes.web import problems
from mes.words import said_in

log = logging.getLogger("cartulary.web")
answered = logging.getLogger("cartulary.answered")

NOT_LOGGED = {"token"}
"""Parts of addresses that open something: links by which people join."""


class RequestId:
    """Gives each request an id that its log lines, its deeds and its answer carry."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.id = uuid7().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request.id)
        began = time.perf_counter()
        response = self.get_response(request)
        response.headers["X-Request-ID"] = request.id
        self.tell(request, response, time.perf_counter() - began)
        return response

    def tell(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        """One line for each answer, let in or refused: which view, about which ids, what came of it. Who asked is bound by people.middleware.

        The view's name and its ids, not the address: queries may hold what people typed. OWASP ASVS 5.0, V16.2.1, V16.3.2.
        """
        match = request.resolver_match
        ids = {name: str(value) for name, value in match.kwargs.items() if name not in NOT_LOGGED} if match else {}
        told = {"method": request.method, "view": match.view_name if match else "", "ids": ids, "status": response.status_code, "ms": round(seconds * 1000)}
        answered.info("answered", extra=told)


class Readable:
    """Pages and islands say units as people write them (mes.words), whatever sentence they stand in; the API says them as they are stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
            response.content = said_in(response.content.decode()).encode()
        return response


class BrokenRules:
    """A broken rule that no page answered becomes a page, a note or problem+json with its own sentence."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view, args, kwargs) -> HttpResponse | None:
        """A character that no record can hold is refused before anything is read or done with it. The API's bodies: mes/api/parsing.py."""
        said = [*kwargs.values(), *(one for many in request.GET.lists() for one in many[1])]
        if request.method == "POST" and not request.path.startswith("/api/"):
            said += [one for many in request.POST.lists() for one in many[1]]
        if any(isinstance(one, str) and "\x00" in one for one in said):
            return problems.answer(request, UnreadableInput("unprintable", "The text holds a control character that cannot be kept. Type it again."))
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, RuleBroken):
            return problems.answer(request, exception)
        return None
