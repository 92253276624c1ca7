"""The verdict of one result against one criterion of one specification version (decision 14; QC-01, QC-06). Pure.

Order: unit, then state (redacted, not tested, pending), then rounding by the criterion's own rule, then comparison. A missing, redacted or
report-only result is never "meets"; neither is a censored one whose bound does not prove it. The verdict carries everything that led
to it, so that it stays true when the specification changes later.
Sources: 21 CFR 211.160(b), 211.165(a), 211.194(a)(6); EU GMP Part IV section 12; USP General Notices 7.20.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any, Literal

from batches.recipes.bounds import Between, bounds_text, distance_text, lower, standing, upper
from batches.recipes.quantities import Qualifier, Quantity, ValueRefused, format_decimal
from batches.recipes.units import UnitRefused, same_unit
from quality.specifications.document.schema import Criterion
from quality.specifications.rounding import rounded, rule_text

RULES_VERSION = "1"
"""Raised whenever the same result could get another verdict; stored with each verdict (QC-01)."""

_EXACT = Context(prec=120)

Testing = Literal["tested", "pending", "not_tested"]


class Outcome(StrEnum):
    """What a result is worth. Only ``meets`` lets a criterion pass."""

    MEETS = "meets"
    ABOVE = "above"
    BELOW = "below"
    DOES_NOT_MEET = "does_not_meet"
    PENDING = "pending"
    NOT_TESTED = "not_tested"
    REDACTED = "redacted"
    REPORT_ONLY = "report_only"


WORDS = {
    Outcome.MEETS: "Meets",
    Outcome.ABOVE: "Above limit",
    Outcome.BELOW: "Below limit",
    Outcome.DOES_NOT_MEET: "Does not meet",
    Outcome.PENDING: "Pending",
    Outcome.NOT_TESTED: "Not tested",
    Outcome.REDACTED: "Limit not published",
    Outcome.REPORT_ONLY: "Reported, no limit",
}
"""What people read (decision 18: not pass and fail)."""


@dataclass(frozen=True)
class Verdict:
    """A verdict with what it was made from. ``decided`` is False when a censored result proves nothing either way."""

    outcome: Outcome
    criterion: str
    specification: str
    rule: str
    sentence: str
    entered: str = ""
    compared: str = ""
    unit: str = ""
    decided: bool = True
    rules_version: str = RULES_VERSION

    @property
    def meets(self) -> bool:
        """Whether the criterion is met. True for one outcome only."""
        return self.outcome is Outcome.MEETS

    @property
    def is_out_of_specification(self) -> bool:
        """Whether a final result lies outside its criterion, so that an investigation is owed (OOS)."""
        return self.outcome in (Outcome.ABOVE, Outcome.BELOW, Outcome.DOES_NOT_MEET)

    @property
    def word(self) -> str:
        """The outcome as people read it."""
        return WORDS[self.outcome]

    def as_record(self) -> dict[str, Any]:
        """The verdict as plain values for storing and sealing."""
        return {
            "outcome": str(self.outcome),
            "criterion": self.criterion,
            "specification": self.specification,
            "rule": self.rule,
            "sentence": self.sentence,
            "entered": self.entered,
            "compared": self.compared,
            "unit": self.unit,
            "decided": self.decided,
            "rules_version": self.rules_version,
        }


def judge_result(
    criterion: Criterion,
    result: Quantity | None,
    *,
    specification: str,
    unit: str | None = None,
    target: Decimal | None = None,
    testing: Testing = "tested",
    is_final: bool = True,
    method_version: str | None = None,
) -> Verdict:
    """The verdict of a result.

    ``specification`` names the version in force, such as ``mb_cart20_1 2``; ``unit`` is the unit the result came in (None: that it was read
    in); ``target`` the computed value of a relative criterion, in the criterion's unit; ``is_final`` False marks a dated interim reading.
    Raises ``ValueRefused``: ``wrong_unit``, ``unknown_unit``, ``not_a_number``, ``censored_not_allowed``, ``not_a_choice``. A unit is checked before
    anything else is looked at.
    """
    made = _Maker(criterion, specification, result)
    if result is not None and criterion.is_numeric:
        check_unit(criterion, result.unit if unit is None else unit)
    if criterion.type == "redacted":
        return made.verdict(Outcome.REDACTED, "The limit is not published, so nothing can be said to meet it.")
    if method_version is not None and method_version != criterion.method_version:
        return made.verdict(
            Outcome.NOT_TESTED,
            f"Tested with method version {method_version}; the specification wants {criterion.method_version}. The result does not count.",
        )
    if testing == "not_tested":
        return made.verdict(Outcome.NOT_TESTED, "Not tested.")
    if result is None or testing == "pending":
        return made.verdict(Outcome.PENDING, "The result is still to come.")
    if not is_final:
        return _interim(made, criterion, result)
    if criterion.type == "report_only":
        return made.verdict(Outcome.REPORT_ONLY, "Reported; the specification sets no limit.")
    if criterion.is_numeric:
        return _numeric(made, criterion, result, target)
    return _worded(made, criterion, result)


def judge_group(name: str, verdicts: Collection[Verdict]) -> Verdict:
    """The verdict of criteria of which one is enough: pending while one is to come, met when one is met.

    Raises ``ValueError`` for an empty group.
    """
    if not verdicts:
        raise ValueError("a group has at least one criterion")
    first = next(iter(verdicts))
    outcomes = {verdict.outcome for verdict in verdicts}
    met = [verdict.criterion for verdict in verdicts if verdict.meets]
    rule = f"one of {', '.join(verdict.criterion for verdict in verdicts)}"
    if Outcome.PENDING in outcomes:
        outcome, sentence = Outcome.PENDING, "A result of the group is still to come."
    elif met:
        outcome, sentence = Outcome.MEETS, f"Met by {', '.join(met)}."
    elif Outcome.REDACTED in outcomes:
        outcome, sentence = Outcome.REDACTED, "None is met, and one limit of the group is not published."
    elif outcomes <= {Outcome.NOT_TESTED, Outcome.REPORT_ONLY}:
        outcome, sentence = Outcome.NOT_TESTED, "None of the group was tested against a limit."
    else:
        outcome, sentence = Outcome.DOES_NOT_MEET, "None of the group is met."
    return Verdict(outcome, name, first.specification, rule, sentence, decided=all(verdict.decided for verdict in verdicts))


def check_unit(criterion: Criterion, unit: str) -> None:
    """Refuse a unit that is not that of the criterion, denominator included. Raises ``ValueRefused`` (``wrong_unit``, ``unknown_unit``)."""
    wanted = criterion.unit or ""
    full = f"{wanted} ({criterion.denominator})" if criterion.denominator else wanted
    try:
        if same_unit(unit, wanted) or any(same_unit(unit, each) for each in _with_denominator(criterion)):
            return
    except UnitRefused as refused:
        raise ValueRefused(refused.code, refused.sentence) from None
    raise ValueRefused(
        "wrong_unit",
        f"The result is in {unit or 'no unit'}, {criterion.name} in {full or 'no unit'}. They are not compared; report it in {full}.",
    )


def _with_denominator(criterion: Criterion) -> list[str]:
    if not criterion.unit or not criterion.denominator:
        return []
    spelled = [f"{criterion.unit} of {criterion.denominator}", f"{criterion.unit}/{criterion.denominator}"]
    return [each for each in spelled if _is_unit(each)]


def _is_unit(text: str) -> bool:
    try:
        return same_unit(text, text)
    except UnitRefused:
        return False


class _Maker:
    """Verdicts of one criterion, so that none forgets its origin."""

    def __init__(self, criterion: Criterion, specification: str, result: Quantity | None) -> None:
        self.criterion = criterion
        self.specification = specification
        self.entered = "" if result is None else result.text

    def verdict(self, outcome: Outcome, sentence: str, *, rule: str | None = None, compared: str = "", decided: bool = True) -> Verdict:
        unit = self.criterion.unit or ""
        return Verdict(
            outcome,
            self.criterion.code,
            self.specification,
            criterion_text(self.criterion) if rule is None else rule,
            sentence,
            self.entered,
            compared,
            unit,
            decided,
        )


def criterion_text(criterion: Criterion, target: Decimal | None = None) -> str:
    """The rule as a person reads it: ``≥ 70 %, compared after rounding half up to 1 decimal``."""
    if criterion.type == "redacted":
        return "limit not published"
    if criterion.type == "report_only":
        return "report only"
    if not criterion.is_numeric:
        return either(criterion.accept) if criterion.accept else "report only"
    parts = [bounds_text(criterion, criterion.unit or "")]
    if criterion.target is not None:
        tolerance = format_decimal(criterion.target.tolerance_pct)
        if target is None:
            parts.append(f"{criterion.target.expression} ± {tolerance} %")
        else:
            parts.append(f"{format_decimal(target)} ± {tolerance} %: {bounds_text(_around(criterion, target), criterion.unit or '')}")
    return ", ".join(part for part in (*parts, rule_text(criterion.rounding)) if part)


def either(answers: Sequence[str]) -> str:
    """Answers of which each is good: "absent", "clear or turbid", "a, b or c"."""
    return f"{', '.join(answers[:-1])} or {answers[-1]}" if len(answers) > 1 else answers[0]


def _around(criterion: Criterion, target: Decimal) -> Between:
    """The band of a relative criterion: target ± tolerance, exact."""
    if criterion.target is None:
        return Between()
    width = _EXACT.multiply(_EXACT.abs(target), criterion.target.tolerance_pct.scaleb(-2))
    # Computed ends carry zeros that nobody measured; the stated target keeps its own digits.
    return Between(min=_EXACT.subtract(target, width).normalize(_EXACT), max=_EXACT.add(target, width).normalize(_EXACT))


def _numeric(made: _Maker, criterion: Criterion, result: Quantity, target: Decimal | None) -> Verdict:
    if result.value is None or not result.value.is_finite():
        raise ValueRefused("not_a_number", f"{criterion.name} takes a number, and {result.text[:80]!r} is none. Type digits, such as 97.9.")
    if result.is_censored and criterion.type != "censored_numeric":
        raise ValueRefused(
            "censored_not_allowed",
            f"{criterion.name} takes a plain number; {result.text!r} gives only a bound. Report the number measured.",
        )
    bands: list[Between | Criterion] = [criterion] if lower(criterion) or upper(criterion) else []
    if criterion.target is not None:
        if target is None:
            return made.verdict(Outcome.PENDING, "The target this result is compared with cannot be computed yet.")
        bands.append(_around(criterion, target))
    if not bands:
        return made.verdict(Outcome.REDACTED, "The specification gives no limit, so nothing can be said to meet it.")
    compared, qualifier = _as_compared(criterion, result.value, result.qualifier)
    shown = f"{qualifier} {format_decimal(compared)}".strip()
    rule = criterion_text(criterion, target)
    unit = criterion.unit or ""
    stands = [standing(compared, qualifier, band) for band in bands]
    worst = next((each for each in stands if each.place in ("below", "above")), None) or next((each for each in stands if each.place == "undecided"), stands[0])
    if worst.place == "inside":
        return made.verdict(Outcome.MEETS, f"{shown} meets the criterion.", rule=rule, compared=shown)
    if worst.place == "undecided":
        sentence = f"{shown} does not prove that the criterion is met. Report a result with a lower detection limit, or investigate."
        return made.verdict(Outcome.DOES_NOT_MEET, sentence, rule=rule, compared=shown, decided=False)
    where = f"{distance_text(worst, unit)}." if qualifier == "" else f"outside {rule}."
    return made.verdict(Outcome.ABOVE if worst.place == "above" else Outcome.BELOW, f"{shown}: {where}", rule=rule, compared=shown)


def _as_compared(criterion: Criterion, value: Decimal, qualifier: Qualifier) -> tuple[Decimal, Qualifier]:
    """The value after the rule. A rounded bound includes itself: ``< 0.54`` to one decimal can be a 0.53, which is compared as 0.5."""
    if criterion.rounding is None or (criterion.rounding.decimals is None and criterion.rounding.significant is None):
        return rounded(value, None), qualifier
    weakened: dict[Qualifier, Qualifier] = {"<": "<=", ">": ">="}
    return rounded(value, criterion.rounding), weakened.get(qualifier, qualifier)


def _interim(made: _Maker, criterion: Criterion, result: Quantity) -> Verdict:
    if criterion.interim is None or not criterion.interim.allowed:
        return made.verdict(Outcome.PENDING, "An interim reading decides nothing here; the final result is still to come.")
    if result.text in criterion.interim.accept:
        return made.verdict(Outcome.PENDING, f"Interim reading: {result.text}. The final result is still to come.", compared=result.text)
    accepted = ", ".join(criterion.interim.accept)
    return made.verdict(Outcome.DOES_NOT_MEET, f"Interim reading {result.text!r} is not accepted ({accepted}).", compared=result.text)


def _worded(made: _Maker, criterion: Criterion, result: Quantity) -> Verdict:
    answer = result.text
    if criterion.options and answer not in criterion.options and answer not in criterion.accept:
        raise ValueRefused("not_a_choice", f"{answer[:80]!r} is no answer of this method. Choose one of: {', '.join(criterion.options)}.")
    if not criterion.accept:
        return made.verdict(Outcome.REPORT_ONLY, "Reported; the specification names no accepted answer.", compared=answer)
    if answer in criterion.accept:
        return made.verdict(Outcome.MEETS, f"{answer!r} meets the criterion.", compared=answer)
    return made.verdict(Outcome.DOES_NOT_MEET, f"{answer!r} is not accepted. Accepted: {', '.join(criterion.accept)}.", compared=answer)
