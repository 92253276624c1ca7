"""The access register as of any moment, its periodic review, and access for support or an emergency."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse

from mes import clock
from mes.access import forms, queries, services
from mes.access.models import EmergencyAccess
from mes.clock import moment_of
from mes.errors import Missing, UnreadableInput
from mes.people.models import Role, Site
from mes.people.queries import named_here
from mes.permissions import Permission
from mes.signatures.pages import SigningPage
from mes.web.pages import Page

ACCESS = (Permission.APPROVE_ACCESS, Permission.READ_AUDIT, Permission.MANAGE_PEOPLE)
RESULTS = {"confirmed": "The register is right.", "changes": "The register has to change."}


class AccessPage(Page):
    """Who holds which role, now or as of `?at=`; the reviews, and until when the next one is due."""

    permission = ACCESS
    template_name = "mes/access/register.html"
    title = "Access register"

    def read(self) -> dict:
        now = clock.record_now()
        asked = self.request.GET.get("at", "")
        at = moment_of(asked, self.request.site.time_zone) or now
        due = queries.review_due(self.by.site_id)
        return {
            "lines": queries.register_as_of(self.by.site_id, at), "at": at, "asked": asked, "reviews": queries.reviews(self.by.site_id), "due": due,
            "overdue": due < now, "may_review": Permission.APPROVE_ACCESS in self.request.rights, "results": RESULTS,
        }  # fmt: skip


class ReviewPage(SigningPage):
    """Sign the review of the register as it is now; the result stands in the address."""

    permission = Permission.APPROVE_ACCESS
    meaning = "reviewed_access"
    title = "Review access"

    def lines(self):
        return queries.register_as_of(self.by.site_id, clock.record_now())

    def what(self, result):
        if result not in RESULTS:
            raise Missing("result_unknown", "There is no such result of a review.")
        return queries.review_subject(Site.objects.one(pk=self.by.site_id), self.lines(), result)

    def with_reason(self, reason, result):
        return queries.review_subject(Site.objects.one(pk=self.by.site_id), self.lines(), result, reason)

    def summary(self, result) -> dict:
        rows = [{"label": f"{each.full_name} ({each.username})", "value": each.role, "sub": f"given by {each.given_by}"} for each in self.lines()]
        return {
            "title": f"Review access: {RESULTS[result]}", "caption": "You reviewed exactly these", "rows": rows, "back_url": "/people/access/",
            "foot": "Write under Reason what the review found.", "back_label": "Back to the register",
        }  # fmt: skip

    def sign(self, proof, result):
        return self.do(services.review_access, proof=proof, result=result, reason=self.reason)

    def done_url(self, review, result) -> str:
        return "/people/access/"


class EmergencyPage(Page):
    """Access for support or an emergency: ask for it, open it as the second person, review it once it has ended."""

    permission = ACCESS
    template_name = "mes/access/emergency.html"
    title = "Emergency access"

    def read(self) -> dict:
        now = clock.record_now()
        roles = Role.objects.filter(site_id=self.by.site_id).order_by("name")
        return {
            "opened": queries.emergencies(self.by.site_id), "late": {each.pk for each in queries.unreviewed_emergencies(self.by.site_id, now)}, "now": now,
            "form": forms.EmergencyForm(roles=roles, initial=self.typed or None), "may_manage": Permission.MANAGE_PEOPLE in self.request.rights,
            "may_approve": Permission.APPROVE_ACCESS in self.request.rights,
        }  # fmt: skip

    def post(self, request) -> HttpResponse:
        form = forms.EmergencyForm(request.POST, roles=Role.objects.filter(site_id=self.by.site_id))
        if not form.is_valid():
            return self.show(422, form=form)
        typed = form.cleaned_data
        user, role = named_here(typed["who"], self.by.site_id), Role.objects.one(pk=typed["role"], site_id=self.by.site_id)
        self.do(services.ask_for_emergency_access, user=user, role=role, lasts=dt.timedelta(hours=typed["hours"]), reason=typed["reason"])
        return self.back("It is asked for. A second person has to open it.")

    def back(self, sentence: str) -> HttpResponse:
        self.say(sentence)
        return self.done("mes:access:emergency")

    def seen(self) -> int:
        try:
            return int(self.request.POST["seen"])
        except (KeyError, ValueError):
            raise UnreadableInput("version_missing", "This page did not say what it showed. Open it again.") from None


class OpenEmergency(EmergencyPage):
    def post(self, request, access_id) -> HttpResponse:
        self.do(services.approve_emergency_access, access_id=access_id, seen=self.seen())
        return self.back("The access is open until its hour.")

    def read(self, access_id) -> dict:
        EmergencyAccess.objects.one(pk=access_id, site_id=self.by.site_id)
        return super().read()


class ReviewEmergency(EmergencyPage):
    def post(self, request, access_id) -> HttpResponse:
        self.do(services.review_emergency_access, access_id=access_id, seen=self.seen(), reason=request.POST.get("reason", ""))
        return self.back("The review is recorded.")

    def read(self, access_id) -> dict:
        EmergencyAccess.objects.one(pk=access_id, site_id=self.by.site_id)
        return super().read()
