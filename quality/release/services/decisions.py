"""Deeds of the release: certified, rejected, withdrawn, drawn on paper, and what a late failure changes."""

from __future__ import annotations

import hashlib

from batches.lots.models import Hold, Lot
from batches.lots.services import move_lot, put_on_hold
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import ceremony
from mes.signatures.services import sign
from quality.alerts.services import raise_alert
from quality.events import Event
from quality.permissions import Permission
from quality.release import queries, rules
from quality.release.gate import ground_of, lines_of
from quality.release.models import Certificate, CertificateInvalidation, ReleaseDecision
from quality.samples.models import Result


@service(Event.LOT_CERTIFIED)
def certify(*, by: Actor, lot_id, seen: int, stage: str, proof: ceremony.Proof) -> ReleaseDecision:
    """Certify a lot in "stage_1" or "final", by password and second factor (REL-02, REL-03).

    The gate is checked inside this deed and stored with it; the signature covers the whole certificate. Final supersedes stage 1. Raises
    NotAllowed; RuleBroken: `gate_closed`, `nothing_pending`, `certified_before`; StaleRecord when anything of what was shown changed.
    """
    lot = queries.lot_locked(lot_id, seen)
    ground = ground_of(lot, stage, deed_now().at)
    lines = lines_of(ground)
    rules.check_can_certify(by=by, ground=ground, lines=lines, signer=proof.user)
    what = queries.subject_shown(ground, proof, deed_now().at)
    signature = sign(by=by, proof=proof, what=what, meaning=queries.MEANINGS[stage], stream=lot.stream, lot_id=lot.pk, permission=Permission.CERTIFY_LOT)
    before = queries.standing_decision(lot)
    decision = ReleaseDecision(
        site_id=lot.site_id, lot=lot, kind=stage, signature=signature, gate=[line.plain() for line in lines], supersedes=before if stage == "final" else None
    )
    decision.save()
    move_lot(by=by, lot_id=lot.pk, state=f"certified_{stage}")
    return decision


@service(Event.LOT_REJECTED)
def reject(*, by: Actor, lot_id, seen: int, reason: str, proof: ceremony.Proof) -> ReleaseDecision:
    """Reject a lot, with a reason that is part of what is signed. It never leaves the site as product."""
    lot = queries.lot_locked(lot_id, seen)
    rules.check_can_reject(by=by, lot=lot, reason=reason, signer=proof.user)
    what = queries.refusal_subject(lot, "reject", reason)
    signature = sign(by=by, proof=proof, what=what, meaning="rejected", stream=lot.stream, lot_id=lot.pk, permission=Permission.CERTIFY_LOT)
    decision = ReleaseDecision(site_id=lot.site_id, lot=lot, kind="rejected", signature=signature, gate=[], reason=reason.strip())
    decision.save()
    move_lot(by=by, lot_id=lot.pk, state="rejected", reason_code="rejected", reason=reason)
    return decision


@service(Event.CERTIFICATION_WITHDRAWN)
def withdraw(*, by: Actor, lot_id, seen: int, reason: str, proof: ceremony.Proof) -> ReleaseDecision:
    """Withdraw a certification, with a reason that is signed (REL-09).

    The certificate no longer holds, dispatch is refused, everybody who has the product is alerted.
    """
    lot = queries.lot_locked(lot_id, seen)
    standing = queries.standing_decision(lot)
    rules.check_can_withdraw(by=by, lot=lot, standing=standing, reason=reason, signer=proof.user)
    what = queries.refusal_subject(lot, "withdraw", reason)
    signature = sign(by=by, proof=proof, what=what, meaning="withdrawn", stream=lot.stream, lot_id=lot.pk, permission=Permission.CERTIFY_LOT)
    decision = ReleaseDecision(site_id=lot.site_id, lot=lot, kind="withdrawn", signature=signature, gate=[], reason=reason.strip())
    decision.save()
    _invalidate(lot, standing, f"withdrawn:{decision.pk}", f"The certification was withdrawn: {reason.strip()}")
    move_lot(by=by, lot_id=lot.pk, state="withdrawn", reason_code="withdrawn", reason=reason)
    sent_to = "; ".join(f"{each.container.title} to {each.to_place}" for each in queries.consignees(lot)) or "It was not dispatched."
    raise_alert(
        by=by, cause=f"withdrawn:{decision.pk}", severity="alarm", lot_id=lot.pk, title=f"{lot.number}: the certification was withdrawn. Do not infuse.",
        body=f"{reason.strip()} {sent_to}", roles=["treatment_centre", "qa_reviewer"],
    )  # fmt: skip
    return decision


def _invalidate(lot: Lot, decision: ReleaseDecision, cause: str, sentence: str) -> None:
    """The certificate no longer holds, once a cause."""
    if not CertificateInvalidation.objects.filter(decision=decision, cause=cause).exists():
        invalidation = CertificateInvalidation(site_id=lot.site_id, lot=lot, decision=decision, cause=cause, sentence=sentence)
        invalidation.save()
        deed_now().tell(Event.CERTIFICATE_INVALIDATED, invalidation)


@service(Event.LATE_FAILURE)
def late_failure(*, by: Actor, result: Result) -> Result:
    """A result failed after certification: the certificate no longer holds, the lot is held, physician and QA are alerted until somebody acknowledges.

    Runs in the very transaction that records the result; the critical deviation is opened beside it (quality.deviations.wiring).
    """
    lot = Lot.objects.lock(result.lot_id)
    rules.check_can_late_failure(by=by, result=result, lot=lot)
    sentence = f"A result failed after certification. {result.sentence}".strip()
    _invalidate(lot, queries.standing_decision(lot), f"late_result:{result.pk}", sentence)
    if not Hold.objects.filter(lot=lot, state="open").exists():
        put_on_hold(by=by, lot_id=lot.pk, reason=sentence)
    raise_alert(
        by=by, cause=f"late_result:{result.pk}", severity="alarm", lot_id=lot.pk,
        title=f"{lot.number}: a result failed after certification. The certificate no longer holds.",
        body=f"{result.sentence} Do not infuse what was not given yet. Tell the treating physician at once.", roles=["treatment_centre", "qa_release"],
    )  # fmt: skip
    return result


@service(Event.CERTIFICATE_RENDERED)
def keep_certificate(*, by: Actor, decision_id, pdf: bytes, entries: int) -> Certificate:
    """Keep the drawn certificate of a decision, with the SHA-256 of its bytes; once, never overwritten."""
    decision = ReleaseDecision.objects.select_related("signature__payload", "lot").one(pk=decision_id)
    Lot.objects.lock(decision.lot_id)
    rules.check_can_keep_certificate(by=by, decision=decision)
    certificate = Certificate(
        site_id=decision.site_id, lot_id=decision.lot_id, decision=decision, number=queries.number_of_decision(decision), stage=decision.kind,
        sha256=hashlib.sha256(pdf).hexdigest(), pdf=pdf, content_digest=queries.digest_of(decision), entries=entries,
    )  # fmt: skip
    certificate.save()
    return certificate
