"""Which audit entries are significant in a review by exception: a versioned table. An unknown kind is significant (AUD-12).

The table classes events. Beside it, an entry is significant when it cites a fact that is an exception by itself
(an excursion, a correction, an attempt, a wrong scan: quality/review/findings). Change the table or a finder, raise the version
(tests/house/test_review_rules.py holds the two together).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from batches.events import Event as B
from mes.events import Event as M
from quality.events import Event as Q

RULES_VERSION = "R-4"

RISKS = ("critical", "major", "minor", "note")
"""From the worst down: the order in which exceptions are shown."""


@dataclass(frozen=True, slots=True)
class Significant:
    """A kind that the reviewer must decide about; `words` is its line when nothing more is known."""

    words: str
    risk: str = "minor"


SIGNIFICANT: dict[str, Significant] = {
    B.EXCURSION_RAISED: Significant("A limit was passed", "major"),
    B.EXCURSION_CHOSEN: Significant("What was chosen after a limit was passed"),
    B.VALUE_CORRECTED: Significant("A recorded value was corrected"),
    B.CONSUMPTION_CORRECTED: Significant("A recorded use of material was corrected"),
    B.STEP_STOPPED: Significant("A step was stopped", "major"),
    B.STEP_RESUMED: Significant("A stopped step went on", "major"),
    B.STEP_LEFT_OUT: Significant("Steps were left out", "major"),
    B.HOLD_PLACED: Significant("The lot was put on hold", "major"),
    B.HOLD_ENDED: Significant("A hold was ended", "major"),
    B.LOT_TERMINATED: Significant("The lot was ended before release", "critical"),
    B.LOT_CANCELLED: Significant("The order was cancelled", "major"),
    Q.RESULT_CORRECTED: Significant("A result was corrected", "major"),
    Q.RESULT_JUDGED_ANEW: Significant("A result was judged anew", "major"),
    Q.RESULT_FAILED: Significant("A result does not meet its specification", "major"),
    Q.SAMPLE_LOST: Significant("A sample was lost", "major"),
    Q.LATE_FAILURE: Significant("A result failed after certification", "critical"),
    Q.CERTIFICATION_WITHDRAWN: Significant("The certification was withdrawn", "critical"),
}
"""Kinds that are always significant (regulations: audit_trail.md 3.2)."""

ROUTINE = "It records work as the recipe plans it; a limit, correction or wrong scan inside it is an exception of its own."
ANSWER = "It answers an exception and is shown with it."
JUDGED = "It is quality's own judgement, signed and checked by the gate."
MACHINE = "The machine did it after a recorded cause."

INFORMATIONAL: dict[str, str] = {
    **dict.fromkeys(
        (
            B.LOT_ORDERED, B.LOT_STARTED, B.LOT_MOVED, B.LOT_MANUFACTURED, B.DONATION_ADDED, B.DONATION_COLLECTED, B.DONATION_RECEIVED, B.CONTAINER_MADE,
            B.CONTAINER_MOVED, B.LABEL_PRINTED, B.LABEL_USED, B.LABEL_DESTROYED, B.HANDED_OVER, B.STEP_OPENED, B.VALUE_RECORDED, B.SCAN_RECORDED,
            B.FILE_ATTACHED, B.STEP_PERFORMED, B.STEP_COMPLETED, B.STEP_DECIDED, B.MATERIAL_CONSUMED, B.EQUIPMENT_OCCUPIED, B.EQUIPMENT_USED,
            B.EQUIPMENT_FREED, B.READING_KEPT, B.READING_CONFIRMED, B.BATCH_RECORD_ASKED,
            B.BATCH_RECORD_PRINTED, M.EVIDENCE_MADE, B.PATIENT_ENTERED, B.IDENTITY_READ, B.SPECIMEN_OPENED,
            B.STEPS_PLANNED, Q.LOT_SPECIFIED, Q.SAMPLES_BORN,
            Q.SAMPLE_DRAWN, Q.SAMPLE_RECEIVED, Q.RESULT_RECORDED, Q.RESULT_REVIEWED, M.SIGNED,
        ),
        ROUTINE,
    ),
    **dict.fromkeys((Q.DEVIATION_OPENED, Q.DEVIATION_CLASSIFIED, Q.DEVIATION_INVESTIGATED, Q.DEVIATION_ASSESSED, Q.DEVIATION_CLOSED), ANSWER),
    **dict.fromkeys(
        (
            B.DONATION_DECIDED, Q.REVIEW_OPENED, Q.EXCEPTION_DISPOSITIONED, Q.LOT_REVIEWED, Q.REVIEW_REOPENED, Q.LOT_CERTIFIED, Q.LOT_REJECTED,
            Q.PRODUCT_DISPATCHED, Q.PRODUCT_USED, Q.ALERT_ACKNOWLEDGED, Q.INTEGRITY_ASSESSED, Q.INTEGRITY_CONFIRMED,
        ),
        JUDGED,
    ),
    **dict.fromkeys((Q.ALERT_RAISED, Q.ALERT_DELIVERED, Q.ALERT_ESCALATED, Q.CERTIFICATE_RENDERED, Q.CERTIFICATE_INVALIDATED), MACHINE),
}  # fmt: skip
"""Kinds that are not significant by themselves, each with the reason (no kind is left out of the count)."""

QUIET: frozenset[str] = frozenset(
    map(
        str,
        (
            M.SIGNED, M.EVIDENCE_MADE, B.LOT_MOVED, B.BATCH_RECORD_ASKED, B.BATCH_RECORD_PRINTED, B.IDENTITY_READ, B.SPECIMEN_OPENED, Q.REVIEW_OPENED,
            Q.EXCEPTION_DISPOSITIONED, Q.LOT_REVIEWED, Q.REVIEW_REOPENED, Q.LOT_CERTIFIED,
            Q.LOT_REJECTED, Q.CERTIFICATE_RENDERED, Q.ALERT_RAISED, Q.ALERT_DELIVERED, Q.ALERT_ESCALATED, Q.ALERT_ACKNOWLEDGED,
            Q.DEVIATION_INVESTIGATED, Q.DEVIATION_ASSESSED, Q.DEVIATION_CLOSED, Q.INTEGRITY_ASSESSED, Q.INTEGRITY_CONFIRMED,
        ),
    )
)  # fmt: skip
"""Kinds that say nothing new about how the lot was made or tested: alone they do not open a signed review again.

A signature counts as what is told with it. Assessing and closing a deviation is signed by itself and asked for by the gate.
"""


def significance(events: Iterable[str]) -> Significant | None:
    """The weightiest significant kind of an entry, or None when every kind of it is known as informational."""
    found = [SIGNIFICANT[event] for event in events if event in SIGNIFICANT]
    events = list(events)
    unknown = [event for event in events if event not in SIGNIFICANT and event not in INFORMATIONAL]
    if unknown or not events:
        found.append(Significant(f"An entry of a kind no rule knows: {', '.join(unknown) or 'without a name'}", "major"))
    return min(found, key=lambda each: RISKS.index(each.risk), default=None)


def is_quiet(events: Iterable[str]) -> bool:
    """Whether an entry leaves a signed review as it is."""
    events = list(events)
    return bool(events) and all(event in QUIET for event in events)
