"""Clocks, charts and timelines: pure geometry."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from mes.web.chart import draw
from mes.web.countdown import Countdown, span
from mes.web.timeline import Mark, Stage, lay_out

NOW = datetime(2026, 11, 19, 13, 32, tzinfo=UTC)


def running(used: timedelta, limit: timedelta, **more) -> Countdown:
    return Countdown("Limit", NOW - used, NOW - used + limit, NOW, **more)


@pytest.mark.parametrize(
    ("used", "state", "words", "percent"),
    [
        (12, "", "18 min left", "40.00"),
        (24, "warn", "6 min left", "80.00"),
        (30, "warn", "0 s left", "100.00"),
        (38, "alarm", "8 min over", "100.00"),
    ],
)
def test_a_clock_turns_amber_at_eighty_percent_and_red_past_the_limit(used, state, words, percent):
    clock = running(timedelta(minutes=used), timedelta(minutes=30))
    assert (clock.state, clock.words, clock.percent) == (state, words, percent)


def test_the_recipe_may_name_another_alert_point():
    assert running(timedelta(minutes=12), timedelta(minutes=30), alert_at=NOW).state == "warn"


def test_a_held_clock_counts_since_the_hold():
    clock = Countdown("On hold", NOW - timedelta(hours=22, minutes=27), None, NOW, held=True)
    assert (clock.state, clock.words) == ("hold", "22 h 27")


def test_vein_to_vein_is_told_in_days_from_the_first_hour():
    assert running(timedelta(hours=6), timedelta(days=18), elapsed=True).words == "0 d 06 h"
    assert span(timedelta(hours=41, minutes=12)) == "41 h 12"
    assert span(timedelta(days=17, hours=3)) == "17 d 03 h"


def test_a_chart_places_every_point_and_keeps_the_values_as_they_are():
    chart = draw("CAR+", [("A", "44.10", ""), ("B", "61.8", "closed")], "%", spec=("15", "75"))
    assert [str(point.value) for point in chart.points] == ["44.10", "61.8"]
    assert Decimal(chart.points[1].y) < Decimal(chart.points[0].y)
    assert sum(line.kind == "spec" for line in chart.lines) == 2
    assert "2 values, last 61.8 % (B)" in chart.sentence


def test_a_chart_refuses_a_text_that_is_no_number():
    with pytest.raises(ValueError, match="no number"):
        draw("CAR+", [("A", "<1", "")])


def test_a_chart_without_values_says_so():
    assert draw("CAR+", []).sentence == "CAR+: no values yet"


def test_marks_of_a_timeline_never_cover_each_other():
    stages = [Stage("Expansion", NOW - timedelta(days=10), NOW)]
    line = lay_out(stages, [Mark(number, NOW - timedelta(days=5)) for number in (1, 2, 3)], NOW)
    places = [float(mark["x"]) for mark in line["marks"]]
    assert all(after - before >= 1.8 for before, after in pairwise(places))


@pytest.mark.parametrize("hour", range(0, 24, 3))
@pytest.mark.parametrize("count", [1, 9, 80])
def test_nothing_is_drawn_as_done_or_marked_beyond_the_present(hour, count):
    now = NOW.replace(hour=hour)
    stages = [Stage("Done", now - timedelta(days=6), now - timedelta(days=1)), Stage("Running", now - timedelta(days=1), now + timedelta(days=2))]
    line = lay_out([*stages, Stage("Planned", now + timedelta(days=2), now + timedelta(days=6))], [Mark(each, now) for each in range(count)], now)
    present = float(line["now_x"])
    assert 49 < present < 51
    done, running, planned = ((float(each["x"]), float(each["width"]), each["plan_x"]) for each in line["stages"])
    assert done[0] + done[1] < present and done[2] == ""
    assert running[0] + running[1] == pytest.approx(present, abs=0.02) and float(running[2]) == pytest.approx(present, abs=0.02)
    assert planned[1] == 0 and float(planned[2]) > present
    places = [float(mark["x"]) for mark in line["marks"]]
    assert places == sorted(places) and 0 <= places[0] and places[-1] <= present + 0.01


def test_the_axis_of_a_lot_that_is_long_done_ends_with_it():
    stages = [Stage("Expansion", NOW - timedelta(days=90), NOW - timedelta(days=78))]
    line = lay_out(stages, [Mark(1, NOW - timedelta(days=80))], NOW)
    assert line["now_x"] == "" and line["stages"][0]["width"] == "100.00"
    soon = lay_out([Stage("Expansion", NOW - timedelta(days=12), NOW - timedelta(hours=6))], [], NOW)
    assert soon["now_x"] == "100.00"


def test_a_lot_made_within_a_day_is_drawn_by_the_hour():
    begun = datetime(2026, 11, 19, 8, 20, tzinfo=UTC)
    line = lay_out([Stage("Count", begun, begun + timedelta(hours=6))], [], begun + timedelta(hours=6))
    assert [day["text"] for day in line["days"]] == ["19 Nov", "09:00", "10:00", "11:00", "12:00", "13:00", "14:00"]
    places = [float(day["x"]) for day in line["days"]]
    assert all(after - before >= 8 for before, after in pairwise(places)) and places[-1] <= 100


@pytest.mark.parametrize("length", [timedelta(0), timedelta(minutes=3), timedelta(hours=1), timedelta(hours=30), timedelta(hours=47)])
def test_the_ticks_of_a_short_lot_keep_their_distance(length):
    line = lay_out([Stage("Count", NOW, NOW + length)], [], NOW + length)
    places = [float(day["x"]) for day in line["days"]]
    assert places and all(after - before >= 8 for before, after in pairwise(places))


def test_a_timeline_needs_a_stage():
    with pytest.raises(ValueError, match="one stage"):
        lay_out([], [], NOW)
