"""
Counts at the edges of a grid, and windows between them.

A sorted column of instants is its own running count: the events up to an edge are the position
where the edge would be inserted. Only bad events are looked at one by one, and only within a block,
so one pass reads each byte once and what is kept is bounded by the grid, not by the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import numpy as np

from errorbudget.errors import InvalidCountsError, InvalidSeriesError
from errorbudget.kernels import ratios
from errorbudget.kernels.arrays import (
    BLOCK,
    bad_rows,
    beyond_int64,
    check_ascending,
    check_threads,
    counts_column,
    flags_column,
    not_ascending,
    time_column,
)
from errorbudget.kernels.merging import LIKE, Merge
from errorbudget.rolling import Closed, check_closed, check_steps
from errorbudget.target import Target, TargetLike

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PASS = 16 * BLOCK
"""Events looked at together: little is kept of them, and long steps let two threads work."""

BINS = 1 << 16
"""Bins of a grid that are worked on together."""

__all__ = ["BINS", "grid_budget", "grid_counts", "grid_windows", "window_pieces"]


class _Pass:
    """One pass over some events: the counts at the edges that they reach."""

    def __init__(
        self,
        time: NDArray[np.int64],
        good: NDArray[np.bool_],
        edges: NDArray[np.int64],
        closed: Closed,
    ) -> None:
        self.time, self.good, self.edges, self.closed = time, good, edges, closed
        self.total = np.empty(len(edges), dtype=np.int64)
        self.bad = np.empty(len(edges), dtype=np.int64)
        # An edge at the last instant may have more events of that instant behind it.
        self._before: Literal["left", "right"] = "left" if closed == "right" else "right"

    def reached(self, row: int) -> int:
        """The first edge that events behind *row* still count for."""
        return int(self.edges.searchsorted(self.time[row], self._before))

    def count(self, start: int, stop: int) -> tuple[int, int, int]:
        """
        Fill in total, and bad from *start* on, at the edges that the rows `start:stop` reach.

        Returns:
            The first of those edges, the one behind the last, and how many of the rows are bad.
        """
        most = min(PASS, len(self.time))
        merge = Merge(most, LIKE * most)
        first = settled = self.reached(start - 1) if start else 0
        bad_before = 0
        for begin in range(start, stop, PASS):
            end = min(begin + PASS, stop)
            block = self.time[begin:end]
            if begin and block[0] < self.time[begin - 1]:
                raise not_ascending(self.time, begin, "time_ns")
            fall = block[1:] < block[:-1]
            if fall.any():
                raise not_ascending(self.time, begin + 1 + int(fall.argmax()), "time_ns")
            bad = bad_rows(self.good[begin:end])
            reach = self.reached(end - 1)
            if reach > settled:
                rows = self._rows(block, self.edges[settled:reach], merge)
                np.add(_bad_before(bad, rows), bad_before, out=self.bad[settled:reach])
                np.add(rows, begin, out=self.total[settled:reach])
                settled = reach
            bad_before += len(bad)
        return first, settled, bad_before

    def _rows(
        self, block: NDArray[np.int64], edges: NDArray[np.int64], merge: Merge
    ) -> NDArray[np.int64]:
        """How many rows of the block each edge has behind it; its last row has none."""
        if self.closed == "right":
            limits = edges
        elif edges[0] > np.iinfo(np.int64).min:
            limits = edges - 1
        else:  # there is no instant before it
            return block.searchsorted(edges)
        return merge.rows_up_to(block, len(block) - 1, limits)


def _bad_before(bad: NDArray[np.intp], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many *bad* rows lie before each of *rows*, both ascending: the fewer are searched."""
    if len(bad) >= len(rows):
        return bad.searchsorted(rows)
    place = rows.searchsorted(bad, "right")
    return np.bincount(place, minlength=len(rows) + 1)[:-1].cumsum()


def _edges_of_events(
    time: NDArray[np.int64],
    good: NDArray[np.bool_],
    edges: NDArray[np.int64],
    closed: Closed,
    threads: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    over = _Pass(time, good, edges, closed)
    shares = threads if len(time) >= threads * PASS else 1
    cuts = [len(time) * share // shares for share in range(shares + 1)]
    if shares == 1:
        found = [over.count(0, len(time))]
    else:
        with ThreadPoolExecutor(shares) as pool:
            found = list(pool.map(over.count, cuts[:-1], cuts[1:]))
    bad_before = 0
    for first, behind, bad in found:
        over.bad[first:behind] += bad_before
        bad_before += bad
    settled = found[-1][1]
    over.total[settled:] = len(time)
    over.bad[settled:] = bad_before
    return np.subtract(over.total, over.bad, out=over.bad), over.total


def grid_counts(
    time_ns: ArrayLike,
    good: ArrayLike,
    edges_ns: ArrayLike,
    *,
    total: ArrayLike | None = None,
    closed: Closed = "right",
    sort: bool = False,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Good and all events up to every edge, from the first event on.

    The counts between two edges are the difference of theirs, so any window that begins and ends on
    edges is one subtraction.

    Args:
        time_ns: Ascending instants [ns], shape (n,).
        good: Whether each event is good, shape (n,); or, beside *total*, the good events of each
            row, integers.
        edges_ns: Ascending instants [ns], shape (k,).
        total: All events of each row, shape (n,); None when each row is one event.
        closed: `"right"` counts events up to the edge itself, `"left"` only those before it.
        sort: Put events that are out of order in order first.
        threads: Threads to share the work (of events; grouped rows are few).

    Returns:
        Good and total at each edge, int64, shape (k,) each.

    Raises:
        InvalidSeriesError: *time_ns* or *edges_ns* descends (`.index` is the first that does), or
            the columns do not fit together.
        InvalidCountsError: A row's good lies outside 0 to its total.

    Time: O(n + k log n), one pass; memory: O(k), and a block of scratch per thread. Grouped rows
    and *sort* take O(n) memory.

    Example:
        >>> good, total = grid_counts([10, 20, 20, 30], [True, False, True, True], [10, 20, 30])
        >>> good.tolist(), total.tolist()
        ([1, 2, 3], [1, 3, 4])
    """
    check_closed(closed)
    time = time_column(time_ns)
    edges = time_column(edges_ns, "edges_ns")
    check_ascending(edges, "edges_ns")
    order = np.argsort(time, kind="stable") if sort else slice(None)
    time = time[order]
    if total is None:
        flags = flags_column(good, len(time))[order]
        return _edges_of_events(time, flags, edges, closed, check_threads(threads))
    check_ascending(time)
    columns = counts_column(good, total, len(time))
    rows = time.searchsorted(edges, closed)
    good_cum, total_cum = (
        np.concatenate(([0], np.cumsum(column[order]))).take(rows) for column in columns
    )
    return good_cum, total_cum


def _cumulative(
    good_cum: ArrayLike, total_cum: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    good, total = np.asarray(good_cum), np.asarray(total_cum)
    if good.shape != total.shape or good.ndim != 1 or not good.size:
        raise InvalidSeriesError(
            "good_cum and total_cum must have one dimension and one length of at least 1, "
            f"got shapes {good.shape} and {total.shape}"
        )
    if good.dtype.kind not in "iu" or total.dtype.kind not in "iu":
        raise InvalidSeriesError(
            f"cumulative counts must be integers, got {good.dtype} and {total.dtype}"
        )
    beyond = beyond_int64(good) or beyond_int64(total)
    fine, whole = np.asarray(good, dtype=np.int64), np.asarray(total, dtype=np.int64)
    grown = np.diff(fine), np.diff(whole)
    if beyond or (grown[0] < 0).any() or (grown[0] > grown[1]).any():
        raise InvalidCountsError(
            "good_cum and total_cum must not fall, total_cum must grow by at least as much as "
            "good_cum, and both must be below 2**63"
        )
    return fine, whole


def window_pieces(
    columns: NDArray[np.float64], step: int, scratch: NDArray[np.float64]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """
    Sums of the windows of *step* bins that end at each bin, piece by piece.

    Args:
        columns: Cumulative sums that begin with 0, shape (columns, bins + 1).
        step: Length of the windows in bins [> 0].
        scratch: Where to write, shape (columns, `BINS`), or as many as there are bins.

    Yields:
        Some bins, and a sum per bin of each column; not to be written to, valid until the next.
    """
    bins = columns.shape[1] - 1
    partial = min(step, bins)  # windows that begin with the grid: the running sums themselves
    for start in range(0, partial, BINS):
        stop = min(start + BINS, partial)
        yield slice(start, stop), columns[:, start + 1 : stop + 1]
    for start in range(partial, bins, BINS):
        stop = min(start + BINS, bins)
        up_to = columns[:, start + 1 : stop + 1]
        before = columns[:, start + 1 - step : stop + 1 - step]
        yield slice(start, stop), np.subtract(up_to, before, out=scratch[:, : stop - start])


def grid_windows(
    good_cum: ArrayLike, total_cum: ArrayLike, steps: Sequence[int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Good and all events of windows of *steps* bins that end at each bin of a grid.

    A window that would begin before the first edge begins there: it is partial, as its bins say.

    Args:
        good_cum: Good events up to each edge, as `grid_counts` gives them, shape (k + 1,).
        total_cum: All events up to each edge, shape (k + 1,).
        steps: Length of each window in bins [> 0].

    Returns:
        Good and total, int64, shape (len(steps), k) each: a row per window, a column per bin.

    Raises:
        InvalidSeriesError: The columns do not fit together.
        InvalidCountsError: A column falls, or good grows by more than total.
        InvalidWindowError: A window has no bin.

    Time and memory: O(len(steps) x k).

    Example:
        >>> good, total = grid_windows([0, 1, 1, 3], [0, 1, 2, 4], [1, 2])
        >>> good.tolist(), total.tolist()
        ([[1, 0, 2], [1, 1, 2]], [[1, 1, 2], [1, 2, 3]])
    """
    good, total = _cumulative(good_cum, total_cum)
    lengths = check_steps(steps)
    return _grown(good, lengths), _grown(total, lengths)


def _grown(cumulative: NDArray[np.int64], steps: Sequence[int]) -> NDArray[np.int64]:
    """How much a column grows within the windows of *steps* bins that end at each bin."""
    bins = len(cumulative) - 1
    answer = np.empty((len(steps), bins), dtype=np.int64)
    for window, step in enumerate(steps):
        row, partial = answer[window], min(step, bins)
        np.subtract(cumulative[1 : partial + 1], cumulative[0], out=row[:partial])
        np.subtract(
            cumulative[partial + 1 :], cumulative[1 : bins + 1 - partial], out=row[partial:]
        )
    return answer


def grid_budget(
    good_cum: ArrayLike, total_cum: ArrayLike, steps: Sequence[int], target: TargetLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """
    SLI, remaining budget and burn rate of windows of *steps* bins that end at each bin of a grid.

    The same as `sli`, `budget_remaining` and `burn_rate` of `grid_windows`, without keeping the
    counts.

    Args:
        good_cum: Good events up to each edge, as `grid_counts` gives them, shape (k + 1,).
        total_cum: All events up to each edge, shape (k + 1,).
        steps: Length of each window in bins [> 0].
        target: Exact share of events that must be good, in (0, 1].

    Returns:
        SLI, remaining budget and burn rate [1], float64, shape (len(steps), k) each, correctly
        rounded from the integers; NaN where a window holds no events.

    Raises:
        InvalidSeriesError: The columns do not fit together.
        InvalidCountsError: A column falls, or good grows by more than total.
        InvalidWindowError: A window has no bin.
        InvalidTargetError: *target* lies outside (0, 1].

    Time and memory: O(len(steps) x k).

    Example:
        >>> shares, left, burns = grid_budget([0, 1, 1, 3], [0, 1, 2, 4], [1, 2], "50%")
        >>> shares.tolist(), left.tolist(), burns.tolist()
        ([[1.0, 0.0, 1.0], [1.0, 0.5, 0.6666666666666666]],
         [[1.0, -1.0, 1.0], [1.0, 0.0, 0.3333333333333333]],
         [[0.0, 2.0, 0.0], [0.0, 1.0, 0.6666666666666666]])
    """
    good, total = (column - column[0] for column in _cumulative(good_cum, total_cum))
    lengths, goal = check_steps(steps), Target(target)
    allowed, scale = goal.error.numerator, goal.error.denominator
    if not allowed or int(total[-1]) * scale >= ratios.EXACT_BELOW:
        counts = grid_windows(good, total, lengths)
        return (
            ratios.sli(*counts),
            ratios.budget_remaining(*counts, goal),
            ratios.burn_rate(*counts, goal),
        )
    # Whole numbers below 2**53, so float64 keeps them exactly and nothing is converted later.
    columns = np.empty((3, len(total)))
    np.multiply(good, float(allowed), out=columns[0])
    np.multiply(total, float(allowed), out=columns[1])
    np.multiply(total - good, float(scale), out=columns[2])
    bins = len(total) - 1
    shares, left, burns = (np.empty((len(lengths), bins)) for _ in range(3))
    scratch = np.empty((3, min(BINS, bins)))
    with np.errstate(invalid="ignore"):
        for window, step in enumerate(lengths):
            for rows, (up, whole, down) in window_pieces(columns, step, scratch):
                np.divide(up, whole, out=shares[window, rows])
                np.divide(down, whole, out=burns[window, rows])
                rest = np.subtract(whole, down, out=left[window, rows])
                np.divide(rest, whole, out=rest)
    return shares, left, burns
