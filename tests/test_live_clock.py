"""A tracker's present: never back, and with the clock again in the end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.durations import DAY_NS
from errorbudget.errors import InvalidInputError
from errorbudget.live.clock import ManualClock, Present, check_clock

HOUR = 3_600 * 10**9
steps = st.lists(st.integers(-30 * HOUR, 30 * HOUR), max_size=20)


@given(steps)
def test_it_never_goes_back_and_never_lies_behind(moves: list[int]) -> None:
    """However the clock jumps, the present goes back only when the clock was a day ahead."""
    clock = 10**18
    present = Present(clock)
    for move in moves:
        before, clock = present.now_ns, clock + move
        now = present.observe(clock)
        assert clock <= now <= clock + DAY_NS
        assert now >= before or (now == clock and before > clock + DAY_NS)
        assert present.ahead_ns == now - clock


@given(st.integers(10**6, DAY_NS), st.integers(1, 50))
def test_it_waits_at_half_speed_until_the_clock_has_caught_up(back: int, looks: int) -> None:
    """After twice the step both agree, however often one looks, and never before."""
    present = Present(10**18)
    fallen = 10**18 - back
    present.observe(fallen)
    assert present.now_ns == 10**18
    end = fallen + 2 * back
    for look in range(looks):
        clock = fallen + (end - fallen) * look // looks
        expected = 10**18 + (clock - fallen) // 2
        assert expected - look <= present.observe(clock) <= expected
        assert present.ahead_ns > 0
    assert end <= present.observe(end) <= end


@given(st.integers(0, DAY_NS), st.integers(1, 2 * DAY_NS))
def test_it_knows_when_the_clock_gets_there(back: int, on: int) -> None:
    """`clock_at` is the first reading of the clock that brings the present to an instant."""
    present = Present(10**18)
    present.observe(10**18 - back)
    wanted = 10**18 + on
    reading = present.clock_at(wanted)
    for clock, reached in ((reading - 1, False), (reading, True)):
        other = Present(present.clock_ns)
        other.now_ns = present.now_ns
        assert (other.observe(clock) >= wanted) is reached


def test_a_manual_clock_is_moved_by_hand() -> None:
    """It stands still otherwise."""
    clock = ManualClock("2026-03-01T12:00:00Z")
    clock.advance("1h")
    assert clock() - ManualClock("2026-03-01T12:00:00Z")() == HOUR
    clock.set("2026-03-01T11:30:00Z")
    assert repr(clock) == 'ManualClock("2026-03-01T11:30:00Z")'


@pytest.mark.parametrize(
    ("clock", "message"),
    [
        (5, "a clock is a function that returns nanoseconds since the epoch, got 5; give time"),
        (lambda: 1.5, "a clock returns whole nanoseconds since the epoch, got 1.5 from <"),
        (lambda: True, "a clock returns whole nanoseconds since the epoch, got True from <"),
    ],
)
def test_what_tells_no_time_is_no_clock(clock: Any, message: str) -> None:
    """It is asked once, and says what came."""
    with pytest.raises(InvalidInputError) as caught:
        check_clock(clock)
    assert str(caught.value).startswith(message)
    check_clock(ManualClock(0))


def test_a_day_ahead_is_believed_and_a_nanosecond_more_is_not() -> None:
    """Both when the clock falls back and when another tells what it knows."""
    start = 10**18
    present = Present(start)
    assert present.observe(start - DAY_NS) == start
    assert present.ahead_ns == DAY_NS
    assert present.observe(start - DAY_NS - 1) == start - DAY_NS - 1
    assert present.observe(start - DAY_NS) == start - DAY_NS
    present = Present(start)
    present.go_on_from(start - 1)
    assert present.now_ns == start
    present.go_on_from(start + DAY_NS + 1)
    assert present.now_ns == start
    present.go_on_from(start + DAY_NS)
    assert present.now_ns == start + DAY_NS
    assert present.observe(start + 2) == start + DAY_NS + 1
    assert present.observe(start + 3) == start + DAY_NS + 1
