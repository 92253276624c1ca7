"""The signatures of a step over the API: the same ceremony as on the page, for a person who is present."""

from __future__ import annotations

from batches.execution import queries, services
from batches.execution.models import Entry, StepRun
from batches.execution.queries.content import (
    correction_of_consumption_subject,
    correction_subject,
    decision_subject,
    left_out_subject,
    resume_subject,
    typed_subject,
)
from batches.execution.rules import check_may_read_step
from batches.execution.work import At
from batches.materials.models import Consumption
from batches.permissions import Permission
from mes.signatures.api import SigningView


class StepSign(SigningView):
    """Base of the signatures of a step."""

    permission = Permission.RECORD_VALUES

    def run(self, number: str, key: str) -> StepRun:
        run = queries.run_by_key(number, key)
        check_may_read_step(self.actor, run, queries.step_of(run))
        return run

    def seen_run(self, number: str, key: str) -> StepRun:
        with self.reading():
            return self.run(number, key)

    def asked(self, name: str) -> str:
        """What is to be signed and is not on the record yet: given in the query string of GET and POST alike."""
        return self.request.query_params.get(name, "").strip()


class PerformSign(StepSign):
    """Sign a step as performed."""

    meaning = "performed"

    def what(self, number: str, key: str):
        return queries.subject_of(self.run(number, key))

    def sign(self, proof, number: str, key: str):
        return services.perform_step(by=self.actor, step_run_id=At(number, key), proof=proof)


class SecondSign(StepSign):
    """Sign a performed step as second person."""

    permission = Permission.SIGN_AS_SECOND_PERSON

    def meaning_code(self, number: str, key: str) -> str:
        with self.reading():
            return queries.second_meaning(queries.step_of(self.run(number, key)))

    def what(self, number: str, key: str):
        return queries.signed_subject(self.run(number, key))

    def sign(self, proof, number: str, key: str):
        return services.second_sign_step(by=self.actor, step_run_id=At(number, key), proof=proof)


class DecideSign(StepSign):
    """Answer a decision step; the reason is `reason` in the query string."""

    meaning = "decided"

    def what(self, number: str, key: str, option: str):
        return decision_subject(self.run(number, key), option, self.asked("reason"))

    def sign(self, proof, number: str, key: str, option: str):
        return services.decide(by=self.actor, step_run_id=At(number, key), option=option, reason=self.asked("reason"), proof=proof)


class CorrectSign(StepSign):
    """Correct a value; `value` and `reason` stand in the query string."""

    meaning = "confirmed_transcription"

    def what(self, number: str, key: str, entry_id):
        run = self.run(number, key)
        entry = Entry.objects.select_related("by").one(pk=entry_id, step_run=run)
        return correction_subject(entry, run, self.asked("value"), self.asked("reason"))

    def sign(self, proof, number: str, key: str, entry_id):
        result = services.correct_value(by=self.actor, entry_id=entry_id, text=self.asked("value"), reason=self.asked("reason"), proof=proof)
        refusal = queries.refusal_of(result)
        if refusal is not None:
            raise refusal


class CorrectQuantitySign(StepSign):
    """Correct a quantity that was taken; `quantity` and `reason` stand in the query string. Zero takes it back."""

    meaning = "confirmed_transcription"

    def what(self, number: str, key: str, consumption_id):
        run = self.run(number, key)
        line = Consumption.objects.select_related("material_lot").one(pk=consumption_id, step_run=run)
        return correction_of_consumption_subject(line, run, self.asked("quantity"), self.asked("reason"))

    def sign(self, proof, number: str, key: str, consumption_id):
        return services.correct_consumption(
            by=self.actor, consumption_id=consumption_id, quantity=self.asked("quantity"), reason=self.asked("reason"), proof=proof
        )


class TypedSign(StepSign):
    """Open a step on a typed identifier, with a second person; `identifier` stands in the query string."""

    meaning = "typed_identifier"

    def what(self, number: str, key: str):
        return typed_subject(self.run(number, key), self.asked("identifier"))

    def sign(self, proof, number: str, key: str):
        run = self.seen_run(number, key)
        result = services.open_step(by=self.actor, step_run_id=run.pk, seen=run.version, scanned=self.asked("identifier"), typed_with=proof)
        refusal = queries.refusal_of(result)
        if refusal is not None:
            raise refusal


class ResumeSign(StepSign):
    """Decide that a stopped step goes on."""

    permission, meaning = Permission.RESUME_LOT, "resumed"

    def what(self, number: str, key: str):
        return resume_subject(self.run(number, key), "")

    def with_reason(self, reason: str, number: str, key: str):
        return resume_subject(self.run(number, key), reason)

    def sign(self, proof, number: str, key: str):
        run = self.seen_run(number, key)
        return services.resume_step(by=self.actor, step_run_id=run.pk, seen=run.version, reason=self.reason, proof=proof)


class LeaveOutSign(ResumeSign):
    """Decide that a step is not done; this opens a deviation."""

    meaning = "left_out"

    def what(self, number: str, key: str):
        return left_out_subject(self.run(number, key))

    def with_reason(self, reason: str, number: str, key: str):
        return left_out_subject(self.run(number, key), reason)

    def sign(self, proof, number: str, key: str):
        run = self.seen_run(number, key)
        return services.leave_out_step(by=self.actor, step_run_id=run.pk, seen=run.version, reason=self.reason, proof=proof)
