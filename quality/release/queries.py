"""Release: decisions, certificates, whether one still holds, and what is signed."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

from batches.custody.models import HandOver
from batches.dossier.queries import before_release
from batches.dossier.queries import workers as makers
from batches.lots.identifiers import IdentifierRefused, Scanned, parse_scan
from batches.lots.models import Container, Lot
from batches.lots.queries import container_scanned
from batches.recipes.quantities import DecimalSign, Quantity, ValueRefused, read_value
from batches.recipes.queries import document
from batches.recipes.units import UnitRefused, convert
from mes.errors import Missing, WrongScan
from mes.people.models import Site
from mes.signatures import ceremony, manifest
from mes.signatures.models import Signature, SigningIntent
from quality.release.content import certificate_content
from quality.release.gate import Ground, blocking, gate, ground_of
from quality.release.models import Certificate, CertificateInvalidation, ProductUse, ReleaseDecision
from quality.review.kinds import is_quiet
from quality.samples import queries as samples
from quality.samples.models import ResultReview

CERTIFICATE, REJECTION, WITHDRAWAL, USE = "certificate/1", "rejection/2", "withdrawal/2", "product_use/1"
MEANINGS = {"stage_1": "certified_stage_1", "final": "certified_final"}
WORDS = {"stage_1": "Stage 1", "final": "Final", "rejected": "Rejected", "withdrawn": "Withdrawn"}

Typed = tuple[str, ...]
BOTH: Typed = ("container", "patient")
"""The two identifiers of an infusion; `Typed` names those of them that were typed in full, not scanned."""
TYPED, SCANNED = "typed in full", "scanned"

NOT_INFUSED = {
    "patient_condition": "The patient's condition does not allow it",
    "patient_died": "The patient died",
    "consent_withdrawn": "The patient withdrew consent",
    "product_damaged": "The container is damaged",
    "temperature": "The temperature in transport was not kept",
    "expired": "The shelf life ended",
    "late_result": "A late result failed",
    "other": "Another reason",
}
"""Why a product was not infused: code and words."""


def lot_by_number(number: str) -> Lot:
    """The lot with everything release shows of it. Raises Missing."""
    found = Lot.objects.select_related("recipe_version__master", "therapy_event__patient", "site").filter(number=number).first()
    if found is None:
        raise Missing("not_found", f"There is no lot {number} here. Scan its label, or look in the list of lots.")
    return found


def lot_locked(lot_id, seen: int | None = None) -> Lot:
    """The same, locked to the end of the deed. Raises StaleRecord, Missing."""
    return Lot.objects.select_related("recipe_version__master", "therapy_event__patient", "site").lock(lot_id, seen=seen)


def judges_conflicts(lot: Lot) -> dict:
    """Who may not release the lot, with what they did: made, checked, tested or reviewed results of it."""
    found = makers(lot)
    for person in samples.testers_of(lot.pk):
        found.setdefault(person, set()).add("tested")
    for person in ResultReview.objects.filter(lot=lot).values_list("reviewer_id", flat=True):
        found.setdefault(person, set()).add("reviewed results")
    return found


def next_stage(lot: Lot) -> str:
    """The stage to decide next: stage 1 while only results timed after release are missing, else final."""
    if lot.state in {"certified_stage_1", "certified_final"}:
        return "final"
    return "stage_1" if any(line.is_pending_after_release for line in samples.table(lot)) else "final"


# --- what is signed ---------------------------------------------------------------------------------------------------


def subject_of(ground: Ground) -> ceremony.Subject:
    """What a certification signs: the whole certificate."""
    return ceremony.subject(ground.lot, CERTIFICATE, certificate_content(ground))


def subject_shown(ground: Ground, proof: ceremony.Proof, now: dt.datetime) -> ceremony.Subject:
    """What the signer was shown, rebuilt now. Entries that only deliver or render may have come since; anything else is a change.

    Without this a mail delivered while the Qualified Person types would refuse the signature although nothing about the lot changed.
    """
    intent = SigningIntent.objects.get(pk=proof.intent_id)
    shown = bytes(intent.payload_digest)
    first = None
    for candidate in _without_quiet_tail(ground, now):
        what = subject_of(candidate)
        first = first or what
        if manifest.digest(what.payload) == shown:
            return what
    return first


def _without_quiet_tail(ground: Ground, now: dt.datetime) -> Iterator[Ground]:
    entries = list(ground.shown.entries)
    yield ground
    for _ in range(5):
        if not entries or not is_quiet(entries[-1].events):
            return
        entries.pop()
        yield ground_of(ground.lot, ground.stage, now, upto=len(entries))


def refusal_content(lot: Lot, decision: str, reason: str) -> dict:
    """What rejecting a lot or withdrawing its certification signs, with the reason the signer typed; empty while it is only shown."""
    standing = standing_decision(lot)
    return {
        "lot": lot.number, "check_code": lot.check_code, "coi": lot.therapy_event.coi, "product": lot.product, "state": lot.state, "decision": decision,
        "certificate": number_of_decision(standing) if standing else "",
        "containers": [{"identifier": each.identifier, "state": each.state} for each in final_bags(lot)],
        "reason": reason.strip(),
    }  # fmt: skip


def refusal_subject(lot: Lot, decision: str, reason: str = "") -> ceremony.Subject:
    return ceremony.subject(lot, REJECTION if decision == "reject" else WITHDRAWAL, refusal_content(lot, decision, reason))


def volume_words(typed: str) -> str:
    """The volume with its unit, once: it is typed with or without."""
    return f"{typed} mL" if typed and typed[-1:].isdigit() else typed


def use_facts(*, infused: bool, started_at, ended_at, volume: str, reason_code: str, reason: str) -> dict[str, str]:
    """What is signed about the use, as text."""
    if not infused:
        return {"infused": "no", "reason_code": reason_code, "reason_words": NOT_INFUSED.get(reason_code, ""), "reason": reason.strip()}
    return {
        "infused": "yes",
        "started_at": started_at.astimezone(dt.UTC).isoformat() if started_at else "",
        "ended_at": ended_at.astimezone(dt.UTC).isoformat() if ended_at else "",
        "volume": volume.strip(),
        **({"reason": reason.strip()} if reason.strip() else {}),
    }


def volume_read(text: str, decimal_sign: DecimalSign) -> Quantity | None:
    """The volume infused in mL, read as any value of a step is; None where none was given. Raises ValueRefused. EXE-04."""
    try:
        return read_value(text, "decimal", unit="mL", decimals=2, decimal_sign=decimal_sign) if text.strip() else None
    except ValueRefused as refused:
        raise ValueRefused(refused.code, refused.sentence, field="volume") from None


def volume_held(container: Container) -> Quantity | None:
    """What a final container holds, in mL: its own recorded volume, or the one that the label of the lot prints; None where neither is recorded,
    or what is recorded is no volume: then nothing bounds what was given from it, and that is said (held_words).
    """
    if own := container.volume_text:
        try:
            return read_value(own, "decimal", unit="mL")
        except ValueRefused:
            return None
    found = _volume_of_label(container.lot)
    if found is None or found.value is None:
        return None
    digits = found.decimals if found.unit == "mL" else None
    try:
        return Quantity(f"{found.value_text} {found.unit}", convert(found.value, found.unit, "mL"), decimals=digits, unit="mL")
    except UnitRefused:
        return None


def held_words(container: Container) -> str:
    """What the record says that a container held: read, written so that it cannot be read, or not there."""
    if held := volume_held(container):
        return f"{container.title} held {held}"
    found = _volume_of_label(container.lot)
    written = container.volume_text or (f"{found.value_text} {found.unit}".strip() if found else "")
    return f"what {container.title} held is written as “{written}” and cannot be read as mL" if written else f"what {container.title} held is not recorded"


def _volume_of_label(lot: Lot):
    return lot.entry_facts.filter(parameter=document(lot.recipe_version).certificate.volume, superseded_by=None).order_by("-recorded_at").first()


def is_more(given: Quantity, held: Quantity) -> bool:
    """Whether more was given than a container held, both on the last digit that both of them have."""
    known = [each.decimals for each in (given, held) if each.decimals is not None]
    digit = Decimal(1).scaleb(-min(known, default=0))
    return given.value.quantize(digit, ROUND_HALF_UP) > held.value.quantize(digit, ROUND_HALF_UP)


def certified_since(decision: ReleaseDecision) -> dt.datetime:
    """Since when the lot is certified without a break: the first stage's signature where the final one followed it."""
    while decision.supersedes is not None and decision.supersedes.kind in MEANINGS:
        decision = decision.supersedes
    return decision.recorded_at


def received_at_centre(container: Container) -> dt.datetime | None:
    """When the treatment centre last took the container in; None before it did."""
    return HandOver.objects.filter(container=container, kind="at_centre").order_by("-recorded_at").values_list("recorded_at", flat=True).first()


def identity_typed(scanned: str, coi: str) -> Typed:
    """Which of the two identifiers were typed as people read them; none where both were scanned. Raises IdentifierRefused for the container's."""
    patient = patient_scanned(coi)
    typed = {"container": parse_scan(scanned).for_eyes, "patient": patient is None or patient.for_eyes}
    return tuple(which for which in BOTH if typed[which])


def how_read(typed: Typed) -> str:
    """In words, how the identifiers of container and patient were read: what both persons sign."""
    if not typed or typed == BOTH:
        return TYPED if typed else SCANNED
    return ", ".join(f"{which} {TYPED if which in typed else SCANNED}" for which in BOTH)


def patient_scanned(coi: str) -> Scanned | None:
    """What the patient's code says, scanned or typed in whatever case and with blanks; None when it is no whole identifier."""
    written = coi.strip()
    try:
        return parse_scan(written.upper().replace(" ", "") if written.casefold().startswith("coi") else written)
    except IdentifierRefused:
        return None


def identity_meaning(typed: Typed) -> str:
    """What the second person of an infusion signs: typed identifiers have a meaning of their own, by which they are counted (decision 10)."""
    return "confirmed_typed_identity" if typed else "confirmed_identity"


SIGNERS = ("first", "second")
"""The two persons of an infusion, in the order of their signatures."""


def use_meanings(infused: bool, typed: Typed) -> tuple[str, str]:
    """What the first and the second person sign; who reads a typed identity signs that it was read."""
    return ("infused" if infused else "not_infused", identity_meaning(typed))


def use_content(container: Container, facts: dict[str, str], *, typed: Typed = ()) -> dict:
    """What the two persons of an infusion (or of a non-infusion) sign."""
    lot = container.lot
    return {
        "lot": lot.number, "check_code": lot.check_code, "coi": lot.therapy_event.coi, "product": lot.product, "container": container.identifier,
        "title": container.title, "state": container.state, "identifiers": how_read(typed),
        **{key: str(value) for key, value in sorted(facts.items())},
    }  # fmt: skip


def use_subject(container: Container, facts: dict[str, str], *, typed: Typed = ()) -> ceremony.Subject:
    return ceremony.subject(container, USE, use_content(container, facts, typed=typed))


# --- what was decided -------------------------------------------------------------------------------------------------


def decisions_of(lot: Lot) -> list[ReleaseDecision]:
    """Every decision about the lot, oldest first."""
    return list(ReleaseDecision.objects.filter(lot=lot).select_related("signature").order_by("recorded_at"))


def standing_decision(lot: Lot) -> ReleaseDecision | None:
    """The certification that counts: the last one that none supersedes."""
    return ReleaseDecision.objects.filter(lot=lot, kind__in=MEANINGS, superseded_by=None).select_related("signature").order_by("-recorded_at").first()


def certificates_of(lot: Lot) -> list[Certificate]:
    """The certificates of a lot without their PDF, oldest first."""
    return list(Certificate.objects.filter(lot=lot).defer("pdf").select_related("decision__signature").order_by("recorded_at"))


def invalidations_of(decision: ReleaseDecision) -> list[CertificateInvalidation]:
    return list(CertificateInvalidation.objects.filter(decision=decision).order_by("recorded_at"))


def why_not_valid(decision: ReleaseDecision) -> str:
    """Why a certificate no longer holds, in words; "" when it does."""
    found = invalidations_of(decision)
    if found:
        return found[0].sentence
    later = getattr(decision, "superseded_by", None)
    if later is not None:
        return f"The {WORDS[later.kind].lower()} certificate took its place."
    return ""


def payload_of(decision: ReleaseDecision) -> dict:
    """The signed content of a decision, read from the stored bytes."""
    return json.loads(bytes(decision.signature.payload.content))["content"]


def number_of_decision(decision: ReleaseDecision) -> str:
    """The number of a decision's certificate, as signed; "" for a decision without one."""
    return payload_of(decision).get("certificate", "") if decision.kind in MEANINGS else ""


def digest_of(decision: ReleaseDecision) -> str:
    """SHA-256 of the signed content: the record digest."""
    return bytes(decision.signature.payload_digest).hex()


def final_bags(lot: Lot) -> list[Container]:
    return list(Container.objects.filter(lot=lot, kind="final_bag").order_by("serial"))


def bag_scanned(number: str, scanned: str) -> Container:
    """The final container of this lot that was scanned or typed in full. Raises IdentifierRefused, WrongScan."""
    found = container_scanned(scanned)
    if found.kind != "final_bag" or found.lot.number != number:
        raise WrongScan(
            "container_of_another_lot",
            f"This is {found.title} of lot {found.lot.number}, check code {found.lot.check_code}, and no final container of lot {number}.",
            field="scanned",
        )  # fmt: skip
    return Container.objects.select_related("lot__therapy_event__patient", "lot__recipe_version__master", "lot__site").get(pk=found.pk)


def uses_of(lot: Lot) -> list[ProductUse]:
    return list(ProductUse.objects.filter(lot=lot).select_related("container", "first_signature", "second_signature").order_by("recorded_at"))


def consignees(lot: Lot) -> list[HandOver]:
    """To whom the product went: what a withdrawal has to reach (REL-09)."""
    return list(HandOver.objects.filter(lot=lot, kind="dispatch").select_related("container").order_by("recorded_at"))


def signed_of(lot: Lot) -> list[Signature]:
    return list(Signature.objects.filter(lot_id=lot.pk).order_by("recorded_at"))


def steps_left(lot: Lot) -> int:
    return sum(run.state not in {"complete", "not_done"} for run in before_release(lot))


# --- the code on the paper --------------------------------------------------------------------------------------------

_CODE_BYTES = 15
_SHAPE = re.compile(r"[A-Z2-7]{24}")


def code_of(site_code: str, digest_hex: str) -> str:
    """The code printed on a certificate: site, then 120 bits of the record digest in groups of four."""
    text = base64.b32encode(bytes.fromhex(digest_hex)[:_CODE_BYTES]).decode()
    return f"{site_code}-" + "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def read_code(code: str) -> tuple[Site, str]:
    """The site and the beginning of the digest (hexadecimal) that a printed code names. Raises Missing."""
    head, _, rest = code.strip().upper().partition("-")
    letters = re.sub(r"[^A-Z2-7]", "", rest)
    site = Site.objects.filter(code__iexact=head).first()
    if site is None or not _SHAPE.fullmatch(letters):
        raise Missing("no_such_certificate", "No certificate has this code. Type it as printed, with its dashes.")
    return site, base64.b32decode(letters).hex()


def certificate_by_code(site: Site, beginning: str) -> Certificate:
    """The certificate whose record digest begins so. Call it inside the site's context. Raises Missing."""
    found = Certificate.objects.filter(site=site, content_digest__startswith=beginning).defer("pdf").select_related("decision", "lot").first()
    if found is None:
        raise Missing("no_such_certificate", "No certificate has this code. Type it as printed, with its dashes.")
    return found


__all__ = ["blocking", "gate", "ground_of"]
