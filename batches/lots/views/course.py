"""Signed acts on a lot: hold, resume, terminate."""

from __future__ import annotations

from batches.lots import queries, services
from batches.lots.band import band
from batches.lots.states import LOT_WORDS, TERMINATION_REASONS
from batches.lots.views.detail import OfLot
from batches.permissions import Permission
from mes.errors import Missing
from mes.records.context import site_context
from mes.signatures.pages import SigningPage

LABELS = {
    "lot": "Lot", "check_code": "Check code", "coi": "Chain of identity", "product": "Product", "market": "Market", "state": "State",
    "decision": "Decision", "reason_code": "Reason", "reason_words": "In words", "hold": "Hold", "reason_of_hold": "Reason of the hold",
}  # fmt: skip


class SignOfLot(SigningPage):
    """What the signed acts on a lot share."""

    sentence = ""
    foot = ""

    def lot(self):
        return queries.lot_by_number(self.kwargs["number"])

    def content(self) -> dict:
        raise NotImplementedError

    def summary(self, **kwargs) -> dict:
        shown = band(self.lot())
        return {
            "title": self.sentence,
            "lot": shown["lot"],
            "facts": shown["facts"],
            "rows": [{"label": LABELS[name], "value": LOT_WORDS.get(text, text)} for name, text in self.content().items() if name not in ("hold", "reason")],
            "foot": self.foot,
            "back_url": f"/lots/{self.kwargs['number']}/",
            "back_label": "Back to the lot",
        }

    def done_url(self, result, **kwargs) -> str:
        return f"/lots/{self.kwargs['number']}/"


class HoldPage(SignOfLot):
    """Put the lot on hold."""

    permission, meaning, title, sentence = Permission.HOLD_LOT, "placed_on_hold", "Place on hold", "Place on hold:"
    foot = "Every step of the lot is read-only until the hold ends."

    def content(self) -> dict:
        return queries.course_content(self.lot(), "place on hold")

    def what(self, number: str):
        return queries.course_subject(self.lot(), "place on hold")

    def with_reason(self, reason: str, number: str):
        return queries.course_subject(self.lot(), "place on hold", reason=reason)

    def sign(self, proof, number: str):
        with site_context(self.by.site_id):
            lot = self.lot()
        return self.do(services.place_hold, lot_id=lot.pk, reason=self.reason, proof=proof)


class ResumePage(SignOfLot):
    """Decide that a held lot goes on."""

    permission, meaning, title, sentence = Permission.RESUME_LOT, "resumed", "Resume", "Resume"

    def hold(self):
        hold = queries.open_hold(self.lot())
        if hold is None:
            raise Missing("no_hold", "This lot is not on hold.")
        return hold

    def content(self) -> dict:
        return queries.hold_content(self.hold())

    def what(self, number: str):
        return queries.hold_subject(self.hold())

    def with_reason(self, reason: str, number: str):
        return queries.hold_subject(self.hold(), reason)

    def sign(self, proof, number: str):
        with site_context(self.by.site_id):
            hold = self.hold()
        return self.do(services.end_hold, hold_id=hold.pk, seen=hold.version, reason=self.reason, proof=proof)


class TerminateChoicePage(OfLot):
    """Choose why the lot ends; the next page is signed."""

    permission = Permission.TERMINATE_LOT
    template_name = "batches/lots/terminate.html"
    title = "Terminate"

    def read(self, number: str) -> dict:
        lot = self.lot()
        return band(lot) | {
            "heading": f"Terminate lot {lot.number}",
            "lead": "The lot ends here and is never released. Choose why; the next page asks for your words and your signature.",
            "reasons": [{"text": words, "url": f"/lots/{number}/terminate/{code}/"} for code, words in TERMINATION_REASONS.items()],
            "back_url": self.back(),
        }


class TerminatePage(SignOfLot):
    """End the lot before release."""

    permission, meaning, title, sentence = Permission.TERMINATE_LOT, "terminated", "Terminate", "Terminate"
    foot = "A terminated lot is never released. Its equipment is freed, its record is kept."

    def code(self) -> str:
        if self.kwargs["code"] not in TERMINATION_REASONS:
            raise Missing("not_found", "There is no such reason.")
        return self.kwargs["code"]

    def content(self) -> dict:
        return queries.course_content(self.lot(), "terminate", self.code())

    def what(self, number: str, code: str):
        return queries.course_subject(self.lot(), "terminate", self.code())

    def with_reason(self, reason: str, number: str, code: str):
        return queries.course_subject(self.lot(), "terminate", self.code(), reason=reason)

    def sign(self, proof, number: str, code: str):
        with site_context(self.by.site_id):
            lot = self.lot()
        return self.do(services.terminate_lot, lot_id=lot.pk, seen=lot.version, reason_code=self.code(), reason=self.reason, proof=proof)
