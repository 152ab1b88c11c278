"""
Counts and quantiles over windows that slide along events, in plain Python.

A rolling window of length w at instant t is (t - w, t]: what happened exactly w ago is out, what
happens now is in, and events of one instant are in together. Calendar windows are [start, end);
for them grid counts are taken with `closed="left"`. These functions are exact for integers of any
size and short enough to be checked by eye; `errorbudget.kernels` has their numpy twins, by the same
names with the same arguments, for more than a few thousand events.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import inf
from typing import Literal

from errorbudget.errors import (
    InvalidCountsError,
    InvalidInputError,
    InvalidSeriesError,
    InvalidWindowError,
)
from errorbudget.rationals import is_whole, parse_rational, shown

__all__ = [
    "Closed",
    "check_closed",
    "check_steps",
    "check_window",
    "grid_counts",
    "grid_windows",
    "rolling_counts",
    "rolling_quantiles",
]

Closed = Literal["right", "left"]
"""Which end of a window belongs to it: `"right"` is (start, end], `"left"` is [start, end)."""


def check_window(window_ns: int) -> int:
    """
    A window's length [ns, > 0].

    Raises:
        InvalidWindowError: It is not positive, or no whole number.
    """
    if not is_whole(window_ns):
        raise InvalidWindowError(f"a window must be a whole number of ns, got {shown(window_ns)}")
    if window_ns <= 0:
        raise InvalidWindowError(f"a window must be longer than 0 ns, got {window_ns}")
    return int(window_ns)


def check_closed(closed: str) -> None:
    """
    Which end of a window belongs to it.

    Raises:
        InvalidWindowError: Neither `"right"` nor `"left"`.
    """
    if not isinstance(closed, str) or closed not in ("right", "left"):
        raise InvalidWindowError(f'closed must be "right" or "left", got {shown(closed)}')


def check_steps(steps: Sequence[int]) -> list[int]:
    """
    Lengths of windows in bins.

    Raises:
        InvalidWindowError: One has no bin, or part of one.
    """
    lengths = list(steps)
    if not all(map(is_whole, lengths)):
        raise InvalidWindowError(f"a window must have a whole number of bins, got {lengths}")
    if any(step < 1 for step in lengths):
        raise InvalidWindowError(f"a window must have at least one bin, got {lengths}")
    return [int(step) for step in lengths]


def _check_ascending(name: str, instants: Sequence[int]) -> None:
    before: float = -inf
    for index, instant in enumerate(instants):
        if not instant >= before:  # NaN neither
            raise InvalidSeriesError(
                f"{name} must ascend, got {instant} after {before} at index {index}; "
                "sort them first",
                index=index,
            )
        before = instant


def _check_rows(time_ns: Sequence[int], good: Sequence[int], total: Sequence[int] | None) -> None:
    for name, column in (("good", good), ("total", total)):
        if column is not None and len(column) != len(time_ns):
            raise InvalidSeriesError(
                f"{name} has {len(column)} rows and time_ns {len(time_ns)}; they must match"
            )
    _check_ascending("time_ns", time_ns)
    for index, count in enumerate(good):
        most = 1 if total is None else total[index]
        if not 0 <= count <= most:
            raise InvalidCountsError(
                f"good must lie between 0 and {most}, got {count} at index {index}"
            )
        if int(count) != count or (most != 1 and int(most) != most):
            raise InvalidCountsError(
                f"good and total must be whole numbers, got {count} of {most} at index {index}"
            )


def _check_values(values: Sequence[float], rows: int) -> None:
    if len(values) != rows:
        raise InvalidSeriesError(
            f"values has {len(values)} rows and time_ns {rows}; they must match"
        )
    for index, value in enumerate(values):
        if not 0 <= value < inf:
            raise InvalidSeriesError(
                f"values must be finite and not negative, got {value} at index {index}; "
                "leave out events without a value",
                index=index,
            )


def _before(time_ns: Sequence[int], instant: int, closed: Closed) -> int:
    """How many events lie before the border *instant*: up to it if right, short of it if left."""
    return (bisect_right if closed == "right" else bisect_left)(time_ns, instant)


def _cumulative(counts: Sequence[int]) -> list[int]:
    return list(accumulate((int(count) for count in counts), initial=0))


def rolling_counts(
    time_ns: Sequence[int],
    good: Sequence[int],
    window_ns: int,
    *,
    total: Sequence[int] | None = None,
) -> tuple[list[int], list[int]]:
    """
    Good and all events of the trailing window (t - w, t] at every event.

    Args:
        time_ns: Ascending instants [ns].
        good: Whether each event is good; or, beside *total*, the good events of each row.
        window_ns: Length of the window [ns, > 0].
        total: All events of each row; None when each row is one event.

    Returns:
        Good and total per row, each of length n.

    Raises:
        InvalidSeriesError: *time_ns* descends; `.index` is the first that does.
        InvalidWindowError: *window_ns* is not positive.

    Time: O(n log n); memory: O(n).

    Example:
        >>> rolling_counts([10, 20, 20, 30], [True, False, True, True], 10)
        ([1, 1, 1, 1], [1, 2, 2, 1])
    """
    check_window(window_ns)
    _check_rows(time_ns, good, total)
    good_before = _cumulative(good)
    total_before = _cumulative([1] * len(time_ns) if total is None else total)
    spans = [
        (bisect_right(time_ns, instant - window_ns), bisect_right(time_ns, instant))
        for instant in time_ns
    ]
    return (
        [good_before[stop] - good_before[start] for start, stop in spans],
        [total_before[stop] - total_before[start] for start, stop in spans],
    )


def grid_counts(
    time_ns: Sequence[int],
    good: Sequence[int],
    edges_ns: Sequence[int],
    *,
    total: Sequence[int] | None = None,
    closed: Closed = "right",
) -> tuple[list[int], list[int]]:
    """
    Good and all events up to every edge, from the first event on.

    The counts between two edges are the difference of theirs, so any window that begins and ends on
    edges is one subtraction.

    Args:
        time_ns: Ascending instants [ns].
        good: Whether each event is good; or, beside *total*, the good events of each row.
        edges_ns: Ascending instants [ns].
        total: All events of each row; None when each row is one event.
        closed: `"right"` counts events up to the edge itself, `"left"` only those before it.

    Returns:
        Good and total at each edge, each of length k.

    Raises:
        InvalidSeriesError: *time_ns* or *edges_ns* descends.
        InvalidCountsError: A row's good lies outside 0 to its total.
        InvalidWindowError: *closed* is neither end.

    Time: O(n + k log n); memory: O(n + k).

    Example:
        >>> grid_counts([10, 20, 20, 30], [True, False, True, True], [10, 20, 30])
        ([1, 2, 3], [1, 3, 4])
    """
    check_closed(closed)
    _check_rows(time_ns, good, total)
    _check_ascending("edges_ns", edges_ns)
    good_before = _cumulative(good)
    total_before = _cumulative([1] * len(time_ns) if total is None else total)
    rows = [_before(time_ns, edge, closed) for edge in edges_ns]
    return [good_before[row] for row in rows], [total_before[row] for row in rows]


def grid_windows(
    good_cum: Sequence[int], total_cum: Sequence[int], steps: Sequence[int]
) -> tuple[list[list[int]], list[list[int]]]:
    """
    Good and all events of windows of *steps* bins that end at each bin of a grid.

    A window that would begin before the first edge begins there: it is partial, as its bins say.

    Args:
        good_cum: Good events up to each of the k + 1 edges, as `grid_counts` gives them.
        total_cum: All events up to each edge.
        steps: Length of each window in bins [> 0].

    Returns:
        Good and total, a row per window, a column per bin: (len(steps), k).

    Raises:
        InvalidWindowError: A window has no bin.

    Example:
        >>> grid_windows([0, 1, 1, 3], [0, 1, 2, 4], [1, 2])
        ([[1, 0, 2], [1, 1, 2]], [[1, 1, 2], [1, 2, 3]])
    """
    lengths = check_steps(steps)
    edges = range(1, len(total_cum))
    return (
        [[good_cum[edge] - good_cum[max(edge - step, 0)] for edge in edges] for step in lengths],
        [[total_cum[edge] - total_cum[max(edge - step, 0)] for edge in edges] for step in lengths],
    )


def rolling_quantiles(
    time_ns: Sequence[int],
    values: Sequence[float],
    ends_ns: Sequence[int],
    window_ns: int,
    quantiles: Sequence[Fraction | float | str],
    *,
    closed: Closed = "right",
) -> list[list[float | None]]:
    """
    Exact quantiles of the values in the window that ends at each of *ends_ns*.

    The nearest-rank definition (inverted CDF): the smallest value that at least the share q of the
    window's values does not exceed. It is always one of the values.

    Args:
        time_ns: Ascending instants [ns].
        values: One value per event, such as a latency; finite and not negative.
        ends_ns: Where the windows end, ascending [ns].
        window_ns: Length of the window [ns, > 0].
        quantiles: Shares in (0, 1]; a float counts as it is written, so 0.95 is 95/100.
        closed: Which end of the window belongs to it.

    Returns:
        A row per quantile, a value per end; None where the window is empty.

    Raises:
        InvalidSeriesError: *time_ns* or *ends_ns* descends, or a value is NaN, infinite or
            negative.
        InvalidWindowError: *window_ns* is not positive, or *closed* is neither end.

    Time: O(windows x events); memory: O(events).

    Example:
        >>> rolling_quantiles([1, 2, 3], [0.3, 0.1, 0.2], [2, 3, 9], 2, [0.5])
        [[0.1, 0.1, None]]
    """
    check_window(window_ns)
    check_closed(closed)
    _check_ascending("time_ns", time_ns)
    _check_ascending("ends_ns", ends_ns)
    _check_values(values, len(time_ns))
    shares = [parse_rational(quantile) for quantile in quantiles]
    if any(not 0 < share <= 1 for share in shares):
        raise InvalidInputError(f"a quantile must lie in (0, 1], got {list(quantiles)}")
    rows: list[list[float | None]] = [[] for _ in shares]
    for end in ends_ns:
        start, stop = _before(time_ns, end - window_ns, closed), _before(time_ns, end, closed)
        ordered = sorted(values[start:stop])
        for row, share in zip(rows, shares, strict=True):
            rank = -(-len(ordered) * share.numerator // share.denominator)
            row.append(ordered[rank - 1] if ordered else None)
    return rows
