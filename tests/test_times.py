"""Instants are exact to the nanosecond, and one without a zone is refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import InvalidTimeError
from errorbudget.times import MAX_NS, MIN_NS, format_time, to_datetime, to_ns

instants = st.integers(MIN_NS, MAX_NS)


@given(instants)
def test_what_is_written_is_read_back(ns: int) -> None:
    """Every instant has one text, which means it; numpy's stamp means it too."""
    assert to_ns(format_time(ns)) == ns
    assert to_ns(ns) == ns
    assert to_ns(np.int64(ns)) == ns
    assert to_ns(np.datetime64(ns, "ns")) == ns


@given(
    st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2261, 1, 1)),
    st.integers(-23 * 60, 23 * 60),
)
def test_offsets_are_taken_away(wall: dt.datetime, minutes: int) -> None:
    """An aware datetime, its text and UTC mean one instant."""
    offset = dt.timedelta(minutes=minutes)
    stamp = wall.replace(tzinfo=dt.timezone(offset))
    microseconds = (wall - offset - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)
    assert to_ns(stamp) == to_ns(stamp.isoformat()) == microseconds * 1_000
    assert to_datetime(to_ns(stamp)) == stamp


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.5Z", 500_000_000),
        ("1970-01-01T00:00:00,000000001Z", 1),
        (" 1970-01-01 01:00:00+01:00 ", 0),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("19700101T000001Z", 10**9),
    ],
)
def test_texts(text: str, ns: int) -> None:
    """ISO 8601 in its usual clothes, all nine digits of it."""
    assert to_ns(text) == ns


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2026-03-01", "no time zone"),
        ("2026-03-01T00:00", 'add "Z"'),
        ("yesterday", "not a time"),
        ("", "not a time"),
        ("2026-13-01T00:00Z", "not a time"),
        ("0001-01-01T00:00+14:00", "1678 to 2262"),
        (dt.datetime(2026, 3, 1), "no time zone"),
        (dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=14))), "1678 to 2262"),
        (dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-14))), "1678 to 2262"),
        (dt.date(2026, 3, 1), "not a time"),
        (True, "not a time"),
        (None, "not a time"),
        (1.5, "not a time"),
        (np.float64(1), "not a time"),
        (2**63, "1678 to 2262"),
        (-(2**63), "1678 to 2262"),
        pytest.param(
            10**5_000,  # which has no text, so no name of its own
            "^an integer of thousands of digits lies outside the years 1678 to 2262",
            id="huge",
        ),
        (np.uint64(2**63), "1678 to 2262"),
        (np.datetime64("NaT", "s"), "NaT"),
        (np.datetime64("5000", "Y"), "1678 to 2262"),
        (np.datetime64("3000-01-01", "s"), "1678 to 2262"),
        (np.array(["2026-03-01"], dtype="M8[s]"), "not a time"),
        ([1], "not a time"),
    ],
)
def test_what_is_no_instant(value: object, message: str) -> None:
    """Each is refused with the cure."""
    with pytest.raises(InvalidTimeError, match=message):
        to_ns(value)


def test_pandas_stamps() -> None:
    """A zone is heeded, a stamp without one is UTC, coarse units are read, NaT is none."""
    pd = pytest.importorskip("pandas")
    assert to_ns(pd.Timestamp("1970-01-01T01:00", tz="Europe/Berlin")) == 0
    assert to_ns(pd.Timestamp(1)) == 1
    assert to_ns(pd.Timestamp("1970-01-02").as_unit("s")) == 86_400 * 10**9
    with pytest.raises(InvalidTimeError, match="NaT"):
        to_ns(pd.NaT)
    with pytest.raises(InvalidTimeError, match="1678 to 2262"):
        to_ns(pd.Timestamp("3000-01-01").as_unit("s"))


def test_the_first_and_the_last_instant() -> None:
    """What fits into 64 bits is an instant, and not a nanosecond more."""
    assert to_ns(MIN_NS) == MIN_NS
    assert to_ns(MAX_NS) == MAX_NS
    for beyond in (MIN_NS - 1, MAX_NS + 1):
        with pytest.raises(InvalidTimeError, match="1678 to 2262"):
            to_ns(beyond)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000_000, "1970-01-01T00:00:01.500Z"),
        (1_000_020_000, "1970-01-01T00:00:01.000020Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_three_digits_at_a_time(ns: int, text: str) -> None:
    """As many as it has, in threes."""
    assert format_time(ns) == text


def test_datetimes_are_rounded_down() -> None:
    """Python's have no nanoseconds: never into the future."""
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    assert to_datetime(1_999) == epoch + dt.timedelta(microseconds=1)
    assert to_datetime(-1) == epoch - dt.timedelta(microseconds=1)


def test_an_instant_that_numpy_refuses_is_outside() -> None:
    """From 2.5 on numpy raises where it went round before; both are told alike."""

    class Stamp:
        ndim, dtype = 0, np.dtype("M8[s]")

        def astype(self, _: str) -> object:
            raise OverflowError

        def __str__(self) -> str:
            return "2300-01-01"

    with pytest.raises(InvalidTimeError, match=r"^2300-01-01 lies outside the years 1678 to 2262$"):
        to_ns(Stamp())  # type: ignore[arg-type]
