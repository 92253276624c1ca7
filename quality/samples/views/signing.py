"""What is signed in the laboratory: the review of results, and the correction of a transcription."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from batches.lots.band import band
from batches.recipes.quantities import read_back
from mes.records.context import site_context
from mes.signatures.pages import SigningPage
from mes.web.pages import Page
from quality.permissions import Permission
from quality.samples import queries, services
from quality.samples.forms import CorrectionForm
from quality.samples.models import Result
from quality.samples.views.results import ResultsPage
from quality.samples.views.rows import FAILED
from quality.specifications.verdicts import WORDS, Outcome


def signed_row(result: Result) -> dict:
    """A result as it is signed: what was reported, with its verdict."""
    failing = result.verdict in FAILED
    sub = [result.rule, f"tested by {result.by.full_name}"]
    if back := read_back(result.value_text, result.value):
        sub.insert(0, back)
    if result.kind == "interim":
        sub.insert(0, f"interim reading, day {result.interim_day}")
    if result.evidence != "measured":
        sub.append(queries.MARKS[result.evidence])
    word = WORDS[Outcome(result.verdict)]
    return {
        "label": queries.name_of(result), "value": result.value_text, "unit": result.unit, "state": "alarm" if failing else "", "word": word if failing else "",
        "sub": "; ".join([*([] if failing else [word]), *sub]),
    }  # fmt: skip


class ReviewResultPage(SigningPage):
    """A second person reviews one result."""

    permission = Permission.REVIEW_RESULTS
    meaning = "reviewed_result"

    def what(self, result_id):
        return queries.review_subject(queries.result_by_id(result_id))

    def summary(self, result_id) -> dict:
        result = queries.result_by_id(result_id)
        return band(queries.lot_by_number(result.lot.number)) | {
            "title": "Review a result of", "page_title": f"Review {queries.name_of(result)}", "rows": [signed_row(result)], "back_label": "Back to the results",
            "back_url": ResultsPage.url(result.lot.number, result.criterion), "ok": "Sign the review", "foot": "Who tested does not review.",
        }  # fmt: skip

    def sign(self, proof, result_id):
        return self.do(services.review_result, result_id=result_id, proof=proof)

    def done_url(self, result, result_id) -> str:
        return address_of(self, result_id)


def address_of(page: Page, result_id) -> str:
    """Where a result is shown."""
    with site_context(page.by.site_id):
        found = queries.result_by_id(result_id)
        return ResultsPage.url(found.lot.number, found.criterion)


class ReviewSamplePage(SigningPage):
    """A second person reviews every result of a sample with one signature."""

    permission = Permission.REVIEW_RESULTS
    meaning = "reviewed_result"

    def what(self, identifier):
        sample = queries.sample_by_identifier(identifier)
        return queries.sample_review_subject(sample, queries.unreviewed(sample))

    def summary(self, identifier) -> dict:
        sample = queries.sample_by_identifier(identifier)
        results = queries.unreviewed(sample)
        return band(queries.lot_by_number(sample.lot.number)) | {
            "title": f"Review the results of {sample.code}, lot", "page_title": f"Review {sample.identifier}", "rows": [signed_row(each) for each in results],
            "caption": "You sign for this result" if len(results) == 1 else f"You sign for these {len(results)} results", "back_label": "Back to the sample",
            "back_url": reverse("quality:samples:sample", kwargs={"identifier": identifier}), "ok": "Sign the review", "foot": "Who tested does not review.",
        }  # fmt: skip

    def sign(self, proof, identifier):
        with site_context(self.by.site_id):
            sample = queries.sample_by_identifier(identifier)
        return self.do(services.review_sample, sample_id=sample.pk, seen=sample.version, proof=proof)

    def done_url(self, result, identifier) -> str:
        return reverse("quality:samples:sample", kwargs={"identifier": identifier})


class CorrectionPage(Page):
    """Type what a result becomes and why; the next page is signed by a second person."""

    permission = Permission.RECORD_RESULTS
    template_name = "quality/samples/reason.html"
    title = "Correct a result"

    def read(self, result_id) -> dict:
        result = queries.result_by_id(result_id)
        return band(queries.lot_by_number(result.lot.number)) | {
            "heading": f"Correct {queries.name_of(result)}",
            "lead": f"Recorded: {result.value_text} {result.unit}. It stays visible; a second person compares the new value with its source and signs.",
            "form": CorrectionForm(initial=self.typed or None),
            "ok": "Go on to the signature",
            "back_url": ResultsPage.url(result.lot.number, result.criterion),
            "back_label": "Back to the results",
        }

    def post(self, request, result_id) -> HttpResponse:
        form = CorrectionForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        signing = SignCorrectionPage()
        signing.setup(request, result_id=result_id)
        return signing.show()


class SignCorrectionPage(SigningPage):
    """The second person signs that the corrected value is what its source says."""

    permission = Permission.RECORD_RESULTS
    meaning = "confirmed_transcription"
    carried = ("value", "reason")

    def becomes(self, result: Result) -> dict:
        return {"text": self.given("value"), "unit": result.unit, "method_version": result.method_version, "reason": self.given("reason")}

    def what(self, result_id):
        result = queries.result_by_id(result_id)
        return queries.correction_subject(result, **self.becomes(result))

    def summary(self, result_id) -> dict:
        result = queries.result_by_id(result_id)
        new = self.becomes(result)
        return band(queries.lot_by_number(result.lot.number)) | {
            "title": "Correct a result of", "page_title": f"Correct {queries.name_of(result)}",
            "action": reverse("quality:samples:sign_correction", kwargs={"result_id": result_id}),
            "rows": [
                {"label": "Recorded", "value": result.value_text, "unit": result.unit, "sub": f"by {result.by.full_name}"},
                {"label": "Becomes", "value": new["text"], "unit": new["unit"]},
                {"label": "Reason", "value": new["reason"]},
            ],
            "back_url": ResultsPage.url(result.lot.number, result.criterion), "back_label": "Back to the results", "ok": "Sign the correction",
            "foot": "Who corrects does not sign this: another person compares it with its source.",
        }  # fmt: skip

    def sign(self, proof, result_id):
        with site_context(self.by.site_id):
            new = self.becomes(queries.result_by_id(result_id))
        return self.do(services.correct_result, result_id=result_id, proof=proof, **new)

    def done_url(self, result, result_id) -> str:
        return address_of(self, result_id)
