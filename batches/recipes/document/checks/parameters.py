"""Each parameter in itself: unit, limits, answers, source of the value (decision 13)."""

from decimal import Decimal

from batches.recipes.document.checks.context import Context
from batches.recipes.document.problems import Path
from batches.recipes.document.schema import LIMIT_NAMES, Band, Parameter, Step
from batches.recipes.units import UnitRefused, parse_unit

ANSWERS_OF_BOOLEAN = ("yes", "no")


def check_parameters(context: Context) -> None:
    """Notes what is wrong inside single parameters."""
    for path, step, parameter in context.parameters():
        _check_unit(context, path, parameter)
        _check_answers(context, path, parameter)
        _check_source(context, path, step, parameter)
        if parameter.is_numeric:
            _check_bands(context, path, parameter)
        elif next(parameter.limits.bands(), None) is not None:
            context.refuse((*path, "limits"), "limits_without_number", f"'{parameter.key}' is no number, so it has no limits; use 'accept' for answers")
        _check_evidence(context, path, parameter)


def check_unit(context: Context, path: Path, unit: str) -> bool:
    """Notes a unit that cannot be read; True when it can."""
    try:
        parse_unit(unit)
    except UnitRefused as refused:
        context.refuse(path, refused.code, refused.sentence)
        return False
    return True


def _check_unit(context: Context, path: Path, parameter: Parameter) -> None:
    if parameter.is_numeric:
        if parameter.unit is None:
            message = f"the number '{parameter.key}' has no unit; write one, such as mL or %, or \"1\" for a plain number"
            context.refuse(path, "unit_missing", message)
        else:
            check_unit(context, (*path, "unit"), parameter.unit)
        return
    for name in ("unit", "decimals"):
        if getattr(parameter, name) is not None:
            context.refuse((*path, name), "unit_without_number", f"'{parameter.key}' is no number, so it has no {name}")


def _check_answers(context: Context, path: Path, parameter: Parameter) -> None:
    if parameter.type == "choice" and len(parameter.options) < 2:
        context.refuse(path, "options_missing", f"the choice '{parameter.key}' needs at least two options")
    if parameter.type != "choice" and parameter.options:
        context.refuse((*path, "options"), "options_without_choice", f"only a choice has options; '{parameter.key}' is {parameter.type}")
    answers = ANSWERS_OF_BOOLEAN if parameter.type == "boolean" else parameter.options
    for at, accepted in enumerate(parameter.accept):
        if accepted not in answers:
            known = f"; the answers are {', '.join(answers)}" if answers else "; this parameter has no answers to choose from"
            context.refuse((*path, "accept", at), "answer_unknown", f"'{accepted}' can never be answered here{known}")
    if parameter.censored_allowed and parameter.type not in ("decimal", "integer"):
        context.refuse((*path, "censored_allowed"), "censored_without_number", "only a measured number can be given as '<' or '>'")


def _check_source(context: Context, path: Path, step: Step, parameter: Parameter) -> None:
    if (parameter.type == "calculated") != (parameter.expression is not None):
        has = "has no expression" if parameter.expression is None else f"is {parameter.type} but has an expression"
        context.refuse(path, "expression_missing" if parameter.expression is None else "expression_unwanted", f"'{parameter.key}' {has}")
    if parameter.examples and parameter.type != "calculated":
        context.refuse((*path, "examples"), "examples_unwanted", f"only a calculation has examples; '{parameter.key}' is {parameter.type}")
    if parameter.type == "calculated" and (parameter.double_entry or parameter.source != "typed"):
        context.refuse(path, "calculated_is_entered", f"'{parameter.key}' is calculated; nobody types it and no device sends it")
    if parameter.source != "typed" and parameter.channel is None:
        context.refuse((*path, "source"), "channel_missing", f"'{parameter.key}' comes from equipment; name the channel")
    if parameter.source != "typed" and not step.equipment:
        context.refuse((*path, "source"), "equipment_missing", f"'{parameter.key}' comes from equipment, and step {step.key} names no equipment class")
    if parameter.source == "typed" and parameter.channel is not None:
        context.refuse((*path, "channel"), "channel_unwanted", f"'{parameter.key}' is typed; a channel belongs to a value from equipment")


def _check_bands(context: Context, path: Path, parameter: Parameter) -> None:
    for name, band in parameter.limits.bands():
        where = (*path, "limits", name)
        bounds = [each for each in (band.min, band.max, band.min_exclusive, band.max_exclusive) if each is not None]
        if not bounds:
            context.refuse(where, "limit_empty", f"the {name} limit of '{parameter.key}' has no bound; write min or max")
            continue
        if None not in (band.min, band.min_exclusive) or None not in (band.max, band.max_exclusive):
            context.refuse(where, "limit_doubled", f"the {name} limit of '{parameter.key}' has an inclusive and an exclusive bound on one side; keep one")
        low, high = _low(band), _high(band)
        exclusive = band.min_exclusive is not None or band.max_exclusive is not None
        if low is not None and high is not None and (low > high or (low == high and exclusive)):
            context.refuse(where, "limit_reversed", f"the {name} limit of '{parameter.key}' runs from {low} to {high}; no value lies inside")
    _check_nesting(context, path, parameter)


def _check_nesting(context: Context, path: Path, parameter: Parameter) -> None:
    # What is not plausible is never recorded as a value, so a limit outside the plausible range could never be judged.
    plausible = parameter.limits.plausible
    if plausible is None:
        return
    for name in LIMIT_NAMES[1:]:
        band = getattr(parameter.limits, name)
        for bound in () if band is None else (_low(band), _high(band)):
            if bound is not None and not _encloses(plausible, bound):
                message = f"the {name} limit {bound} of '{parameter.key}' lies outside its plausible range; no recorded value could reach it"
                context.refuse((*path, "limits", name), "limit_not_plausible", message)


def _encloses(plausible: Band, bound: Decimal) -> bool:
    low, high = _low(plausible), _high(plausible)
    return (low is None or bound >= low) and (high is None or bound <= high)


def _low(band: Band) -> Decimal | None:
    return band.min if band.min is not None else band.min_exclusive


def _high(band: Band) -> Decimal | None:
    return band.max if band.max is not None else band.max_exclusive


def _check_evidence(context: Context, path: Path, parameter: Parameter) -> None:
    names = [name for name, _ in parameter.limits.bands()]
    if (names and any(parameter.evidence_of(name)[0] is None for name in names)) or (parameter.accept and parameter.evidence is None):
        message = f"the limits of '{parameter.key}' do not say where they come from; write evidence: V, S, K (with evidence_source) or illustrative"
        context.refuse(path, "evidence_missing", message)
    check_evidence(context, path, parameter.evidence, parameter.evidence_source)
    for name, band in parameter.limits.bands():
        check_evidence(context, (*path, "limits", name), band.evidence, band.evidence_source)


def check_evidence(context: Context, path: Path, evidence: str | None, source: str | None) -> None:
    """Notes a tag that names no source, and a source that is not in ``based_on``."""
    if source is None:
        if evidence in ("V", "S"):
            context.refuse((*path, "evidence"), "source_missing", f"evidence {evidence} was read somewhere; name it in evidence_source")
    elif source not in {each.id for each in context.recipe.based_on}:
        known = ", ".join(each.id for each in context.recipe.based_on) or "none"
        context.refuse((*path, "evidence_source"), "source_unknown", f"'{source}' is no source of this recipe; based_on names: {known}")
