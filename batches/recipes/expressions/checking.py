"""The check of an expression before any value exists: names, kinds and units (MBR-04, decision 17)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal as OneOf

from batches.recipes.expressions import measures
from batches.recipes.expressions.functions import FUNCTIONS, MOST_PLACES, Function
from batches.recipes.expressions.measures import Measure
from batches.recipes.expressions.syntax import Binary, Call, Choice, Compare, ExpressionRefused, Literal, Logic, Name, Node, Unary
from batches.recipes.units import UnitRefused, compatible

KindName = OneOf["number", "boolean", "text"]
LARGEST_WRITTEN_POWER = 20


@dataclass(frozen=True)
class Kind:
    """What a name stands for or an expression gives: a number in a unit, a truth value, or a text out of ``choices`` (empty: any).

    ``repeated``: the parameter belongs to a repeated step and has a list of values.
    """

    kind: KindName
    unit: str = ""
    repeated: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Typed:
    kind: KindName
    measure: Measure = measures.PLAIN
    choices: tuple[str, ...] = ()
    text: str | None = None
    repeated: bool = False


_BOOLEAN = _Typed("boolean")
_WORD = {"number": "a number", "boolean": "a yes or no", "text": "a text"}


def check(node: Node, names: Mapping[str, Kind], result: Kind | None) -> Kind:
    """The kind an expression gives. ``result``: what it is declared to give. Raises ``ExpressionRefused``."""
    typed = _Checker(names).check(node)
    if typed.repeated:
        raise _repeated(node)
    if result is None:
        return Kind(typed.kind, measures.unit_text(typed.measure) if typed.kind == "number" else "", choices=typed.choices)
    if typed.kind != result.kind:
        raise ExpressionRefused("wrong_kind", f"The expression gives {_WORD[typed.kind]}; {_WORD[result.kind]} is wanted here.")
    if typed.kind == "number":
        _check_result(typed.measure, result.unit)
    return result


def _check_result(measure: Measure, unit: str) -> None:
    declared = _measure(unit, None)
    if measures.fits(measure, declared):
        return
    gives = measures.unit_text(measure) or "a plain number"
    if measure.dimension != declared.dimension or measure.is_celsius != declared.is_celsius:
        raise ExpressionRefused("unit_mismatch", f"The expression gives {gives}, and the parameter is in {unit or 'no unit'}. Check the formula or the unit.")
    advice = "Multiply by 100." if declared.is_number and unit.startswith("%") else f"Write convert(…, '{gives}', '{unit}')."
    raise ExpressionRefused("unit_mismatch", f"The expression gives {gives}, which differs from {unit or 'a plain number'} by a factor. {advice}")


def _measure(unit: str, column: int | None) -> Measure:
    try:
        return measures.of_unit(unit)
    except UnitRefused as refused:
        raise ExpressionRefused(refused.code, refused.sentence, column) from None


def _near(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1, 0.6)
    return f"Did you mean {near[0]!r}?" if near else ""


def _repeated(node: Node) -> ExpressionRefused:
    name = node.id if isinstance(node, Name) else "it"
    return ExpressionRefused(
        "repeated_value", f"{name!r} is recorded several times. Write last({name}), max({name}), mean({name}) or sum({name}).", node.column
    )


class _Checker:
    def __init__(self, names: Mapping[str, Kind]) -> None:
        self.names = names

    def check(self, node: Node) -> _Typed:
        return getattr(self, f"_{type(node).__name__.lower()}")(node)

    def single(self, node: Node, kind: KindName | None = None, what: str = "") -> _Typed:
        """A part that has one value, of this kind."""
        typed = self.check(node)
        if typed.repeated:
            raise _repeated(node)
        if kind is not None and typed.kind != kind:
            raise ExpressionRefused("wrong_kind", f"{what} needs {_WORD[kind]}, and this is {_WORD[typed.kind]}.", node.column)
        return typed

    def _literal(self, node: Literal) -> _Typed:
        if isinstance(node.value, bool):
            return _BOOLEAN
        if isinstance(node.value, str):
            return _Typed("text", text=node.value)
        return _Typed("number", measures.written(Fraction(node.value)))

    def _name(self, node: Name) -> _Typed:
        kind = self.names.get(node.id)
        if kind is None:
            advice = _near(node.id, self.names) or "Use a parameter of this recipe."
            raise ExpressionRefused("unknown_name", f"{node.id!r} is not a parameter of this recipe. {advice}", node.column)
        measure = _measure(kind.unit, node.column) if kind.kind == "number" else measures.PLAIN
        return _Typed(kind.kind, measure, kind.choices, repeated=kind.repeated)

    def _unary(self, node: Unary) -> _Typed:
        if node.sign == "not":
            return self.single(node.operand, "boolean", "'not'")
        typed = self.single(node.operand, "number", f"'{node.sign}'")
        if node.sign == "-" and typed.measure.is_literal and typed.measure.literal is not None:
            return _Typed("number", measures.written(-typed.measure.literal))
        return typed

    def _binary(self, node: Binary) -> _Typed:
        what = f"'{node.sign}'"
        left, right = self.single(node.left, "number", what).measure, self.single(node.right, "number", what).measure
        if node.sign in "+-":
            return _Typed("number", self.added(node, left, right))
        if left.is_celsius or right.is_celsius:
            raise ExpressionRefused(
                "unit_mismatch", f"{what} cannot take degC, whose zero is arbitrary. Convert to K, or use a difference of two.", node.column
            )
        if node.sign == "**":
            return _Typed("number", self.raised(node, left, right))
        return _Typed("number", measures.product(left, right, divided=node.sign == "/"))

    def added(self, node: Binary, left: Measure, right: Measure) -> Measure:
        if left.is_literal and right.is_literal:
            known = left.literal is not None and right.literal is not None
            return measures.written((left.literal + right.literal if node.sign == "+" else left.literal - right.literal) if known else None)  # type: ignore[operator]
        both = self.agreed(f"'{node.sign}'", left, right, node.column)
        if left.is_celsius and right.is_celsius:
            if node.sign == "+":
                raise ExpressionRefused("unit_mismatch", "Two temperatures in degC cannot be added. Use mean() or a difference.", node.column)
            return Measure(both.dimension, both.factors)
        return both

    def raised(self, node: Binary, base: Measure, exponent: Measure) -> Measure:
        if not exponent.is_number:
            raise ExpressionRefused("unit_mismatch", f"A power needs a plain number, not {measures.unit_text(exponent)}.", node.column)
        whole = exponent.literal is not None and exponent.literal.denominator == 1
        if whole and abs(exponent.literal or 0) > LARGEST_WRITTEN_POWER and not base.is_literal:
            raise ExpressionRefused("power_too_large", f"The power is beyond {LARGEST_WRITTEN_POWER}. Check the formula.", node.column)
        if whole and exponent.literal is not None:
            return measures.power(base, int(exponent.literal))
        if not base.is_number:
            raise ExpressionRefused("unit_mismatch", f"{measures.unit_text(base)} can only be raised to a whole number written here.", node.column)
        return measures.written(None) if base.is_literal and exponent.is_literal else measures.PLAIN

    def agreed(self, what: str, left: Measure, right: Measure, column: int) -> Measure:
        both = measures.common(left, right)
        if both is not None:
            return both
        one, other = measures.unit_text(left) or "a plain number", measures.unit_text(right) or "a plain number"
        advice = f" Write convert(…, '{one}', '{other}')." if left.dimension == right.dimension else " Both sides need the same unit."
        if left.is_number and right.is_number:
            advice = " Divide the percentage by 100." if "%" in (one, other) else " They differ by a factor."
        raise ExpressionRefused("unit_mismatch", f"{what} joins {one} with {other}.{advice}", column)

    def _compare(self, node: Compare) -> _Typed:
        typed = [self.single(operand) for operand in node.operands]
        for sign, left, right in zip(node.signs, typed, typed[1:], strict=False):
            if left.kind != right.kind:
                raise ExpressionRefused("wrong_kind", f"'{sign}' compares {_WORD[left.kind]} with {_WORD[right.kind]}.", node.column)
            if left.kind == "number":
                self.agreed(f"'{sign}'", left.measure, right.measure, node.column)
            elif sign not in ("==", "!="):
                raise ExpressionRefused("wrong_kind", f"'{sign}' compares numbers only. Write == or != here.", node.column)
            self.possible(left, right, node.column)
        return _BOOLEAN

    def possible(self, left: _Typed, right: _Typed, column: int) -> None:
        """A text compared with a choice is one of its answers."""
        for text, choices in ((left.text, right.choices), (right.text, left.choices)):
            if text is not None and choices and text not in choices:
                advice = _near(text, choices) or f"The answers are: {', '.join(choices)}."
                raise ExpressionRefused("unknown_choice", f"{text!r} is never an answer here. {advice}", column)

    def _logic(self, node: Logic) -> _Typed:
        for part in node.parts:
            self.single(part, "boolean", f"'{node.word}'")
        return _BOOLEAN

    def _choice(self, node: Choice) -> _Typed:
        self.single(node.condition, "boolean", "'if'")
        then, otherwise = self.single(node.then), self.single(node.otherwise)
        if then.kind != otherwise.kind:
            raise ExpressionRefused("wrong_kind", "The values before 'if' and after 'else' are of different kinds.", node.column)
        if then.kind != "number":
            return _Typed(then.kind, choices=tuple({*then.choices, *otherwise.choices, *filter(None, (then.text, otherwise.text))}))
        if then.measure.is_literal and otherwise.measure.is_literal:
            return _Typed("number", measures.written(None))
        return _Typed("number", self.agreed("'if … else'", then.measure, otherwise.measure, node.column))

    def _call(self, node: Call) -> _Typed:
        function = FUNCTIONS.get(node.function)
        if function is None:
            advice = _near(node.function, FUNCTIONS) or f"There are: {', '.join(sorted(FUNCTIONS))}."
            raise ExpressionRefused("unknown_function", f"{node.function!r} is not a function here. {advice}", node.column)
        if not function.least <= len(node.arguments) <= function.most:
            takes = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
            raise ExpressionRefused("wrong_number_of_arguments", f"{node.function}() takes {takes} values, not {len(node.arguments)}.", node.column)
        if function.shape == "convert":
            return self.converted(node)
        return _Typed("number", self.through(node, function))

    def through(self, node: Call, function: Function) -> Measure:
        """The measure after a function, by its shape."""
        what = f"{node.function}()"
        if function.shape == "round":
            places = node.arguments[1]
            bare = places.operand if isinstance(places, Unary) and places.sign == "-" else places
            if not isinstance(bare, Literal) or not isinstance(bare.value, Decimal) or bare.value % 1 or bare.value > MOST_PLACES:
                raise ExpressionRefused("wrong_kind", f"{what} needs its decimals written as a whole number up to {MOST_PLACES}.", places.column)
            return self.single(node.arguments[0], "number", what).measure
        parts = [self.argument(argument, function, what) for argument in node.arguments]
        first = parts[0]
        if function.shape == "count":
            return measures.PLAIN
        if function.shape == "logarithm":
            if not first.is_number or not measures.fits(first, measures.PLAIN):
                raise ExpressionRefused(
                    "unit_mismatch",
                    f"{what} needs a plain number, not {measures.unit_text(first)}. Divide by a value in that unit.",
                    node.column,
                )
            return measures.written(None) if first.is_literal else measures.PLAIN
        if function.shape == "root":
            root = measures.root(first)
            if root is None or first.is_celsius:
                raise ExpressionRefused("unit_mismatch", f"{measures.unit_text(first)} has no square root.", node.column)
            return root
        for other in parts[1:]:
            first = self.agreed(what, first, other, node.column)
        if node.function == "sum" and first.is_celsius:
            raise ExpressionRefused("unit_mismatch", "Temperatures in degC cannot be added. Use mean().", node.column)
        return measures.written(None) if first.is_literal else first

    def argument(self, node: Node, function: Function, what: str) -> Measure:
        typed = self.check(node)
        if typed.repeated and not function.takes_lists:
            raise _repeated(node)
        if function.shape in ("count", "list") and not typed.repeated:
            raise ExpressionRefused("wrong_kind", f"{what} needs a parameter that is recorded several times.", node.column)
        if typed.kind != "number" and function.shape != "count":
            raise ExpressionRefused("wrong_kind", f"{what} needs a number, and this is {_WORD[typed.kind]}.", node.column)
        return typed.measure

    def converted(self, node: Call) -> _Typed:
        value = self.single(node.arguments[0], "number", "convert()").measure
        units = [self.single(argument, "text", "convert()").text for argument in node.arguments[1:]]
        given, wanted = units
        if given is None or wanted is None:
            raise ExpressionRefused("wrong_kind", "convert() needs both units written as texts, such as 'mL'.", node.column)
        before, after = _measure(given, node.arguments[1].column), _measure(wanted, node.arguments[2].column)
        if not compatible(given, wanted):
            raise ExpressionRefused("unit_mismatch", f"{given!r} cannot be turned into {wanted!r}: they do not measure the same thing.", node.column)
        if not value.is_literal and measures.common(value, before) is None:
            raise ExpressionRefused("unit_mismatch", f"convert() is told {given!r}, and the value is in {measures.unit_text(value) or 'no unit'}.", node.column)
        return _Typed("number", after)
