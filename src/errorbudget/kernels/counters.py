"""
Counters at many instants at once: the numpy twin of `errorbudget.counters`.

One series, many windows. Each window is two positions among the samples (`searchsorted`); growth
is the last value less the first plus what the resets in between took away, looked up in a running
sum. Running sums drift, so they are used only where every sum is a whole number below 2**53, which
counters are; elsewhere each window's resets are added up on their own, correctly rounded.

Functions take the arguments of their twins, with arrays in place of lists and of the instant, and
give float64 of shape (m,), NaN in place of None. `count_over_time` tells a NaN sample from no
sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.counters import LOOKBACK_MS, RULES, STALE, Born, Rules
from errorbudget.errors import InvalidInputError, InvalidSeriesError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "Windows",
    "anchored_increase",
    "changes",
    "coverage",
    "delta",
    "hidden_increase",
    "idelta",
    "increase",
    "increments",
    "irate",
    "is_stale",
    "last_value",
    "range_sums",
    "rate",
    "resets",
    "windows",
]

_STALE_BITS = np.array(STALE, dtype="<f8").view("<i8")
_EXACT = float(2**53)


def is_stale(values: ArrayLike) -> NDArray[np.bool_]:
    """Which values mark that a series ended, shape (n,)."""
    checked = np.ascontiguousarray(values, dtype=np.float64)
    return np.asarray(checked.view(np.int64) == _STALE_BITS)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """
    The samples of one series and where each window begins and ends among them.

    Attributes:
        t_ms: Times without stale markers, int64 of shape (n,) [ms UTC].
        values: Their values, float64 of shape (n,).
        first: Position of each window's first sample, shape (m,).
        end: Position after each window's last sample, shape (m,).
        at_ms: Ends of the windows, shape (m,) [ms UTC].
        range_ms: Their length [ms].
    """

    t_ms: Ints
    values: Floats
    first: Ints
    end: Ints
    at_ms: Ints
    range_ms: int

    @property
    def count(self) -> Ints:
        """Samples in each window, shape (m,)."""
        return self.end - self.first


def _integers(name: str, given: ArrayLike) -> Ints:
    array = np.asarray(given)
    if array.size == 0:
        return np.zeros(array.shape, dtype=np.int64)
    if array.dtype.kind not in "iu":
        raise InvalidInputError(f"{name} must be whole milliseconds, got {array.dtype}")
    return array.astype(np.int64, copy=False)


def _samples(t_ms: ArrayLike, values: ArrayLike) -> tuple[Ints, Floats]:
    times, numbers = _integers("times", t_ms), np.asarray(values, dtype=np.float64)
    if times.ndim != 1 or times.shape != numbers.shape:
        raise InvalidSeriesError(
            f"times of shape {times.shape} for values of shape {numbers.shape}: one each is needed"
        )
    wrong = np.flatnonzero(times[1:] <= times[:-1])
    if len(wrong):
        index = int(wrong[0]) + 1
        raise InvalidSeriesError(
            f"times must ascend, each once; sample {index} at {times[index]} ms follows "
            f"{times[index - 1]} ms",
            index=index,
        )
    stale = is_stale(numbers)
    return (times[~stale], numbers[~stale]) if stale.any() else (times, numbers)


def windows(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Windows:
    """
    Where each window lies among the samples.

    Args:
        t_ms: Times of the samples, integers of shape (n,), ascending [ms UTC].
        values: Their values, shape (n,); stale markers are left out.
        at_ms: Ends of the windows, integers of shape (m,), in any order [ms UTC].
        range_ms: Length of the windows [ms].
        rules: Up to 2.55 a sample on the left edge is inside, from 3.0 on it is not.

    Raises:
        InvalidSeriesError: Times do not ascend, or shapes differ.

    Time: O(n + m log n); memory: O(m).
    """
    if rules not in RULES:
        raise InvalidInputError(f"rules must be one of {', '.join(RULES)}, got {rules!r}")
    if range_ms <= 0:
        raise InvalidInputError(f"a window must be longer than 0 ms, got {range_ms}")
    times, numbers = _samples(t_ms, values)
    ends = np.atleast_1d(_integers("instants", at_ms))
    return Windows(
        t_ms=times,
        values=numbers,
        first=np.searchsorted(times, ends - range_ms, "right" if rules == "prom3" else "left"),
        end=np.searchsorted(times, ends, "right"),
        at_ms=ends,
        range_ms=int(range_ms),
    )


def _whole(values: Floats) -> bool:
    """Whether every partial sum is a whole number that a float64 holds."""
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.abs(values).sum()
        return bool(total < _EXACT) and bool((values == np.rint(values)).all())


def range_sums(values: Floats, first: Ints, end: Ints) -> Floats:
    """
    The sum of each slice `values[first:end]`, correctly rounded, shape (m,).

    Args:
        values: Finite numbers, shape (n,).
        first: Starts of the slices, shape (m,).
        end: Ends of the slices, shape (m,); an empty slice sums to 0.

    Time: O(n + m) for whole numbers, else O(total length of the slices).
    """
    if _whole(values):
        running = np.concatenate(([0.0], np.cumsum(values)))
        return np.asarray(running[np.maximum(end, first)] - running[first])
    return np.fromiter(
        (fsum(values[a:b]) for a, b in zip(first.tolist(), end.tolist(), strict=True)),
        dtype=np.float64,
        count=len(first),
    )


def _taken_by_resets(seen: Windows) -> Floats:
    """What the resets inside each window took away, shape (m,)."""
    falls = np.flatnonzero(seen.values[1:] < seen.values[:-1])
    lost = seen.values[falls]
    if not len(falls):
        return np.zeros(len(seen.at_ms))
    # The fall behind sample i lies inside a window that holds both i and i + 1.
    first = np.searchsorted(falls, seen.first)
    end = np.maximum(np.searchsorted(falls, seen.end - 1), first)
    if np.isfinite(lost).all():
        return range_sums(lost, first, end)
    return np.fromiter(
        (lost[a:b].sum() for a, b in zip(first.tolist(), end.tolist(), strict=True)),
        dtype=np.float64,
        count=len(first),
    )


def _extrapolated(seen: Windows, rules: Rules, *, counter: bool, per_second: bool) -> Floats:
    enough = seen.count >= 2
    answer = np.full(len(seen.at_ms), np.nan)
    if not enough.any():
        return answer
    last, first = seen.end[enough] - 1, seen.first[enough]
    head = seen.values[first]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
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
    times, numbers = _integers("times", t_ms), np.asarray(values, dtype=np.float64)
    live = windows(t_ms, values, at_ms, lookback_ms, rules)
    # A stale marker ends the series, although range functions do not see it.
    newest = np.searchsorted(times, live.at_ms, "right") - 1
    ended = (newest >= 0) & np.append(is_stale(numbers), False)[newest]
    known = (live.count > 0) & ~ended
    answer = np.full(len(live.at_ms), np.nan)
    answer[known] = live.values[live.end[known] - 1]
    return answer


def _counts(t_ms: ArrayLike, values: ArrayLike) -> tuple[Ints, Floats]:
    times, numbers = _samples(t_ms, values)
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
    adrift = (before > 0) & (starts - times[np.maximum(before - 1, 0)] > lookback_ms)
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
    within = (ends.first > 0) & (ends.count > 0)
    starts = ends.at_ms[within] - ends.range_ms
    first = ends.first[within]
    hidden[within] = np.where(starts - times[first - 1] > lookback_ms, grown[first], 0.0)
    return hidden


def coverage(
    t_ms: ArrayLike, at_ms: ArrayLike, range_ms: int, *, lookback_ms: int = LOOKBACK_MS
) -> Floats:
    """Share of each window during which the value was known, shape (m,); see the twin."""
    times = _samples(t_ms, np.zeros(np.asarray(t_ms).shape))[0]
    ends = np.atleast_1d(_integers("instants", at_ms))
    if not len(times):
        return np.zeros(len(ends))
    spoken = np.append(np.minimum(np.diff(times), lookback_ms), lookback_ms)
    running = np.concatenate(([0], np.cumsum(spoken)))

    def known_until(instants: Any) -> Any:
        newest = np.searchsorted(times, instants, "right") - 1
        inside = np.maximum(newest, 0)
        part = np.minimum(instants - times[inside], spoken[inside])
        return np.where(newest < 0, 0, running[inside] + part)

    return np.asarray((known_until(ends) - known_until(ends - range_ms)) / range_ms)
