"""Reading patients by pseudonym. The identity itself is read by services.read_identity, because each reading is recorded."""

from __future__ import annotations

import uuid

from batches.subjects.models import BlindIndex, Patient, PatientIdentity


def patients() -> list[Patient]:
    """Every patient of the site, newest first."""
    return list(Patient.objects.order_by("-id"))


def found_by(site_id: uuid.UUID, digest: str) -> list[uuid.UUID]:
    """The patients a keyed digest leads to."""
    return list(BlindIndex.objects.filter(site_id=site_id, digest=digest).values_list("patient_id", flat=True))


def latest_ciphertext(patient_id: uuid.UUID) -> PatientIdentity | None:
    """The newest version of the identity, as ciphertext."""
    return PatientIdentity.objects.filter(patient_id=patient_id).order_by("-recorded_at", "-id").first()


def erasure_content(patient: Patient) -> dict:
    """What two people sign before an identity is erased: the pseudonym, nothing of the person."""
    return {"patient": patient.pseudonym, "deed": "erase the identity by destroying its key"}
