"""When a deviation may be opened, classified, assessed, closed. 21 CFR 211.100(b), 211.192; EU GMP Part IV 2.5."""

from __future__ import annotations

from batches.dossier import queries as dossier
from batches.execution.models import Entry, StepRun
from mes.errors import NotAllowed, RuleBroken
from mes.people.rules import check_may, check_person_may
from mes.records.actors import Actor
from quality.deviations.models import Deviation
from quality.permissions import Permission
from quality.samples.models import Result

CLASSES = ("minor", "major", "critical")
IMPACTS = ("none", "acceptable", "not_acceptable")
LEAST_REASON = 10

BY_KIND: dict[str, str] = {
    "hard_limit": "critical",
    "identity": "critical",
    "late_failing_result": "critical",
    "out_of_specification": "major",
    "time_limit": "major",
    "late_entry": "minor",
    "label": "minor",
    "reading": "minor",
}
"""First classification by what happened; for a passed action limit the limit's class decides (BY_CLASS)."""

BY_CLASS: dict[str, str] = {"CPP": "major", "CQA": "major", "IPC": "major", "KPP": "minor", "none": "minor"}


def first_classification(kind: str, limit_class: str) -> tuple[str, str]:
    """The classification the background job gives, and the rule in words. QA may always classify again, with a reason."""
    if kind in BY_KIND:
        return BY_KIND[kind], f"rule: {kind.replace('_', ' ')} is {BY_KIND[kind]}"
    found = BY_CLASS.get(limit_class, "major")
    return found, f"rule: action limit of class {limit_class} is {found}"


def _needs_reason(reason: str, field: str = "reason") -> None:
    if len(reason.strip()) < LEAST_REASON:
        raise RuleBroken("reason_missing", f"Give the reason in at least {LEAST_REASON} characters: it is read by inspectors.", field=field)


def check_can_open_for_excursion(*, by: Actor, excursion) -> None:
    if excursion.lot_id is None:
        raise RuleBroken("excursion_without_lot", "An excursion belongs to a lot.")


def check_can_open_for_result(*, by: Actor, result, kind: str) -> None:
    if result.verdict in {"meets", "pending", "report_only"}:
        raise RuleBroken("result_not_failing", "This result does not fail; it needs no deviation.")


def check_can_open_by_hand(*, by: Actor, title: str, description: str) -> None:
    check_may(by, Permission.INVESTIGATE_DEVIATIONS)
    if not title.strip():
        raise RuleBroken("title_missing", "Say in one line what happened.", field="title")
    _needs_reason(description, "description")


def check_can_classify(*, by: Actor, deviation: Deviation, classification: str, reason: str) -> None:
    if by.kind != "system":
        check_may(by, Permission.ASSESS_DEVIATIONS)
        _needs_reason(reason)
    elif deviation.state != "open":
        raise RuleBroken("classified_before", "A person classified this deviation; the job leaves it as it is.")
    if classification not in CLASSES:
        raise RuleBroken("unknown_class", "A deviation is minor, major or critical.", field="classification")
    if deviation.state == "closed":
        raise RuleBroken("deviation_closed", f"{deviation.number} is closed.")


def check_can_investigate(*, by: Actor, deviation: Deviation, text: str) -> None:
    check_may(by, Permission.INVESTIGATE_DEVIATIONS)
    if deviation.state == "closed":
        raise RuleBroken("deviation_closed", f"{deviation.number} is closed.")
    _needs_reason(text, "investigation")


def check_not_own_work(person_id, deviation: Deviation, name: str) -> None:
    """Quality judges production, not itself: whoever made or tested the lot does not assess its deviations."""
    runs = StepRun.objects.filter(lot_id=deviation.lot_id)
    tested = Result.objects.filter(lot_id=deviation.lot_id, by_id=person_id).exists()
    made = deviation.lot_id is not None and person_id in dossier.workers(deviation.lot)
    if tested or made or runs.filter(performed_by_id=person_id).exists() or runs.filter(second_by_id=person_id).exists():
        raise NotAllowed("own_work", f"{name} worked on this lot and cannot assess its deviations. Another person of quality has to do it.")


def check_can_assess(*, by: Actor, deviation: Deviation, impact: str, reason: str, signer) -> None:
    check_person_may(signer, Permission.ASSESS_DEVIATIONS, by.site_id)
    check_not_own_work(signer.pk, deviation, signer.full_name)
    check_assessment(deviation, impact, reason)


def check_assessment(deviation: Deviation, impact: str, reason: str) -> None:
    """Whether this assessment can be made now, by whomever. Raises RuleBroken."""
    if deviation.state == "open":
        raise RuleBroken("not_classified", f"{deviation.number} is not classified yet. Classify it first.")
    if deviation.state == "closed":
        raise RuleBroken("deviation_closed", f"{deviation.number} is closed.")
    if impact not in IMPACTS:
        raise RuleBroken("unknown_impact", "The impact is none, acceptable or not acceptable. Choose one.", field="impact")
    _needs_reason(reason)


def check_can_close(*, by: Actor, deviation: Deviation, closed_as: str, reason: str, signer) -> None:
    check_person_may(signer, Permission.ASSESS_DEVIATIONS, by.site_id)
    check_not_own_work(signer.pk, deviation, signer.full_name)
    check_closure(deviation, closed_as, reason)


def check_closure(deviation: Deviation, closed_as: str, reason: str) -> None:
    """Whether this closure can be made now, by whomever. Raises RuleBroken."""
    if deviation.state == "closed":
        raise RuleBroken("deviation_closed", f"{deviation.number} is closed.")
    _needs_reason(reason)
    if closed_as == "entry_error":
        if not was_transcription(deviation):
            raise RuleBroken("no_entry_error", "Only a value that was corrected against its source, with a second person, is an entry error.")
    elif closed_as == "investigated":
        if deviation.state != "assessed":
            raise RuleBroken("not_assessed", f"The impact of {deviation.number} on the lot is not assessed yet. Assess it first.")
        if not deviation.investigation.strip():
            raise RuleBroken("not_investigated", f"{deviation.number} has no investigation text yet. Write it first.", field="investigation")
    else:
        raise RuleBroken("unknown_closure", "A deviation is closed as investigated or as an entry error. Choose one.", field="closed_as")


def was_transcription(deviation: Deviation) -> bool:
    """Whether the value that broke the limit was corrected against its source with a second person (decisions 6)."""
    if deviation.result_id is not None:
        # A corrected result carries the signature of the person who compared it with its source.
        return Result.objects.filter(supersedes_id=deviation.result_id).exclude(verdict__in=["above", "below", "does_not_meet"]).exists()
    excursion = deviation.excursion
    if excursion is None or excursion.entry_id is None:
        return False
    return Entry.objects.filter(supersedes_id=excursion.entry_id, confirmed_by__isnull=False).exclude(level__in=["action", "hard"]).exists()
