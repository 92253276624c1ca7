import datetime as dt

import pytest

from batches.equipment.models import EquipmentUse
from batches.events import Event
from batches.readings import queries, services
from batches.readings.models import Reading
from batches.readings.services import Sent
from mes.people import services as people
from mes.people.models import User
from mes.people.rules import check_may
from mes.records.context import site_context
from mes.records.door import deed_now, service
from tests.builders.registers import fresh, move_clock


def sent(value="1.25", unit="10^6 cells/mL", channel="cells", sequence=1, **more) -> Sent:
    return Sent(
        **({"channel": channel, "value": value, "unit": unit, "device_time": dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC), "sequence": sequence} | more)
    )


@pytest.fixture
def counter(world):
    device = world.equipment("CNT-1", class_code="cell_counter")
    services.define_channel(by=world.by("sue"), equipment_id=device.pk, code="cells", unit="10^6 cells/mL")
    return device


@pytest.fixture
def token(world, counter):
    """The actor of the counter's own device account."""
    user = world.staffed.person("counter.1", "equipment", kind=User.DEVICE, password="", pin="")
    people.issue_device_token(by=world.staffed.setup, user_id=user.pk, equipment_id=counter.pk)
    return world.staffed.actor(user, channel="api")


def assign(world, device):
    """The device is scanned at an open step of a lot, as a step does it."""
    lot = world.started()
    run = world.step(lot)

    @service(Event.EQUIPMENT_USED)
    def use(*, by):
        opened = type(run).objects.lock(run.pk)
        if opened.state == "waiting":
            opened.state, opened.opened_at, opened.opened_by_id = "open", deed_now().at, by.user_id
            opened.save()
        fact = EquipmentUse(lot=lot, step_run=opened, equipment=device, class_code="cell_counter", calibrated_until=device.calibrated_until)
        fact.save()
        return fact

    use(by=world.by("olga"))
    return lot, run


@pytest.mark.req("API-04", case="positive")
def test_a_reading_of_an_assigned_calibrated_device_is_usable_and_waits_for_a_person(world, counter, token):
    lot, run = assign(world, counter)
    packet = services.ingest(by=token, equipment_id=counter.pk, readings=[sent("1.250")])
    (kept,) = packet.kept
    assert kept.reading.usable and kept.reading.value_text == "1.250" and str(kept.reading.value) == "1.250" and kept.reading.lot_id == lot.pk
    with site_context(world.site.pk):
        assert queries.waiting(run) == [kept.reading]


@pytest.mark.req("API-04", case="negative")
@pytest.mark.req("DI-03", case="negative")
def test_a_repeat_changes_nothing_and_a_differing_one_is_told(world, counter, token):
    first = services.ingest(by=token, equipment_id=counter.pk, readings=[sent(), sent(sequence=2)]).kept
    again = services.ingest(by=token, equipment_id=counter.pk, readings=[sent(), sent("9.9", sequence=2), sent(sequence=3), sent(sequence=3)]).kept
    assert [(each.repeated, each.differs) for each in again] == [(True, False), (True, True), (False, False), (True, False)]
    assert [each.reading.pk for each in again[:2]] == [each.reading.pk for each in first] and again[1].reading.value_text == "1.25"
    with site_context(world.site.pk):
        assert Reading.objects.count() == 3


@pytest.mark.req("API-04", case="negative")
@pytest.mark.parametrize(
    ("change", "why_not"),
    [
        ({"unit": "cells"}, "wrong_unit"),
        ({"unit": "sheep"}, "wrong_unit"),
        ({"value": "1,234"}, "not_a_number"),
        ({"value": "OVERFLOW"}, "not_a_number"),
        ({"channel": "temperature"}, "unknown_channel"),
    ],
)
def test_a_reading_that_cannot_be_a_value_is_kept_as_sent(world, counter, token, change, why_not):
    assign(world, counter)
    (kept,) = services.ingest(by=token, equipment_id=counter.pk, readings=[sent(**change)]).kept
    with site_context(world.site.pk):
        reading = fresh(kept.reading)
    assert (reading.usable, reading.why_not, reading.value_text) == (False, why_not, change.get("value", "1.25"))


def test_a_reading_of_a_device_nobody_scanned_is_kept_only(world, counter, token):
    (kept,) = services.ingest(by=token, equipment_id=counter.pk, readings=[sent()]).kept
    assert kept.reading.why_not == "not_assigned" and kept.reading.lot_id is None and not kept.reading.usable


@pytest.mark.req("MAT-04", case="negative")
def test_a_reading_after_the_calibration_ended_is_kept_only(world, counter, token):
    assign(world, counter)
    move_clock(24 * 101)
    (kept,) = services.ingest(by=token, equipment_id=counter.pk, readings=[sent()]).kept
    assert kept.reading.why_not == "not_calibrated"


@pytest.mark.req("API-03", case="negative")
def test_a_token_posts_for_its_own_equipment_only(world, counter, token, refused):
    other = world.equipment("CNT-2", class_code="cell_counter")
    with refused("not_your_equipment"):
        services.ingest(by=token, equipment_id=other.pk, readings=[sent()])
    with refused("not_your_role"):
        services.ingest(by=world.by("olga"), equipment_id=counter.pk, readings=[sent()])
    with site_context(world.site.pk):
        assert Reading.objects.count() == 0
        check_may(token, "batches.post_readings")


@pytest.mark.parametrize(
    ("readings", "code"),
    [
        ([], "packet_empty"),
        ([sent()] * 1001, "packet_too_large"),
        ([sent(sequence=-1)], "reading_shape"),
        ([sent(value="1" * 61)], "reading_shape"),
        ([sent(), sent(sequence=2, device_time=dt.datetime(2026, 1, 1))], "zone_missing"),
    ],
)
def test_a_packet_that_is_none_is_refused_whole(world, counter, token, refused, readings, code):
    with refused(code):
        services.ingest(by=token, equipment_id=counter.pk, readings=readings)
    with site_context(world.site.pk):
        assert Reading.objects.count() == 0


def test_a_channel_has_a_known_unit_and_one_name(world, counter, refused):
    with refused("channel_known"):
        services.define_channel(by=world.by("sue"), equipment_id=counter.pk, code="cells", unit="mL")
    with refused("unknown_unit"):
        services.define_channel(by=world.by("sue"), equipment_id=counter.pk, code="wool", unit="sheep")
