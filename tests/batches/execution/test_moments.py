"""Dates and times that cannot be: kept as typed, no value."""

import datetime as dt

import pytest

from batches.execution.models import Entry, EntryAttempt
from mes.clock import record_now


def typed(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def code_of(floor, lot, key: str, **values: str) -> str:
    """The code under which the one value was kept as an attempt; "" when it became an entry."""
    [result] = floor.enter(lot, key, **values)
    return result.code if isinstance(result, EntryAttempt) else ""


def fill(floor, lot) -> None:
    floor.open(lot, "A1.3", "boss")
    floor.decide(lot, "go")
    floor.second(lot, "A1.3", "deputy", at="boss")
    floor.open(lot, "A1.4")
    floor.enter(lot, "A1.4", cleared_fill="yes")
    floor.perform(lot, "A1.4")
    floor.second(lot, "A1.4")
    floor.open(lot, "A2.1")


@pytest.mark.req("EXE-02", case="negative")
def test_what_has_not_happened_yet_is_no_value(floor):
    lot = floor.to_count()

    code = code_of(floor, lot, "A1.2", sampled_at=typed(record_now() + dt.timedelta(minutes=5)))

    assert code == "in_future"
    with floor.reading():
        assert not Entry.objects.filter(lot=lot, parameter="sampled_at").exists()
    assert code_of(floor, lot, "A1.2", sampled_at=typed(record_now())) == ""


@pytest.mark.req("EXE-06", case="negative")
def test_an_end_before_its_start_is_no_value(floor):
    lot = floor.counted()
    fill(floor, lot)

    assert code_of(floor, lot, "A2.1", fill_end=typed(record_now() - dt.timedelta(hours=1))) == "before_its_start"
    assert code_of(floor, lot, "A2.1", fill_end=typed(record_now())) == ""


@pytest.mark.django_db
@pytest.mark.req("EXE-05", case="negative")
def test_an_expiry_outside_the_shelf_life_is_no_value_and_one_within_it_is():
    from tests.builders.floor import RECIPE, Floor

    text = RECIPE.replace("bags: bags}", "bags: bags, expiry: expiry}", 1).replace(
        "          - {key: fill_end, name: Fill ended, type: datetime}\n",
        "          - {key: fill_end, name: Fill ended, type: datetime}\n          - {key: expiry, name: Expiry, type: datetime}\n",
        1,
    )
    floor = Floor(recipe=text)
    lot = floor.counted()
    fill(floor, lot)
    filled = record_now()
    assert code_of(floor, lot, "A2.1", fill_end=typed(filled)) == ""

    assert code_of(floor, lot, "A2.1", expiry=typed(filled + dt.timedelta(days=60))) == "after_shelf_life"
    assert code_of(floor, lot, "A2.1", expiry=typed(filled - dt.timedelta(days=1))) == "before_shelf_life"
    assert code_of(floor, lot, "A2.1", expiry=typed(filled + dt.timedelta(hours=47))) == ""
