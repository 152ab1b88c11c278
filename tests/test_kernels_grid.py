"""Counts on a grid and windows over it: the numpy kernels and their plain twins."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget import rolling as plain
from errorbudget.errors import InvalidCountsError, InvalidSeriesError, InvalidWindowError
from errorbudget.kernels import (
    budget_remaining,
    burn_rate,
    grid_budget,
    grid_counts,
    grid_windows,
    rolling_counts,
    sli,
)
from errorbudget.kernels import grid as kernel
from errorbudget.target import Target
from tests.kernel_inputs import (
    DISGUISES,
    blocks_of,
    events,
    fresh_bytes,
    groups,
    pools_of,
    sorted_instants,
)

BLOCKS = st.sampled_from([1, 2, 3, 7, 1 << 15])
CLOSED = st.sampled_from(["right", "left"])
STEPS = st.lists(st.integers(1, 30), max_size=4)


def as_lists(answer):
    return tuple(column.tolist() for column in answer)


@st.composite
def edges_near(draw, time):
    """Edges that hit events, lie between them, or beyond; repeated edges too."""
    near = [int(t) for t in time] or [0]
    offsets = draw(st.lists(st.tuples(st.sampled_from(near), st.integers(-2, 2)), max_size=12))
    return np.array(sorted(t + offset for t, offset in offsets), dtype=np.int64)


@given(st.data(), events(), BLOCKS, CLOSED, st.integers(1, 3))
def test_counts_are_those_of_the_plain_twin(data, rows, block, closed, threads):
    """Exactly, with edges hit, repeated and beyond the data, any block, any number of threads."""
    time, good = rows
    edges = data.draw(st.one_of(edges_near(time), sorted_instants(max_size=10)))
    with blocks_of(block, kernel):
        answer = grid_counts(time, good, edges, closed=closed, threads=threads)
    assert as_lists(answer) == plain.grid_counts(
        time.tolist(), good.tolist(), edges.tolist(), closed=closed
    )


@given(st.data(), groups(), CLOSED)
def test_grouped_counts_are_those_of_the_plain_twin(data, rows, closed):
    """Totals far above 2**31 are as exact as small ones."""
    time, good, total = rows
    edges = data.draw(edges_near(time))
    answer = grid_counts(time, good, edges, total=total, closed=closed)
    assert as_lists(answer) == plain.grid_counts(
        time.tolist(), good.tolist(), edges.tolist(), total=total.tolist(), closed=closed
    )


@given(st.data(), events(), st.randoms(use_true_random=False))
def test_a_sort_that_was_asked_for_changes_nothing_else(data, rows, random):
    """Shuffled events give the same grid."""
    time, good = rows
    edges = data.draw(edges_near(time))
    order = list(range(len(time)))
    random.shuffle(order)
    expected = as_lists(grid_counts(time, good, edges))
    assert as_lists(grid_counts(time[order], good[order], edges, sort=True)) == expected
    ones = np.ones(len(time), dtype=np.int64)
    assert expected == as_lists(
        grid_counts(time[order], good[order].astype(int), edges, total=ones, sort=True)
    )


@pytest.mark.parametrize("disguise", DISGUISES)
@given(rows=events(), edges=sorted_instants(max_size=10))
def test_columns_may_be_disguised_and_stay_untouched(disguise, rows, edges):
    """Strided, read-only, big-endian and listed columns count alike, and are not written to."""
    columns = [DISGUISES[disguise](column) for column in (*rows, edges)]
    before = [np.array(column) for column in columns]
    assert as_lists(grid_counts(*columns)) == as_lists(grid_counts(*rows, edges))
    for column, copy in zip(columns, before, strict=True):
        np.testing.assert_array_equal(column, copy)


@given(groups(), STEPS)
def test_windows_are_those_of_the_plain_twin(rows, steps):
    """Partial windows at the start included."""
    cumulative = [np.concatenate(([0], np.cumsum(column))) for column in rows[1:]]
    answer = grid_windows(*cumulative, steps)
    assert as_lists(answer) == plain.grid_windows(*(c.tolist() for c in cumulative), steps)


@given(groups(), STEPS, BLOCKS, st.sampled_from(["99.9%", "2/3", "100%", "99.99999%"]))
def test_ratios_are_those_of_the_counts(rows, steps, block, target):
    """One call gives what four give, to the last bit."""
    cumulative = [np.concatenate(([0], np.cumsum(column))) for column in rows[1:]]
    with blocks_of(block, kernel):
        answer = grid_budget(*cumulative, steps, target)
    counts = grid_windows(*cumulative, steps)
    expected = (sli(*counts), budget_remaining(*counts, target), burn_rate(*counts, target))
    for column, twin in zip(answer, expected, strict=True):
        np.testing.assert_array_equal(column, twin)


@given(events(), st.integers(1, 6), st.sampled_from([1, 7, 60]))
def test_windows_on_the_grid_are_windows_at_events(rows, step, width):
    """An event that stands on an edge has the window of its edge."""
    time, good = rows
    if not len(time) or not -(2**60) < time[-1] < 2**60:
        return
    edges = time[-1] - width * np.arange(2_000, -1, -1)
    counts = grid_windows(*grid_counts(time, good, edges), [step])
    at_events = rolling_counts(time, good, step * width)
    for grid, column in zip(counts, at_events, strict=True):
        assert grid[0, -1] == column[-1]


@given(events(), sorted_instants(max_size=10))
def test_shifting_the_clock_changes_nothing(rows, edges):
    """Counts know differences of time only."""
    time, good = rows
    if (len(time) and abs(time[-1]) > 2**62) or (len(edges) and abs(edges[-1]) > 2**62):
        return
    shifted = grid_counts(time + 12_345, good, edges + 12_345)
    assert as_lists(shifted) == as_lists(grid_counts(time, good, edges))


@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=30),
    st.lists(st.integers(-1, 4), max_size=9).map(sorted),
    BLOCKS,
    st.integers(1, 3),
)
def test_any_disorder_is_found(time, edges, block, threads):
    """Among few instants with many ties; and of several offenders the first is named."""
    falls = [row for row in range(1, len(time)) if time[row] < time[row - 1]]
    good = [row % 3 > 0 for row in range(len(time))]
    with blocks_of(block, kernel):
        if not falls:
            assert as_lists(grid_counts(time, good, edges, threads=threads)) == (
                plain.grid_counts(time, good, edges)
            )
            return
        with pytest.raises(InvalidSeriesError) as caught:
            grid_counts(time, good, edges, threads=threads)
    assert caught.value.index == falls[0]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("block", [1, 2, 3, 1 << 15])
def test_disorder_is_named_by_its_first_offender(block, threads):
    """Of events, grouped rows and edges, at borders of blocks too."""
    flags = np.ones(8, dtype=np.int64)
    for index in range(1, 8):
        time = np.arange(8) * 10
        time[index] = time[index - 1] - 1
        for arguments, name in (
            ({"time_ns": time, "edges_ns": [50]}, "time_ns"),
            ({"time_ns": time, "edges_ns": [50], "total": flags}, "time_ns"),
            ({"time_ns": np.arange(8), "edges_ns": time}, "edges_ns"),
        ):
            with (
                blocks_of(block, kernel),
                pytest.raises(InvalidSeriesError, match=f"{name} .* index {index}") as caught,
            ):
                grid_counts(good=flags, threads=threads, **arguments)
            assert caught.value.index == index


def test_wrong_input_is_refused():
    """Each with what came and what fits."""
    with pytest.raises(InvalidWindowError, match="both"):
        grid_counts([1], [True], [1], closed="both")
    with pytest.raises(InvalidWindowError, match="at least one bin"):
        grid_windows([0, 1], [0, 1], [0])
    with pytest.raises(InvalidSeriesError, match="one length"):
        grid_budget([0, 1], [0, 1, 2], [1], "99%")
    with pytest.raises(InvalidSeriesError, match="one length"):
        grid_windows([], [], [1])
    with pytest.raises(InvalidSeriesError, match="must be integers"):
        grid_windows([0.0, 1.0], [0, 1], [1])
    for twin in (grid_windows, plain.grid_windows):
        with pytest.raises(InvalidWindowError, match=r"whole number of bins, got \[1\.5\]"):
            twin([0, 1], [0, 1], [1.5])
    for good, total in (([0, 5, 3], [0, 6, 8]), ([0, 5], [0, 3]), ([0, 1], [0, 2**63])):
        columns = np.array(good, "u8"), np.array(total, "u8")
        with pytest.raises(InvalidCountsError, match="must not fall"):
            grid_budget(*columns, [1], "99%")


def test_a_day_at_the_guides_target():
    """72 bad of 5,000 in an hour burn at exactly 14.4."""
    good, total = [0, 4_928], [0, 5_000]
    shares, left, burns = grid_budget(good, total, [1], Target("99.9%"))
    assert burns.tolist() == [[14.4]]
    assert shares.tolist() == [[float(Fraction(4_928, 5_000))]]
    assert left.tolist() == [[-13.4]]


@pytest.mark.parametrize("closed", ["left", "right"])
@pytest.mark.parametrize("block", [64, 1_000, 1 << 15])
def test_thousands_of_events_between_edges(closed, block):
    """An event at an edge, and those a nanosecond before and after it, fall on their side."""
    rng = np.random.default_rng(5)
    time = np.sort(rng.integers(0, 4_000, 6_000))
    good = rng.integers(0, 50, len(time)) > 0
    bad = np.concatenate(([0], np.cumsum(~good)))
    for edges in (np.arange(-3, 4_003), np.arange(0, 4_100, 97), np.array([-(2**63), 1_000])):
        rows = np.searchsorted(time, edges, side=closed)
        with blocks_of(block, kernel):
            fine, total = grid_counts(time, good, edges, closed=closed)
        np.testing.assert_array_equal(total, rows)
        np.testing.assert_array_equal(total - fine, bad[rows])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bins", [1, 3, 1 << 15])
@pytest.mark.parametrize("target", ["99.7%", "2/3"])
def test_small_counts_have_the_exact_ratios_piece_by_piece(bins, target):
    """Empty bins, windows longer than the grid, and sums that do not begin with 0."""
    rng = np.random.default_rng(8)
    total = np.append([0, 0, 7], rng.integers(0, 3, 17))
    good = rng.integers(0, total + 1)
    for offset in (0, 5):
        cumulative = [offset + np.append(0, np.cumsum(column)) for column in (good, total)]
        with blocks_of(bins, kernel):
            answer = grid_budget(*cumulative, [1, 2, 5, 30], target)
        counts = grid_windows(*cumulative, [1, 2, 5, 30])
        expected = sli(*counts), budget_remaining(*counts, target), burn_rate(*counts, target)
        for column, twin in zip(answer, expected, strict=True):
            np.testing.assert_array_equal(column, twin)


def test_large_sums_have_the_exact_ratios():
    """The last sum says how large they are."""
    rng = np.random.default_rng(8)
    total = np.append(1, rng.integers(2**50, 2**51, 300))
    good = total - rng.integers(0, total)
    cumulative = [np.append(0, np.cumsum(column)) for column in (good, total)]
    counts = grid_windows(*cumulative, [1, 7])
    answer = grid_budget(*cumulative, [1, 7], "99.7%")
    np.testing.assert_array_equal(answer[0], sli(*counts))
    np.testing.assert_array_equal(answer[1], budget_remaining(*counts, "99.7%"))
    np.testing.assert_array_equal(answer[2], burn_rate(*counts, "99.7%"))


def test_sums_beyond_int64_are_refused_in_either_column():
    """A single edge shows no growth, and is looked at all the same; the last number is one."""
    most = 2**63 - 1
    assert as_lists(grid_windows([0, most], [0, most], [1])) == ([[most]], [[most]])
    for good, total in (([5], [2**63]), ([2**63], [5]), ([2**63, 2**63], [0, 9])):
        with pytest.raises(InvalidCountsError, match="below 2"):
            grid_windows(np.array(good, "u8"), np.array(total, "u8"), [1])


def test_columns_are_those_that_the_docs_name():
    """int64 for counts, of every kind of row, float64 for ratios."""
    grid = [grid_counts([1, 2], [1, 0], [1, 2], total=total) for total in (None, [1, 1])]
    for column in (*grid[0], *grid[1], *grid_windows(*grid[0], [1])):
        assert column.dtype == np.int64
    small = np.array([0, 200], dtype=np.uint8), np.array([0, 255], dtype=np.uint8)
    assert all(column.dtype == np.float64 for column in grid_budget(*small, [1], "99%"))


def test_threads_share_what_is_enough_for_each():
    """A pass each; fewer events are counted here."""
    flags = np.ones(30, dtype=np.bool_)
    with blocks_of(10, kernel), pools_of(kernel) as made:
        grid_counts(np.arange(30), flags, [5])
        grid_counts(np.arange(30), flags, [5], threads=2)
        grid_counts(np.arange(30), flags, [5], threads=3)
        grid_counts(np.arange(29), flags[:29], [5], threads=3)
        grid_counts(np.arange(9), flags[:9], [5], threads=2)
    assert made == [2, 3]


@pytest.mark.parametrize("closed", ["left", "right"])
def test_edges_as_dense_as_events_are_merged_with_them(monkeypatch, closed):
    """In the merge's own memory: a search of each edge would take some times as long."""
    shared = []
    merge = kernel.Merge.rows_up_to

    def noted(self, instants, rows, limits):
        found = merge(self, instants, rows, limits)
        shared.append(np.shares_memory(found, self._place))
        return found

    monkeypatch.setattr(kernel.Merge, "rows_up_to", noted)
    time = np.arange(1_000) * 10
    total = grid_counts(time, time % 3 > 0, time + 5, closed=closed)[1]
    assert total.tolist() == list(range(1, 1_001))
    assert shared == [True]


def test_memory_is_the_answer_and_what_the_events_need():
    """Many edges behind a few events take two columns; windows of a budget are not kept."""
    edges = np.arange(100_000) + 10
    assert fresh_bytes(lambda: grid_counts([1, 2], [True, False], edges)) < 17 * len(edges)
    total = np.arange(0, 20_001, 2)
    steps = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]
    size = fresh_bytes(lambda: grid_budget(total // 2, total, steps, "99.9%"))
    assert size < (24 * len(steps) + 100) * len(total)
    few = np.arange(4)
    assert fresh_bytes(lambda: grid_budget(few, few, [1], "99.9%")) < 20_000
    assert fresh_bytes(lambda: grid_counts([1, 2], [True, False], [1, 2])) < 100_000


def test_small_types_do_not_go_round():
    """A sum in bytes that falls has not grown by what is left of 256."""
    fallen, grown = np.array([200, 100], dtype=np.uint8), np.array([0, 250], dtype=np.uint8)
    for columns in ((fallen, grown), (fallen, fallen), ([0, 0], fallen)):
        with pytest.raises(InvalidCountsError, match="must not fall"):
            grid_windows(*columns, [1])


def test_pieces_of_windows_meet_and_write_to_one_place():
    """Those that begin with the grid end where the others begin."""
    columns = np.cumsum(np.ones((2, 21)), axis=1) - 1
    scratch = np.empty((2, 4))
    with blocks_of(4, kernel):
        pieces = [
            (rows, sums.tolist(), np.shares_memory(sums, scratch))
            for rows, sums in kernel.window_pieces(columns, 10, scratch)
        ]
    ends = [(0, 4), (4, 8), (8, 10), (10, 14), (14, 18), (18, 20)]
    assert [(rows.start, rows.stop) for rows, _, _ in pieces] == ends
    assert [written for _, _, written in pieces] == [False] * 3 + [True] * 3
    for row in (0, 1):
        sums = [one for _, piece, _ in pieces for one in piece[row]]
        assert sums == [*range(1, 11), *[10] * 10]
