"""The vault: patient identity, encrypted per patient, and nothing else anywhere (decisions 10)."""

from __future__ import annotations

from django.db import models

from mes.keys import uuid7
from mes.records.models import Fact, Record


class Patient(Record):
    """A patient by pseudonym. Identity lies in PatientIdentity under the patient's own key, outside the database."""

    stream_kind = "subject"

    pseudonym = models.CharField(max_length=20, unique=True)
    key_destroyed = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.pseudonym


class PatientIdentity(Fact):
    """One version of the identity as ciphertext (AES-256-GCM). A correction is a new version."""

    stream_kind = "subject"
    stream_field = "patient_id"

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="identities")
    ciphertext = models.BinaryField()

    def __str__(self) -> str:
        return f"identity of {self.patient_id}"


class BlindIndex(models.Model):
    """Working row: a keyed digest by which the vault finds a patient; gone when the patient's key is destroyed."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    site_id = models.UUIDField()
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["site_id", "digest"], name="blind_index_digest")]

    def __str__(self) -> str:
        return str(self.patient_id)
