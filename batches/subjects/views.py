"""Pages of the vault: read an identity for a purpose, correct it, erase it. Addresses hold the pseudonym; answers are kept nowhere."""

from __future__ import annotations

import uuid

from django.http import HttpResponse

from batches.permissions import Permission
from batches.subjects import forms, queries, rules, services
from batches.subjects.identity import FIELD_NAMES, read_identity_fields
from batches.subjects.models import Patient
from mes.clock import record_now
from mes.errors import RuleBroken, UnreadableInput
from mes.records.context import site_context
from mes.signatures import ceremony
from mes.signatures.meanings import Meaning
from mes.signatures.models import SigningIntent
from mes.signatures.pages import SigningPage
from mes.web.pages import Page

WORDS = {"family_name": "Family name", "given_name": "Given name", "born": "Date of birth", "hospital_number": "Hospital number"}


class PatientsPage(Page):
    """Every subject by pseudonym, with its lots and whether its identity was erased. No identity is shown here."""

    permission = (Permission.SEE_PATIENT_IDENTITY, Permission.ERASE_PATIENT)
    template_name = "batches/subjects/list.html"
    title = "Subjects"

    def read(self) -> dict:
        return {
            "heading": "Subjects",
            "lead": "Patients by their pseudonyms. Who they are lies in the vault.",
            "caption": "Subjects, newest first",
            "columns": ["Subject", "Lots", "Identity"],
            "rows": [self.row(patient) for patient in queries.patients()],
            "table_id": "subjects",
            "empty_title": "No subject here.",
            "empty_text": "A subject appears when a lot is ordered for it.",
        }

    def row(self, patient: Patient) -> dict:
        lots = queries.lots_of(patient)
        open_ones = sum(lot.is_open for lot in lots)
        return {
            "url": f"/patients/{patient.pseudonym}/",
            "cells": [
                {"text": patient.pseudonym, "mono": True},
                {"text": ", ".join(lot.number for lot in lots) or "–", "sub": f"{open_ones} open" if open_ones else ""},
                {"text": "Erased" if patient.key_destroyed else "In the vault"},
            ],
        }


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

    permission = (Permission.SEE_PATIENT_IDENTITY, Permission.ERASE_PATIENT)
    template_name = "batches/subjects/identity.html"
    title = "Identity"

    def read(self, pseudonym: str) -> dict:
        patient, rights = self.patient(), self.request.rights
        may_see, kept = Permission.SEE_PATIENT_IDENTITY in rights, not patient.key_destroyed
        return {
            "page_title": patient.pseudonym,
            "heading": f"Subject {patient.pseudonym}",
            "lead": "Each reading is recorded with your name and its purpose." if may_see else "Your role does not read who this is.",
            "patient": patient,
            "lots": queries.lots_of(patient),
            "may_correct": may_see and kept,
            "may_erase": Permission.ERASE_PATIENT in rights and kept,
            "form": forms.PurposeForm() if may_see else None,
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


class ErasePage(SigningPage):
    """Two people sign, side by side, that an identity is erased; then its key is burnt. GDPR Art. 17; decisions on the vault: nothing brings it back."""

    permission = Permission.ERASE_PATIENT
    template_name = fragment_name = "batches/subjects/erase.html"
    title = "Erase an identity"
    meaning = "erased_identity"
    secret_fields = SigningPage.secret_fields | {"second_secret", "second_code", "second_intent"}
    at: str = ""
    """Whose signature was refused: first or second."""

    def patient(self) -> Patient:
        return Patient.objects.one(pseudonym=self.kwargs["pseudonym"])

    def what(self, pseudonym: str) -> ceremony.Subject:
        return queries.erasure_subject(self.patient())

    def with_reason(self, reason: str, pseudonym: str) -> ceremony.Subject:
        return queries.erasure_subject(self.patient(), reason)

    def summary(self, pseudonym: str) -> dict:
        patient = self.patient()
        rules.check_erasable(patient, queries.has_open_lots(patient), queries.traced(patient), record_now())
        lots = ", ".join(lot.number for lot in queries.lots_of(patient))
        return {
            "page_title": f"Erase {patient.pseudonym}",
            "patient": patient,
            "seen": patient.version,
            "rows": [
                {"label": "Subject", "value": patient.pseudonym},
                {"label": "Lots", "value": lots or "none", "sub": "their records stay whole"},
                {"label": "Decision", "value": "Erase the identity by destroying its key"},
            ],
            "at": self.at,
        }

    def dialog(self, meaning: Meaning, intent: SigningIntent, changed: bool) -> dict:
        second = ceremony.prepare(self.by, self.what(**self.kwargs), meaning.code)
        return super().dialog(meaning, intent, changed) | {"second_intent": second.pk, "second_who": self.typed.get("second_who", "")}

    def post(self, request, pseudonym: str) -> HttpResponse:
        if len(self.reason) < 3:
            raise UnreadableInput("reason_missing", "Erasing needs a reason. Say who asked for it, without naming the patient.", field="reason")
        seen = request.POST.get("seen", "")
        first, second = self.prove("first", ""), self.prove("second", "second_")
        with site_context(self.by.site_id):
            patient = self.patient()
        self.do(
            services.destroy_patient_key, patient_id=patient.pk, seen=int(seen) if seen.isdecimal() else 0, reason=self.reason, first=first, second=second
        )
        self.say(f"The identity of {pseudonym} is erased, signed by {first.user.full_name} and {second.user.full_name}.")
        return self.done(f"/patients/{pseudonym}/")

    def prove(self, which: str, prefix: str) -> ceremony.Proof:
        """One person's full ceremony, each against an intent of their own, over what was shown and the reason."""
        given = self.request.POST
        try:
            intent_id = str(uuid.UUID(given.get(f"{prefix}intent", "")))
        except ValueError:
            intent_id = None
        try:
            with site_context(self.by.site_id, snapshot=True):
                shown, signed = self.what(**self.kwargs), self.with_reason(self.reason, **self.kwargs)
            return ceremony.authenticate_with_reason(
                by=self.by, intent_id=intent_id, shown=shown, what=signed, username=given.get(f"{prefix}who", ""), secret=given.get(f"{prefix}secret", ""),
                code=given.get(f"{prefix}code", ""),
            )  # fmt: skip
        except RuleBroken:
            self.at = which
            raise
