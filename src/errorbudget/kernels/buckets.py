"""
Quantiles of many classic histograms at once: the numpy twin of `errorbudget.buckets`.

Counts have shape (m, buckets): one histogram per row, such as one per instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.buckets import SMALL_STEP
from errorbudget.counters import RULES, Rules
from errorbudget.errors import InvalidInputError, InvalidSeriesError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["histogram_fraction", "histogram_quantile"]


def _merged(bounds: ArrayLike, counts: ArrayLike, rules: str) -> tuple[Floats, Floats]:
    if not isinstance(rules, str) or rules not in RULES:
        raise InvalidInputError(f"rules must be one of {', '.join(RULES)}, got {rules!r}")
    edges = np.asarray(bounds, dtype=np.float64)
    table = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    if edges.ndim != 1 or table.ndim != 2 or table.shape[1] != len(edges):
        raise InvalidSeriesError(
            f"{len(edges)} bounds for counts of shape {table.shape}: one column each is needed"
        )
    wrong = np.flatnonzero(np.isnan(edges))
    if len(wrong):
        raise InvalidSeriesError("an upper bound is a number, got NaN", index=int(wrong[0]))
    order = np.argsort(edges)
    unique, starts = np.unique(edges[order], return_index=True)
    return unique, np.add.reduceat(table[:, order], starts, axis=1)


def _cleaned(table: Floats, rules: str) -> Floats:
    """Counts that never fall with growing bound; a loop over buckets, each step over all rows."""
    cleaned = table.copy()
    for column in range(1, table.shape[1]):
        count, top = table[:, column], cleaned[:, column - 1]
        keep = count < top
        if rules != "prom2.42":
            keep |= np.abs(count - top) < SMALL_STEP * (np.abs(count) + np.abs(top))
        np.copyto(cleaned[:, column], top, where=keep)
    return cleaned


def histogram_quantile(
    q: float, bounds: ArrayLike, counts: ArrayLike, rules: Rules = "prom3"
) -> Floats:
    """
    `histogram_quantile(q, buckets)` of many classic histograms with the same bounds.

    Args:
        q: The quantile.
        bounds: Upper bounds `le`, shape (b,), in any order; equal ones add up.
        counts: Cumulative events or rates, shape (m, b) or (b,).
        rules: Whose rules.

    Returns:
        Quantiles in the unit of the bounds, shape (m,); NaN as in the twin.

    Example:
        >>> histogram_quantile(0.5, [0.1, 0.2, np.inf], [[50, 100, 100], [0, 0, 0]])
        array([0.1, nan])
    """
    edges, merged = _merged(bounds, counts, rules)
    rows = len(merged)
    if np.isnan(q):
        return np.full(rows, np.nan)
    if not 0 <= q <= 1:
        return np.full(rows, np.copysign(np.inf, q))
    if len(edges) < 2 or edges[-1] != np.inf:
        return np.full(rows, np.nan)
    ranks = _cleaned(merged, rules)
    rank = q * ranks[:, -1]
    found = (ranks[:, :-1] < rank[:, np.newaxis]).sum(axis=1)
    before, each = np.maximum(found - 1, 0), np.arange(rows)
    low = np.where(found > 0, edges[before], 0.0)
    below = np.where(found > 0, ranks[each, before], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = (rank - below) / (ranks[each, found] - below)
        answer = low + (edges[found] - low) * inside
    if edges[0] <= 0:
        answer[found == 0] = edges[0]
    answer[found == len(edges) - 1] = edges[-2]
    answer[(ranks[:, -1] == 0) | np.isnan(ranks[:, -1])] = np.nan
    return np.asarray(answer)


def histogram_fraction(
    lower: float, upper: float, bounds: ArrayLike, counts: ArrayLike, rules: Rules = "prom3"
) -> Floats:
    """
    `histogram_fraction(lower, upper, buckets)` of many classic histograms with the same bounds.

    Args:
        lower: Lower end.
        upper: Upper end.
        bounds: Upper bounds `le`, shape (b,).
        counts: Cumulative events or rates, shape (m, b) or (b,).
        rules: Whose rules; all alike here.

    Returns:
        Shares in [0, 1], shape (m,); NaN without events or a +inf bound.
    """
    edges, ranks = _merged(bounds, counts, rules)
    rows = len(ranks)
    if not len(edges) or edges[-1] != np.inf or np.isnan(lower) or np.isnan(upper):
        return np.full(rows, np.nan)
    total = ranks[:, -1]

    def rank_of(value: float) -> Any:
        lowest = 0.0 if edges[0] > 0 else -np.inf
        bucket = int(np.searchsorted(edges, value, "right"))
        if value <= lowest:
            return np.zeros(rows)
        if bucket == len(edges):
            return total
        low = edges[bucket - 1] if bucket else lowest
        rank = ranks[:, bucket - 1] if bucket else np.zeros(rows)
        if low == -np.inf:
            return ranks[:, bucket]
        return rank + (ranks[:, bucket] - rank) * (value - low) / (edges[bucket] - low)

    if lower >= upper:
        return np.where(total == 0, np.nan, 0.0)
    with np.errstate(invalid="ignore"):  # 0 of 0 events
        share = (np.minimum(rank_of(upper), total) - np.minimum(rank_of(lower), total)) / total
    return np.asarray(share)
