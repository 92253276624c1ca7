"""The one reader of typed input: what is read, how it is kept, and what is refused with which code."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batches.recipes.quantities import Quantity, ValueRefused, computed, format_decimal, read_back, read_value

MADRID = ZoneInfo("Europe/Madrid")


def refusal(text, type="decimal", **options):
    with pytest.raises(ValueRefused) as refused:
        read_value(text, type, **options)
    return refused.value


@pytest.mark.req("EXE-04", case="positive")
@pytest.mark.parametrize(
    ("text", "value", "decimals", "significant"),
    [
        ("97.9", "97.9", 1, 3),
        ("97,9", "97.9", 1, 3),
        ("97.90", "97.90", 2, 4),
        ("0,234", "0.234", 3, 3),
        ("0.050", "0.050", 3, 2),
        ("1234,567", "1234.567", 3, 7),
        ("1.234", "1.234", 3, 4),
        ("100", "100", 0, 3),
        ("-80", "-80", 0, 2),
        ("\u221280", "-80", 0, 2),
        ("+5", "5", 0, 1),
        ("1.29e9", "1.29E+9", 0, 3),
        ("1,29E+9", "1.29E+9", 0, 3),
        ("1.29 x 10^9", "1.29E+9", 0, 3),
        ("1.29 \u00d7 10\u2079", "1.29E+9", 0, 3),
        ("1.29*10**9", "1.29E+9", 0, 3),
        ("5e-3", "0.005", 3, 1),
        ("  68.4 ", "68.4", 1, 3),
        ("0.00", "0.00", 2, 1),
        ("007", "7", 0, 1),
    ],
)
def test_numbers_are_read_exactly_with_the_digits_as_entered(text, value, decimals, significant):
    read = read_value(text, "decimal")

    assert read.value == Decimal(value)
    assert (read.decimals, read.significant, read.qualifier) == (decimals, significant, "")
    assert read.text == text.strip()


@pytest.mark.req("EXE-04", case="negative")
@pytest.mark.parametrize(("text", "small", "large"), [("1,234", "1.234", "1234"), ("12,345", "12.345", "12345"), ("-999,000", "999.000", "999000")])
def test_comma_before_three_digits_is_refused_with_both_readings(text, small, large):
    refused = refusal(text)

    assert refused.code == "ambiguous_thousands"
    assert small in refused.sentence and large in refused.sentence


@pytest.mark.req("EXE-04", case="negative")
@pytest.mark.parametrize(("text", "sign", "small"), [("1.500", ",", "1,500"), ("1,500", ".", "1.500"), ("-12.345", ",", "12,345")])
def test_the_other_sign_before_three_digits_is_refused_with_how_it_is_written_here(text, sign, small):
    refused = refusal(text, decimal_sign=sign)

    large = text.strip("-").replace(".", "").replace(",", "")
    assert refused.code == "ambiguous_thousands" and refused.sentence.endswith(f"Here decimals are written {small}. Type {large}, or {small}.")


@pytest.mark.req("EXE-04", case="positive")
@pytest.mark.parametrize(("text", "sign", "value", "said"), [("1,500", ",", "1.500", "read as 1.500"), ("1.500", ".", "1.500", ""), ("1.50", ",", "1.50", "")])
def test_the_sites_own_sign_is_read_and_a_comma_is_said_back(text, sign, value, said):
    read = read_value(text, "decimal", decimal_sign=sign)

    assert (str(read.value), read_back(read.text, read.value)) == (value, said)


@pytest.mark.req("EXE-04", case="negative")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("abc", "not_a_number"),
        ("12a", "not_a_number"),
        ("1O5", "not_a_number"),
        ("NaN", "not_a_number"),
        ("Infinity", "not_a_number"),
        ("-inf", "not_a_number"),
        ("0x10", "not_a_number"),
        ("1_000", "not_a_number"),
        ("1..2", "not_a_number"),
        ("1,2,3", "not_a_number"),
        ("--5", "not_a_number"),
        ("5-3", "not_a_number"),
        ("1/2", "not_a_number"),
        ("\u0661\u0662", "not_a_number"),
        ("=1+1", "not_a_number"),
        ("~5", "not_a_number"),
        ("9" * 200, "not_a_number"),
        ("9" * 31, "number_out_of_range"),
        ("1e21", "number_out_of_range"),
        ("1e999999", "number_out_of_range"),
        (".5", "incomplete_decimal"),
        (",5", "incomplete_decimal"),
        ("5.", "incomplete_decimal"),
        ("1,234,567", "thousands_separator"),
        ("1.234,5", "thousands_separator"),
        ("1,234.5", "thousands_separator"),
        ("1 234", "thousands_separator"),
        ("1'234.50", "thousands_separator"),
        ("< 0.05", "censored_not_allowed"),
        ("97.9 EU/kg", "wrong_unit"),
        ("5\x00", "unprintable"),
        ("x" * 3000, "too_long"),
    ],
)
def test_what_is_no_plain_number_is_refused_with_a_code(text, code):
    refused = refusal(text)

    assert refused.code == code
    assert refused.sentence.endswith(".")


def test_refusal_of_thousands_shows_the_number_to_type():
    assert "Type 1234.5." in refusal("1,234.5").sentence
    assert "Type 1234.5." in refusal("1.234,5").sentence
    assert "Type 1234567." in refusal("1,234,567").sentence
    assert "Type 1234." in refusal("1 234").sentence
    assert "Type 0.5." in refusal(".5").sentence


def test_a_binary_float_is_never_read():
    with pytest.raises(TypeError):
        read_value(97.9, "decimal")  # type: ignore[arg-type]


@pytest.mark.req("QC-06", case="positive")
@pytest.mark.parametrize(
    ("text", "qualifier", "value"),
    [
        ("<= 0.5", "<=", "0.5"),
        ("\u2264 0.5", "<=", "0.5"),
        ("< 0,05", "<", "0.05"),
        ("<0.05", "<", "0.05"),
        (">= 10", ">=", "10"),
        ("> 1e6", ">", "1E+6"),
    ],
)
def test_censored_values_keep_qualifier_and_bound(text, qualifier, value):
    read = read_value(text, "decimal", unit="EU/mL", censored=True)

    assert (read.qualifier, read.value, read.is_censored) == (qualifier, Decimal(value), True)
    assert read.text == text


@pytest.mark.req("QC-06", case="negative")
@pytest.mark.parametrize("text", ["below LOQ", "<", "< <1", "<= ", "<abc", "<> 3"])
def test_a_censored_value_without_a_bound_is_refused(text):
    assert refusal(text, censored=True).code == "not_a_number"


def test_minus_zero_is_zero_and_keeps_its_text():
    read = read_value("-0.0", "decimal")

    assert not read.value.is_signed()
    assert read.text == "-0.0"


@pytest.mark.req("EXE-04", case="negative")
def test_wrong_unit_is_refused_typed_or_sent_beside_the_value():
    assert refusal("5 EU/kg", unit="EU/mL").code == "wrong_unit"
    assert refusal("5", unit="EU/mL", given_unit="EU/kg").code == "wrong_unit"
    assert refusal("5", unit="mL", given_unit="L").code == "wrong_unit"
    assert refusal("5", unit="mL", given_unit="furlong").code == "unknown_unit"
    assert refusal("5", given_unit="mL").code == "wrong_unit"
    assert refusal("yes", "boolean", given_unit="mL").code == "wrong_unit"


def test_the_unit_of_the_field_may_stand_after_the_number():
    read = read_value("97.9 %", "decimal", unit="% of viable CD3+", given_unit="%")

    assert (read.value, read.unit) == (Decimal("97.9"), "% of viable CD3+")


def test_a_factor_typed_where_the_field_already_has_it_is_a_wrong_unit():
    assert refusal("1.5 x 10^6 cells/mL", unit="10^6 cells/mL").code == "wrong_unit"


@pytest.mark.req("EXE-04", case="negative")
def test_excess_digits_are_refused_and_never_rounded():
    refused = refusal("97.86", decimals=1)

    assert refused.code == "too_many_decimals"
    assert read_value("97.9", "decimal", decimals=1).value == Decimal("97.9")
    assert read_value("98", "decimal", decimals=1).decimals == 0


def test_whole_numbers_refuse_a_part():
    assert read_value("3", "integer").value == 3
    assert read_value("2e3", "integer").value == 2000
    assert refusal("3.5", "integer").code == "not_whole"
    assert refusal("1,234", "integer").code == "ambiguous_thousands"


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_for_every_type(text):
    for type in ("decimal", "integer", "boolean", "date", "datetime", "identifier", "text"):
        try:
            read = read_value(text, type, unit="%", censored=True, zone=MADRID) if type == "decimal" else read_value(text, type, zone=MADRID)
        except ValueRefused as refused:
            assert refused.code and refused.sentence
        else:
            assert read.text == text.strip()
            assert read.value is None or read.value.is_finite()


@given(st.integers(-(10**12), 10**12), st.integers(0, 6))
def test_point_and_comma_read_the_same_or_are_refused(number, places):
    pointed = f"{Decimal(number).scaleb(-places):f}"
    comma = pointed.replace(".", ",")
    assume(places != 3)

    assert read_value(pointed, "decimal").value == Decimal(pointed)
    assert read_value(comma, "decimal").value == Decimal(pointed)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=5))
def test_shown_numbers_are_read_back_as_the_same_number(number):
    assert read_value(format_decimal(number), "decimal").value == number
    assert read_value(format_decimal(number.scaleb(5)), "decimal").value == number.scaleb(5)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("1.29E+9", "1.29e9"),
        ("1.495E+9", "1.495e9"),
        ("70.0", "70.0"),
        ("1E+2", "100"),
        ("0", "0"),
        ("-5E-9", "-5e-9"),
        ("1290000000", "1290000000"),
    ],
)
def test_numbers_are_shown_with_every_digit(number, shown):
    assert format_decimal(Decimal(number)) == shown


def test_choices_are_exact_and_a_near_miss_is_named():
    assert read_value("continue", "choice", choices=("continue", "terminate")).content == "continue"
    refused = refusal("Continue", "choice", choices=("continue", "terminate"))
    assert refused.code == "not_a_choice"
    assert "'continue'" in refused.sentence
    assert "Choose one of" in refusal("zzz", "choice", choices=("continue", "terminate")).sentence


def test_yes_and_no_are_the_only_booleans():
    assert read_value("Yes", "boolean").content is True
    assert read_value("false", "boolean").content is False
    assert refusal("1", "boolean").code == "not_yes_or_no"


def test_dates_are_read_in_two_unambiguous_forms():
    assert read_value("2026-03-19", "date").content == date(2026, 3, 19)
    assert read_value("19 Mar 2026", "date").content == date(2026, 3, 19)
    assert refusal("03/04/2026", "date").code == "ambiguous_date"
    assert refusal("03.04.2026", "date").code == "ambiguous_date"
    assert refusal("2026-02-30", "date").code == "not_a_date"
    assert refusal("19 Mrz 2026", "date").code == "not_a_date"
    assert refusal("0026-02-03", "date").code == "not_a_date"


def test_date_times_become_utc_by_offset_or_by_the_zone_of_the_site():
    expected = datetime(2026, 3, 19, 13, 5, tzinfo=UTC)
    assert read_value("2026-03-19T14:05+01:00", "datetime").content == expected
    assert read_value("2026-03-19 13:05Z", "datetime").content == expected
    assert read_value("2026-03-19 14:05", "datetime", zone=MADRID).content == expected
    assert read_value("2026-03-19T14:05:00", "datetime", zone=MADRID).text == "2026-03-19T14:05:00"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-03-29 02:30", "no_such_time"),
        ("2026-10-25 02:30", "ambiguous_time"),
        ("2026-03-19 24:05", "not_a_datetime"),
        ("yesterday", "not_a_datetime"),
        ("2026-03-19", "not_a_datetime"),
        ("2026-03-19 14:05+99:00", "not_a_datetime"),
    ],
)
def test_times_that_did_not_happen_or_happened_twice_are_refused(text, code):
    assert refusal(text, "datetime", zone=MADRID).code == code


def test_a_time_without_zone_is_refused_where_no_site_gives_one():
    assert refusal("2026-03-19 14:05", "datetime").code == "zone_missing"


def test_identifiers_are_plain_ascii_without_blanks():
    assert read_value("G1234-98*654321", "identifier").content == "G1234-98*654321"
    assert refusal("A B", "identifier").code == "not_an_identifier"
    assert refusal("\u0410BC", "identifier").code == "not_an_identifier"
    assert refusal("A" * 101, "identifier").code == "not_an_identifier"


def test_a_quantity_reads_as_text_with_its_unit():
    assert str(read_value("97.9", "decimal", unit="%")) == "97.9 %"
    assert str(read_value("< 0.05", "decimal", unit="EU/mL", censored=True)) == "< 0.05 EU/mL"
    assert str(Quantity("sterile", content="sterile")) == "sterile"


def test_a_calculated_value_is_a_quantity_like_a_typed_one():
    assert computed(Decimal("1.495E+9"), "cells") == Quantity("1.495e9", Decimal("1.495E+9"), decimals=0, significant=4, unit="cells")
    assert computed(Decimal("79.00")).decimals == 2
    with pytest.raises(ValueError, match="finite"):
        computed(Decimal("NaN"))
