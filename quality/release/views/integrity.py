"""Signing pages of the two persons who judge a broken trail or a missing guard (decisions 8)."""

from __future__ import annotations

from batches.lots.band import band
from batches.lots.states import LOT_WORDS
from mes.records import guard_words
from mes.records.context import site_context
from mes.signatures.pages import SigningPage
from quality.permissions import Permission
from quality.release import integrity, queries, services
from quality.release.views.decision import release_url


class _IntegrityPage(SigningPage):
    def shown(self, lot, findings: list[str]) -> dict:
        rows = [{"label": "Lot", "value": lot.number}, {"label": "State", "value": LOT_WORDS[lot.state]}]
        found = [guard_words.said(each) for each in findings]
        for number, each in enumerate(found, start=1):
            rows.append({"label": f"Found, {number}", "value": each.words[:1].upper() + each.words[1:], "exact": each.exact, "state": "alarm"})
        return band(lot) | {
            "page_title": f"Assess the trail of {lot.number}", "back_url": release_url(lot.number), "back_label": "Not now", "rows": rows,
            "recap_hint": f"{len(findings)} found. One more, or one fewer, and this no longer counts.",
            "foot": "Two persons of quality sign, and neither made, checked or tested the lot. The certificate prints both.",
        }  # fmt: skip

    def done_url(self, result, number: str) -> str:
        return release_url(number)


class AssessIntegrityPage(_IntegrityPage):
    """`/lots/<number>/release/assess-trail/`: the first signature, with the assessment typed on the page."""

    permission = Permission.ASSESS_DEVIATIONS
    title = "Assess the audit trail"
    meaning = "assessed_integrity"

    def what(self, number: str):
        lot = queries.lot_by_number(number)
        return integrity.assessment_subject(lot, integrity.assessable(lot))

    def with_reason(self, reason: str, number: str):
        lot = queries.lot_by_number(number)
        return integrity.assessment_subject(lot, integrity.assessable(lot), reason)

    def summary(self, number: str) -> dict:
        lot = queries.lot_by_number(number)
        return self.shown(lot, integrity.assessable(lot)) | {
            "title": "Assess what was found about lot", "caption": "What does not hold now", "reason_label": "Your assessment: what it means for this lot",
            "ok": "Sign the assessment",
        }  # fmt: skip

    def sign(self, proof, number: str):
        with site_context(self.by.site_id):
            lot = queries.lot_by_number(number)
        return self.do(services.assess_integrity, lot_id=lot.pk, text=self.reason, proof=proof)


class ConfirmIntegrityPage(_IntegrityPage):
    """`/lots/<number>/release/confirm-trail/`: the second signature, with password and one-time code."""

    permission = Permission.CERTIFY_LOT
    title = "Confirm the assessment"
    meaning = "confirmed_integrity"

    def what(self, number: str):
        lot = queries.lot_by_number(number)
        return integrity.confirmation_subject(lot, integrity.confirmable(lot))

    def summary(self, number: str) -> dict:
        lot = queries.lot_by_number(number)
        assessment = integrity.confirmable(lot)
        made, shown = assessment.signature, self.shown(lot, assessment.findings)
        shown["rows"].append({"label": f"Assessed by {made.full_name}", "value": assessment.text})
        return shown | {
            "title": "Confirm the assessment of lot", "caption": "You agree that the lot can be judged for release on exactly this",
            "ok": "Sign: the lot can be judged", "done": [{"name": made.full_name, "at": made.recorded_at, "meaning": made.meaning_text}],
        }  # fmt: skip

    def sign(self, proof, number: str):
        with site_context(self.by.site_id):
            lot = queries.lot_by_number(number)
        return self.do(services.confirm_integrity, lot_id=lot.pk, proof=proof)
