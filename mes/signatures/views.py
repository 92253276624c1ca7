"""Pages on signing itself: acknowledging accountability (21 CFR 11.10(j)), and deputies with their authorities (11.100(a))."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.http import HttpResponse

from mes import clock
from mes.clock import moment_words
from mes.people import accountability
from mes.people.models import Role, User
from mes.people.queries import named_here
from mes.permissions import Permission
from mes.signatures import deputies, forms, queries, services
from mes.signatures.accountability import subject_of
from mes.signatures.models import DeputyAuthority
from mes.signatures.pages import SigningPage
from mes.web.pages import Page

ACCESS = (Permission.MANAGE_PEOPLE, Permission.APPROVE_ACCESS, Permission.READ_AUDIT)


class AccountabilityPage(SigningPage):
    """The text in force, sentence by sentence, and one's own user name and password under it."""

    meaning = "acknowledged_accountability"
    title = "Accountability"

    def what(self):
        return subject_of(User.objects.one(pk=self.by.user_id))

    def summary(self) -> dict:
        sentences = accountability.TEXTS[accountability.CURRENT]
        return {
            "title": "Accountability for signatures",
            "caption": f"What you acknowledge, text {accountability.CURRENT}",
            "rows": [{"label": f"{number}", "value": sentence} for number, sentence in enumerate(sentences, start=1)],
            "foot": "It is signed by its owner alone, once for each version of the text.",
            "back_url": "/me/",
            "back_label": "Back to your account",
        }

    def sign(self, proof):
        return self.do(services.acknowledge_accountability, proof=proof, text_version=accountability.CURRENT)

    def done_url(self, result) -> str:
        return "/me/"


class DeputiesPage(Page):
    """Who takes whose place, from when to when; proposing it. Nothing is given before a second person approves."""

    permission = ACCESS
    template_name = "mes/signatures/deputies.html"
    title = "Deputies"

    def read(self) -> dict:
        return {
            "authorities": queries.authorities(self.by.site_id),
            "now": clock.record_now(),
            "form": forms.DeputyForm(roles=Role.objects.filter(site_id=self.by.site_id).order_by("name"), initial=self.typed or None),
            "may_manage": Permission.MANAGE_PEOPLE in self.request.rights,
            "may_approve": Permission.APPROVE_ACCESS in self.request.rights,
        }

    def post(self, request) -> HttpResponse:
        form = forms.DeputyForm(request.POST, roles=Role.objects.filter(site_id=self.by.site_id))
        if not form.is_valid():
            return self.show(422, form=form)
        typed = form.cleaned_data
        zone = ZoneInfo(request.site.time_zone)
        self.do(
            services.propose_deputy,
            deputy=named_here(typed["deputy"], self.by.site_id), principal=named_here(typed["principal"], self.by.site_id),
            role=Role.objects.one(pk=typed["role"], site_id=self.by.site_id),
            starts_at=in_zone(typed["starts_at"], zone), ends_at=in_zone(typed["ends_at"], zone), reason=typed["reason"],
        )  # fmt: skip
        self.say("The authority is proposed. It takes a second person's signature before it gives anything.")
        return self.done("mes:signatures:deputies")


def in_zone(moment: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """What was typed without a zone, as a moment of the site's zone."""
    return moment.replace(tzinfo=zone)


class ApproveDeputyPage(SigningPage):
    """A second person approves, by signature, that somebody takes a place."""

    permission = Permission.APPROVE_ACCESS
    meaning = "approved_authority"
    title = "Approve a deputy"

    def what(self, authority_id):
        return deputies.subject_of(DeputyAuthority.objects.one(pk=authority_id))

    def summary(self, authority_id) -> dict:
        authority = DeputyAuthority.objects.select_related("deputy", "principal", "role", "proposed_by").one(pk=authority_id)
        zone = ZoneInfo(self.request.site.time_zone)
        begin, end = (moment_words(moment, zone) for moment in (authority.starts_at, authority.ends_at))
        rows = [
            ("Deputy", f"{authority.deputy.full_name} ({authority.deputy.username})"), ("Takes the place of", authority.principal.full_name),
            ("Role", authority.role.name), ("From", begin), ("Until", end), ("Reason", authority.why), ("Proposed by", authority.proposed_by.full_name),
        ]  # fmt: skip
        return {
            "title": "Approve a deputy", "caption": "You approve exactly this", "rows": [{"label": label, "value": value} for label, value in rows],
            "foot": "The deputy signs in the own name; the authority is shown with each signature.", "back_url": "/people/deputies/",
            "back_label": "Back to the deputies",
        }  # fmt: skip

    def sign(self, proof, authority_id):
        return self.do(services.approve_deputy, authority_id=authority_id, proof=proof)

    def done_url(self, result, authority_id) -> str:
        return "/people/deputies/"
