"""Limits of decision 13 applied to one value: level, sentence, censored values."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.execution.judgement import Band, Level, Limits, judge
from batches.recipes.quantities import Quantity, read_value

D = Decimal
VIABILITY = Limits(
    plausible=Band(min=D(0), max=D(100)),
    hard=Band(min=D("50.0")),
    action=Band(min=D("70.0")),
    alert=Band(min=D("75.0")),
    historical=Band(min=D("85.0"), max=D("99.5")),
)
ENDOTOXIN = Limits(action=Band(max=D("0.5")))


def judged(text, limits=VIABILITY, unit="%"):
    return judge(read_value(text, "decimal", unit=unit, censored=True), limits)


@pytest.mark.req("EXE-04", case="positive")
@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("101", Level.IMPLAUSIBLE),
        ("100.0001", Level.IMPLAUSIBLE),
        ("-1", Level.IMPLAUSIBLE),
        ("49.9", Level.HARD),
        ("50", Level.ACTION),
        ("69.9", Level.ACTION),
        ("69.999", Level.ACTION),
        ("70", Level.ALERT),
        ("74.9", Level.ALERT),
        ("75.0", Level.HISTORICAL),
        ("85", Level.WITHIN),
        ("99.5", Level.WITHIN),
        ("99.6", Level.HISTORICAL),
        ("100", Level.HISTORICAL),
    ],
)
def test_the_first_broken_limit_is_the_level(text, level):
    assert judged(text).level is level


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("68.4", "1.6 below the lower limit of 70.0 %."),
        ("69.96", "0.04 below the lower limit of 70.0 %."),
        ("48", "2.0 below the lower hard limit of 50.0 %."),
        ("74", "1.0 below the lower alert limit of 75.0 %."),
        ("99.7", "0.2 above the upper historical limit of 99.5 %."),
        ("105", "105 % is outside what is plausible here (0 to 100 %). Check the value and its unit, and type it again."),
    ],
)
def test_the_sentence_says_the_distance(text, sentence):
    assert judged(text).sentence == sentence


def test_a_value_within_says_how_far_from_its_limit():
    assert judged("97.9", Limits(action=Band(min=D("70")))).sentence == "Within limits: 27.9 above the lower limit of 70 %."


def test_a_value_at_an_exclusive_limit_is_outside():
    judgement = judged("5", Limits(action=Band(max_exclusive=D("5"))), "EU/mL")

    assert judgement.level is Level.ACTION
    assert judgement.sentence == "At the upper limit of 5 EU/mL, which is outside itself."


def test_large_numbers_keep_the_way_they_are_written():
    judgement = judged("1.29e9", Limits(action=Band(min=D("2E+9"))), "cells")

    assert judgement.sentence == "7.1e8 below the lower limit of 2e9 cells."


@pytest.mark.req("QC-06", case="negative")
@pytest.mark.parametrize(
    ("text", "level", "decided"),
    [
        ("<= 0.5", Level.WITHIN, True),
        ("< 0.05", Level.WITHIN, True),
        ("< 1", Level.ACTION, False),
        ("> 0.5", Level.ACTION, True),
        ("> 0.1", Level.ACTION, False),
    ],
)
def test_a_censored_value_is_within_only_if_its_bound_proves_it(text, level, decided):
    judgement = judged(text, ENDOTOXIN, "EU/mL")

    assert (judgement.level, judgement.decided) == (level, decided)
    assert judgement.is_excursion == (level is Level.ACTION)


def test_what_cannot_be_decided_against_a_hard_limit_counts_as_action_and_says_so():
    judgement = judged("< 1", Limits(hard=Band(max=D("0.5"))), "EU/mL")

    assert judgement.level is Level.ACTION
    assert "does not prove" in judgement.sentence


def test_a_plausible_range_refuses_only_what_is_proven_outside():
    assert judged("< 0.5", Limits(plausible=Band(min=D("0.1"), max=D(100)))).level is Level.NO_LIMIT
    assert judged("> 100", Limits(plausible=Band(min=D(0), max=D(100)))).level is Level.IMPLAUSIBLE


def test_an_undecided_action_limit_outweighs_a_broken_alert_limit():
    judgement = judged("> 3", Limits(action=Band(max=D(10)), alert=Band(max=D(2))))

    assert (judgement.level, judgement.decided) == (Level.ACTION, False)


def test_without_limits_nothing_is_said_to_be_within():
    assert judged("5", Limits()).level is Level.NO_LIMIT
    assert judged("5", Limits(plausible=Band(min=D(0)))).level is Level.NO_LIMIT
    assert judge(Quantity("some text", content="some text"), VIABILITY).level is Level.NO_LIMIT


def test_answers_are_judged_by_what_is_accepted():
    bound = Quantity("bound", content="bound")

    assert judge(bound, Limits(), accept=("bound",)).level is Level.WITHIN
    assert judge(Quantity("not bound", content="not bound"), Limits(), accept=("bound",)).level is Level.ACTION
    assert judge(Quantity("no", content=False), Limits(), accept=("yes",), outside="hard").stops_step
    assert judge(Quantity("Yes", content=True), Limits(), accept=("yes",)).level is Level.WITHIN


def test_reactions_follow_from_the_level():
    assert judged("101").is_refused and not judged("101").is_excursion
    assert judged("49").stops_step and judged("49").is_excursion
    assert judged("60").is_excursion and not judged("60").stops_step
    assert judged("72").is_flagged and not judged("72").is_excursion


@given(st.decimals(min_value=-10, max_value=110, places=3, allow_nan=False, allow_infinity=False))
def test_a_level_is_milder_exactly_when_all_stricter_bands_hold(value):
    level = judge(Quantity(str(value), value, unit="%"), VIABILITY).level
    first_broken = next((name for name, band in VIABILITY.bands() if not band.contains(value)), "within")

    assert level == {"plausible": "implausible"}.get(first_broken, first_broken)
