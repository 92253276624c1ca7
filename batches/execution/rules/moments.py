"""Which dates and times a step may record: nothing that has not happened yet, no end before its start, no expiry before the shelf life begins
or after it ends, no reading from a time to come.

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
    """Raises ValueRefused: in_future, before_its_start, after_its_end, before_shelf_life, after_shelf_life. `at` is record time."""
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
    if start is not None and moment <= start:
        raise ValueRefused(
            "before_shelf_life", f"{parameter.name} is not after the start of the shelf life, {_shown(start, work)}. Check the date.", field=parameter.key
        )
    if start is not None and moment > start + span(life.span):
        raise ValueRefused(
            "after_shelf_life",
            f"{parameter.name} lies after the end of the shelf life: {_shown(start, work)} plus {life.span} is {_shown(start + span(life.span), work)}.",
            field=parameter.key,
        )


def check_moment_of_reading(work: Work, parameter: Parameter, read_at: dt.datetime, at: dt.datetime) -> None:
    """When the equipment says that it read the value. Raises ValueRefused: in_future, before_the_lot. `at` is record time."""
    if read_at > at:
        raise ValueRefused(
            "in_future",
            f"{parameter.name} was read at {_shown(read_at, work)} by the clock of the equipment: it is {_shown(at, work)} now. Check that clock, read again.",
            field=parameter.key,
        )
    if read_at < work.lot.recorded_at:
        raise ValueRefused(
            "before_the_lot",
            f"{parameter.name} was read at {_shown(read_at, work)} by the clock of the equipment, before the lot was ordered. Check that clock, read again.",
            field=parameter.key,
        )


def _shown(moment: dt.datetime, work: Work) -> str:
    return moment_words(moment, work.zone, seconds=True)
