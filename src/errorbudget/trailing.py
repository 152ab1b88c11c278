"""
Trailing windows at every event, by whichever twin is faster for so many of them.

Few events are counted in plain Python, more by the numpy kernel, from `kernels.NUMPY_FROM` on. Both
read the same columns through the same door and give the same answers, so nobody has to choose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from errorbudget import kernels, rolling
from errorbudget.durations import DurationLike, length_of
from errorbudget.kernels.arrays import (
    check_ascending,
    check_threads,
    counts_column,
    flags_column,
    time_column,
)
from errorbudget.target import TargetLike

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

__all__ = ["trailing_budget", "trailing_counts"]


def _counted_one_by_one(
    time_ns: ArrayLike, good: ArrayLike, window_ns: int, total: ArrayLike | None
) -> tuple[Ints, Ints]:
    time = time_column(time_ns)
    check_ascending(time)
    if total is None:
        flags, each = flags_column(good, len(time)).tolist(), None
    else:
        fine, whole = counts_column(good, total, len(time))
        flags, each = fine.tolist(), whole.tolist()
    found = rolling.rolling_counts(time.tolist(), flags, window_ns, total=each)
    return np.array(found[0], dtype=np.int64), np.array(found[1], dtype=np.int64)


def trailing_counts(
    time_ns: ArrayLike,
    good: ArrayLike,
    window: DurationLike | int,
    *,
    total: ArrayLike | None = None,
    threads: int = 1,
) -> tuple[Ints, Ints]:
    """
    Good and all events of the trailing window (t - w, t] at every event.

    Args:
        time_ns: Ascending instants [ns], shape (n,).
        good: Whether each event is good, shape (n,); or, beside *total*, the good events of each
            row, integers.
        window: Length of the window; text, `timedelta` or ns.
        total: All events of each row, shape (n,); None when each row is one event.
        threads: Threads to share the work.

    Returns:
        Good and total per row, int64, shape (n,) each.

    Raises:
        InvalidSeriesError: *time_ns* descends (`.index` is the first that does), or the columns do
            not fit together.
        InvalidCountsError: A row's good lies outside 0 to its total.
        InvalidDurationError: *window* cannot be read, or is not positive.

    Time: O(n) for evenly spread events, O(n log n) at most; memory: the answer.

    Example:
        >>> good, total = trailing_counts([10, 20, 20, 30], [True, False, True, True], 10)
        >>> good.tolist(), total.tolist()
        ([1, 1, 1, 1], [1, 2, 2, 1])
    """
    window_ns, threads = length_of(window), check_threads(threads)
    if np.size(time_ns) < kernels.NUMPY_FROM:
        return _counted_one_by_one(time_ns, good, window_ns, total)
    return kernels.rolling_counts(time_ns, good, window_ns, total=total, threads=threads)


def trailing_budget(
    time_ns: ArrayLike,
    good: ArrayLike,
    window: DurationLike | int,
    target: TargetLike,
    *,
    total: ArrayLike | None = None,
    threads: int = 1,
) -> tuple[Floats, Floats]:
    """
    SLI and share of the error budget left over the trailing window (t - w, t] at every event.

    Args:
        time_ns: Ascending instants [ns], shape (n,).
        good: Whether each event is good, shape (n,); or, beside *total*, the good events of each
            row, integers.
        window: Length of the window; text, `timedelta` or ns.
        target: Exact share of events that must be good, in (0, 1].
        total: All events of each row, shape (n,); None when each row is one event.
        threads: Threads to share the work.

    Returns:
        SLI and remaining budget per row [1], float64, shape (n,) each, correctly rounded; exactly
        0 is left at exhaustion, NaN where a window holds no events.

    Raises:
        InvalidSeriesError: As `trailing_counts`.
        InvalidTargetError: *target* lies outside (0, 1].

    Time: O(n) for evenly spread events, O(n log n) at most; memory: the answer.

    Example:
        >>> shares, left = trailing_budget([10, 20, 30], [True, False, True], "20ns", "50%")
        >>> shares.tolist(), left.tolist()
        ([1.0, 0.5, 0.5], [1.0, 0.0, 0.0])
    """
    window_ns, threads = length_of(window), check_threads(threads)
    if np.size(time_ns) < kernels.NUMPY_FROM:
        counts = _counted_one_by_one(time_ns, good, window_ns, total)
        return kernels.sli(*counts), kernels.budget_remaining(*counts, target)
    return kernels.rolling_budget(time_ns, good, window_ns, target, total=total, threads=threads)
