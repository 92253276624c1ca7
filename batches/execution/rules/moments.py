"""Which dates and times a step may record: nothing that has not happened yet, no end before its start, no expiry after the shelf life.

Such a text is no value (decision 13): it is kept as an attempt with its code, and the step stays unfilled. 21 CFR 211.100(b), 211.137.
"""

from __future__ import annotations

import datetime as dt

from batches.execution.queries.times import moment_of
from batches.execution.queries.values import Ledger
from batches.execution.work import Work
from batches.recipes.document.fields import span
from batches.recipes.document.schema import Parameter
from batches.recipes.quantities import Quantity, ValueRefused
from mes.clock import moment_words


def check_moment(work: Work, ledger: Ledger, parameter: Parameter, quantity: Quantity, at: dt.datetime) -> None:
    """Raises ValueRefused: in_future, before_its_start, after_its_end, after_shelf_life. `at` is record time."""
    moment = quantity.content
    if not isinstance(moment, dt.datetime):
        return
    if parameter.key == work.recipe.certificate.expiry:
        _check_expiry(work, ledger, parameter, moment)
        return
    if moment > at:
        raise ValueRefused(
            "in_future", f"{parameter.name} lies in the future: it is {_shown(at, work)} now. Record it when it has happened.", field=parameter.key
        )
    event = f"{work.run.step_key}.{parameter.key}"
    for limit in work.recipe.time_limits:
        other = moment_of(ledger, limit.starts if limit.ends == event else limit.ends)
        if other is None:
            continue
        if limit.ends == event and moment < other:
            raise ValueRefused("before_its_start", f"{limit.title}: this ends at a time before its start, {_shown(other, work)}.", field=parameter.key)
        if limit.starts == event and moment > other:
            raise ValueRefused("after_its_end", f"{limit.title}: this starts at a time after its end, {_shown(other, work)}.", field=parameter.key)


def _check_expiry(work: Work, ledger: Ledger, parameter: Parameter, moment: dt.datetime) -> None:
    life = work.recipe.shelf_life
    start = moment_of(ledger, life.starts)
    if start is not None and moment > start + span(life.span):
        raise ValueRefused(
            "after_shelf_life",
            f"{parameter.name} lies after the end of the shelf life: {_shown(start, work)} plus {life.span} is {_shown(start + span(life.span), work)}.",
            field=parameter.key,
        )


def _shown(moment: dt.datetime, work: Work) -> str:
    return moment_words(moment, work.zone)
