"""Text to recipe. The shape is settled here; what must hold between the parts is told by ``checks.check_recipe``."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from batches.recipes.document.plain import to_yaml
from batches.recipes.document.problems import Problem, RecipeRefused
from batches.recipes.document.reading import Positions, ReadDocument, read
from batches.recipes.document.schema import Recipe
from batches.recipes.document.shape import pour


@dataclass(frozen=True)
class ReadRecipe:
    """A recipe together with the places of its text, so that later problems can name lines."""

    recipe: Recipe
    positions: Positions


def read_recipe(text: str) -> ReadRecipe:
    """The recipe in a text, with positions. Raises ``RecipeRefused`` with every problem of YAML and shape."""
    document = read(text)
    recipe, problems = pour(Recipe, document)
    problems += _typed_stages(document)
    if recipe is None or problems:
        raise RecipeRefused(problems)
    return ReadRecipe(recipe, document.positions)


def parse_recipe(text: str) -> Recipe:
    """The recipe in a text. Raises ``RecipeRefused`` with every problem of YAML and shape."""
    return read_recipe(text).recipe


def digest(text: str) -> str:
    """SHA-256 of the text as it stands, in hexadecimal; line ends are counted as ``\\n`` wherever the file was made."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode("utf-8")).hexdigest()


def export(recipe: Recipe) -> str:
    """The recipe as YAML text that reads back to an equal recipe."""
    return to_yaml(recipe)


def _typed_stages(document: ReadDocument) -> list[Problem]:
    # The reader fills a step's stage from where it stands; a second place to write it would be a place to contradict it.
    stages = document.tree.get("stages") if isinstance(document.tree, Mapping) else None
    problems = []
    for number, stage in enumerate(stages if isinstance(stages, tuple) else ()):
        steps = stage.get("steps") if isinstance(stage, Mapping) else None
        for place, step in enumerate(steps if isinstance(steps, tuple) else ()):
            if isinstance(step, Mapping) and "stage" in step:
                path = ("stages", number, "steps", place, "stage")
                message = "'stage' is not written at a step; it follows from the stage the step stands in"
                problems.append(document.positions.problem(path, "field_unknown", message, at_key=True))
    return problems
