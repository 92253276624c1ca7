"""Until when a product may be used. 21 CFR 211.137."""

from __future__ import annotations

import datetime as dt

from batches.execution.queries.expiry import expiry_in
from batches.execution.queries.runs import recipe_of, zone_of
from batches.execution.queries.values import Ledger
from batches.lots.models import Lot


def expiry_of(lot: Lot) -> dt.datetime | None:
    """The end of the shelf life (UTC), as the record says it now; None while it is not known."""
    return expiry_in(Ledger(lot, recipe_of(lot), zone_of(lot)))
