"""The step page in a browser without script and with islands, and the board."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from batches.execution import queries, services
from batches.execution.models import Entry, EntryAttempt, Excursion, StepDecision
from batches.execution.queries import missing, run_by_key
from batches.execution.queries.board import boards
from batches.execution.queries.content import signed_by
from batches.execution.views.screen import Screen
from batches.lots.queries import donations_of, lot_by_number
from mes.clock import record_now
from tests.builders.staff import PIN, signed_in

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def lot(floor):
    return floor.to_count()


def address(lot, key: str = "A1.2", rest: str = "") -> str:
    return f"/lots/{lot.number}/steps/{key}/{rest}"


def browser(floor, name: str = "maya") -> Client:
    return signed_in(floor.users[name])


def sign(client: Client, url: str, user, *, secret: str = PIN, asked: dict | None = None, **more):
    """Open the signing page, with what was typed on the page before (`asked`), and sign there."""
    page = client.post(url, asked) if asked else client.get(url)
    assert page.status_code == 200, page.content.decode()[:3000]
    intent = page.content.decode().split('name="intent" value="')[1].split('"')[0]
    return client.post(url, {"intent": intent, "who": user.username, "secret": secret} | (asked or {}) | more)


def test_the_step_shows_its_lot_its_values_and_what_is_left(floor, lot):
    page = browser(floor).get(address(lot)).content.decode()
    assert lot.check_code in page and "Viability" in page and "Limits at least 70, alert below 75" in page
    assert "8 things left" in page and "Next: Scan the Cell counter" in page
    assert "style=" not in page.replace("data-style", "")


def test_a_calculated_value_is_left_to_do_only_where_no_entry_of_the_step_would_bring_it(floor, lot):
    def left() -> list[str]:
        with floor.reading():
            return [each.text for each in missing(run_by_key(lot.number, "A1.2"))]

    assert not [text for text in left() if "CAR+ cells" in text or "Dose" in text]
    assert "Enter Viable cell density." in left() and len(left()) == 8
    assert len(browser(floor).get(f"/api/v1/lots/{lot.number}/steps/A1.2/").json()["missing"]) == 8
    floor.fill_count(lot)
    assert left() == []


@pytest.mark.req("EXE-03", case="positive")
def test_a_value_is_recorded_when_its_field_is_left(floor, lot):
    answer = browser(floor).post(address(lot, rest="values/viability/"), {"value": "82.4", "seen": ""}, **HTMX)
    assert answer.status_code == 200 and "Recorded" in answer.content.decode() and 'id="todo"' in answer.content.decode()
    with floor.reading():
        assert Entry.objects.get(lot=lot, parameter="viability").by_id == floor.users["maya"].pk


def test_a_value_is_recorded_without_script_too(floor, lot):
    answer = browser(floor).post(address(lot, rest="values/viability/"), {"value": "82.4", "seen": ""})
    assert answer.status_code == 303 and answer["Location"] == address(lot)


@pytest.mark.req("EXE-04", case="negative")
def test_text_in_a_number_keeps_the_text_and_says_what_to_type(floor, lot):
    answer = browser(floor).post(address(lot, rest="values/viability/"), {"value": "1,234", "seen": ""}, **HTMX)
    shown = answer.content.decode()
    assert answer.status_code == 422 and 'value="1,234"' in shown and "1.234 or as 1234" in shown
    with floor.reading():
        assert EntryAttempt.objects.get(lot=lot).text == "1,234"


@pytest.mark.req("EXE-04", case="positive")
def test_a_decimal_comma_is_kept_as_typed_and_said_back_at_once(floor, lot):
    shown = browser(floor).post(address(lot, rest="values/viability/"), {"value": "82,4", "seen": ""}, **HTMX).content.decode()
    assert 'value="82,4"' in shown and "read as 82.4" in shown
    with floor.reading():
        entry = Entry.objects.get(lot=lot, parameter="viability")
    assert (entry.value_text, str(entry.value)) == ("82,4", "82.4")
    plain = browser(floor).post(address(lot, rest="values/density/"), {"value": "1e6", "seen": ""}, **HTMX).content.decode()
    assert "read as" not in plain.partition('id="ways"')[0]


@pytest.mark.req("EXE-05", case="positive")
def test_a_choice_stays_on_the_page_with_its_deviation(floor, lot):
    floor.enter(lot, "A1.2", viability="65.0")
    with floor.reading():
        excursion = Excursion.objects.get(lot=lot)
    answer = browser(floor).post(
        address(lot, rest=f"excursions/{excursion.pk}/"), {"choice": "keep", "why": "Read twice, it is so"}, **HTMX
    )
    panel = f"/deviations/of-excursion/{excursion.pk}/"
    assert re.search(r'<div id="instruction" hx-swap-oob="outerMorph"><(p|ol) class="instr">', answer.content.decode()), "the instruction is back"
    assert "Keep and go on" in answer.content.decode() and "Read twice, it is so" in answer.content.decode() and panel in answer.content.decode()
    with floor.reading():
        number = Excursion.objects.get(lot=lot).deviation.number
    seen = browser(floor).get(panel, **HTMX).content.decode()
    assert number in seen and "href" not in seen  # the number for everybody, the way there for whoever may read it
    assert f'href="/deviations/{number}/"' in browser(floor, "quinn").get(panel, **HTMX).content.decode()
    page = browser(floor, "quinn").get(f"/deviations/{number}/").content.decode()
    assert "65.0" in page and "action ≥ 70" in page and "Keep and go on: Read twice, it is so (Maya Demo" in page


def test_values_done_earlier_are_entered_without_their_reason_in_an_address(floor, lot):
    done = record_now() - dt.timedelta(minutes=5)
    shown = browser(floor).post(address(lot, rest="late/"), {"claimed_at": f"{done:%Y-%m-%dT%H:%M}+00:00", "reason": "Hands were full"}).content.decode()
    assert shown.count('name="reason" value="Hands were full"') > 1 and '?reason' not in shown


@pytest.mark.req("EXE-03", case="negative")
def test_a_stale_screen_gets_the_other_value_and_409(floor, lot):
    floor.enter(lot, "A1.2", "jonas", viability="90.1")
    answer = browser(floor).post(address(lot, rest="values/viability/"), {"value": "82.4", "seen": ""}, **HTMX)
    shown = answer.content.decode()
    assert answer.status_code == 409 and 'value="90.1"' in shown and "Jonas Demo recorded" in shown


@pytest.mark.req("EXE-03", case="positive")
def test_a_value_typed_twice_is_hidden_after_the_first_time(floor):
    lot = floor.order()
    client = browser(floor, "sam")
    client.post(address(lot, "A0.1", "scan/"), {"seen": "1"})
    url = address(lot, "A0.1", "values/weight_kg/")
    first = client.post(url, {"value": "70.0", "seen": ""}, **HTMX).content.decode()
    hidden = first.split('name="first" value="')[1].split('"')[0]
    assert "70.0" not in first.split('id="param-weight_kg"')[1].split("</form>")[0].replace(hidden, "")
    differs = client.post(url, {"value": "77.0", "seen": "", "first": hidden}, **HTMX)
    assert differs.status_code == 422 and 'value="77.0"' not in differs.content.decode() and differs["HX-Reswap"] == "outerHTML"
    assert client.post(url, {"value": "70.0", "seen": "", "first": hidden}, **HTMX).status_code == 200
    with floor.reading():
        assert Entry.objects.get(lot=lot, parameter="weight_kg").value_text == "70.0"


def test_the_three_ways_stand_beside_a_value_outside_its_limits(floor, lot):
    client = browser(floor)
    shown = client.post(address(lot, rest="values/viability/"), {"value": "68.4", "seen": ""}, **HTMX).content.decode()
    assert '<div id="instruction" hx-swap-oob="outerMorph" hidden>' in shown
    for way in ("Correct the value", "Keep 68.4 % and go on", "Keep 68.4 % and stop the step"):
        assert way in shown
    with floor.reading():
        excursion = Excursion.objects.get(lot=lot)
    url = address(lot, rest=f"excursions/{excursion.pk}/")
    assert client.post(url, {"choice": "keep", "why": ""}, **HTMX).status_code == 422
    corrected = client.post(url, {"choice": "correct"})
    assert corrected.status_code == 303 and "/corrections/" in corrected["Location"]
    assert client.post(url, {"choice": "keep", "why": "Second slide 68.9"}, **HTMX).status_code == 200
    with floor.reading():
        assert excursion.choices.get().choice == "keep"


@pytest.mark.req("COI-03", case="negative")
def test_a_wrong_bag_is_told_with_both_check_codes(floor):
    lot = floor.order()
    floor.open(lot, "A0.1", "sam")
    floor.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
    floor.perform(lot, "A0.1", "sam")
    floor.second(lot, "A0.1", "sue", at="sam")
    floor.open(lot, "A1.1")
    floor.enter(lot, "A1.1", cleared="yes")
    floor.perform(lot, "A1.1")
    floor.second(lot, "A1.1")
    other, client = floor.order(), browser(floor)
    answer = client.post(address(lot, rest="scan/"), {"code": floor.container(other).identifier})
    assert answer.status_code == 409 and other.check_code in answer.content.decode() and lot.check_code in answer.content.decode()
    code = {"code": f"CTL:C:{floor.container(lot).identifier}"}
    assert client.post(address(lot, rest="scan/"), code)["X-Refusal"] == "typed_alone"
    right = client.post(address(lot, rest="scan/"), code | {"by_scanner": "code"})
    assert right.status_code == 303 and floor.run(lot, "A1.2").state == "open"


@pytest.mark.req("SIG-02", case="positive")
def test_a_step_is_scanned_attached_signed_and_checked_in_the_browser(floor, lot):
    client, url = browser(floor), address(lot)
    for code in (floor.equipment("counter").identifier, floor.equipment("incubator").identifier, floor.medium().identifier):
        assert client.post(f"{url}scan/", {"code": code}, **HTMX).status_code == 200
    file = SimpleUploadedFile("count.csv", b"82.4", content_type="text/csv")
    assert client.post(f"{url}files/report/", {"file": file}).status_code == 303
    late = client.post(f"{url}late/", {"claimed_at": "2026-03-01T10:00", "reason": "Hands were full"}).content.decode()
    assert "Recorded as done 1 Mar 2026, 10:00" in late
    early = client.get(f"{url}sign/")
    assert early.status_code == 409 and "Enter Viability." in early.content.decode()
    for name, value in {"viability": "82.4", "density": "1e6", "volume": "100", "sampled_at": "2026-03-01T10:00"}.items():
        assert client.post(f"{url}values/{name}/", {"value": value, "seen": ""}, **HTMX).status_code == 200
    wrong = sign(client, f"{url}sign/", floor.users["maya"], secret="000000")
    assert wrong.status_code == 403 and "tries left" in wrong.content.decode()
    assert sign(client, f"{url}sign/", floor.users["maya"]).status_code == 303
    same = sign(client, f"{url}second/", floor.users["maya"])
    assert same.status_code == 403 and "Another person" in same.content.decode()
    assert "Mix the sample tube by inverting it 10 times." in client.get(f"{url}second/").content.decode()
    assert sign(client, f"{url}second/", floor.users["jonas"]).status_code == 303
    with floor.reading():
        run = queries.run_by_key(lot.number, "A1.2")
        assert run.state == "complete" and [each["covers"] for each in signed_by(run)] == [True, True]


@pytest.mark.req("AUD-03", case="positive")
def test_a_correction_is_signed_by_a_second_person_on_its_page(floor, lot):
    floor.enter(lot, "A1.2", viability="68.4")
    client = browser(floor)
    with floor.reading():
        entry = Entry.objects.get(lot=lot, parameter="viability")
    assert "68.4" in client.get(address(lot, rest="corrections/")).content.decode()
    url = address(lot, rest=f"corrections/{entry.pk}/")
    assert "What went wrong?" in client.get(url).content.decode()
    assert "What went wrong?" in client.get(f"{url}?value=86.4&why=Digits+swapped").content.decode()  # an address says no reason
    assert sign(client, url, floor.users["jonas"], asked={"value": "86.4", "why": "Digits swapped"}).status_code == 303
    with floor.reading():
        assert Entry.objects.get(supersedes=entry).value_text == "86.4"


def test_a_decision_is_signed_on_its_page(floor):
    lot = floor.counted()
    client = browser(floor, "boss")
    client.post(address(lot, "A1.3", "scan/"), {"seen": "1"})
    refused = client.get(address(lot, "A1.3", "decide/stop/"))
    assert refused.status_code == 422
    assert sign(client, address(lot, "A1.3", "decide/wait/"), floor.users["boss"], asked={"why": "Slow"}).status_code == 303
    assert sign(client, address(lot, "A1.3", "second/"), floor.users["deputy"]).status_code == 303
    with floor.reading():
        assert StepDecision.objects.get(lot=lot).reason == "Slow"
        assert queries.open_hold(lot) is not None
    held = client.get(address(lot, "A1.4")).content.decode()
    assert "On hold since" in held


def test_a_stopped_step_says_why_and_who_decides(floor, lot):
    client, run = browser(floor), floor.run(lot, "A1.2")
    assert client.post(address(lot, rest="stop/"), {"seen": run.version, "reason": "Alarm of the cabinet"}).status_code == 303
    assert "Alarm of the cabinet" in client.get(address(lot)).content.decode()
    boss = browser(floor, "boss")
    answer = sign(boss, address(lot, rest="resume/"), floor.users["boss"], secret="correct-horse-battery-9", reason="Alarm checked")
    assert answer.status_code == 303 and floor.run(lot, "A1.2").state == "open"


def test_the_rail_says_the_day_of_a_time_that_is_not_of_today(floor, lot):
    with floor.reading():
        screen = Screen(lot.number, "A1.2")
        done = run_by_key(lot.number, "A1.1")
    at = done.second_at.astimezone(screen.zone)
    words = {each["number"]: each["sub"] for each in screen_at(floor, lot, done.second_at)}
    assert words["A1.1"].startswith(f"{at:%H:%M} ")
    words = {each["number"]: each["sub"] for each in screen_at(floor, lot, done.second_at + dt.timedelta(days=2))}
    assert words["A1.1"].startswith(f"{at.day} {at:%b %H:%M} ") and words["A1.2"].startswith("Started ")


def screen_at(floor, lot, now) -> list[dict]:
    """The rail of step A1.2 as it is drawn at a moment."""
    with floor.reading():
        screen = Screen(lot.number, "A1.2")
        screen.now = now
        return screen.rail()


@pytest.mark.req("EXE-06", case="positive")
def test_the_board_and_the_station_show_each_lot_and_its_next_step(floor, lot):
    floor.fill_count(lot)
    client = browser(floor)
    board = client.get("/floor/").content.decode()
    assert lot.number in board and "Sample to end of fill" in board and 'data-stale-after="60"' in board
    station = client.get("/station/").content.decode()
    assert f"/lots/{lot.number}/steps/A1.2/" in station
    assert lot.number in client.get("/station/waiting/", **HTMX).content.decode()


def row_of(floor, lot, *, later: dt.timedelta = dt.timedelta(0)):
    """The lot's row on the board, so much later than now."""
    with floor.reading():
        (row,) = boards([lot_by_number(lot.number)], record_now() + later)
    return row


def test_the_board_shows_the_booked_slot_and_says_where_none_is(floor):
    lot = floor.order()
    assert "no slot booked" in browser(floor).get("/floor/").content.decode()
    floor.open(lot, "A0.1", "sam")
    floor.enter(lot, "A0.1", "sam", infusion_planned_on="2027-03-04")
    assert row_of(floor, lot).slot == dt.date(2027, 3, 4)
    page = browser(floor).get("/floor/").content.decode()
    assert "slot 4 Mar" in page and "no slot booked" not in page and "ordered" not in page.split("<tbody>")[1].split("</tbody>")[0].casefold()


def test_vein_to_vein_runs_from_the_collection_and_not_before_it(floor):
    lot = floor.order(accept=False)
    assert (row_of(floor, lot).collected, row_of(floor, lot).awaited) == (None, True)
    assert "Not collected yet" in browser(floor).get("/floor/").content.decode()
    floor.accept(lot)
    with floor.reading():
        (donation,) = donations_of(lot)
    row = row_of(floor, lot)
    assert row.collected == donation.collected_at and row.infused is None
    page = browser(floor).get("/floor/").content.decode()
    assert "Not collected" not in page and f'data-start="{donation.collected_at.isoformat()}"' in page


def test_a_lot_with_open_deviations_is_not_on_track(floor, lot):
    assert row_of(floor, lot).state == ""
    floor.enter(lot, "A1.2", viability="68.4")
    row = row_of(floor, lot)
    assert row.deviations == ["unclassified"] and row.state == "warn"
    page = browser(floor).get("/floor/").content.decode()
    assert re.search(r"<b>0</b><span>on track</span>", page) and "1 new open" in page


@pytest.mark.req("EXE-06", case="negative")
def test_a_performed_step_waits_for_a_second_person_and_not_for_who_performed_it(floor, lot):
    floor.fill_count(lot)
    floor.perform(lot, "A1.2")
    for name, waits in (("maya", False), ("jonas", True), ("wim", True), ("quinn", False), ("boss", False)):
        station = browser(floor, name).get("/station/").content.decode()
        before, _, after = station.partition("Waits for others")
        assert (lot.number in before, lot.number in after) == (waits, not waits), name


@pytest.mark.req("ACC-02", case="negative")
def test_pages_of_a_step_are_refused_to_who_may_not_open_them(floor, lot):
    assert Client().get(address(lot)).status_code == 302
    assert browser(floor, "adm").get(address(lot)).status_code == 403
    assert browser(floor, "erin").post(address(lot, rest="values/viability/"), {"value": "82.4", "seen": ""}).status_code == 403
    assert browser(floor).get(address(lot, "A9.9")).status_code == 404


@pytest.mark.req("EXE-06", case="positive")
@pytest.mark.parametrize(("hours", "state"), [(2, ""), (30, "warn"), (49, "alarm")])
def test_a_dose_near_its_expiry_stands_out_on_the_board(floor, hours, state):
    """The shelf life of the recipe is 48 hours from the end of filling."""
    lot = floor.to_count()
    filled = record_now() - dt.timedelta(hours=hours)
    run = floor.run(lot, "A1.2")
    for class_code in ("counter", "incubator"):
        services.use_equipment(by=floor.by("maya"), step_run_id=run.pk, class_code=class_code, scanned=floor.equipment(class_code).identifier)
    services.consume(by=floor.by("maya"), step_run_id=run.pk, line="medium", scanned=floor.medium().identifier)
    services.attach(by=floor.by("maya"), step_run_id=run.pk, code="report", file_name="count.csv", media_type="text/csv", content=b"82.4")
    typed = (filled - dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    floor.enter(lot, "A1.2", viability="82.4", density="1e6", volume="100", sampled_at=typed)
    floor.perform(lot, "A1.2")
    floor.second(lot, "A1.2")
    floor.open(lot, "A1.3", "boss")
    floor.decide(lot, "go")
    floor.second(lot, "A1.3", "deputy", at="boss")
    floor.open(lot, "A1.4")
    floor.enter(lot, "A1.4", cleared_fill="yes")
    floor.perform(lot, "A1.4")
    floor.second(lot, "A1.4")
    floor.open(lot, "A2.1")
    floor.enter(lot, "A2.1", bags="1", fill_end=filled.strftime("%Y-%m-%dT%H:%M:%S+00:00"))
    floor.perform(lot, "A2.1")
    board = browser(floor).get("/floor/").content.decode()
    assert f'<tr data-s="{state}">' in board and "Dose expires" in board
