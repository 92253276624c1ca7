"""Where values stand against bounds, censored values as intervals."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.recipes.bounds import Between, bounds_text, distance_text, standing

D = Decimal
NUMBERS = st.decimals(min_value=0, max_value=100, places=1, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("bounds", "value", "place"),
    [
        (Between(min=D(70)), "70", "inside"),
        (Between(min=D(70)), "69.999999", "below"),
        (Between(min_exclusive=D(70)), "70", "below"),
        (Between(min_exclusive=D(70)), "70.000001", "inside"),
        (Between(max=D(5)), "5.0", "inside"),
        (Between(max=D(5)), "5.01", "above"),
        (Between(max_exclusive=D(5)), "5", "above"),
        (Between(min=D(2), max=D(8)), "8", "inside"),
        (Between(min=D(2), min_exclusive=D(2)), "2", "below"),
        (Between(min=D(3), min_exclusive=D(2)), "2.5", "below"),
        (Between(), "5", "inside"),
    ],
)
def test_bounds_are_inside_unless_exclusive(bounds, value, place):
    assert standing(D(value), "", bounds).place == place


@pytest.mark.parametrize(
    ("qualifier", "value", "bounds", "place"),
    [
        ("<=", "0.5", Between(max=D("0.5")), "inside"),
        ("<=", "0.5", Between(max_exclusive=D("0.5")), "undecided"),
        ("<", "0.5", Between(max_exclusive=D("0.5")), "inside"),
        ("<", "0.5", Between(max=D("0.4")), "undecided"),
        ("<", "0.5", Between(min=D("0.1")), "undecided"),
        ("<", "0.5", Between(min=D("0.5")), "below"),
        ("<=", "0.5", Between(min=D("0.5")), "undecided"),
        ("<=", "0.5", Between(min_exclusive=D("0.5")), "below"),
        ("<", "0.5", Between(min=D(0), max=D(100)), "inside"),
        ("<", "-1", Between(min=D(-5)), "undecided"),
        (">", "5", Between(max=D(5)), "above"),
        (">=", "5", Between(max=D(5)), "undecided"),
        (">=", "5", Between(max_exclusive=D(5)), "above"),
        (">", "5", Between(min=D(5)), "inside"),
        (">", "5", Between(min_exclusive=D(5)), "inside"),
        (">=", "5", Between(min_exclusive=D(5)), "undecided"),
        (">", "5", Between(max=D(100)), "undecided"),
    ],
)
@pytest.mark.req("QC-06", case="positive")
def test_a_censored_value_proves_only_its_bound(qualifier, value, bounds, place):
    assert standing(D(value), qualifier, bounds).place == place


@given(NUMBERS, st.sampled_from(["<", "<=", ">", ">="]), NUMBERS, NUMBERS, st.booleans())
def test_a_decided_censored_value_agrees_with_every_value_it_stands_for(bound, qualifier, low, high, exclusive):
    bounds = Between(min_exclusive=low, max_exclusive=high) if exclusive else Between(min=low, max=high)
    place = standing(bound, qualifier, bounds).place
    if place == "undecided" or low > high or (exclusive and low == high):
        return
    samples = [D(n) / 4 for n in range(440)]
    meant = [s for s in samples if {"<": s < bound, "<=": s <= bound, ">": s > bound, ">=": s >= bound}[qualifier]]
    assert {standing(s, "", bounds).place for s in meant} <= {place}


@given(NUMBERS, NUMBERS)
def test_the_distance_is_exact(value, limit):
    stands = standing(value, "", Between(min=limit))

    assert stands.distance == abs(value - limit)
    assert (stands.place == "below") == (value < limit)


def test_numbers_that_are_not_finite_stand_nowhere():
    with pytest.raises(ValueError):
        standing(D("NaN"), "", Between(min=D(1)))


def test_bounds_and_distances_read_as_people_say_them():
    assert bounds_text(Between(min=D("70.0")), "%") == "≥ 70.0 %"
    assert bounds_text(Between(min=D(2), max=D(8)), "degC") == "2 to 8 degC"
    assert bounds_text(Between(min_exclusive=D("0.5e6"), max=D("5E+6"))) == "> 500000 and ≤ 5e6"
    assert bounds_text(Between()) == ""
    assert distance_text(standing(D("68.4"), "", Between(min=D("70.0"))), "%") == "1.6 below the lower limit of 70.0 %"
    assert distance_text(standing(D("69.96"), "", Between(min=D("70.0"))), "%") == "0.04 below the lower limit of 70.0 %"
    assert distance_text(standing(D("72"), "", Between(min=D("70.0"))), "%") == "2.0 above the lower limit of 70.0 %"
    assert distance_text(standing(D("5"), "", Between(max_exclusive=D("5"))), "EU/mL") == "at the upper limit of 5 EU/mL, which is outside itself"
