"""What is wrong with the trail and the guards behind a lot, and whether two persons of quality assessed exactly that (decisions 8; AUD-07).

Living cells cannot wait for a forensic report: release is then possible, and only through their two signatures. An assessment covers the
findings that its signer was shown, and each as it stood: it ends with a mark of the values found, or of the guards as they say now. One more
finding, or another change in a place that was assessed, and there is none. Where so much is broken that not all of it is shown, nobody can assess it here.
"""

from __future__ import annotations

from django.db import connection, models

from batches.dossier.queries import stream_of
from batches.lots.models import Lot
from mes.audit.models import AuditEntry
from mes.checkpoints.queries import last_check
from mes.clock import moment_words
from mes.errors import RuleBroken
from mes.records import guard_marks
from mes.records.intact import MOST, UNTOLD, broken_streams, stream_findings
from mes.signatures import ceremony
from quality.alerts.heartbeats import TRAIL_CHECK_AFTER
from quality.release.models import IntegrityAssessment

ASSESSMENT, CONFIRMATION = "integrity_assessment/1", "integrity_confirmation/1"


def trail_findings(lot: Lot) -> list[str]:
    """What does not hold in the lot's own stream and, by the newest scheduled check, in any other stream of the site; and that none was made."""
    own, others = stream_findings(stream_of(lot.pk)), [f"{stream}: {found}" for stream, found in sorted(broken_streams().items())]
    return own + others + _unchecked(lot)


def _unchecked(lot: Lot) -> list[str]:
    """That the scheduled check is overdue: where none was made, none found anything. A lot younger than the interval has not missed one.

    By the wall clock, which the entries keep: it watches the machine, and a demo's record clock may run ahead.
    """
    check = last_check(lot.site_id)
    made = models.Q(rows__table="mes_trailcheck", rows__row_id=check.pk) if check else models.Q(stream=stream_of(lot.pk), seq=1)
    since = AuditEntry.objects.filter(made).values_list("wall", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    if since is not None and now - since <= TRAIL_CHECK_AFTER:
        return []
    return [f"the scheduled check of the audit trail was not made {f'since {moment_words(since, lot.site.time_zone)}' if check and since else 'yet'}"]


def guard_findings() -> list[str]:
    """Guards of the database that are missing, disabled or altered, each with the mark of how all of them stand now.

    A guard can be altered twice, and the sentence about it stays the same: with the mark the second alteration is another finding.
    """
    return guard_marks.findings(connection)


def findings_of(lot: Lot) -> list[str]:
    """All of it, in the order in which it is shown and signed."""
    return trail_findings(lot) + guard_findings()


def assessments_of(lot: Lot) -> list[IntegrityAssessment]:
    """Every assessment of the lot, newest first, with its signatures."""
    return list(
        IntegrityAssessment.objects.filter(lot=lot).select_related("signature__signer", "confirmation__signature").order_by("-recorded_at", "-id")
    )


def unconfirmed(lot: Lot, findings: list[str]) -> IntegrityAssessment | None:
    """The newest assessment of exactly these findings that waits for its second signature; None where they may not be all."""
    if not _is_all(findings):
        return None
    return next((each for each in assessments_of(lot) if each.findings == findings and not hasattr(each, "confirmation")), None)


def confirmable(lot: Lot) -> IntegrityAssessment:
    """The same for the page of the second signature. Raises RuleBroken("not_assessed")."""
    found = unconfirmed(lot, findings_of(lot))
    if found is None:
        raise RuleBroken("not_assessed", "What is found now has no assessment that waits for a second signature. A person of quality assesses it first.")
    return found


def assessable(lot: Lot) -> list[str]:
    """What there is to assess. Raises RuleBroken: "nothing_to_assess", "too_much_broken"."""
    found = findings_of(lot)
    if not found:
        raise RuleBroken("nothing_to_assess", "The audit trail is whole and every guard stands. There is nothing to assess.")
    if not _is_all(found):
        raise RuleBroken(
            "too_much_broken", "Too much is broken to be assessed here: not every break is shown. Keep the database as it is, and call whoever runs the system."
        )
    return found


def _is_all(findings: list[str]) -> bool:
    """Whether these are all that is broken: the checks stop at so many, and what they did not show nobody can have assessed."""
    return len(findings) < MOST and not any(found.endswith(f"(now {UNTOLD})") for found in findings)


def standing(lot: Lot, findings: list[str]) -> IntegrityAssessment | None:
    """The confirmed assessment of exactly these findings; None without findings, and where they may not be all."""
    if not findings or not _is_all(findings):
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
