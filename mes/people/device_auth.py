"""Devices prove themselves with a token: they post readings, they never sign. 21 CFR 11.10(h), 11.300."""

from __future__ import annotations

import hashlib
import hmac

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from mes.people.models import DeviceCredential, User
from mes.records.actors import Actor

REFUSED = "This token opens nothing: it is unknown or was revoked. An administrator can issue a new one."


class DeviceTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ctd_<prefix>_<secret>`. The secret is compared by its SHA-256, in constant time.

    Sets `request.actor` (kind "device", channel "api"); `request.auth` is the credential, which names the equipment.
    """

    def authenticate(self, request):
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        credential = credential_of(words[1].decode("latin-1") if len(words) == 2 else "")
        if credential is None:
            raise AuthenticationFailed(REFUSED, code="token_refused")
        user = credential.user
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
