"""Starting material: one donation of a lot, collected, received and decided on."""

from __future__ import annotations

from django.http import HttpResponse

from batches.lots import forms, queries, services
from batches.lots.band import band
from batches.lots.models import Donation
from batches.lots.states import DONATION_WORDS
from batches.lots.views.detail import OfLot, seen_of
from batches.lots.views.scanned import code_in
from batches.lots.views.second_reader import ReadByTwoPage
from batches.permissions import Permission
from mes.clock import moment_words
from mes.errors import Missing
from mes.records.context import site_context
from mes.signatures.pages import SigningPage


def donation_of(number: str, din: str) -> Donation:
    """The donation of a lot by its number. Raises Missing. Call it inside the site context."""
    lot = queries.lot_by_number(number)
    found = next((each for each in queries.donations_of(lot) if each.din == din), None)
    if found is None:
        raise Missing("not_found", f"Donation {din} does not feed lot {number}.")
    return found


class DonationPage(ReadByTwoPage, OfLot):
    """One donation and the act that is next."""

    template_name = "batches/lots/donation.html"
    title = "Donation"

    ACTS = {
        "expected": (Permission.RECORD_COLLECTION, "collect", "Record the collection"),
        "collected": (Permission.RECEIVE_STARTING_MATERIAL, "receive", "Record the receipt"),
    }

    def read(self, number: str, din: str) -> dict:
        lot, donation = self.lot(), donation_of(number, din)
        right, act, words = self.ACTS.get(donation.state, (None, "", ""))
        return band(lot) | {
            "page_title": f"Donation {din}",
            "heading": f"Donation {din}",
            "donation_state": {"accepted": "", "rejected": "alarm", "received": "warn"}.get(donation.state, "pending"),
            "donation_word": DONATION_WORDS[donation.state],
            "donation": donation,
            "history": list(donation.history.select_related("history_user").order_by("version")),
            "words": DONATION_WORDS,
            "form": forms.ScanForm(initial=self.typed or None) if right in self.request.rights else None,
            "act": act,
            "ok": words,
            "seen": donation.version,
            "asks_second_reader": self.asks_second_reader,
            "may_decide": donation.state == "received" and Permission.DECIDE_STARTING_MATERIAL in self.request.rights,
            "back_url": self.back(),
        }

    def post(self, request, number: str, din: str) -> HttpResponse:
        form = forms.ScanForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        with site_context(self.by.site_id):
            donation = donation_of(number, din)
        service = {"collect": services.collect_donation, "receive": services.receive_donation}.get(request.POST.get("act", ""))
        if service is None:
            raise Missing("not_found", "There is no such act.")
        scanned = code_in(request.POST, "scanned", form.cleaned_data["scanned"])
        self.do(service, donation_id=donation.pk, seen=seen_of(request), scanned=scanned, typed_with=self.second_reader(donation, scanned))
        self.say(f"Donation {din} is {'collected' if service is services.collect_donation else 'received'}.")
        return self.done(f"/lots/{number}/donations/{din}/")


class AddDonationPage(OfLot):
    """A further donation feeds the lot."""

    permission = Permission.ORDER_LOT
    template_name = "batches/lots/act.html"
    title = "Add a donation"

    def read(self, number: str) -> dict:
        lot = self.lot()
        return band(lot) | {
            "heading": f"Add a donation to lot {lot.number}",
            "form": forms.DinForm(initial=self.typed or None),
            "ok": "Add the donation",
            "back_url": self.back(),
            "back_label": "Back to the lot",
        }

    def post(self, request, number: str) -> HttpResponse:
        form = forms.DinForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        donation = self.do(services.add_donation, lot_id=self.lot_id(), din=form.cleaned_data["din"])
        self.say(f"Donation {donation.din} feeds this lot.")
        return self.done(self.back())


class DecideDonation(SigningPage):
    """QA accepts or rejects a donation as starting material, by signature."""

    permission = Permission.DECIDE_STARTING_MATERIAL
    meaning = "accepted_starting_material"
    title = "Decide on starting material"

    def accepts(self) -> bool:
        return self.kwargs["decision"] == "accept"

    def donation(self) -> Donation:
        return donation_of(self.kwargs["number"], self.kwargs["din"])

    def what(self, number: str, din: str, decision: str):
        return queries.decision_subject(self.donation(), self.accepts())

    def with_reason(self, reason: str, number: str, din: str, decision: str):
        return queries.decision_subject(self.donation(), self.accepts(), reason)

    def summary(self, number: str, din: str, decision: str) -> dict:
        content = queries.decision_content(self.donation(), self.accepts())
        shown = band(queries.lot_by_number(number))
        at = self.donation().collected_at
        shown_at = {content["collected_at"]: moment_words(at, self.request.site.time_zone)} if at else {}
        labels = {"din": "Donation number", "coi": "Chain of identity", "state": "State", "collected_at": "Collected", "decision": "Decision"}
        return {
            "title": f"{'Accept' if self.accepts() else 'Reject'} donation {din} of",
            "lot": shown["lot"],
            "facts": shown["facts"],
            "rows": [{"label": labels[name], "value": (shown_at | DONATION_WORDS).get(text, text) or "–"} for name, text in content.items() if name in labels],
            "needs_reason": not self.accepts(),
            "ok": "Sign: accept" if self.accepts() else "Sign: reject",
            "foot": "Whoever collected or received the donation does not decide on it.",
            "back_url": f"/lots/{number}/donations/{din}/",
            "back_label": "Back to the donation",
        }

    def sign(self, proof, number: str, din: str, decision: str):
        with site_context(self.by.site_id):
            donation = self.donation()
        return self.do(services.decide_donation, donation_id=donation.pk, seen=donation.version, accept=self.accepts(), reason=self.reason, proof=proof)

    def done_url(self, result, number: str, din: str, decision: str) -> str:
        return f"/lots/{number}/"
