"""Reading master recipes: lists, versions, and the document a version holds."""

from __future__ import annotations

from functools import lru_cache

from batches.recipes.document.compare import Change, diff
from batches.recipes.document.loader import digest, parse_recipe
from batches.recipes.document.planning import planned_steps
from batches.recipes.document.schema import Recipe
from batches.recipes.models import MasterRecipe, RecipeVersion
from mes.errors import Missing
from mes.signatures import ceremony
from mes.signatures.queries import payload_intact, signatures_of, still_covers

SCHEMA = "recipe_version/1"


@lru_cache(maxsize=64)
def _parsed(digest: str, text: str) -> Recipe:
    return parse_recipe(text)


_by_digest: dict[str, Recipe] = {}
"""Texts by their SHA-256, at most as many as _parsed() keeps. Safe to keep: whoever has the digest of a text has that text and no other, whatever
version bears it, and no text is put here whose digest was not computed from it in this process."""


def document(version: RecipeVersion) -> Recipe:
    """What the version says, as values. Read once per process and text; a version read without its text is asked for it the first time only."""
    found = _by_digest.get(version.digest)
    if found is not None:
        return found
    found = _parsed(version.digest, version.text)
    if digest(version.text) == version.digest:
        if len(_by_digest) >= _parsed.cache_parameters()["maxsize"]:
            _by_digest.clear()
        _by_digest[version.digest] = found
    return found


def product_names() -> dict[str, str]:
    """What people call each product of which there is a recipe, by its code."""
    return {master.product: master.product_name for master in MasterRecipe.objects.order_by("-recorded_at")}


def masters() -> list[dict]:
    """Every master recipe with its versions, newest first, and the effective one. Two queries."""
    rows: dict = {}
    for version in RecipeVersion.objects.select_related("master", "author").order_by("master__code", "-recorded_at"):
        row = rows.setdefault(version.master_id, {"master": version.master, "versions": [], "effective": None})
        row["versions"].append(version)
        if version.state == "effective":
            row["effective"] = version
    return list(rows.values())


def effective_versions() -> list[RecipeVersion]:
    """The versions a lot may be started with, by name."""
    return list(RecipeVersion.objects.filter(state="effective").select_related("master").order_by("master__name"))


def version_named(code: str, label: str) -> RecipeVersion:
    """The version of a master recipe by code and label. Raises Missing."""
    return RecipeVersion.objects.select_related("master", "author").one(master__code=code, label=label)


def versions_of(master: MasterRecipe) -> list[RecipeVersion]:
    """The versions of a master recipe, newest first."""
    return list(RecipeVersion.objects.filter(master=master).select_related("author").order_by("-recorded_at"))


def changes(old: RecipeVersion, new: RecipeVersion) -> list[Change]:
    """Every difference between two versions, field by field."""
    return diff(document(old), document(new))


def content_of(version: RecipeVersion) -> dict:
    """What is shown and signed when a version is approved: its names and its whole text."""
    recipe = document(version)
    return {
        "recipe": recipe.code,
        "name": recipe.name,
        "product": recipe.product,
        "version": version.label,
        "author": str(version.author_id),
        "specification": recipe.specification,
        "steps": str(len(planned_steps(recipe))),
        "parameters": str(len(recipe.parameters())),
        "sha256": version.digest,
        "text": version.text,
    }


def subject_of(version: RecipeVersion) -> ceremony.Subject:
    """What an approval signs."""
    return ceremony.subject(version, SCHEMA, content_of(version))


def approvals_of(version: RecipeVersion) -> list[dict]:
    """The signatures of a version, each with whether it still covers the text."""
    shown = []
    for signature in signatures_of([version.pk]):
        at = RecipeVersion(
            id=version.pk, site_id=version.site_id, master=version.master, label=version.label, text=version.text, digest=version.digest,
            author_id=version.author_id, version=signature.record_version,
        )  # fmt: skip
        shown.append({"signature": signature, "covers": payload_intact(signature) and still_covers(signature, subject_of(at))})
    return shown


def next_version_of(version: RecipeVersion) -> RecipeVersion | None:
    """The effective version of the same master recipe, when it is another one."""
    return RecipeVersion.objects.filter(master_id=version.master_id, state="effective").exclude(pk=version.pk).first()


def version_by_id(version_id) -> RecipeVersion:
    """One version with its master recipe. Raises Missing."""
    found = RecipeVersion.objects.select_related("master", "author").filter(pk=version_id).first()
    if found is None:
        raise Missing("not_found", "There is no such recipe version here.")
    return found
