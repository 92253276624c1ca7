"""Pages of deviations: the list, one deviation, and the two acts that are signed."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from batches.dossier.queries.record import limits_words
from batches.execution.queries import recipe_of
from batches.execution.states import CHOICE_WORDS
from batches.lots.band import band
from batches.permissions import Permission as BatchPermission
from mes.clock import moment_words, short_words, typed_words
from mes.records.context import site_context
from mes.signatures.pages import SigningPage
from mes.signatures.queries import signatures_of
from mes.web.pages import FragmentPage, Page
from quality.deviations import forms, queries, rules, services
from quality.deviations.models import Deviation
from quality.permissions import Permission

CLASS_STATE = {"critical": "alarm", "major": "warn", "unclassified": "warn"}
STATE_WORDS = {"open": "Open", "classified": "To assess", "assessed": "To close", "closed": "Closed"}
KIND_WORDS = {
    "excursion": "Excursion", "out_of_specification": "Out of specification", "late_failing_result": "Failing result after certification",
    "manual": "Opened by hand",
}  # fmt: skip
IMPACT_WORDS = {"": "Not assessed", "none": "None", "acceptable": "Acceptable", "not_acceptable": "Not acceptable"}


def url_of(number: str) -> str:
    return reverse("quality:deviations:detail", kwargs={"number": number})


def class_cell(deviation: Deviation) -> dict:
    """The class as a cell: colour only while somebody has to act."""
    word = deviation.classification.capitalize()
    return {"text": word} if deviation.state in ("closed", "assessed") else {"word": word, "state": CLASS_STATE.get(deviation.classification, "")}


class ListPage(Page):
    """Deviations, those that are not closed first."""

    permission = Permission.READ_DEVIATIONS
    template_name = "quality/deviations/list.html"
    title = "Deviations"

    def read(self) -> dict:
        shown = self.request.GET.get("show", "open")
        found = queries.open_deviations() if shown == "open" else queries.all_deviations()
        rows = [
            {
                "url": url_of(each.number),
                "cells": [
                    {"text": each.number, "mono": True},
                    {"text": each.lot.number if each.lot_id else "–", "mono": True},
                    {"text": each.title, "sub": KIND_WORDS[each.kind]},
                    class_cell(each),
                    {"text": STATE_WORDS[each.state]},
                    {"text": moment_words(each.recorded_at, self.request.site.time_zone)},
                ],
            }
            for each in found[:500]
        ]
        base = reverse("quality:deviations:list")
        return {
            "heading": "Deviations", "caption": "Deviations of this site", "rows": rows,
            "columns": ["Number", "Lot", "What happened", "Class", "State", "Opened"],
            "table_id": "deviations", "empty_title": "No deviation is open.", "empty_text": "They open by themselves when a limit is passed.",
            "tabs": [{"label": "Open", "url": base, "current": shown == "open"}, {"label": "All", "url": f"{base}?show=all", "current": shown != "open"}],
            "may_open": Permission.INVESTIGATE_DEVIATIONS in self.request.rights,
        }  # fmt: skip


class OpenPanel(FragmentPage):
    """Open deviations, on the first page."""

    permission = Permission.READ_DEVIATIONS
    template_name = "quality/deviations/_panel.html"
    title = "Deviations"

    def read(self) -> dict:
        found = list(queries.open_deviations())
        lines = [{"it": each, "url": url_of(each.number), "state": CLASS_STATE.get(each.classification, "")} for each in found[:8]]
        return {"deviations": lines, "count": len(found)}


class LotPanel(FragmentPage):
    """Deviations of a lot, on its page."""

    permission = Permission.READ_DEVIATIONS
    template_name = "quality/deviations/_panel.html"
    title = "Deviations"

    def read(self, number: str) -> dict:
        found = list(queries.of_lot(queries.lot_id_of(number)))
        lines = [
            {"it": each, "url": url_of(each.number), "state": CLASS_STATE.get(each.classification, "") if each.state in ("open", "classified") else ""}
            for each in found
        ]
        return {"deviations": lines, "count": len(found), "of_lot": True}


class ExcursionPanel(FragmentPage):
    """The number of the deviation that answers an excursion, at its step; a link for whoever may read deviations."""

    permission = BatchPermission.READ_LOTS
    template_name = "quality/deviations/_of_excursion.html"
    title = "Deviation"

    def read(self, excursion_id) -> dict:
        found = queries.of_excursion(excursion_id)
        return {"deviation": found, "url": url_of(found.number) if found and Permission.READ_DEVIATIONS in self.request.rights else ""}


class OpenPage(Page):
    """Open a deviation by hand."""

    permission = Permission.INVESTIGATE_DEVIATIONS
    template_name = "quality/deviations/form.html"
    title = "Open a deviation"

    def read(self) -> dict:
        return {
            "heading": "Open a deviation", "lead": "For what no limit catches. Its number is given now.", "ok": "Open it",
            "form": forms.OpenForm(initial=self.typed or {"lot": self.request.GET.get("lot", "")}), "back_url": reverse("quality:deviations:list"),
        }  # fmt: skip

    def post(self, request) -> HttpResponse:
        form = forms.OpenForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        with site_context(self.by.site_id):
            lot_id = queries.lot_id_of(form.cleaned_data["lot"].strip())
        opened = self.do(services.open_by_hand, lot_id=lot_id, title=form.cleaned_data["title"], description=form.cleaned_data["description"])
        return self.done(url_of(opened.number))


class DetailPage(Page):
    """One deviation: what happened, its class, its investigation, its impact on the lot, its closure."""

    permission = Permission.READ_DEVIATIONS
    template_name = "quality/deviations/detail.html"
    title = "Deviation"

    def read(self, number: str) -> dict:
        deviation = queries.by_number(number)
        rights = self.request.rights
        is_open = deviation.state != "closed"
        assesses = is_open and Permission.ASSESS_DEVIATIONS in rights
        typed = self.typed if self.request.method == "POST" else {}
        excursion, result = deviation.excursion, deviation.result
        shown = band(deviation.lot) if deviation.lot_id else {}
        pairs = self.pairs(deviation)
        return shown | {
            "page_title": deviation.number,
            "heading": deviation.number,
            "lead": deviation.title,
            "status_word": STATE_WORDS[deviation.state],
            "status_state": "" if deviation.state in ("assessed", "closed") else CLASS_STATE.get(deviation.classification, ""),
            "deviation": deviation,
            "pairs": [pair for pair in pairs if pair["v"]],
            "signatures": signatures_of([deviation.pk]),
            "step_url": f"/lots/{deviation.lot.number}/steps/{excursion.step_run.key}/" if excursion and excursion.step_run_id else "",
            "result_url": f"/lots/{deviation.lot.number}/qc/?criterion={result.criterion}" if result else "",
            "classify_form": forms.ClassifyForm(initial=typed) if assesses else None,
            "investigate_form": forms.InvestigateForm(initial=typed or {"investigation": deviation.investigation})
            if is_open and Permission.INVESTIGATE_DEVIATIONS in rights
            else None,
            "assess_form": forms.AssessForm() if assesses and deviation.state != "open" else None,
            "close_form": forms.CloseForm() if assesses and (deviation.state == "assessed" or rules.was_transcription(deviation)) else None,
        }

    @staticmethod
    def pairs(deviation: Deviation) -> list[dict]:
        """What is known about it, one a line; what is not known yet is left out."""
        excursion, result = deviation.excursion, deviation.result
        return [
            {"k": "Kind", "v": KIND_WORDS[deviation.kind]},
            {"k": "Class", "v": deviation.classification.capitalize()},
            {"k": "Why this class", "v": deviation.classification_reason},
            {"k": "Classified by", "v": deviation.classified_by.full_name if deviation.classified_by_id else ""},
            {"k": "Step", "v": excursion.step_run.key if excursion and excursion.step_run_id else ""},
            *excursion_pairs(deviation),
            {"k": "What the recipe asks", "v": excursion.reaction if excursion else ""},
            {"k": "Result", "v": f"{result.value_text} {result.unit}".strip() if result else ""},
            {"k": "Impact on the lot", "v": IMPACT_WORDS[deviation.impact]},
            {"k": "Why this impact", "v": deviation.impact_reason},
            {"k": "Closed as", "v": deviation.closed_as.replace("_", " ")},
        ]

    def found(self, number: str) -> Deviation:
        with site_context(self.by.site_id):
            return queries.by_number(number)

    def seen(self) -> int:
        """The version the screen showed."""
        text = self.request.POST.get("seen", "")
        return int(text) if text.isdecimal() else -1


def excursion_pairs(deviation: Deviation) -> list[dict]:
    """The value that passed its limit, its limits, and what people chose about it."""
    excursion = deviation.excursion
    if excursion is None:
        return []
    entry, pairs = excursion.entry, []
    if entry is not None:
        parameter = recipe_of(deviation.lot).step(excursion.step_run.step_key).parameter(entry.parameter)
        value = typed_words(entry.value_text, deviation.lot.site.time_zone)
        pairs = [{"k": parameter.name, "v": value, "unit": entry.unit}, {"k": "Limits", "v": limits_words(parameter)}]
    made = queries.choices_about(deviation)
    zone = deviation.lot.site.time_zone
    told = [
        f"{CHOICE_WORDS.get(each.choice, each.choice)}: {each.reason}".rstrip(": ") + f" ({each.by.full_name}, {short_words(each.recorded_at, zone)})"
        for each in made
    ]
    if entry is not None and not told:
        told = ["Nothing yet"]
    return pairs + [{"k": "Chosen at the step", "v": words} for words in told]


class ClassifyPage(DetailPage):
    """QA classifies again, with a reason."""

    permission = Permission.ASSESS_DEVIATIONS

    def post(self, request, number: str) -> HttpResponse:
        self.do(
            services.classify, deviation_id=self.found(number).pk, seen=self.seen(), classification=request.POST.get("classification", ""),
            reason=request.POST.get("reason", ""),
        )  # fmt: skip
        return self.done(url_of(number))


class InvestigatePage(DetailPage):
    """The investigation is written."""

    permission = Permission.INVESTIGATE_DEVIATIONS

    def post(self, request, number: str) -> HttpResponse:
        self.do(services.investigate, deviation_id=self.found(number).pk, seen=self.seen(), text=request.POST.get("investigation", ""))
        self.say("The investigation is recorded. Earlier wordings stay in the history.")
        return self.done(url_of(number))


class _Act(SigningPage):
    """An act on a deviation that is signed; what is decided was chosen on the page before and comes with the form."""

    permission = Permission.ASSESS_DEVIATIONS
    words: dict[str, str]

    def act(self) -> dict[str, str]:
        return {name: self.given(name) for name in self.carried}

    def summary(self, number) -> dict:
        deviation = queries.by_number(number)
        act = self.act()
        self.check(deviation, act)
        shown = band(deviation.lot) if deviation.lot_id else {}
        first = self.carried[0]
        return shown | {
            "title": f"{self.heading} {number}, lot", "page_title": f"{self.heading} {number}",
            "rows": [
                {"label": "What happened", "value": deviation.title},
                {"label": "Class", "value": deviation.classification, "sub": deviation.classification_reason},
                {"label": "Investigation", "value": deviation.investigation or "none written"},
                {"label": self.label, "value": self.words.get(act[first], act[first]), "state": "alarm" if act[first] == "not_acceptable" else ""},
                {"label": "Reason", "value": act["reason"]},
            ],
            "recap_hint": f"Record version {deviation.version}.", "back_url": url_of(number), "back_label": "Back to the deviation", "ok": self.ok,
            "foot": "Who made or tested the lot does not sign this.",
        }  # fmt: skip

    def check(self, deviation: Deviation, act: dict[str, str]) -> None:
        """Raises RuleBroken where signing makes no sense yet, before anybody types a password."""

    def found(self, number: str) -> Deviation:
        with site_context(self.by.site_id):
            return queries.by_number(number)

    def done_url(self, result, number) -> str:
        return url_of(number)


class AssessPage(_Act):
    """The impact on the lot, assessed and signed (decisions 22)."""

    meaning, heading, label, ok = "assessed", "Assess", "Impact on this lot", "Sign the assessment"
    carried, words = ("impact", "reason"), IMPACT_WORDS

    def what(self, number):
        return queries.assessment_subject(queries.by_number(number), **self.act())

    def check(self, deviation: Deviation, act: dict[str, str]) -> None:
        rules.check_assessment(deviation, **act)

    def sign(self, proof, number):
        found = self.found(number)
        return self.do(services.assess, deviation_id=found.pk, seen=found.version, proof=proof, **self.act())


class ClosePage(_Act):
    """The closure, signed."""

    meaning, heading, label, ok = "closed", "Close", "Closed as", "Sign the closure"
    carried, words = ("closed_as", "reason"), {"investigated": "Investigated", "entry_error": "Entry error"}

    def what(self, number):
        return queries.closure_subject(queries.by_number(number), **self.act())

    def check(self, deviation: Deviation, act: dict[str, str]) -> None:
        rules.check_closure(deviation, **act)

    def sign(self, proof, number):
        found = self.found(number)
        return self.do(services.close, deviation_id=found.pk, seen=found.version, proof=proof, **self.act())
