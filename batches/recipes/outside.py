"""What the apps above offer to recipes without being imported: the criteria of specifications. Registered in AppConfig.ready."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from batches.recipes.document.checks import Known

_criteria: list[Callable[[], Mapping[str, Collection[str]]]] = []


def offer_criteria(source: Callable[[], Mapping[str, Collection[str]]]) -> None:
    """Offer the criterion codes of each specification, by its code. Called inside the site context."""
    if source not in _criteria:
        _criteria.append(source)


def known() -> Known:
    """What exists outside a recipe now. A recipe may be taken in before its specification; the order of a lot asks for both."""
    return Known(specifications={code: found for source in _criteria for code, found in source().items()}, every_specification=False)
