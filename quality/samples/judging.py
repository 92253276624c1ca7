"""A reported result as typed, read and judged against the lot's specification version. One way for page, API and gateway (QC-01, QC-06)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from batches.execution import queries as execution
from batches.lots.models import Lot
from batches.recipes.expressions import Expression, ExpressionRefused, in_names
from batches.recipes.quantities import DecimalSign, Quantity, read_value
from batches.recipes.queries import document
from mes.errors import RuleBroken, UnreadableInput
from quality.samples.models import Result
from quality.specifications.document.schema import Criterion
from quality.specifications.verdicts import Outcome, Verdict, check_unit, criterion_text, judge_group, judge_result

FAILING = frozenset({Outcome.ABOVE, Outcome.BELOW, Outcome.DOES_NOT_MEET})
"""Verdicts that are out of specification. Not tested, redacted and report-only are never met, and are no failure of the product."""
NOT_TESTED_TEXT = "not tested"


@dataclass(frozen=True)
class Judged:
    """What was read and what it is worth."""

    quantity: Quantity
    verdict: Verdict


def judge(lot: Lot, criterion: Criterion, *, specification: str, text: str, unit: str, method_version: str, is_final: bool) -> Judged:
    """Read and judge one result.

    Raises ValueRefused for what is no value of the criterion (text in a number, "1,234", wrong unit), UnreadableInput("unit_missing"),
    RuleBroken("target_unknown") while the lot's record lacks what a relative limit is computed from.
    """
    quantity = read(criterion, text, unit, is_final=is_final, decimal_sign=lot.site.decimal_sign)
    target = target_of(lot, criterion) if criterion.target is not None and is_final else None
    verdict = judge_result(
        criterion, quantity, specification=specification, unit=unit or None, target=target, is_final=is_final, method_version=method_version or None
    )
    return Judged(quantity, verdict)


def read(criterion: Criterion, text: str, unit: str, *, is_final: bool, decimal_sign: DecimalSign = ".") -> Quantity:
    """The result as typed. A number needs its unit said beside it: a bare number has been compared in the wrong unit before."""
    if not is_final and criterion.interim is not None:
        # An answer in other letters would be read as a failure: what can be answered is what is accepted, and what fails.
        failing = tuple(option for option in criterion.options if option not in criterion.accept)
        return read_value(text, "choice", choices=(*criterion.interim.accept, *failing))
    numeric = criterion.is_numeric or (criterion.type == "report_only" and criterion.unit is not None)
    if not numeric:
        if unit.strip():
            raise UnreadableInput("wrong_unit", f"{criterion.name} has no unit, and {unit!r} was sent with it. Send it without unit.", field="unit")
        return read_value(text, "text")
    if not unit.strip():
        raise UnreadableInput("unit_missing", f"Say the unit of the result: {criterion.name} is reported in {criterion.unit}.", field="unit")
    check_unit(criterion, unit)
    # A value that is only reported has no limit to prove, so a detection limit is as good an answer as a number.
    censored = criterion.type in ("censored_numeric", "report_only")
    return read_value(text, "decimal", unit=criterion.unit or "", censored=censored, decimal_sign=decimal_sign)


def target_of(lot: Lot, criterion: Criterion) -> Decimal:
    """The target of a relative limit, computed from the values of the lot's record that count now. Raises RuleBroken("target_unknown")."""
    try:
        found = Expression.parse(criterion.target.expression).evaluate(execution.values(lot))
    except ExpressionRefused as refused:
        raise RuleBroken(
            "target_unknown",
            f"{criterion.name} is compared with {_in_words(lot, criterion)}, which cannot be computed yet: {refused.sentence} "
            "Record what is missing in the batch record, then enter the result.",
        ) from refused
    if not isinstance(found, Decimal):
        raise RuleBroken("target_unknown", f"{criterion.name} is compared with {_in_words(lot, criterion)}, which gives no number.")
    return found


def _in_words(lot: Lot, criterion: Criterion) -> str:
    return in_names(criterion.target.expression, document(lot.recipe_version).parameter_names())


def rule_now(lot: Lot, criterion: Criterion) -> str:
    """The criterion as a person reads it, with the computed band of a relative limit where it can be computed already."""
    if criterion.target is None:
        return criterion_text(criterion)
    try:
        return criterion_text(criterion, target_of(lot, criterion))
    except RuleBroken:
        return criterion_text(criterion)


def outdated(lot: Lot, criterion: Criterion, result: Result, specification: str) -> str:
    """Why a verdict no longer stands on the record that counts now, in words; "" while it does. 21 CFR 211.165(d), 211.194(a).

    Only a relative limit stands on the batch record: a value corrected since the verdict changes its band. The verdict is stored and never changes
    by itself (QC-01); it is compared with the one that the same result would be given now.
    """
    if criterion.target is None or result.kind != "final" or result.value is None:
        return ""
    try:
        now = judge(
            lot, criterion, specification=specification, text=result.value_text, unit=result.unit, method_version=result.method_version, is_final=True
        ).verdict
    except RuleBroken as refused:
        return f"{criterion.name} was judged by {result.rule}. {refused.sentence}"
    if (now.outcome.value, now.rule) == (result.verdict, result.rule):
        return ""
    return f"{criterion.name} was judged by {result.rule}. By what the batch record says now it is {now.rule}. Judge it anew."


def verdict_of(result: Result, specification: str) -> Verdict:
    """The stored verdict of a result as a value; never judged anew (QC-01)."""
    return Verdict(Outcome(result.verdict), result.criterion, specification, result.rule, result.sentence, result.value_text, result.rounded, result.unit)


def group_verdict(name: str, criteria: tuple[Criterion, ...], results: dict[str, Result], specification: str) -> Verdict:
    """The verdict of criteria of which one is enough, from the results that count now."""
    verdicts = [
        replace(verdict_of(results[each.code], specification), criterion=each.name)
        if each.code in results
        else Verdict(Outcome.PENDING, each.name, specification, criterion_text(each), "The result is still to come.")
        for each in criteria
    ]
    return judge_group(name, verdicts)
