"""Single lines of the gate: what each is judged by."""

from __future__ import annotations

import pytest

from batches.execution import services as steps
from batches.execution.models import Entry, StepRun
from batches.execution.queries.content import correction_of_consumption_subject, correction_subject
from batches.lots.queries import hold_subject, open_hold
from batches.lots.services import end_hold
from batches.materials import services as materials
from batches.materials.models import Consumption, MaterialLot
from mes.clock import record_now
from mes.people.setup import system_actor
from quality.alerts.services import raise_alert
from quality.release import queries
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


def resume(judged, lot) -> None:
    """The hold that the blocking placed is ended, so that the record can be corrected."""
    with judged.reading():
        hold = open_hold(lot)
    proof = judged.proved("boss", "boss", lambda: hold_subject(hold, "Material is put aside"), "resumed")
    end_hold(by=judged.by("boss"), hold_id=hold.pk, seen=hold.version, reason="Material is put aside", proof=proof)


def block(judged, lot) -> None:
    found = taken(judged, lot).material_lot
    materials.block_lot(by=judged.by("quinn"), material_lot_id=found.pk, seen=found.version, reason="Recalled by its supplier")


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
    resume(judged, lot)
    correct(judged, lot, "12")
    assert not judged.gate(lot)["materials"].ok
    correct(judged, lot, "0")
    line = judged.gate(lot)["materials"]
    assert line.ok and line.text.startswith("0 uses of material")


# --- each condition by itself -----------------------------------------------------------------------------------------


def closed(judged, lot) -> set[str]:
    """Codes of the lines that keep the lot from being certified."""
    with judged.reading():
        lines = queries.gate(judged.fresh_in(lot), "stage_1", record_now())
    return {line.code for line in lines if line.blocking and not line.ok}


@pytest.mark.req("REL-01", case="negative")
def test_an_open_step_closes_the_gate(judged):
    assert "steps" in closed(judged, judged.to_count())


@pytest.mark.req("REL-01", case="negative")
def test_a_signature_that_no_longer_covers_closes_the_gate(judged):
    lot = judged.ready()
    assert closed(judged, lot) == set()
    with judged.reading():
        entry = Entry.objects.select_related("step_run").get(lot=lot, parameter="viability")
        what = correction_subject(entry, entry.step_run, "83.4", "Read the wrong line")
    proof = judged.proof("maya", "jonas", what, "confirmed_transcription")
    steps.correct_value(by=judged.by("maya"), entry_id=entry.pk, text="83.4", reason="Read the wrong line", proof=proof)
    assert "signatures" in closed(judged, lot)


@pytest.mark.req("REL-01", case="negative")
def test_equipment_used_out_of_calibration_closes_the_gate(judged, monkeypatch):
    lot = judged.to_count()
    counter = judged.equipment("counter", days=0)
    # The rule at the bench refuses this; the gate stands for itself.
    monkeypatch.setattr("batches.equipment.rules.check_fit", lambda *args, **more: None)
    steps.use_equipment(by=judged.by("maya"), step_run_id=judged.run(lot, "A1.2").pk, class_code="counter", scanned=counter.identifier)
    assert "equipment" in closed(judged, lot)


@pytest.mark.req("REL-01", case="negative")
def test_identity_that_nobody_proved_at_a_step_closes_the_gate(judged, monkeypatch):
    # At the bench no step that touches material opens without its scan; the gate stands for itself.
    monkeypatch.setattr("batches.execution.services.opening._identify", lambda *args: None)
    lot = judged.made()
    assert "identity" in closed(judged, lot)


@pytest.mark.req("REL-01", case="negative")
def test_an_alarm_that_nobody_acknowledged_is_told_and_closes_nothing(judged):
    lot = judged.ready()
    raise_alert(by=system_actor(judged.place.site.pk), cause="test:alarm", severity="alarm", title="Something is wrong", lot_id=lot.pk)
    line = judged.gate(lot)["alarms"]
    assert (line.ok, line.blocking, line.state) == (False, False, "warn") and "1 not acknowledged" in line.detail


@pytest.mark.req("REL-01", case="negative")
def test_the_end_of_the_shelf_life_closes_the_gate(judged):
    lot = judged.ready()
    move_clock(WEEKS)
    assert "expiry" in closed(judged, lot)
