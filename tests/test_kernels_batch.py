"""Burn rates of many series at once, against one window of one series at a time."""

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
    InvalidWindowError,
)
from errorbudget.kernels import batch as kernel
from errorbudget.kernels import batch_burn_rates, burn_rate, grid, grid_windows
from tests.kernel_inputs import DISGUISES, blocks_of, fresh_bytes, pools_of


@st.composite
def tables(draw):
    series, bins = draw(st.integers(0, 4)), draw(st.integers(0, 8))
    size = st.one_of(st.integers(0, 5), st.integers(2**31, 2**50))
    total = [[draw(size) for _ in range(bins)] for _ in range(series)]
    good = [[draw(st.integers(0, one)) for one in row] for row in total]
    shape = (series, bins)
    return (
        np.array(good, dtype=np.int64).reshape(shape),
        np.array(total, dtype=np.int64).reshape(shape),
    )


@given(
    tables(),
    st.lists(st.integers(1, 10), max_size=3),
    st.sampled_from(["99.9%", "2/3", "100%"]),
    st.integers(1, 3),
    st.sampled_from([1, 3, 1 << 15]),
)
def test_each_series_has_the_burn_rates_of_its_windows(counts, steps, target, threads, block):
    """To the last bit, whatever the threads and blocks."""
    good, total = counts
    with blocks_of(block, kernel, grid):
        answer = batch_burn_rates(good, total, steps, target, threads=threads)
    assert answer.shape == (len(good), len(steps), good.shape[1])
    for burns, fine, whole in zip(answer, good, total, strict=True):
        cumulative = [np.concatenate(([0], np.cumsum(column))) for column in (fine, whole)]
        np.testing.assert_array_equal(burns, burn_rate(*grid_windows(*cumulative, steps), target))


def test_each_series_may_have_its_own_target_and_the_answer_its_place():
    """A list of targets, and an array to write to."""
    out = np.empty((2, 1, 2))
    answer = batch_burn_rates([[9, 9]] * 2, [[10, 10]] * 2, [1], ["90%", "80%"], out=out)
    assert answer is out
    assert out.tolist() == [[[1.0, 1.0]], [[0.5, 0.5]]]


@pytest.mark.parametrize("disguise", [name for name in DISGUISES if name != "list"])
def test_tables_may_be_disguised_and_stay_untouched(disguise):
    """Strided, read-only and big-endian tables count alike, and are not written to."""
    total = np.arange(1, 13).reshape(3, 4)
    good = total - 1
    columns = [DISGUISES[disguise](table) for table in (good, total)]
    before = [table.copy() for table in columns]
    expected = batch_burn_rates(good, total, [2], "99%")
    if columns[0].shape == good.shape:
        np.testing.assert_array_equal(batch_burn_rates(*columns, [2], "99%"), expected)
    for table, copy in zip(columns, before, strict=True):
        np.testing.assert_array_equal(table, copy)


def test_wrong_input_is_refused():
    """Each with what came."""
    good, total = np.array([[1, 2], [3, 9]]), np.array([[1, 2], [3, 4]])
    with pytest.raises(InvalidCountsError, match="9 good of 4 in bin 1 of series 1"):
        batch_burn_rates(good, total, [1], "99%")
    with pytest.raises(InvalidSeriesError, match="two dimensions"):
        batch_burn_rates([1], [1], [1], "99%")
    with pytest.raises(InvalidSeriesError, match="good has shape"):
        batch_burn_rates([[1]], [[1, 2]], [1], "99%")
    with pytest.raises(InvalidSeriesError, match="integer counts"):
        batch_burn_rates([[0.5]], [[1]], [1], "99%")
    with pytest.raises(InvalidSeriesError, match="3 targets for 1 series"):
        batch_burn_rates([[1]], [[1]], [1], ["99%"] * 3)
    with pytest.raises(InvalidSeriesError, match="out must have shape"):
        batch_burn_rates([[1]], [[1]], [1], "99%", out=np.empty((1, 1, 2)))
    with pytest.raises(InvalidInputError, match="threads"):
        batch_burn_rates([[1]], [[1]], [1], "99%", threads=0)
    for steps in ([0], [1.5], ["1"]):
        with pytest.raises(InvalidWindowError):
            batch_burn_rates([[1]], [[1]], steps, "99%")


def test_sums_beyond_int64_are_refused():
    """They would wrap around; up to there they are exact."""
    with pytest.raises(InvalidCountsError, match="events in series 1; split"):
        batch_burn_rates([[1, 1], [2**62] * 2], [[1, 1], [2**62] * 2], [1], "99%")
    with pytest.raises(InvalidCountsError, match="good has more than"):
        batch_burn_rates(np.array([[2**64 - 1]], "u8"), np.array([[5]], "u8"), [1], "99%")
    most = np.array([[2**62, 2**62 - 1]], "u8")
    assert batch_burn_rates(most * 0, most, [1, 2], "99%").tolist() == [[[100, 100], [100, 100]]]


def test_bins_without_events_have_no_burn_rate_and_a_wrong_bin_is_named():
    """NaN without a warning; the first wrong bin, not the first empty one."""
    answer = batch_burn_rates([[0, 9, 0]], [[0, 10, 0]], [1, 2], "90%")
    np.testing.assert_array_equal(answer, [[[np.nan, 1, np.nan], [np.nan, 1, 1]]])
    with pytest.raises(InvalidCountsError, match="got 5 good of 3 in bin 1 of series 0"):
        batch_burn_rates([[0, 5]], [[3, 3]], [1], "90%")
    # As many events as a number holds, and one more.
    assert batch_burn_rates([[2**62, 2**62 - 1]], [[2**62, 2**62 - 1]], [1], "90%").sum() == 0
    with pytest.raises(InvalidCountsError, match="in series 0; split"):
        batch_burn_rates([[2**62, 2**62]], [[2**62, 2**62]], [1], "90%")


def test_a_bin_may_hold_as_many_as_a_number_does():
    """2**63 - 1 events, unsigned or not; one more is refused."""
    most = np.array([[2**63 - 1, 0]], dtype=np.uint64)
    for table in (most, most.astype(np.int64), most.astype(">u8")):
        burns = batch_burn_rates(table, table, [1], "99%")
        np.testing.assert_array_equal(burns, [[[0, np.nan]]])
    with pytest.raises(InvalidCountsError, match="total has more than 2"):
        batch_burn_rates(most, most + np.uint64(1), [1], "99%")


def test_large_counts_burn_exactly():
    """Beyond 2**53, times an odd denominator: the rates are those of whole numbers."""
    rng = np.random.default_rng(9)
    total = rng.integers(2**51, 2**52, (50, 4))
    good = total - rng.integers(0, 2**51, (50, 4))
    third = Fraction(2, 3)
    found = batch_burn_rates(good, total, [1, 3], third)
    for row in range(50):
        sums = [np.concatenate(([0], np.cumsum(column[row]))) for column in (good, total)]
        np.testing.assert_array_equal(found[row], burn_rate(*grid_windows(*sums, [1, 3]), third))


def test_small_types_do_not_go_round():
    """A byte less a larger byte is negative, and so is a count below 0."""
    for kind in (np.uint8, np.int8):
        with pytest.raises(InvalidCountsError, match="got 5 good of 3 in bin 1 of series 0"):
            batch_burn_rates(np.array([[1, 5]], kind), np.array([[1, 3]], kind), [1], "99%")
    with pytest.raises(InvalidCountsError, match="got -1 good of 3 in bin 1 of series 1"):
        batch_burn_rates([[0, 0], [3, -1]], [[0, 0], [3, 3]], [1], "99%")
    large = np.full((1, 2), 127, dtype=np.int8)
    assert batch_burn_rates(large * 0, large, [2], "90%").tolist() == [[[10, 10]]]


def test_series_without_bins_have_no_rates():
    """Of any type, for an empty list is of floats; steps are looked at all the same."""
    assert batch_burn_rates([[], []], [[], []], [1, 2], "99%").shape == (2, 2, 0)
    with pytest.raises(InvalidWindowError):
        batch_burn_rates([[]], [[]], [0], "99%")


def test_threads_are_those_that_were_asked_for():
    """One, unless more are."""
    with pools_of(kernel) as made:
        batch_burn_rates([[1]], [[1]], [1], "99%")
        batch_burn_rates([[1]], [[1]], [1], "99%", threads=3)
    assert made == [1, 3]


@pytest.mark.parametrize("kind", [np.int64, np.uint32])
@pytest.mark.parametrize(("series", "bins"), [(400, 50), (2, 20_000)])
def test_memory_is_the_answer_and_a_few_series(kind, series, bins):
    """Tables are not copied, windows are not kept, and short series have little scratch."""
    rng = np.random.default_rng(4)
    total = rng.integers(1_000, 2_000, (series, bins)).astype(kind)
    good = total - total // 100
    out = np.empty((series, 3, bins))
    size = fresh_bytes(lambda: batch_burn_rates(good, total, [1, 5, 20], "99.9%", out=out))
    assert size < 72 * bins + 200 * series + 80_000


def test_one_large_bin_decides_like_many():
    """One bin beside an empty one, and the last of a series, are looked at as all are."""
    with pytest.raises(InvalidCountsError, match="in series 0; split"):
        batch_burn_rates([[0, 0, 0]], [[0, 2**63 - 1, 1]], [1], "90%")
    total = np.array([[3, 2**52 + 1]])
    good = total - np.array([[1, 2**51 + 1]])
    expected = [[1 / 3 * 3, float(Fraction(3 * (2**51 + 1), 2**52 + 1))]]
    assert batch_burn_rates(good, total, [1], "2/3").tolist() == [expected]


def test_the_last_bin_decides_how_a_series_is_counted():
    """A large one behind a small one: rates are those of whole numbers."""
    rng = np.random.default_rng(9)
    total = np.stack([np.full(50, 3), rng.integers(2**59, 2**60, 50)], axis=1)
    good = total - np.stack([np.ones(50, int), rng.integers(2**58, 2**59, 50)], axis=1)
    found = batch_burn_rates(good, total, [1], Fraction(2, 3))
    bad = (total - good)[:, 1].tolist()
    exact = [
        3 * Fraction(wrong, events) for wrong, events in zip(bad, total[:, 1].tolist(), strict=True)
    ]
    assert found[:, 0, 1].tolist() == [float(rate) for rate in exact]
