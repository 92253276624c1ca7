"""When a recipe version may be taken in, submitted, approved and made effective. 21 CFR 211.100, 211.186."""

from __future__ import annotations

from batches.permissions import Permission
from batches.recipes import outside
from batches.recipes.document.checks import check_recipe_text
from batches.recipes.document.schema import Recipe
from batches.recipes.models import MasterRecipe, RecipeVersion
from mes.errors import NotAllowed, RuleBroken
from mes.people import rules as people_rules
from mes.people.models import User
from mes.records.actors import Actor
from mes.records.intact import check_trail_holds
from mes.signatures.rules import check_different_person


def check_can_import_recipe(*, by: Actor, recipe: Recipe, master: MasterRecipe | None, existing: RecipeVersion | None) -> None:
    """Raises NotAllowed, RuleBroken("recipe_version_taken") for a version that is past draft, RuleBroken("recipe_of_other_product")."""
    _check_author(by)
    if master is not None and master.product != recipe.product:
        raise RuleBroken(
            "recipe_of_other_product",
            f"The recipe {master.code} belongs to the product {master.product}, and this text says {recipe.product}. Give the recipe a code of its own.",
            field="product",
        )
    if existing is not None and existing.state != "draft":
        raise RuleBroken(
            "recipe_version_taken",
            f"Version {existing.label} of {recipe.code} is {existing.state.replace('_', ' ')}; its text stays as it is. Give the new text another version.",
            field="version",
        )


def check_can_submit_recipe(*, by: Actor, version: RecipeVersion) -> None:
    """Raises RuleBroken("not_draft"), RecipeRefused when the text does not hold together."""
    _check_author(by)
    if version.state != "draft":
        raise RuleBroken("not_draft", f"Version {version.label} is {version.state.replace('_', ' ')}. Only a draft is submitted for approval.")
    check_recipe_text(version.text, outside.known())


def check_can_return_recipe(*, by: Actor, version: RecipeVersion, reason: str) -> None:
    """Raises RuleBroken("not_in_review") or RuleBroken("reason_missing")."""
    people_rules.check_may(by, Permission.APPROVE_RECIPES)
    if version.state != "in_review":
        raise RuleBroken("not_in_review", f"Version {version.label} is {version.state.replace('_', ' ')}. Only a version in review goes back to its author.")
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "The author needs to know why. Type the reason.", field="reason")


def check_can_approve_recipe(*, by: Actor, version: RecipeVersion, signer: User) -> None:
    """Raises NotAllowed("same_person") when the signer wrote the version, RuleBroken("not_in_review")."""
    people_rules.check_person_may(signer, Permission.APPROVE_RECIPES, by.site_id)
    if version.state != "in_review":
        raise RuleBroken("not_in_review", f"Version {version.label} is {version.state.replace('_', ' ')}. Only a version in review can be approved.")
    check_trail_holds(version.stream)
    # A draft may have been imported by several people in turn: each of them wrote it.
    authors = {version.author_id, *RecipeVersion.history.filter(id=version.pk).values_list("author_id", flat=True)}
    for author in authors:
        check_different_person(signer.pk, author, f"{signer.full_name} wrote version {version.label}. Another person has to approve it.")


def check_can_make_effective(*, by: Actor, version: RecipeVersion) -> None:
    """Raises RuleBroken("not_approved")."""
    people_rules.check_may(by, Permission.APPROVE_RECIPES)
    if version.state != "approved":
        raise RuleBroken("not_approved", f"Version {version.label} is {version.state.replace('_', ' ')}. Only an approved version takes effect.")


def _check_author(by: Actor) -> None:
    if by.kind != User.PERSON:
        raise NotAllowed("only_people_author", "A recipe has a person as its author. Sign in and import it again.")
    people_rules.check_may(by, Permission.AUTHOR_RECIPES)
