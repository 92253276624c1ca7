"""What this site's market asks of people and their signatures, and the notice to its authority. 21 CFR 11.100(c)."""

from __future__ import annotations

from django.http import HttpResponse

from mes.people import forms, queries, services
from mes.people.jurisdictions import profile_of
from mes.people.views.register import REGISTER
from mes.permissions import Permission
from mes.web.pages import Page


class SiteRulesPage(Page):
    """The profile of the site's jurisdiction and the notices recorded under it."""

    permission = REGISTER
    template_name = "mes/people/site_rules.html"
    title = "Rules of this site"

    def read(self) -> dict:
        return {
            "profile": profile_of(self.request.site.jurisdiction),
            "notices": queries.notices(self.by.site_id),
            "notice_form": forms.NoticeForm(initial=self.typed, auto_id="notice-%s"),
            "may_manage": Permission.MANAGE_PEOPLE in self.request.rights,
        }

    def post(self, request) -> HttpResponse:
        form = forms.NoticeForm(request.POST, auto_id="notice-%s")
        if not form.is_valid():
            return self.show(422, notice_form=form)
        notice = self.do(services.record_notice, **form.cleaned_data)
        self.say(f"The notice to {notice.authority} is recorded.")
        return self.done("mes:people:site_rules")
