"""
The reading of Prometheus: the samples inside a window, extrapolated to its edges.

Source: Prometheus, promql/functions.go (`extrapolatedRate`, `instantValue`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isnan

from errorbudget.counters.samples import (
    LOOKBACK_MS,
    Rules,
    check_samples,
    is_stale,
    samples_in_window,
)

__all__ = ["changes", "delta", "idelta", "increase", "irate", "last_value", "rate", "resets"]


def _extrapolated(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules,
    *,
    counter: bool,
    per_second: bool,
) -> float | None:
    times, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    if len(times) < 2:
        return None
    grown = inside[-1] - inside[0]
    if counter:
        for before, after in pairwise(inside):
            if after < before:
                grown += before
    span = (times[-1] - times[0]) / 1000
    spacing = span / (len(times) - 1)
    threshold = spacing * 1.1
    to_start = (times[0] - (at_ms - range_ms)) / 1000
    to_end = (at_ms - times[-1]) / 1000
    # A counter cannot have been below 0: it is not extended beyond where the line meets 0. Up to
    # 2.50 this came before the look at the threshold, and a far-away start could pass for a near
    # one.
    to_zero = span * (inside[0] / grown) if counter and grown > 0 and inside[0] >= 0 else inf
    if rules == "prom2.42":
        to_start = min(to_start, to_zero)
        to_start = to_start if to_start < threshold else spacing / 2
    else:
        to_start = to_start if to_start < threshold else spacing / 2
        to_start = min(to_start, to_zero)
    to_end = to_end if to_end < threshold else spacing / 2
    factor = (span + to_start + to_end) / span
    if per_second:
        factor /= range_ms / 1000
    return grown * factor


def increase(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """
    `increase(x[range])`: growth of a counter, extrapolated to the edges of the window.

    Args:
        t_ms: Times of the samples [ms UTC], ascending.
        values: Values of the counter [events].
        at_ms: End of the window [ms UTC].
        range_ms: Length of the window [ms].
        rules: Whose rules.

    Returns:
        Growth [events], rarely a whole number; None with fewer than two samples in the window.

    Example:
        >>> increase([0, 60_000, 120_000], [0.0, 10.0, 20.0], 120_000, 120_000, "prom2.53")
        20.0
    """
    return _extrapolated(t_ms, values, at_ms, range_ms, rules, counter=True, per_second=False)


def rate(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`rate(x[range])`: `increase` per second [events/s]; arguments and None as there."""
    return _extrapolated(t_ms, values, at_ms, range_ms, rules, counter=True, per_second=True)


def delta(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`delta(x[range])`: change of a gauge, extrapolated to the edges; arguments as `increase`."""
    return _extrapolated(t_ms, values, at_ms, range_ms, rules, counter=False, per_second=False)


def irate(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`irate(x[range])`: growth per second between the last two samples; None with fewer."""
    times, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    if len(times) < 2:
        return None
    grown = inside[-1] if inside[-1] < inside[-2] else inside[-1] - inside[-2]
    return grown / ((times[-1] - times[-2]) / 1000)


def idelta(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`idelta(x[range])`: difference of the last two samples; None with fewer."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return inside[-1] - inside[-2] if len(inside) > 1 else None


def resets(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`resets(x[range])`: how often the value fell; None without a sample."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    return float(sum(b < a for a, b in pairwise(inside))) if inside else None


def changes(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    range_ms: int,
    rules: Rules = "prom3",
) -> float | None:
    """`changes(x[range])`: how often the value changed; None without a sample."""
    _, inside = samples_in_window(t_ms, values, at_ms, range_ms, rules)
    if not inside:
        return None
    return float(sum(b != a and not (isnan(a) and isnan(b)) for a, b in pairwise(inside)))


def last_value(
    t_ms: Sequence[int],
    values: Sequence[float],
    at_ms: int,
    lookback_ms: int = LOOKBACK_MS,
    rules: Rules = "prom3",
) -> float | None:
    """
    `x` at an instant: the newest value, if it is no older than the look-back and no stale marker.

    Example:
        >>> last_value([0], [7.0], 300_000, rules="prom2.53"), last_value([0], [7.0], 300_000)
        (7.0, None)
    """
    check_samples(t_ms, values, lookback_ms, rules)
    start = at_ms - lookback_ms
    for time, value in zip(reversed(t_ms), reversed(values), strict=True):
        if time <= at_ms:
            fresh = time > start or (time == start and rules != "prom3")
            return value if fresh and not is_stale(value) else None
    return None
