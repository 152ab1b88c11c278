"""Exact quantiles over sliding windows: the numpy kernel, its plain twin and numpy's own."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import rolling as plain
from errorbudget.errors import InvalidInputError, InvalidSeriesError, InvalidWindowError
from errorbudget.kernels import quantiles as kernel
from errorbudget.kernels import rolling_quantiles
from tests.kernel_inputs import DISGUISES, WINDOWS, blocks_of, fresh_bytes, sorted_instants

VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 0.1, 0.1, 0.2, 0.2000001, 5e-324, 1e308, 3.0]),
    st.floats(0, 10, allow_subnormal=True),
)
SHARES = [Fraction(1, 1000), Fraction(1, 2), Fraction(95, 100), Fraction(99, 100), Fraction(1)]


@st.composite
def measured(draw):
    time = draw(sorted_instants())
    values = draw(st.lists(VALUES, min_size=len(time), max_size=len(time)))
    return time, np.array(values, dtype=np.float64)


def agree(answer, expected):
    for row, twin in zip(answer.tolist(), expected, strict=True):
        assert [None if value != value else value for value in row] == twin


@given(
    measured(),
    sorted_instants(max_size=12),
    WINDOWS,
    st.sampled_from(["right", "left"]),
    st.sampled_from([1, 3, 1 << 15]),
    st.sampled_from([1, 2, 1024]),
)
def test_quantiles_are_those_of_the_plain_twin(rows, ends, window, closed, block, cell_events):
    """Exactly, for ties, zeros, tiny and huge values, empty and warm-up windows."""
    time, values = rows
    if len(time) and len(ends) and abs(int(ends[-1]) - int(time[0])) > 2**62:
        return
    expected = plain.rolling_quantiles(
        time.tolist(), values.tolist(), ends.tolist(), window, SHARES, closed=closed
    )
    with blocks_of(block, kernel), pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "CELL_EVENTS", cell_events)
        answer = rolling_quantiles(time, values, ends, window, SHARES, closed=closed)
    agree(answer, expected)


@pytest.mark.parametrize("shape", ["steady", "drifting", "few values", "two worlds"])
def test_many_events_are_exact_too(shape):
    """Thousands of windows over thousands of events, against numpy's inverted CDF."""
    rng = np.random.default_rng(7)
    time = np.sort(rng.integers(0, 40_000, 60_000))
    values = rng.lognormal(-2, 0.7, len(time))
    if shape == "drifting":
        values *= np.exp(time / 10_000)
    elif shape == "few values":
        values = np.round(values, 1)
    elif shape == "two worlds":
        values = np.where(time % 10_000 < 5_000, values, values * 1e6)
    ends = np.arange(0, 42_000, 7)
    answer = rolling_quantiles(time, values, ends, 3_000, [0.5, 0.95, 0.99])
    starts, stops = time.searchsorted(ends - 3_000, "right"), time.searchsorted(ends, "right")
    for column in range(0, len(ends), 37):
        inside = values[starts[column] : stops[column]]
        if len(inside):
            expected = np.quantile(inside, [0.5, 0.95, 0.99], method="inverted_cdf")
            np.testing.assert_array_equal(answer[:, column], expected)
        else:
            assert np.isnan(answer[:, column]).all()


@pytest.mark.parametrize("disguise", DISGUISES)
@given(rows=measured(), ends=sorted_instants(max_size=6))
def test_columns_may_be_disguised_and_stay_untouched(disguise, rows, ends):
    """Strided, read-only, big-endian and listed columns count alike, and are not written to."""
    if len(rows[0]) and len(ends) and abs(int(ends[-1]) - int(rows[0][0])) > 2**62:
        return
    columns = [DISGUISES[disguise](column) for column in (*rows, ends)]
    before = [np.array(column) for column in columns]
    np.testing.assert_array_equal(
        rolling_quantiles(*columns, 61, [0.5]), rolling_quantiles(*rows, ends, 61, [0.5])
    )
    for column, copy in zip(columns, before, strict=True):
        np.testing.assert_array_equal(column, copy)


@given(st.integers(0, 2**60), st.fractions(Fraction(1, 10**9), 1))
def test_a_rank_is_exact_for_any_size(total, share):
    """ceil(q x n), also where the product leaves int64."""
    [rank] = kernel.nearest_rank(np.array([total]), share)
    assert rank == -(-total * share.numerator // share.denominator)


def test_wrong_input_is_refused():
    """With the first offender, and the cure."""
    for value in (np.nan, np.inf, -0.5):
        with pytest.raises(InvalidSeriesError, match="at index 1; leave out") as caught:
            rolling_quantiles([1, 2], [0.1, value], [2], 1, [0.5])
        assert caught.value.index == 1
    with pytest.raises(InvalidSeriesError, match="time_ns must ascend"):
        rolling_quantiles([2, 1], [0.1, 0.2], [2], 1, [0.5])
    with pytest.raises(InvalidSeriesError, match="ends_ns must ascend"):
        rolling_quantiles([1, 2], [0.1, 0.2], [2, 1], 1, [0.5])
    with pytest.raises(InvalidSeriesError, match="they must match"):
        rolling_quantiles([1, 2], [0.1], [2], 1, [0.5])
    with pytest.raises(InvalidSeriesError, match="must be numbers"):
        rolling_quantiles([1], ["slow"], [2], 1, [0.5])
    for quantile in (0, 1.5, "p95", float("nan")):
        with pytest.raises(InvalidInputError, match="a quantile must lie in"):
            rolling_quantiles([1], [0.1], [2], 1, [quantile])
    with pytest.raises(InvalidWindowError):
        rolling_quantiles([1], [0.1], [2], 0, [0.5])
    with pytest.raises(InvalidWindowError):
        rolling_quantiles([1], [0.1], [2], 1, [0.5], closed="both")
    with pytest.raises(InvalidSeriesError, match="292 years"):
        rolling_quantiles([2**62], [0.1], [-(2**63) + 5, 2**63 - 1], 2**64, [0.5])


@pytest.mark.parametrize("cell_events", [1, 3, 1_000])
def test_groups_enclose_their_windows(cell_events):
    """Each lies within the outer marks of its group, and holds what is between the inner ones."""
    rng = np.random.default_rng(5)
    for windows in (1, 2, 3, 10):
        starts = np.sort(rng.integers(0, 20, windows))
        stops = np.maximum.accumulate(starts + rng.integers(1, 10, windows))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernel, "CELL_EVENTS", cell_events)
            groups = kernel._Groups.of(starts, stops, 30)
        marks, ends = groups.marks, [*groups.first[1:], windows]
        assert cell_events < 30 or len(ends) == 1
        assert (marks[0], marks[-1]) == (0, 30)
        for group, (first, end) in enumerate(zip(groups.first, ends, strict=True)):
            assert marks[groups.outer_start[group]] <= starts[first:end].min()
            assert marks[groups.outer_stop[group]] >= stops[first:end].max()
            inner = marks[groups.inner_start[group]], marks[groups.inner_stop[group]]
            assert inner[0] <= inner[1]
            assert inner[0] == inner[1] or inner[0] >= starts[first:end].max()
            assert inner[1] <= stops[first:end].min()


def test_bounds_hold_the_answer_of_every_window():
    """In each cell that a window reaches into, its answer lies within the bounds of the cell."""
    rng = np.random.default_rng(6)
    values = rng.exponential(size=4_000)
    starts = np.arange(0, 3_500, 50)
    stops = starts + rng.integers(100, 500, len(starts))
    stops = np.maximum.accumulate(np.minimum(stops, len(values)))
    share = Fraction(9, 10)
    rank = -(-(stops - starts) * share.numerator // share.denominator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "CELL_EVENTS", 400)
        groups = kernel._Groups.of(starts, stops, len(values))
    assert len(groups.first) == 10
    buckets = kernel.Buckets(values)
    low, high = groups.bounds(kernel._cell_histogram(values, groups.marks, buckets), rank)
    for start, stop, wanted in zip(starts, stops, rank, strict=True):
        answer = np.sort(values[start:stop])[wanted - 1]
        bucket = int(buckets.bounds.searchsorted(answer, "right")) - 1
        cells = (groups.marks[:-1] < stop) & (groups.marks[1:] > start)
        assert (low[cells] <= bucket).all()
        assert (high[cells] >= bucket).all()


def test_buckets_are_made_of_a_sample_of_many_values():
    """Of 200,000 every third is looked at, and each falls into the bucket that encloses it."""
    values = np.random.default_rng(2).exponential(size=200_000)
    buckets = kernel.Buckets(values)
    places = buckets.bounds.searchsorted(values, "right") - 1
    counts = buckets.count(values, np.empty(len(values), dtype=np.int64))
    assert counts.tolist() == np.bincount(places, minlength=len(buckets)).tolist()


@pytest.mark.parametrize("down", [10, 2**31 - 1, 2**31, 2**32 - 1, 2**40 + 1])
def test_a_rank_is_exact_for_any_share(down):
    """Whatever its denominator, for no values and for as many as a number holds."""
    total = np.array([0, 1, 7, down - 1, down, 2**60 + 3, 2**63 - 1])
    for up in (1, down // 3, down - 1, down):
        share = Fraction(up, down)
        ranks = kernel.nearest_rank(total, share)
        exact = [-(-n * share.numerator // share.denominator) for n in total.tolist()]
        assert (ranks.tolist(), ranks.dtype) == (exact, np.int64)
    many = np.arange(50_000)
    assert kernel.nearest_rank(many[:0], share).tolist() == []
    assert fresh_bytes(lambda: kernel.nearest_rank(many, Fraction(199, 200))) < 48 * len(many)


def test_a_sample_is_every_so_many_values():
    """All of them while they are few."""
    assert len(kernel.sample_of(np.zeros(kernel.SAMPLE * 2 - 1))) == kernel.SAMPLE * 2 - 1
    assert kernel.sample_of(np.arange(kernel.SAMPLE * 3.0))[:3].tolist() == [0, 3, 6]


def test_buckets_hold_about_equally_many():
    """Where values are rare a bucket spans some keys; where they crowd, each key is a bucket."""
    keys = (1_000 << 6) + np.arange(700)
    values = (keys << kernel.KEY_SHIFT).view(np.float64)
    buckets = kernel.Buckets(values)
    assert len(buckets) == len(buckets.bucket_of) == 700
    assert buckets.bounds.tolist() == [*values.tolist(), np.inf]
    assert len(kernel.Buckets(values[:1])) == 1
    twice = kernel.Buckets(np.repeat(values, 2))  # of 1,400 values a bucket holds two at least
    assert twice.bounds.tolist() == buckets.bounds.tolist()
    wide = kernel.Buckets(np.tile(values, 3)[: 3 * 512])
    assert wide.bounds[-1] == np.inf
    counted = kernel.Buckets((((1_000 << 6) + np.arange(2_000)) << kernel.KEY_SHIFT).view(float))
    assert len(counted) == -(-2_000 // 3)  # three of the rarest values in each
    held = np.bincount(counted.bucket_of)
    assert (held[:-1] == 3).all()


def test_values_are_counted_in_room_that_is_there():
    """A column of buckets beside it, and no second one."""
    values = np.random.default_rng(2).exponential(size=30_000)
    buckets, scratch = kernel.Buckets(values), np.empty(30_000, dtype=np.int64)
    assert fresh_bytes(lambda: buckets.count(values, scratch)) < 12 * len(values)


def test_a_cell_histogram_counts_before_marks_and_below_ends():
    """In whole numbers."""
    values = np.random.default_rng(4).exponential(size=500)
    buckets = kernel.Buckets(values)
    marks = np.array([0, 3, 3, 200, 500])
    with blocks_of(40, kernel):
        table = kernel._cell_histogram(values, marks, buckets)
    assert table.dtype == np.int64
    for mark, row in zip(marks, table, strict=True):
        below = [0, *((values[:mark] < end).sum() for end in buckets.bounds[1:])]
        assert row.tolist() == below


def test_bounds_are_those_of_the_groups_that_reach_into_a_cell():
    """The least and the most of theirs; a cell that no window reaches has none."""
    rng = np.random.default_rng(6)
    values = rng.exponential(size=900) + np.arange(900) / 100
    starts = np.array([10, 20, 30, 60, 400, 410, 420, 430])
    stops = np.array([40, 200, 210, 220, 430, 500, 800, 800])
    rank = -(-(stops - starts) * 9 // 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "CELL_EVENTS", 300)
        groups = kernel._Groups.of(starts, stops, len(values))
    buckets = kernel.Buckets(values)
    table = kernel._cell_histogram(values, groups.marks, buckets)
    low, high = groups.bounds(table, rank)
    found = []
    for group, first in enumerate(groups.first):
        inside = slice(first, [*groups.first[1:], len(starts)][group])
        marks = groups.marks.tolist()
        outer = slice(marks[groups.outer_start[group]], marks[groups.outer_stop[group]])
        inner = slice(marks[groups.inner_start[group]], marks[groups.inner_stop[group]])
        least = np.sort(values[outer])[rank[inside].min() - 1]
        among, place = np.sort(values[inner]), rank[inside].max() - 1
        most = among[place] if place < len(among) else np.inf
        span = (outer.start, outer.stop)
        found.append((span, *(buckets.bounds[:-1].searchsorted([least, most], "right") - 1)))
    empty = 0
    for cell, start in enumerate(groups.marks[:-1]):
        reach = [(least, most) for (begin, end), least, most in found if begin <= start < end]
        if reach:
            assert low[cell] == min(least for least, _ in reach)
            assert high[cell] == max(most for _, most in reach)
        else:
            empty += 1
            assert (low[cell], high[cell]) == (len(buckets), -1)
    assert empty > 1


def test_values_within_the_bounds_are_kept_and_those_below_counted():
    """From the floor on, short of the ceiling, those of a piece by the bounds of its cells."""
    values = np.array([1.0, 5, 2, 9, 5, 1, 7, 3, 5, 2])
    marks, edges = np.array([0, 4, 10]), np.array([0, 1, 3, 4, 9, 10])
    low, high = np.array([2.0, 3.0]), np.array([9.0, 5.0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "LEAST", 4)
        kept, kept_cum, below_cum = kernel._keep(values, edges, low, high, marks)
    chosen = [False, True, True, False, False, False, False, True, False, False]
    below = [True, False, False, False, False, True, False, False, False, True]
    assert kept.tolist() == values[chosen].tolist()
    assert kept_cum.tolist() == np.append(0, np.cumsum(chosen))[edges].tolist()
    assert below_cum.tolist() == np.append(0, np.cumsum(below))[edges].tolist()


def test_pieces_are_some_hundreds_and_neither_tiny_nor_huge():
    """Few events are one piece."""
    for rows, piece in (
        (0, 8_192),
        (2**21, 8_192),
        (2**22 + 100, 16_384),
        (10**9, 2 * kernel.BLOCK),
    ):
        assert kernel._piece(rows) == piece


@pytest.mark.parametrize("size", [*range(1, 19), 32, 33, 64, 65])
def test_a_value_of_each_rank_is_selected(size):
    """Of every stretch of a few values, however many."""
    values = np.random.default_rng(size).permutation(size).astype(np.float64)
    starts, stops = np.triu_indices(size + 1, 1)
    for rank in {1, 2, size}:
        fits = stops - starts >= rank
        found = kernel._select(
            values, starts[fits], stops[fits], np.full(np.count_nonzero(fits), rank)
        )
        pairs = zip(starts[fits], stops[fits], strict=True)
        assert found.tolist() == [np.sort(values[a:b])[rank - 1] for a, b in pairs]


def test_a_window_longer_than_time_holds_the_first_event():
    """Up to the last end, and at the beginning of int64."""
    for closed in ("left", "right"):
        found = rolling_quantiles([0, 10], [1.0, 9.0], [10, 11], 2**64, [0.5], closed=closed)
        assert found.tolist() == [[1.0, 1.0]]
    first = -(2**63) + 2
    found = rolling_quantiles([first], [1.0], [first, first + 1], 2**63, [0.5])
    assert found.tolist() == [[1.0, 1.0]]
    with pytest.raises(InvalidSeriesError, match="292 years"):
        rolling_quantiles([first - 1], [1.0], [first - 1, first], 2**63, [0.5])
    assert rolling_quantiles([], [], [5], 3, [0.5]).shape == (1, 1)
    none = kernel.FilledWindows.of([], [], [5], 3, "right")
    assert none.filled.dtype == none.starts.dtype == np.int64
