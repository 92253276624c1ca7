"""A value shown inside its limits: where the mark stands, what the words say."""

from decimal import Decimal as D

import pytest

from mes.web.gauge import Limits, limits_of, limits_text, measure, to_decimal, window_of

VIABILITY = Limits(low=D("70.0"), high=D("100.0"), alert_low=D("75.0"))


@pytest.mark.parametrize(
    ("value", "state", "words"),
    [
        ("82.4", "ok", "Within limits"),
        ("70.0", "ok", "Within limits"),
        ("100.0", "ok", "Within limits"),
        ("68.4", "alarm", "1.6 below the lower limit"),
        ("100.1", "alarm", "0.1 above the upper limit"),
        ("72.1", "warn", "Within limits, below the alert level"),
        ("", "empty", "No value yet"),
    ],
)
def test_the_words_say_the_distance(value, state, words):
    limits = VIABILITY if value not in ("70.0",) else Limits(low=D("70.0"), high=D("100.0"))
    drawn = measure(value, limits, "%")
    assert (drawn.state, drawn.words) == (state, words)


def test_the_state_the_server_recorded_wins_over_the_drawing():
    assert measure("82.4", VIABILITY, "%", state="alarm").state == "alarm"


def test_the_mark_stands_at_its_share_of_the_window():
    drawn = measure("200", Limits(low=D("180"), high=D("220"), window_low=D("160"), window_high=D("240")))
    assert drawn.mark == "50.00"
    assert drawn.allowed == ("25.00", "50.00")
    assert drawn.ticks == (("25.00", "180"), ("75.00", "220"))


def test_a_value_far_outside_stays_on_the_gauge_and_is_known_to_be_off_scale():
    drawn = measure("9000", Limits(low=D("180"), high=D("220")))
    assert drawn.mark == "98.50" and drawn.off_scale


def test_a_limit_is_never_blurred_by_binary_fractions():
    assert measure("5.10", Limits(high=D("5.1"))).state == "ok"
    assert measure(D("0.3"), Limits(high=D("0.1") + D("0.2"))).state == "ok"


@pytest.mark.parametrize(
    ("limits", "unit", "expected"),
    [
        (Limits(low=D("80.0")), "%", (D("60.0"), D("100"))),
        (Limits(high=D("5.0")), "", (D("0"), D("6.750"))),
        (Limits(low=D("0.50"), high=D("2.50")), "", (D("0"), D("3.2000"))),
        (Limits(low=D("-10"), high=D("10")), "", (D("-17.00"), D("17.00"))),
    ],
)
def test_the_window_keeps_zero_and_one_hundred_percent_as_natural_ends(limits, unit, expected):
    assert window_of(limits, unit) == expected


def test_equal_limits_still_give_a_window():
    bottom, top = window_of(Limits(low=D("37"), high=D("37")))
    assert bottom < D("37") < top


@pytest.mark.parametrize("text", ["abc", "1,2,3", "NaN", "Infinity", "1 234"])
def test_a_text_that_is_no_number_draws_an_empty_gauge(text):
    assert to_decimal(text) is None
    assert measure(text, VIABILITY).state == "empty"


def test_limits_come_from_any_thing_with_the_same_names():
    class Row:
        low, high = "70.0", None

    assert limits_of(Row) == Limits(low=D("70.0"))
    assert limits_of({"high": "5"}) == Limits(high=D("5"))


def test_limits_in_words():
    assert limits_text(VIABILITY) == "70.0 to 100.0, alert below 75.0"
    assert limits_text(Limits(low=D("80.0"))) == "at least 80.0"
    assert limits_text(Limits(high=D("0.50"))) == "at most 0.50"
    assert limits_text(Limits()) == ""
