"""Pages of the vault: read an identity for a purpose, correct it. Addresses hold the pseudonym; answers are kept nowhere."""

from __future__ import annotations

from django.http import HttpResponse

from batches.permissions import Permission
from batches.subjects import forms, services
from batches.subjects.identity import FIELD_NAMES, read_identity_fields
from batches.subjects.models import Patient
from mes.records.context import site_context
from mes.web.pages import Page

WORDS = {"family_name": "Family name", "given_name": "Given name", "born": "Date of birth", "hospital_number": "Hospital number"}


class OfPatient(Page):
    """A page about one patient, by pseudonym."""

    permission = Permission.SEE_PATIENT_IDENTITY

    def patient(self) -> Patient:
        return Patient.objects.one(pseudonym=self.kwargs["pseudonym"])

    def found(self) -> Patient:
        """For a post, which stands outside any read context."""
        with site_context(self.by.site_id):
            return self.patient()

    def draw(self, context: dict, status: int = 200) -> HttpResponse:
        answer = super().draw(context, status)
        answer["Cache-Control"] = "no-store, private"
        return answer


class IdentityPage(OfPatient):
    """Who a patient is: shown once, after a purpose was named; each reading is recorded. COI-08."""

    template_name = "batches/subjects/identity.html"
    title = "Identity"

    def read(self, pseudonym: str) -> dict:
        patient = self.patient()
        return {
            "page_title": patient.pseudonym,
            "heading": f"Subject {patient.pseudonym}",
            "lead": "Each reading is recorded with your name and its purpose.",
            "patient": patient,
            "form": forms.PurposeForm(),
            "pairs": None,
        }

    def post(self, request, pseudonym: str) -> HttpResponse:
        form = forms.PurposeForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        _, identity = self.do(services.read_identity, patient_id=self.found().pk, purpose=form.cleaned_data["purpose"])
        return self.show(pairs=[{"k": WORDS[name], "v": getattr(identity, name)} for name in FIELD_NAMES], form=None)


class CorrectPage(OfPatient):
    """Correct an identity; the earlier version stays, encrypted."""

    template_name = "batches/subjects/correct.html"
    title = "Correct an identity"

    def read(self, pseudonym: str) -> dict:
        patient = self.patient()
        return {
            "page_title": patient.pseudonym,
            "heading": f"Correct the identity of {patient.pseudonym}",
            "lead": "Type all of it as the patient's document shows it.",
            "form": forms.CorrectionForm(initial=self.typed or None),
            "seen": patient.version,
            "ok": "Keep the correction",
            "back_url": f"/patients/{patient.pseudonym}/",
            "back_label": "Back to the subject",
        }

    def post(self, request, pseudonym: str) -> HttpResponse:
        form = forms.CorrectionForm(request.POST)
        if not form.is_valid():
            return self.show(422, form=form)
        typed, text = form.cleaned_data, request.POST.get("seen", "")
        identity = read_identity_fields(**{name: typed[name] for name in FIELD_NAMES})
        self.do(services.correct_identity, patient_id=self.found().pk, seen=int(text) if text.isdecimal() else 0, identity=identity, reason=typed["reason"])
        self.say("The correction is kept in the vault.")
        return self.done(f"/patients/{pseudonym}/")
