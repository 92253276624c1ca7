"""A lot through its steps, and every refusal on the way."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from batches.execution import queries, services
from batches.execution.models import Entry, EntryAttempt, Excursion, ScanEvent, StepRun
from batches.execution.queries.content import correction_subject, resume_subject, typed_subject
from batches.execution.services.entries import read_typed
from batches.execution.services.scans import quantity_of
from batches.execution.work import seen_work
from batches.lots.models import Container, Lot
from batches.lots.services import place_hold
from mes.clock import record_now
from mes.errors import NotAllowed, OutOfSequence, RuleBroken, SigningRefused, StaleRecord, UnreadableInput
from mes.people import services as people
from mes.people.models import SimulatedClock
from quality.deviations.models import Deviation

pytestmark = pytest.mark.django_db


def refused(code: str, kind=RuleBroken):
    """Expect a rule to be broken with this code."""
    return pytest.raises(kind, check=lambda broken: broken.code == code)


def current(floor, lot, key: str, parameter: str) -> Entry:
    run = floor.run(lot, key)
    with floor.reading():
        return queries.current_entry(run.pk, parameter)


def correct(floor, entry: Entry, text: str, reason: str = "Read the wrong line", signer: str = "jonas", by: str = "maya"):
    with floor.reading():
        run = StepRun.objects.select_related("lot").get(pk=entry.step_run_id)
        what = correction_subject(Entry.objects.select_related("by").get(pk=entry.pk), run, text, reason)
    proof = floor.proof(by, signer, what, "confirmed_transcription")
    return services.correct_value(by=floor.by(by), entry_id=entry.pk, text=text, reason=reason, proof=proof)


# --- order of the work -------------------------------------------------------------------------------------------------


def test_an_ordered_lot_has_its_steps_planned(floor):
    lot = floor.order()
    with floor.reading():
        keys = list(StepRun.objects.filter(lot=lot).order_by("order").values_list("key", flat=True))
    assert keys == ["A0.1", "A1.1", "A1.2", "A1.3", "A1.4", "A2.1", "A3.1"]


@pytest.mark.req("EXE-01", case="positive")
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
    floor.enter(lot, "A2.1", bags="2", fill_end=record_now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    floor.perform(lot, "A2.1")
    with floor.reading():
        assert Lot.objects.get(pk=lot.pk).state == "manufactured"
        assert StepRun.objects.get(lot=lot, key="A2.1").state == "complete"
        assert Container.objects.filter(lot=lot, code="bag").exists()
        with refused("not_released_yet", OutOfSequence):
            from batches.execution import rules

            run = queries.run_by_key(lot.number, "A3.1")
            rules.check_lot_can_go_on(run.lot, queries.recipe_of(run.lot), "A3.1")


@pytest.mark.req("EXE-01", case="negative")
def test_a_step_out_of_order_is_refused(floor):
    lot = floor.order()
    with refused("step_not_next", OutOfSequence):
        floor.open(lot, "A1.1")
    assert floor.run(lot, "A1.1").state == "waiting"


@pytest.mark.req("EXE-01", case="negative")
def test_no_step_of_a_day_opens_before_its_line_is_cleared(floor):
    lot = floor.order()
    floor.open(lot, "A0.1", "sam")
    floor.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
    floor.perform(lot, "A0.1", "sam")
    floor.second(lot, "A0.1", "sue", at="sam")
    with refused("line_clearance_missing", OutOfSequence):
        floor.open(lot, "A1.2")


@pytest.mark.req("COI-09", case="negative")
def test_manufacture_does_not_start_before_quality_accepted_the_donation(floor):
    lot = floor.order(accept=False)
    floor.open(lot, "A0.1", "sam")
    floor.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
    floor.perform(lot, "A0.1", "sam")
    floor.second(lot, "A0.1", "sue", at="sam")
    with refused("starting_material_not_accepted"):
        floor.open(lot, "A1.1")


def test_a_stale_screen_opens_no_step(floor):
    lot = floor.order()
    run = floor.run(lot, "A0.1")
    with pytest.raises(StaleRecord):
        services.open_step(by=floor.by("sam"), step_run_id=run.pk, seen=run.version - 1)


# --- by whom -----------------------------------------------------------------------------------------------------------


@pytest.mark.req("ACC-08", case="negative")
def test_an_untrained_person_opens_no_step(floor):
    newcomer = floor.place.person("newcomer", "scheduler", full_name="New Comer")
    lot = floor.order()
    run = floor.run(lot, "A0.1")
    with refused("not_trained", NotAllowed):
        services.open_step(by=floor.place.actor(newcomer), step_run_id=run.pk, seen=run.version)


@pytest.mark.req("ACC-02", case="negative")
def test_a_step_is_refused_to_another_role(floor):
    lot = floor.order()
    with refused("not_your_step", NotAllowed):
        floor.open(lot, "A0.1", "maya")


@pytest.mark.req("SIG-12", case="negative")
def test_a_locked_out_performer_is_replaced_by_another(floor):
    lot = floor.to_count()
    floor.fill_count(lot)
    people.lock_person(by=floor.by("boss"), user_id=floor.users["maya"].pk, why="wrong secrets in a row")
    with refused("locked_out", SigningRefused):
        floor.perform(lot, "A1.2", "maya")
    with refused("locked_out", NotAllowed):
        floor.enter(lot, "A1.2", "maya", remark="still here")
    done = floor.perform(lot, "A1.2", "jonas")
    assert done.state == "performed" and done.performed_by_id == floor.users["jonas"].pk


@pytest.mark.req("SIG-09", case="negative")
def test_the_second_person_is_not_the_performer(floor):
    lot = floor.to_count()
    floor.fill_count(lot)
    floor.perform(lot, "A1.2")
    with refused("same_person", NotAllowed):
        floor.second(lot, "A1.2", "maya")
    assert floor.run(lot, "A1.2").state == "performed"


@pytest.mark.req("SIG-09", case="negative")
def test_the_second_person_holds_a_role_that_checks_the_step(floor):
    lot = floor.to_count()
    floor.fill_count(lot)
    floor.perform(lot, "A1.2")
    for who in ("quinn", "boss"):
        with refused("not_your_check", NotAllowed):
            floor.second(lot, "A1.2", who)
    assert floor.run(lot, "A1.2").state == "performed"
    assert floor.second(lot, "A1.2", "wim").state == "complete"


@pytest.mark.req("SIG-09", case="negative")
def test_the_second_person_recorded_no_value_of_the_step(floor):
    lot = floor.to_count()
    floor.fill_count(lot)
    floor.perform(lot, "A1.2", "jonas")
    with refused("same_person", NotAllowed):
        floor.second(lot, "A1.2", "maya", at="jonas")
    assert floor.second(lot, "A1.2", "olga", at="jonas").state == "complete"


@pytest.mark.req("SIG-09", case="negative")
def test_the_second_person_neither_opened_the_step_nor_read_an_identifier_for_it(floor, cleared):
    identifier, run = floor.container(cleared).identifier, floor.run(cleared, "A1.2")
    proof = floor.proof("maya", "wim", typed_subject(run, identifier), "typed_identifier")
    services.open_step(by=floor.by("maya"), step_run_id=run.pk, seen=run.version, scanned=identifier, typed_with=proof)
    floor.fill_count(cleared, who="jonas")
    floor.perform(cleared, "A1.2", "jonas")
    for who in ("maya", "wim"):
        with refused("same_person", NotAllowed):
            floor.second(cleared, "A1.2", who, at="jonas")
    assert floor.second(cleared, "A1.2", "olga", at="jonas").state == "complete"


@pytest.mark.req("SIG-09", case="negative")
def test_the_second_person_scanned_nothing_for_the_step_and_chose_about_no_excursion(floor, cleared):
    run = floor.run(cleared, "A1.2")
    services.open_step(by=floor.by("olga"), step_run_id=run.pk, seen=run.version, scanned=f"CTL:C:{identifier_of_no_use(floor)}")
    floor.open(cleared, "A1.2", "jonas")
    floor.fill_count(cleared, viability="68.4", who="jonas")
    with floor.reading():
        (excursion,) = Excursion.objects.filter(lot=cleared)
    services.choose(by=floor.by("maya"), excursion_id=excursion.pk, choice="keep", reason="Second slide 68.9")
    floor.perform(cleared, "A1.2", "jonas")
    for who in ("maya", "olga"):
        with refused("same_person", NotAllowed):
            floor.second(cleared, "A1.2", who, at="jonas")
    assert floor.second(cleared, "A1.2", "wim", at="jonas").state == "complete"


def identifier_of_no_use(floor) -> str:
    """The identifier of another lot's container."""
    return floor.container(floor.order()).identifier


@pytest.mark.req("SIG-16", case="negative")
def test_a_job_never_works_on_a_step(floor):
    from mes.people.setup import system_actor

    lot = floor.order()
    run = floor.run(lot, "A0.1")
    with refused("only_people_sign", NotAllowed):
        services.open_step(by=system_actor(floor.place.site.pk), step_run_id=run.pk, seen=run.version)


# --- identity ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cleared(floor):
    """A lot whose line is cleared and whose step A1.2 waits."""
    lot = floor.order()
    floor.open(lot, "A0.1", "sam")
    floor.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
    floor.perform(lot, "A0.1", "sam")
    floor.second(lot, "A0.1", "sue", at="sam")
    floor.open(lot, "A1.1")
    floor.enter(lot, "A1.1", cleared="yes")
    floor.perform(lot, "A1.1")
    floor.second(lot, "A1.1")
    return lot


@pytest.mark.req("COI-03", case="negative")
def test_a_bag_of_another_lot_opens_no_step_and_the_scan_is_kept(floor, cleared):
    other = floor.order()
    kept = floor.open(cleared, "A1.2", scanned=floor.container(other).identifier)
    assert isinstance(kept, ScanEvent) and not kept.matched and kept.code == "wrong_lot"
    told = queries.refusal_of(kept)
    assert other.check_code in told.sentence and cleared.check_code in told.sentence
    assert floor.run(cleared, "A1.2").state == "waiting"
    with floor.reading():
        assert ScanEvent.objects.filter(lot=cleared, matched=False).count() == 1


@pytest.mark.req("COI-02", case="negative")
def test_an_unknown_code_is_refused_and_its_text_is_not_kept(floor, cleared):
    kept = floor.open(cleared, "A1.2", scanned="MUELLER, ANNA 1961-04-05")
    assert kept.code == "container_unknown"
    assert "MUELLER" not in kept.text + kept.sentence


@pytest.mark.req("COI-03", case="negative")
def test_a_step_that_touches_material_does_not_open_without_a_scan(floor, cleared):
    with refused("scan_missing", UnreadableInput):
        floor.open(cleared, "A1.2", scanned="")


@pytest.mark.req("COI-03", case="negative")
def test_an_identifier_that_is_typed_alone_opens_no_step(floor, cleared):
    with refused("typed_alone", UnreadableInput):
        floor.open(cleared, "A1.2", scanned=floor.container(cleared).identifier)
    assert floor.run(cleared, "A1.2").state == "waiting"


@pytest.mark.req("COI-03", case="positive")
def test_an_unreadable_label_is_typed_with_a_second_person_and_counted(floor, cleared):
    identifier, run = floor.container(cleared).identifier, floor.run(cleared, "A1.2")
    proof = floor.proof("maya", "maya", typed_subject(run, identifier), "typed_identifier")
    with refused("same_person", NotAllowed):
        services.open_step(by=floor.by("maya"), step_run_id=run.pk, seen=run.version, scanned=identifier, typed_with=proof)
    proof = floor.proof("maya", "wim", typed_subject(run, identifier), "typed_identifier")
    services.open_step(by=floor.by("maya"), step_run_id=run.pk, seen=run.version, scanned=identifier, typed_with=proof)
    with floor.reading():
        scan = ScanEvent.objects.get(step_run=run, matched=True)
        assert scan.typed and scan.with_person_id == floor.users["wim"].pk


# --- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.req("EXE-04", case="negative")
def test_what_is_typed_is_read_in_the_way_the_site_writes_decimals(floor):
    lot = floor.to_count()
    with floor.reading():
        work = seen_work(StepRun.objects.select_related("lot__site", "lot__recipe_version__master").get(pk=floor.run(lot, "A1.2").pk))
    volume = work.step.parameter("volume")
    for sign, other in ((".", "1,500"), (",", "1.500")):
        work.lot.site.decimal_sign = sign
        with refused("ambiguous_thousands"):
            read_typed(work, volume, other)
        with refused("ambiguous_thousands"):
            quantity_of(work.step.materials[0], "mL", other, sign)
        assert quantity_of(work.step.materials[0], "mL", f"1{sign}500", sign).value == Decimal("1.500")


@pytest.mark.req("EXE-04", case="negative")
@pytest.mark.parametrize(
    ("parameter", "text", "code"),
    [
        ("viability", "high", "not_a_number"),
        ("viability", "1,234", "ambiguous_thousands"),
        ("viability", "82.4 mL", "wrong_unit"),
        ("viability", "82.44", "too_many_decimals"),
        ("viability", "140", "implausible"),
        ("viability", "< 70", "censored_not_allowed"),
        ("sampled_at", "yesterday", "not_a_datetime"),
    ],
)
def test_what_is_no_value_is_kept_as_an_attempt_and_the_step_stays_unfilled(floor, parameter, text, code):
    lot = floor.to_count()
    (kept,) = floor.enter(lot, "A1.2", **{parameter: text})
    assert isinstance(kept, EntryAttempt) and kept.code == code and kept.text == text
    assert queries.refusal_of(kept).status == 422
    assert current(floor, lot, "A1.2", parameter) is None
    with floor.reading():
        assert EntryAttempt.objects.get(lot=lot, parameter=parameter).text == text, "kept in the database, not only told"
        assert not Excursion.objects.filter(lot=lot).exists()


def test_a_unit_sent_beside_the_value_must_be_the_parameters_own(floor):
    lot = floor.to_count()
    run = floor.run(lot, "A1.2")
    kept = services.record_value(by=floor.by("maya"), step_run_id=run.pk, parameter="volume", text="100", unit="L")
    assert kept.code == "wrong_unit"


@pytest.mark.req("EXE-02", case="positive")
def test_a_value_is_recorded_as_typed_with_its_judgement_and_time(floor):
    lot = floor.to_count()
    (entry,) = floor.enter(lot, "A1.2", viability="72,5")
    entry = current(floor, lot, "A1.2", "viability")
    assert (entry.value_text, str(entry.value), entry.level) == ("72,5", "72.5", "alert")
    assert "alert" in entry.sentence
    assert abs(entry.recorded_at - record_now()) < dt.timedelta(minutes=1)


@pytest.mark.req("EXE-03", case="negative")
def test_a_value_twice_is_refused_and_the_first_stays(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="82.4")
    entry, run = current(floor, lot, "A1.2", "viability"), floor.run(lot, "A1.2")
    with refused("already_recorded"):
        services.record_value(by=floor.by("maya"), step_run_id=run.pk, parameter="viability", text="90.0", saw=entry.pk)
    with refused("stale_screen", StaleRecord):
        services.record_value(by=floor.by("jonas"), step_run_id=run.pk, parameter="viability", text="90.0")
    assert current(floor, lot, "A1.2", "viability").pk == entry.pk


def test_a_value_sent_twice_at_once_is_refused_whole(floor):
    lot = floor.to_count()
    run = floor.run(lot, "A1.2")
    with refused("value_twice", UnreadableInput):
        services.record_values(by=floor.by("maya"), step_run_id=run.pk, values=[services.Typed("volume", "100"), services.Typed("volume", "101")])
    assert current(floor, lot, "A1.2", "volume") is None


@pytest.mark.req("EXE-03", case="positive")
def test_a_value_beyond_the_action_limit_writes_excursion_and_deviation_in_its_transaction(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="68.4")
    entry = current(floor, lot, "A1.2", "viability")
    with floor.reading():
        excursion = Excursion.objects.get(entry=entry)
        assert excursion.tx == entry.tx
        assert Deviation.objects.get(excursion=excursion).lot_id == lot.pk
        assert excursion.sentence.startswith("Viability 68.4 %: 1.6 below the lower limit of 70")
        assert Deviation.objects.get(excursion=excursion).title == excursion.sentence
    assert floor.run(lot, "A1.2").state == "open"


@pytest.mark.req("EXE-04", case="negative")
def test_a_hard_limit_stops_the_step_until_the_named_role_decides(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="12.0")
    run = floor.run(lot, "A1.2")
    assert run.state == "stopped"
    with refused("step_stopped"):
        floor.enter(lot, "A1.2", volume="100")
    with floor.reading():
        excursion = Excursion.objects.get(lot=lot, kind="hard_limit")
        what = resume_subject(run, "Recount agreed")
    with refused("hard_limit"):
        services.choose(by=floor.by("maya"), excursion_id=excursion.pk, choice="keep", reason="Seen twice")
    proof = floor.proof("boss", "jonas", what, "resumed")
    with refused("not_your_role", NotAllowed):
        services.resume_step(by=floor.by("boss"), step_run_id=run.pk, seen=run.version, reason="Recount agreed", proof=proof)
    proof = floor.proof("boss", "boss", what, "resumed")
    resumed = services.resume_step(by=floor.by("boss"), step_run_id=run.pk, seen=run.version, reason="Recount agreed", proof=proof)
    assert resumed.state == "open"
    with floor.reading():
        assert not queries.undecided(queries.run_by_key(lot.number, "A1.2"))


@pytest.mark.req("SIG-06", case="negative")
def test_a_stopped_step_goes_on_for_no_other_reason_than_the_signed_one(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="12.0")
    run = floor.run(lot, "A1.2")
    with floor.reading():
        what = resume_subject(run, "Recount agreed")
    proof = floor.proof("boss", "boss", what, "resumed")
    with pytest.raises(StaleRecord):
        services.resume_step(by=floor.by("boss"), step_run_id=run.pk, seen=run.version, reason="Never mind", proof=proof)
    assert floor.run(lot, "A1.2").state == "stopped"


@pytest.mark.req("EXE-08", case="negative")
def test_a_step_is_not_signed_before_the_person_chose_about_its_excursion(floor):
    lot = floor.to_count()
    floor.fill_count(lot, viability="68.4")
    with refused("step_incomplete"):
        floor.perform(lot, "A1.2")
    with floor.reading():
        excursion = Excursion.objects.get(lot=lot)
    with refused("reason_missing", UnreadableInput):
        services.choose(by=floor.by("maya"), excursion_id=excursion.pk, choice="keep", reason="")
    services.choose(by=floor.by("maya"), excursion_id=excursion.pk, choice="keep", reason="Second slide 68.9")
    assert floor.perform(lot, "A1.2").state == "performed"


def test_keep_and_stop_stops_the_step(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="68.4")
    with floor.reading():
        excursion = Excursion.objects.get(lot=lot)
    services.choose(by=floor.by("maya"), excursion_id=excursion.pk, choice="stop", reason="Clumps in the chamber")
    assert floor.run(lot, "A1.2").state == "stopped"


@pytest.mark.req("EXE-08", case="negative")
@pytest.mark.req("REC-02", case="negative")
def test_signing_too_early_lists_what_is_missing(floor):
    lot = floor.to_count()
    with pytest.raises(RuleBroken) as broken:
        floor.perform(lot, "A1.2")
    words = [each["text"] for each in broken.value.detail["missing"]]
    assert broken.value.code == "step_incomplete"
    assert "Scan the Cell counter." in words and "Scan Medium." in words and "Enter Viability." in words
    assert "Attach Report of the counter." in words
    assert "Enter Viable cell density." in words and not [text for text in words if text.startswith("Total CAR+ cells")]


# --- two entries, late entries -----------------------------------------------------------------------------------------


@pytest.mark.req("EXE-03", case="negative")
def test_two_typings_that_differ_record_neither(floor):
    lot = floor.order()
    floor.open(lot, "A0.1", "sam")
    run = floor.run(lot, "A0.1")
    with refused("second_entry_missing", UnreadableInput):
        services.record_value(by=floor.by("sam"), step_run_id=run.pk, parameter="weight_kg", text="70.0")
    kept = services.record_value(by=floor.by("sam"), step_run_id=run.pk, parameter="weight_kg", text="70.0", again="77.0")
    assert kept.code == "entries_differ" and current(floor, lot, "A0.1", "weight_kg") is None
    kept = services.record_value(by=floor.by("sam"), step_run_id=run.pk, parameter="weight_kg", text="70.0", again="70.0")
    assert isinstance(kept, Entry)


def test_a_cohort_other_than_the_ordered_one_is_refused(floor):
    lot = floor.order(cohort="low")
    floor.open(lot, "A0.1", "sam")
    (kept,) = floor.enter(lot, "A0.1", "sam", dose_cohort="high")
    assert kept.code == "not_as_ordered"


@pytest.mark.req("EXE-02", case="negative")
def test_a_late_entry_keeps_the_claimed_time_and_needs_a_reason(floor):
    lot = floor.to_count()
    run = floor.run(lot, "A1.2")
    with floor.reading():
        ordered = Lot.objects.get(pk=lot.pk).recorded_at
    give = {"by": floor.by("maya"), "step_run_id": run.pk, "parameter": "volume", "text": "100"}
    with refused("claimed_in_future", UnreadableInput):
        services.record_value(**give, claimed_at=record_now() + dt.timedelta(hours=1))
    with refused("claimed_too_early", UnreadableInput):
        services.record_value(**give, claimed_at=ordered - dt.timedelta(hours=1))
    entry = services.record_value(**give, claimed_at=ordered)
    assert not entry.late and entry.claimed_at == ordered
    # The record clock of a test deployment is moved on: what was done at the order is now later than the step allows.
    SimulatedClock.objects.create(offset=dt.timedelta(hours=2))
    give |= {"parameter": "density", "text": "1e6", "claimed_at": ordered}
    with refused("late_reason_missing", UnreadableInput):
        services.record_value(**give)
    late = services.record_value(**give, reason="Tablet was away")
    assert late.late and late.reason == "Tablet was away" and late.recorded_at - late.claimed_at > dt.timedelta(hours=1)


# --- corrections and calculation ---------------------------------------------------------------------------------------


@pytest.mark.req("AUD-03", case="negative")
def test_a_correction_needs_a_reason_and_a_second_person(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="68.4")
    entry = current(floor, lot, "A1.2", "viability")
    with refused("reason_missing", UnreadableInput):
        correct(floor, entry, "86.4", reason=" ")
    with refused("same_person", NotAllowed):
        correct(floor, entry, "86.4", signer="maya")
    with refused("same_value", UnreadableInput):
        correct(floor, entry, "68.4")
    assert current(floor, lot, "A1.2", "viability").pk == entry.pk


@pytest.mark.req("EXE-03", case="positive")
def test_a_correction_keeps_the_old_value_and_answers_its_excursion(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="68.4")
    old = current(floor, lot, "A1.2", "viability")
    new = correct(floor, old, "86.4")
    with floor.reading():
        assert Entry.objects.get(pk=new.pk).supersedes_id == old.pk
        assert Entry.objects.get(pk=old.pk).value_text == "68.4"
        assert Excursion.objects.get(entry=old).choices.get().choice == "correct"
        assert not queries.undecided(queries.run_by_key(lot.number, "A1.2"))
    assert current(floor, lot, "A1.2", "viability").value_text == "86.4"
    with refused("stale_screen", StaleRecord):
        correct(floor, old, "87.4")


@pytest.mark.req("EXE-07", case="positive")
def test_calculated_values_are_computed_judged_and_computed_again(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", density="1e6", volume="100")
    total, dose = current(floor, lot, "A1.2", "total_car"), current(floor, lot, "A1.2", "dose_per_kg")
    assert (total.value_text, total.source) == ("1e8", "calculated")
    assert dose.value_text == "1428571.43" and str(dose.value).startswith("1428571.428571428")
    assert "= 1e6 * 100 =" in total.trace
    correct(floor, current(floor, lot, "A1.2", "density"), "1e3")
    again = current(floor, lot, "A1.2", "total_car")
    assert again.supersedes_id == total.pk and again.value_text == "100000"
    with floor.reading():
        assert Excursion.objects.get(entry=again).kind == "limit"
    run = floor.run(lot, "A1.2")
    with refused("calculated_value"):
        services.record_value(by=floor.by("maya"), step_run_id=run.pk, parameter="total_car", text="1")


@pytest.mark.req("SIG-06", case="positive")
def test_a_signature_no_longer_covers_after_a_correction(floor):
    lot = floor.counted()
    with floor.reading():
        assert [each["covers"] for each in queries.signed_by(queries.run_by_key(lot.number, "A1.2"))] == [True, True]
    correct(floor, current(floor, lot, "A1.2", "viability"), "83.4", signer="olga")
    with floor.reading():
        assert [each["covers"] for each in queries.signed_by(queries.run_by_key(lot.number, "A1.2"))] == [False, False]


@pytest.mark.req("SIG-15", case="negative")
def test_signing_is_refused_when_a_value_changed_since_it_was_shown(floor):
    lot = floor.to_count()
    floor.fill_count(lot)
    run = floor.run(lot, "A1.2")
    proof = floor.proof("maya", "maya", floor.subject(lot, "A1.2"), "performed")
    floor.enter(lot, "A1.2", "jonas", remark="Typed meanwhile")
    with pytest.raises(StaleRecord):
        services.perform_step(by=floor.by("maya"), step_run_id=run.pk, seen=run.version, proof=proof)
    assert floor.run(lot, "A1.2").state == "open"


# --- holds and decisions -----------------------------------------------------------------------------------------------


def hold(floor, lot):
    from batches.lots.queries import course_subject
    from batches.lots.queries import lot as lot_of

    with floor.reading():
        what = course_subject(lot_of(lot.pk), "place on hold", reason="Mould alarm")
    place_hold(by=floor.by("boss"), lot_id=lot.pk, reason="Mould alarm", proof=floor.proof("boss", "boss", what, "placed_on_hold"))


def test_a_held_lot_is_read_only(floor):
    lot = floor.to_count()
    floor.enter(lot, "A1.2", viability="82.4")
    hold(floor, lot)
    with refused("lot_on_hold"):
        floor.enter(lot, "A1.2", volume="100")
    with refused("lot_on_hold"):
        correct(floor, current(floor, lot, "A1.2", "viability"), "83.4")


@pytest.mark.parametrize(("option", "state", "held"), [("go", "in_execution", False), ("wait", "in_execution", True), ("stop", "terminated", False)])
def test_a_decision_is_signed_by_two_and_then_does_what_it_says(floor, option, state, held):
    lot = floor.counted()
    floor.open(lot, "A1.3", "boss")
    floor.decide(lot, option, reason="Growth is slow")
    with floor.reading():
        assert queries.open_hold(lot) is None
    floor.second(lot, "A1.3", "deputy", at="boss")
    with floor.reading():
        assert Lot.objects.get(pk=lot.pk).state == state
        assert (queries.open_hold(lot) is not None) is held


def test_a_decision_against_going_on_needs_a_reason(floor):
    lot = floor.counted()
    floor.open(lot, "A1.3", "boss")
    with refused("reason_missing", UnreadableInput):
        floor.decide(lot, "stop")
    with refused("decision_needed"):
        floor.perform(lot, "A1.3", "boss")
