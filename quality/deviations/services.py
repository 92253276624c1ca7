"""Deeds on deviations. The first one happens in the excursion's own transaction."""

from __future__ import annotations

from batches.execution.models import Excursion
from batches.lots.models import Lot
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import ceremony
from mes.signatures.services import sign
from quality.deviations import rules
from quality.deviations.models import Deviation
from quality.deviations.queries import assessment_subject, closure_subject, next_number
from quality.events import Event
from quality.permissions import Permission
from quality.samples.models import Result


@service(Event.DEVIATION_OPENED)
def open_for_excursion(*, by: Actor, excursion: Excursion) -> Deviation:
    """Open the numbered deviation of an excursion, unclassified, in the excursion's own transaction (decisions 6)."""
    rules.check_can_open_for_excursion(by=by, excursion=excursion)
    deviation = Deviation(
        site_id=by.site_id, number=next_number(by.site_id, deed_now().at), lot_id=excursion.lot_id, excursion=excursion, kind="excursion",
        title=excursion.sentence[:300],
    )  # fmt: skip
    deviation.save()
    return deviation


@service(Event.DEVIATION_OPENED)
def open_for_result(*, by: Actor, result: Result, kind: str) -> Deviation:
    """Open the deviation of a failing result; `kind` is out_of_specification or late_failing_result."""
    rules.check_can_open_for_result(by=by, result=result, kind=kind)
    deviation = Deviation(
        site_id=by.site_id, number=next_number(by.site_id, deed_now().at), lot_id=result.lot_id, result=result, kind=kind,
        title=(result.sentence or f"{result.criterion}: {result.value_text}")[:300],
    )  # fmt: skip
    deviation.save()
    return deviation


@service(Event.DEVIATION_OPENED)
def open_by_hand(*, by: Actor, lot_id, title: str, description: str) -> Deviation:
    """Open a deviation for something no limit catches."""
    rules.check_can_open_by_hand(by=by, title=title, description=description)
    lot = Lot.objects.one(pk=lot_id)
    deviation = Deviation(
        site_id=by.site_id, number=next_number(by.site_id, deed_now().at), lot=lot, kind="manual", title=title.strip()[:300], description=description
    )
    deviation.save()
    return deviation


@service(Event.DEVIATION_CLASSIFIED)
def classify(*, by: Actor, deviation_id, seen: int | None, classification: str, reason: str) -> Deviation:
    """Classify as minor, major or critical: first by the job from the rule table, then by QA if they judge otherwise."""
    deviation = Deviation.objects.lock(deviation_id, seen=seen)
    rules.check_can_classify(by=by, deviation=deviation, classification=classification, reason=reason)
    deviation.classification, deviation.classification_reason = classification, reason
    deviation.classified_by_id = by.user_id
    # A new classification after the assessment asks for a new assessment.
    deviation.state = "classified"
    deviation.save()
    return deviation


@service(Event.DEVIATION_INVESTIGATED)
def investigate(*, by: Actor, deviation_id, seen: int, text: str) -> Deviation:
    """Write the investigation. Earlier wordings stay in the history."""
    deviation = Deviation.objects.lock(deviation_id, seen=seen)
    rules.check_can_investigate(by=by, deviation=deviation, text=text)
    deviation.investigation = text
    if deviation.state == "assessed":
        deviation.state = "classified"
    deviation.save()
    return deviation


@service(Event.DEVIATION_ASSESSED)
def assess(*, by: Actor, deviation_id, seen: int, impact: str, reason: str, proof: ceremony.Proof) -> Deviation:
    """Assess and sign the impact on this lot (decisions 22)."""
    deviation = Deviation.objects.lock(deviation_id, seen=seen)
    rules.check_can_assess(by=by, deviation=deviation, impact=impact, reason=reason, signer=proof.user)
    what = assessment_subject(deviation, impact=impact, reason=reason)
    sign(
        by=by, proof=proof, what=what, meaning="assessed", stream=deviation.stream, lot_id=deviation.lot_id, permission=Permission.ASSESS_DEVIATIONS
    )
    deviation.impact, deviation.impact_reason, deviation.assessed_by = impact, reason, proof.user
    deviation.state = "assessed"
    deviation.save()
    return deviation


@service(Event.DEVIATION_CLOSED)
def close(*, by: Actor, deviation_id, seen: int, closed_as: str, reason: str, proof: ceremony.Proof) -> Deviation:
    """Close a deviation as investigated, or as an entry error in one signed act that also states no impact."""
    deviation = Deviation.objects.lock(deviation_id, seen=seen)
    rules.check_can_close(by=by, deviation=deviation, closed_as=closed_as, reason=reason, signer=proof.user)
    what = closure_subject(deviation, closed_as=closed_as, reason=reason)
    sign(by=by, proof=proof, what=what, meaning="closed", stream=deviation.stream, lot_id=deviation.lot_id, permission=Permission.ASSESS_DEVIATIONS)
    if deviation.state == "open":
        deviation.state = "classified"
        deviation.classification, deviation.classification_reason = "minor", "entry error"
        deviation.classified_by = proof.user
        deviation.save()
    if closed_as == "entry_error":
        deviation.impact, deviation.impact_reason, deviation.assessed_by = "none", reason, proof.user
    deviation.closed_as, deviation.closed_by, deviation.state = closed_as, proof.user, "closed"
    deviation.save()
    return deviation
