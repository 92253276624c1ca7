import datetime as dt

import pytest

from batches.equipment import queries, rules, services
from batches.equipment.models import Occupancy
from mes.errors import StaleRecord
from mes.records.context import site_context
from tests.builders.registers import din, fresh, move_clock


@pytest.fixture
def lot(world):
    return world.started()


@pytest.fixture
def other(world, lot):
    return world.started(patient=world.patient(family="Andersson", number="HN-2"), dins=[din(2)])


def occupy(world, device, lot):
    return services.occupy(by=world.by("olga"), equipment=device, lot=lot, step_run=world.step(lot))


@pytest.mark.req("MAT-03", case="positive")
def test_a_unit_holds_one_lot_until_it_is_freed(world, lot, other, refused):
    device = world.equipment()
    held = occupy(world, device, lot)
    assert occupy(world, device, lot).pk == held.pk
    with refused("occupied_by_another_lot") as answer:
        occupy(world, device, other)
    assert lot.number in answer.value.sentence and lot.check_code in answer.value.sentence
    services.free(by=world.by("olga"), equipment_id=device.pk)
    assert occupy(world, device, other).lot_id == other.pk
    with site_context(world.site.pk):
        assert Occupancy.objects.filter(ended_at=None).count() == 1


def test_a_shared_instrument_serves_several_lots(world, lot, other):
    balance = world.equipment("BAL-1", class_code="balance", shared=True)
    assert occupy(world, balance, lot) is None and occupy(world, balance, other) is None


@pytest.mark.req("MAT-04", case="negative")
def test_equipment_whose_calibration_lapses_before_use_is_refused(world, lot, refused):
    device = world.equipment(days=2)
    move_clock(49)
    with refused("not_calibrated"):
        occupy(world, device, lot)
    certified = services.calibrate(
        by=world.by("sue"), equipment_id=device.pk, seen=device.version, calibrated_until=world.now() + dt.timedelta(days=30), certificate="C-77"
    )
    assert occupy(world, certified, lot).pk


@pytest.mark.req("MAT-04", case="negative")
def test_equipment_out_of_service_is_refused_with_its_reason(world, lot, refused):
    device = world.equipment()
    services.change_state(by=world.by("sue"), equipment_id=device.pk, seen=device.version, state="out_of_service", reason="Pump noisy.")
    with refused("out_of_service") as answer:
        occupy(world, device, lot)
    assert "Pump noisy." in answer.value.sentence


@pytest.mark.req("MAT-03", case="negative")
def test_another_kind_of_equipment_is_refused(world, lot, refused):
    device = world.equipment()
    with site_context(world.site.pk), refused("equipment_wrong"):
        rules.check_fit(fresh(device), lot, world.now(), class_code="bsc")


def test_what_could_be_used_instead_is_offered(world, lot, other):
    taken, free, old = world.equipment("A"), world.equipment("B"), world.equipment("C", days=-1)
    occupy(world, taken, other)
    with site_context(world.site.pk):
        assert queries.fit_for("prodigy", lot, world.now()) == [free]
        assert {each.equipment.code: each.why_not for each in queries.standings(world.now())} == {"A": "", "B": "", "C": "Calibration ended"}
        assert queries.find(old.identifier) == queries.find("C") == old


def test_a_unit_that_holds_a_lot_is_not_retired(world, lot, refused):
    device = world.equipment()
    occupy(world, device, lot)
    with refused("equipment_holds_a_lot"):
        services.change_state(by=world.by("sue"), equipment_id=device.pk, seen=device.version, state="retired", reason="Too old.")


def test_an_empty_unit_is_not_freed(world, refused):
    device = world.equipment()
    with refused("not_occupied"):
        services.free(by=world.by("olga"), equipment_id=device.pk)


def test_a_number_is_registered_once_and_by_those_who_may(world, refused):
    world.equipment()
    with refused("equipment_known"):
        world.equipment()
    with refused("not_your_role"):
        services.define_class(by=world.by("olga"), code="bsc", name="Cabinet")


@pytest.mark.parametrize(
    ("until", "certificate", "code"), [(dt.timedelta(days=-1), "C-1", "calibration_in_the_past"), (dt.timedelta(days=1), " ", "certificate_missing")]
)
def test_a_calibration_that_is_none_is_refused(world, refused, until, certificate, code):
    device = world.equipment()
    with refused(code):
        services.calibrate(by=world.by("sue"), equipment_id=device.pk, seen=device.version, calibrated_until=world.now() + until, certificate=certificate)


def test_a_stale_screen_changes_nothing(world):
    device = world.equipment()
    services.change_state(by=world.by("sue"), equipment_id=device.pk, seen=device.version, state="out_of_service", reason="Pump noisy.")
    with pytest.raises(StaleRecord):
        services.change_state(by=world.by("sue"), equipment_id=device.pk, seen=device.version, state="retired", reason="Too old.")
