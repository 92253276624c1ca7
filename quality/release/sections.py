"""What quality adds to a lot's batch record: results, deviations, the review, the decisions. 21 CFR 211.188(b)(5), 211.192."""

from __future__ import annotations

from collections.abc import Sequence

from batches.dossier.queries.record import Table, section
from batches.lots.models import Lot
from mes.audit.chain import instant
from quality.deviations import queries as deviations
from quality.release import queries
from quality.review import queries as review
from quality.samples import queries as samples
from quality.specifications.models import LotSpecification


def results(lot: Lot) -> Sequence[Table]:
    """Samples and results against the specification, corrected ones included."""
    if not LotSpecification.objects.filter(lot=lot).exists():
        return ()
    lines = samples.table(lot)
    rows, marked = [], set()
    for line in lines:
        found = line.result or line.interim
        value = f"{found.value_text} {found.unit}".strip() if found else ""
        if line.result is None and found is not None:
            value = samples.interim_text(found)
        earlier = "; ".join(f"was {each.value_text} {each.unit}".strip() for each in line.earlier)
        if line.standing in {"failed", "missing"}:
            marked.add(len(rows))
        rows.append(
            (
                line.criterion.name,
                f"{line.criterion.method}, version {line.criterion.method_version}",
                line.rule,
                f"{value}{f' ({earlier})' if earlier else ''}",
                line.word,
                samples.MARKS[found.evidence] if found else "",
                found.by.full_name if found else "",
                reviewer_of(found),
            )
        )
    columns = ("Test", "Method", "Specification", "Result", "Verdict", "Mark", "Tested by", "Reviewed by")
    drawn = tuple(
        (each.title, each.identifier, each.state.replace("_", " "), instant(each.drawn_at) if each.drawn_at else "", each.state_reason)
        for each in samples.samples_of(lot)
    )
    return (
        Table("Samples", ("Sample", "Identifier", "State", "Drawn", "Reason"), drawn),
        Table("Results against specification", columns, tuple(rows), marked=frozenset(marked)),
    )


def reviewer_of(result) -> str:
    """Who reviewed a result, an interim reading included; "" while nobody did."""
    review = getattr(result, "review", None) if result is not None else None
    return review.reviewer.full_name if review is not None else ""


def answers(lot: Lot) -> Sequence[Table]:
    """Deviations with their impact on this lot."""
    found = list(deviations.of_lot(lot.pk))
    rows = tuple(
        (
            each.number, each.title, each.classification, each.impact.replace("_", " "), each.impact_reason, each.investigation,
            each.assessed_by.full_name if each.assessed_by_id else "", each.state,
        )
        for each in found
    )  # fmt: skip
    marked = frozenset(index for index, each in enumerate(found) if each.state in {"open", "classified"} or each.impact == "not_acceptable")
    return (Table("Deviations", ("Number", "What happened", "Class", "Impact", "Why", "Investigation", "Assessed by", "State"), rows, marked=marked),)


def judgement(lot: Lot) -> Sequence[Table]:
    """Exceptions with their decisions, and the decisions about the lot."""
    shown = review.picture(lot)
    exceptions = tuple(
        (
            str(line.number), line.where, line.finding.title, line.finding.risk, line.decision_words or "open",
            line.disposition.comment if line.disposition else "",
            line.disposition.by.full_name if line.disposition else "",
        )
        for line in shown.lines
    )  # fmt: skip
    made = tuple(
        (
            queries.WORDS[each.kind],
            queries.number_of_decision(each),
            each.signature.full_name,
            each.signature.role,
            instant(each.recorded_at),
            each.reason or queries.why_not_valid(each),
        )
        for each in queries.decisions_of(lot)
    )
    open_ones = frozenset(index for index, line in enumerate(shown.lines) if not line.is_settled)
    return (
        Table(f"Exceptions: {shown.sum_words}", ("No.", "Where", "Exception", "Risk", "Decision", "Comment", "By"), exceptions, marked=open_ones),
        Table("Decisions about the lot", ("Decision", "Certificate", "By", "Role", "At", "Remark"), made),
    )


def register() -> None:
    """Register quality's sections of the batch record, in their order."""
    section("results", results)
    section("deviations", answers)
    section("judgement", judgement)
