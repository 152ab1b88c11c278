"""Histograms by leading bits: bounds that hold, merges that lose nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.kernels import histogram as kernel
from errorbudget.kernels import rolling_quantile_sketch, rolling_quantiles
from errorbudget.kernels.quantiles import bucket_of_rank
from tests.kernel_inputs import WINDOWS, blocks_of, fresh_bytes, sorted_instants

VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 0.1, 1.0, 1e-300, 1e300]), st.floats(1e-6, 1e4), st.floats(0.1, 0.2)
)
ALPHAS = st.sampled_from([0.001, 0.01, 0.05, 0.5])


@st.composite
def measured(draw):
    time = draw(sorted_instants())
    values = draw(st.lists(VALUES, min_size=len(time), max_size=len(time)))
    return time, np.array(values, dtype=np.float64)


@given(st.lists(VALUES, min_size=1, max_size=20), ALPHAS)
def test_a_bucket_holds_its_values_and_its_middle_is_near(values, alpha):
    """Begin <= value < end, ascending, and the middle is at most alpha off."""
    bits = kernel.bucket_bits(alpha)
    keys = kernel.bucket_keys(values, bits)
    begin, end = kernel.bucket_bounds(keys, bits)
    numbers = np.array(values)
    assert ((begin <= numbers) & (numbers < end)).all()
    assert (np.abs(kernel.bucket_values(keys, bits) - numbers) <= alpha * numbers).all()
    assert (np.diff(keys[np.argsort(numbers, kind="stable")]) >= 0).all()


@given(measured(), sorted_instants(max_size=12), WINDOWS, ALPHAS, st.sampled_from([1, 3, 1 << 15]))
def test_a_sketch_is_within_its_error_of_the_exact_answer(rows, ends, window, alpha, block):
    """Warm-up and empty windows included."""
    time, values = rows
    if len(time) and len(ends) and abs(int(ends[-1]) - int(time[0])) > 2**62:
        return
    shares = [Fraction(1, 2), Fraction(95, 100), 1]
    exact = rolling_quantiles(time, values, ends, window, shares)
    with blocks_of(block, kernel):
        sketch = rolling_quantile_sketch(time, values, ends, window, shares, alpha=alpha)
    np.testing.assert_array_equal(np.isnan(sketch), np.isnan(exact))
    known = ~np.isnan(exact)
    assert (np.abs(sketch - exact)[known] <= alpha * exact[known]).all()


def test_the_largest_values_have_a_middle_too():
    """The last bucket ends at infinity; its middle does not."""
    for value in (1.7976931348623157e308, 2.0**1023, 2.0**-1022):
        [[sketch]] = rolling_quantile_sketch([1], [value], [1], 1, [1])
        assert abs(Fraction(sketch) - Fraction(value)) <= Fraction(1, 128) * Fraction(value)


def test_many_events_are_within_the_error_too():
    """Thousands of windows, a drift that leaves early windows among the lowest values."""
    rng = np.random.default_rng(7)
    time = np.sort(rng.integers(0, 40_000, 60_000))
    values = rng.lognormal(-2, 0.7, len(time)) * np.exp(time / 10_000)
    arguments = (time, values, np.arange(0, 42_000, 7), 3_000, [0.95, 0.99])
    exact, sketch = rolling_quantiles(*arguments), rolling_quantile_sketch(*arguments)
    known = ~np.isnan(exact)
    assert (np.abs(sketch - exact)[known] <= 2.0**-7 * exact[known]).all()


def test_wrong_input_is_refused():
    """An error that no bucket can keep to, and values that are none."""
    for alpha in (0, 0.6, float("nan")):
        with pytest.raises(InvalidInputError, match="alpha"):
            kernel.bucket_bits(alpha)
    with pytest.raises(InvalidSeriesError, match="at index 0"):
        kernel.bucket_keys([-1.0], 6)


@pytest.mark.parametrize("block", [100, 1 << 15])
@pytest.mark.parametrize("closed", ["left", "right"])
def test_a_sketch_gives_the_middle_of_the_exact_answers_bucket(block, closed):
    """It is counted in buckets, not looked up: the middle, though the exact answer is another."""
    rng = np.random.default_rng(3)
    time = np.sort(rng.integers(0, 5_000, 20_000))
    values = rng.lognormal(0, 0.5, len(time))
    arguments = (time, values, np.arange(500, 5_000, 50), 500, [0.5, 0.95])
    exact = rolling_quantiles(*arguments, closed=closed)
    with blocks_of(block, kernel):
        sketch = rolling_quantile_sketch(*arguments, closed=closed)
    bits = kernel.bucket_bits(0.01)
    middles = kernel.bucket_values(kernel.bucket_keys(exact.ravel(), bits), bits)
    np.testing.assert_array_equal(sketch.ravel(), middles)


def test_bits_are_as_few_as_the_error_allows():
    """Half a bucket is at most the error."""
    assert [kernel.bucket_bits(alpha) for alpha in (0.5, 0.25, 0.2, 0.01, 1e-6)] == [0, 1, 2, 6, 19]


@pytest.mark.parametrize("width", range(1, 18))
def test_every_bucket_can_be_the_answer(width):
    """One value in each: the rank is the bucket, however many there are."""
    table = np.array([np.zeros(width, dtype=np.int64), np.arange(1, width + 1)])
    rank = np.arange(1, width + 1)
    none = np.zeros(width, dtype=np.int64)
    assert bucket_of_rank(table, none, none + 1, rank).tolist() == (rank - 1).tolist()


@pytest.mark.parametrize(("closed", "first"), [("left", 0.2), ("right", 0.5)])
def test_a_window_unlike_the_others_keeps_to_its_side(closed, first):
    """Its answer is looked for among its own events, the one at its end or at its start."""
    values = np.full(100, 10.0)
    values[:6] = [0.001, 0.001, 0.2, 0.001, 0.001, 0.5]
    found = rolling_quantile_sketch(np.arange(100), values, [5, 90], 3, [1.0], closed=closed)
    np.testing.assert_allclose(found[0], [first, 10.0], rtol=0.01)


def test_a_window_of_one_event_at_its_start_is_not_empty():
    """Counted by itself among the few that are answered exactly, on the side that was asked for."""
    values = np.full(1_000, 10.0)
    values[:3] = [0.5, 0.2, 0.1]
    found = rolling_quantile_sketch(np.arange(1_000), values, [1, 900], 1, [1.0], closed="left")
    np.testing.assert_array_equal(
        found[0], [0.5, kernel.bucket_values(kernel.bucket_keys([10.0], 6), 6)[0]]
    )


def test_bounds_and_middles_are_those_of_the_bucket():
    """Of keys of any integer type."""
    for keys in ([65_472, 0], np.array([65_472, 0], dtype=np.int32)):
        begin, end = kernel.bucket_bounds(keys, 6)
        assert begin.tolist() == [1.0, 0.0]
        assert end.tolist() == [1.015625, 2.0**-1022 / 64 + 0.0]
        assert kernel.bucket_values(keys, 6).tolist() == [1.0078125, 0.0]


def test_buckets_are_counted_about_where_the_quantile_lies():
    """As far below as there is beyond it, and half as far above; all of them for a median."""
    sample = np.arange(1.0, 1_002.0)
    for share, low, high in (
        (Fraction(95, 100), 900, 976),
        (Fraction(1, 2), 1, 751),
        (Fraction(1), 991, 1_001),
        (Fraction(1, 100), 1, 506),
    ):
        keys = kernel.bucket_keys([low, high], 19)
        assert kernel._likely_keys(sample, 19, share) == tuple(keys.tolist())


def test_counts_are_of_a_type_that_holds_them():
    """Small while they can be."""
    assert [kernel._count_type(most) for most in (1, 2**31 - 1, 2**31, 2**40)] == [
        *(np.int32, np.int32),
        *(np.int64, np.int64),
    ]


@pytest.mark.parametrize("block", [1, 7, 1 << 15])
@pytest.mark.parametrize("rows", [30, 3_000])
def test_running_histograms_count_what_lies_before_each_edge(block, rows):
    """And up to each bucket from the first of a span on; the last column has those beyond."""
    rng = np.random.default_rng(2)
    values = rng.lognormal(0, 1, rows)
    values[0] = 3.0
    keys = kernel.bucket_keys(values, 4)
    edges = np.array([0, 1, 5, 6, 14, 15, 28, rows])
    spans = [(int(keys[3]), int(keys[3])), (int(keys.min()) + 2, int(keys.max()) - 5)]
    with blocks_of(block, kernel):
        tables = kernel._running_histograms(values, edges, 4, spans)
    for table, (low, high) in zip(tables, spans, strict=True):
        assert (table.dtype, table.shape) == (np.int32, (len(edges), high - low + 2))
        for row, edge in enumerate(edges):
            before = keys[:edge]
            before = np.sort(before[before >= low])
            up_to = before.searchsorted(np.arange(low, high + 1), "right")
            assert table[row].tolist() == [*up_to, len(before)]


def test_few_values_among_many_cells_are_added_one_by_one():
    """Without a count of every cell."""
    table = np.zeros((2_000, 50), dtype=np.int32)
    columns, places = np.array([3, 60, 3]), np.array([0, 700, 701])

    def count():
        kernel._count(table, columns, places, np.arange(1, 2_000))

    count()
    assert (table[0, 3], table[700, 49], table[701, 3], table.sum()) == (1, 1, 1, 3)
    assert fresh_bytes(count) < table.size


def test_small_windows_are_answered_by_the_middle_of_a_bucket():
    """Of one event or two, at the first rank and in the last bucket."""
    rng = np.random.default_rng(3)
    values = rng.lognormal(0, 0.5, 500)
    for share, likely in ((0.5, (0, 0.7)), (1.0, (0.995, 1))):
        arguments = (np.arange(500), values, np.arange(500), 2, [share])
        exact, sketch = rolling_quantiles(*arguments)[0], rolling_quantile_sketch(*arguments)[0]
        low, high = np.quantile(values, likely)
        counted = (exact >= low) & (exact <= high)
        middles = kernel.bucket_values(kernel.bucket_keys(exact, 6), 6)
        assert counted.any()
        np.testing.assert_array_equal(sketch[counted], middles[counted])
