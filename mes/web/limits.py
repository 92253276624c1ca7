"""What is not even read: bodies beyond any use, calls of the API in the clear, and a loop that went wild.

OWASP ASVS 5.0: V4.1.2, V5.2.1, V2.4.1, V15.2.2.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from mes.errors import NotAllowed, RuleBroken, TooManyTries, UnreadableInput
from mes.web import problems

WINDOW_SECONDS = 60


class TooLarge(RuleBroken):
    """The body is longer than anything that is taken here."""

    status = 413


class Bounds:
    """Refuses by length before a byte of the body is read, for strangers too: reading forms comes before asking who it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            check_length(request)
            check_way(request)
        except RuleBroken as broken:
            return problems.answer(request, broken)
        return self.get_response(request)


def check_length(request: HttpRequest) -> None:
    """Raises TooLarge, and UnreadableInput for a length that is none. A body without a length is read as empty by the server."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    if not (told.isascii() and told.isdigit()):
        raise UnreadableInput("length_unreadable", "The length of the body is no number. Send it again.")
    most = settings.LARGEST_UPLOAD if request.content_type == "multipart/form-data" else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if int(told) > most:
        raise TooLarge("body_too_large", f"What was sent has more than {most // 1024**2} MB. Nothing was read. Send less at a time.")


def check_way(request: HttpRequest) -> None:
    """Raises NotAllowed for a call of the API without TLS: whoever sent a token in the clear has to notice. Pages are redirected."""
    if settings.SECURE_SSL_REDIRECT and problems.wants_json(request) and not request.is_secure():
        raise NotAllowed("https_only", "This came without TLS, so nothing was done. Call the https:// address, and have a new token issued if one was sent.")


def count(who: str) -> None:
    """One more request of this person or device, in this process. Raises TooManyTries beyond settings.REQUESTS_A_MINUTE."""
    key = f"requests:{who}:{int(time.monotonic() // WINDOW_SECONDS)}"
    if not cache.add(key, 1, WINDOW_SECONDS * 2):
        try:
            many = cache.incr(key)
        except ValueError:  # it was dropped in between
            many = 1
        if many > settings.REQUESTS_A_MINUTE:
            raise TooManyTries("too_many_requests", "These are too many requests in a minute. Wait a minute, then go on.")
