"""Ratios of many counts at once, against their Fraction."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import (
    InvalidCountsError,
    InvalidInputError,
    InvalidSeriesError,
    InvalidTargetError,
)
from errorbudget.kernels import budget_remaining, burn_exceeds, burn_rate, sli
from errorbudget.target import Target
from tests.kernel_inputs import fresh_bytes

TARGETS = st.one_of(
    st.sampled_from(["99.9%", "99.99999%", "100%", "50%", "2/3", "0.0001%"]),
    st.fractions(min_value=Fraction(1, 10**6), max_value=1, max_denominator=10**6),
)
SIZES = st.one_of(st.integers(0, 10), st.integers(0, 10**4), st.integers(2**31, 2**62))


@st.composite
def counts(draw):
    totals = draw(st.lists(SIZES, max_size=8))
    bads = [draw(st.one_of(st.just(0), st.just(t), st.integers(0, t))) for t in totals]
    return np.array(bads, dtype=np.int64), np.array(totals, dtype=np.int64)


@given(counts(), TARGETS)
def test_ratios_are_the_exact_ones_correctly_rounded(rows, text):
    """Of any size, at any target; NaN stands for no events."""
    bad, total = rows
    error = Target(text).error
    shares = sli(total - bad, total)
    burns = burn_rate(total - bad, total, text)
    left = budget_remaining(total - bad, total, text)
    for row, (wrong, events) in enumerate(zip(bad.tolist(), total.tolist(), strict=True)):
        if not events:
            assert np.isnan([shares[row], burns[row], left[row]]).all()
            continue
        assert shares[row] == float(1 - Fraction(wrong, events))
        if error:
            assert burns[row] == float(Fraction(wrong, events) / error)
            assert left[row] == float(1 - Fraction(wrong, events) / error)
        else:
            assert burns[row] == (np.inf if wrong else 0)
            assert left[row] == (-np.inf if wrong else 1)


@given(counts(), TARGETS, st.fractions(min_value=0, max_value=1_000, max_denominator=1_000))
def test_a_threshold_is_passed_strictly_and_exactly(rows, text, threshold):
    """Decided on integers of any size; equal is not above."""
    bad, total = rows
    error = Target(text).error
    answer = burn_exceeds(bad, total, text, threshold)
    assert answer.dtype == np.bool_
    assert answer.tolist() == [
        wrong > threshold * error * events
        for wrong, events in zip(bad.tolist(), total.tolist(), strict=True)
    ]


def test_the_guides_example_stands_on_the_line():
    """72 bad of 5,000 burn at exactly 14.4, which is not above 14.4."""
    assert burn_rate([4_928], [5_000], "99.9%").tolist() == [14.4]
    assert burn_exceeds([72, 73], [5_000, 5_000], "99.9%", 14.4).tolist() == [False, True]
    assert burn_exceeds([72, 73], [5_000, 5_000], "99.9%", "14.4").tolist() == [False, True]


def test_a_tiny_threshold_is_exact_too():
    """Its denominator is no int64."""
    tiny = Fraction(1, 10**30)
    assert burn_exceeds([0, 0, 1], [0, 9, 9], "99.9%", tiny).tolist() == [False, False, True]


def test_shapes_are_kept():
    """A table of counts gives a table of ratios, a scalar a scalar's array."""
    good, total = np.ones((2, 3), dtype=np.int32), np.full((2, 3), 2, dtype=np.uint16)
    assert sli(good, total).shape == (2, 3)
    assert burn_rate(good, total, "99%").shape == (2, 3)
    assert budget_remaining(3, 4, "50%").shape == ()
    assert burn_exceeds([], [], "99%", 1).shape == (0,)


def test_wrong_input_is_refused():
    """Each with what came."""
    with pytest.raises(InvalidSeriesError, match="must match"):
        sli([1, 2], [1])
    with pytest.raises(InvalidSeriesError, match="integer counts, got float64"):
        burn_rate([0.5], [1], "99%")
    with pytest.raises(InvalidTargetError):
        budget_remaining([1], [1], 99.9)
    for question in (sli, lambda *counts: burn_rate(*counts, "99%")):
        with pytest.raises(InvalidCountsError, match="got 5 of 3 at index 1"):
            question([1, 5], [3, 3])
        with pytest.raises(InvalidCountsError, match="got -1 of 3 at index 0"):
            question([-1], [3])
        with pytest.raises(InvalidCountsError, match="total has more than"):
            question([1], np.array([2**64 - 1], dtype=np.uint64))
    with pytest.raises(InvalidCountsError, match="bad must lie between 0 and total, got 5 of 3"):
        burn_exceeds([5], [3], "99%", 1)
    for threshold in ("1e-100000", "many", "nan", float("inf"), -1):
        with pytest.raises(InvalidInputError, match="threshold"):
            burn_exceeds([1], [1], "99%", threshold)


def test_no_target_but_perfection():
    """At 100 % a bad event is worth the budget without end, and no event is no answer."""
    np.testing.assert_array_equal(burn_rate([1, 0, 0], [1, 1, 0], "100%"), [0, np.inf, np.nan])
    left = budget_remaining([1, 0, 0], [1, 1, 0], "100%")
    np.testing.assert_array_equal(left, [1, -np.inf, np.nan])


def test_unsigned_counts_and_the_first_wrong_one():
    """Up to 2**63 - 1 they are counts like others; rows at a bound are not wrong."""
    most = np.array([2**63 - 1], dtype=np.uint64)
    assert sli(most, most).tolist() == [1.0]
    none = np.array([], dtype=np.uint64)
    assert sli(none, none).shape == (0,)
    with pytest.raises(InvalidCountsError, match="got 5 of 3 at index 2"):
        sli([0, 3, 5], [3, 3, 3])


def test_a_product_of_64_bits_is_compared_exactly():
    """2**62 bad events, twice, have no int64; they still burn at 2 under a target of 50 %."""
    most = [2**62]
    for threshold, above in ((1, True), (2, False), (Fraction(3, 2), True)):
        found = burn_exceeds(most, most, "50%", threshold)
        assert (found.tolist(), found.dtype) == ([above], np.bool_)


@pytest.mark.filterwarnings("error")
def test_large_counts_under_a_target_of_any_share():
    """3 in 1,000 has a numerator, too: 2**40 bad of 2**60 burn at 1,000 / (3 x 2**20)."""
    total = [2**60, 0, 1_000]
    good = [2**60 - 2**40, 0, 997]
    expected = [1_000 / (3 * 2**20), np.nan, 1.0]
    np.testing.assert_array_equal(burn_rate(good, total, "99.7%"), expected)
    np.testing.assert_array_equal(sli(good, total), [1 - 2.0**-20, np.nan, 0.997])
    left = [1 - Fraction(1_000, 3 * 2**20), np.nan, 0.0]
    found = budget_remaining(good, total, "99.7%")
    np.testing.assert_array_equal(found, [float(one) for one in left])


@pytest.mark.parametrize("few", [1, 7, 1_001])
def test_few_of_very_many_are_rounded_once(few):
    """Where only the events, times what is allowed of them, outgrow a float."""
    total = np.random.default_rng(few).integers(2**52, 2**54, 200)
    error = Fraction(3, 1_000)
    exact = [float(few / (error * whole)) for whole in total.tolist()]
    assert burn_rate(total - few, total, "99.7%").tolist() == exact


def test_one_large_count_is_a_count_too():
    """Beyond 2**53 as below it the answer is an array without dimensions."""
    for good, total in ((2**60 - 2**40, 2**60), (999, 1_000)):
        answers = (
            sli(good, total),
            burn_rate(good, total, "99.7%"),
            budget_remaining(good, total, "99.7%"),
        )
        bad = Fraction(total - good, total)
        expected = (1 - bad, bad * 1000 / 3, 1 - bad * 1000 / 3)
        for answer, exact in zip(answers, expected, strict=True):
            assert isinstance(answer, np.ndarray)
            assert (answer.shape, float(answer)) == ((), float(exact))


def test_a_budget_of_three_in_a_thousand():
    """A numerator other than 1, with few events and with as many as need whole numbers."""
    for scale in (1, 2**40):
        total = np.array([1_000, 1_000, 500, 2_000]) * scale
        good = total - np.array([3, 1, 3, 0]) * scale
        left = budget_remaining(good, total, "99.7%")
        assert left.tolist() == [0.0, 2 / 3, -1.0, 1.0]
        assert burn_rate(good, total, "99.7%").tolist() == [1.0, 1 / 3, 2.0, 0.0]


def test_small_types_do_not_go_round():
    """200 of 255 in a byte each, flags, and unsigned beside signed ones."""
    bad, total = np.array([200], dtype=np.uint8), np.array([255], dtype=np.uint8)
    assert burn_exceeds(bad, total, "99%", 78).tolist() == [True]
    assert burn_exceeds(bad, total, "99%", 79).tolist() == [False]
    assert burn_rate([True, False], [True, True], "50%").tolist() == [0.0, 2.0]
    large = np.array([2**60 + 1, 1])
    assert sli(large.astype(np.uint64), large).tolist() == [1.0, 1.0]


def test_one_count_beyond_int64_is_refused():
    """Among others that are not, whatever the order of its bytes."""
    for order in "<>":
        column = np.array([1, 2**64 - 1], dtype=f"{order}u8")
        with pytest.raises(InvalidCountsError, match="total has more than"):
            sli([1, 1], column)


def test_ordinary_counts_are_compared_in_columns():
    """As whole numbers of any size they would take some hundred bytes each."""
    total = np.arange(50_000) + 1_000
    size = fresh_bytes(lambda: burn_exceeds(total // 100, total, "99.9%", 14.4))
    assert size < 40 * len(total)


def test_a_budget_is_exact_where_only_what_was_spent_is_large():
    """Fewer events are allowed than float64 counts one by one, and more are spent."""
    bad, total = 1_232_260_376_604_802, 1_298_475_275_203_653
    exact = 1 - Fraction(bad, total) * 1_000
    assert budget_remaining([total - bad], [total], "99.9%").tolist() == [float(exact)]
