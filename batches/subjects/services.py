"""Deeds on the vault. Nothing of a person leaves it: results, reasons, events and sentences hold pseudonyms only."""

from __future__ import annotations

import secrets
import uuid

from django.db import transaction

from batches.events import Event
from batches.subjects import queries, rules, vault
from batches.subjects.identity import Identity
from batches.subjects.models import BlindIndex, Patient, PatientIdentity
from mes.errors import RuleBroken
from mes.keys import uuid7
from mes.people.models import Site
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.records.models import SecurityEvent
from mes.signatures import ceremony
from mes.signatures.services import sign

IDENTITY = "identity"
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@service(Event.PATIENT_ENTERED)
def enter_patient(*, by: Actor, identity: Identity, namesake: bool = False) -> Patient:
    """Take a patient into the vault, or find the one who is there already, by keyed digests.

    `namesake` says that a known patient with this name and date of birth is somebody else. Raises RuleBroken:
    `hospital_number_of_another`, `namesake`.
    """
    Site.objects.lock(by.site_id)  # two orders for one patient at once must find each other
    number, person = vault.number_digest(by.site_id, identity), vault.person_digest(by.site_id, identity)
    by_number, by_person = queries.found_by(by.site_id, number), queries.found_by(by.site_id, person)
    rules.check_can_enter_patient(by=by, by_number=by_number, by_person=by_person, namesake=namesake)
    known = next((each for each in by_number if each in by_person), None)
    if known:
        return Patient.objects.one(pk=known)
    patient = Patient(id=uuid7(), site_id=by.site_id, pseudonym=_new_pseudonym())
    patient.save()
    vault.make_key(patient.pk)
    _keep(by, patient, identity)
    return patient


@service(Event.IDENTITY_CORRECTED)
def correct_identity(*, by: Actor, patient_id, seen: int, identity: Identity, reason: str) -> Patient:
    """Keep a corrected identity as a new ciphertext version; the earlier ones stay, encrypted."""
    patient = Patient.objects.lock(patient_id, seen=seen)
    by_number = queries.found_by(by.site_id, vault.number_digest(by.site_id, identity))
    rules.check_can_correct_identity(by=by, patient=patient, identity=identity, reason=reason, by_number=by_number)
    BlindIndex.objects.filter(patient=patient).delete()
    _keep(by, patient, identity)
    patient.save()
    return patient


@service(Event.IDENTITY_READ)
def read_identity(*, by: Actor, patient_id, purpose: str) -> tuple[Patient, Identity]:
    """The patient and their identity, for one of rules.PURPOSES. The reading leaves a security event `identity_read`.

    Raises NotAllowed, RuleBroken: `purpose_unknown`, `identity_erased`, `identity_unreadable`. COI-08.
    """
    patient = Patient.objects.one(pk=patient_id)
    rules.check_can_read_identity(by=by, patient=patient, purpose=purpose)
    plain = vault.unseal(patient.pk, queries.latest_ciphertext(patient.pk).ciphertext, IDENTITY)
    SecurityEvent(
        site_id=by.site_id,
        by_id=by.user_id,
        code="identity_read",
        kind="identity_read",
        sentence=f"{by.full_name} read the identity of {patient.pseudonym} {rules.PURPOSES[purpose][1]}.",
        attempted="read_identity",
        username=by.username,
        subject=str(patient.pk),
        channel=by.channel,
        station=by.station,
    ).save()
    return patient, Identity.from_bytes(plain)


@service(Event.PATIENT_KEY_DESTROYED)
def destroy_patient_key(*, by: Actor, patient_id, seen: int, reason: str, first: ceremony.Proof, second: ceremony.Proof) -> Patient:
    """Erase one person: the key is burnt, the blind index removed; every record stays whole. GDPR Art. 17.

    Two people sign. The file is burnt once the deed is committed; from the deed on the vault refuses to read, and a file that a crash
    left behind is burnt by the watch (queries.unburnt). Raises NotAllowed, StaleRecord, RuleBroken: `identity_erased`, `traceability_kept`,
    `lot_open`, `reason_missing`, `reason_names_patient`.
    """
    patient = Patient.objects.lock(patient_id, seen=seen)
    rules.check_can_destroy_patient_key(
        by=by, patient=patient, first=first, second=second, open_lots=queries.has_open_lots(patient), traced=queries.traced(patient), at=deed_now().at,
        reason=reason, identity=_identity_or_none(patient),
    )  # fmt: skip
    what = queries.erasure_subject(patient, reason)
    for proof in (first, second):
        sign(by=by, proof=proof, what=what, meaning="erased_identity", stream=patient.stream, permission=rules.Permission.ERASE_PATIENT)
    BlindIndex.objects.filter(patient=patient).delete()
    patient.key_destroyed = True
    patient.save()
    transaction.on_commit(lambda: vault.burn_key(patient.pk))
    return patient


def _keep(by: Actor, patient: Patient, identity: Identity) -> None:
    ciphertext = vault.seal(patient.pk, identity.to_bytes(), IDENTITY)
    PatientIdentity(site_id=by.site_id, by_id=by.user_id, patient=patient, ciphertext=ciphertext).save()
    for digest in (vault.number_digest(by.site_id, identity), vault.person_digest(by.site_id, identity)):
        BlindIndex(id=uuid.uuid4(), site_id=by.site_id, patient=patient, digest=digest).save()


def _new_pseudonym() -> str:
    return "P-" + "".join(secrets.choice(ALPHABET) for _ in range(9))


def _identity_or_none(patient: Patient) -> Identity | None:
    # Compared with the reason and shown to nobody. A vault that cannot read it any more must not keep anybody from erasing it.
    kept = queries.latest_ciphertext(patient.pk)
    if kept is None or patient.key_destroyed:
        return None
    try:
        return Identity.from_bytes(vault.unseal(patient.pk, kept.ciphertext, IDENTITY))
    except RuleBroken:
        return None
