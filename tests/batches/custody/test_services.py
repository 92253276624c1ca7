import subprocess
from decimal import Decimal
from types import SimpleNamespace

import pytest
import zxingcpp

from batches.custody import queries, services
from batches.custody.models import HandOver, Label
from batches.custody.temperatures import limits_words, read_and_judge
from batches.execution.models import Excursion
from batches.lots import queries as lot_queries
from batches.lots import services as lots
from batches.lots.identifiers import ScanKind, parse_scan
from batches.recipes.document.transport import TemperatureLimits, Transport
from batches.recipes.queries import document
from mes.audit import readable
from mes.audit.models import AuditEntry
from mes.records.context import site_context
from mes.records.models import SecurityEvent
from tests.builders.registers import din, fresh


@pytest.fixture
def lot(world):
    return world.started()


@pytest.fixture
def chamber(world, lot):
    return lots.make_container(by=world.by("olga"), lot_id=lot.pk, code="chamber")


def printed(world, container, reason=""):
    return services.print_label(by=world.by("olga"), container_id=container.pk, reason=reason)


def text_of(label_pdf, tmp_path) -> str:
    (tmp_path / "label.pdf").write_bytes(label_pdf)
    return subprocess.run(["pdftotext", "-layout", str(tmp_path / "label.pdf"), "-"], capture_output=True, text=True, check=True).stdout


def scans_on(label_pdf, tmp_path) -> list[str]:
    """What a scanner sends for the codes on the paper: PDF to picture, picture to text."""
    (tmp_path / "label.pdf").write_bytes(label_pdf)
    subprocess.run(["pdftoppm", "-r", "300", "-png", "-singlefile", str(tmp_path / "label.pdf"), str(tmp_path / "label")], check=True)
    from PIL import Image

    with Image.open(tmp_path / "label.png") as picture:
        found = zxingcpp.read_barcodes(picture.convert("L"))
    return [each.symbology_identifier + each.bytes.decode("ascii") for each in found if each.valid]


def scan(label, container, serial=None) -> str:
    """A scan of a label, as the symbol sends it."""
    return f"]d220{serial or label.serial:02d}91CTL:C:{container.identifier}"


@pytest.mark.req("COI-06", case="positive")
def test_a_printed_label_reads_back_as_its_container(world, chamber, tmp_path):
    label = printed(world, chamber)
    _, pdf = services.open_specimen(by=world.by("olga"), label_id=label.pk)
    (code,) = scans_on(pdf, tmp_path)
    scanned = parse_scan(code)
    assert scanned.kind is ScanKind.CONTAINER and scanned.value == chamber.identifier and scanned.gs1.get("20") == "01"
    assert code == scan(label, chamber)
    used = services.use_label(by=world.by("olga"), label_id=label.pk, seen=label.version, scanned_label=code, scanned_container=f"CTL:D:{din()}")
    assert used.state == "used"


@pytest.mark.req("COI-02", case="positive")
def test_a_label_in_process_shows_the_pseudonym_and_not_the_patient(world, lot, chamber, tmp_path):
    _, pdf = services.open_specimen(by=world.by("olga"), label_id=printed(world, chamber).pk)
    text = text_of(pdf, tmp_path)
    with site_context(world.site.pk):
        pseudonym = fresh(lot).therapy_event.patient.pseudonym
        assert SecurityEvent.objects.filter(kind="identity_read").count() == 0
    assert pseudonym in text and lot.check_code in text and chamber.identifier in text and "not for infusion" in text
    assert "Canarybird" not in text and "778899" not in text


@pytest.mark.req("COI-07", case="negative")
def test_a_final_label_without_its_expiry_is_not_printed(world, lot, refused):
    bag = lots.make_container(by=world.by("olga"), lot_id=lot.pk, code="final_bag")
    with refused("label_incomplete") as answer:
        printed(world, bag)
    assert "expiry and volume" in answer.value.sentence


@pytest.mark.req("COI-07", case="positive")
@pytest.mark.parametrize(
    ("market", "statements"), [("EU", ["For autologous use only"]), ("US", ["FOR AUTOLOGOUS USE ONLY", "NOT EVALUATED FOR INFECTIOUS SUBSTANCES", "Rx only"])]
)
def test_a_final_label_prints_what_the_market_asks_for_from_the_vault(world, tmp_path, monkeypatch, market, statements):
    lot = world.started(market=market)
    bag = lots.make_container(by=world.by("olga"), lot_id=lot.pk, code="final_bag")
    values = {"product_expiry": "2026-12-01 10:00", "fill_volume": "50.0 mL", "dose_per_bag": "35e6 CAR19+ cells"}
    monkeypatch.setattr(queries, "recorded_text", lambda lot, parameter: values.get(parameter, ""))
    label = printed(world, bag)
    _, pdf = services.open_specimen(by=world.by("olga"), label_id=label.pk)
    text = text_of(pdf, tmp_path)
    dose = ("Dose in the bag", "35e6 CAR19+ cells")
    for words in (*statements, *dose, "Canarybird, Tweety", "1961-04-23", "HN-778899", "50.0 mL", "1 Dec 2026, 10:00 CET (+01:00)", lot.number):
        assert words in text, text
    assert len(scans_on(pdf, tmp_path)) == 1
    with site_context(world.site.pk):
        assert SecurityEvent.objects.filter(kind="identity_read").count() == 2  # at printing and at opening the specimen
        assert b"Canarybird" not in bytes(fresh(label).specimen)


@pytest.mark.req("COI-06", case="negative")
def test_a_reprint_needs_a_reason(world, chamber, refused):
    printed(world, chamber)
    with refused("reprint_without_reason"):
        printed(world, chamber)
    assert printed(world, chamber, "Printer jam.").serial == 2


@pytest.mark.req("COI-06", case="positive")
def test_printed_is_used_plus_destroyed(world, lot, chamber):
    first, second = printed(world, chamber), printed(world, chamber, "Printer jam.")
    assert world.read(queries.reconciliation, lot) == queries.Count(2, 0, 0)
    services.use_label(by=world.by("olga"), label_id=first.pk, seen=1, scanned_label=scan(first, chamber), scanned_container=f"CTL:D:{din()}")
    services.destroy_label(by=world.by("olga"), label_id=second.pk, seen=1, reason="Smeared.")
    count = world.read(queries.reconciliation, lot)
    assert count == queries.Count(2, 1, 1) and count.agrees and count.open == 0


@pytest.mark.req("COI-06", case="negative")
def test_a_label_goes_onto_its_own_container_only(world, lot, chamber, refused):
    other = world.started(patient=world.patient(family="Andersson", number="HN-2"), dins=[din(2)])
    foreign = lots.make_container(by=world.by("olga"), lot_id=other.pk, code="chamber")
    harvest = lots.make_container(by=world.by("olga"), lot_id=lot.pk, code="harvest_bag")
    label, second = printed(world, chamber), printed(world, chamber, "Printer jam.")
    good, arguments = scan(label, chamber), {"by": world.by("olga"), "label_id": label.pk, "seen": 1}
    for first, container, code in [
        (scan(label, foreign), din(), "container_of_another_lot"),
        (scan(label, harvest), din(), "wrong_container"),
        (scan(second, chamber), din(), "wrong_label"),
        (din(), din(), "container_unknown"),
        (good, good, "same_label_twice"),
        (good, din(2), "wrong_donation"),
        (good, f"CTL:C:{foreign.identifier}", "container_of_another_lot"),
        (good, "5901234123457", "container_unknown"),
        (f"ctl:c:{chamber.identifier.lower()}", din(), "case_changed"),
    ]:
        with refused(code):
            services.use_label(**arguments, scanned_label=first, scanned_container=container)
    with site_context(world.site.pk):
        assert fresh(label).state == "printed"
    services.use_label(**arguments, scanned_label=good, scanned_container=f"CTL:C:{harvest.identifier}")
    with refused("label_in_use"):
        services.use_label(by=world.by("olga"), label_id=second.pk, seen=1, scanned_label=scan(second, chamber), scanned_container=f"CTL:D:{din()}")


def test_a_label_that_came_off_is_destroyed_and_another_takes_its_place(world, chamber):
    first = printed(world, chamber)
    used = services.use_label(by=world.by("olga"), label_id=first.pk, seen=1, scanned_label=scan(first, chamber), scanned_container=f"CTL:D:{din()}")
    services.destroy_label(by=world.by("olga"), label_id=used.pk, seen=2, reason="Came off in the incubator.")
    second = printed(world, chamber, "The first one came off.")
    assert (
        services.use_label(by=world.by("olga"), label_id=second.pk, seen=1, scanned_label=scan(second, chamber), scanned_container=scan(first, chamber)).state
        == "used"
    )


def test_labels_are_printed_by_those_who_may(world, chamber, refused):
    with refused("not_your_role"):
        services.print_label(by=world.by("tess"), container_id=chamber.pk)
    with site_context(world.site.pk):
        assert Label.objects.count() == 0


def give(world, container, kind, who, scanned=None, typed_with=None, shown=None, **more):
    from batches.lots.queries import container as read

    meaning = services.rules.HAND_OVER_RULES[kind].meaning
    places = {"from_place": "Ward 3", "to_place": "Clean room"} | more
    proof = world.sign(who, lambda: queries.hand_over_subject(read(container.pk), kind, shown or places), meaning)
    return services.hand_over(
        by=world.by(who), container_id=container.pk, kind=kind, scanned=scanned or f"CTL:C:{container.identifier}", proof=proof, typed_with=typed_with, **places
    )


@pytest.mark.req("COI-04", case="positive")
def test_a_hand_over_keeps_who_where_seal_and_temperature(world, chamber):
    fact = give(world, chamber, "to_manufacture", "nora", seal="S-1", logger="LG-9", temperature_min="2.4 degC", carrier="Courier")
    assert (fact.seal, fact.logger, fact.temperature_min, fact.by_id) == ("S-1", "LG-9", "2.4 degC", world.by("nora").user_id)
    with site_context(world.site.pk):
        told = readable.describe_all(list(AuditEntry.objects.filter(lot_id=chamber.lot_id).order_by("-seq")[:1]))
    said = {line.what: line.new for lines in told.values() for line in lines}
    assert (said["Seal"], said["Logger"], said["Courier"]) == ("S-1", "LG-9", "Courier") and said["Temperature on the way"].startswith("2.4 degC · What was read is within")


@pytest.mark.req("COI-04", case="positive")
@pytest.mark.parametrize(
    ("low", "high", "level", "words"),
    [
        ("2.4 °C", "7.9", "within", "Within 2 to 8 °C."),
        ("", "", "not_read", "No temperature was read."),
        ("2.4", "", "not_read", "What was read is within 2 to 8 °C. Highest temperature was not read."),
        ("", "7.9", "not_read", "What was read is within 2 to 8 °C. Lowest temperature was not read."),
        ("2.4", "7.9", "within", "Within 2 to 8 °C."),
        ("1.9", "24.6 degC", "action", "Lowest temperature 1.9 °C: 0.1 below the lower limit of 2 °C. Highest temperature 24.6 degC: 16.6 above"),
    ],
)
def test_temperatures_of_a_hand_over_are_recorded_as_typed_and_judged(world, chamber, low, high, level, words):
    fact = give(world, chamber, "to_manufacture", "nora", temperature_min=low, temperature_max=high)
    assert (fact.temperature_min, fact.temperature_max, fact.temperature_level) == (low, high, level)
    assert fact.temperature_sentence.startswith(words)
    assert "7.9 ·" not in fact.temperature_words and "24.6 °C ·" not in fact.temperature_words  # a unit, once, and as it was typed
    with site_context(world.site.pk):
        found = list(Excursion.objects.filter(lot=chamber.lot_id, kind="transport"))
        assert [(each.reference, each.limit_class) for each in found] == ([(str(fact.pk), "CPP")] if level == "action" else [])
        assert all(words in each.sentence for each in found)


@pytest.mark.req("COI-04", case="negative")
@pytest.mark.parametrize(
    ("code", "low", "high"),
    [
        ("not_a_number", "cold", ""),
        ("wrong_unit", "310 K", ""),
        ("below_absolute_zero", "-300", ""),
        ("temperatures_swapped", "8", "2"),
        ("too_many_decimals", "", "7.123"),
    ],
)
def test_what_is_no_temperature_is_refused_and_nothing_is_handed_over(world, chamber, refused, code, low, high):
    details = {"temperature_min": low, "temperature_max": high}
    with refused(code):
        give(world, chamber, "to_manufacture", "nora", shown={"from_place": "Ward 3", "to_place": "Clean room"}, **details)
    with site_context(world.site.pk):
        assert HandOver.objects.count() == 0


def test_a_limit_counts_as_kept_only_where_the_temperature_it_is_about_was_read():
    frozen = TemperatureLimits.model_construct(min=None, max=Decimal("-120"))
    recipe = SimpleNamespace(transport=SimpleNamespace(product=frozen))
    assert read_and_judge(recipe, "at_centre", {"temperature_min": "-150"}, ".").level == "not_read"
    assert read_and_judge(recipe, "at_centre", {"temperature_max": "-121"}, ".").level == "within"
    assert read_and_judge(recipe, "at_centre", {"temperature_min": "-110"}, ".").level == "action"


def test_where_the_recipe_gives_no_limit_no_temperature_is_judged_and_that_is_said(world):
    recipe = world.read(document, world.version()).model_copy(update={"transport": Transport()})
    read = read_and_judge(recipe, "at_centre", {"temperature_max": "41"}, ".")
    assert read.level == "no_limit" and "gives no limit" in read.sentence and read.high == 41
    assert limits_words(recipe, "at_centre") == "The recipe gives no limit for this way."


@pytest.mark.req("COI-04", case="negative")
def test_a_hand_over_with_the_wrong_bag_place_or_person_is_refused(world, lot, chamber, refused):
    harvest = lots.make_container(by=world.by("olga"), lot_id=lot.pk, code="harvest_bag")
    with refused("wrong_container"):
        give(world, chamber, "to_manufacture", "nora", scanned=f"CTL:C:{harvest.identifier}")
    with refused("stale_screen"):
        give(world, chamber, "to_manufacture", "nora", shown={"from_place": "Ward 3", "to_place": "Elsewhere"})
    with refused("place_missing"):
        give(world, chamber, "to_manufacture", "nora", to_place=" ")
    with refused("not_your_role"):
        give(world, chamber, "to_manufacture", "rita")
    with site_context(world.site.pk):
        assert HandOver.objects.count() == 0


def reads_too(world, container, who, typed):
    from batches.lots.queries import container as read

    return world.sign(who, lambda: lot_queries.typed_subject(read(container.pk), typed), "typed_identifier", at="nora")


@pytest.mark.req("COI-03", case="negative")
def test_an_identifier_that_one_person_typed_hands_nothing_over(world, chamber, refused):
    typed = chamber.identifier
    with refused("typed_alone"):
        give(world, chamber, "to_manufacture", "nora", scanned=typed)
    with refused("same_person"):
        give(world, chamber, "to_manufacture", "nora", scanned=typed, typed_with=reads_too(world, chamber, "nora", typed))
    with refused("not_your_role"):
        give(world, chamber, "to_manufacture", "nora", scanned=typed, typed_with=reads_too(world, chamber, "pavel", typed))
    with site_context(world.site.pk):
        assert HandOver.objects.count() == 0 and not lot_queries.typed_identities(chamber.lot)


@pytest.mark.req("COI-03", case="negative")
def test_a_label_goes_onto_no_container_that_one_person_typed(world, chamber, refused):
    label = printed(world, chamber)
    use = {"by": world.by("olga"), "label_id": label.pk, "seen": label.version}
    with refused("label_not_scanned"):
        services.use_label(**use, scanned_label=chamber.identifier, scanned_container=din())
    with refused("typed_alone"):
        services.use_label(**use, scanned_label=scan(label, chamber), scanned_container=din())
    alone = world.sign("olga", lambda: lot_queries.typed_subject(lot_queries.container(chamber.pk), din()), "typed_identifier")
    with refused("same_person"):
        services.use_label(**use, scanned_label=scan(label, chamber), scanned_container=din(), typed_with=alone)
    with site_context(world.site.pk):
        assert fresh(label).state == "printed" and not lot_queries.typed_identities(chamber.lot)


@pytest.mark.req("COI-03", case="positive")
def test_what_a_container_carries_is_typed_with_a_second_reader_and_counted(world, chamber):
    label = printed(world, chamber)
    proof = world.sign("petra", lambda: lot_queries.typed_subject(lot_queries.container(chamber.pk), din()), "typed_identifier", at="olga")
    used = services.use_label(
        by=world.by("olga"), label_id=label.pk, seen=label.version, scanned_label=scan(label, chamber), scanned_container=din(), typed_with=proof
    )
    with site_context(world.site.pk):
        assert used.state == "used" and len(lot_queries.typed_identities(chamber.lot)) == 1


@pytest.mark.req("COI-03", case="positive")
def test_a_typed_identifier_that_two_people_read_hands_over_and_is_counted(world, chamber):
    typed = chamber.identifier
    give(world, chamber, "to_manufacture", "nora", scanned=typed, typed_with=reads_too(world, chamber, "petra", typed))
    with site_context(world.site.pk):
        counted = lot_queries.typed_identities(chamber.lot)
        assert HandOver.objects.count() == 1 and [each.username for each in counted] == ["petra.utr"]


@pytest.mark.req("REL-05", case="negative")
def test_a_product_does_not_leave_before_certification(world, lot, refused):
    bag = lots.make_container(by=world.by("olga"), lot_id=lot.pk, code="final_bag")
    with refused("not_certified"):
        give(world, bag, "dispatch", "sue")
    with site_context(world.site.pk):
        assert fresh(bag).state == "in_use"
