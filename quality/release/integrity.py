"""What is wrong with the trail and the guards behind a lot, and whether two persons of quality assessed exactly that (decisions 8; AUD-07).

Living cells cannot wait for a forensic report: release is then possible, and only through their two signatures. An assessment covers the
findings that its signer was shown; one more finding, and there is none.
"""

from __future__ import annotations

from django.db import connection

from batches.dossier.queries import stream_of
from batches.lots.models import Lot
from mes.errors import RuleBroken
from mes.records import guards
from mes.records.intact import broken_streams, stream_findings
from mes.signatures import ceremony
from quality.release.models import IntegrityAssessment

ASSESSMENT, CONFIRMATION = "integrity_assessment/1", "integrity_confirmation/1"


def trail_findings(lot: Lot) -> list[str]:
    """What does not hold in the lot's own stream and, by the newest scheduled check, in any other stream of the site."""
    return stream_findings(stream_of(lot.pk)) + [f"{stream}: {found}" for stream, found in sorted(broken_streams().items())]


def guard_findings() -> list[str]:
    """Guards of the database that are missing, disabled or altered."""
    return guards.missing(connection)


def findings_of(lot: Lot) -> list[str]:
    """All of it, in the order in which it is shown and signed."""
    return trail_findings(lot) + guard_findings()


def assessments_of(lot: Lot) -> list[IntegrityAssessment]:
    """Every assessment of the lot, newest first, with its signatures."""
    return list(
        IntegrityAssessment.objects.filter(lot=lot).select_related("signature__signer", "confirmation__signature").order_by("-recorded_at", "-id")
    )


def unconfirmed(lot: Lot, findings: list[str]) -> IntegrityAssessment | None:
    """The newest assessment of exactly these findings that waits for its second signature."""
    return next((each for each in assessments_of(lot) if each.findings == findings and not hasattr(each, "confirmation")), None)


def confirmable(lot: Lot) -> IntegrityAssessment:
    """The same for the page of the second signature. Raises RuleBroken("not_assessed")."""
    found = unconfirmed(lot, findings_of(lot))
    if found is None:
        raise RuleBroken("not_assessed", "What is found now has no assessment that waits for a second signature. A person of quality assesses it first.")
    return found


def assessable(lot: Lot) -> list[str]:
    """What there is to assess. Raises RuleBroken("nothing_to_assess")."""
    found = findings_of(lot)
    if not found:
        raise RuleBroken("nothing_to_assess", "The audit trail is whole and every guard stands. There is nothing to assess.")
    return found


def standing(lot: Lot, findings: list[str]) -> IntegrityAssessment | None:
    """The confirmed assessment of exactly these findings; None without findings."""
    if not findings:
        return None
    return next((each for each in assessments_of(lot) if each.findings == findings and hasattr(each, "confirmation")), None)


def words_of(assessment: IntegrityAssessment) -> str:
    """The assessment in one line, as the gate and the certificate say it."""
    one, two = assessment.signature, assessment.confirmation.signature
    return f"Assessed by {one.full_name} ({one.role}), confirmed by {two.full_name} ({two.role}): {assessment.text}"


def assessment_subject(lot: Lot, findings: list[str], text: str = "") -> ceremony.Subject:
    """What the first person signs: the findings and, once typed, what they mean for the lot."""
    return ceremony.subject(lot, ASSESSMENT, _content(lot, findings) | {"assessment": text.strip()})


def confirmation_subject(lot: Lot, assessment: IntegrityAssessment) -> ceremony.Subject:
    """What the second person signs: the same findings, the assessment, and whose it is."""
    made = assessment.signature
    return ceremony.subject(
        lot, CONFIRMATION,
        _content(lot, assessment.findings) | {"assessment": assessment.text, "assessed_by": made.full_name, "assessment_digest": bytes(made.payload_digest).hex()},
    )  # fmt: skip


def _content(lot: Lot, findings: list[str]) -> dict:
    return {"lot": lot.number, "check_code": lot.check_code, "coi": lot.therapy_event.coi, "product": lot.product, "state": lot.state, "findings": findings}
