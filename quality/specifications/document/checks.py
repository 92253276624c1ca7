"""What must hold inside a specification before it can be approved (decision 14; 21 CFR 211.160, 211.165). All problems at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from batches.recipes.document.problems import Path, Problem, SpecificationRefused
from batches.recipes.document.reading import Positions
from batches.recipes.expressions import Expression, ExpressionRefused, Kind
from batches.recipes.units import UnitRefused, parse_unit
from quality.specifications.document.loader import read_specification
from quality.specifications.document.schema import Criterion, Specification

_JUDGED_BY_NOTHING = ("text", "report_only", "redacted")


@dataclass
class _Context:
    specification: Specification
    positions: Positions
    names: Mapping[str, Kind] | None
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, path: Path, code: str, message: str) -> None:
        self.problems.append(self.positions.problem(path, code, message))


def check_specification(specification: Specification, positions: Positions | None = None, names: Mapping[str, Kind] | None = None) -> tuple[Problem, ...]:
    """Every problem inside a specification, in the order of the text; empty when it may be submitted for approval.

    ``names`` are those of the recipe (``kinds_for``), for targets computed from them; None leaves targets to the approval of the recipe.
    """
    context = _Context(specification, positions or Positions(), names)
    _check_codes(context)
    for at, criterion in enumerate(specification.criteria):
        path: Path = ("criteria", at)
        if criterion.is_numeric:
            _check_numeric(context, path, criterion)
        else:
            _check_other(context, path, criterion)
        _check_timing(context, path, criterion)
        _check_evidence(context, path, criterion)
        if criterion.target is not None and names is not None:
            _check_target(context, path, criterion, names)
    for group, members in specification.groups().items():
        if len(members) < 2:
            at = specification.criteria.index(members[0])
            context.refuse(("criteria", at, "any_of"), "group_of_one", f"the group '{group}' has one criterion; any of one is that one")
    return tuple(sorted(set(context.problems)))


def check_specification_text(text: str, names: Mapping[str, Kind] | None = None) -> Specification:
    """The specification in a text that is sound in shape and inside. Raises ``SpecificationRefused`` with every problem."""
    found = read_specification(text)
    problems = check_specification(found.specification, found.positions, names)
    if problems:
        raise SpecificationRefused(problems)
    return found.specification


def _check_codes(context: _Context) -> None:
    specification = context.specification
    _once(context, ((("criteria", at, "code"), each.code) for at, each in enumerate(specification.criteria)))
    _once(context, ((("based_on", at, "id"), each.id) for at, each in enumerate(specification.based_on)))
    _once(context, ((("markets", at), each) for at, each in enumerate(specification.markets)))
    for at, criterion in enumerate(specification.criteria):
        _once(context, ((("criteria", at, "options", place), each) for place, each in enumerate(criterion.options)))


def _once(context: _Context, named: Iterable[tuple[Path, str]]) -> None:
    first: dict[str, Path] = {}
    for path, name in named:
        if name in first:
            line = context.positions.of(first[name]).line
            context.refuse(path, "named_twice", f"'{name}' stands here a second time; the first is in line {line}. Give it another name")
        else:
            first[name] = path


def _check_numeric(context: _Context, path: Path, criterion: Criterion) -> None:
    if criterion.unit is None:
        context.refuse(path, "unit_missing", f"the number '{criterion.code}' has no unit; write one, or \"1\" for a plain number")
    else:
        _check_unit(context, (*path, "unit"), criterion.unit)
    bounds = dict(criterion.bounds())
    if not bounds and criterion.target is None:
        message = f"'{criterion.code}' is judged by nothing; write a bound or a target, or make it report_only or redacted"
        context.refuse(path, "limit_missing", message)
    if bounds and criterion.target is not None:
        context.refuse(path, "limit_doubled", f"'{criterion.code}' has bounds and a target; keep one")
    if {"min", "min_exclusive"} <= bounds.keys() or {"max", "max_exclusive"} <= bounds.keys():
        context.refuse(path, "limit_doubled", f"'{criterion.code}' has an inclusive and an exclusive bound on one side; keep one")
    low, high = bounds.get("min", bounds.get("min_exclusive")), bounds.get("max", bounds.get("max_exclusive"))
    if low is not None and high is not None and (low > high or (low == high and not {"min", "max"} <= bounds.keys())):
        context.refuse(path, "limit_reversed", f"'{criterion.code}' runs from {low} to {high}; no result lies inside")
    if criterion.options or criterion.accept:
        context.refuse(path, "answers_of_number", f"'{criterion.code}' is a number; it has bounds, not answers")
    _check_rounding(context, path, criterion)


def _check_rounding(context: _Context, path: Path, criterion: Criterion) -> None:
    # 69.9 % against >= 70 % has been called out of specification and, rounded, within it: the rule must be in the text.
    rounding = criterion.rounding
    if rounding is None:
        context.refuse(path, "rounding_missing", f"'{criterion.code}' says no rounding; write rounding with decimals or significant digits")
    elif (rounding.decimals is None) == (rounding.significant is None):
        context.refuse((*path, "rounding"), "rounding_unclear", "rounding is to decimals or to significant digits; write one of the two")


def _check_other(context: _Context, path: Path, criterion: Criterion) -> None:
    for name, _ in criterion.bounds():
        context.refuse((*path, name), "bound_without_number", f"'{criterion.code}' is {criterion.type}, so it has no {name}")
    for name in ("target", "rounding"):
        if getattr(criterion, name) is not None:
            context.refuse((*path, name), "bound_without_number", f"'{criterion.code}' is {criterion.type}, so it has no {name}")
    if criterion.unit is not None:
        if criterion.type in ("categorical", "text"):
            context.refuse((*path, "unit"), "unit_without_number", f"'{criterion.code}' is {criterion.type}, so it has no unit")
        else:
            _check_unit(context, (*path, "unit"), criterion.unit)
    if criterion.type in _JUDGED_BY_NOTHING:
        if criterion.accept:
            message = f"'{criterion.code}' is {criterion.type} and is never judged, so nothing can meet it; take accept out"
            context.refuse((*path, "accept"), "never_judged", message)
        return
    if len(criterion.options) < 2:
        context.refuse(path, "options_missing", f"'{criterion.code}' is categorical; write every answer the method can give in options")
    if not criterion.accept:
        context.refuse(path, "limit_missing", f"'{criterion.code}' is judged by nothing; write the answers that meet it in accept")
    for at, accepted in enumerate(criterion.accept):
        if accepted not in criterion.options:
            context.refuse((*path, "accept", at), "answer_unknown", f"'{accepted}' is none of the options {', '.join(criterion.options)}")
    if criterion.accept and set(criterion.accept) >= set(criterion.options):
        context.refuse((*path, "accept"), "never_fails", f"every answer meets '{criterion.code}'; a criterion must be able to fail")


def _check_timing(context: _Context, path: Path, criterion: Criterion) -> None:
    if criterion.timing == "post_release":
        if criterion.due_days is None:
            message = f"the result of '{criterion.code}' comes after release; write due_days, the days from sampling to the final result"
            context.refuse(path, "due_missing", message)
    else:
        for name in ("interim", "due_days"):
            if getattr(criterion, name) is not None:
                context.refuse((*path, name), "not_after_release", f"'{name}' belongs to a result that comes after release; this one is {criterion.timing}")
    if criterion.timing == "in_process" and criterion.day is None:
        context.refuse(path, "day_missing", f"'{criterion.code}' is an in-process control; write its day")


def _check_evidence(context: _Context, path: Path, criterion: Criterion) -> None:
    known = {each.id for each in context.specification.based_on}
    for tag, name in (("evidence", "evidence_source"), ("timing_evidence", "timing_evidence_source")):
        source = getattr(criterion, name)
        if source is None and getattr(criterion, tag) in ("V", "S"):
            context.refuse((*path, tag), "source_missing", f"{tag} {getattr(criterion, tag)} was read somewhere; name it in {name}")
        if source is not None and source not in known:
            message = f"'{source}' is no source of this specification; based_on names: {', '.join(sorted(known)) or 'none'}"
            context.refuse((*path, name), "source_unknown", message)


def _check_unit(context: _Context, path: Path, unit: str) -> None:
    try:
        parse_unit(unit)
    except UnitRefused as refused:
        context.refuse(path, refused.code, refused.sentence)


def _check_target(context: _Context, path: Path, criterion: Criterion, names: Mapping[str, Kind]) -> None:
    where = (*path, "target", "expression")
    try:
        parse_unit(criterion.unit or "")
        Expression.parse(criterion.target.expression if criterion.target else "").check(names, Kind("number", criterion.unit or ""))
    except ExpressionRefused as refused:
        at = f" (column {refused.column} of the expression)" if refused.column is not None else ""
        context.refuse(where, refused.code, f"{refused.sentence}{at}")
    except UnitRefused:
        return  # noted at the unit already
