"""When a patient's identity may be entered, read, corrected or erased. GDPR Art. 5, 17, 32; 21 CFR 1271.290(c)."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum

from batches.permissions import Permission
from batches.subjects.identity import Identity, folded
from batches.subjects.models import Patient
from batches.subjects.queries import Traced
from mes.clock import day_words
from mes.errors import RuleBroken
from mes.people import rules as people
from mes.records.actors import Actor
from mes.signatures.ceremony import Proof
from mes.signatures.rules import check_different_person

FAR = dt.datetime.max.replace(tzinfo=dt.UTC)

PURPOSES: dict[str, tuple[StrEnum, str]] = {
    "order": (Permission.SEE_PATIENT_IDENTITY, "to compare it with the order"),
    "bedside": (Permission.SEE_PATIENT_IDENTITY, "to compare it at the bedside"),
    "correction": (Permission.SEE_PATIENT_IDENTITY, "to correct it"),
    "request": (Permission.SEE_PATIENT_IDENTITY, "to answer a request of the patient"),
    "label": (Permission.PRINT_LABELS, "to print a label"),
}
"""Why an identity is read: the right it takes and the words in the log. Free text is not taken: it could name the patient."""


def check_can_enter_patient(*, by: Actor, by_number: list[uuid.UUID], by_person: list[uuid.UUID], namesake: bool) -> None:
    """Raises RuleBroken: `hospital_number_of_another`, `namesake`. The sentences name nobody."""
    people.check_may(by, Permission.ORDER_LOT)
    if by_number and not set(by_number) & set(by_person):
        raise RuleBroken(
            "hospital_number_of_another",
            "This hospital number belongs to a patient with another name or date of birth. Compare all four fields with the document; "
            "if the earlier entry is wrong, correct it first.",
            field="hospital_number",
        )
    if by_person and not by_number and not namesake:
        raise RuleBroken(
            "namesake",
            "A patient with this name and date of birth is known under another hospital number. Check the number. "
            "If they are two people, say so and send it again.",
            field="hospital_number",
        )


def check_can_correct_identity(*, by: Actor, patient: Patient, identity: Identity, reason: str, by_number: list[uuid.UUID]) -> None:
    """Raises NotAllowed, RuleBroken: `identity_erased`, `reason_missing`, `reason_names_patient`, `hospital_number_of_another`."""
    people.check_may(by, Permission.SEE_PATIENT_IDENTITY)
    check_not_erased(patient)
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "A correction needs a reason. Say what was wrong, without naming the patient.", field="reason")
    if names_patient(reason, identity):
        raise RuleBroken("reason_names_patient", "The reason names the patient, and reasons are kept in the open. Say it without the name.", field="reason")
    if set(by_number) - {patient.pk}:
        raise RuleBroken(
            "hospital_number_of_another", "This hospital number belongs to another patient. Compare it with the document.", field="hospital_number"
        )


def check_can_read_identity(*, by: Actor, patient: Patient, purpose: str) -> None:
    """Raises RuleBroken("purpose_unknown"), NotAllowed, RuleBroken("identity_erased")."""
    if purpose not in PURPOSES:
        raise RuleBroken("purpose_unknown", f"An identity is read for one of these: {', '.join(PURPOSES)}.", field="purpose")
    people.check_may(by, PURPOSES[purpose][0])
    check_not_erased(patient)


def check_can_destroy_patient_key(
    *, by: Actor, patient: Patient, first: Proof, second: Proof, open_lots: bool, traced: list[Traced], at: dt.datetime, reason: str, identity: Identity | None
) -> None:
    """Two different people who may erase, a reason that names nobody; never while a lot of the patient is open or has to stay traceable.

    Raises NotAllowed, RuleBroken: `identity_erased`, `traceability_kept`, `lot_open`, `reason_missing`, `reason_names_patient`.
    """
    for proof in (first, second):
        people.check_person_may(proof.user, Permission.ERASE_PATIENT, by.site_id)
    check_different_person(first.user.pk, second.user.pk, "An identity is erased by two people. Somebody else has to sign as the second.")
    check_erasable(patient, open_lots, traced, at)
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "Erasing needs a reason. Say who asked for it, without naming the patient.", field="reason")
    if identity is not None and names_patient(reason, identity):
        raise RuleBroken("reason_names_patient", "The reason names the patient, and reasons are kept in the open. Say it without the name.", field="reason")


def check_erasable(patient: Patient, open_lots: bool, traced: list[Traced], at: dt.datetime) -> None:
    """Whether the identity can be erased at all at a time, whoever signs. Raises RuleBroken: `identity_erased`, `traceability_kept`, `lot_open`.

    Erasing would end the way from donor to patient: GDPR Art. 17(3)(b) gives way to the duty to keep it. RET-01.
    """
    check_not_erased(patient)
    for each in sorted(traced, key=lambda lot: lot.until or FAR, reverse=True):
        if each.until is None or each.until > at:
            raise RuleBroken("traceability_kept", _why_kept(each))
    if open_lots:
        raise RuleBroken("lot_open", "A lot of this patient is still open. Its labels need the identity. Erase it when the lot has ended.")


def _why_kept(lot: Traced) -> str:
    given = f"Lot {lot.number} was given to this patient on {day_words(lot.used_at, lot.zone)}."
    if lot.rule is None or lot.until is None:
        return f"{given} For how long it stays traceable to the patient in the market {lot.market} is not set here, so the identity is kept."
    return (
        f"{given} It stays traceable to the patient for {lot.rule.years} years after its use ({lot.rule.clause}), so the identity is kept at least until "
        f"{day_words(lot.until, lot.zone)}."
    )


def check_not_erased(patient: Patient) -> None:
    if patient.key_destroyed:
        raise RuleBroken("identity_erased", f"The identity of {patient.pseudonym} was erased. It cannot be brought back.")


def names_patient(text: str, identity: Identity) -> bool:
    """Whether a text holds the family name, the hospital number or the date of birth (given names are common words)."""
    body = folded(text)
    parts = (identity.family_name, identity.hospital_number, identity.born)
    return any(len(folded(part)) > 2 and folded(part) in body for part in parts)
