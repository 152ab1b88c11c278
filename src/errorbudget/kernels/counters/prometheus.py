"""The reading of Prometheus at many instants: the twin of `errorbudget.counters.prometheus`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from errorbudget.counters import LOOKBACK_MS, Rules
from errorbudget.kernels.counters.samples import Windows, integers, is_stale, range_sums, windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["changes", "delta", "idelta", "increase", "irate", "last_value", "rate", "resets"]


def _taken_by_resets(seen: Windows) -> Floats:
    """What the resets inside each window took away, shape (m,)."""
    falls = np.flatnonzero(seen.values[1:] < seen.values[:-1])
    lost = seen.values[falls]
    # The fall behind sample i lies inside a window that holds both i and i + 1.
    first = np.searchsorted(falls, seen.first)
    end = np.maximum(np.searchsorted(falls, seen.end - 1), first)
    return range_sums(lost, first, end)


def _extrapolated(seen: Windows, rules: Rules, *, counter: bool, per_second: bool) -> Floats:
    enough = seen.count >= 2
    answer = np.full(len(seen.at_ms), np.nan)
    last, first = seen.end[enough] - 1, seen.first[enough]
    head = seen.values[first]
    with np.errstate(invalid="ignore", over="ignore"):
        grown = seen.values[last] - head
        if counter:
            grown = grown + _taken_by_resets(seen)[enough]
        span = (seen.t_ms[last] - seen.t_ms[first]) / 1000
        spacing = span / (last - first)
        threshold = spacing * 1.1
        to_start = (seen.t_ms[first] - (seen.at_ms[enough] - seen.range_ms)) / 1000
        to_end = (seen.at_ms[enough] - seen.t_ms[last]) / 1000
        to_zero = np.full(len(grown), np.inf)
        if counter:
            bounded = (grown > 0) & (head >= 0)
            to_zero[bounded] = span[bounded] * (head[bounded] / grown[bounded])
        # Up to 2.50 the zero point came before the threshold: see the twin.
        if rules == "prom2.42":
            to_start = np.minimum(to_start, to_zero)
            to_start = np.where(to_start < threshold, to_start, spacing / 2)
        else:
            to_start = np.where(to_start < threshold, to_start, spacing / 2)
            to_start = np.minimum(to_start, to_zero)
        to_end = np.where(to_end < threshold, to_end, spacing / 2)
        factor = (span + to_start + to_end) / span
        if per_second:
            factor = factor / (seen.range_ms / 1000)
        answer[enough] = grown * factor
    return answer


def increase(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """
    `increase(x[range])` at many instants.

    Args:
        t_ms: Times of the samples, integers of shape (n,), ascending [ms UTC].
        values: Values of the counter, shape (n,) [events].
        at_ms: Ends of the windows, integers of shape (m,) [ms UTC].
        range_ms: Length of the windows [ms].
        rules: Whose rules.

    Returns:
        Growth of each window [events], shape (m,); NaN with fewer than two samples.

    Example:
        >>> increase([0, 60_000, 120_000], [0, 10, 20], [120_000, 60_000], 120_000, "prom2.53")
        array([20., 10.])

    Time: O(n + m log n); memory: O(n + m).
    """
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return _extrapolated(seen, rules, counter=True, per_second=False)


def rate(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`rate(x[range])` at many instants [events/s]; arguments as `increase`."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return _extrapolated(seen, rules, counter=True, per_second=True)


def delta(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`delta(x[range])` at many instants; arguments as `increase`."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return _extrapolated(seen, rules, counter=False, per_second=False)


def irate(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`irate(x[range])` at many instants [events/s]; NaN with fewer than two samples."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    enough = seen.count >= 2
    last = seen.end[enough] - 1
    newest, before = seen.values[last], seen.values[last - 1]
    answer = np.full(len(seen.at_ms), np.nan)
    with np.errstate(invalid="ignore"):
        grown = np.where(newest < before, newest, newest - before)
        answer[enough] = grown / ((seen.t_ms[last] - seen.t_ms[last - 1]) / 1000)
    return answer


def idelta(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`idelta(x[range])` at many instants; NaN with fewer than two samples."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    enough = seen.count >= 2
    last = seen.end[enough] - 1
    answer = np.full(len(seen.at_ms), np.nan)
    with np.errstate(invalid="ignore"):
        answer[enough] = seen.values[last] - seen.values[last - 1]
    return answer


def _pairs(seen: Windows, happened: NDArray[np.bool_]) -> Floats:
    """How many pairs of neighbours inside each window meet a condition, shape (m,)."""
    running = np.concatenate(([0], np.cumsum(happened)))
    last = np.maximum(seen.end - 1, seen.first)
    inside = np.minimum(last, len(happened)), np.minimum(seen.first, len(happened))
    return np.where(seen.count > 0, running[inside[0]] - running[inside[1]], np.nan)


def resets(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`resets(x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return _pairs(seen, seen.values[1:] < seen.values[:-1])


def changes(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`changes(x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    after, before = seen.values[1:], seen.values[:-1]
    return _pairs(seen, (after != before) & ~(np.isnan(after) & np.isnan(before)))


def last_value(
    t_ms: ArrayLike,
    values: ArrayLike,
    at_ms: ArrayLike,
    lookback_ms: int = LOOKBACK_MS,
    rules: Rules = "prom3",
) -> Floats:
    """`x` at many instants: the newest value no older than the look-back; NaN without one."""
    live = windows(t_ms, values, at_ms, lookback_ms, rules)
    # A stale marker ends the series, although range functions do not see it.
    newest = np.searchsorted(integers("times", t_ms), live.at_ms, "right") - 1
    ended = np.append(is_stale(values), False)[newest]
    known = (live.count > 0) & ~ended
    answer = np.full(len(live.at_ms), np.nan)
    answer[known] = live.values[live.end[known] - 1]
    return answer
