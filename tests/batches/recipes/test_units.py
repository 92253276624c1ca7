"""Units as people write them: read, compared by meaning, converted exactly."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.recipes.units import UnitRefused, agrees, compatible, convert, parse_unit, same_unit

AS_WRITTEN = [
    "10^6 cells/mL", "10⁶ cells/mL", "x10^6 cells/mL", "cells/kg", "%", "mL", "degC", "°C", "TU/mL", "EU/mL", "EU/kg", "ng/mL", "copies/cell",
    "CAR+ cells/kg", "CAR19+ cells/kg", "CAR+ viable T cells/kg", "CD3+CAR+ cells/mL", "% of viable CD3+", "% viable among CD45+CD3+",
    "copies per transduced cell", "transgene copies/cell", "beads per 3e6 cells", "copies/100 ng DNA", "copies/µg DNA", "fg/CAR+ cell",
    "h", "min", "g", "kg", "mmol/L", "pH", "cells/cm2", "mOsm/kg", "x g", "mL/min", "TU/cell", "IU/mL", "d", "months", "",
]  # fmt: skip


@pytest.mark.parametrize("text", AS_WRITTEN)
def test_units_of_published_records_are_read_and_keep_their_text(text):
    assert parse_unit(text).text == text
    assert same_unit(text, text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10^6 cells/mL", "10⁶ cells per mL"),
        ("x10^6 cells/mL", "1e6 cells/mL"),
        ("°C", "degC"),
        ("µL", "uL"),
        ("cells/uL", "10^3 cells/mL"),
        ("copies/100 ng DNA", "copies per 100 ng DNA"),
        ("% of viable CD3+", "% viable CD3+"),
        ("ml", "mL"),
        ("", "1"),
    ],
)
def test_spellings_of_one_unit_are_the_same_unit(one, other):
    assert same_unit(one, other)


@pytest.mark.req("QC-06", case="negative")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("EU/mL", "EU/kg"),
        ("copies/cell", "copies/transduced cell"),
        ("copies/100 ng DNA", "copies/µg"),
        ("CAR+ cells/kg", "cells/kg"),
        ("% of viable CD3+", "% of CD45+"),
        ("IU/mL", "EU/mL"),
        ("TU/mL", "IU/mL"),
        ("pH", ""),
        ("months", "d"),
        ("U/mL", "IU/mL"),
    ],
)
def test_quantities_that_look_alike_are_never_the_same(one, other):
    assert not same_unit(one, other)
    assert not compatible(one, other)
    with pytest.raises(UnitRefused) as refused:
        convert(Decimal("1"), one, other)
    assert refused.value.code == "wrong_unit"


def test_units_that_differ_by_a_factor_are_compatible_and_not_the_same():
    assert compatible("mL", "L")
    assert not same_unit("mL", "L")
    assert compatible("copies/100 ng DNA", "copies/µg DNA")


@pytest.mark.parametrize(
    ("value", "given_unit", "wanted", "expected"),
    [
        ("37.0", "degC", "K", "310.15"),
        ("0", "K", "degC", "-273.15"),
        ("90", "min", "h", "1.5"),
        ("1.5", "10^6 cells/mL", "cells/uL", "1500"),
        ("2.10", "L", "mL", "2100"),
        ("1", "copies/100 ng DNA", "copies/µg DNA", "10"),
        ("50", "%", "", "0.5"),
        ("1", "min", "h", "0.01666666666666666666666666666666667"),
    ],
)
def test_conversion_is_exact(value, given_unit, wanted, expected):
    assert convert(Decimal(value), given_unit, wanted) == Decimal(expected)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_conversion_there_and_back_gives_the_same_number(value):
    assert convert(convert(value, "mL", "L"), "L", "mL") == value
    assert convert(convert(value, "degC", "K"), "K", "degC") == value


@pytest.mark.parametrize(
    ("text", "hint"),
    [("C", "degC"), ("cels", "cells"), ("T", ""), ("parsec", ""), ("0 mL", ""), ("mL/", ""), ("x" * 81, ""), ("; drop", "")],
)
def test_unknown_units_are_refused_with_the_nearest_spelling(text, hint):
    with pytest.raises(UnitRefused) as refused:
        parse_unit(text)
    assert refused.value.code == "unknown_unit"
    assert hint in refused.value.sentence


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_nothing_else_happens(text):
    try:
        unit = parse_unit(text)
    except UnitRefused:
        return
    assert unit.factor > 0


def test_bare_percent_agrees_with_a_field_that_names_the_denominator_and_nothing_else_does():
    assert agrees("%", "% of viable CD3+")
    assert not agrees("% of CD45+", "% of viable CD3+")
    assert not agrees("cells/kg", "CAR+ cells/kg")
    assert not agrees("mL", "L")
