"""How a signed-in person proves over the API who is calling (devices: mes/people/device_auth.py)."""

from __future__ import annotations

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied


class CookieAuthentication(SessionAuthentication):
    """The session of a signed-in person; every change needs the CSRF token in the header X-CSRFToken."""

    def enforce_csrf(self, request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(
                "The CSRF token is missing or old. Get one from /api/v1/session/ and send it as X-CSRFToken.",
                code="csrf_missing",
            ) from error
