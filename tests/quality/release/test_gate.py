"""Single lines of the gate: what each is judged by."""

from __future__ import annotations

import pytest

from batches.execution import services as steps
from batches.execution.models import StepRun
from batches.execution.queries.content import correction_of_consumption_subject
from batches.lots.models import Hold
from batches.lots.queries import hold_subject
from batches.lots.services import end_hold
from batches.materials import services as materials
from batches.materials.models import Consumption, MaterialLot
from tests.builders.registers import move_clock

WEEKS = 24 * 40
"""Hours after which the material lots of the floor have expired."""


def taken(judged, lot) -> Consumption:
    with judged.reading():
        return Consumption.objects.select_related("material_lot__material").get(lot=lot, superseded_by=None)


def correct(judged, lot, quantity: str) -> Consumption:
    line = taken(judged, lot)
    with judged.reading():
        what = correction_of_consumption_subject(line, StepRun.objects.select_related("lot").get(pk=line.step_run_id), quantity, "Wrong line read")
    proof = judged.proof("maya", "jonas", what, "confirmed_transcription")
    return steps.correct_consumption(by=judged.by("maya"), consumption_id=line.pk, quantity=quantity, reason="Wrong line read", proof=proof)


def block(judged, lot) -> None:
    found = taken(judged, lot).material_lot
    materials.block_lot(by=judged.by("quinn"), material_lot_id=found.pk, seen=found.version, reason="Recalled by its supplier")


def go_on(judged, lot) -> None:
    """The hold is ended by somebody who may."""
    with judged.reading():
        hold = Hold.objects.get(lot=lot, state="open")
        what = hold_subject(hold)
    proof = judged.proof("boss", "boss", what, "resumed")
    end_hold(by=judged.by("boss"), hold_id=hold.pk, seen=hold.version, reason="Taken back below", proof=proof)


@pytest.mark.req("MAT-02", case="positive")
def test_a_material_is_judged_when_it_was_taken_and_not_when_its_quantity_was_corrected(judged):
    lot = judged.made()
    move_clock(WEEKS)
    correct(judged, lot, "12")
    again = correct(judged, lot, "11")
    with judged.reading():
        assert MaterialLot.objects.get(pk=again.material_lot_id).expires_at < again.recorded_at
    line = judged.gate(lot)["materials"]
    assert line.ok and line.text.startswith("1 use of material"), line.detail


@pytest.mark.req("MAT-02", case="negative")
def test_a_correction_does_not_make_a_material_fit_that_had_expired_when_it_was_taken(judged, monkeypatch):
    lot = judged.to_count()
    stock = judged.medium()
    move_clock(WEEKS)
    # The rule at the bench refuses this; the gate stands for itself.
    monkeypatch.setattr("batches.execution.services.scans.material_rules.check_usable", lambda *args, **more: None)
    steps.consume(by=judged.by("maya"), step_run_id=judged.run(lot, "A1.2").pk, line="medium", scanned=stock.identifier)
    correct(judged, lot, "12")
    line = judged.gate(lot)["materials"]
    assert not line.ok and "had expired when used" in line.detail


@pytest.mark.req("MAT-02", case="negative")
def test_a_material_that_was_blocked_since_closes_the_gate_until_its_use_is_taken_back(judged):
    lot = judged.made()
    block(judged, lot)
    line = judged.gate(lot)["materials"]
    assert not line.ok and "was blocked since" in line.detail
    go_on(judged, lot)  # the block held the lot: nothing is corrected on it meanwhile
    correct(judged, lot, "12")
    assert not judged.gate(lot)["materials"].ok
    correct(judged, lot, "0")
    line = judged.gate(lot)["materials"]
    assert line.ok and line.text.startswith("0 uses of material")
