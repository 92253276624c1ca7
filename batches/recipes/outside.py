"""What the apps above offer to recipes without being imported: the criteria of specifications. Registered in AppConfig.ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from batches.recipes.document.checks import Known

_criteria: list[Callable[[], Mapping[str, Mapping[str, str]]]] = []


def offer_criteria(source: Callable[[], Mapping[str, Mapping[str, str]]]) -> None:
    """Offer the criteria of each specification by its code: their codes with what they are called. Called inside the site context."""
    if source not in _criteria:
        _criteria.append(source)


def criteria_of(specification: str) -> dict[str, str]:
    """What the criteria of a specification are called, by their code; nothing for one that is not here yet."""
    return {code: name for source in _criteria for code, name in source().get(specification, {}).items()}


def known() -> Known:
    """What exists outside a recipe now. A recipe may be taken in before its specification; the order of a lot asks for both."""
    return Known(specifications={code: found for source in _criteria for code, found in source().items()}, every_specification=False)
