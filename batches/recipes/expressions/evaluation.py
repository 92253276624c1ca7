"""Evaluation in exact decimals and the trace that goes into the record.

34 significant digits (IEEE 754 decimal128), half even between operations; what no decimal can hold exactly (1/3, a root, a logarithm)
is rounded there and nowhere else. A branch that is not taken is not evaluated, so it may lack values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
    Underflow,
    localcontext,
)
from itertools import pairwise

from batches.recipes.expressions.functions import EMPTY_IS_FINE, FUNCTIONS
from batches.recipes.expressions.syntax import Binary, Call, Choice, Compare, ExpressionRefused, Literal, Logic, Name, Node, Unary, tokens
from batches.recipes.quantities import format_decimal
from batches.recipes.units import UnitRefused, convert

Value = Decimal | bool | str
Values = Mapping[str, Value | Sequence[Decimal] | None]
LARGEST_POWER = 100
MOST_REPEATS = 1000
_CONTEXT = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-999, Emax=999, traps=[InvalidOperation, DivisionByZero, Overflow, Underflow, FloatOperation])
_CONTEXT.traps[Clamped] = False


@dataclass(frozen=True)
class Trace:
    """How a result came about, for the record: the expression, the same with its values filled in, the values by name, the result."""

    source: str
    filled: str
    values: tuple[tuple[str, str], ...]
    result: Value

    def __str__(self) -> str:
        return f"{self.source} = {self.filled} = {show(self.result)}"


def show(value: Value | Sequence[Decimal] | None) -> str:
    """A value as it stands in a trace."""
    if value is None:
        return "(no value)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, Decimal):
        return format_decimal(value)
    return ", ".join(map(format_decimal, value)) or "(no value)"


def evaluate(node: Node, values: Values) -> Value:
    """The value of a tree. Raises ``ExpressionRefused``."""
    with localcontext(_CONTEXT):
        result = _Evaluator(values).value(node)
    if isinstance(result, Decimal) and result == 0:
        return result.copy_abs()
    return result


def trace(source: str, node: Node, values: Values) -> Trace:
    """The result with the expression filled in. Raises ``ExpressionRefused``."""
    result = evaluate(node, values)
    filled, at, used = [], 0, {}
    words = tokens(source)
    for token, after in pairwise(words):
        if token.kind != "name" or after.text == "(" or token.text not in values:
            continue
        shown = show(values[token.text])
        used[token.text] = shown
        filled += [source[at : token.column - 1], f"({shown})" if shown.startswith("-") else shown]
        at = token.column - 1 + len(token.text)
    filled.append(source[at:])
    return Trace(source, "".join(filled), tuple(used.items()), result)


class _Evaluator:
    def __init__(self, values: Values) -> None:
        self.values = values

    def value(self, node: Node) -> Value:
        """One value; arithmetic that has no result is refused at the column of its sign."""
        try:
            return getattr(self, f"_{type(node).__name__.lower()}")(node)
        except DivisionByZero:
            raise ExpressionRefused("division_by_zero", "This divides by zero. Check the value below the line.", node.column) from None
        except Overflow:
            raise ExpressionRefused("number_too_large", "The result is larger than a number here can be. Check the values.", node.column) from None
        except Underflow:
            raise ExpressionRefused("number_too_small", "The result is too close to zero to be kept. Check the values.", node.column) from None
        except InvalidOperation:
            raise ExpressionRefused("impossible_operation", "This has no result, such as 0/0 or the root of a negative number.", node.column) from None

    def number(self, node: Node) -> Decimal:
        found = self.value(node)
        if not isinstance(found, Decimal):
            raise ExpressionRefused("wrong_kind", f"A number is needed here, and the value is {show(found)}.", node.column)
        return found

    def truth(self, node: Node) -> bool:
        found = self.value(node)
        if not isinstance(found, bool):
            raise ExpressionRefused("wrong_kind", f"A yes or no is needed here, and the value is {show(found)}.", node.column)
        return found

    def _literal(self, node: Literal) -> Value:
        return node.value

    def found(self, node: Name) -> Value | Sequence[Decimal]:
        found = self.values.get(node.id)
        if found is None:
            raise ExpressionRefused("missing_value", f"{node.id!r} has no value yet. Record it first.", node.column)
        if isinstance(found, Decimal) and not found.is_finite():
            raise ExpressionRefused("impossible_operation", f"{node.id!r} is not a finite number.", node.column)
        if isinstance(found, float | int) and not isinstance(found, bool):
            raise TypeError(f"{node.id} is a {type(found).__name__}; values of expressions are Decimal, bool or text")
        return found

    def _name(self, node: Name) -> Value:
        found = self.found(node)
        if not isinstance(found, Decimal | bool | str):
            raise ExpressionRefused("repeated_value", f"{node.id!r} is recorded several times. Write last({node.id}) or sum({node.id}).", node.column)
        return found

    def _unary(self, node: Unary) -> Value:
        if node.sign == "not":
            return not self.truth(node.operand)
        number = self.number(node.operand)
        return number.copy_negate() if node.sign == "-" else number

    def _binary(self, node: Binary) -> Decimal:
        left, right = self.number(node.left), self.number(node.right)
        if node.sign == "+":
            return left + right
        if node.sign == "-":
            return left - right
        if node.sign == "*":
            return left * right
        if node.sign == "/":
            return left / right
        if abs(right) > LARGEST_POWER:
            raise ExpressionRefused("power_too_large", f"The power {show(right)} is beyond {LARGEST_POWER}. Check the formula.", node.column)
        if left == 0 and right < 0:
            raise DivisionByZero
        return left**right

    def _compare(self, node: Compare) -> bool:
        left = self.value(node.operands[0])
        for sign, operand in zip(node.signs, node.operands[1:], strict=True):
            right = self.value(operand)
            if not _holds(sign, left, right, node.column):
                return False
            left = right
        return True

    def _logic(self, node: Logic) -> bool:
        return all(map(self.truth, node.parts)) if node.word == "and" else any(map(self.truth, node.parts))

    def _choice(self, node: Choice) -> Value:
        return self.value(node.then if self.truth(node.condition) else node.otherwise)

    def _call(self, node: Call) -> Decimal:
        function = FUNCTIONS.get(node.function)
        if function is None or not function.least <= len(node.arguments) <= function.most:
            raise ExpressionRefused("unknown_function", f"{node.function}() is not known with {len(node.arguments)} values.", node.column)
        if node.function == "convert":
            return self.converted(node)
        values: list[Decimal] = []
        for argument in node.arguments:
            values += self.several(argument, node.function) if function.takes_lists else [self.number(argument)]
        if not values and node.function not in EMPTY_IS_FINE:
            raise ExpressionRefused("missing_value", f"{node.function}() has no value yet. Record one first.", node.column)
        if function.shape == "logarithm" and values[0] <= 0:
            raise ExpressionRefused("impossible_operation", f"{node.function}() needs a number above 0, and this is {show(values[0])}.", node.column)
        return function.compute(values)

    def several(self, node: Node, function: str) -> list[Decimal]:
        """The values of a repeated parameter, or the one value of anything else."""
        if not isinstance(node, Name):
            return [self.number(node)]
        if self.values.get(node.id) is None and function in EMPTY_IS_FINE and node.id in self.values:
            return []
        found = self.found(node)
        if isinstance(found, Decimal | bool | str):
            return [self.number(node)]
        if len(found) > MOST_REPEATS or not all(isinstance(each, Decimal) and each.is_finite() for each in found):
            raise ExpressionRefused("wrong_kind", f"{node.id!r} is not a list of up to {MOST_REPEATS} numbers.", node.column)
        return list(found)

    def converted(self, node: Call) -> Decimal:
        given, wanted = (self.value(argument) for argument in node.arguments[1:])
        if not isinstance(given, str) or not isinstance(wanted, str):
            raise ExpressionRefused("wrong_kind", "convert() needs both units written as texts, such as 'mL'.", node.column)
        try:
            return convert(self.number(node.arguments[0]), given, wanted)
        except UnitRefused as refused:
            raise ExpressionRefused("unit_mismatch", refused.sentence, node.column) from None


def _holds(sign: str, left: Value, right: Value, column: int) -> bool:
    if type(left) is not type(right) or (not isinstance(left, Decimal) and sign not in ("==", "!=")):
        raise ExpressionRefused("wrong_kind", f"'{sign}' cannot compare {show(left)} with {show(right)}.", column)
    if sign == "==":
        return left == right
    if sign == "!=":
        return left != right
    first, second = Decimal(left), Decimal(right)
    return {"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}[sign]
