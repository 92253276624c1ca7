"""The joining link: its owner sets secrets while a second person stands by and checks who it is."""

from __future__ import annotations

import uuid

from django.core import signing
from django.http import HttpResponse

from mes.errors import Missing
from mes.people import forms, queries, second_factor, services, session
from mes.people.models import Site, User
from mes.web.pages import Page

SALT = "cartulary.joining"
LINK_SECONDS = 7 * 86400


def link_for(user: User, made_by: uuid.UUID, site_id: uuid.UUID) -> str:
    """The address at which this version of the person sets secrets, for seven days and once."""
    told = {"user": str(user.pk), "version": user.version, "by": str(made_by), "site": str(site_id)}
    return f"/join/{signing.dumps(told, salt=SALT)}/"


class JoinPage(Page):
    """Open to who holds the link; it takes a second person's password as well."""

    open_to_all = True
    template_name = "mes/people/join.html"
    title = "Set your password and PIN"
    secret_fields = Page.secret_fields | {"new", "again", "pin_again", "witness_password", "witness_code"}

    def told(self, token: str) -> tuple[dict, User]:
        """What the link says, and its person. Raises Missing when it is old, used or made up."""
        gone = Missing("link_gone", "This link is used, replaced or older than seven days. Ask an administrator for a new one.")
        try:
            told = signing.loads(token, salt=SALT, max_age=LINK_SECONDS)
        except signing.BadSignature:
            raise gone from None
        user = User.objects.filter(pk=told["user"], version=told["version"]).first()
        if user is None:
            raise gone
        return told, user

    def read(self, token: str) -> dict:
        _, user = self.told(token)
        return {"joining": user, "form": forms.JoinForm(initial={"witness": self.typed.get("witness", "")})}

    def post(self, request, token: str) -> HttpResponse:
        told, user = self.told(token)
        form = forms.JoinForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        typed, site = form.cleaned_data, Site.objects.get(pk=told["site"])
        witness = session.sign_in(request, typed["witness"], typed["witness_password"])
        checked_by = session.actor_of(request, witness, site, queries.live_grants(witness.pk, site.pk))
        second_factor.check_witness(request, checked_by, typed["witness_code"])
        services.join_person(
            by=session.actor_of(request, user, site, queries.live_grants(user.pk, site.pk)), user_id=user.pk, seen=told["version"],
            new=typed["new"], pin=typed["pin"], invited_by=uuid.UUID(told["by"]), checked_by=checked_by,
        )  # fmt: skip
        session.forget_others(user.pk)
        self.say("Your password and PIN are set. Sign in with them; then acknowledge accountability under your name, top right. Signing asks for it.")
        return self.done("mes:people:sign_in")

    def show(self, status: int = 200, **extra) -> HttpResponse:
        return self.draw(self.read(**self.kwargs) | extra, status)
