"""Devices prove themselves with a token: they post readings, they never sign. 21 CFR 11.10(h), 11.300."""

from __future__ import annotations

import hashlib
import hmac

import structlog
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, Throttled

from mes.errors import NotAllowed, TooManyTries
from mes.people import queries, session
from mes.people.models import DeviceCredential, User
from mes.people.services.access import SIGN_IN_WINDOW, is_flood_of_tokens
from mes.people.setup import system_actor
from mes.records.actors import Actor
from mes.records.door import record_refusal
from mes.web import limits

REFUSED = "This token opens nothing: it is unknown or was revoked. An administrator can issue a new one."


class DeviceTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ctd_<prefix>_<secret>`. The secret is compared by its SHA-256, in constant time.

    Sets `request.actor` (kind "device", channel "api"); `request.auth` is the credential, which names the equipment.
    """

    def authenticate(self, request):
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        token = words[1].decode("latin-1") if len(words) == 2 else ""
        credential = credential_of(token)
        if credential is None:
            raise _refuse(request._request, token)
        user = credential.user
        structlog.contextvars.bind_contextvars(user=str(user.pk), site=str(credential.site_id))
        try:
            limits.count(str(credential.pk))
        except TooManyTries as broken:
            raise Throttled(wait=limits.WINDOW_SECONDS, detail=broken.sentence) from broken
        request._request.actor = Actor(
            user.pk,
            user.username,
            user.full_name,
            credential.site_id,
            kind=User.DEVICE,
            roles=("equipment",),
            channel="api",
        )
        return user, credential

    def authenticate_header(self, request) -> str:
        return 'Bearer realm="cartulary"'


def _refuse(request, token: str) -> Exception:
    """A security event for a token that opens nothing; an address that sends many is told to wait, and fills no log."""
    if is_flood_of_tokens(session.address_of(request)):
        return Throttled(wait=SIGN_IN_WINDOW.total_seconds())
    known = DeviceCredential.objects.filter(prefix=token.split("_")[1] if token.count("_") > 1 else "").first()
    site_id = known.site_id if known else queries.first_site_id()
    if site_id is not None:
        detail = {"subject": str(known.user_id) if known else ""}
        refusal = NotAllowed("token_refused", REFUSED, security="token_refused", detail=detail)
        record_refusal(system_actor(site_id, channel="api"), refusal, "device_token")
    return AuthenticationFailed(REFUSED, code="token_refused")


def credential_of(token: str) -> DeviceCredential | None:
    """The credential of a token, or None when it is unknown, wrong, revoked or its device is not active."""
    mark, _, rest = token.partition("_")
    prefix, _, secret = rest.partition("_")
    credential = None
    if mark == "ctd" and prefix and secret:
        credential = DeviceCredential.objects.filter(prefix=prefix).select_related("user").first()
    # An unknown prefix costs the same comparison as a known one.
    kept = credential.token_digest if credential else "0" * 64
    right = hmac.compare_digest(hashlib.sha256(secret.encode()).hexdigest(), kept)
    if credential is None or not right or credential.revoked:
        return None
    user = credential.user
    return credential if user.is_active and user.kind == User.DEVICE else None
