"""Time limits between two events: states at, before and after their moments."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.execution.timelimits import LimitState, TimeLimitSpan

START = datetime(2026, 3, 19, 8, 0, tzinfo=UTC)
TWELVE_HOURS = TimeLimitSpan(timedelta(hours=12))
SECOND = timedelta(seconds=1)
WARNS = START + timedelta(hours=9, minutes=36)
DUE = START + timedelta(hours=12)


@pytest.mark.req("EXE-06", case="positive")
@pytest.mark.parametrize(
    ("now", "state"),
    [
        (START, LimitState.RUNNING),
        (WARNS - SECOND, LimitState.RUNNING),
        (WARNS, LimitState.WARNING),
        (DUE, LimitState.WARNING),
        (DUE + SECOND, LimitState.OVER),
    ],
)
def test_a_running_limit_warns_at_its_share_and_is_over_after_its_end(now, state):
    stands = TWELVE_HOURS.stand(START, None, now)

    assert stands.state is state
    assert (stands.warns, stands.due, stands.remaining) == (WARNS, DUE, DUE - now)
    assert stands.is_open
    assert stands.is_broken == (state is LimitState.OVER)


@pytest.mark.req("EXE-06", case="negative")
@pytest.mark.parametrize(("ended", "state"), [(START, LimitState.MET), (DUE, LimitState.MET), (DUE + timedelta(microseconds=1), LimitState.MISSED)])
def test_an_ended_limit_is_met_up_to_its_end_and_missed_after(ended, state):
    stands = TWELVE_HOURS.stand(START, ended, DUE + timedelta(days=3))

    assert stands.state is state
    assert stands.used == ended - START
    assert stands.remaining == DUE - ended
    assert not stands.is_open


def test_a_limit_without_its_first_event_has_not_started():
    stands = TWELVE_HOURS.stand(None, None, START)

    assert (stands.state, stands.due, stands.next_moment) == (LimitState.NOT_STARTED, None, None)


def test_the_next_moment_is_the_warning_then_the_end_then_none():
    assert TWELVE_HOURS.stand(START, None, START).next_moment == WARNS
    assert TWELVE_HOURS.stand(START, None, WARNS).next_moment == DUE
    assert TWELVE_HOURS.stand(START, None, DUE + SECOND).next_moment is None
    assert TWELVE_HOURS.stand(START, DUE, DUE).next_moment is None


def test_clocks_that_are_put_forward_do_not_shorten_a_limit():
    madrid = ZoneInfo("Europe/Madrid")
    started = datetime(2026, 3, 29, 1, 30, tzinfo=madrid)

    stands = TimeLimitSpan(timedelta(hours=2)).stand(started.astimezone(UTC), None, datetime(2026, 3, 29, 4, 29, tzinfo=madrid).astimezone(UTC))

    assert stands.state is LimitState.WARNING
    assert stands.remaining == timedelta(minutes=1)


def test_what_cannot_be_judged_raises():
    with pytest.raises(ValueError, match="zone"):
        TWELVE_HOURS.stand(START.replace(tzinfo=None), None, START)
    with pytest.raises(ValueError, match="without a start"):
        TWELVE_HOURS.stand(None, START, START)
    with pytest.raises(ValueError, match="before the start"):
        TWELVE_HOURS.stand(START, START - SECOND, START)
    with pytest.raises(ValueError, match="longer than nothing"):
        TimeLimitSpan(timedelta(0))
    with pytest.raises(ValueError, match="share"):
        TimeLimitSpan(SECOND, Decimal("1"))


@given(st.integers(1, 10**12), st.integers(0, 2 * 10**12), st.decimals(min_value="0.01", max_value="0.99", places=2))
def test_states_follow_one_another_and_agree_with_the_time_used(maximum, passed, share):
    limit = TimeLimitSpan(timedelta(microseconds=maximum), share)
    now = START + timedelta(microseconds=passed)
    running, ended = limit.stand(START, None, now), limit.stand(START, now, now)

    assert running.is_broken == ended.is_broken == (passed > maximum)
    if not running.is_broken:
        assert (running.state is LimitState.WARNING) == (now - START >= limit.alert_after)
    assert limit.alert_after <= limit.maximum
