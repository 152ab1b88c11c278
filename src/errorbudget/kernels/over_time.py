"""
Gauges at many instants at once: the numpy twin of `errorbudget.over_time`.

Float64 of shape (m,), NaN in place of None; `count_over_time` tells a NaN sample from no sample.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.counters import Rules
from errorbudget.kernels.counters import Windows, range_sums, windows
from errorbudget.over_time import median_distance, quantile_of, slope_of, variance_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "avg_over_time",
    "count_over_time",
    "deriv",
    "first_over_time",
    "last_over_time",
    "mad_over_time",
    "max_over_time",
    "min_over_time",
    "present_over_time",
    "quantile_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
]

SQUARED_BELOW = 1e100
"""Values below this have squares whose sums stay finite; larger ones are summed exactly."""

SUMMED_BELOW = 1e290
"""Values below this have finite sums; larger ones are summed window by window."""


def _each(seen: Windows, least: int, answer: Callable[[Floats, Any], float]) -> Floats:
    """One answer per window with at least *least* samples, shape (m,)."""
    answers = np.full(len(seen.at_ms), np.nan)
    for index in np.flatnonzero(seen.count >= least).tolist():
        inside = slice(seen.first[index], seen.end[index])
        answers[index] = answer(seen.values[inside], seen.t_ms[inside])
    return answers


def _exact_sum(values: Floats) -> Fraction | int:
    return sum(map(Fraction, values.tolist()))


def _rounded(exact: Fraction | int) -> float:
    try:
        return float(exact)
    except OverflowError:
        return np.inf if exact > 0 else -np.inf


def _sum(values: Floats) -> float:
    if not np.isfinite(values).all():
        with np.errstate(invalid="ignore"):
            return float(values[~np.isfinite(values)].sum())
    try:
        return fsum(values)
    except OverflowError:
        return _rounded(_exact_sum(values))


def _mean(values: Floats) -> float:
    total = _sum(values)
    if np.isfinite(total) or not np.isfinite(values).all():
        return total / len(values)
    return _rounded(Fraction(_exact_sum(values), len(values)))


def _summed_at_once(values: Floats) -> bool:
    """Whether no sum of *values* leaves the floats; NaN is not below anything."""
    return bool(np.abs(values).max(initial=0.0) < SUMMED_BELOW)


def sum_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """
    `sum_over_time(x[range])` at many instants, each sum rounded once.

    Args:
        t_ms: Times of the samples, integers of shape (n,), ascending [ms UTC].
        values: Their values, shape (n,).
        at_ms: Ends of the windows, integers of shape (m,) [ms UTC].
        range_ms: Length of the windows [ms].
        rules: Whose rules.

    Returns:
        Sums of shape (m,), NaN without a sample.

    Time: O(n + m log n) for finite whole numbers, else O(total length of the windows).
    """
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    if _summed_at_once(seen.values):
        sums = range_sums(seen.values, seen.first, seen.end)
        return np.where(seen.count > 0, sums, np.nan)
    return _each(seen, 1, lambda inside, _: _sum(inside))


def avg_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`avg_over_time(x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    if _summed_at_once(seen.values):
        sums = range_sums(seen.values, seen.first, seen.end)
        return np.where(seen.count > 0, sums / np.maximum(seen.count, 1), np.nan)
    return _each(seen, 1, lambda inside, _: _mean(inside))


def count_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`count_over_time(x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return np.where(seen.count > 0, seen.count, np.nan)


def present_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`present_over_time(x[range])` at many instants: 1, or NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return np.where(seen.count > 0, 1.0, np.nan)


def last_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`last_over_time(x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    newest = np.append(seen.values, np.nan)[seen.end - 1]
    return np.where(seen.count > 0, newest, np.nan)


def first_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`first_over_time(x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    oldest = np.append(seen.values, np.nan)[seen.first]
    return np.where(seen.count > 0, oldest, np.nan)


def _extremes(seen: Windows, ufunc: Any) -> Floats:
    # reduceat takes starts only: every second stretch is the one between two windows, thrown away.
    edges = np.stack([seen.first, seen.end], axis=1).ravel()
    extremes = ufunc.reduceat(np.append(seen.values, np.nan), edges)[::2]
    return np.where(seen.count > 0, extremes, np.nan)


def min_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`min_over_time(x[range])` at many instants; NaN without a number."""
    return _extremes(windows(t_ms, values, at_ms, range_ms, rules), np.fmin)


def max_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`max_over_time(x[range])` at many instants; NaN without a number."""
    return _extremes(windows(t_ms, values, at_ms, range_ms, rules), np.fmax)


def _variance(values: Floats) -> float:
    if not np.abs(values).max() < SQUARED_BELOW:  # NaN is not below either
        return variance_of(values.tolist())
    deviations = values - _mean(values)
    # The mean is rounded: what that leaves over in the sum of deviations is taken back.
    rest = fsum(deviations)
    return max(0.0, (fsum(deviations * deviations) - rest * rest / len(values)) / len(values))


def stdvar_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`stdvar_over_time(x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return _each(seen, 1, lambda inside, _: _variance(inside))


def stddev_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`stddev_over_time(x[range])` at many instants; NaN without a sample."""
    return np.sqrt(stdvar_over_time(t_ms, values, at_ms, range_ms, rules))


def quantile_over_time(
    q: float,
    t_ms: ArrayLike,
    values: ArrayLike,
    at_ms: ArrayLike,
    range_ms: int,
    rules: Rules = "prom3",
) -> Floats:
    """`quantile_over_time(q, x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return _each(seen, 1, lambda inside, _: quantile_of(q, inside.tolist()))


def mad_over_time(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`mad_over_time(x[range])` at many instants; NaN without a sample."""
    seen = windows(t_ms, values, at_ms, range_ms, rules)
    return _each(seen, 1, lambda inside, _: median_distance(inside.tolist()))


def _slope(values: Floats, t_ms: Any) -> float:
    if not np.abs(values).max() < SQUARED_BELOW:
        return slope_of(t_ms.tolist(), values.tolist())
    seconds = (t_ms - t_ms[0]) / 1000
    seconds = seconds - fsum(seconds) / len(seconds)
    deviations = values - _mean(values)
    return fsum(seconds * deviations) / fsum(seconds * seconds)


def deriv(
    t_ms: ArrayLike, values: ArrayLike, at_ms: ArrayLike, range_ms: int, rules: Rules = "prom3"
) -> Floats:
    """`deriv(x[range])` at many instants [per second]; NaN with fewer than two samples."""
    return _each(windows(t_ms, values, at_ms, range_ms, rules), 2, _slope)
