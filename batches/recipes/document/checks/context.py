"""What every check works with: the recipe, its places in the text, and the problems found so far."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from batches.recipes.document.problems import Path, Problem
from batches.recipes.document.reading import Positions
from batches.recipes.document.schema import Parameter, Recipe, Step

STEP_ROLES = frozenset({"scheduler", "collection_nurse", "receiving", "operator", "supervisor", "qc_analyst", "qc_reviewer", "qa_reviewer", "treatment_centre"})
"""Roles a step may be given to. Releasing and administering are no steps of a recipe."""


@dataclass(frozen=True)
class Known:
    """What exists outside the recipe. None means: not asked here (a recipe may be written before its specification)."""

    roles: Collection[str] = STEP_ROLES
    specifications: Mapping[str, Collection[str]] | None = None
    """Criterion codes by specification code."""
    every_specification: bool = True
    """Whether what is not named does not exist; False while a recipe may be taken in before its specification."""


@dataclass
class Context:
    """One run of the checks."""

    recipe: Recipe
    positions: Positions
    known: Known
    problems: list[Problem] = field(default_factory=list)
    order: dict[str, int] = field(init=False)
    """Where each step first comes in the work of a lot, by step key."""

    def __post_init__(self) -> None:
        # Not from planned_steps: a step whose repeat runs backwards has no run, and the other checks still need its place.
        places = [(step.repeat.from_day if step.repeat else step.day, at, step.key) for at, step in enumerate(self.recipe.steps())]
        self.order = {}
        for place, (_, _, key) in enumerate(sorted(places)):
            self.order.setdefault(key, place)

    def refuse(self, path: Path, code: str, message: str) -> None:
        """Notes a problem at that path of the text."""
        self.problems.append(self.positions.problem(path, code, message))

    def steps(self) -> Iterator[tuple[Path, Step]]:
        """Every step with its path."""
        for number, stage in enumerate(self.recipe.stages):
            for place, step in enumerate(stage.steps):
                yield ("stages", number, "steps", place), step

    def parameters(self) -> Iterator[tuple[Path, Step, Parameter]]:
        """Every parameter with its path and step."""
        for path, step in self.steps():
            for place, parameter in enumerate(step.parameters):
                yield (*path, "parameters", place), step, parameter
