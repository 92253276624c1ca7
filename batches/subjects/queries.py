"""Reading patients by pseudonym. The identity itself is read by services.read_identity, because each reading is recorded."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from batches.subjects import vault
from batches.subjects.models import BlindIndex, Patient, PatientIdentity
from batches.subjects.retention import TRACEABILITY, Traceability
from mes.signatures import ceremony

ERASURE = "erasure/2"


def patients() -> list[Patient]:
    """Every patient of the site, newest first, with therapy events and lots. Three queries."""
    return list(Patient.objects.order_by("-id").prefetch_related("therapy_events__lots"))


def lots_of(patient: Patient) -> list:
    """The patient's lots, by number. The lots' folder stands above this one: asked through the relation it hangs into the patient."""
    return sorted((lot for event in patient.therapy_events.all() for lot in event.lots.all()), key=lambda lot: lot.number)


def has_open_lots(patient: Patient) -> bool:
    """Whether a lot of the patient still needs its labels: one that was infused and certified for good does not."""
    return any(lot.is_open and not (lot.state == "certified_final" and used_at(lot)) for lot in lots_of(patient))


def used_at(lot) -> dt.datetime | None:
    """When the last of a lot was given to the patient; None where nothing was. Release stands above this folder: asked through its relation."""
    return max((use.ended_at or use.started_at for use in lot.product_uses.all() if use.infused), default=None)


@dataclass(frozen=True)
class Traced:
    """A lot that was given to the patient, and until when it stays traceable to them; None: no end is known for its market."""

    number: str
    market: str
    used_at: dt.datetime
    zone: str
    rule: Traceability | None

    @property
    def until(self) -> dt.datetime | None:
        return self.rule.until(self.used_at) if self.rule else None


def traced(patient: Patient) -> list[Traced]:
    """Every lot that was given to the patient."""
    return [
        Traced(lot.number, lot.market, at, lot.site.time_zone, TRACEABILITY.get(lot.market)) for lot in lots_of(patient) if (at := used_at(lot)) is not None
    ]


def unburnt() -> list[uuid.UUID]:
    """Erased patients of the site whose key file is still there: something failed between the deed and the burning."""
    erased = Patient.objects.filter(key_destroyed=True).values_list("pk", flat=True)
    return [patient_id for patient_id in erased if vault.has_key(patient_id)]


def found_by(site_id: uuid.UUID, digest: str) -> list[uuid.UUID]:
    """The patients a keyed digest leads to."""
    return list(BlindIndex.objects.filter(site_id=site_id, digest=digest).values_list("patient_id", flat=True))


def latest_ciphertext(patient_id: uuid.UUID) -> PatientIdentity | None:
    """The newest version of the identity, as ciphertext."""
    return PatientIdentity.objects.filter(patient_id=patient_id).order_by("-recorded_at", "-id").first()


def erasure_content(patient: Patient, reason: str = "") -> dict:
    """What two people sign before an identity is erased: the pseudonym and why, nothing of the person."""
    return {"patient": patient.pseudonym, "deed": "erase the identity by destroying its key", "reason": reason.strip()}


def erasure_subject(patient: Patient, reason: str = "") -> ceremony.Subject:
    return ceremony.subject(patient, ERASURE, erasure_content(patient, reason))
