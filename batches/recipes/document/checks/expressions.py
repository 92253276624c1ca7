"""Calculated parameters: names, kinds, units, circles, and that what they need is recorded before them (decision 17)."""

from decimal import ROUND_HALF_UP, Decimal
from decimal import Context as DecimalContext

from batches.recipes.document.checks.context import Context
from batches.recipes.document.planning import DOSE_TARGET
from batches.recipes.document.problems import Path
from batches.recipes.document.schema import Parameter, Recipe, Step
from batches.recipes.expressions import Expression, ExpressionRefused, Kind
from batches.recipes.quantities import format_decimal
from batches.recipes.units import UnitRefused, parse_unit


def kinds_for(recipe: Recipe, step: Step | None = None) -> dict[str, Kind]:
    """What each name stands for in an expression of a step: its own run's values are single, those of other repeated steps are lists.

    Without a step (a specification's target) every repeated value is a list.
    """
    kinds = {DOSE_TARGET: Kind("number", recipe.dose.unit)}
    for owner, parameter in recipe.parameters():
        repeated = owner.repeat is not None and (step is None or owner.key != step.key)
        kinds[parameter.key] = kind_of(parameter, repeated=repeated)
    return kinds


def kind_of(parameter: Parameter, *, repeated: bool = False) -> Kind:
    """The kind of a parameter's value in expressions."""
    if parameter.is_numeric:
        return Kind("number", parameter.unit or "", repeated=repeated)
    if parameter.type == "boolean":
        return Kind("boolean", repeated=repeated)
    return Kind("text", repeated=repeated, choices=parameter.options)


def check_expressions(context: Context) -> None:
    """Notes what is wrong with the calculations of a recipe."""
    owners = {parameter.key: step for step, parameter in context.recipe.parameters()}
    for path, _, parameter in context.parameters():
        if parameter.key == DOSE_TARGET:
            context.refuse((*path, "key"), "name_reserved", f"'{DOSE_TARGET}' is the target of the ordered cohort; give the parameter another key")
    read: dict[str, tuple[Path, Expression]] = {}
    for path, step, parameter in context.parameters():
        if parameter.type == "calculated" and parameter.expression is not None:
            expression = _checked(context, (*path, "expression"), step, parameter)
            if expression is not None:
                read[parameter.key] = ((*path, "expression"), expression)
                _check_recorded_before(context, (*path, "expression"), step, expression, owners)
                _check_examples(context, path, parameter, expression)
    _check_circles(context, read)


def _checked(context: Context, path: Path, step: Step, parameter: Parameter) -> Expression | None:
    names = kinds_for(context.recipe, step)
    try:
        expression = Expression.parse(parameter.expression or "")
    except ExpressionRefused as refused:
        _refuse(context, path, refused)
        return None
    units = {each.key: each.unit for _, each in context.recipe.parameters() if each.is_numeric}
    if not all(_readable(units[name]) for name in {*expression.names, parameter.key} & units.keys()):
        return expression  # the unit itself is already a problem of its own; a second one at the formula would only echo it
    try:
        expression.check(names, Kind("number", parameter.unit))
    except ExpressionRefused as refused:
        _refuse(context, path, refused)
    return expression


def _readable(unit: str | None) -> bool:
    if unit is None:
        return False
    try:
        parse_unit(unit)
    except UnitRefused:
        return False
    return True


def _refuse(context: Context, path: Path, refused: ExpressionRefused) -> None:
    at = f" (column {refused.column} of the expression)" if refused.column is not None else ""
    context.refuse(path, refused.code, f"{refused.sentence}{at}")


def _check_recorded_before(context: Context, path: Path, step: Step, expression: Expression, owners: dict[str, Step]) -> None:
    for name in sorted(expression.names & owners.keys()):
        if context.order[owners[name].key] > context.order[step.key]:
            message = f"'{name}' is recorded at step {owners[name].key}, after step {step.key}; a calculation can use only what is there already"
            context.refuse(path, "recorded_later", message)


def _check_examples(context: Context, path: Path, parameter: Parameter, expression: Expression) -> None:
    for at, example in enumerate(parameter.examples):
        where = (*path, "examples", at)
        for name in sorted(example.values.keys() - expression.names):
            context.refuse((*where, "values", name), "example_unused", f"the expression of '{parameter.key}' does not use '{name}'")
        try:
            computed = expression.evaluate(example.values)
        except ExpressionRefused as refused:
            context.refuse(where, refused.code, f"the example cannot be computed: {refused.sentence}")
            continue
        if not isinstance(computed, Decimal):
            continue  # the kind is a problem of the expression, told there
        # Compared at the digits a person wrote: 21.4 stands for 21.357 as for 21.4.
        exponent = int(example.result.as_tuple().exponent)
        shown = computed.quantize(Decimal(1).scaleb(exponent), rounding=ROUND_HALF_UP, context=DecimalContext(prec=80))
        if shown != example.result:
            message = f"the example gives {format_decimal(shown)} and not {format_decimal(example.result)}; mend the expression or the example"
            context.refuse((*where, "result"), "example_differs", message)


def _check_circles(context: Context, read: dict[str, tuple[Path, Expression]]) -> None:
    """One problem per circle, told at the first of its parameters."""
    told: set[frozenset[str]] = set()
    for start in read:
        circle = _circle_from(start, read)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            way = " -> ".join((*circle, circle[0]))
            context.refuse(read[start][0], "circular", f"these calculations need one another: {way}. Take one out of the circle")


def _circle_from(start: str, read: dict[str, tuple[Path, Expression]]) -> tuple[str, ...]:
    """The shortest way from a calculation back to itself, empty when there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for name in sorted(read[way[-1]][1].names & read.keys()):
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append((*way, name))
    return ()
