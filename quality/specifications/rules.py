"""When a specification version may be taken in, submitted, approved and made effective. 21 CFR 211.160(a), (b), 211.165."""

from __future__ import annotations

from batches.lots.models import Lot
from batches.recipes.document.checks.expressions import kinds_for
from batches.recipes.document.schema import Recipe
from mes.errors import NotAllowed, RuleBroken
from mes.people import rules as people_rules
from mes.people.models import User
from mes.records.actors import Actor
from mes.records.intact import check_trail_holds
from mes.signatures.rules import check_different_person
from quality.permissions import Permission
from quality.specifications import queries
from quality.specifications.document.checks import check_specification_text
from quality.specifications.document.schema import Specification as SpecificationDocument
from quality.specifications.models import Specification, SpecificationVersion


def check_can_import_specification(
    *, by: Actor, document: SpecificationDocument, specification: Specification | None, existing: SpecificationVersion | None
) -> None:
    """Raises NotAllowed, RuleBroken("specification_version_taken"), RuleBroken("specification_of_other_product")."""
    _check_author(by)
    if specification is not None and specification.product != document.product:
        raise RuleBroken(
            "specification_of_other_product",
            f"The specification {specification.code} belongs to the product {specification.product}, and this text says {document.product}. "
            "Give the specification a code of its own.",
            field="product",
        )
    if existing is not None and existing.state != "draft":
        raise RuleBroken(
            "specification_version_taken",
            f"Version {existing.label} of {document.code} is {existing.state.replace('_', ' ')}; its text stays as it is. Give the new text another version.",
            field="version",
        )


def check_can_submit_specification(*, by: Actor, version: SpecificationVersion) -> None:
    """Raises RuleBroken("not_draft"), SpecificationRefused when the text does not hold together or with its recipes."""
    _check_author(by)
    if version.state != "draft":
        raise RuleBroken("not_draft", f"Version {version.label} is {version.state.replace('_', ' ')}. Only a draft is submitted for approval.")
    check_specification_text(version.text)
    for recipe in queries.recipes_judged_by(version):
        check_fits_recipe(version, recipe)


def check_can_return_specification(*, by: Actor, version: SpecificationVersion, reason: str) -> None:
    """Raises RuleBroken("not_in_review") or RuleBroken("reason_missing")."""
    people_rules.check_may(by, Permission.APPROVE_SPECIFICATIONS)
    if version.state != "in_review":
        raise RuleBroken("not_in_review", f"Version {version.label} is {version.state.replace('_', ' ')}. Only a version in review goes back to its author.")
    if len(reason.strip()) < 3:
        raise RuleBroken("reason_missing", "The author needs to know why. Type the reason.", field="reason")


def check_can_approve_specification(*, by: Actor, version: SpecificationVersion, signer: User) -> None:
    """Raises NotAllowed("same_person") when the signer wrote the version, RuleBroken("not_in_review")."""
    people_rules.check_person_may(signer, Permission.APPROVE_SPECIFICATIONS, by.site_id)
    if version.state != "in_review":
        raise RuleBroken("not_in_review", f"Version {version.label} is {version.state.replace('_', ' ')}. Only a version in review can be approved.")
    check_trail_holds(version.stream)
    # A draft may have been imported by several people in turn: each of them wrote it.
    authors = {version.author_id, *SpecificationVersion.history.filter(id=version.pk).values_list("author_id", flat=True)}
    for author in authors:
        check_different_person(signer.pk, author, f"{signer.full_name} wrote version {version.label}. Another person has to approve it.")


def check_can_make_effective(*, by: Actor, version: SpecificationVersion) -> None:
    """Raises RuleBroken("not_approved"), RuleBroken("market_taken"), RuleBroken("specification_unlike_recipe")."""
    people_rules.check_may(by, Permission.APPROVE_SPECIFICATIONS)
    if version.state != "approved":
        raise RuleBroken("not_approved", f"Version {version.label} is {version.state.replace('_', ' ')}. Only an approved version takes effect.")
    check_market_free(version)
    for recipe in queries.recipes_judged_by(version):
        check_fits_recipe(version, recipe)


def check_market_free(version: SpecificationVersion) -> None:
    """A product has one effective specification per market, so that a lot is never judged by a choice. Raises RuleBroken("market_taken")."""
    others = SpecificationVersion.objects.filter(state="effective", specification__product=version.specification.product)
    for other in others.exclude(specification_id=version.specification_id).select_related("specification"):
        shared = sorted(set(other.markets) & set(version.markets))
        if shared:
            raise RuleBroken(
                "market_taken",
                f"{other.specification.code} {other.label} is in force for {version.specification.product} in {', '.join(shared)}. "
                "A product has one specification per market; take the market out of one of them.",
                field="markets",
            )


def check_can_specify_lot(*, by: Actor, lot: Lot, recipe: Recipe, version: SpecificationVersion | None) -> None:
    """Raises RuleBroken("no_specification") where nothing in force judges the lot, RuleBroken("specification_unlike_recipe")."""
    if version is None:
        raise RuleBroken(
            "no_specification",
            f"No specification {recipe.specification} is in force for {lot.product} in {lot.market}. Put one into effect, then order the lot.",
            field="market",
        )
    check_fits_recipe(version, recipe)


def check_fits_recipe(version: SpecificationVersion, recipe: Recipe) -> None:
    """Every test the recipe draws a sample for has its criterion, and every target is computed from values the recipe records.

    Raises RuleBroken("specification_unlike_recipe"), or SpecificationRefused with line and field of a target.
    """
    found = check_specification_text(version.text, kinds_for(recipe))
    known = {criterion.code for criterion in found.criteria}
    missing = sorted({test for sample in recipe.samples for test in sample.tests} - known)
    unsampled = sorted({each.sample for each in found.criteria if each.sample} - {sample.code for sample in recipe.samples})
    name = f"{version.specification.code} {version.label}"
    if missing:
        raise RuleBroken("specification_unlike_recipe", f"{recipe.code} {recipe.version} tests {', '.join(missing)}, and {name} has no such criterion.")
    if unsampled:
        raise RuleBroken(
            "specification_unlike_recipe", f"{name} is tested from {', '.join(unsampled)}, and {recipe.code} {recipe.version} draws no such sample."
        )


def _check_author(by: Actor) -> None:
    if by.kind != User.PERSON:
        raise NotAllowed("only_people_author", "A specification has a person as its author. Sign in and import it again.")
    people_rules.check_may(by, Permission.AUTHOR_SPECIFICATIONS)
