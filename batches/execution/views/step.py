"""The step on the tablet: opened by scan, each value recorded as it is left, the main act always answers."""

from __future__ import annotations

import datetime as dt

from django.core import signing
from django.http import HttpResponse
from django.urls import reverse

from batches.execution import queries, services
from batches.execution.models import StepRun
from batches.execution.queries.files import file_content
from batches.execution.queries.scans import look_up
from batches.execution.rules import LARGEST_FILE, check_may_read_step
from batches.execution.views.screen import Screen, short_name
from batches.execution.views.ways import choices_of, ways_of
from batches.lots.views.scanned import MARK, code_in
from batches.permissions import Permission
from batches.recipes.quantities import ValueRefused, read_value
from mes.clock import typed_words
from mes.errors import Missing, RuleBroken, StaleRecord, UnreadableInput
from mes.web.pages import Page
from mes.web.panels import panels_for

FIRST = "execution.first_entry"
HIDDEN_SECONDS = 900
"""How long the first of two typings waits for the second."""


class StepPage(Page):
    """One step of a lot."""

    permission = Permission.READ_LOTS
    template_name = "batches/execution/step.html"

    @property
    def title(self) -> str:
        return f"{self.kwargs['number']}, step {self.kwargs['key']}"

    def read(self, number: str, key: str, **more) -> dict:
        screen = Screen(number, key)
        check_may_read_step(self.by, screen.run, screen.step)
        context = screen.context()
        for param in context["params"]:
            if param.get("recorded_by") == short_name(self.by.full_name):
                param["recorded_by"] = ""  # one's own name stands at the top right
        self.add_ways(context)
        self.add_late(context)
        return context | self.offered(context) | {"main_refusal": self.refusal}

    def offered(self, context: dict) -> dict:
        """The acts in the bar that this person may take now."""
        screen, rights = context["screen"], self.request.rights
        recorded = bool(screen.entries) or any(slot["state"] == "done" for slot in context["slots"])
        return {
            "may_correct": Permission.RECORD_VALUES in rights and screen.run.state != "waiting" and recorded,
            "may_hold": Permission.HOLD_LOT in rights and screen.hold is None,
            "may_leave_out": Permission.RESUME_LOT in rights and screen.hold is None and screen.may_be_left_out,
        }

    def add_ways(self, context: dict) -> None:
        """What may be chosen about values outside their limits, and what was, each with what stands above steps about it."""
        rights = self.request.rights
        context["ways"] = ways_of(context["screen"])
        context["chosen"] = [each | {"panels": panels_for(rights, "excursion", excursion_id=each["excursion"].pk)} for each in choices_of(context["screen"])]

    def add_late(self, context: dict) -> None:
        """What is entered later than done: the claimed time and the reason travel with each value of this page."""
        claimed, reason = self.typed.get("claimed_at", ""), self.typed.get("reason", "")
        context["claimed_at"], context["claimed_reason"] = claimed, reason
        context["claimed_words"] = typed_words(claimed, context["screen"].zone)
        if claimed:
            for param in context["params"]:
                if "hidden" in param:
                    param["hidden"] = param["hidden"] | {"claimed_at": claimed, "reason": reason}

    # --- for the acts -------------------------------------------------------------------------------------------------

    def run_of(self, number: str, key: str) -> StepRun:
        """The run, read in a context of its own."""
        with self.reading():
            return queries.run_by_key(number, key)

    def reading(self):
        from mes.records.context import site_context

        return site_context(self.by.site_id)

    def kept(self, result):
        """The result of a service, or the refusal that was kept as a fact."""
        refusal = queries.refusal_of(result)
        if refusal is not None:
            raise refusal
        return result

    def step_url(self, number: str, key: str) -> str:
        return reverse("batches:execution:step", kwargs={"number": number, "key": key})


class LatePage(StepPage):
    """The step once more, for values that were done earlier: the time of doing and why travel with each value of this page."""

    permission = Permission.RECORD_VALUES

    def get(self, request, number: str, key: str) -> HttpResponse:
        return self.done(self.step_url(number, key))

    def post(self, request, number: str, key: str) -> HttpResponse:
        return self.show()


class ValuePage(StepPage):
    """One value, recorded as its field is left. Answers htmx with the same field and what follows from it."""

    permission = Permission.RECORD_VALUES
    fragment_name = "batches/execution/_value.html"
    first: str = ""

    def get(self, request, number: str, key: str, parameter: str) -> HttpResponse:
        return self.done(self.step_url(number, key))

    def post(self, request, number: str, key: str, parameter: str) -> HttpResponse:
        run, text, again = self.run_of(number, key), request.POST.get("value", ""), None
        hidden = request.POST.get("first", "")
        if hidden:
            text, again = self.unhide(hidden), text
        try:
            claimed = self.claimed(run)
            result = self.do(
                services.record_value, step_run_id=run.pk, parameter=parameter, text=text, saw=request.POST.get("seen") or None, claimed_at=claimed,
                reason=request.POST.get("reason", ""), again=again,
            )  # fmt: skip
        except RuleBroken as broken:
            if broken.code != "second_entry_missing":
                raise
            self.first = signing.dumps(text, salt=FIRST)
            return self.show()
        # The entry's step is the deed's own object: a hard limit stops it together with its value.
        if not request.htmx or self.kept(result).step_run.state != run.state:
            return self.done(self.step_url(number, key))
        return self.show()

    def draw(self, context: dict, status: int = 200) -> HttpResponse:
        response = super().draw(context, status)
        if self.first or (self.refusal is not None and self.refusal.code == "entries_differ"):
            # A morph would keep what stands in the field; here it has to be gone from the screen.
            response["HX-Reswap"] = "outerHTML"
        return response

    def unhide(self, hidden: str) -> str:
        try:
            return signing.loads(hidden, salt=FIRST, max_age=HIDDEN_SECONDS)
        except signing.BadSignature:
            raise UnreadableInput("second_entry_missing", "The first entry is not known any more. Type the value twice again.") from None

    def claimed(self, run: StepRun) -> dt.datetime | None:
        typed = self.request.POST.get("claimed_at", "").strip()
        if not typed:
            return None
        try:
            return read_value(typed, "datetime", zone=queries.zone_of(run.lot)).content
        except ValueRefused as refused:
            raise UnreadableInput(refused.code, refused.sentence, field="claimed_at") from None

    def read(self, number: str, key: str, parameter: str) -> dict:
        context = super().read(number, key)
        found = next((each for each in context["params"] if each["id"] == parameter), None)
        if found is None:
            raise Missing("no_such_value", f"Step {key} records no value {parameter}.")
        if self.first:
            found |= {
                "value": "", "hidden": found["hidden"] | {"first": self.first}, "state": "warn", "note_state": "warn",
                "message": "Type it once more. Your first entry is hidden.",
            }  # fmt: skip
        elif self.refusal is not None:
            found |= self.refused_field(found)
        return context | {"p": found, "target": "value"}

    def refused_field(self, found: dict) -> dict:
        """What was typed stays in the field, unless somebody else's value stands there now."""
        said = {"message": self.refusal.sentence, "note_state": "alarm"}
        if found.get("seen"):
            return said | {"state": found.get("state") or "warn", "note_state": "warn"}
        differs = self.refusal.code == "entries_differ"
        return said | {"value": "" if differs else self.typed.get("value", ""), "state": "error"}


class ScanPage(StepPage):
    """A scan at a step: its container opens it, material and equipment fill their slots, whatever has the focus."""

    permission = Permission.RECORD_VALUES
    fragment_name = "batches/execution/_scanned.html"

    def get(self, request, number: str, key: str) -> HttpResponse:
        return self.done(self.step_url(number, key))

    def post(self, request, number: str, key: str) -> HttpResponse:
        run, code = self.run_of(number, key), code_in(request.POST, "code")
        if run.state == "waiting":
            seen = request.POST.get("seen", "")
            self.kept(self.do(services.open_step, step_run_id=run.pk, seen=int(seen) if seen.isdigit() else run.version, scanned=code))
            return self.done(self.step_url(number, key))
        self.kept(self.take(run, code, request.POST.get("quantity", ""), typed="code" not in request.POST.get(MARK, "").split()))
        return self.show() if request.htmx else self.done(self.step_url(number, key))

    def take(self, run: StepRun, code: str, quantity: str, *, typed: bool):
        """Fill the slot the code belongs to; a code that belongs to none is tried on the next one, which keeps the wrong scan."""
        if not code.strip():
            raise UnreadableInput("scan_missing", "Nothing was scanned. Scan the label.", field="code")
        with self.reading():
            screen = Screen(run.lot.number, run.key)
            found = look_up(code)
            waiting = [slot["id"] for slot in screen.slots() if slot["state"] != "done"]
            step = screen.step
        lines = {line.material for line in step.materials}
        if found.material_lot is not None and found.material_lot.material.code in lines:
            return self.do(services.consume, step_run_id=run.pk, line=found.material_lot.material.code, scanned=code, quantity=quantity, typed=typed)
        if found.equipment is not None and found.equipment.equipment_class.code in step.equipment:
            return self.do(services.use_equipment, step_run_id=run.pk, class_code=found.equipment.equipment_class.code, scanned=code, typed=typed)
        if not waiting:
            raise RuleBroken("nothing_to_scan", f"{found.sentence or 'This is not needed here.'} Nothing more is scanned at step {run.key}.")
        kind, _, name = waiting[0].partition("-")
        if kind == "e":
            return self.do(services.use_equipment, step_run_id=run.pk, class_code=name, scanned=code, typed=typed)
        return self.do(services.consume, step_run_id=run.pk, line=name, scanned=code, quantity=quantity, typed=typed)

    def read(self, number: str, key: str) -> dict:
        return super().read(number, key) | {"target": "slots"}


class ChoosePage(StepPage):
    """The three ways about a value outside its limits."""

    permission = Permission.RECORD_VALUES
    fragment_name = "batches/execution/_chosen.html"

    def get(self, request, number: str, key: str, excursion_id) -> HttpResponse:
        return self.done(self.step_url(number, key))

    def post(self, request, number: str, key: str, excursion_id) -> HttpResponse:
        run, choice = self.run_of(number, key), request.POST.get("choice", "")
        if choice == "correct":
            return self.done(self.correction_url(number, key, excursion_id))
        self.do(services.choose, excursion_id=excursion_id, choice=choice, reason=request.POST.get("why", ""))
        if not request.htmx or self.run_of(number, key).state != run.state:
            return self.done(self.step_url(number, key))
        return self.show()

    def correction_url(self, number: str, key: str, excursion_id) -> str:
        with self.reading():
            screen = Screen(number, key)
            entry = next((way["excursion"].entry for way in ways_of(screen) if way["excursion"].pk == excursion_id), None)
        where = {"number": number, "key": key}
        if entry is None or entry.source == "calculated":
            return reverse("batches:execution:corrections", kwargs=where)
        return reverse("batches:execution:correct", kwargs=where | {"entry_id": entry.pk})

    def read(self, number: str, key: str, excursion_id) -> dict:
        return super().read(number, key) | {"target": "ways"}


class AttachPage(StepPage):
    """A raw file of a step."""

    permission = Permission.RECORD_VALUES

    def get(self, request, number: str, key: str, code: str) -> HttpResponse:
        return self.done(self.step_url(number, key))

    def post(self, request, number: str, key: str, code: str) -> HttpResponse:
        run, file = self.run_of(number, key), request.FILES.get("file")
        if file is None:
            raise UnreadableInput("file_missing", "No file was chosen. Choose the file, then attach it.", field="file")
        if file.size > LARGEST_FILE:
            raise UnreadableInput("file_too_large", f"The file has {file.size // 1024**2} MB; 20 MB fit. Export a smaller one.", field="file")
        self.do(
            services.attach, step_run_id=run.pk, code=code, file_name=file.name, media_type=file.content_type or "application/octet-stream",
            content=file.read(),
        )  # fmt: skip
        return self.done(self.step_url(number, key))


class FilePage(StepPage):
    """A raw file as it was attached."""

    def get(self, request, number: str, key: str, file_id) -> HttpResponse:
        with self.reading():
            run = queries.run_by_key(number, key)
            check_may_read_step(self.by, run, queries.step_of(run))
            kept, content = file_content(run, file_id)
        # Never shown in the page's own origin: a file may hold anything.
        response = HttpResponse(content, content_type="application/octet-stream")
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{_quoted(kept.file_name)}"
        response["X-Content-Type-Options"] = "nosniff"
        return response


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name)


class ConfirmReadingPage(StepPage):
    """A named person confirms that a reading is the value of this step."""

    permission = Permission.RECORD_VALUES

    def get(self, request, number: str, key: str, **more) -> HttpResponse:
        return self.done(self.step_url(number, key))

    def post(self, request, number: str, key: str, reading_id, parameter: str) -> HttpResponse:
        run = self.run_of(number, key)
        self.kept(self.do(services.confirm_reading, reading_id=reading_id, step_run_id=run.pk, parameter=parameter))
        return self.done(self.step_url(number, key))


class StopPage(StepPage):
    """Stop a step, with the reason."""

    permission = Permission.RECORD_VALUES
    template_name = "batches/execution/stop.html"

    def post(self, request, number: str, key: str) -> HttpResponse:
        run = self.run_of(number, key)
        seen = request.POST.get("seen", "")
        if not seen.isdigit():
            raise StaleRecord()
        self.do(services.stop_step, step_run_id=run.pk, seen=int(seen), reason=request.POST.get("reason", ""))
        return self.done(self.step_url(number, key))
