"""Deeds on master recipes: import, submit, return, approve, take effect."""

from __future__ import annotations

from batches.events import Event
from batches.permissions import Permission
from batches.recipes import outside, queries, rules
from batches.recipes.document.checks import check_recipe_text
from batches.recipes.document.loader import digest
from batches.recipes.models import MasterRecipe, RecipeVersion
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import services as signatures
from mes.signatures.ceremony import Proof


@service(Event.RECIPE_IMPORTED)
def import_recipe(*, by: Actor, text: str) -> RecipeVersion:
    """Take a text in as a draft of its version; while it is a draft, importing it again replaces the text.

    Raises RecipeRefused with line, column and field of every problem (YAML, shape, names, units, circles), and what
    rules.check_can_import_recipe raises. Source: 21 CFR 211.186.
    """
    written = text.replace("\r\n", "\n")
    recipe = check_recipe_text(written, outside.known())
    master = MasterRecipe.objects.filter(code=recipe.code).first()
    existing = None
    if master is not None:
        # The lock keeps two imports of the same version apart.
        master = MasterRecipe.objects.lock(master.pk)
        existing = RecipeVersion.objects.filter(master=master, label=recipe.version).first()
    rules.check_can_import_recipe(by=by, recipe=recipe, master=master, existing=existing)
    if master is None:
        master = MasterRecipe(site_id=by.site_id, code=recipe.code, name=recipe.name, product=recipe.product)
        master.save()
    version = existing or RecipeVersion(site_id=by.site_id, master=master, label=recipe.version)
    version.text, version.digest, version.author_id, version.demo = written, digest(written), by.user_id, recipe.demo
    version.save()
    return version


@service(Event.RECIPE_SUBMITTED)
def submit_recipe(*, by: Actor, version_id, seen: int) -> RecipeVersion:
    """Ask for approval; the text is checked again and stays as it is from here on."""
    version = RecipeVersion.objects.lock(version_id, seen=seen)
    rules.check_can_submit_recipe(by=by, version=version)
    version.state = "in_review"
    version.save()
    return version


@service(Event.RECIPE_RETURNED)
def return_recipe(*, by: Actor, version_id, seen: int, reason: str) -> RecipeVersion:
    """Give a version back to its author with a reason; it is a draft again."""
    version = RecipeVersion.objects.lock(version_id, seen=seen)
    rules.check_can_return_recipe(by=by, version=version, reason=reason)
    version.state = "draft"
    version.save()
    return version


@service(Event.RECIPE_APPROVED)
def approve_recipe(*, by: Actor, version_id, seen: int, proof: Proof) -> RecipeVersion:
    """Approve a version by the signature of somebody who did not write it. 21 CFR 211.186(a)."""
    version = RecipeVersion.objects.lock(version_id, seen=seen)
    rules.check_can_approve_recipe(by=by, version=version, signer=proof.user)
    signatures.sign(
        by=by, proof=proof, what=queries.subject_of(version), meaning="approved", stream=version.stream, permission=Permission.APPROVE_RECIPES
    )
    version.state = "approved"
    version.save()
    return version


@service(Event.RECIPE_MADE_EFFECTIVE)
def make_effective(*, by: Actor, version_id, seen: int) -> RecipeVersion:
    """Let an approved version take effect; the effective one before it is superseded. Lots keep the version they started with."""
    version = RecipeVersion.objects.lock(version_id, seen=seen)
    rules.check_can_make_effective(by=by, version=version)
    MasterRecipe.objects.lock(version.master_id)
    before = queries.next_version_of(version)
    if before is not None:
        before.state = "superseded"
        before.save()
    version.state, version.effective_from = "effective", deed_now().at
    version.save()
    return version
