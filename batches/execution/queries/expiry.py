"""Until when the product of a lot may be used: the recorded expiry, else start plus shelf life of the recipe. 21 CFR 211.137."""

from __future__ import annotations

import datetime as dt

from batches.execution.queries.times import moment_of
from batches.execution.queries.values import Ledger, instant_of
from batches.recipes.document.fields import span


def expiry_in(ledger: Ledger) -> dt.datetime | None:
    """The end of the shelf life (UTC), or None while neither the expiry nor what it counts from is recorded.

    Where the record says a later moment than the shelf life allows, the earlier one counts.
    """
    recipe, found = ledger.recipe, []
    if recipe.certificate.expiry:
        step, _ = recipe.parameter(recipe.certificate.expiry)
        found += [instant_of(ledger.entry(run.pk, recipe.certificate.expiry), ledger.zone) for run in ledger.by_step.get(step.key) or []]
    start = moment_of(ledger, recipe.shelf_life.starts)
    if start is not None:
        found.append(start + span(recipe.shelf_life.span))
    return min((each for each in found if each is not None), default=None)
