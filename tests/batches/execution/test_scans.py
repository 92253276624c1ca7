"""Material, equipment, readings, files and time limits at a step."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from batches.equipment.models import Occupancy
from batches.execution import queries, services
from batches.execution.models import Attachment, Entry, EntryAttempt, Excursion
from batches.execution.queries.scans import look_up
from batches.materials.models import Consumption
from batches.readings.models import Reading
from batches.readings.services import Sent, define_channel, ingest
from mes.clock import record_now
from mes.errors import RuleBroken, UnreadableInput
from mes.people.setup import enrol

pytestmark = pytest.mark.django_db


def refused(code: str, kind=RuleBroken):
    return pytest.raises(kind, check=lambda broken: broken.code == code)


@pytest.fixture
def lot(floor):
    return floor.to_count()


def take(floor, lot, scanned: str, quantity: str = ""):
    return services.consume(by=floor.by("maya"), step_run_id=floor.run(lot, "A1.2").pk, line="medium", scanned=scanned, quantity=quantity)


def use(floor, lot, class_code: str, scanned: str):
    return services.use_equipment(by=floor.by("maya"), step_run_id=floor.run(lot, "A1.2").pk, class_code=class_code, scanned=scanned)


@pytest.mark.req("MAT-02", case="positive")
def test_material_is_taken_by_scan_with_the_planned_quantity(floor, lot):
    material = floor.medium()
    taken = take(floor, lot, f"CTL:M:{material.identifier}")
    assert isinstance(taken, Consumption) and (taken.quantity_text, taken.unit) == ("10", "mL")
    with refused("already_scanned"):
        take(floor, lot, material.identifier)


@pytest.mark.req("MAT-01", case="negative")
@pytest.mark.parametrize(
    ("made", "quantity", "code"),
    [({"released": False}, "", "material_in_quarantine"), ({"quantity": "5"}, "", "material_used_up"), ({}, "10 L", "wrong_unit"), ({}, "ten", "not_a_number")],
)
def test_material_that_may_not_be_used_is_refused_and_nothing_is_written(floor, lot, made, quantity, code):
    with refused(code):
        take(floor, lot, floor.medium(**made).identifier, quantity)
    with floor.reading():
        assert not Consumption.objects.filter(lot=lot).exists()


@pytest.mark.req("MAT-01", case="negative")
def test_expired_material_is_refused(floor, lot):
    with refused("material_expired"):
        take(floor, lot, floor.medium(days=0).identifier)


@pytest.mark.req("MAT-01", case="negative")
def test_a_wrong_scan_for_material_is_kept_and_nothing_is_consumed(floor, lot):
    kept = take(floor, lot, floor.equipment("counter").identifier)
    assert kept.code == "wrong_material" and "Counter one" in kept.sentence
    with floor.reading():
        assert not Consumption.objects.filter(lot=lot).exists()


@pytest.mark.req("MAT-04", case="positive")
def test_the_number_that_stands_on_a_piece_of_equipment_names_it_at_its_site(floor, lot):
    counter = floor.equipment("counter")
    with floor.reading():
        assert look_up(counter.code).equipment == counter == look_up(counter.identifier).equipment
        assert look_up(f"{counter.code}-2").equipment is None


@pytest.mark.req("MAT-04", case="negative")
def test_equipment_without_calibration_is_refused(floor, lot):
    with refused("not_calibrated"):
        use(floor, lot, "counter", floor.equipment("counter", days=0).identifier)


@pytest.mark.req("MAT-04", case="negative")
def test_a_unit_that_holds_another_lot_is_refused(floor, lot):
    incubator = floor.equipment("incubator", shared=False)
    use(floor, lot, "incubator", incubator.identifier)
    other = floor.to_count()
    with refused("occupied_by_another_lot"):
        use(floor, other, "incubator", incubator.identifier)
    with floor.reading():
        assert Occupancy.objects.get(equipment=incubator, ended_at=None).lot_id == lot.pk


def test_equipment_of_another_class_is_a_wrong_scan(floor, lot):
    kept = use(floor, lot, "counter", floor.equipment("incubator").identifier)
    assert kept.code == "wrong_equipment"


@pytest.mark.req("SIG-05", case="positive")
def test_a_file_is_kept_whole_and_its_digest_is_signed(floor, lot):
    floor.fill_count(lot)
    with floor.reading():
        kept = Attachment.objects.get(lot=lot)
        content = queries.step_content(queries.run_by_key(lot.number, "A1.2"))
    digest = hashlib.sha256(b"cells,82.4\n").hexdigest()
    assert kept.sha256 == digest and bytes(kept.content) == b"cells,82.4\n"
    assert content["files"] == [{"code": "report", "name": "count.csv", "size": "11", "sha256": digest}]


@pytest.mark.parametrize(
    ("code", "media_type", "content", "refusal"),
    [("nothing", "text/csv", b"x", "file_not_of_step"), ("report", "text/csv", b"", "file_empty"), ("report", "application/x-msdownload", b"x", "file_type")],
)
def test_a_file_that_does_not_belong_is_refused(floor, lot, code, media_type, content, refusal):
    with refused(refusal, UnreadableInput):
        services.attach(by=floor.by("maya"), step_run_id=floor.run(lot, "A1.2").pk, code=code, file_name="a", media_type=media_type, content=content)


@pytest.mark.req("DI-03", case="negative")
@pytest.mark.parametrize(
    ("name", "content"),
    [("report.pdf", b"<html>"), ("gel.PNG", b"GIF89a"), ("count.csv", b"PK\x03\x04\x00"), ("run.fcs", b"MZ\x90"), ("run", b"\x7fELF"), ("a.xlsx", b"a;b")],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(floor, lot, name, content):
    with refused("file_content", UnreadableInput):
        services.attach(
            by=floor.by("maya"), step_run_id=floor.run(lot, "A1.2").pk, code="report", file_name=name, media_type="application/octet-stream", content=content
        )


# --- readings ----------------------------------------------------------------------------------------------------------


def send(floor, equipment, value: str = "1200000", unit: str = "CAR+ cells/mL", sequence: int = 1, at=None) -> Reading:
    from mes.people.services import issue_device_token

    device = enrol(by=floor.place.setup, username=f"device-{equipment.code}-{sequence}", full_name="Counter", roles=["equipment"], kind="device")
    issue_device_token(by=floor.by("adm"), user_id=device.pk, equipment_id=equipment.pk)
    packet = ingest(by=floor.place.actor(device), equipment_id=equipment.pk, readings=[Sent("density", value, unit, at or record_now(), sequence)])
    return packet.kept[0].reading


@pytest.mark.req("EXE-05", case="positive")
def test_a_reading_becomes_a_value_when_a_named_person_confirms_it(floor, lot):
    counter = floor.equipment("counter")
    define_channel(by=floor.by("boss"), equipment_id=counter.pk, code="density", unit="CAR+ cells/mL")
    use(floor, lot, "counter", counter.identifier)
    reading, run = send(floor, counter), floor.run(lot, "A1.2")
    entry = services.confirm_reading(by=floor.by("maya"), reading_id=reading.pk, step_run_id=run.pk, parameter="density")
    assert (entry.source, entry.value_text, entry.confirmed_by_id) == ("equipment", "1200000", floor.users["maya"].pk)
    with refused("reading_used"):
        services.confirm_reading(by=floor.by("maya"), reading_id=reading.pk, step_run_id=run.pk, parameter="density")


@pytest.mark.req("EXE-05", case="negative")
@pytest.mark.parametrize(("ahead", "code"), [(dt.timedelta(minutes=10), "in_future"), (-dt.timedelta(days=1), "before_the_lot")])
def test_a_reading_from_a_time_that_cannot_be_is_no_value(floor, lot, ahead, code):
    counter = floor.equipment("counter")
    define_channel(by=floor.by("boss"), equipment_id=counter.pk, code="density", unit="CAR+ cells/mL")
    use(floor, lot, "counter", counter.identifier)
    reading, run = send(floor, counter, at=record_now() + ahead), floor.run(lot, "A1.2")
    kept = services.confirm_reading(by=floor.by("maya"), reading_id=reading.pk, step_run_id=run.pk, parameter="density")
    assert (type(kept), kept.code, kept.text) == (EntryAttempt, code, "1200000")
    with floor.reading():
        assert not Entry.objects.filter(step_run=run, parameter="density").exists()


@pytest.mark.req("API-02", case="negative")
def test_a_reading_of_equipment_that_is_not_at_the_step_becomes_no_value(floor, lot):
    counter = floor.equipment("counter")
    define_channel(by=floor.by("boss"), equipment_id=counter.pk, code="density", unit="CAR+ cells/mL")
    reading = send(floor, counter)
    with refused("not_assigned"):
        services.confirm_reading(by=floor.by("maya"), reading_id=reading.pk, step_run_id=floor.run(lot, "A1.2").pk, parameter="density")


# --- time limits -------------------------------------------------------------------------------------------------------


@pytest.mark.req("EXE-06", case="negative")
def test_a_time_limit_that_has_not_passed_is_no_breach(floor, lot):
    floor.fill_count(lot)
    with refused("not_breached"):
        services.record_time_breach(by=floor.by("maya"), lot_id=lot.pk, code="sample-fill")
    with floor.reading():
        limit = queries.time_limits(floor.run(lot, "A1.2").lot, record_now())[0]
    assert limit.is_running and limit.standing.due - limit.start == dt.timedelta(hours=12)


@pytest.mark.req("EXE-06", case="positive")
def test_a_time_limit_that_passed_writes_one_excursion(floor, lot):
    long_ago = record_now() - dt.timedelta(hours=13)
    floor.enter(lot, "A1.2", sampled_at=long_ago.strftime("%Y-%m-%dT%H:%M:%SZ"))
    excursion = services.record_time_breach(by=floor.by("maya"), lot_id=lot.pk, code="sample-fill")
    assert excursion.kind == "time_limit" and excursion.reaction == "Deviation"
    assert excursion.sentence == "Sample to end of fill: not ended after 13 h 00 min, at most 12 h."
    with refused("already_told"):
        services.record_time_breach(by=floor.by("maya"), lot_id=lot.pk, code="sample-fill")
    with floor.reading():
        assert Excursion.objects.filter(lot=lot).count() == 1


@pytest.mark.req("EXE-06", case="positive")
def test_a_limit_that_the_start_of_a_step_ends_too_late_is_an_excursion_at_once(floor):
    from tests.builders.floor import RECIPE

    more = (
        "time_limits:\n  - {code: sample-question, title: Sample to the question, starts: A1.2.sampled_at, ends: step:A1.3.started, max: 2 h, class: CPP,\n"
        "     reaction: Deviation, evidence: illustrative}\n"
    )
    before = floor.version
    floor.version = floor.effective_recipe(RECIPE.replace('version: "1.0"', 'version: "1.1"').replace("time_limits:\n", more))
    try:
        for name in ("sam", "sue", "maya", "jonas", "boss"):
            floor.train(name)
        lot = floor.to_count()
    finally:
        floor.version = before
    floor.fill_count(lot, sampled_at=record_now() - dt.timedelta(hours=3))
    floor.perform(lot, "A1.2")
    floor.second(lot, "A1.2")
    with floor.reading():
        assert not Excursion.objects.filter(lot=lot).exists()
    floor.open(lot, "A1.3", "boss")
    with floor.reading():
        assert Excursion.objects.get(lot=lot).sentence == "Sample to the question: 3 h 00 min, at most 2 h."


@pytest.mark.req("COI-03", case="negative")
@pytest.mark.parametrize(("state", "after_release", "spent"), [
    ("infused", True, False), ("infused", False, True), ("emptied", True, True), ("discarded", True, True), ("received", True, False),
])  # fmt: skip
def test_a_spent_container_opens_no_step_but_an_infused_one_proves_its_identity_after_release(floor, state, after_release, spent):
    from batches.execution.queries.scans import container_sentence, is_spent, look_up

    lot = floor.order()
    container = floor.container(lot)
    container.state = state
    assert is_spent(container, after_release=after_release) is spent
    with floor.reading():
        found = look_up(f"CTL:C:{container.identifier}")
        assert container_sentence(found, lot, container.title, spent=True)[0] == "container_spent"


@pytest.mark.req("COI-03", case="negative")
def test_a_step_does_not_open_on_a_container_that_is_spent(floor, monkeypatch):
    from batches.lots.models import Container

    lot = floor.counted()
    floor.open(lot, "A1.3", "boss")
    floor.decide(lot, "go")
    floor.second(lot, "A1.3", "deputy", at="boss")
    floor.open(lot, "A1.4")
    floor.enter(lot, "A1.4", cleared_fill="yes")
    floor.perform(lot, "A1.4")
    floor.second(lot, "A1.4")
    # The bag as it comes from the database, emptied: how it got there is another test's
    monkeypatch.setattr(Container, "from_db", classmethod(emptied(Container.from_db.__func__)))

    scan = floor.open(lot, "A2.1")

    assert (scan.matched, scan.code) == (False, "container_spent")
    assert floor.run(lot, "A2.1").state == "waiting"


def emptied(from_db):
    def read(cls, *row):
        container = from_db(cls, *row)
        container.state = "emptied"
        return container

    return read
