"""Correcting how much of a material was taken: by service, on the page and over the API."""

from __future__ import annotations

import datetime as dt

import pytest

from batches.execution import queries, services
from batches.execution.models import StepRun
from batches.execution.queries.content import correction_of_consumption_subject, signed_by
from batches.lots.queries import course_subject
from batches.lots.queries import lot as lot_of
from batches.lots.services import place_hold
from batches.materials import queries as material_queries
from batches.materials.models import Consumption, MaterialLot
from mes.errors import NotAllowed, RuleBroken, StaleRecord
from mes.people.models import SimulatedClock
from mes.signatures.models import Signature
from tests.batches.execution.test_api import Caller, step
from tests.batches.execution.test_pages import address, browser, sign

pytestmark = pytest.mark.django_db
WHY = "Read the wrong line of the pipette"


def refused(code: str, kind=RuleBroken):
    return pytest.raises(kind, check=lambda broken: broken.code == code)


@pytest.fixture
def lot(floor):
    return floor.to_count()


@pytest.fixture
def taken(floor, lot) -> Consumption:
    """10 mL of a lot of 50 mL."""
    return services.consume(by=floor.by("maya"), step_run_id=floor.run(lot, "A1.2").pk, line="medium", scanned=floor.medium(quantity="50").identifier)


def correct(floor, line: Consumption, quantity: str, reason: str = WHY, signer: str = "jonas", by: str = "maya"):
    with floor.reading():
        run = StepRun.objects.select_related("lot").get(pk=line.step_run_id)
        line = Consumption.objects.select_related("material_lot").get(pk=line.pk)
        what = correction_of_consumption_subject(line, run, quantity, reason)
    proof = floor.proof(by, signer, what, "confirmed_transcription")
    return services.correct_consumption(by=floor.by(by), consumption_id=line.pk, quantity=quantity, reason=reason, proof=proof)


def left(floor, line: Consumption):
    with floor.reading():
        return material_queries.left(MaterialLot.objects.get(pk=line.material_lot_id))


@pytest.mark.req("AUD-03", case="positive")
def test_a_corrected_quantity_counts_and_the_first_one_stays(floor, lot, taken):
    new = correct(floor, taken, "12.5")
    assert (new.quantity_text, new.unit, new.supersedes_id, new.reason) == ("12.5", "mL", taken.pk, WHY)
    assert left(floor, taken) == 37.5
    with floor.reading():
        assert Consumption.objects.get(pk=taken.pk).quantity_text == "10"
        signature = Signature.objects.get(meaning="confirmed_transcription")
        assert signature.signer_id == floor.users["jonas"].pk


@pytest.mark.req("MAT-02", case="positive")
def test_zero_takes_a_material_back_and_its_slot_is_empty_again(floor, lot, taken):
    correct(floor, taken, "0")
    assert left(floor, taken) == 50
    with floor.reading():
        run = queries.run_by_key(lot.number, "A1.2")
        assert "slot-m-medium" in [each.anchor for each in queries.missing(run)]
    assert 'id="slot-m-medium" data-s="todo"' in browser(floor).get(address(lot)).content.decode()
    again = services.consume(by=floor.by("maya"), step_run_id=run.pk, line="medium", scanned=taken.material_lot.identifier, quantity="8")
    assert isinstance(again, Consumption) and left(floor, taken) == 42


@pytest.mark.req("AUD-03", case="negative")
@pytest.mark.parametrize(
    ("quantity", "reason", "code"),
    [
        ("10", WHY, "same_value"), ("10.0", WHY, "same_value"), ("-1", WHY, "quantity_negative"), ("ten", WHY, "not_a_number"), ("12 L", WHY, "wrong_unit"),
        ("1,234", WHY, "ambiguous_thousands"), ("51", WHY, "material_used_up"), ("12", " ", "reason_missing"),
    ],
)  # fmt: skip
def test_a_quantity_that_cannot_be_is_refused_and_nothing_is_written(floor, lot, taken, quantity, reason, code):
    with refused(code):
        correct(floor, taken, quantity, reason)
    with floor.reading():
        assert list(Consumption.objects.filter(lot=lot)) == [taken]
        assert not Signature.objects.filter(meaning="confirmed_transcription").exists()


@pytest.mark.req("SIG-09", case="negative")
def test_the_second_person_of_a_correction_is_another_one_than_who_recorded_or_types_it(floor, lot, taken):
    with refused("same_person", NotAllowed):
        correct(floor, taken, "12", signer="maya")
    with refused("same_person", NotAllowed):
        correct(floor, taken, "12", by="jonas", signer="maya")
    with refused("not_your_role", NotAllowed):
        correct(floor, taken, "12", signer="erin")


def test_a_quantity_corrected_meanwhile_is_a_stale_screen(floor, lot, taken):
    correct(floor, taken, "12")
    with pytest.raises(StaleRecord):
        correct(floor, taken, "13")


def test_a_lot_on_hold_is_read_only_for_corrections_of_material_too(floor, lot, taken):
    with floor.reading():
        what = course_subject(lot_of(lot.pk), "place on hold", reason="Smoke in the room")
    place_hold(by=floor.by("boss"), lot_id=lot.pk, reason="Smoke in the room", proof=floor.proof("boss", "boss", what, "placed_on_hold"))
    with refused("lot_on_hold"):
        correct(floor, taken, "12")


def test_material_that_expired_since_can_still_be_corrected_to_what_was_taken(floor, lot):
    line = services.consume(by=floor.by("maya"), step_run_id=floor.run(lot, "A1.2").pk, line="medium", scanned=floor.medium(quantity="50", days=1).identifier)
    SimulatedClock.objects.create(offset=dt.timedelta(days=2))
    assert correct(floor, line, "12").quantity_text == "12"


@pytest.mark.req("AUD-03", case="positive")
def test_a_quantity_is_corrected_on_its_page_by_two_people(floor, lot, taken):
    client = browser(floor)
    listed = client.get(address(lot, rest="corrections/")).content.decode()
    url = address(lot, rest=f"corrections/materials/{taken.pk}/")
    assert "Material that was taken" in listed and url in listed
    assert "What went wrong?" in client.get(url).content.decode()
    asked = {"value": "12", "why": "Wrong line"}
    shown = client.post(url, asked).content.decode()
    assert "I compared the corrected value with its source." in shown and "recorded" in shown
    same = sign(client, url, floor.users["maya"], asked=asked)
    assert same.status_code == 403 and "Another person" in same.content.decode()
    assert sign(client, url, floor.users["jonas"], asked=asked).status_code == 303
    with floor.reading():
        assert Consumption.objects.get(supersedes=taken).quantity_text == "12"
    assert client.get(url).status_code == 409  # corrected already


def test_a_signed_step_says_that_a_corrected_quantity_is_not_what_was_signed(floor):
    lot = floor.counted()
    with floor.reading():
        line = Consumption.objects.select_related("material_lot").get(lot=lot)
    correct(floor, line, "11")
    with floor.reading():
        assert [each["covers"] for each in signed_by(queries.run_by_key(lot.number, "A1.2"))] == [False, False]


def test_a_quantity_is_corrected_over_the_api_with_the_same_codes(floor, lot, taken):
    caller = Caller(floor)
    listed = caller.get(step(lot)).json()["taken"]
    assert [(each["line"], each["quantity"], each["unit"]) for each in listed] == [("medium", "10", "mL")]
    path = step(lot, f"corrections/materials/{listed[0]['id']}/sign/")
    assert caller.sign(path, floor.users["maya"], query="?quantity=12&reason=Wrong+line").json()["code"] == "same_person"
    assert caller.sign(path, floor.users["jonas"], query="?quantity=ten&reason=Wrong+line").json()["code"] == "not_a_number"
    signed = caller.sign(path, floor.users["jonas"], query="?quantity=12&reason=Wrong+line")
    assert signed.status_code == 201 and signed.json()["meaning"] == "confirmed_transcription"
    assert caller.get(step(lot)).json()["taken"][0]["quantity"] == "12"


def test_a_line_of_another_step_is_not_found(floor, lot, taken):
    assert browser(floor).get(address(lot, "A1.1", f"corrections/materials/{taken.pk}/")).status_code == 404
