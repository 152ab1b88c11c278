"""Counts add and take away, and refuse what is no count."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import Counts
from errorbudget.counts import as_counts
from errorbudget.errors import InvalidCountsError

numbers = st.integers(0, 10**30)
counts = st.builds(Counts, numbers, numbers)


@given(counts, counts, counts)
def test_counts_are_a_sum(a: Counts, b: Counts, c: Counts) -> None:
    """Order and grouping do not matter, nothing changes nothing, and adding is undone exactly."""
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Counts() == a
    assert (a + b) - b == a
    assert a.total == a.good + a.bad
    assert bool(a) == bool(a.total)
    assert Counts.from_total(good=a.good, total=a.total) == a
    assert eval(repr(a)) == a


@given(numbers, st.sampled_from([np.int64, np.uint64, np.float64, Fraction, Decimal, float]))
def test_whole_numbers_of_any_kind_are_integers(number: int, kind: type) -> None:
    """Numpy's integers, whole floats and fractions become plain integers."""
    number %= 2**53
    found = Counts(kind(number), kind(0))
    assert found == Counts(number, 0)
    assert type(found.good) is int


def test_fractions_of_events_stay() -> None:
    """Sums of slice ratios are not rounded."""
    assert Counts(Fraction(1, 3), Fraction(2, 3)).total == 1
    assert Counts(Fraction(1, 3), Fraction(2, 3)).good == Fraction(1, 3)
    assert Counts(0.5, 1).good == 0.5


def test_no_digit_of_a_whole_number_is_lost() -> None:
    """A decimal is as exact as an integer, beyond what floats tell apart too."""
    assert Counts(Decimal(2**53 + 1), Decimal("3.0")) == Counts(2**53 + 1, 3)
    assert Counts(np.longdouble(2) ** 60, 0) == Counts(2**60, 0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (-1, "negative"),
        (-0.5, "negative"),
        (Fraction(-1, 2), "negative"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (np.float64("nan"), "finite"),
        (10**300, "below"),
        (1e300, "below"),
        ("5", "count of events"),
        (None, "count of events"),
        (True, "count of events"),
        (np.True_, "count of events"),
        (1j, "count of events"),
        ([1], "count of events"),
        (np.array([1]), "count of events"),
        (np.timedelta64(5, "s"), "count of events"),
        (np.timedelta64("NaT", "s"), "count of events"),
        (Decimal("NaN"), "finite"),
        (Decimal("sNaN"), "finite"),
        (Decimal("1e999999999"), "finite"),
    ],
)
def test_what_is_no_count(value: object, message: str) -> None:
    """Each is refused, as good and as bad."""
    for arguments in ({"good": value}, {"bad": value}):
        with pytest.raises(InvalidCountsError, match=message):
            Counts(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [np.complex64, np.complex128, np.clongdouble])
def test_no_width_of_a_complex_number_is_a_count(kind: type) -> None:
    """Its imaginary part would be lost without a word."""
    with pytest.raises(InvalidCountsError, match="must be a count of events"):
        Counts(good=kind(3 + 1j))


def test_more_good_than_total_is_a_contradiction() -> None:
    """Then the two do not count the same events."""
    with pytest.raises(InvalidCountsError, match="must not exceed"):
        Counts.from_total(good=2, total=1)
    with pytest.raises(InvalidCountsError, match="negative"):
        Counts(1, 0) - Counts(2, 0)
    with pytest.raises(TypeError):
        Counts() + 1  # type: ignore[operator]
    with pytest.raises(TypeError):
        Counts() - 1  # type: ignore[operator]
    with pytest.raises(InvalidCountsError, match="Counts\\(good=99"):
        as_counts((1, 2))  # type: ignore[arg-type]


def test_counts_are_themselves() -> None:
    """What is asked for as counts comes back as it is."""
    some = Counts(2, 1)
    assert as_counts(some) is some
