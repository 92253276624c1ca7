"""The second factor after the password; passkeys on one's own page, and on the page of a person for who may retire them. 21 CFR 11.300(b), (c)."""

from __future__ import annotations

import json
import os
import time
import uuid

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect

from mes.errors import RuleBroken, SigningRefused
from mes.passkeys import forms, queries, services, sign_in, webauthn
from mes.passkeys.models import Passkey
from mes.people import second_factor, session
from mes.people.forms import CodeForm, OwnPasswordForm
from mes.people.models import Site, User
from mes.people.queries import live_grants, person_here
from mes.people.views.access import safe_next
from mes.people.views.register import REGISTER, PersonPage
from mes.permissions import Permission
from mes.web.pages import Page

BEGUN_SECONDS = 600
"""How long a page with which a passkey is made can be used after the password was given."""


class SecondFactorPage(Page):
    """Asks for a second factor once a session: a passkey, or a one-time code. Who has neither is led to enrolling an authenticator."""

    open_to_all = True
    template_name = "mes/passkeys/second_factor.html"
    title = "Second factor"
    secret_fields = Page.secret_fields | {"code", "passkey"}

    def read(self) -> dict:
        return {
            "form": CodeForm(),
            "next": safe_next(self.request),
            "heading": "Second factor",
            "lead": f"{self.by.full_name}, your duties or this network ask for a second factor after the password.",
            "ok": "Go on",
            "passkey_origin": webauthn.origin() if self.has_passkey() else "",
            "coded": second_factor.has_one(self.by.user_id),
        }

    def has_passkey(self) -> bool:
        return bool(webauthn.is_on() and queries.usable(self.by.user_id))

    def get(self, request) -> HttpResponse:
        if self.by is None or request.session.get(second_factor.PROVEN):
            return redirect("/sign-in/" if self.by is None else safe_next(request))
        if not second_factor.has_one(self.by.user_id) and not self.has_passkey():
            self.say("Your duties or this network ask for a second factor, and you have no authenticator yet. Enrol one before a second person.")
            return redirect("mes:people:authenticator")
        return self.show()

    def post(self, request) -> HttpResponse:
        if self.by is None:
            return redirect("/sign-in/")
        if request.POST.get("ask_passkey"):
            return self.asked(request)
        if request.POST.get("passkey"):
            sign_in.prove(request, self.by, request.POST["passkey"])
            return redirect(safe_next(request))
        form = CodeForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        second_factor.prove(request, self.by, form.cleaned_data["code"])
        return redirect(safe_next(request))

    def asked(self, request) -> HttpResponse:
        try:
            return JsonResponse({"publicKey": sign_in.ask(request, self.by)})
        except RuleBroken as broken:
            return JsonResponse({"detail": broken.sentence, "code": broken.code}, status=broken.status)


class OwnPasskeysPage(Page):
    """One's passkeys; making one: first the own password, then the device, before a second person."""

    template_name = "mes/passkeys/own.html"
    title = "Passkeys"
    secret_fields = Page.secret_fields | {"current", "witness_password", "witness_code"}

    def read(self) -> dict:
        passkeys, challenge = queries.passkeys_of(self.by.user_id), self.begun()
        shown = {
            "passkeys": passkeys, "is_on": webauthn.is_on(), "origin": webauthn.origin(), "begin_form": OwnPasswordForm(auto_id="begin-%s"),
            "form": forms.EnrolPasskeyForm(initial={name: self.typed.get(name, "") for name in self.kept()}), "options": "",
        }  # fmt: skip
        if challenge and shown["is_on"]:
            shown["options"] = json.dumps(
                webauthn.creation_options(
                    challenge=challenge, user_id=self.by.user_id, username=self.by.username, full_name=self.by.full_name, known=queries.known(passkeys)
                )
            )
        return shown

    def post(self, request) -> HttpResponse:
        webauthn.relying_party()
        if "name" in request.POST:
            return self.enrol(request)
        form = OwnPasswordForm(request.POST, auto_id="begin-%s")
        if not form.is_valid():
            return self.show(422, begin_form=form)
        session.prove_own(request, form.cleaned_data["current"])
        request.session["passkey"] = {"challenge": webauthn.text(os.urandom(32)), "at": time.time()}
        return self.done("mes:passkeys:own")

    def enrol(self, request) -> HttpResponse:
        challenge = self.begun()
        if not challenge:
            raise RuleBroken("passkey_not_begun", "That took too long, or was not begun here. Type your password and begin again.")
        form = forms.EnrolPasskeyForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        typed = form.cleaned_data
        try:
            made = webauthn.made(typed["made"], challenge)
        except webauthn.NotProven as reason:
            sentence = "What came from the device is not the answer to this page. Press Make the passkey again."
            raise SigningRefused("wrong_passkey", sentence, detail={"why": reason.why, "subject": str(self.by.user_id)}) from reason
        witness = session.sign_in(request, typed["witness"], typed["witness_password"])
        checked_by = session.actor_of(request, witness, Site.objects.get(pk=self.by.site_id), live_grants(witness.pk, self.by.site_id))
        second_factor.check_witness(request, checked_by, typed["witness_code"])
        self.do(services.enrol_passkey, made=made, name=typed["name"], checked_by=checked_by)
        second_factor.mark(request)  # the device and the own password were just given here, before a second person
        request.session.pop("passkey", None)
        self.say("Your passkey is enrolled. Certifying takes it beside your password, in place of the one-time code.")
        return self.done("mes:passkeys:own")

    def kept(self) -> tuple[str, ...]:
        """What stays in the form after a refusal: with a right answer of the device the device is not asked again."""
        wrong = self.refusal is not None and self.refusal.code in ("wrong_passkey", "passkey_unreadable", "passkey_known")
        return ("name", "witness") if wrong else ("name", "witness", "made")

    def begun(self) -> bytes | None:
        """The challenge of the page that stands open, while the password given before it still counts."""
        begun = self.request.session.get("passkey") or {}
        return webauthn.raw(begun["challenge"]) if time.time() - begun.get("at", 0) < BEGUN_SECONDS else None


class PersonPasskeysPage(Page):
    """The passkeys of somebody of this site."""

    permission = REGISTER
    template_name = "mes/passkeys/person.html"

    def read(self, user_id: uuid.UUID, **kwargs) -> dict:
        user: User = person_here(user_id, self.by.site_id)
        may_manage = Permission.MANAGE_PEOPLE in self.request.rights
        return {"subject": user, "page_title": f"Passkeys of {user.full_name}", "passkeys": queries.passkeys_of(user.pk), "may_manage": may_manage}


class RetirePasskey(PersonPasskeysPage):
    """Take a passkey away at once, with a reason."""

    permission = Permission.MANAGE_PEOPLE
    reason, seen = PersonPage.reason, PersonPage.seen

    def post(self, request, user_id, passkey_id) -> HttpResponse:
        Passkey.objects.one(pk=passkey_id, user_id=user_id)
        self.do(services.retire_passkey, passkey_id=passkey_id, seen=self.seen(), reason=self.reason())
        self.say("The passkey is retired; it signs nothing from now on.")
        return self.done(f"/people/{user_id}/passkeys/")
