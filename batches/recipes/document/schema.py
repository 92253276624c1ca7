"""The text form of a master recipe as frozen values: header, formula, procedure (ISA-88), read from YAML by ``loader.parse_recipe``.

Shapes only. What must hold between the parts (names, units, references, cycles) is checked in ``checks.py``.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, model_validator

from batches.recipes.document.fields import (
    Code,
    EventRef,
    Evidence,
    Frozen,
    Line,
    Number,
    ParameterKey,
    Percent,
    Source,
    Span,
    StepKey,
    Text,
    Unit,
    Version,
    span,
)
from batches.recipes.document.transport import Transport

LimitName = Literal["plausible", "hard", "action", "alert", "historical"]
LIMIT_NAMES: tuple[LimitName, ...] = ("plausible", "hard", "action", "alert", "historical")
LimitClass = Literal["CPP", "KPP", "IPC", "CQA", "none"]
ParameterType = Literal["decimal", "integer", "text", "choice", "datetime", "date", "boolean", "identifier", "calculated"]
NUMERIC_TYPES: frozenset[str] = frozenset({"decimal", "integer", "calculated"})
StepKind = Literal["record", "line_clearance", "decision", "scan", "labelling", "sampling", "order", "receipt"]
SecondPerson = Literal["none", "verify", "witness"]
MaterialRole = Literal["starting", "raw", "ancillary", "consumable"]
ContainerKind = Literal["collection_bag", "culture_chamber", "transfer", "final_bag", "sample"]
Timing = Literal["incoming", "in_process", "before_infusion", "post_release"]


class Band(Frozen):
    """One limit of a parameter, in the parameter's unit. At least one bound; a bound is inclusive unless named exclusive."""

    min: Number | None = None
    max: Number | None = None
    min_exclusive: Number | None = None
    max_exclusive: Number | None = None
    evidence: Evidence | None = None
    evidence_source: Code | None = None

    def contains(self, value: Decimal) -> bool:
        """Whether an unrounded value in the parameter's unit lies inside the band."""
        return not (
            (self.min is not None and value < self.min)
            or (self.max is not None and value > self.max)
            or (self.min_exclusive is not None and value <= self.min_exclusive)
            or (self.max_exclusive is not None and value >= self.max_exclusive)
        )


class Limits(Frozen):
    """The limits of decision 13: plausible (else an attempt), hard (stops), action (excursion), alert and historical (flags)."""

    plausible: Band | None = None
    hard: Band | None = None
    action: Band | None = None
    alert: Band | None = None
    historical: Band | None = None

    def bands(self) -> Iterator[tuple[LimitName, Band]]:
        """The bands that are set, in the order they are judged."""
        for name in LIMIT_NAMES:
            band = getattr(self, name)
            if band is not None:
                yield name, band


class Example(Frozen):
    """A worked example of a calculation: with these values it gives this result, to the digits written (reference vector)."""

    values: dict[str, Number | bool | Line]
    result: Number


class Parameter(Frozen):
    """One value a step records. The key is unique in the recipe and is the name used in expressions."""

    key: ParameterKey
    name: Line
    type: ParameterType
    unit: Unit | None = None
    decimals: int | None = Field(default=None, ge=0, le=12)
    limits: Limits = Limits()
    limit_class: LimitClass = "none"
    options: tuple[Line, ...] = ()
    accept: tuple[Line, ...] = ()
    """Of a choice or a yes/no: the answers inside the limit named by ``outside``; empty means every answer."""
    outside: Literal["hard", "action", "alert"] = "action"
    """What an answer that is not in ``accept`` breaks."""
    expression: Text | None = None
    examples: tuple[Example, ...] = ()
    """Of a calculation: examples worked by hand, computed again whenever the recipe is checked."""
    required: bool = True
    double_entry: bool = False
    censored_allowed: bool = False
    source: Literal["typed", "equipment", "either"] = "typed"
    channel: Line | None = None
    evidence: Evidence | None = None
    evidence_source: Code | None = None
    note: Text | None = None

    @property
    def is_numeric(self) -> bool:
        """Whether the value is a number with a unit."""
        return self.type in NUMERIC_TYPES

    def evidence_of(self, limit: LimitName) -> tuple[str | None, str | None]:
        """Evidence tag and source id of one limit: its own, else those of the parameter."""
        band = getattr(self.limits, limit)
        if band is not None and band.evidence is not None:
            return band.evidence, band.evidence_source
        return self.evidence, self.evidence_source


class MaterialLine(Frozen):
    """A material used at a step: one scanned line with its planned quantity; the unit is the material's when left out."""

    material: Code
    quantity: Number | None = Field(default=None, gt=0)
    unit: Unit | None = None
    required: bool = True


class Attachment(Frozen):
    """A raw file that belongs to the step, such as a device report or a logger file."""

    code: Code
    title: Line
    required: bool = True


class DecisionOption(Frozen):
    """An answer of a decision step and what it does to the lot."""

    code: Code
    title: Line
    consequence: Literal["continue", "hold", "terminate"]


class Decision(Frozen):
    """The question of a decision step and its answers."""

    question: Text
    options: tuple[DecisionOption, ...] = Field(min_length=2)


class Repeat(Frozen):
    """The step is done once on every day from ``from_day`` to ``to_day``, both included."""

    from_day: int = Field(ge=-365, le=400)
    to_day: int = Field(ge=-365, le=400)


class Step(Frozen):
    """One thing a person does and signs. ``stage`` is filled from the stage it stands in."""

    key: StepKey
    title: Line
    stage: Code
    instruction: Text
    kind: StepKind = "record"
    day: int = Field(ge=-365, le=400)
    performed_by: Code
    second_person: SecondPerson = "none"
    checked_by: tuple[Code, ...] = ("second_person",)
    """Roles that may be the second person here, beside ``performed_by`` itself. Who judges a lot keeps out of what is made of it."""
    touches_material: Code | None = None
    """Code of the container that must be scanned by its full identifier before the step opens."""
    equipment: tuple[Code, ...] = ()
    materials: tuple[MaterialLine, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    decision: Decision | None = None
    repeat: Repeat | None = None
    late_after: Span | None = None
    critical: bool = False
    in_process_control: bool = False

    @classmethod
    def filled_by_the_reader(cls) -> frozenset[str]:
        return frozenset({"stage"})

    @property
    def late_after_span(self) -> timedelta | None:
        """How much later than done a value may be entered before it is a late entry."""
        return None if self.late_after is None else span(self.late_after)

    def parameter(self, key: str) -> Parameter:
        """The parameter of this step with that key. Raises ``KeyError``."""
        for parameter in self.parameters:
            if parameter.key == key:
                return parameter
        raise KeyError(key)


class Stage(Frozen):
    """A part of the procedure, such as A4 enrichment."""

    code: Code
    title: Line
    purpose: Text
    after_release: bool = False
    """Its steps open only after certification and are not waited for by review and release (issue, bedside, closure)."""
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _steps_know_their_stage(cls, data: Any) -> Any:
        # Written once, at the stage; the loader refuses a step that repeats it in the text.
        if isinstance(data, Mapping) and isinstance(data.get("steps"), tuple):
            filled = [{**step, "stage": data.get("code")} if isinstance(step, Mapping) else step for step in data["steps"]]
            return {**data, "steps": tuple(filled)}
        return data


class Material(Frozen):
    """A line of the bill of materials; ``quantity`` is the planned total for one lot in ``unit``."""

    code: Code
    name: Line
    unit: Unit
    role: MaterialRole
    quantity: Number | None = Field(default=None, gt=0)


class EquipmentClass(Frozen):
    """What kind of equipment a step needs; which one is scanned at the step."""

    code: Code
    name: Line


class TimeLimit(Frozen):
    """The most time that may pass between two events (hold time)."""

    code: Code
    title: Line
    starts: EventRef
    ends: EventRef
    max: Span
    alert_at: Number = Field(default=Decimal("0.8"), gt=0, lt=1)
    """Share of ``max`` at which people are warned."""
    limit_class: LimitClass = Field(alias="class")
    reaction: Text
    evidence: Evidence
    evidence_source: Code | None = None

    @property
    def max_span(self) -> timedelta:
        """``max`` as a time span."""
        return span(self.max)


class Sample(Frozen):
    """A sample drawn at a step; ``tests`` are criterion codes of the recipe's specification."""

    code: Code
    title: Line
    step: StepKey
    day: int
    specimen: Line
    tests: tuple[Code, ...] = Field(min_length=1)
    timing: Timing


class Container(Frozen):
    """A vessel that holds the patient's material; ``created_by`` is the step after which it exists."""

    code: Code
    title: Line
    kind: ContainerKind
    label: bool
    created_by: StepKey


class DoseCohort(Frozen):
    """A dose level a lot can be ordered for; the target is in the unit of the dose."""

    code: Code
    target: Number = Field(gt=0)


class Dose(Frozen):
    """What one dose is. In expressions ``dose_target`` is the target of the ordered cohort, in ``unit``."""

    kind: Literal["per_kg", "flat"]
    unit: Unit
    cohorts: tuple[DoseCohort, ...] = Field(min_length=1)
    cohort_parameter: ParameterKey | None = None
    """The choice that records the ordered cohort; may be left out when there is one cohort."""
    weight_parameter: ParameterKey | None = None
    """The parameter that records the weight the dose is based on; wanted for a dose per kg."""
    tolerance_pct: Percent | None = None
    basis: Text
    evidence: Evidence
    evidence_source: Code | None = None

    def target(self, cohort: str | None = None) -> Decimal:
        """The target of a cohort, or of the only one. Raises ``KeyError`` when the cohort is not in the recipe."""
        if cohort is None and len(self.cohorts) == 1:
            return self.cohorts[0].target
        for each in self.cohorts:
            if each.code == cohort:
                return each.target
        raise KeyError(cohort)


class ShelfLife(Frozen):
    """How long the final product may be used after an event; gives expiry as date and time with zone."""

    starts: EventRef
    span: Span
    storage: Line
    evidence: Evidence
    evidence_source: Code | None = None


class CertificateFields(Frozen):
    """Which parameters the release certificate prints in its head."""

    total_car_cells: ParameterKey
    dose_per_kg: ParameterKey | None = None
    dose_per_bag: ParameterKey | None = None
    volume: ParameterKey
    bags: ParameterKey
    expiry: ParameterKey | None = None


class Recipe(Frozen):
    """A master recipe as written: everything of a product, nothing of it in code (decision 17)."""

    code: Code
    name: Line
    product: Code
    version: Version
    demo: bool
    regulatory_use: Literal["clinical", "commercial", "validation"]
    based_on: tuple[Source, ...]
    specification: Code
    dose: Dose
    shelf_life: ShelfLife
    certificate: CertificateFields
    slot: ParameterKey | None = None
    """The value that records the day on which the treatment centre expects the product; None where none is booked in the record."""
    transport: Transport = Transport()
    materials: tuple[Material, ...]
    equipment_classes: tuple[EquipmentClass, ...]
    containers: tuple[Container, ...]
    stages: tuple[Stage, ...] = Field(min_length=1)
    time_limits: tuple[TimeLimit, ...] = ()
    samples: tuple[Sample, ...] = ()

    def steps(self) -> tuple[Step, ...]:
        """Every step in the order written, repeats not expanded."""
        return tuple(step for stage in self.stages for step in stage.steps)

    def step(self, key: str) -> Step:
        """The step with that key (a run key such as ``A9.1@d5`` names the same step). Raises ``KeyError``."""
        wanted = key.partition("@")[0]
        for step in self.steps():
            if step.key == wanted:
                return step
        raise KeyError(key)

    def parameters(self) -> tuple[tuple[Step, Parameter], ...]:
        """Every parameter with its step, in the order written."""
        return tuple((step, parameter) for step in self.steps() for parameter in step.parameters)

    def parameter(self, key: str) -> tuple[Step, Parameter]:
        """The step and parameter with that key. Raises ``KeyError``."""
        for step, parameter in self.parameters():
            if parameter.key == key:
                return step, parameter
        raise KeyError(key)

    def parameter_names(self) -> dict[str, str]:
        """What a person calls each name that an expression may hold: the parameters, and the target of a dose."""
        return {"dose_target": "Dose of the cohort"} | {parameter.key: parameter.name for _, parameter in self.parameters()}

    def container(self, code: str) -> Container:
        """The container with that code. Raises ``KeyError``."""
        for container in self.containers:
            if container.code == code:
                return container
        raise KeyError(code)
