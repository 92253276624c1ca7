"""Correct what a step recorded: first what it should be and why, then a second person signs for exactly this. 21 CFR 11.10(e), 211.188(b)(11)."""

from __future__ import annotations

from django.http import HttpResponse

from batches.execution import queries, services
from batches.execution.models import Entry
from batches.execution.queries.content import consumptions_of, correction_of_consumption_subject, correction_subject
from batches.execution.rules import check_correctable, check_quantity_correctable
from batches.execution.views.screen import Screen
from batches.execution.views.signing import StepSigning
from batches.execution.views.step import StepPage
from batches.execution.work import seen_work
from batches.materials.models import Consumption
from batches.permissions import Permission
from mes.clock import typed_words
from mes.records.context import site_context
from mes.signatures import ceremony


class CorrectionsPage(StepPage):
    """What is recorded in a step, each with the way to correct it."""

    permission = Permission.RECORD_VALUES
    template_name = "batches/execution/corrections.html"

    def read(self, number: str, key: str, **more) -> dict:
        context = super().read(number, key)
        screen: Screen = context["screen"]
        lines = [
            {"name": p.name, "entry": screen.entries[p.key], "url": screen.url("correct", entry_id=screen.entries[p.key].pk)}
            for p in screen.step.parameters
            if p.key in screen.entries and p.type != "calculated"
        ]
        taken = [{"line": each, "url": screen.url("correct_quantity", consumption_id=each.pk)} for each in consumptions_of(screen.run)]
        return context | {"lines": lines, "taken": taken}


class Correction(StepSigning):
    """Two pages in one address: without a value and a reason it asks for them; with both it shows what is signed."""

    meaning = "confirmed_transcription"
    permission = Permission.RECORD_VALUES
    ask_template = ""

    carried = ("value", "why")

    @property
    def value(self) -> str:
        return self.given("value")

    @property
    def why(self) -> str:
        return self.given("why")

    def get(self, request, **kwargs) -> HttpResponse:
        return self.ask()

    def post(self, request, **kwargs) -> HttpResponse:
        if "intent" not in request.POST and not (self.value and len(self.why) >= 3):
            return self.ask()
        return super().post(request, **kwargs)

    def ask(self) -> HttpResponse:
        """First what it should be and the reason; then what is signed is shown with both."""
        with site_context(self.by.site_id):
            screen = Screen(self.kwargs["number"], self.kwargs["key"])
            context = screen.context() | self.asked(screen) | {"value": self.value, "why": self.why}
            self.template_name = self.fragment_name = self.ask_template
            return self.draw(context)

    def asked(self, screen: Screen) -> dict:
        """What the first page shows. Raises RuleBroken where no correction can be made."""
        raise NotImplementedError

    def heading(self, screen: Screen) -> str:
        return f"Correct a value of step {screen.run.key} of"

    def more(self, screen: Screen) -> dict:
        return {
            "caption": "The second person signs for exactly this",
            "foot": "The first value stays in the record. The second person compares the new one with its source.", "ok": "Sign the correction",
        }  # fmt: skip

    def reason_row(self) -> dict:
        return {"label": "Reason", "value": "", "sub": self.why}


class CorrectPage(Correction):
    """Correct a value: what it should be, why, and a second person who compared it with its source."""

    ask_template = "batches/execution/correct.html"

    def asked(self, screen: Screen) -> dict:
        entry = self.entry()
        parameter = screen.step.parameter(entry.parameter)
        check_correctable(seen_work(screen.run), entry, parameter)
        form = screen.field(parameter, None)
        return {"entry": entry, "parameter": parameter, "form": form, "p": form}

    def entry(self) -> Entry:
        return Entry.objects.select_related("by", "superseded_by").one(pk=self.kwargs["entry_id"], step_run=self.run())

    def what(self, **kwargs) -> ceremony.Subject:
        return correction_subject(self.entry(), self.run(), self.value, self.why)

    def rows(self, screen: Screen) -> list[dict]:
        entry = self.entry()
        name = screen.step.parameter(entry.parameter).name
        return [
            {"label": f"{name}, recorded", "value": typed_words(entry.value_text, screen.zone), "unit": entry.unit, "sub": f"by {entry.by.full_name}"},
            {"label": f"{name}, corrected", "value": typed_words(self.value, screen.zone), "unit": entry.unit},
            self.reason_row(),
        ]

    def sign(self, proof, **kwargs):
        result = self.do(services.correct_value, entry_id=kwargs["entry_id"], text=self.value, reason=self.why, proof=proof)
        refusal = queries.refusal_of(result)
        if refusal is not None:
            raise refusal
        return result


class CorrectQuantityPage(Correction):
    """Correct how much of a material was taken; zero takes it back. A second person compared it with its source."""

    ask_template = "batches/execution/correct_quantity.html"

    def asked(self, screen: Screen) -> dict:
        line = self.line()
        check_quantity_correctable(seen_work(screen.run), line)
        return {"line": line}

    def line(self) -> Consumption:
        found = Consumption.objects.select_related("material_lot__material", "by", "superseded_by")
        return found.one(pk=self.kwargs["consumption_id"], step_run=self.run())

    def what(self, **kwargs) -> ceremony.Subject:
        return correction_of_consumption_subject(self.line(), self.run(), self.value, self.why)

    def rows(self, screen: Screen) -> list[dict]:
        line = self.line()
        name = f"{line.material_lot.material.name}, lot {line.material_lot.number}"
        return [
            {"label": f"{name}, recorded", "value": line.quantity_text, "unit": line.unit, "sub": f"by {line.by.full_name}"},
            {"label": f"{name}, corrected", "value": self.value, "unit": line.unit},
            self.reason_row(),
        ]

    def heading(self, screen: Screen) -> str:
        return f"Correct a quantity of step {screen.run.key} of"

    def sign(self, proof, **kwargs):
        return self.do(services.correct_consumption, consumption_id=kwargs["consumption_id"], quantity=self.value, reason=self.why, proof=proof)
