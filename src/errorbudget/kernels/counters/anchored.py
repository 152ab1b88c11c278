"""The anchored reading of many windows: the twin of `errorbudget.counters.anchored`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.counters import LOOKBACK_MS, Born
from errorbudget.errors import InvalidSeriesError
from errorbudget.kernels.counters.samples import integers, range_sums, samples, windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["anchored_increase", "coverage", "hidden_increase", "increments"]


def _counts(t_ms: ArrayLike, values: ArrayLike) -> tuple[Ints, Floats]:
    times, numbers = samples(t_ms, values)
    wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
    if len(wrong):
        index = int(wrong[0])
        raise InvalidSeriesError(
            f"a counter counts: its values are finite and not negative, got {numbers[index]} at "
            f"{times[index]} ms",
            index=index,
        )
    return times, numbers


def increments(t_ms: ArrayLike, values: ArrayLike, *, born: Born = "zero") -> tuple[Ints, Floats]:
    """
    Growth that each sample is the first to show: what counts per bin are made of.

    Args:
        t_ms: Times of the samples, integers of shape (n,), ascending [ms UTC].
        values: Values of the counter, shape (n,) [events, >= 0]; stale markers are left out.
        born: Whether the first value is growth from "zero", or was there "before".

    Returns:
        Times [ms UTC] and growth [events], each of shape (n without markers,).

    Example:
        >>> increments([0, 60_000, 120_000], [5, 8, 2])[1]
        array([5., 3., 2.])
    """
    times, counts = _counts(t_ms, values)
    grown = np.empty(len(counts))
    if len(counts):
        grown[0] = counts[0] if born == "zero" else 0.0
        np.subtract(counts[1:], counts[:-1], out=grown[1:])
        np.copyto(grown[1:], counts[1:], where=grown[1:] < 0)
    return times, grown


def anchored_increase(
    t_ms: ArrayLike,
    values: ArrayLike,
    at_ms: ArrayLike,
    range_ms: int,
    *,
    lookback_ms: int = LOOKBACK_MS,
    born: Born = "zero",
) -> Floats:
    """
    Growth over each (at - range, at], anchored: exact, whole and additive.

    Args:
        t_ms: Times of the samples, integers of shape (n,), ascending [ms UTC].
        values: Values of the counter, shape (n,) [events, >= 0].
        at_ms: Ends of the windows, integers of shape (m,) [ms UTC].
        range_ms: Length of the windows [ms].
        lookback_ms: How old the value at the start may be [ms].
        born: Where a series first seen inside a window began.

    Returns:
        Growth of each window [events], shape (m,); NaN where nothing was seen.

    Raises:
        InvalidSeriesError: Times do not ascend, or a value is no count.

    Example:
        >>> anchored_increase([0, 60_000, 120_000], [5, 8, 2], [130_000, 60_000], 70_000)
        array([2., 8.])

    Time: O(n + m log n); memory: O(n + m).
    """
    times, grown = increments(t_ms, values, born=born)
    ends = windows(times, grown, at_ms, range_ms)
    before, upto = ends.first, ends.end
    if not len(times):
        return np.full(len(ends.at_ms), np.nan)
    starts = ends.at_ms - ends.range_ms
    adrift = starts - times[np.maximum(before - 1, 0)] > lookback_ms
    sums = range_sums(grown, np.minimum(before + adrift, upto), upto)
    silent = (upto == before) & (ends.at_ms - times[np.maximum(upto - 1, 0)] > lookback_ms)
    sums[(upto == 0) | silent] = np.nan
    return sums


def hidden_increase(
    t_ms: ArrayLike,
    values: ArrayLike,
    at_ms: ArrayLike,
    range_ms: int,
    *,
    lookback_ms: int = LOOKBACK_MS,
) -> Floats:
    """What the gap in which each window starts hides [events], shape (m,); see the twin."""
    times, grown = increments(t_ms, values)
    ends = windows(times, grown, at_ms, range_ms)
    hidden = np.zeros(len(ends.at_ms))
    within = ends.count > 0
    starts = ends.at_ms[within] - ends.range_ms
    first = ends.first[within]
    hidden[within] = np.where(starts - times[first - 1] > lookback_ms, grown[first], 0.0)
    return hidden


def coverage(
    t_ms: ArrayLike, at_ms: ArrayLike, range_ms: int, *, lookback_ms: int = LOOKBACK_MS
) -> Floats:
    """Share of each window during which the value was known, shape (m,); see the twin."""
    times = samples(t_ms, np.zeros(np.asarray(t_ms).shape))[0]
    ends = np.atleast_1d(integers("instants", at_ms))
    if not len(times):
        return np.zeros(len(ends))
    spoken = np.append(np.minimum(np.diff(times), lookback_ms), lookback_ms)
    running = np.concatenate(([0], np.cumsum(spoken)))

    def known_until(instants: Any) -> Any:
        newest = np.searchsorted(times, instants) - 1
        inside = np.maximum(newest, 0)
        part = np.minimum(instants - times[inside], spoken[inside])
        return np.where(newest < 0, 0, running[inside] + part)

    return np.asarray((known_until(ends) - known_until(ends - range_ms)) / range_ms)
