"""The text form of a release specification as frozen values, read from YAML by ``loader.parse_specification``.

A criterion states direction, unit, denominator, rounding, method version and timing, because each of them has turned a verdict somewhere
(decision 14). Shapes only; what must hold between the parts is in ``checks.py``.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from pydantic import Field

from batches.recipes.document.fields import Code, Evidence, Frozen, Line, Number, ParameterKey, Percent, Source, Text, Unit, Version
from batches.recipes.document.schema import Timing

CriterionType = Literal["numeric", "censored_numeric", "categorical", "text", "report_only", "redacted"]
NUMERIC_TYPES: frozenset[str] = frozenset({"numeric", "censored_numeric"})
BOUNDS = ("min", "max", "min_exclusive", "max_exclusive")


class Rounding(Frozen):
    """How a result is rounded before it is compared: to decimals or to significant digits."""

    decimals: int | None = Field(default=None, ge=0, le=12)
    significant: int | None = Field(default=None, ge=1, le=12)
    mode: Literal["half_up", "half_even"] = "half_up"
    evidence: Evidence
    evidence_source: Code | None = None


class Target(Frozen):
    """The result must lie within ``tolerance_pct`` percent of a computed value; ``expression`` uses names of the recipe."""

    expression: Line
    tolerance_pct: Percent


class Interim(Frozen):
    """A dated reading of a test that is still running, such as ``no growth``; ``required`` when stage 1 of the release waits for it."""

    allowed: bool = True
    required: bool = False
    accept: tuple[Line, ...] = Field(min_length=1)


class Criterion(Frozen):
    """One acceptance criterion. Bounds and target are in ``unit``; ``denominator`` says per what or of what."""

    code: Code
    attribute: Code
    name: Line
    method: Line
    method_version: Version
    type: CriterionType
    unit: Unit | None = None
    denominator: Line | None = None
    min: Number | None = None
    max: Number | None = None
    min_exclusive: Number | None = None
    max_exclusive: Number | None = None
    target: Target | None = None
    options: tuple[Line, ...] = ()
    """Of a categorical criterion: every answer the method can give."""
    accept: tuple[Line, ...] = ()
    """The answers that meet the criterion."""
    rounding: Rounding | None = None
    timing: Timing
    day: int | None = Field(default=None, ge=-365, le=400)
    sample: Code | None = None
    """Code of the recipe's sample the result is made from."""
    recipe_parameter: ParameterKey | None = None
    """The recipe's parameter that holds the same quantity, shown beside the result."""
    any_of: Code | None = None
    """Criteria of one group: meeting one of them is enough, and each must have a result or a stated reason for none."""
    interim: Interim | None = None
    due_days: int | None = Field(default=None, ge=0, le=400)
    """Days from sampling to the final result, for a result that comes after release."""
    evidence: Evidence
    evidence_source: Code | None = None
    timing_evidence: Evidence
    timing_evidence_source: Code | None = None
    note: Text | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether a result is a number, with or without a qualifier."""
        return self.type in NUMERIC_TYPES

    def bounds(self) -> Iterator[tuple[str, Decimal]]:
        """The bounds that are set: ``("min_exclusive", Decimal("5E+5"))``."""
        for name in BOUNDS:
            bound = getattr(self, name)
            if bound is not None:
                yield name, bound


class Specification(Frozen):
    """A specification version for one product in named markets."""

    code: Code
    name: Line
    product: Code
    version: Version
    markets: tuple[Code, ...] = Field(min_length=1)
    demo: bool
    based_on: tuple[Source, ...]
    note: Text | None = None
    criteria: tuple[Criterion, ...] = Field(min_length=1)

    def criterion(self, code: str) -> Criterion:
        """The criterion with that code. Raises ``KeyError``."""
        for criterion in self.criteria:
            if criterion.code == code:
                return criterion
        raise KeyError(code)

    def groups(self) -> dict[str, tuple[Criterion, ...]]:
        """Criteria joined by ``any_of``, under the name of their group."""
        grouped: dict[str, tuple[Criterion, ...]] = {}
        for criterion in self.criteria:
            if criterion.any_of is not None:
                grouped[criterion.any_of] = (*grouped.get(criterion.any_of, ()), criterion)
        return grouped
