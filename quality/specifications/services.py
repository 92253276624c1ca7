"""Deeds on specifications: import, submit, return, approve, take effect; and fixing the one that judges a lot."""

from __future__ import annotations

from batches.lots.models import Lot
from batches.recipes.document.loader import digest
from batches.recipes.queries import document as recipe_document
from mes.records.actors import Actor
from mes.records.door import deed_now, service
from mes.signatures import services as signatures
from mes.signatures.ceremony import Proof
from quality.events import Event
from quality.permissions import Permission
from quality.specifications import queries, rules
from quality.specifications.document.checks import check_specification_text
from quality.specifications.models import LotSpecification, Specification, SpecificationVersion


@service(Event.SPECIFICATION_IMPORTED)
def import_specification(*, by: Actor, text: str) -> SpecificationVersion:
    """Take a text in as a draft of its version; while it is a draft, importing it again replaces the text.

    Raises SpecificationRefused with line, column and field of every problem, and what rules.check_can_import_specification
    raises. Source: 21 CFR 211.160(b).
    """
    written = text.replace("\r\n", "\n")
    found = check_specification_text(written)
    specification = Specification.objects.filter(code=found.code).first()
    existing = None
    if specification is not None:
        # The lock keeps two imports of the same version apart.
        specification = Specification.objects.lock(specification.pk)
        existing = SpecificationVersion.objects.filter(specification=specification, label=found.version).first()
    rules.check_can_import_specification(by=by, document=found, specification=specification, existing=existing)
    if specification is None:
        specification = Specification(site_id=by.site_id, code=found.code, name=found.name, product=found.product)
        specification.save()
    version = existing or SpecificationVersion(site_id=by.site_id, specification=specification, label=found.version)
    version.text, version.digest, version.author_id = written, digest(written), by.user_id
    version.markets, version.demo = list(found.markets), found.demo
    version.save()
    return version


@service(Event.SPECIFICATION_SUBMITTED)
def submit_specification(*, by: Actor, version_id, seen: int) -> SpecificationVersion:
    """Ask for approval; the text is checked again and stays as it is from here on."""
    version = SpecificationVersion.objects.lock(version_id, seen=seen)
    rules.check_can_submit_specification(by=by, version=version)
    version.state = "in_review"
    version.save()
    return version


@service(Event.SPECIFICATION_RETURNED)
def return_specification(*, by: Actor, version_id, seen: int, reason: str) -> SpecificationVersion:
    """Give a version back to its author with a reason; it is a draft again."""
    version = SpecificationVersion.objects.lock(version_id, seen=seen)
    rules.check_can_return_specification(by=by, version=version, reason=reason)
    version.state = "draft"
    version.save()
    return version


@service(Event.SPECIFICATION_APPROVED)
def approve_specification(*, by: Actor, version_id, seen: int, proof: Proof) -> SpecificationVersion:
    """Approve a version by the signature of somebody who did not write it. 21 CFR 211.160(a)."""
    version = SpecificationVersion.objects.lock(version_id, seen=seen)
    rules.check_can_approve_specification(by=by, version=version, signer=proof.user)
    signatures.sign(
        by=by, proof=proof, what=queries.subject_of(version), meaning="approved", stream=version.stream, permission=Permission.APPROVE_SPECIFICATIONS
    )
    version.state = "approved"
    version.save()
    return version


@service(Event.SPECIFICATION_MADE_EFFECTIVE)
def make_effective(*, by: Actor, version_id, seen: int) -> SpecificationVersion:
    """Let an approved version take effect; the effective one before it is superseded. Lots keep the version they were ordered with."""
    version = SpecificationVersion.objects.lock(version_id, seen=seen)
    # All specifications of the product are locked in one order, so that two of them cannot take the same market at once.
    for each in Specification.objects.filter(product=version.specification.product).order_by("pk").values_list("pk", flat=True):
        Specification.objects.lock(each)
    rules.check_can_make_effective(by=by, version=version)
    before = queries.next_version_of(version)
    if before is not None:
        before.state = "superseded"
        before.save()
    version.state, version.effective_from = "effective", deed_now().at
    version.save()
    return version


@service(Event.LOT_SPECIFIED)
def specify_lot(*, by: Actor, lot: Lot) -> LotSpecification:
    """Fix the specification version in force for the lot's market: it judges the lot from order to release (decisions 14).

    Runs in the order's own transaction. Raises RuleBroken("no_specification"): then the lot is not ordered.
    """
    recipe = recipe_document(lot.recipe_version)
    version = queries.effective_for(recipe.specification, recipe.product, lot.market)
    rules.check_can_specify_lot(by=by, lot=lot, recipe=recipe, version=version)
    chosen = LotSpecification(site_id=lot.site_id, by_id=by.user_id, lot=lot, specification_version=version)
    chosen.save()
    return chosen
