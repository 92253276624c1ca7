"""Everything of a step that is signed, each as one page (and as a dialog over the step)."""

from __future__ import annotations

import datetime as dt

from django.http import HttpResponse
from django.urls import reverse

from batches.execution import queries, services
from batches.execution.models import StepRun
from batches.execution.queries.content import decision_subject, left_out_subject, resume_subject, signed_by, typed_subject
from batches.execution.rules import check_may_be_left_out, check_may_read_step
from batches.execution.states import CHOICE_WORDS
from batches.execution.views.screen import STATES, Screen
from batches.execution.work import At
from batches.permissions import Permission
from batches.recipes.quantities import read_back
from mes.clock import day_words
from mes.errors import Missing, RuleBroken, UnreadableInput
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.pages import SigningPage

WORDS = {"alarm": "Outside limits", "warn": "Alert"}


class StepSigning(SigningPage):
    """A signature on one step run."""

    permission = (Permission.RECORD_VALUES, Permission.SIGN_AS_SECOND_PERSON)
    schema_of = staticmethod(queries.subject_of)

    def run(self) -> StepRun:
        """The run; call it inside a context."""
        run = queries.run_by_key(self.kwargs["number"], self.kwargs["key"])
        check_may_read_step(self.by, run, queries.step_of(run))
        return run

    def at(self) -> At:
        """The step by its address: the deed finds, locks and checks it."""
        return At(self.kwargs["number"], self.kwargs["key"])

    def seen_run(self) -> StepRun:
        """The run, read in a context of its own, for the service call."""
        with site_context(self.by.site_id):
            return self.run()

    def what(self, **kwargs) -> ceremony.Subject:
        return queries.subject_of(self.run())

    def summary(self, **kwargs) -> dict:
        screen = Screen(kwargs["number"], kwargs["key"])
        self.check(screen)
        return {
            "title": self.heading(screen),
            "page_title": f"Sign {screen.lot.number}, step {screen.run.key}",
            "lot": screen.band(),
            "facts": screen.facts(),
            "caption": f"You sign for exactly this: {screen.step.title}",
            "rows": self.rows(screen),
            "recap_hint": f"Record version {screen.run.version}.",
            "done": [
                {"name": each["signature"].full_name, "at": each["signature"].recorded_at, "meaning": each["signature"].meaning_text}
                for each in signed_by(screen.run)
            ],
            "back_url": self.step_url(),
            "back_label": "Back to the step",
            "ok": "Sign",
        } | self.more(screen)  # fmt: skip

    def heading(self, screen: Screen) -> str:
        return f"Sign step {screen.run.key} of"

    def more(self, screen: Screen) -> dict:
        return {}

    def check(self, screen: Screen) -> None:
        """Raises RuleBroken where signing makes no sense yet, before anybody types a PIN."""

    def step_url(self) -> str:
        return reverse("batches:execution:step", kwargs={"number": self.kwargs["number"], "key": self.kwargs["key"]})

    def done_url(self, result, **kwargs) -> str:
        return self.step_url()

    def rows(self, screen: Screen) -> list[dict]:
        """What is signed, in the words and the order of the signed content."""
        content = queries.step_content(screen.run)
        rows = [{"label": "Identity", "value": each["container"], "sub": f"{each['identifier']}, {each['how']}"} for each in content["identity"]]
        rows += [
            {"label": each["name"], "value": each["code"], "sub": f"calibrated until {signed_day(each['calibrated_until'], screen)}"}
            for each in content["equipment"]
        ]
        rows += [
            {
                "label": each["material"], "value": each["quantity"], "unit": each["unit"],
                "sub": f"lot {each['number']}, expires {signed_day(each['expires'], screen)}",
            }
            for each in content["materials"]
        ]  # fmt: skip
        chosen = {each["parameter"]: each["choices"] for each in content["excursions"]}
        rows += [self.value_row(each, chosen.get(each["parameter"], []), screen) for each in content["values"]]
        rows += [{"label": each["name"], "value": f"{each['size']} bytes", "sub": f"SHA-256 {each['sha256'][:16]}…"} for each in content["files"]]
        return rows

    def value_row(self, value: dict, choices: list[dict], screen: Screen) -> dict:
        state = STATES.get(value["level"], "")
        sub = [value["judgement"].rstrip(".")] if state in WORDS else []
        sub += [f"corrected from {each['value']}" for each in value["before"]]
        sub += [f"{CHOICE_WORDS.get(each['choice'], each['choice'])}: {each['reason']}" for each in choices]
        entry = screen.entries.get(value["parameter"])
        if entry is not None and (back := read_back(value["value"], entry.value)):
            sub.append(back)
        if value["late"] == "yes":
            sub.append(f"late entry: {value['reason']}")
        if value["by"] != self.by.full_name:
            sub.append(f"recorded by {value['by']}")
        return {
            "label": value["name"],
            "value": screen.as_read(value["parameter"], value["value"]), "unit": value["unit"], "state": state if state in WORDS else "",
            "word": WORDS.get(state, ""), "sub": "; ".join(sub),
        }  # fmt: skip


def signed_day(moment: str, screen: Screen) -> str:
    """The day of a signed moment, in the zone of the site."""
    return day_words(dt.datetime.fromisoformat(moment), screen.zone)


class PerformPage(StepSigning):
    """Sign a step as performed. Pressed too early it says what is missing."""

    meaning = "performed"
    permission = Permission.RECORD_VALUES

    def check(self, screen: Screen) -> None:
        missing = queries.missing(screen.run)
        if missing:
            words = " ".join(each.text for each in missing[:4]) + (f" And {len(missing) - 4} more." if len(missing) > 4 else "")
            raise RuleBroken("step_incomplete", f"{len(missing)} thing{'s are' if len(missing) > 1 else ' is'} left in step {screen.run.key}. {words}")
        if screen.run.state != "open":
            raise RuleBroken("step_not_open", f"Step {screen.run.key} is not open, so it cannot be signed as performed.")

    def sign(self, proof, **kwargs):
        return self.do(services.perform_step, step_run_id=self.at(), proof=proof)

    def more(self, screen: Screen) -> dict:
        second = screen.step.second_person != "none"
        return {"foot": "A second person signs next." if second else "One person signs this step."}


class SecondPage(StepSigning):
    """Sign a performed step as the second person."""

    permission = (Permission.SIGN_AS_SECOND_PERSON, Permission.RECORD_VALUES)

    def meaning_code(self, **kwargs) -> str:
        return queries.second_meaning(queries.step_of(self.run()))

    def post(self, request, **kwargs) -> HttpResponse:
        with site_context(self.by.site_id):
            code = self.meaning_code(**kwargs)
        # Outside of a context the meaning is asked again: it does not change with the state of the step.
        self.meaning_code = lambda **_kwargs: code
        return super().post(request, **kwargs)

    def what(self, **kwargs) -> ceremony.Subject:
        return queries.signed_subject(self.run())

    def check(self, screen: Screen) -> None:
        if screen.run.state != "performed":
            raise RuleBroken("step_not_performed", f"The performer of step {screen.run.key} signs first.")

    def rows(self, screen: Screen) -> list[dict]:
        rows, made = super().rows(screen), screen.run.stepdecision_facts.first()
        if made is None:
            return rows
        title = next(each.title for each in screen.step.decision.options if each.code == made.option)
        return [*rows, {"label": "Decision", "value": title, "sub": made.reason}]

    def sign(self, proof, **kwargs):
        return self.do(services.second_sign_step, step_run_id=self.at(), proof=proof)

    def more(self, screen: Screen) -> dict:
        asked = {"title": "What the step asked for", "lines": [line.strip() for line in screen.step.instruction.splitlines() if line.strip()]}
        return {"notes": [asked], "foot": "The performer, and who recorded values, cannot also check the step."}


class DecidePage(StepSigning):
    """Answer the question of a decision step by signature."""

    meaning = "decided"
    permission = Permission.RECORD_VALUES

    carried = ("why",)

    @property
    def why(self) -> str:
        return self.given("why")

    def what(self, **kwargs) -> ceremony.Subject:
        return decision_subject(self.run(), kwargs["option"], self.why)

    def check(self, screen: Screen) -> None:
        option = self.option(screen)
        if option.consequence != "continue" and len(self.why) < 3:
            raise UnreadableInput("reason_missing", f"{option.title} needs a reason in your words. Type it at the step, then sign.", field="why")
        missing = queries.missing(screen.run)
        if missing:
            raise RuleBroken("step_incomplete", f"{len(missing)} left in step {screen.run.key}. {' '.join(each.text for each in missing[:4])}")

    def option(self, screen: Screen):
        chosen = next((each for each in (screen.step.decision.options if screen.step.decision else ()) if each.code == self.kwargs["option"]), None)
        if chosen is None:
            raise Missing("unknown_option", f"Step {screen.run.key} has no such answer.")
        return chosen

    def rows(self, screen: Screen) -> list[dict]:
        return [*super().rows(screen), {"label": screen.step.decision.question, "value": self.option(screen).title, "sub": self.why}]

    def more(self, screen: Screen) -> dict:
        consequence = {"continue": "The lot goes on", "hold": "The lot is put on hold", "terminate": "The lot ends here"}[self.option(screen).consequence]
        after = "" if screen.step.second_person == "none" else " when the second person has signed too"
        return {"foot": f"{consequence}{after}.", "ok": self.option(screen).title}

    def sign(self, proof, **kwargs):
        return self.do(services.decide, step_run_id=self.at(), option=kwargs["option"], reason=self.why, proof=proof)


class TypedPage(StepSigning):
    """Open a step on an identifier that could not be scanned: typed in full, read by a second person too."""

    meaning = "typed_identifier"
    permission = Permission.RECORD_VALUES

    carried = ("identifier",)

    @property
    def code(self) -> str:
        return self.given("identifier")

    def get(self, request, **kwargs) -> HttpResponse:
        with site_context(self.by.site_id):
            screen = Screen(kwargs["number"], kwargs["key"])
            self.template_name = self.fragment_name = "batches/execution/typed.html"
            return self.draw(screen.context())

    def what(self, **kwargs) -> ceremony.Subject:
        return typed_subject(self.run(), self.code)

    def rows(self, screen: Screen) -> list[dict]:
        wanted = screen.wanted()
        return [{"label": wanted["what"] if wanted else "Container", "value": self.code, "sub": "typed in full from the container"}]

    def heading(self, screen: Screen) -> str:
        return f"Open step {screen.run.key} of"

    def more(self, screen: Screen) -> dict:
        return {
            "caption": "You read this on the container",
            "foot": "Labels that cannot be read are counted.", "ok": "Sign and open",
        }  # fmt: skip

    def sign(self, proof, **kwargs):
        run = self.seen_run()
        result = self.do(services.open_step, step_run_id=run.pk, seen=run.version, scanned=self.code, typed_with=proof)
        refusal = queries.refusal_of(result)
        if refusal is not None:
            raise refusal
        return result


class ResumePage(StepSigning):
    """A supervisor or quality decides that a stopped step goes on."""

    meaning = "resumed"
    permission = Permission.RESUME_LOT

    def what(self, **kwargs) -> ceremony.Subject:
        return resume_subject(self.run(), "")

    def with_reason(self, reason: str, **kwargs) -> ceremony.Subject:
        return resume_subject(self.run(), reason)

    def check(self, screen: Screen) -> None:
        if screen.run.state != "stopped":
            raise RuleBroken("step_not_stopped", f"Step {screen.run.key} is not stopped; there is nothing to resume.")

    def heading(self, screen: Screen) -> str:
        return f"Resume step {screen.run.key} of"

    def more(self, screen: Screen) -> dict:
        return {"notes": [{"state": "alarm", "title": screen.run.state_reason, "text": "This stopped the step."}], "ok": "Sign: the step goes on"}

    def sign(self, proof, **kwargs):
        run = self.seen_run()
        return self.do(services.resume_step, step_run_id=run.pk, seen=run.version, reason=self.reason, proof=proof)


class LeaveOutPage(ResumePage):
    """A supervisor or quality decides that a step is not done."""

    meaning = "left_out"

    def what(self, **kwargs) -> ceremony.Subject:
        return left_out_subject(self.run())

    def with_reason(self, reason: str, **kwargs) -> ceremony.Subject:
        return left_out_subject(self.run(), reason)

    def check(self, screen: Screen) -> None:
        check_may_be_left_out(screen.run, screen.recipe)

    def heading(self, screen: Screen) -> str:
        return f"Leave out step {screen.run.key} of"

    def more(self, screen: Screen) -> dict:
        note = {"state": "warn", "title": "The step will not be done.", "text": "This opens a deviation; quality assesses it before release."}
        return {"notes": [note], "ok": "Sign: leave this step out"}

    def sign(self, proof, **kwargs):
        run = self.seen_run()
        return self.do(services.leave_out_step, step_run_id=run.pk, seen=run.version, reason=self.reason, proof=proof)
