"""Codes and keys are written once."""

from collections.abc import Iterable

from batches.recipes.document.checks.context import Context
from batches.recipes.document.problems import Path


def check_names(context: Context) -> None:
    """Notes every code or key that stands twice where it must be unique."""
    recipe = context.recipe
    _once(context, "stage", ((("stages", at, "code"), each.code) for at, each in enumerate(recipe.stages)))
    _once(context, "step", (((*path, "key"), step.key) for path, step in context.steps()))
    _once(context, "parameter", (((*path, "key"), parameter.key) for path, _, parameter in context.parameters()))
    for name, what, parts in (
        ("materials", "material", recipe.materials),
        ("equipment_classes", "equipment class", recipe.equipment_classes),
        ("containers", "container", recipe.containers),
        ("time_limits", "time limit", recipe.time_limits),
        ("samples", "sample", recipe.samples),
    ):
        _once(context, what, (((name, at, "code"), each.code) for at, each in enumerate(parts)))
    _once(context, "source", ((("based_on", at, "id"), each.id) for at, each in enumerate(recipe.based_on)))
    _once(context, "cohort", ((("dose", "cohorts", at, "code"), each.code) for at, each in enumerate(recipe.dose.cohorts)))
    for path, step in context.steps():
        _once(context, "file", (((*path, "attachments", at, "code"), each.code) for at, each in enumerate(step.attachments)))
        _once(context, "material of this step", (((*path, "materials", at, "material"), each.material) for at, each in enumerate(step.materials)))
        _once(context, "equipment class of this step", (((*path, "equipment", at), each) for at, each in enumerate(step.equipment)))
        if step.decision is not None:
            _once(context, "answer", (((*path, "decision", "options", at, "code"), each.code) for at, each in enumerate(step.decision.options)))
    for path, _, parameter in context.parameters():
        _once(context, "answer", (((*path, "options", at), each) for at, each in enumerate(parameter.options)))


def _once(context: Context, what: str, named: Iterable[tuple[Path, str]]) -> None:
    first: dict[str, Path] = {}
    for path, name in named:
        if name in first:
            line = context.positions.of(first[name]).line
            context.refuse(path, "named_twice", f"the {what} '{name}' stands here a second time; the first is in line {line}. Give it another name")
        else:
            first[name] = path
