"""
Exact quantiles over sliding windows, at a few nanoseconds per event.

Sorting each window anew would cost days; keeping one sorted is slow as well. Instead the work is
narrowed until little is left of it:

1. A coarse histogram (cells of time x buckets of values) bounds each quantile from both sides. The
   windows of a group all contain the events that their windows share, and are contained in the
   events that any of them has; the rank that is asked for lies between the two.
2. Only events whose value lies within the bounds of some window that holds them are kept; of the
   others it is enough to count those below.
3. Among the kept ones the value of the remaining rank is found bit by bit, for all windows at
   once, by a wavelet matrix: how many of a stretch of events have this bit unset is the difference
   of two running counts.

The bounds come from counting, not from a guess, so the answers are exact for any data; they only
decide how much is kept. Warm-up windows, which begin before the first event, are like any other.

Source: Navarro et al., "The wavelet matrix", Information Systems 47 (2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.kernels.arrays import (
    BLOCK,
    check_ascending,
    time_column,
    values_column,
)
from errorbudget.rationals import parse_rational
from errorbudget.rolling import Closed, check_closed, check_window

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = [
    "FilledWindows",
    "bucket_of_rank",
    "check_quantiles",
    "nearest_rank",
    "rolling_quantiles",
    "sample_of",
]

KEY_SHIFT = 46
"""Bits of a float64 that a bucket leaves out: what is left are 64 buckets per doubling."""

BUCKETS = 512
"""About how many buckets a histogram has; where values are rare they share one."""

SAMPLE = 1 << 16
"""At least about how many values say where the others lie."""

CELLS = 8192
"""At most about how many cells of time a histogram has."""

PIECES, LEAST = 256, 8192
"""Events are kept or not in about so many pieces, of at least so many events."""

CELL_EVENTS = 1024
"""Events per cell below which more cells would cost more than they save."""


def nearest_rank(total: Ints, quantile: Fraction) -> Ints:
    """The nearest rank, from 1, of *quantile* among *total* values: ceil(quantile x total)."""
    up, down = quantile.numerator, quantile.denominator
    # The rest is below *down*, so its product with *up* fits int64.
    exact = total if down < 2**31 else total.astype(object)
    rank = exact // down * up - (-(exact % down) * up // down)
    return np.asarray(rank, dtype=np.int64)


def sample_of(values: Floats) -> Floats:
    """Every so many of *values*, in their order."""
    return values[:: max(len(values) // SAMPLE, 1)]


def check_quantiles(quantiles: Sequence[Fraction | float | str]) -> list[Fraction]:
    """
    Quantiles as exact shares; a float counts as it is written, so 0.95 is 95/100.

    Raises:
        InvalidInputError: One is not a number in (0, 1].
    """
    shares = []
    for quantile in quantiles:
        try:
            share = parse_rational(quantile)
        except ValueError:
            share = Fraction(0)
        if not 0 < share <= 1:
            raise InvalidInputError(f"a quantile must lie in (0, 1], got {quantile!r}")
        shares.append(share)
    return shares


class Buckets:
    """
    Buckets of values that hold about equally many: ascending, without gaps.

    The leading bits of a float64 that is not negative ascend with it, so a bucket is found by a
    shift and a look-up, without a logarithm.
    """

    def __init__(self, values: Floats) -> None:
        lowest = int(values.min().view(np.int64)) >> KEY_SHIFT
        highest = int(values.max().view(np.int64)) >> KEY_SHIFT
        sample = sample_of(values)
        held = np.bincount((sample.view(np.int64) >> KEY_SHIFT) - lowest)
        before = np.cumsum(held) - held
        share = max(len(sample) // BUCKETS, 1)
        begins = np.unique(before // share, return_index=True)[1]
        self.lowest = lowest
        self.bucket_of = np.zeros(highest - lowest + 1, dtype=np.int64)
        self.bucket_of[begins[1:]] = 1
        np.cumsum(self.bucket_of, out=self.bucket_of)
        self.bounds = np.empty(len(begins) + 1)
        self.bounds[:-1] = ((begins + lowest) << KEY_SHIFT).view(np.float64)
        self.bounds[-1] = np.inf

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def count(self, values: Floats, scratch: Ints) -> Ints:
        """How many of *values* lie in each bucket."""
        keys = np.right_shift(values.view(np.int64), KEY_SHIFT, out=scratch[: len(values)])
        keys -= self.lowest
        return np.bincount(self.bucket_of.take(keys), minlength=len(self))


def _cell_histogram(values: Floats, marks: Ints, buckets: Buckets) -> Ints:
    """Values before each mark and below each bucket's end: shape (marks, buckets + 1)."""
    table = np.zeros((len(marks), len(buckets) + 1), dtype=np.int64)
    scratch = np.empty(BLOCK, dtype=np.int64)
    for cell, (start, stop) in enumerate(pairwise(marks.tolist())):
        for piece in range(start, stop, BLOCK):
            table[cell + 1, 1:] += buckets.count(values[piece : min(piece + BLOCK, stop)], scratch)
    np.cumsum(table, axis=0, out=table)
    np.cumsum(table, axis=1, out=table)
    return table


def bucket_of_rank(table: NDArray[np.integer[Any]], start: Ints, stop: Ints, rank: Ints) -> Ints:
    """
    The bucket in which the value of *rank* lies, of those between the rows *start* and *stop*.

    Args:
        table: Values up to each row and up to each bucket's end, shape (rows, buckets).
        start: Row before each stretch, shape (m,).
        stop: Row at its end, shape (m,).
        rank: From 1, shape (m,); what is beyond all values is in the last bucket.
    """
    low = np.zeros(len(rank), dtype=np.int64)
    high = np.full(len(rank), table.shape[1] - 1)
    while (low < high).any():
        middle = (low + high) // 2
        reached = table[stop, middle] - table[start, middle] >= rank
        high = np.where(reached, middle, high)
        low = np.where(reached | (low == high), low, middle + 1)
    return low


@dataclass(frozen=True, slots=True)
class _Groups:
    """
    Windows of like position, and the marks between which their events lie.

    Group j has the windows `first[j]` to `first[j + 1] - 1`. All of them lie within the marks
    `outer_start[j]` to `outer_stop[j]`, and contain those from `inner_start[j]` to `inner_stop[j]`.
    """

    marks: Ints
    first: Ints
    outer_start: Ints
    outer_stop: Ints
    inner_start: Ints
    inner_stop: Ints

    @classmethod
    def of(cls, starts: Ints, stops: Ints, events: int) -> _Groups:
        cells = min(max(events // CELL_EVENTS, 1), CELLS)
        first = np.arange(0, len(starts), -(-len(starts) // cells))
        border = np.append(first, len(starts) - 1)
        marks = np.unique(np.concatenate(([0], starts[border], stops[border], [events])))
        start, stop = marks.searchsorted(starts[border]), marks.searchsorted(stops[border])
        return cls(
            marks=marks,
            first=first,
            outer_start=start[:-1],
            outer_stop=stop[1:],
            inner_start=np.minimum(start[1:], stop[:-1]),
            inner_stop=stop[:-1],
        )

    def bounds(self, table: Ints, rank: Ints) -> tuple[Ints, Ints]:
        """
        Per cell between marks, the first and last bucket that may hold the answer of a window.

        An answer is at least the value of the same rank among more events, and at most that among
        fewer; an event matters to the windows of every group that reaches into its cell.
        """
        lowest = np.minimum.reduceat(rank, self.first)
        highest = np.maximum.reduceat(rank, self.first)
        ends = table[:, 1:]
        low = bucket_of_rank(ends, self.outer_start, self.outer_stop, lowest)
        high = bucket_of_rank(ends, self.inner_start, self.inner_stop, highest)
        cells = np.arange(len(self.marks) - 1)
        begin = self.outer_stop.searchsorted(cells, "right")
        end = self.outer_start.searchsorted(cells, "right")
        none = begin >= end
        spans = np.stack([begin, end], axis=1)
        return (
            np.where(none, table.shape[1] - 1, _over_spans(np.minimum, low, spans)),
            np.where(none, -1, _over_spans(np.maximum, high, spans)),
        )


def _over_spans(best: np.ufunc, numbers: Ints, spans: Ints) -> Ints:
    """*best* of the numbers in each of the *spans*; an empty one gives its first number."""
    padded = np.append(numbers, numbers[-1])
    return np.asarray(best.reduceat(padded, spans.ravel())[::2])


def _piece(rows: int) -> int:
    """How many of so many *rows* are looked at together: few enough for narrow bounds."""
    return min(max(rows // PIECES, LEAST), 2 * BLOCK)


def _keep(
    values: Floats, edges: Ints, low: Floats, high: Floats, marks: Ints
) -> tuple[Floats, Ints, Ints]:
    """
    The values that lie within the bounds of their block, in order of time.

    Returns:
        The values kept, and up to each of the *edges* how many were kept and how many lay below.
    """
    size = _piece(len(values))
    kept: list[Floats] = []
    kept_cum, below_cum = np.empty_like(edges), np.empty_like(edges)
    kept_before = below_before = 0
    for start in range(0, len(values), size):
        block = values[start : start + size]
        stop = start + len(block)
        cells = slice(int(marks.searchsorted(start, "right")) - 1, int(marks.searchsorted(stop)))
        floor, ceiling = low[cells].min(), high[cells].max()
        above_floor = np.flatnonzero(block >= floor)
        chosen = block[above_floor]
        inside = chosen < ceiling
        places = above_floor[inside]
        here = slice(*edges.searchsorted([start, stop]).tolist())
        local = edges[here] - start
        kept_cum[here] = kept_before + places.searchsorted(local)
        below_cum[here] = below_before + local - above_floor.searchsorted(local)
        kept.append(chosen[inside])
        kept_before += len(places)
        below_before += len(block) - len(above_floor)
    end = int(edges.searchsorted(len(values)))
    kept_cum[end:], below_cum[end:] = kept_before, below_before
    return np.concatenate(kept), kept_cum, below_cum


def _select(values: Floats, starts: Ints, stops: Ints, rank: Ints) -> Floats:
    """The value of *rank* (from 1) among `values[start:stop]`, for all stretches at once."""
    order = np.argsort(values)
    current = np.empty(len(values), dtype=np.int32)
    current[order] = np.arange(len(values))
    left, right, wanted = (column.astype(np.int32) for column in (starts, stops, rank))
    answer = np.zeros(len(starts), dtype=np.int32)
    unset_before = np.zeros(len(values) + 1, dtype=np.int32)
    for bit in reversed(range(len(values).bit_length())):
        is_set = (current & (1 << bit)) != 0
        np.cumsum(~is_set, out=unset_before[1:])
        unset_left, unset_right = unset_before.take(left), unset_before.take(right)
        unset_inside = unset_right - unset_left
        goes_up = wanted > unset_inside
        answer |= goes_up.astype(np.int32) << bit
        wanted -= unset_inside * goes_up
        # Set ones stand behind all unset ones from the next bit on.
        left = np.where(goes_up, left + (unset_before[-1] - unset_left), unset_left)
        right = np.where(goes_up, right + (unset_before[-1] - unset_right), unset_right)
        if bit:
            current = np.concatenate([current[~is_set], current[is_set]])
    return values[order[answer]]


@dataclass(frozen=True, slots=True, eq=False)
class FilledWindows:
    """
    Values in order of time, and where the windows lie among them that hold some.

    Attributes:
        time: Instants of the values [ns], shape (n,).
        values: The values, shape (n,).
        ends: Where each window ends [ns], shape (g,).
        filled: Which windows hold a value, ascending, shape (f,).
        starts: The first value of each of these, shape (f,).
        stops: The first value behind each of these, shape (f,).
    """

    time: Ints
    values: Floats
    ends: Ints
    filled: Ints
    starts: Ints
    stops: Ints

    @classmethod
    def of(
        cls,
        time_ns: ArrayLike,
        values: ArrayLike,
        ends_ns: ArrayLike,
        window_ns: int,
        closed: Closed,
    ) -> FilledWindows:
        """The windows of columns as they were handed over; arguments as `rolling_quantiles`."""
        window = check_window(window_ns)
        check_closed(closed)
        time, ends = time_column(time_ns), time_column(ends_ns, "ends_ns")
        check_ascending(time)
        check_ascending(ends, "ends_ns")
        numbers = values_column(values, len(time))
        if not len(ends) or not len(time):
            none = np.array([], np.int64)
            return cls(time, numbers, ends, none, none, none)
        window = min(window, int(ends[-1]) - int(min(time[0], ends[0])) + 1)
        if int(ends[0]) - window < np.iinfo(np.int64).min:
            raise InvalidSeriesError("times span more than 292 years; split the series")
        starts = time.searchsorted(ends - window, closed)
        stops = time.searchsorted(ends, closed)
        filled = np.flatnonzero(stops > starts)
        return cls(time, numbers, ends, filled, starts[filled], stops[filled])


def rolling_quantiles(
    time_ns: ArrayLike,
    values: ArrayLike,
    ends_ns: ArrayLike,
    window_ns: int,
    quantiles: Sequence[Fraction | float | str],
    *,
    closed: Closed = "right",
) -> NDArray[np.float64]:
    """
    Exact quantiles of the values in the window that ends at each of *ends_ns*.

    The nearest-rank definition (inverted CDF): the smallest value that at least the share q of the
    window's values does not exceed. It is always one of the values.

    Args:
        time_ns: Ascending instants [ns], shape (n,).
        values: One value per event, such as a latency; finite and not negative, shape (n,).
        ends_ns: Where the windows end, ascending [ns], shape (g,).
        window_ns: Length of the window [ns, > 0].
        quantiles: Shares in (0, 1]; a float counts as it is written, so 0.95 is 95/100.
        closed: Which end of the window belongs to it.

    Returns:
        A row per quantile, a value per end, float64, shape (len(quantiles), g); NaN where the
        window is empty.

    Raises:
        InvalidSeriesError: *time_ns* or *ends_ns* descends, or a value is NaN, infinite or negative
            (`.index` is the first).
        InvalidInputError: A quantile lies outside (0, 1].
        InvalidWindowError: *window_ns* is not positive.

    Time: O(n + kept log kept + g log kept), where few are kept when windows overlap much; memory:
    O(g + kept), and a histogram of about 8192 x 512 counts.

    Example:
        >>> rolling_quantiles([1, 2, 3], [0.3, 0.1, 0.2], [2, 3, 9], 2, [0.5]).tolist()
        [[0.1, 0.1, nan]]
    """
    shares = check_quantiles(quantiles)
    windows = FilledWindows.of(time_ns, values, ends_ns, window_ns, closed)
    answers = np.full((len(shares), len(windows.ends)), np.nan)
    if not len(windows.filled):
        return answers
    numbers, starts, stops = windows.values, windows.starts, windows.stops
    buckets = Buckets(numbers)
    groups = _Groups.of(starts, stops, len(numbers))
    table = _cell_histogram(numbers, groups.marks, buckets)
    edges = np.concatenate([starts, stops])
    order = edges.argsort(kind="stable")  # of two ascending runs: a merge
    kept_cum, below_cum = np.empty_like(edges), np.empty_like(edges)
    for row, share in enumerate(shares):
        rank = nearest_rank(stops - starts, share)
        low, high = groups.bounds(table, rank)
        kept, kept_cum[order], below_cum[order] = _keep(
            numbers, edges[order], buckets.bounds[low], buckets.bounds[high + 1], groups.marks
        )
        start, stop = np.split(kept_cum, 2)
        below_start, below_stop = np.split(below_cum, 2)
        rank -= below_stop - below_start
        answers[row, windows.filled] = _select(kept, start, stop, rank)
    return answers
