"""Authority for the API: asked of the database at every call, a refusal kept as a security event. 21 CFR 11.10(d), (g)."""

from __future__ import annotations

from rest_framework.permissions import BasePermission

from mes import acts
from mes.errors import NotAllowed
from mes.people.models import User
from mes.people.rules import check_may
from mes.records.door import record_refusal


class MayCall(BasePermission):
    """Signed in, and holding the permission that the view names for the method."""

    def has_permission(self, request, view) -> bool:
        if getattr(view, "open_to_anyone", False):
            return True
        actor = getattr(request, "actor", None)
        # The user is proven by the authentication that also checked the CSRF token; the actor alone is not enough.
        if actor is None or not (request.user and request.user.is_authenticated):
            return False
        permission = view.asked_permission(request.method)
        if permission is not None:
            try:
                check_may(actor, permission, _held(request, actor))
            except NotAllowed as refusal:
                record_refusal(actor, refusal, acts.named(type(view)))
                raise
        return True


def _held(request, actor) -> frozenset[str] | None:
    """What the middleware has just read for this request, where its session's person is the one who calls; None: the database is asked."""
    of_session = actor.kind == User.PERSON and request.auth is None and request.user.pk == actor.user_id
    return getattr(request._request, "held", None) if of_session else None
