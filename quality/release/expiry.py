"""Until when the product may be used: the recorded expiry, else start plus shelf life of the recipe. 21 CFR 211.137."""

from __future__ import annotations

import datetime as dt

from batches.execution.queries.runs import recipe_of, zone_of
from batches.execution.queries.times import moment_of
from batches.execution.queries.values import Ledger, instant_of
from batches.lots.models import Lot
from batches.recipes.document.fields import span


def expiry_of(lot: Lot) -> dt.datetime | None:
    """The end of the shelf life (UTC), or None while neither the expiry nor what it counts from is recorded.

    Where the record says a later moment than the shelf life allows, the earlier one counts.
    """
    recipe, zone = recipe_of(lot), zone_of(lot)
    ledger = Ledger(lot, recipe, zone)
    found = []
    if recipe.certificate.expiry:
        step, _ = recipe.parameter(recipe.certificate.expiry)
        found += [instant_of(ledger.entry(run.pk, recipe.certificate.expiry), zone) for run in ledger.by_step[step.key]]
    start = moment_of(ledger, recipe.shelf_life.starts)
    if start is not None:
        found.append(start + span(recipe.shelf_life.span))
    return min((each for each in found if each is not None), default=None)
