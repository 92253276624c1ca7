"""GS1 element strings: built, read, refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.lots.gs1 import ElementsRefused, elements, gs1_check_digit, parse_elements

GTIN = "09506000134352"
VALUES = st.text(alphabet="ABCXYZabc0123456789*._/-", min_size=1, max_size=20)


def test_a_supplier_label_is_read_raw_and_bracketed():
    raw = f"01{GTIN}17261130" + "10LOT-7\x1d21SER1"

    read = parse_elements(raw)

    assert read.parts == (("01", GTIN), ("17", "261130"), ("10", "LOT-7"), ("21", "SER1"))
    assert read.expiry == date(2026, 11, 30)
    assert read.raw() == raw
    assert parse_elements(read.bracketed()) == read
    assert read.get("400") is None


@given(VALUES, VALUES, VALUES)
def test_variable_lengths_come_back_as_they_were_put_in(lot, serial, own):
    made = elements(("10", lot), ("01", GTIN), ("21", serial), ("91", own))

    assert parse_elements(made.raw()) == made
    assert parse_elements(made.bracketed()) == made


def test_a_day_of_zero_means_the_end_of_the_month():
    assert elements(("17", "280200")).expiry == date(2028, 2, 29)


def test_check_digit_of_the_published_example():
    assert gs1_check_digit("0950600013435") == "2"


@pytest.mark.req("COI-01", case="negative")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_gs1"),
        ("hello", "not_gs1"),
        ("0109506000134353", "wrong_check_digit"),
        ("0109506", "not_gs1"),
        ("17261399", "not_a_date"),
        ("17261131", "not_a_date"),
        ("10" + "A" * 21, "not_gs1"),
        ("10", "not_gs1"),
        ("10A B", "not_gs1"),
        ("(10)A(", "not_gs1"),
        ("(10)A)x", "not_gs1"),
        ("(03)A", "not_gs1"),
        ("37\u0661", "not_gs1"),
    ],
)
def test_what_is_no_element_string_is_refused(text, code):
    with pytest.raises(ElementsRefused) as refused:
        parse_elements(text)
    assert refused.value.code == code


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        read = parse_elements(text)
    except ElementsRefused:
        return
    assert parse_elements(read.raw()) == read
