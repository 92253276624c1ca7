"""One's own page: who one is here, password, signing PIN, authenticator."""

from __future__ import annotations

import base64

from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse

from mes.people import forms, queries, second_factor, services, session, totp
from mes.people.models import SecondFactor, Site, User
from mes.web import qr
from mes.web.pages import Page
from mes.web.panels import panels_for


class OwnPage(Page):
    """Roles, training and secrets of the person who is signed in."""

    template_name = "mes/people/own.html"
    title = "Your account"
    secret_fields = Page.secret_fields | {"current", "new", "again", "pin_again", "code", "witness_password", "witness_code"}
    form_name = ""

    def read(self) -> dict:
        person, sessions = User.objects.get(pk=self.by.user_id), self.sessions()
        return {
            "person_record": person,
            "grants": queries.live_grants(person.pk, self.by.site_id),
            "training": queries.training_of(person.pk),
            "enabling": queries.enabling(person.pk, self.by.site_id),
            "factor": queries.factor_of(person.pk),
            "has_pin": bool(person.pin),
            "station": self.by.station,
            "sites": queries.sites_of(person.pk),
            "password_form": forms.PasswordForm(prefix=None, auto_id="password-%s"),
            "pin_form": forms.PinForm(auto_id="pin-%s"),
            "begin_form": forms.OwnPasswordForm(auto_id="begin-%s"),
            "panels": panels_for(self.request.rights, place="own"),
            "sessions": sessions,
            "sessions_form": forms.SessionsForm(others=others(sessions), auto_id="sessions-%s"),
        }

    def sessions(self) -> list[dict]:
        here = self.request.session.session_key
        return [{"row": one, "here": one.session_key == here} for one in session.sessions_of(self.by.user_id)]


def others(sessions: list[dict]) -> list[tuple[str, str]]:
    """The sessions that can be chosen to end: all but this one, called by their line in the table and their station."""
    return [(one["row"].ref, f"{number}: {one['row'].station}") for number, one in enumerate(sessions, 1) if not one["here"]]


class OwnPassword(OwnPage):
    """Change the password. Other sessions of the person end; this one goes on under a new key."""

    def post(self, request) -> HttpResponse:
        form = forms.PasswordForm(request.POST, auto_id="password-%s")
        if not form.is_valid():
            return self.show(422, password_form=form)
        session.prove_own(request, form.cleaned_data["current"])
        user = self.do(services.set_password, user_id=self.by.user_id, new=form.cleaned_data["new"])
        update_session_auth_hash(request, user)
        session.forget_others(user.pk, keep=request.session.session_key)
        self.say("Your password is changed. Sessions elsewhere have ended.")
        return self.done("mes:people:own")


class OwnSessions(OwnPage):
    """End one's own sessions elsewhere, with the password. OWASP ASVS 5.0, V7.5.2."""

    def post(self, request) -> HttpResponse:
        form = forms.SessionsForm(request.POST, others=others(self.sessions()), auto_id="sessions-%s")
        if not form.is_valid():
            return self.show(422, sessions_form=form)
        session.prove_own(request, form.cleaned_data["current"])
        reason, keep = "ended by the person", request.session.session_key
        ended = self.do(services.end_sessions, user_id=self.by.user_id, reason=reason, keep=keep, ref=form.cleaned_data["which"])
        self.say("One session elsewhere has ended." if ended == 1 else f"{ended} sessions elsewhere have ended.")
        return self.done("mes:people:own")


class OwnPin(OwnPage):
    """Set the signing PIN."""

    def post(self, request) -> HttpResponse:
        form = forms.PinForm(request.POST, auto_id="pin-%s")
        if not form.is_valid():
            return self.show(422, pin_form=form)
        session.prove_own(request, form.cleaned_data["current"])
        self.do(services.set_pin, user_id=self.by.user_id, pin=form.cleaned_data["pin"])
        self.say("Your signing PIN is set.")
        return self.done("mes:people:own")


class OwnAuthenticator(OwnPage):
    """Enrol an authenticator: the QR code once, then a first code to confirm it before a second person."""

    template_name = "mes/people/authenticator.html"
    title = "Authenticator"

    def read(self) -> dict:
        factor = SecondFactor.objects.filter(user_id=self.by.user_id, active=True, confirmed=False).first()
        shown = super().read() | {"waiting": factor, "code_form": forms.ConfirmForm(initial={"witness": self.typed.get("witness", "")})}
        if factor is None:
            return shown
        secret = totp.unseal(factor.secret)
        uri = totp.enrolment_uri(self.by.username, secret)
        typed = base64.b32encode(secret).decode().rstrip("=")
        grouped = " ".join(typed[i : i + 4] for i in range(0, len(typed), 4))
        return shown | {"qr": qr.svg(uri, "QR code for your authenticator"), "typed_secret": grouped}

    def post(self, request) -> HttpResponse:
        if "code" in request.POST:
            form = forms.ConfirmForm(request.POST)
            if not form.is_valid():
                return self.show(422, code_form=form)
            typed = form.cleaned_data
            witness = session.sign_in(request, typed["witness"], typed["witness_password"])
            site = Site.objects.get(pk=self.by.site_id)
            checked_by = session.actor_of(request, witness, site, queries.live_grants(witness.pk, site.pk))
            second_factor.check_witness(request, checked_by, typed["witness_code"])
            self.do(services.confirm_second_factor, user_id=self.by.user_id, code=typed["code"], checked_by=checked_by)
            second_factor.mark(request)  # its first code and the own password were just given here, before a second person
            self.say("Your authenticator is enrolled. Certifying asks for its code each time.")
            return self.done("mes:people:own")
        form = forms.OwnPasswordForm(request.POST, auto_id="begin-%s")
        if not form.is_valid():
            return self.show(422, begin_form=form)
        session.prove_own(request, form.cleaned_data["current"])
        self.do(services.begin_second_factor, user_id=self.by.user_id)
        return self.done("mes:people:authenticator")
