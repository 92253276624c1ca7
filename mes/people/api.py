"""Signing in and out over the API, and who one is."""

from __future__ import annotations

import uuid

from django.middleware.csrf import get_token
from rest_framework import serializers
from rest_framework.response import Response

from mes.api.views import ServiceView
from mes.errors import NotAllowed, UnreadableInput
from mes.people import queries, second_factor, services, session
from mes.people.models import Site, User
from mes.permissions import Permission


class Credentials(serializers.Serializer):
    username = serializers.CharField(max_length=150, help_text="User name.")
    password = serializers.CharField(max_length=200, trim_whitespace=False, write_only=True)
    site = serializers.CharField(max_length=20, required=False, allow_blank=True, help_text="Code of the site; needed by who works at several.")
    code = serializers.CharField(
        max_length=12, required=False, allow_blank=True, write_only=True, help_text="One-time code, where a second factor is asked for."
    )


class Session(serializers.Serializer):
    """Whether somebody is signed in, and the token that every change by a session sends as X-CSRFToken."""

    csrf_token = serializers.CharField()
    signed_in = serializers.BooleanField()
    username = serializers.CharField(allow_blank=True)
    second_factor = serializers.ChoiceField(
        choices=["not asked", "asked", "proven"],
        help_text="asked: until a one-time code is sent with user name and password, this session may do nothing.",
    )


class Me(serializers.Serializer):
    """Who calls, at which site, with which rights now."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    full_name = serializers.CharField()
    kind = serializers.ChoiceField(choices=[User.PERSON, User.DEVICE, User.SYSTEM])
    site = serializers.UUIDField()
    site_code = serializers.CharField()
    site_name = serializers.CharField()
    time_zone = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    permissions = serializers.ListField(child=serializers.CharField())
    signing_enabled = serializers.BooleanField(help_text="Identity checked, accountability acknowledged, notice recorded where it is asked for.")
    station = serializers.CharField(allow_blank=True)


class IdentityIn(serializers.Serializer):
    means = serializers.CharField(max_length=200, help_text="How the identity was checked, in words; no number of a paper.")


class IdentityOut(serializers.Serializer):
    """A check of somebody's identity."""

    username = serializers.CharField(source="user.username")
    means = serializers.CharField()
    checked_by = serializers.CharField(source="by.username")
    checked_at = serializers.DateTimeField(source="recorded_at")


class NoticeIn(serializers.Serializer):
    sent_on = serializers.DateField(help_text="The day on which the notice was sent.")
    reference = serializers.CharField(max_length=200, help_text="Under which it can be found again.")


class NoticeOut(serializers.Serializer):
    """A notice to an authority that electronic signatures of this organisation bind."""

    authority = serializers.CharField()
    sent_on = serializers.DateField()
    reference = serializers.CharField()
    recorded_by = serializers.CharField(source="by.username")
    recorded_at = serializers.DateTimeField()


class SessionView(ServiceView):
    """Sign in with JSON, sign out, or fetch a CSRF token."""

    open_to_anyone = True
    keyless = True
    created = False
    asks = {"POST": Credentials}
    answers = {"GET": Session, "POST": Session}

    def get_authenticators(self):
        # Signing in asks no CSRF token: only JSON is read, which no foreign page can send without being asked first.
        return [] if self.request is not None and self.request.method == "POST" else super().get_authenticators()

    def get(self, request):
        """The CSRF token of this client, and whether somebody is signed in."""
        return self.reply(self._session())

    def post(self, request):
        """Sign in with user name and password, the site where there are several, and a one-time code where one is asked for.

        The answer sets the session cookie.
        """
        given = self.read()
        user = session.sign_in(request._request, given["username"], given["password"])
        by = session.begin(request._request, user, chosen_site(user, given.get("site", "")).pk)
        if given.get("code"):
            second_factor.prove(request._request, by, given["code"])
        return self.reply(self._session())

    def delete(self, request):
        """Sign out."""
        actor = getattr(request, "actor", None)
        if actor is not None and actor.kind != User.PERSON:
            raise NotAllowed("device_session", "A device has no session. Its token ends when it is revoked.")
        session.end(request._request)
        return Response(status=204)

    def _session(self) -> dict:
        request = self.request._request
        user = request.user
        return {
            "csrf_token": get_token(request),
            "signed_in": user.is_authenticated,
            "username": user.get_username() if user.is_authenticated else "",
            "second_factor": self._second_factor(),
        }

    def _second_factor(self) -> str:
        request = self.request._request
        if not request.user.is_authenticated or "site" not in request.session:
            return "not asked"
        grants = queries.live_grants(request.user.pk, uuid.UUID(request.session["site"]))
        return second_factor.state(request, {permission for grant in grants for permission in grant.role.permissions})


def chosen_site(user: User, code: str) -> Site:
    """The site of that code, or the only one at which the person holds a role.

    Raises UnreadableInput("site_unknown" or "site_missing") and NotAllowed("no_role_here").
    """
    sites = queries.sites_of(user.pk)
    if not sites:
        raise NotAllowed("no_role_here", f"{user.full_name} holds no role at any site. An administrator can give one.")
    found = [site for site in sites if not code or site.code == code]
    if len(found) == 1:
        return found[0]
    codes = ", ".join(site.code for site in sites)
    word, fact = ("site_unknown", "There is no role at that site") if code else ("site_missing", "There are several sites")
    raise UnreadableInput(word, f"{fact}. Send site as one of: {codes}.", field="site")


class MeView(ServiceView):
    """Who calls."""

    answers = {"GET": Me}

    def get(self, request):
        """The person or device that calls, the site, and what it may do there now."""
        by = self.actor
        site = Site.objects.get(pk=by.site_id)
        return self.reply(
            {
                "id": by.user_id,
                "username": by.username,
                "full_name": by.full_name,
                "kind": by.kind,
                "site": site.pk,
                "site_code": site.code,
                "site_name": site.name,
                "time_zone": site.time_zone,
                "roles": list(by.roles),
                "permissions": sorted({name for grant in queries.live_grants(by.user_id, by.site_id) for name in grant.role.permissions}),
                "signing_enabled": by.kind == User.PERSON and queries.enabling(by.user_id, site.pk).complete,
                "station": by.station,
            }
        )


class IdentityView(ServiceView):
    """Checks of a person's identity, one of the three records that enable signing."""

    permission = Permission.RECORD_TRAINING
    asks = {"POST": IdentityIn}
    answers = {"GET": IdentityOut(many=True), "POST": IdentityOut}

    def get(self, request, username):
        """Every check recorded for a person, newest first."""
        return self.reply(queries.identity_checks(queries.named_here(username, self.actor.site_id).pk))

    def post(self, request, username):
        """Record that the caller checked who this person is. Nobody checks their own identity."""
        given = self.read()
        with self.reading():
            user = queries.named_here(username, self.actor.site_id)
        check = services.verify_identity(by=self.actor, user=user, means=given["means"])
        with self.reading():
            return self.reply(check)


class NoticesView(ServiceView):
    """Notices of the organisation to the authority of this site's market, where one is asked for."""

    permission = Permission.MANAGE_PEOPLE
    asks = {"POST": NoticeIn}
    answers = {"GET": NoticeOut(many=True), "POST": NoticeOut}

    def get(self, request):
        """What is recorded, newest first."""
        return self.reply(queries.notices(self.actor.site_id))

    def post(self, request):
        """Record a notice that was sent. 21 CFR 11.100(c)."""
        given = self.read()
        notice = services.record_notice(by=self.actor, sent_on=given["sent_on"], reference=given["reference"])
        with self.reading():
            return self.reply(notice)


class CloseIn(serializers.Serializer):
    reason = serializers.CharField(min_length=3, max_length=400)


class CloseOut(serializers.Serializer):
    """An account that is closed for good; its user name stays taken."""

    username = serializers.CharField()
    is_active = serializers.BooleanField()


class CloseAccountView(ServiceView):
    """Closing an account."""

    permission = Permission.MANAGE_PEOPLE
    asks = {"POST": CloseIn}
    answers = {"POST": CloseOut}
    created = False

    def post(self, request, username):
        """Sessions and tokens fail from the next request on; roles end."""
        reason = self.read()["reason"]
        with self.reading():
            user = queries.named_here(username, self.actor.site_id)
        return self.reply(services.close_account(by=self.actor, user_id=user.pk, seen=user.version, reason=reason))
