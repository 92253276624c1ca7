"""Two presses make one record: a form carries a token, and the second post with it gets the first one's answer."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from django.apps import apps
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from mes.errors import RuleBroken

WAIT_SECONDS = 8.0
"""How long a second press waits for the first one's answer."""

CLAIM = """
INSERT INTO mes_idempotencykey (id, user_id, key, path, fingerprint, content_type, created_at)
VALUES (gen_random_uuid(), %s, %s, %s, '', '', %s) ON CONFLICT (user_id, key) DO NOTHING
"""


def token() -> str:
    return secrets.token_urlsafe(18)


def run(request: HttpRequest, user_id, work: Callable[[], HttpResponse], again: Callable[[str], HttpResponse]) -> HttpResponse:
    """Do `work` once for the form's token. A repeat gets `again(address the first one went to)`.

    A refused or failed first try gives the token back, so that the corrected form can be sent with it.
    Raises RuleBroken("still_working") when the first press takes too long.
    """
    key = f"once:{request.POST['once']}"[:100]
    keys = apps.get_model("mes", "IdempotencyKey").objects.filter(user_id=user_id, key=key)
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [user_id, key, request.path[:300], timezone.now()])
        claimed = cursor.rowcount == 1
    if not claimed:
        return again(_answer_of(keys))
    try:
        response = work()
    except BaseException:
        keys.delete()
        raise
    if response.status_code >= 400:
        keys.delete()
    else:
        address = response.headers.get("Location") or response.headers.get("HX-Redirect") or ""
        keys.update(status=response.status_code, answer=address.encode())
    return response


def _answer_of(keys) -> str:
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        first = keys.first()
        if first is not None and first.status is not None:
            return bytes(first.answer or b"").decode()
        time.sleep(0.1)
    raise RuleBroken("still_working", "This was sent before and is still being worked on. Open the page again in a moment and look.")
