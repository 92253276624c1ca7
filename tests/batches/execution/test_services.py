"""A lot through its steps, and every refusal on the way."""

from __future__ import annotations

import datetime as dt

import pytest

from batches.execution import queries, services
from batches.execution.models import Entry, EntryAttempt, Excursion, ExcursionChoice, ScanEvent, StepRun
from batches.lots.models import Container, Lot
from mes.clock import record_now
from mes.errors import NotAllowed, OutOfSequence, RuleBroken, StaleRecord, UnreadableInput

pytestmark = pytest.mark.django_db


def refused(kind=RuleBroken, code: str = ""):
    """Expect a rule to be broken with this code."""
    return pytest.raises(kind, check=lambda broken: not code or broken.code == code)


def test_an_ordered_lot_has_its_steps_planned(floor):
    lot = floor.order()
    with floor.reading():
        keys = list(StepRun.objects.filter(lot=lot).order_by("order").values_list("key", flat=True))
    assert keys == ["A0.1", "A1.1", "A1.2", "A1.3", "A1.4", "A2.1", "A3.1"]


def test_a_lot_goes_through_its_steps_to_manufactured(floor):
    lot = floor.counted()
    floor.open(lot, "A1.3", "boss")
    floor.decide(lot, "go")
    floor.second(lot, "A1.3", "deputy", at="boss")
    floor.open(lot, "A1.4")
    floor.enter(lot, "A1.4", cleared_fill="yes")
    floor.perform(lot, "A1.4")
    floor.second(lot, "A1.4")
    floor.open(lot, "A2.1")
    now = record_now().strftime("%Y-%m-%dT%H:%M:%SZ")
    floor.enter(lot, "A2.1", bags="2", fill_end=now)
    floor.perform(lot, "A2.1")
    with floor.reading():
        assert Lot.objects.get(pk=lot.pk).state == "manufactured"
        assert StepRun.objects.get(lot=lot, key="A2.1").state == "complete"
        assert Container.objects.filter(lot=lot, code="bag").exists()
