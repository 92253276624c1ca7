"""The register of people: who may do what here, since when, and who gave it. 21 CFR 11.10(d), 11.300."""

from __future__ import annotations

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils.text import slugify

from mes import clock
from mes.errors import UnreadableInput
from mes.people import choices, forms, queries, services, session
from mes.people.models import DeviceCredential, Grant, PersonLock, Role, SecondFactor
from mes.people.views.joining import link_for
from mes.permissions import Permission
from mes.records.context import site_context
from mes.web.pages import Page

REGISTER = (Permission.MANAGE_PEOPLE, Permission.UNLOCK_PEOPLE, Permission.RECORD_TRAINING, Permission.READ_AUDIT)


class RegisterPage(Page):
    """Everybody of this site with roles, training and locks."""

    permission = REGISTER
    template_name = "mes/people/register.html"
    title = "People"

    def read(self) -> dict:
        rows = [
            {
                "url": f"/people/{line.user.pk}/",
                "state": "alarm" if line.locked else "",
                "cells": [
                    {"text": line.user.full_name, "sub": line.user.username},
                    {"text": ", ".join(line.roles) or "none"},
                    {"text": ", ".join(line.training) or "none"},
                    {"word": "Locked out", "state": "alarm"}
                    if line.locked
                    else {"text": "Device" if line.user.kind == "device" else "Can sign in" if line.user.password else "No password yet"},
                ],
            }
            for line in queries.register(self.by.site_id)
        ]
        return {
            "heading": "People", "caption": "People and devices of this site", "columns": ["Name", "Roles", "Trained for", "State"], "rows": rows,
            "table_id": "people", "may_enrol": Permission.MANAGE_PEOPLE in self.request.rights,
            "may_train": Permission.RECORD_TRAINING in self.request.rights,
        }  # fmt: skip


class EnrolPage(Page):
    """Enrol a person or a device."""

    permission = Permission.MANAGE_PEOPLE
    template_name = "mes/people/enrol.html"
    title = "Enrol"

    def read(self) -> dict:
        return {
            "heading": "Enrol a person or a device",
            "form": forms.EnrolForm(initial=self.typed or None),
            "ok": "Enrol",
            "back_url": "/people/",
            "back_label": "Back to the register",
        }

    def post(self, request) -> HttpResponse:
        form = forms.EnrolForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        user = self.do(services.enrol_person, **form.cleaned_data)
        self.say(f"{user.full_name} is enrolled. Give a role, then make a joining link.")
        return self.done(f"/people/{user.pk}/")


class PersonPage(Page):
    """One person or device: roles, training, locks, authenticator, tokens. Each act is a subclass."""

    permission = REGISTER
    template_name = "mes/people/person.html"

    def read(self, user_id: uuid.UUID, **kwargs) -> dict:
        user = queries.person_here(user_id, self.by.site_id)
        rights = self.request.rights
        held = [grant.role_id for grant in queries.live_grants(user.pk, self.by.site_id)]
        free = Role.objects.filter(site_id=self.by.site_id).exclude(pk__in=held).order_by("name")
        asked = {"equipment": self.request.GET.get("equipment", "")}
        return {
            "subject": user,
            "page_title": user.full_name,
            "grants": queries.grants_of(user.pk, self.by.site_id),
            "now": clock.record_now(),
            "training": queries.training_of(user.pk),
            "lock": PersonLock.objects.filter(user=user, open=True).first(),
            "factor": queries.factor_of(user.pk),
            "sessions": session.sessions_of(user.pk),
            "enabling": queries.enabling(user.pk, self.by.site_id),
            "identity_checks": queries.identity_checks(user.pk),
            "identity_form": forms.IdentityForm(initial=self.typed, auto_id="identity-%s"),
            "tokens": DeviceCredential.objects.filter(user=user).order_by("-recorded_at"),
            "grant_form": forms.GrantForm(roles=free, initial=self.typed, auto_id="grant-%s"),
            "training_form": forms.TrainingForm(subjects=choices.training(), initial=self.typed, auto_id="training-%s"),
            "token_form": forms.TokenForm(equipment=choices.equipment(), initial=asked | self.typed, auto_id="token-%s"),
            "may_manage": Permission.MANAGE_PEOPLE in rights,
            "may_unlock": Permission.UNLOCK_PEOPLE in rights,
            "may_train": Permission.RECORD_TRAINING in rights,
        }

    def reason(self) -> str:
        """The reason as typed; raises UnreadableInput when there is none in words."""
        form = forms.ReasonForm(self.request.POST)
        if not form.is_valid():
            raise UnreadableInput("reason_missing", "This needs a reason in your words. Type it, then send it again.", field="reason")
        return form.cleaned_data["reason"]

    def seen(self) -> int:
        try:
            return int(self.request.POST["seen"])
        except (KeyError, ValueError):
            raise UnreadableInput("version_missing", "This page did not say what it showed. Open it again.") from None

    def end_of(self, day: dt.date | None, hour: dt.time | None = None) -> dt.datetime | None:
        """The end of a day in the site's zone, or its hour."""
        if day is None:
            return None
        if hour is not None:
            return dt.datetime.combine(day, hour, ZoneInfo(self.request.site.time_zone))
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(self.request.site.time_zone))

    def back(self, sentence: str) -> HttpResponse:
        self.say(sentence)
        return self.done(f"/people/{self.kwargs['user_id']}/")


class GiveRole(PersonPage):
    permission = Permission.MANAGE_PEOPLE

    def post(self, request, user_id) -> HttpResponse:
        form = forms.GrantForm(request.POST, roles=Role.objects.filter(site_id=self.by.site_id), auto_id="grant-%s")
        if not form.is_valid():
            return self.show(422, grant_form=form)
        role = Role.objects.one(pk=form.cleaned_data["role"], site_id=self.by.site_id)
        user = queries.person_here(user_id, self.by.site_id)
        self.do(services.grant_role, user=user, role=role, ends_at=self.end_of(form.cleaned_data["until"], form.cleaned_data["hour"]))
        return self.back(f"{user.full_name} is {role.name} from now on.")


class EndRole(PersonPage):
    permission = Permission.MANAGE_PEOPLE

    def post(self, request, user_id, grant_id) -> HttpResponse:
        Grant.objects.one(pk=grant_id, user_id=user_id, site_id=self.by.site_id)
        self.do(services.end_grant, grant_id=grant_id, seen=self.seen(), reason=self.reason())
        return self.back("The role has ended.")


class RecordTraining(PersonPage):
    permission = Permission.RECORD_TRAINING

    def post(self, request, user_id) -> HttpResponse:
        subjects = choices_in_context(self)
        form = forms.TrainingForm(request.POST, subjects=subjects, auto_id="training-%s")
        if not form.is_valid():
            return self.show(422, training_form=form)
        typed = form.cleaned_data
        subject = typed["subject"] or f"procedure:{slugify(typed['title'])}"[:120]
        title = dict(subjects).get(typed["subject"]) or typed["title"].strip()
        user = queries.person_here(user_id, self.by.site_id)
        self.do(services.record_qualification, user=user, subject=subject, title=title, ends_at=self.end_of(typed["until"]))
        return self.back(f"{user.full_name} is trained for {title}.")


class VerifyIdentity(PersonPage):
    """Somebody else says that they checked who this person is. 21 CFR 11.100(b)."""

    permission = Permission.RECORD_TRAINING

    def post(self, request, user_id) -> HttpResponse:
        form = forms.IdentityForm(request.POST, auto_id="identity-%s")
        if not form.is_valid():
            return self.show(422, identity_form=form)
        user = queries.person_here(user_id, self.by.site_id)
        self.do(services.verify_identity, user=user, means=form.cleaned_data["means"])
        return self.back(f"The identity of {user.full_name} is recorded as checked by you.")


class Unlock(PersonPage):
    permission = Permission.UNLOCK_PEOPLE

    def post(self, request, user_id, lock_id) -> HttpResponse:
        PersonLock.objects.one(pk=lock_id, user_id=user_id)
        self.do(services.unlock_person, lock_id=lock_id, seen=self.seen(), reason=self.reason())
        return self.back("The lock is lifted.")


class CloseAccount(PersonPage):
    permission = Permission.MANAGE_PEOPLE

    def post(self, request, user_id) -> HttpResponse:
        queries.person_here(user_id, self.by.site_id)
        self.do(services.close_account, user_id=user_id, seen=self.seen(), reason=self.reason())
        return self.back("The account is closed: sessions, roles and tokens have ended.")


class EndSessions(PersonPage):
    """End every session of a person: somebody left a station open, or a secret may be known. OWASP ASVS 5.0, V7.4.5."""

    permission = Permission.MANAGE_PEOPLE

    def post(self, request, user_id) -> HttpResponse:
        queries.person_here(user_id, self.by.site_id)
        ended = self.do(services.end_sessions, user_id=user_id, reason=self.reason())
        return self.back("One session has ended." if ended == 1 else f"{ended} sessions have ended.")


class RetireAuthenticator(PersonPage):
    permission = Permission.MANAGE_PEOPLE

    def post(self, request, user_id, factor_id) -> HttpResponse:
        SecondFactor.objects.one(pk=factor_id, user_id=user_id)
        self.do(services.retire_second_factor, factor_id=factor_id, seen=self.seen(), reason=self.reason())
        return self.back("The authenticator is retired; its codes are refused from now on.")


class MakeLink(PersonPage):
    """A joining link, shown once."""

    permission = Permission.MANAGE_PEOPLE

    def post(self, request, user_id) -> HttpResponse:
        user = self.do(services.invite_person, user_id=user_id, reason=self.reason())
        return self.show(joining_link=request.build_absolute_uri(link_for(user, self.by.user_id, self.by.site_id)))


class IssueToken(PersonPage):
    """A device's token, shown once."""

    permission = Permission.MANAGE_PEOPLE

    def post(self, request, user_id) -> HttpResponse:
        form = forms.TokenForm(request.POST, equipment=choices_in_context(self, choices.equipment), auto_id="token-%s")
        if not form.is_valid():
            return self.show(422, token_form=form)
        _, token = self.do(services.issue_device_token, user_id=user_id, equipment_id=uuid.UUID(str(form.cleaned_data["equipment"])))
        return self.show(new_token=token)


class RevokeToken(PersonPage):
    permission = Permission.MANAGE_PEOPLE

    def post(self, request, user_id, credential_id) -> HttpResponse:
        DeviceCredential.objects.one(pk=credential_id, user_id=user_id)
        self.do(services.revoke_device_token, credential_id=credential_id, seen=self.seen(), reason=self.reason())
        return self.back("The token is revoked; it fails from the next request on.")


def choices_in_context(page: Page, source=choices.training) -> list[tuple[str, str]]:
    """What the apps above offer, read in the page's site."""
    with site_context(page.by.site_id):
        return source()
