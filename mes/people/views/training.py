"""One training that several people had, recorded for each of them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils.text import slugify

from mes.errors import RuleBroken
from mes.people import choices, forms, queries, services
from mes.people.models import User
from mes.permissions import Permission
from mes.records.context import site_context
from mes.web.pages import Page


class TrainSeveralPage(Page):
    """`/people/training/`: who, for what, until when. One press, and for each person one record with its own entry in the trail."""

    permission = Permission.RECORD_TRAINING
    template_name = "mes/people/train.html"
    title = "Record a training"

    def read(self) -> dict:
        return {
            "heading": "Record a training", "lead": "For everybody who had it. Each person gets a record of their own, in your name.",
            "form": self.form(None), "ok": "Record it for each", "back_url": "/people/", "back_label": "Back to the register", "left_out": (),
        }  # fmt: skip

    def people(self) -> list[User]:
        return [line.user for line in queries.register(self.by.site_id)]

    def form(self, data) -> forms.TrainingOfSeveralForm:
        people = [(str(each.pk), each.full_name) for each in self.people() if each.kind == User.PERSON and each.is_active]
        return forms.TrainingOfSeveralForm(data, subjects=choices.training(), people=people)

    def post(self, request) -> HttpResponse:
        with site_context(self.by.site_id):
            form, subjects = self.form(request.POST), dict(choices.training())
            people = {str(each.pk): each for each in self.people()}
        if not form.is_valid():
            return self.show(422, form=form)
        typed = form.cleaned_data
        subject = typed["subject"] or f"procedure:{slugify(typed['title'])}"[:120]
        title = subjects.get(typed["subject"]) or typed["title"].strip()
        trained, left_out = [], []
        for key in typed["people"]:
            user = people[key]
            try:
                self.do(services.record_qualification, user=user, subject=subject, title=title, ends_at=self.end_of(typed["until"]))
                trained.append(user.full_name)
            except RuleBroken as refused:
                left_out.append(f"{user.full_name}: {refused.sentence}")
        if left_out:
            return self.show(409, form=form, left_out=left_out, trained=trained)
        self.say(f"Trained for {title}: {', '.join(trained)}.")
        return self.done("/people/")

    def end_of(self, day: dt.date | None) -> dt.datetime | None:
        """The end of the last day, in the site's zone."""
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(self.request.site.time_zone)) if day else None
