"""
Trailing windows (t - w, t] at every event, in blocks that stay in a core's cache.

The start of each window is found by searching the few events that leave while a block of events
arrives; the good ones in between are the difference of two running counts. Both are integers to the
end, so nothing drifts. Each block is checked for order, counted and divided while it is warm, and
needs no memory beyond the answer and a block of scratch per thread. Events of one instant share one
window, so a block is never cut within an instant.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import local
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from errorbudget.errors import InvalidSeriesError
from errorbudget.kernels import ratios
from errorbudget.kernels.arrays import (
    bad_rows,
    check_ascending,
    check_out,
    check_threads,
    counts_column,
    descends_at,
    flags_column,
    not_ascending,
    time_column,
)
from errorbudget.kernels.merging import Merge
from errorbudget.rolling import check_window
from errorbudget.target import Target, TargetLike

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]
    Write = Callable[[slice, Ints, Ints, "_Scratch"], None]

__all__ = ["rolling_budget", "rolling_counts"]

BLOCK = 1 << 16
"""Rows that arrive together: few enough for a core's cache, steps long enough for two threads."""

LONGEST = 4 * BLOCK
"""Rows that leave while a block arrives, and are looked at together."""

FEW = 16
"""Rows to a bad event, or more, are a few bad events: each is looked at for itself."""

CHUNKS = 8
"""Shares of the work per thread: those within the first window are done sooner."""

_T = TypeVar("_T", bound=np.generic)


class _Scratch:
    """Arrays of one thread, used again for every block of at most *events*."""

    def __init__(self, events: int) -> None:
        block = min(BLOCK, events)
        self.merge = Merge(min(LONGEST, events), block)
        self.limit, self.bad, self.gone, self.total, self.step = np.empty(
            (5, block), dtype=np.int64
        )
        self.floats = np.empty((2, block))
        self.rows = np.arange(block) + 1


def _bad_inside(
    good: NDArray[np.bool_],
    row: NDArray[np.int64],
    gone: NDArray[np.bool_],
    left: NDArray[np.int64],
    before: int,
    scratch: _Scratch,
) -> NDArray[np.int64]:
    """
    How many bad events each window holds, of *before* in the one before them.

    Args:
        good: The flags of the events that arrive.
        row: How many of them have arrived when each window ends, ascending.
        gone: The flags of the events that leave.
        left: How many of them have left by then, ascending.
        before: Bad events of the window before.
        scratch: Arrays of the thread.
    """
    if max(len(good), len(gone)) > LONGEST:
        return before + _bad_of_many(good, row) - _bad_of_many(gone, left)
    arrived, departed = bad_rows(good), bad_rows(gone)
    changes, size = len(arrived) + len(departed), len(row)
    if changes * FEW < size:  # the count is level from one bad event to the next
        place = np.concatenate(
            (row.searchsorted(arrived, "right"), left.searchsorted(departed, "right"))
        )
        step = scratch.step[:size]
        step.fill(0)
        step[0] = before
        np.add.at(step, place[: len(arrived)], 1)
        np.subtract.at(step, place[len(arrived) :], 1)
        return np.cumsum(step, out=scratch.bad[:size])
    bad = _bad_counts(arrived, len(good)).take(row, mode="clip", out=scratch.bad[:size])
    bad -= _bad_counts(departed, len(gone)).take(left, mode="clip", out=scratch.gone[:size])
    bad += before
    return bad


def _bad_of_many(good: NDArray[np.bool_], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of `good[:row]` are bad for each of the ascending *rows*, piece by piece."""
    counts, before, done = np.zeros_like(rows), 0, 0
    for start in range(0, len(good), LONGEST):
        bad = bad_rows(good[start : start + LONGEST])
        reached = int(rows.searchsorted(start + LONGEST, "right"))
        counts[done:reached] = before + bad.searchsorted(rows[done:reached] - start)
        before, done = before + len(bad), reached
    return counts


def _bad_counts(bad: NDArray[np.intp], rows: int) -> NDArray[np.int64]:
    """How many of the first 0, 1, ... *rows* are *bad*: shape (rows + 1,)."""
    return np.repeat(np.arange(len(bad) + 1), np.diff(bad, prepend=-1, append=rows))


def _whole_instants(
    time: NDArray[np.int64], start: int, stop: int, scratch: _Scratch
) -> tuple[int, NDArray[np.int64]]:
    """
    Where the block that begins at *start* ends, and how many of its rows each one has behind it.

    The rows of its own instant are among them. One instant that fills the block is one row.
    """
    if start and time[start] < time[start - 1]:
        raise not_ascending(time, start, "time_ns")
    end = min(start + BLOCK, stop)
    block = time[start:end]
    rises = block[1:] > block[:-1]
    level = not rises.all()
    if level:
        falls = block[1:] < block[:-1]
        if falls.any():
            raise not_ascending(time, start + 1 + int(falls.argmax()), "time_ns")
    if end < stop and time[end] == time[end - 1]:
        end = start + int(block.searchsorted(block[-1], "left"))
        if end == start:
            end += int(time[start:stop].searchsorted(block[0], "right"))
            fall = descends_at(time[start:end])  # the search has seen only few of them
            if fall is not None:
                raise not_ascending(time, start + fall, "time_ns")
            return end, np.array([end - start])
    row = scratch.rows[: end - start]
    if level:
        tied = np.flatnonzero(~rises[: end - start - 1])  # the next row is of the same instant
        last = np.flatnonzero(np.diff(tied, append=0) != 1)
        row = row.copy()
        row[tied] = np.repeat(tied[last] + 2, np.diff(last, prepend=-1))
    return end, row


def _sweep(
    time: NDArray[np.int64],
    good: NDArray[np.bool_],
    window: int,
    start: int,
    stop: int,
    write: Write,
    scratch: _Scratch,
) -> None:
    """
    Count the windows of the events `start:stop`, which begins and ends between two instants.

    *write* takes the rows of a block, and bad and total of each of them, or of all of them at once.
    """
    first = int(time[:start].searchsorted(time[start] - window))  # no row before it is inside
    inside = start - first - int(np.count_nonzero(good[first:start]))  # of them bad
    while start < stop:
        end, row = _whole_instants(time, start, stop, scratch)
        size = len(row)
        limit = np.subtract(time[start : start + size], window, out=scratch.limit[:size])
        gone = int(time[first:end].searchsorted(limit[-1], "right"))
        left = scratch.merge.rows_up_to(time[first:], gone, limit)
        total = np.subtract(row, left, out=scratch.total[:size])
        total += start - first
        gone_good = good[first : first + gone]
        bad = _bad_inside(good[start:end], row, gone_good, left, inside, scratch)
        inside = int(bad[-1])
        write(slice(start, end), bad, total, scratch)
        start, first = end, first + gone


def _shares(time: NDArray[np.int64], shares: int) -> list[tuple[int, int]]:
    """The rows of each share, cut between instants."""
    cuts = {0, len(time)}
    for share in range(1, shares):
        row = len(time) * share // shares
        cuts.add(int(time[:row].searchsorted(time[row], "left")))
    ordered = sorted(cuts)
    return list(pairwise(ordered))


def _longest_window(time: NDArray[np.int64], window: int) -> int:
    """*window*, or what holds all events, so that no window begins before int64 does."""
    window = min(window, abs(int(time[-1]) - int(time[0])) + 1)
    if int(time[0]) - window < np.iinfo(np.int64).min:
        check_ascending(time)
        raise InvalidSeriesError("time_ns spans more than 292 years; split the series")
    return window


def _sweep_all(
    time: NDArray[np.int64], good: NDArray[np.bool_], window: int, threads: int, write: Write
) -> None:
    check_threads(threads)
    if not len(time):
        return
    window = _longest_window(time, window)
    if threads == 1 or len(time) < threads * CHUNKS * BLOCK:
        _sweep(time, good, window, 0, len(time), write, _Scratch(len(time)))
        return
    kept = local()

    def work(share: tuple[int, int]) -> None:
        if not hasattr(kept, "scratch"):
            kept.scratch = _Scratch(len(time))
        _sweep(time, good, window, *share, write, kept.scratch)

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, _shares(time, CHUNKS * threads)):
            pass  # in the order of the rows: the first offender is told


def _grouped(
    time: NDArray[np.int64],
    good: NDArray[np.int64],
    total: NDArray[np.int64],
    window: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    check_ascending(time)
    answers = (np.empty(len(time), dtype=np.int64), np.empty(len(time), dtype=np.int64))
    if len(time):
        window = _longest_window(time, window)
    sums = [np.concatenate(([0], np.cumsum(counts))) for counts in (good, total)]
    for start in range(0, len(time), BLOCK):
        rows = slice(start, start + BLOCK)
        left = time.searchsorted(time[rows] - window, "right")
        right = time.searchsorted(time[rows], "right")
        for column, before in enumerate(sums):
            np.subtract(before.take(right), before.take(left), out=answers[column][rows])
    return answers


def _of_events(
    time: NDArray[np.int64], good: NDArray[np.bool_], window: int, threads: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    fine, total = np.empty(len(time), dtype=np.int64), np.empty(len(time), dtype=np.int64)

    def write(
        rows: slice,
        bad: NDArray[np.int64],
        whole: NDArray[np.int64],
        _: _Scratch,
    ) -> None:
        np.subtract(whole, bad, out=fine[rows])
        total[rows] = whole

    _sweep_all(time, good, window, threads, write)
    return fine, total


def _given_order(answer: NDArray[_T], order: NDArray[np.intp] | slice) -> NDArray[_T]:
    """The answer of sorted rows, put back where the rows were given."""
    given = np.empty_like(answer)
    given[order] = answer
    return given


def rolling_counts(
    time_ns: ArrayLike,
    good: ArrayLike,
    window_ns: int,
    *,
    total: ArrayLike | None = None,
    sort: bool = False,
    threads: int = 1,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Good and all events of the trailing window (t - w, t] at every event.

    Args:
        time_ns: Ascending instants [ns], shape (n,).
        good: Whether each event is good, shape (n,); or, beside *total*, the good events of each
            row, integers.
        window_ns: Length of the window [ns, > 0].
        total: All events of each row, shape (n,); None when each row is one event.
        sort: Put events that are out of order in order first; answers keep the given order.
        threads: Threads to share the work (of events; grouped rows are few).

    Returns:
        Good and total per row, int64, shape (n,) each.

    Raises:
        InvalidSeriesError: *time_ns* descends and *sort* was not asked for (`.index` is the first
            that does), or the columns do not fit together.
        InvalidCountsError: A row's good lies outside 0 to its total.
        InvalidWindowError: *window_ns* is not positive.

    Time: O(n log(events per block and window)); memory: the answer, and a block of scratch per
    thread.

    Example:
        >>> good, total = rolling_counts([10, 20, 20, 30], [True, False, True, True], 10)
        >>> good.tolist(), total.tolist()
        ([1, 1, 1, 1], [1, 2, 2, 1])
    """
    window = check_window(window_ns)
    time = time_column(time_ns)
    order = np.argsort(time, kind="stable") if sort else slice(None)
    if total is None:
        flags = flags_column(good, len(time))
        answers = _of_events(time[order], flags[order], window, threads)
    else:
        fine, whole = counts_column(good, total, len(time))
        answers = _grouped(time[order], fine[order], whole[order], window)
    if not sort:
        return answers
    return _given_order(answers[0], order), _given_order(answers[1], order)


def rolling_budget(
    time_ns: ArrayLike,
    good: ArrayLike,
    window_ns: int,
    target: TargetLike,
    *,
    total: ArrayLike | None = None,
    sort: bool = False,
    threads: int = 1,
    out: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    SLI and share of the error budget left over the trailing window (t - w, t] at every event.

    The same as `sli` and `budget_remaining` of `rolling_counts`, without keeping the counts.

    Args:
        time_ns: Ascending instants [ns], shape (n,).
        good: Whether each event is good, shape (n,); or, beside *total*, the good events of each
            row, integers.
        window_ns: Length of the window [ns, > 0].
        target: Exact share of events that must be good, in (0, 1].
        total: All events of each row, shape (n,); None when each row is one event.
        sort: Put events that are out of order in order first; answers keep the given order.
        threads: Threads to share the work (of events; grouped rows are few).
        out: Two float64 columns of shape (n,) to write to, when the call is repeated: fresh memory
            takes a good part of the time. None allocates them.

    Returns:
        SLI and remaining budget per row [1], float64, shape (n,) each, correctly rounded from the
        integers; exactly 0 is left at exhaustion.

    Raises:
        InvalidSeriesError: *time_ns* descends and *sort* was not asked for (`.index` is the first
            that does), or the columns, or those of *out*, do not fit together.
        InvalidWindowError: *window_ns* is not positive.
        InvalidTargetError: *target* lies outside (0, 1].

    Time: O(n log(events per block and window)); memory: the answer, and a block of scratch per
    thread.

    Example:
        >>> shares, left = rolling_budget([10, 20, 20, 30], [True, False, True, True], 10, "50%")
        >>> shares.tolist(), left.tolist()
        ([1.0, 0.5, 0.5, 1.0], [1.0, 0.0, 0.0, 1.0])
    """
    target = Target(target)
    allowed, scale = target.error.numerator, target.error.denominator
    time = time_column(time_ns)
    if out is None:
        out = np.empty(len(time)), np.empty(len(time))
    if len(out) != 2:
        raise InvalidSeriesError(f"out must be two columns, got {len(out)}")
    check_out(out, time.shape)
    shares, left = out
    if total is not None or sort or not allowed or len(time) * scale >= ratios.EXACT_BELOW:
        counts = rolling_counts(time, good, window_ns, total=total, sort=sort, threads=threads)
        shares[:], left[:] = ratios.sli(*counts), ratios.budget_remaining(*counts, target)
        return out
    window = check_window(window_ns)
    flags = flags_column(good, len(time))

    def write(
        rows: slice,
        bad: NDArray[np.int64],
        whole: NDArray[np.int64],
        scratch: _Scratch,
    ) -> None:
        # Whole numbers below 2**53, so float64 keeps them exactly.
        budget, spent = (column[: len(bad)] for column in scratch.floats)
        np.copyto(budget, whole)
        np.copyto(spent, bad)
        _divide_rest(budget, spent, shares[rows])
        budget *= allowed
        spent *= scale
        _divide_rest(budget, spent, left[rows])

    _sweep_all(time, flags, window, threads, write)
    return out


def _divide_rest(
    budget: NDArray[np.float64], spent: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Write the share of *budget* that is not *spent*."""
    np.subtract(budget, spent, out=out)
    np.divide(out, budget, out=out)
