"""
Quantiles of classic Prometheus histograms: cumulative counts by upper bound `le`.

Inside a bucket events are taken to lie evenly, the lowest bucket beginning at 0 when its bound is
positive; above the last finite bound nothing is known. Counts that fall with growing `le`, as sums
over several processes may, are lifted to the highest before. Twins: `kernels.buckets`.

Source: Prometheus, promql/quantile.go (`bucketQuantile`, `BucketFraction`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isnan, nan

from errorbudget.counters import RULES, Rules
from errorbudget.errors import InvalidInputError, InvalidSeriesError

__all__ = ["SMALL_STEP", "histogram_fraction", "histogram_quantile"]

SMALL_STEP = 1e-12
"""Relative steps below this are rounding, not events; rules from 2.51 on ignore them."""


def _merged(
    bounds: Sequence[float], counts: Sequence[float], rules: str
) -> tuple[list[float], list[float]]:
    """Bounds ascending, each once, counts of equal bounds added up."""
    if rules not in RULES:
        raise InvalidInputError(f"rules must be one of {', '.join(RULES)}, got {rules!r}")
    if len(bounds) != len(counts):
        raise InvalidSeriesError(
            f"{len(bounds)} bounds for {len(counts)} counts: one each is needed"
        )
    for index, bound in enumerate(bounds):
        if isnan(bound):
            raise InvalidSeriesError("an upper bound is a number, got NaN", index=index)
    merged: dict[float, float] = {}
    for bound, count in sorted(zip(bounds, counts, strict=True), key=lambda pair: pair[0]):
        merged[bound] = merged[bound] + count if bound in merged else count
    return list(merged), list(merged.values())


def _cleaned(counts: list[float], rules: str) -> list[float]:
    cleaned = counts[:1]
    for count in counts[1:]:
        top = cleaned[-1]
        insignificant = rules != "prom2.42" and abs(count - top) < SMALL_STEP * (
            abs(count) + abs(top)
        )
        cleaned.append(top if count < top or insignificant else count)
    return cleaned


def histogram_quantile(
    q: float, bounds: Sequence[float], counts: Sequence[float], rules: Rules = "prom3"
) -> float:
    """
    `histogram_quantile(q, buckets)` of one classic histogram.

    Args:
        q: The quantile, 0.95 for p95; below 0 the answer is -inf, above 1 it is +inf.
        bounds: Upper bounds `le` in any order; equal ones add up; the highest must be +inf.
        counts: Cumulative events, or rates, at or below each bound.
        rules: Whose rules.

    Returns:
        The quantile in the unit of the bounds; NaN without events, without a +inf bound, or with
        fewer than two buckets.

    Raises:
        InvalidSeriesError: A bound is NaN, or bounds and counts differ in length.

    Example:
        >>> histogram_quantile(0.5, [0.1, 0.2, float("inf")], [50, 100, 100])
        0.1
    """
    if isnan(q):
        return nan
    if not 0 <= q <= 1:
        return -inf if q < 0 else inf
    edges, merged = _merged(bounds, counts, rules)
    if not edges or edges[-1] != inf:
        return nan
    ranks = _cleaned(merged, rules)
    if len(ranks) < 2 or ranks[-1] == 0 or isnan(ranks[-1]):
        return nan
    rank = q * ranks[-1]
    found = next((i for i, count in enumerate(ranks[:-1]) if count >= rank), len(ranks) - 1)
    if found == len(ranks) - 1:
        return edges[-2]
    if found == 0 and edges[0] <= 0:
        return edges[0]
    low, below = (edges[found - 1], ranks[found - 1]) if found else (0.0, 0.0)
    if ranks[found] == below:  # an empty first bucket asked for rank 0
        return nan
    return low + (edges[found] - low) * ((rank - below) / (ranks[found] - below))


def histogram_fraction(
    lower: float,
    upper: float,
    bounds: Sequence[float],
    counts: Sequence[float],
    rules: Rules = "prom3",
) -> float:
    """
    `histogram_fraction(lower, upper, buckets)` of one classic histogram: share of events between.

    Servers answer this for classic buckets from 3.4 on. Nothing is interpolated inside an infinite
    bucket.

    Args:
        lower: Lower end, -inf for all events below *upper*.
        upper: Upper end, +inf for all events above *lower*.
        bounds: Upper bounds `le` in any order; equal ones add up; the highest must be +inf.
        counts: Cumulative events, or rates, at or below each bound.
        rules: Whose rules; all alike here.

    Returns:
        Share in [0, 1]; 0 when *lower* is not below *upper*; NaN without events or a +inf bound.

    Example:
        >>> histogram_fraction(0, 0.15, [0.1, 0.2, float("inf")], [50, 100, 100])
        0.75
    """
    edges, ranks = _merged(bounds, counts, rules)
    if not edges or edges[-1] != inf or ranks[-1] == 0 or isnan(lower) or isnan(upper):
        return nan
    if lower >= upper:
        return 0.0

    def rank_of(value: float) -> float:
        rank = 0.0
        low = 0.0 if edges[0] > 0 else -inf
        for edge, count in zip(edges, ranks, strict=True):
            if low >= value:
                return rank
            if edge > value:
                if low == -inf:
                    return count
                return rank if edge == inf else rank + (count - rank) * (value - low) / (edge - low)
            low, rank = edge, count
        return ranks[-1]

    return (min(rank_of(upper), ranks[-1]) - min(rank_of(lower), ranks[-1])) / ranks[-1]
