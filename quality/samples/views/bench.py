"""The laboratory's work list, one sample, and the panel of the first page."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from batches.lots.band import band
from batches.permissions import Permission as BatchPermission
from mes.clock import moment_words, short_words
from mes.records.context import site_context
from mes.web.pages import FragmentPage, Page
from quality.permissions import Permission
from quality.samples import queries, services
from quality.samples.forms import ReasonForm
from quality.samples.views.results import counted

WORDS = {
    "expected": "Not drawn yet", "drawn": "On its way to QC", "received": "In QC", "tested": "Tested", "not_drawn": "Not drawn", "lost": "Lost",
}  # fmt: skip

TIMINGS = {"incoming": "incoming", "in_process": "in process", "before_infusion": "before infusion", "post_release": "after release"}


def sample_url(identifier: str) -> str:
    return reverse("quality:samples:sample", kwargs={"identifier": identifier})


def left(sample, missing: int, unreviewed: int) -> str:
    """What a sample waits for."""
    if sample.state == "drawn":
        return "Receive it"
    if sample.state == "received":
        return f"{missing} of {len(sample.tests)} results to enter"
    return f"{unreviewed} result{'' if unreviewed == 1 else 's'} to review"


class WorkListPage(Page):
    """What waits in the laboratory, oldest first."""

    permission = (Permission.RECORD_RESULTS, Permission.REVIEW_RESULTS)
    template_name = "quality/samples/work_list.html"
    title = "QC"

    def read(self) -> dict:
        shown = []
        samples = queries.work_list(self.by.site_id)
        counts = queries.what_is_left(samples)
        for sample in samples:
            shown.append(
                {
                    "url": sample_url(sample.identifier),
                    "cells": [
                        {"text": sample.identifier, "sub": sample.title, "mono": True},
                        {"text": sample.lot.number, "sub": f"check code {sample.lot.check_code}", "mono": True},
                        {"text": short_words(sample.drawn_at, self.request.site.time_zone) if sample.drawn_at else "–", "sub": TIMINGS[sample.timing]},
                        {"text": WORDS[sample.state]},
                        {"word": left(sample, *counts[sample.pk]), "state": "todo"},
                    ],
                }
            )
        return {
            "heading": "QC work list", "caption": "Samples that wait in QC", "columns": ["Sample", "Lot", "Drawn", "State", "Waits for"], "rows": shown,
            "table_id": "qc", "empty_title": "Nothing waits in QC.", "empty_text": "Samples appear here when their step is signed.",
        }  # fmt: skip


class WorkPanel(FragmentPage):
    """The same for the first page."""

    permission = (Permission.RECORD_RESULTS, Permission.REVIEW_RESULTS)
    template_name = "quality/samples/_panel.html"
    title = "QC"

    def read(self) -> dict:
        waiting = queries.work_list(self.by.site_id)
        counts = queries.what_is_left(waiting[:8])
        lines = [{"sample": each, "url": sample_url(each.identifier), "word": left(each, *counts[each.pk])} for each in waiting[:8]]
        return {"samples": lines, "count": len(waiting)}


class LotPanel(FragmentPage):
    """Results of a lot, on the lot's page."""

    permission = BatchPermission.READ_LOTS
    template_name = "quality/samples/_lot_panel.html"
    title = "Results"

    def read(self, number: str) -> dict:
        lines = queries.table(queries.lot_by_number(number))
        standings = [line.standing for line in lines]
        return {
            "counted": counted(lines),
            "failed": [line for line in lines if line.standing == "failed"],
            "pending": [line for line in lines if line.standing == "pending_after_release"],
            "missing": standings.count("missing"),
            "url": reverse("quality:samples:results", kwargs={"number": number}),
        }


class SamplePage(Page):
    """One sample: where it is, its tests, and the next act."""

    permission = (Permission.RECORD_RESULTS, Permission.REVIEW_RESULTS, Permission.DRAW_SAMPLES, BatchPermission.READ_RECORD)
    template_name = "quality/samples/sample.html"
    title = "Sample"

    def read(self, identifier: str) -> dict:
        sample = queries.sample_by_identifier(identifier)
        lot = queries.lot_by_number(sample.lot.number)
        rights = self.request.rights
        unreviewed = queries.unreviewed(sample)
        lines = [line for line in queries.table(lot) if line.criterion.code in sample.tests]
        return band(lot) | {
            "page_title": f"Sample {sample.identifier}",
            "heading": sample.identifier,
            "lead": sample.title,
            "status_word": WORDS[sample.state],
            "status_state": "alarm" if sample.state in ("lost", "not_drawn") else "",
            "pairs": [
                {"k": "Step", "v": sample.step_run.key if sample.step_run_id else ""},
                {"k": "Timing", "v": TIMINGS[sample.timing]},
                {"k": "Drawn", "v": moment_words(sample.drawn_at, self.request.site.time_zone) if sample.drawn_at else ""},
                {"k": "Received", "v": moment_words(sample.received_at, self.request.site.time_zone) if sample.received_at else ""},
                {"k": "Reason", "v": sample.state_reason},
            ],
            "sample": sample,
            "lines": lines,
            "results_url": reverse("quality:samples:results", kwargs={"number": lot.number}),
            "may_draw": sample.state == "expected" and Permission.DRAW_SAMPLES in rights,
            "may_receive": sample.state == "drawn" and Permission.RECORD_RESULTS in rights,
            "may_lose": sample.state in ("expected", "drawn", "received") and Permission.RECORD_RESULTS in rights,
            "unreviewed": unreviewed if Permission.REVIEW_RESULTS in rights else [],
            "review_url": reverse("quality:samples:review_sample", kwargs={"identifier": identifier}),
        }

    def sample_id(self, identifier: str):
        with site_context(self.by.site_id):
            return queries.sample_by_identifier(identifier).pk

    def seen(self) -> int | None:
        """The version the screen showed."""
        text = self.request.POST.get("seen", "")
        return int(text) if text.isdecimal() else -1


class DrawPage(SamplePage):
    """A sample was drawn."""

    permission = Permission.DRAW_SAMPLES

    def post(self, request, identifier: str) -> HttpResponse:
        self.do(services.draw_sample, sample_id=self.sample_id(identifier), seen=self.seen())
        return self.done(sample_url(identifier))


class ReceivePage(SamplePage):
    """QC takes a sample over by its scan; a scan anywhere on the page is taken (`code`)."""

    permission = Permission.RECORD_RESULTS

    def post(self, request, identifier: str) -> HttpResponse:
        scanned = request.POST.get("code", "")
        sample = self.do(services.receive_sample, sample_id=self.sample_id(identifier), seen=self.seen(), scanned=scanned)
        self.say(f"{sample.identifier} is in QC.")
        return self.done(sample_url(identifier))


class LosePage(SamplePage):
    """A sample cannot be tested."""

    permission = Permission.RECORD_RESULTS
    template_name = "quality/samples/reason.html"

    def read(self, identifier: str) -> dict:
        sample = queries.sample_by_identifier(identifier)
        return band(queries.lot_by_number(sample.lot.number)) | {
            "heading": f"{sample.identifier} cannot be tested",
            "lead": "Its required results stay missing and block release.",
            "form": ReasonForm(initial={"reason": self.typed.get("reason", "")}),
            "hidden_seen": sample.version,
            "ok": "Record that it cannot be tested",
            "back_url": sample_url(identifier),
            "back_label": "Back to the sample",
        }

    def post(self, request, identifier: str) -> HttpResponse:
        self.do(services.lose_sample, sample_id=self.sample_id(identifier), seen=self.seen(), reason=request.POST.get("reason", ""))
        return self.done(sample_url(identifier))
