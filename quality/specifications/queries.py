"""Reading specifications: lists, versions, the document a version holds, and which one judges a lot."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from batches.lots.models import Lot
from batches.recipes.document.compare import Change, diff
from batches.recipes.document.loader import digest
from batches.recipes.document.schema import Recipe
from batches.recipes.expressions import in_names
from batches.recipes.queries import document as recipe_document
from batches.recipes.queries import effective_versions as effective_recipes
from mes.signatures import ceremony
from mes.signatures.queries import payload_intact, signatures_of, still_covers
from quality.specifications.document.loader import parse_specification
from quality.specifications.document.schema import Criterion
from quality.specifications.document.schema import Specification as SpecificationDocument
from quality.specifications.models import LotSpecification, Specification, SpecificationVersion
from quality.specifications.verdicts import criterion_text

SCHEMA = "specification_version/1"


@lru_cache(maxsize=64)
def _parsed(digest: str, text: str) -> SpecificationDocument:
    return parse_specification(text)


def document(version: SpecificationVersion) -> SpecificationDocument:
    """What the version says, as values. Read once per process and text: the digest and the text are the key."""
    return _parsed(version.digest, version.text)


def specifications() -> list[dict]:
    """Every specification with its versions, newest first, and the effective one. One query."""
    rows: dict = {}
    for version in SpecificationVersion.objects.select_related("specification", "author").order_by("specification__code", "-recorded_at"):
        row = rows.setdefault(version.specification_id, {"specification": version.specification, "versions": [], "effective": None})
        row["versions"].append(version)
        if version.state == "effective":
            row["effective"] = version
    return list(rows.values())


def version_named(code: str, label: str) -> SpecificationVersion:
    """The version of a specification by code and label. Raises Missing."""
    return SpecificationVersion.objects.select_related("specification", "author").one(specification__code=code, label=label)


def version_by_id(version_id) -> SpecificationVersion:
    """One version with its specification. Raises Missing."""
    return SpecificationVersion.objects.select_related("specification", "author").one(pk=version_id)


def versions_of(specification: Specification) -> list[SpecificationVersion]:
    """The versions of a specification, newest first."""
    return list(SpecificationVersion.objects.filter(specification=specification).select_related("author").order_by("-recorded_at"))


def changes(old: SpecificationVersion, new: SpecificationVersion) -> list[Change]:
    """Every difference between two versions, field by field."""
    return diff(document(old), document(new))


def next_version_of(version: SpecificationVersion) -> SpecificationVersion | None:
    """The effective version of the same specification, when it is another one."""
    return SpecificationVersion.objects.filter(specification_id=version.specification_id, state="effective").exclude(pk=version.pk).first()


def effective_for(code: str, product: str, market: str) -> SpecificationVersion | None:
    """The version in force for a market: that of the specification the recipe names, else the product's own one for the market.

    A product has at most one effective specification per market (rules.check_market_free), so the answer is never a choice.
    """
    found = list(
        SpecificationVersion.objects.filter(state="effective", specification__product=product).select_related("specification").order_by("specification__code")
    )
    found = [each for each in found if market in each.markets]
    return next((each for each in found if each.specification.code == code), found[0] if found else None)


def recipes_judged_by(version: SpecificationVersion) -> list[Recipe]:
    """The effective recipes that name this version's specification."""
    found = (recipe_document(each) for each in effective_recipes())
    return [each for each in found if each.specification == version.specification.code]


def criteria_by_code() -> dict[str, dict[str, str]]:
    """The criteria of each specification by code, with their names, of all versions that may judge a lot: what samples can be tested for."""
    found: dict[str, dict[str, str]] = {}
    for version in SpecificationVersion.objects.exclude(state__in=["superseded", "withdrawn"]).select_related("specification"):
        found.setdefault(version.specification.code, {}).update({each.code: each.name for each in document(version).criteria})
    return found


def of_lot(lot: Lot) -> SpecificationVersion:
    """The version that judges a lot, fixed when it was ordered. Raises Missing."""
    return version_by_id(LotSpecification.objects.one(lot_id=lot.pk).specification_version_id)


def name_of(version: SpecificationVersion) -> str:
    """Code and version as a verdict names them: ``ARI-0001-REL 1.0``."""
    return f"{version.specification.code} {version.label}"


def evidence_of(criterion: Criterion) -> str:
    """What stands beside a limit that no source gives (decisions 29)."""
    return "illustrative" if criterion.evidence == "illustrative" else ""


def rule_of(criterion: Criterion, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """The criterion as a person reads it, with its rounding rule; `names` says what a computed limit is computed from."""
    rule = criterion_text(criterion)
    return rule.replace(criterion.target.expression, in_names(criterion.target.expression, names)) if criterion.target else rule


def names_for(version: SpecificationVersion) -> dict[str, str]:
    """What the recipes judged by this version call the values that its limits are computed from."""
    return {key: name for recipe in recipes_judged_by(version) for key, name in recipe.parameter_names().items()}


def content_of(version: SpecificationVersion) -> dict:
    """What is shown and signed when a version is approved: its names and its whole text."""
    found = document(version)
    return {
        "specification": found.code,
        "name": found.name,
        "product": found.product,
        "version": version.label,
        "markets": list(version.markets),
        "author": str(version.author_id),
        "criteria": str(len(found.criteria)),
        "sha256": version.digest,
        "text": version.text,
    }


def subject_of(version: SpecificationVersion) -> ceremony.Subject:
    """What an approval signs."""
    return ceremony.subject(version, SCHEMA, content_of(version))


def approvals_of(version: SpecificationVersion) -> list[dict]:
    """The signatures of a version, each with whether it still covers the text."""
    shown = []
    for signature in signatures_of([version.pk]):
        at = SpecificationVersion(
            id=version.pk, site_id=version.site_id, specification=version.specification, label=version.label, markets=version.markets, text=version.text,
            digest=digest(version.text), author_id=version.author_id, version=signature.record_version,
        )  # fmt: skip
        shown.append({"signature": signature, "covers": payload_intact(signature) and still_covers(signature, subject_of(at))})
    return shown


