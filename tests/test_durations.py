"""Spans of time are read exactly, written shortly, and read back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.durations import DAY_NS, HOUR_NS, format_duration, length_of, parse_duration
from errorbudget.errors import InvalidDurationError, did_you_mean

lengths = st.integers(1, 2**63 - 1)


@given(lengths)
def test_what_is_written_is_read_back(length: int) -> None:
    """Every length has one text, which means it."""
    assert parse_duration(format_duration(length)) == length
    assert format_duration(-length) == "-" + format_duration(length)
    assert length_of(length) == length


@given(st.timedeltas(dt.timedelta(microseconds=1), dt.timedelta(days=106_751)))
def test_timedeltas_are_exact(delta: dt.timedelta) -> None:
    """A timedelta keeps its last microsecond."""
    assert parse_duration(delta) == delta // dt.timedelta(microseconds=1) * 1_000


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30d", 30 * DAY_NS),
        ("30 days", 30 * DAY_NS),
        ("1 day", DAY_NS),
        ("2w", 14 * DAY_NS),
        ("1.5h", HOUR_NS * 3 // 2),
        (" 1h 30m ", HOUR_NS * 3 // 2),
        ("1hr30min", HOUR_NS * 3 // 2),
        ("2hrs", 2 * HOUR_NS),
        ("250ms", 250_000_000),
        ("7µs", 7_000),
        ("7μs", 7_000),
        ("1ns", 1),
        ("1 second", 10**9),
    ],
)
def test_how_people_write(text: str, length: int) -> None:
    """Units short and long, with and without spaces."""
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("30 dayz", 'did you mean "day'),
        ("30", "write a number and a unit"),
        ("", "write a number and a unit"),
        ("d", "write a number and a unit"),
        ("-5m", "write a number and a unit"),
        ("5 parsecs", "not known"),
        ("1m1h", "from the largest to the smallest"),
        ("1m1m", "from the largest to the smallest"),
        ("1 month", "calendar"),
        ("2 ys", "calendar"),
        ("1y", "calendar"),
        ("0s", "longer than 0"),
        ("0.1ns", "finer than a nanosecond"),
        ("300000d", "shorter than 292 years"),
        ("9" * 5_000 + "d", "not a duration"),
        (dt.timedelta(0), "longer than 0"),
        (dt.timedelta(days=-1), "longer than 0"),
        (5, "write a number and a unit"),
        pytest.param(10**5_000, "^an integer of thousands of digits is not a duration", id="huge"),
        (None, "write a number and a unit"),
        (True, "write a number and a unit"),
        (1.5, "write a number and a unit"),
        (np.timedelta64(5, "s"), "write a number and a unit"),
    ],
)
def test_what_is_no_duration(value: object, message: str) -> None:
    """Each is refused with what came and what fits."""
    with pytest.raises(InvalidDurationError, match=message):
        parse_duration(value)  # type: ignore[arg-type]


def test_lengths_may_be_nanoseconds() -> None:
    """Where a number of nanoseconds is asked for, text and timedeltas fit too."""
    assert length_of(np.int64(7)) == 7
    assert length_of("1us") == length_of(dt.timedelta(microseconds=1)) == 1_000
    # Of a year numpy makes the integer 1.
    spans = [np.timedelta64(1, unit) for unit in ("Y", "h", "ns")]
    for wrong in (0, -1, True, 1.5, None, 2**63, np.array([1]), *spans, 10**5_000):
        with pytest.raises(InvalidDurationError):
            length_of(wrong)  # type: ignore[arg-type]


def test_pandas_timedeltas_keep_their_nanoseconds() -> None:
    """They have three digits more than Python's."""
    pd = pytest.importorskip("pandas")
    assert parse_duration(pd.Timedelta("1h")) == HOUR_NS
    assert parse_duration(pd.Timedelta("1.000000001s")) == 10**9 + 1
    with pytest.raises(InvalidDurationError, match="NaT"):
        parse_duration(pd.NaT)


def test_a_hint_only_when_something_is_close() -> None:
    """Nothing is suggested for what resembles nothing."""
    assert did_you_mean("zzz", ["hours"]) == ""
    assert format_duration(0) == "0s"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (1, "1ns"),
        (HOUR_NS * 3 // 2, "1h30m"),
        (14 * DAY_NS, "14d"),
        (DAY_NS + 1_002_003_004, "1d1s2ms3us4ns"),
        (-HOUR_NS, "-1h"),
    ],
)
def test_how_spans_are_written(length: int, text: str) -> None:
    """From days down, without weeks, and without what is 0."""
    assert format_duration(length) == text
