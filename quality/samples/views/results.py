"""Results of a lot against its specification: the table, the chosen criterion, and recording a result."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse

from batches.lots.band import band
from batches.permissions import Permission as BatchPermission
from batches.recipes.quantities import read_back, read_value
from batches.recipes.queries import document as recipe_of
from mes.clock import record_now
from mes.errors import Missing, RuleBroken, UnreadableInput
from mes.records.context import site_context
from mes.web.pages import Page
from mes.web.problems import Refusal
from quality.permissions import Permission
from quality.samples import queries, services
from quality.samples.forms import ReasonForm, ResultForm
from quality.samples.views import rows
from quality.specifications import queries as specifications


class ResultsPage(Page):
    """Every criterion with its result, gauge and verdict; at the right the chosen one with its rule, history and form."""

    permission = (Permission.RECORD_RESULTS, Permission.REVIEW_RESULTS, BatchPermission.READ_RECORD)
    template_name = "quality/samples/results.html"
    title = "Results"

    def read(self, number: str, criterion: str = "") -> dict:
        lot = queries.lot_by_number(number)
        version = specifications.of_lot(lot)
        lines = queries.table(lot, version)
        chosen = self.chosen(lines, criterion or self.request.GET.get("criterion", ""))
        now, rights = record_now().astimezone(ZoneInfo(lot.site.time_zone)), self.request.rights
        names = recipe_of(lot.recipe_version).parameter_names()
        may_enter = Permission.RECORD_RESULTS in rights
        samples = [self.sample_line(sample, rights) for sample in queries.samples_of(lot)]
        return band(lot) | {
            "page_title": f"Results {lot.number}",
            "facts": [
                {"k": "Specification", "v": specifications.name_of(version)},
                {"k": "Chain of identity", "v": lot.therapy_event.coi, "mono": True, "opt": True},
                {"k": "Against specification", "v": counted(lines)},
            ],
            "caption": f"Results of lot {lot.number} against {specifications.name_of(version)}",
            "rows": [
                rows.row(
                    line, now, url=self.url(number, line.criterion.code), post_url=self.post_url(number, line.criterion.code),
                    current=line is chosen and line.standing == "failed", may_enter=may_enter, names=names,
                )
                for line in lines
            ],
            "samples": samples,
            "side_label": chosen.criterion.name,
            "chosen": rows.side(chosen, now, specifications.name_of(version), names),
            "deviation": getattr(chosen.result, "deviation", None) if chosen.result else None,
            "form": self.form(chosen, lot) if may_enter and self.is_open(chosen) else None,
            "form_url": self.post_url(number, chosen.criterion.code),
            "may_leave_out": may_enter and chosen.result is None and (chosen.criterion.any_of or chosen.criterion.type == "report_only"),
            "leave_out_url": reverse("quality:samples:not_tested", kwargs={"number": number, "criterion": chosen.criterion.code}),
            "may_correct": may_enter and chosen.result is not None and chosen.result.value_text != "not tested",
            "outdated": chosen.outdated,
            "may_judge_anew": may_enter and bool(chosen.outdated),
            "may_review": Permission.REVIEW_RESULTS in rights and chosen.result is not None and not chosen.reviewed,
        }  # fmt: skip

    @staticmethod
    def url(number: str, code: str) -> str:
        return f"{reverse('quality:samples:results', kwargs={'number': number})}?criterion={code}"

    @staticmethod
    def post_url(number: str, code: str) -> str:
        return reverse("quality:samples:record", kwargs={"number": number, "criterion": code})

    @staticmethod
    def chosen(lines: list[queries.CriterionLine], code: str) -> queries.CriterionLine:
        """The one asked for, else the first that failed, that can be entered, or the first."""
        for line in lines:
            if line.criterion.code == code:
                return line
        if code:
            raise Missing("no_such_criterion", f"The specification of this lot has no criterion {code}.")
        for wanted in ("failed", "missing", "pending_after_release"):
            for line in lines:
                if line.standing == wanted:
                    return line
        return lines[0]

    @staticmethod
    def is_open(line: queries.CriterionLine) -> bool:
        return line.result is None and (line.sample is None or line.sample.state == "received")

    def form(self, line: queries.CriterionLine, lot) -> ResultForm:
        typed = {name: self.typed[name] for name in ("kind", "interim_day", "value", "tested_at", "evidence", "evidence_source") if name in self.typed}
        return ResultForm(line, initial=typed or None, demo=lot.demo)

    def sample_line(self, sample, rights) -> dict:
        return {
            "sample": sample,
            "url": reverse("quality:samples:sample", kwargs={"identifier": sample.identifier}),
            "word": sample.state.replace("_", " ").capitalize(),
            "to_review": Permission.REVIEW_RESULTS in rights and bool(queries.unreviewed(sample)),
        }


def counted(lines: list[queries.CriterionLine]) -> str:
    """How many criteria are in order: "11 of 13 meet"; what is only reported is counted apart."""
    met = sum(line.standing == "met" for line in lines)
    reported = sum(line.standing == "reported" for line in lines)
    judged = sum(line.criterion.type != "report_only" for line in lines)
    return f"{met} of {judged} meet" + (f", {reported} reported" if reported else "")


class RecordPage(ResultsPage):
    """Recording one result: from its row, or from the form at the right."""

    permission = Permission.RECORD_RESULTS

    def get(self, request, number: str, criterion: str) -> HttpResponse:
        return self.done(ResultsPage.url(number, criterion))

    def post(self, request, number: str, criterion: str) -> HttpResponse:
        with site_context(self.by.site_id):
            lot = queries.lot_by_number(number)
            line = self.chosen(queries.table(lot), criterion)
            zone = ZoneInfo(lot.site.time_zone)
        # A row of the table sends its value alone: a final result, measured here.
        form = ResultForm(line, {"kind": "final", "evidence": "measured"} | request.POST.dict(), demo=lot.demo)
        if not form.is_valid():
            name, sentences = next(iter(form.errors.items()))
            raise UnreadableInput("unreadable_input", f"{form.fields[name].label}: {sentences[0]}", field=name)
        given = form.cleaned_data
        tested_at = read_value(given["tested_at"], "datetime", zone=zone).content if given["tested_at"].strip() else None
        result = self.do(
            services.record_result, lot_id=lot.pk, criterion=criterion, text=given["value"], unit=line.criterion.unit if self.is_number(line) else "",
            method_version=line.criterion.method_version, tested_at=tested_at, kind=given.get("kind") or "final", interim_day=given.get("interim_day"),
            evidence=given.get("evidence") or "measured", evidence_source=given.get("evidence_source", ""),
        )  # fmt: skip
        back = read_back(result.value_text, result.value)
        if request.htmx:
            return self.row_again(number, criterion, said=f"{back[:1].upper()}{back[1:]}. {result.sentence}" if back else result.sentence)
        self.say(f"Recorded{', ' if back else ''}{back}. {result.sentence}")
        return self.done(ResultsPage.url(number, criterion))

    @staticmethod
    def is_number(line: queries.CriterionLine) -> bool:
        return line.criterion.is_numeric or (line.criterion.type == "report_only" and line.criterion.unit is not None)

    def refused(self, broken: RuleBroken) -> HttpResponse:
        if self.request.htmx and self.request.method == "POST":
            return self.row_again(self.kwargs["number"], self.kwargs["criterion"], refusal=broken)
        return super().refused(broken)

    def row_again(self, number: str, criterion: str, *, said: str = "", refusal: RuleBroken | None = None) -> HttpResponse:
        """The row as it is now, with what happened said beside the table; the typed text stays when it was refused."""
        with site_context(self.by.site_id):
            lot = queries.lot_by_number(number)
            line = self.chosen(queries.table(lot), criterion)
            now, url, post_url = record_now().astimezone(ZoneInfo(lot.site.time_zone)), self.url(number, criterion), self.post_url(number, criterion)
            shown = rows.row(line, now, url=url, post_url=post_url, may_enter=True, names=recipe_of(lot.recipe_version).parameter_names())
            if refusal is not None:
                shown |= {"value": self.typed.get("value", ""), "verdict_word": "Not recorded", "verdict_state": "warn"}
            told = {"said": said, "said_state": "alarm" if line.standing == "failed" else "", "refusal": Refusal.of(refusal) if refusal else None}
            html = render_to_string("quality/samples/_row.html", {"row": shown} | told, self.request)
        return HttpResponse(html, status=refusal.status if refusal else 200)


class NotTestedPage(Page):
    """Say why a test was not done."""

    permission = Permission.RECORD_RESULTS
    template_name = "quality/samples/reason.html"
    title = "Not tested"

    def read(self, number: str, criterion: str) -> dict:
        lot = queries.lot_by_number(number)
        line = ResultsPage.chosen(queries.table(lot), criterion)
        return band(lot) | {
            "heading": f"{line.criterion.name}: not tested",
            "lead": "The statement is recorded as a result and never meets a limit.",
            "form": ReasonForm(initial={"reason": self.typed.get("reason", "")}),
            "ok": "Record that it was not tested",
            "back_url": ResultsPage.url(number, criterion),
            "back_label": "Back to the results",
        }

    def post(self, request, number: str, criterion: str) -> HttpResponse:
        with site_context(self.by.site_id):
            lot = queries.lot_by_number(number)
        self.do(services.state_not_tested, lot_id=lot.pk, criterion=criterion, reason=request.POST.get("reason", ""))
        return self.done(ResultsPage.url(number, criterion))


class JudgeAnewPage(Page):
    """Make a verdict anew whose limit was computed from values that were corrected since."""

    permission = Permission.RECORD_RESULTS
    template_name = "quality/samples/reason.html"
    title = "Judge anew"

    def read(self, result_id) -> dict:
        result = queries.result_by_id(result_id)
        lot = queries.lot_by_number(result.lot.number)
        line = ResultsPage.chosen(queries.table(lot), result.criterion)
        return band(lot) | {
            "heading": f"{line.criterion.name}: judge anew",
            "lead": line.outdated or "The verdict stands on what the batch record says now.",
            "form": ReasonForm(initial={"reason": self.typed.get("reason", "")}),
            "ok": "Judge anew",
            "back_url": ResultsPage.url(lot.number, result.criterion),
            "back_label": "Back to the results",
        }

    def post(self, request, result_id) -> HttpResponse:
        made = self.do(services.judge_anew, result_id=result_id, reason=request.POST.get("reason", ""))
        self.say(f"Judged anew. {made.sentence}")
        with site_context(self.by.site_id):
            result = queries.result_by_id(made.pk)
        return self.done(ResultsPage.url(result.lot.number, result.criterion))
