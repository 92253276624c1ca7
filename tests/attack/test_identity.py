"""The wrong bag, the wrong patient, or nobody looking at which it is."""

import pytest

from batches.custody import services as custody
from batches.execution import services as steps
from batches.execution.queries.content import typed_subject
from batches.lots.identifiers import IdentifierRefused, check_character, parse_scan
from batches.lots.services import order_lot
from batches.subjects.identity import Identity
from batches.subjects.services import enter_patient

DANGER = "a patient gets another patient's cells"


@pytest.fixture
def waiting(siege):
    """A lot whose step A1.2 waits for the scan of its collection bag."""
    lot = siege.order()
    siege.open(lot, "A0.1", "sam")
    siege.enter(lot, "A0.1", "sam", dose_cohort="low", weight_kg="70.0")
    siege.perform(lot, "A0.1", "sam")
    siege.second(lot, "A0.1", "sue", at="sam")
    siege.open(lot, "A1.1")
    siege.enter(lot, "A1.1", cleared="yes")
    siege.perform(lot, "A1.1")
    siege.second(lot, "A1.1")
    return lot


@pytest.mark.req("COI-03", case="negative")
def test_one_person_types_the_identifier(siege, waiting, attack):
    """Type the identifier printed on the bag into the field of the scan, alone"""
    identifier = siege.container(waiting).identifier
    for typed in (identifier, f"  {identifier}\n"):
        with attack.refused("typed_alone"):
            siege.open(waiting, "A1.2", scanned=typed)
    assert siege.run(waiting, "A1.2").state == "waiting"
    # With a second person who reads it too, it is signed and counted.
    run = siege.run(waiting, "A1.2")
    proof = siege.proof("maya", "jonas", lambda: typed_subject(run, identifier), "typed_identifier")
    steps.open_step(by=siege.by("maya"), step_run_id=run.pk, seen=run.version, scanned=identifier, typed_with=proof)
    assert siege.run(waiting, "A1.2").state == "open"


@pytest.mark.req("COI-03", case="negative")
def test_the_second_reader_of_a_typed_identifier_is_the_first(siege, waiting, attack):
    """Type the identifier and sign as the second person oneself"""
    run, identifier = siege.run(waiting, "A1.2"), siege.container(waiting).identifier
    proof = siege.proof("maya", "maya", lambda: typed_subject(run, identifier), "typed_identifier")
    with attack.refused("same_person"):
        steps.open_step(by=siege.by("maya"), step_run_id=run.pk, seen=run.version, scanned=identifier, typed_with=proof)


@pytest.mark.req("COI-03", case="negative")
def test_the_bag_of_another_lot_opens_a_step(siege, waiting, attack):
    """Scan the bag of another patient's lot"""
    kept = siege.open(waiting, "A1.2", scanned=f"CTL:C:{siege.container(siege.young).identifier}")
    assert kept.code == "wrong_lot" and siege.run(waiting, "A1.2").state == "waiting"
    attack.came_of_it("refused and kept: `wrong_lot`")


@pytest.mark.req("COI-01", case="negative")
def test_the_donation_of_another_patient_feeds_a_lot(siege, attack):
    """Order a lot for a second patient with the donation number of the first"""
    with siege.reading():
        number = siege.young.lot_donations.select_related("donation").get().donation.din
    other = enter_patient(by=siege.by("sam"), identity=Identity("Other", "Patient", "1971-01-01", "H-OTHER-1"))
    with attack.refused("din_of_another"):
        order_lot(
            by=siege.by("sam"), patient_id=other.pk, recipe_version_id=siege.version.pk, market="EU", cohort="low", treatment_centre="Demo hospital",
            physician_name="Dr Demo", physician_email="demo@hospital.example", dins=[number + check_character(number)],
        )  # fmt: skip


@pytest.mark.req("COI-06", case="negative")
def test_a_label_is_printed_again_and_put_on_another_bag(siege, attack):
    """Reprint a label without a reason, then with one, and put it on the bag of another lot"""
    bag = siege.bag(siege.lot)
    with attack.refused("reprint_without_reason"):
        custody.print_label(by=siege.by("maya"), container_id=bag.pk)
    label = custody.print_label(by=siege.by("maya"), container_id=bag.pk, reason="Smeared")
    with attack.refused("label_in_use"):
        custody.use_label(
            by=siege.by("maya"), label_id=label.pk, seen=label.version, scanned_label=f"CTL:C:{bag.identifier}",
            scanned_container=f"CTL:C:{siege.container(siege.young).identifier}",
        )  # fmt: skip


@pytest.mark.req("COI-03", case="negative")
@pytest.mark.parametrize("change", ["letter", "swap", "small"])
def test_an_identifier_is_almost_right(siege, attack, change):
    """Send an identifier with one letter wrong, two letters swapped, or in small letters"""
    whole = siege.container(siege.young).identifier
    serial = whole.rsplit("-", 2)[1]
    if change == "letter":
        said = whole.replace(serial, ("2" if serial[0] != "2" else "3") + serial[1:])
    elif change == "swap":
        at = next(place for place in range(9) if serial[place] != serial[place + 1])
        said = whole.replace(serial, serial[:at] + serial[at + 1] + serial[at] + serial[at + 2 :])
    else:
        said = f"ctl:c:{whole.lower()}"
    with pytest.raises(IdentifierRefused):
        parse_scan(said if change == "small" else f"CTL:C:{said}")
    attack.came_of_it("refused: no whole identifier")
