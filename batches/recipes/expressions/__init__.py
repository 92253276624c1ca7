"""The small safe language of calculations and branch conditions of a recipe (decision 17; MBR-04, EXE-07).

``viable_cells / total_cells * 100``, ``round(moi, 1)``, ``last(viability) >= 70 and route == 'continue'``. Numbers are exact decimals, never
binary floats; there are no loops, no attributes and no names but those of the recipe; source, literals, powers and depth are
bounded. ``check`` refuses unknown names ("did you mean"), wrong kinds and wrong units before the recipe can be approved;
``evaluate`` gives the value; ``trace`` gives it with the filled-in expression for the batch record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from batches.recipes.expressions.checking import Kind, check
from batches.recipes.expressions.evaluation import Trace, Value, Values, evaluate, trace
from batches.recipes.expressions.functions import FUNCTIONS
from batches.recipes.expressions.syntax import ExpressionRefused, Node, parse, tokens
from batches.recipes.expressions.wording import in_names

__all__ = ["FUNCTIONS", "Expression", "ExpressionRefused", "Kind", "Trace", "Value", "Values", "calculation_order", "in_names"]


@dataclass(frozen=True)
class Expression:
    """An expression that was read. Make it with ``Expression.parse``."""

    source: str
    node: Node
    names: frozenset[str]
    """Parameters it uses."""

    @classmethod
    def parse(cls, source: str) -> Expression:
        """Read an expression. Raises ``ExpressionRefused``: ``unreadable``, ``too_long``, ``nested_too_deep``, ``literal_out_of_range``."""
        written = source.strip()
        node = parse(written)
        words = tokens(written)
        reserved = {"and", "or", "not", "if", "else"}
        names = frozenset(
            token.text
            for token, after in pairwise(words)
            if token.kind == "name" and after.text != "(" and token.text not in reserved and token.text.lower() not in ("true", "false")
        )
        return cls(written, node, names)

    def check(self, names: Mapping[str, Kind], result: Kind | None = None) -> Kind:
        """The kind it gives with these names; with ``result``, that it gives what is declared (kind and unit), and then returns that.

        Raises ``ExpressionRefused``: ``unknown_name``, ``unknown_function``, ``wrong_number_of_arguments``, ``wrong_kind``, ``unit_mismatch``,
        ``unknown_unit``, ``unknown_choice``, ``repeated_value``, ``power_too_large``.
        """
        return check(self.node, names, result)

    def evaluate(self, values: Values) -> Value:
        """The value: a Decimal, a bool or a text. Values are in the units the expression was checked with.

        Raises ``ExpressionRefused``: ``missing_value``, ``division_by_zero``, ``number_too_large``, ``number_too_small``, ``impossible_operation``,
        ``power_too_large``, ``wrong_kind``, ``repeated_value``. Raises ``TypeError`` on a binary float.
        """
        return evaluate(self.node, values)

    def trace(self, values: Values) -> Trace:
        """The value with the expression filled in, as it stands in the record. Raises as ``evaluate``."""
        return trace(self.source, self.node, values)


def calculation_order(expressions: Mapping[str, Expression]) -> tuple[str, ...]:
    """The order in which calculated parameters can be computed, each after those it uses.

    Raises ``ExpressionRefused`` (``circular``) naming the circle when one needs itself.
    """
    graph = {name: sorted(expression.names & expressions.keys()) for name, expression in sorted(expressions.items())}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ExpressionRefused("circular", f"These calculations need one another: {circle}. Take one out of the circle.") from None
