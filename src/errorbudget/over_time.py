"""
What the samples of a gauge say about a window: PromQL's `*_over_time`, one series, one instant.

The sums are exact and rounded once, where a server adds with a compensated sum: both agree to the
last digit or two, and no order of the samples matters. Twins: `kernels.over_time`.

Source: Prometheus, promql/functions.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor, inf, isnan, nan, sqrt

from errorbudget.counters import Rules, samples_in_window

__all__ = [
    "avg_over_time",
    "count_over_time",
    "deriv",
    "first_over_time",
    "last_over_time",
    "mad_over_time",
    "max_over_time",
    "median_distance",
    "min_over_time",
    "present_over_time",
    "quantile_of",
    "quantile_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "sum_over_time",
]


def _special(values: Sequence[float]) -> float | None:
    """The sum where a value is not finite; None where all are."""
    if any(isnan(value) for value in values) or (inf in values and -inf in values):
        return nan
    return inf if inf in values else -inf if -inf in values else None


def _to_float(exact: Fraction) -> float:
    try:
        return float(exact)
    except OverflowError:
        return inf if exact > 0 else -inf


def sum_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """
    `sum_over_time(x[range])`: the exact sum, rounded once; None without a sample.

    Args:
        t_ms: Times of the samples [ms UTC], ascending.
        values: Their values.
        at_ms: End of the window [ms UTC].
        range_ms: Length of the window [ms].
        rules: Whose rules: they tell whether the left edge is inside.

    Example:
        >>> sum_over_time([1, 2, 3, 4], [1.0, 1e100, 1.0, -1e100], 4, 4)
        2.0
    """
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    if not inside:
        return None
    special = _special(inside)
    return _to_float(sum(map(Fraction, inside), Fraction(0))) if special is None else special


def avg_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`avg_over_time(x[range])`: the mean of the samples; arguments as `sum_over_time`."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    if not inside:
        return None
    special = _special(inside)
    return (
        _to_float(sum(map(Fraction, inside), Fraction(0)) / len(inside))
        if special is None
        else special
    )


def count_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`count_over_time(x[range])`: how many samples; None without one."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return float(len(inside)) if inside else None


def present_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`present_over_time(x[range])`: 1 where there is a sample, else None."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return 1.0 if inside else None


def last_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`last_over_time(x[range])`: the newest sample; None without one."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return inside[-1] if inside else None


def first_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`first_over_time(x[range])`: the oldest sample; None without one."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return inside[0] if inside else None


def _extreme(inside: Sequence[float], *, largest: bool) -> float:
    numbers = [value for value in inside if not isnan(value)]
    return nan if not numbers else max(numbers) if largest else min(numbers)


def min_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`min_over_time(x[range])`: the smallest sample; NaN only where there is no number."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return _extreme(inside, largest=False) if inside else None


def max_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`max_over_time(x[range])`: the largest sample; NaN only where there is no number."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return _extreme(inside, largest=True) if inside else None


def variance_of(values: Sequence[float]) -> float:
    """Variance of plain values, exact and rounded once; NaN where one is not finite."""
    if _special(values) is not None:
        return nan
    exact = [Fraction(value) for value in values]
    mean = sum(exact, Fraction(0)) / len(exact)
    return _to_float(sum(((value - mean) ** 2 for value in exact), Fraction(0)) / len(exact))


def stdvar_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`stdvar_over_time(x[range])`: variance of the samples, dividing by their number."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return variance_of(inside) if inside else None


def stddev_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`stddev_over_time(x[range])`: the root of `stdvar_over_time`."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return sqrt(variance_of(inside)) if inside else None


def quantile_of(q: float, values: Sequence[float]) -> float:
    """
    PromQL's quantile of plain values: linear between the two nearest ranks, NaN sorted first.

    Outside [0, 1] the answer is infinite, as the server's.

    Example:
        >>> quantile_of(0.5, [4.0, 1.0, 2.0, 3.0])
        2.5
    """
    if not values or isnan(q):
        return nan
    if not 0 <= q <= 1:
        return -inf if q < 0 else inf
    ordered = sorted(values, key=lambda value: (not isnan(value), 0 if isnan(value) else value))
    rank = q * (len(ordered) - 1)
    lower = max(0, floor(rank))
    upper = min(len(ordered) - 1, lower + 1)
    weight = rank - floor(rank)
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


def quantile_over_time(
    q: float,
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`quantile_over_time(q, x[range])`: `quantile_of` the samples; None without one."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return quantile_of(q, inside) if inside else None


def mad_over_time(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`mad_over_time(x[range])`: median distance from the median; None without a sample."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return median_distance(inside) if inside else None


def median_distance(values: Sequence[float]) -> float:
    """Median of the distances from the median."""
    median = quantile_of(0.5, values)
    return quantile_of(0.5, [abs(value - median) for value in values])


def deriv(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`deriv(x[range])`: slope of the least-squares line [per second]; None with fewer than two."""
    times, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return slope_of(times, inside) if len(inside) > 1 else None


def slope_of(t_ms: Sequence[int], values: Sequence[float]) -> float:
    """Slope of the least-squares line through two values or more; NaN where one is not finite."""
    if _special(values) is not None:
        return nan
    seconds = [Fraction(time - t_ms[0], 1000) for time in t_ms]
    exact = [Fraction(value) for value in values]
    count = len(exact)
    covariance = sum((x * y for x, y in zip(seconds, exact, strict=True)), Fraction(0)) - sum(
        seconds
    ) * sum(exact) / Fraction(count)
    variance = sum((x * x for x in seconds), Fraction(0)) - sum(seconds) ** 2 / Fraction(count)
    return _to_float(covariance / variance)
