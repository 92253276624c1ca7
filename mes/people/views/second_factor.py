"""The second factor after the password, where one is asked for."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect

from mes.people import forms, second_factor
from mes.people.views.access import safe_next
from mes.web.pages import Page


class SecondFactorPage(Page):
    """Asks for a one-time code once a session. Who has no authenticator is led to enrolling one."""

    open_to_all = True
    template_name = "mes/people/second_factor.html"
    title = "Second factor"
    secret_fields = Page.secret_fields | {"code"}

    def read(self) -> dict:
        return {
            "form": forms.CodeForm(),
            "next": safe_next(self.request),
            "heading": "Second factor",
            "lead": f"{self.by.full_name}, your duties or this network ask for a one-time code after the password.",
            "ok": "Go on",
        }

    def get(self, request) -> HttpResponse:
        if self.by is None or request.session.get(second_factor.PROVEN):
            return redirect("/sign-in/" if self.by is None else safe_next(request))
        if not self.has_one():
            self.say("Your duties or this network ask for a second factor, and you have no authenticator yet. Enrol one before a second person.")
            return redirect("mes:people:authenticator")
        return self.show()

    def has_one(self) -> bool:
        """Whether the person has something to prove it with."""
        return second_factor.has_one(self.by.user_id)

    def post(self, request) -> HttpResponse:
        if self.by is None:
            return redirect("/sign-in/")
        form = forms.CodeForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        second_factor.prove(request, self.by, form.cleaned_data["code"])
        return redirect(safe_next(request))
