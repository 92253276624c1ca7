"""Identifiers and scanned codes: check characters, donation numbers, our own labels, check codes."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.lots.gs1 import elements
from batches.lots.identifiers import (
    CHECK_ALPHABET,
    CHECK_CODE_ALPHABET,
    IdentifierRefused,
    ScanKind,
    as_typed,
    check_character,
    check_character_by_weights,
    check_coi,
    check_container,
    check_din,
    new_check_code,
    new_coi,
    new_container,
    own_code,
    own_elements,
    parse_din,
    parse_scan,
)

PLAIN = st.text(alphabet=CHECK_ALPHABET[:36], min_size=1, max_size=30)
RANDOM = st.binary(min_size=16, max_size=16)
COI = new_coi("BCN1", bytes(range(16)))
CONTAINER = new_container("BCN1", bytes(range(1, 17)))


def refusal(function, *arguments):
    with pytest.raises(IdentifierRefused) as refused:
        function(*arguments)
    return refused.value.code


@pytest.mark.parametrize(("number", "check"), [("G123498654321", "H"), ("A999926123456", "T"), ("W000026000001", "F")])
def test_published_vectors_of_mod_37_2(number, check):
    """The first is the worked example of the JPAC Red Book, Annex 2."""
    assert check_character(number) == check
    assert check_character_by_weights(number) == check


@given(PLAIN)
def test_both_forms_of_the_standard_agree(text):
    assert check_character(text) == check_character_by_weights(text)


@pytest.mark.req("COI-01", case="negative")
@given(PLAIN, st.data())
def test_every_wrong_character_and_every_swap_is_caught(text, data):
    check = check_character(text)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([c for c in CHECK_ALPHABET[:36] if c != text[place]]))
    assert check_character(text[:place] + other + text[place + 1 :]) != check
    if place and text[place] != text[place - 1]:
        assert check_character(text[: place - 1] + text[place] + text[place - 1] + text[place + 1 :]) != check


@pytest.mark.parametrize("text", ["", "g123", "G12 3", "É", "G*"])
def test_other_characters_have_no_check_character(text):
    assert refusal(check_character, text) == "not_an_identifier"


@pytest.mark.req("COI-01", case="positive")
@pytest.mark.parametrize("text", ["G1234 98 654321 H", "G123 498 654 321 H", "g123498654321h", "=G12349865432177", "=G12349865432100", "G1234-98-654321-H"])
def test_donation_numbers_are_read_typed_and_scanned(text):
    donation = parse_din(text)

    assert donation.number == "G123498654321"
    assert donation.eye_readable == "G1234 98 654321 H"
    assert check_din(text) == "G123498654321"


@pytest.mark.req("COI-01", case="negative")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("G1234 98 654321 J", "wrong_check_character"),
        ("G1234 98 654312 H", "wrong_check_character"),
        ("=G12349865432176", "wrong_check_character"),
        ("G1234 98 654321", "check_character_missing"),
        ("G1234 98 65432", "not_an_identifier"),
        ("G1234 98 6543210 H", "not_an_identifier"),
        ("O1234 98 654321 H", "not_an_identifier"),
        ("", "not_an_identifier"),
    ],
)
def test_donation_numbers_that_are_not_whole_are_refused(text, code):
    assert refusal(check_din, text) == code


def test_a_number_known_by_another_way_may_lack_its_check_character():
    assert parse_din("G123498654321", needs_check=False).check == "H"


@given(RANDOM)
def test_own_identifiers_are_whole_and_break_with_any_one_character(random):
    for made, check in ((new_coi("BCN1", random), check_coi), (new_container("B2", random), check_container)):
        assert check(made) == made
        assert check(f" {made.lower()} ") == made
        place = len(made) - 5
        broken = made[:place] + ("3" if made[place] != "3" else "4") + made[place + 1 :]
        assert refusal(check, broken) == "wrong_check_character"


def test_own_identifiers_hold_nothing_but_issuer_and_random_serial():
    assert COI.startswith("COI-BCN1-") and len(COI) == 21
    assert CONTAINER.startswith("CN-BCN1-") and len(CONTAINER) == 20
    assert not set("01OIL") & set(COI.split("-")[2])
    assert len({new_coi("BCN1", bytes([a, b] + [7] * 14)) for a, b in itertools.product(range(40), range(40))}) == 1600


def test_a_coi_is_not_taken_for_a_container():
    assert refusal(check_container, COI) == "not_an_identifier"
    assert refusal(check_coi, CONTAINER) == "not_an_identifier"
    assert refusal(new_coi, "Barcelona 1", bytes(16)) == "not_an_identifier"
    with pytest.raises(ValueError):
        new_coi("BCN1", bytes(8))


@given(st.binary(min_size=8, max_size=8), st.sets(st.text(alphabet=CHECK_CODE_ALPHABET, min_size=3, max_size=3), max_size=30))
def test_a_check_code_differs_from_every_open_one_in_two_places_while_it_can(random, taken):
    code = new_check_code(random, taken)

    assert len(code) == 3 and set(code) <= set(CHECK_CODE_ALPHABET)
    assert all(sum(a != b for a, b in zip(code, other, strict=True)) >= 2 for other in taken)


def test_check_codes_are_used_up_to_the_last_and_then_refused():
    every = {"".join(each) for each in itertools.product(CHECK_CODE_ALPHABET, repeat=3)}
    last = "KT7"

    assert new_check_code(bytes(8), every - {last}) == last
    assert refusal(new_check_code, bytes(8), every) == "no_check_code_left"


@pytest.mark.req("COI-03", case="negative")
@pytest.mark.parametrize(
    ("code", "read"),
    [
        (f"CTL:C:{CONTAINER}", CONTAINER),
        (f"(91)CTL:C:{CONTAINER}", CONTAINER),
        (f"CTL:T:{COI}", COI),
        ("CTL:D:G123498654321", "G1234 98 654321 H"),
        ("=G12349865432177", "G1234 98 654321 H"),
    ],
)
def test_the_code_of_a_label_typed_by_hand_is_no_scan(code, read):
    assert as_typed(code) == read and parse_scan(as_typed(code)).for_eyes and not parse_scan(code).for_eyes


@pytest.mark.parametrize("code", ["CTL:M:ML-2026-0007", "CTL:E:PRODIGY-02", "CTL:C:CN-XX-half", "5901234123457", ""])
def test_what_names_no_container_stays_as_it_was_typed(code):
    assert as_typed(code) == code


def test_check_codes_have_no_letters_that_look_alike():
    assert not set("01OIL25SZ8BDGQUVN") & set(CHECK_CODE_ALPHABET)
    assert not set("AEIOU") & set(CHECK_CODE_ALPHABET)


@pytest.mark.req("COI-03", case="positive")
@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (f"CTL:C:{CONTAINER}", ScanKind.CONTAINER, CONTAINER),
        (f"]d291CTL:C:{CONTAINER}", ScanKind.CONTAINER, CONTAINER),
        (f"(91)CTL:C:{CONTAINER}", ScanKind.CONTAINER, CONTAINER),
        (f"]Q1CTL:C:{CONTAINER}", ScanKind.CONTAINER, CONTAINER),
        (f"{CONTAINER}\r\n", ScanKind.CONTAINER, CONTAINER),
        (COI, ScanKind.THERAPY_EVENT, COI),
        (f"CTL:T:{COI}", ScanKind.THERAPY_EVENT, COI),
        ("=G12349865432177", ScanKind.DONATION, "G123498654321"),
        ("G1234 98 654321 H", ScanKind.DONATION, "G123498654321"),
        ("CTL:D:G123498654321", ScanKind.DONATION, "G123498654321"),
        ("CTL:L:ARI0001/01", ScanKind.LOT, "ARI0001/01"),
        ("CTL:B:op.1", ScanKind.BADGE, "op.1"),
        ("CTL:M:ML-2026-0007", ScanKind.MATERIAL_LOT, "ML-2026-0007"),
        ("CTL:E:PRODIGY-02", ScanKind.EQUIPMENT, "PRODIGY-02"),
        ("]d20109506000134352172611301" + "0TS520-7", ScanKind.MATERIAL_LOT, "TS520-7"),
        ("10LOT7\x1d21A", ScanKind.MATERIAL_LOT, "LOT7"),
        ("0109506000134352", ScanKind.UNKNOWN, "0109506000134352"),
        ("https://example.org/x", ScanKind.UNKNOWN, "https://example.org/x"),
        ("", ScanKind.UNKNOWN, ""),
    ],
)
def test_a_scan_means_what_its_content_says(text, kind, value):
    read = parse_scan(text)

    assert (read.kind, read.value, read.text) == (kind, value, text)


@pytest.mark.req("COI-03", case="negative")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"CTL:C:{CONTAINER[:-1]}", "not_an_identifier"),
        (f"CTL:C:{COI}", "not_an_identifier"),
        (f"CTL:X:{CONTAINER}", "not_an_identifier"),
        ("CTL:L:", "not_an_identifier"),
        ("CTL:L:a b", "not_an_identifier"),
        ("ctl:l:ari0001/01", "case_changed"),
        ("=G12349865432176", "wrong_check_character"),
        ("G1234 98 654321 J", "wrong_check_character"),
        ("x" * 501, "not_an_identifier"),
    ],
)
def test_a_code_of_ours_that_was_not_read_whole_is_refused(text, code):
    assert refusal(parse_scan, text) == code


@given(
    st.sampled_from([ScanKind.LOT, ScanKind.BADGE, ScanKind.MATERIAL_LOT, ScanKind.EQUIPMENT]),
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,40}", fullmatch=True),
)
def test_what_our_labels_hold_is_scanned_back(kind, value):
    for text in (own_code(kind, value), own_elements(kind, value).raw(), own_elements(kind, value).bracketed()):
        read = parse_scan(text)
        assert (read.kind, read.value) == (kind, value)


def test_a_value_that_cannot_stand_on_a_label_is_refused():
    assert refusal(own_code, ScanKind.LOT, "a b") == "not_an_identifier"
    assert refusal(own_code, ScanKind.UNKNOWN, "A") == "not_an_identifier"
    assert refusal(own_elements, ScanKind.LOT, "(1)") == "not_an_identifier"


@given(st.text(max_size=80))
def test_any_scan_is_read_or_refused(text):
    try:
        read = parse_scan(text)
    except IdentifierRefused:
        return
    assert read.text == text


def test_supplier_parts_stay_with_the_scan():
    read = parse_scan("]d2" + elements(("01", "09506000134352"), ("17", "261130"), ("10", "A1")).raw())

    assert read.gs1 is not None
    assert str(read.gs1.expiry) == "2026-11-30"
