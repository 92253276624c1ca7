"""Two persons of quality judge a broken trail or a missing guard behind a lot (decisions 8)."""

from __future__ import annotations

from mes.records.actors import Actor
from mes.records.door import service
from mes.signatures import ceremony
from mes.signatures.services import sign
from quality.events import Event
from quality.permissions import Permission
from quality.release import integrity, queries, rules
from quality.release.models import IntegrityAssessment, IntegrityConfirmation


@service(Event.INTEGRITY_ASSESSED)
def assess_integrity(*, by: Actor, lot_id, text: str, proof: ceremony.Proof) -> IntegrityAssessment:
    """The first signature: what was found, and what it means for this lot. It opens nothing by itself.

    Raises NotAllowed (`own_work`); RuleBroken: `nothing_to_assess`, `too_much_broken`, `assessed_before`, `reason_missing`; StaleRecord when something else is found
    now than was shown.
    """
    lot = queries.lot_locked(lot_id)
    findings = integrity.assessable(lot)
    rules.check_can_assess_integrity(by=by, lot=lot, findings=findings, text=text, signer=proof.user)
    what = integrity.assessment_subject(lot, findings, text)
    signature = sign(
        by=by, proof=proof, what=what, meaning="assessed_integrity", stream=lot.stream, lot_id=lot.pk, permission=Permission.ASSESS_DEVIATIONS
    )
    assessment = IntegrityAssessment(site_id=lot.site_id, lot=lot, findings=findings, text=text.strip(), signature=signature)
    assessment.save()
    return assessment


@service(Event.INTEGRITY_CONFIRMED)
def confirm_integrity(*, by: Actor, lot_id, proof: ceremony.Proof) -> IntegrityConfirmation:
    """The second signature, by another person who may certify: from here on the gate counts the assessment, as long as nothing else is found.

    Raises NotAllowed (`own_work`, `same_person`); RuleBroken: `not_assessed`; StaleRecord when something else is found now than was shown.
    """
    lot = queries.lot_locked(lot_id)
    assessment = integrity.confirmable(lot)
    rules.check_can_confirm_integrity(by=by, lot=lot, assessment=assessment, signer=proof.user)
    what = integrity.confirmation_subject(lot, assessment)
    signature = sign(by=by, proof=proof, what=what, meaning="confirmed_integrity", stream=lot.stream, lot_id=lot.pk, permission=Permission.CERTIFY_LOT)
    confirmation = IntegrityConfirmation(site_id=lot.site_id, lot=lot, assessment=assessment, signature=signature)
    confirmation.save()
    return confirmation
