"""What must hold between the parts of a recipe before it can be approved (MBR-04; 21 CFR 211.100, 211.186). All problems at once."""

from batches.recipes.document.checks.context import Context, Known
from batches.recipes.document.checks.expressions import check_expressions
from batches.recipes.document.checks.naming import check_names
from batches.recipes.document.checks.parameters import check_parameters
from batches.recipes.document.checks.procedure import check_procedure
from batches.recipes.document.checks.references import check_references
from batches.recipes.document.loader import read_recipe
from batches.recipes.document.problems import Problem, RecipeRefused
from batches.recipes.document.reading import Positions
from batches.recipes.document.schema import Recipe

__all__ = ["Known", "check_recipe", "check_recipe_text"]


def check_recipe(recipe: Recipe, positions: Positions | None = None, known: Known | None = None) -> tuple[Problem, ...]:
    """Every problem between the parts of a recipe, in the order of the text; empty when it may be submitted for approval.

    ``positions`` come from ``read_recipe`` (without them line and column are 1); ``known`` names what exists outside the recipe.
    """
    context = Context(recipe, positions or Positions(), known or Known())
    check_names(context)
    check_parameters(context)
    check_expressions(context)
    check_references(context)
    check_procedure(context)
    return tuple(sorted(set(context.problems)))


def check_recipe_text(text: str, known: Known | None = None) -> Recipe:
    """The recipe in a text that is sound in shape and between its parts. Raises ``RecipeRefused`` with every problem."""
    found = read_recipe(text)
    problems = check_recipe(found.recipe, found.positions, known)
    if problems:
        raise RecipeRefused(problems)
    return found.recipe
