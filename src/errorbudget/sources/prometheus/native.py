"""
Native histograms as counters: how many events there were, and how many within a bound.

A native histogram is one series whose samples hold all their buckets, with bounds at powers of
two and between. A bound that is the end of a bucket counts exactly. Inside a bucket the share below
it is estimated as Prometheus does: evenly on a logarithmic scale in exponential buckets, evenly in
those of custom bounds.

Source: Prometheus, promql/quantile.go (`histogramFraction`); docs, "Native Histograms".
"""

from __future__ import annotations

from dataclasses import replace
from math import inf, log2
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.sources.prometheus.matrix import NativeHistogram, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["counted", "is_native", "within"]

_FINEST = 8
"""Schemas go from -4 to 8: a power of two is cut into up to 2**8 buckets."""


def is_native(series: Series) -> bool:
    """Whether the samples of *series* are native histograms."""
    return bool(series.histograms)


def _share_below(low: float, high: float, bound: float) -> float:
    """The share of a bucket's events that is taken to lie at or below *bound*, in (0, 1)."""
    if high == inf:
        return 0.0  # how far above the last bound they are, nobody knows
    if low > 0 and _is_exponential(low, high):
        return log2(bound / low) / log2(high / low)
    low = max(low, 0.0) if high > 0 else low
    if bound <= low or low == -inf:
        return 0.0
    return (bound - low) / (high - low)


def _is_exponential(low: float, high: float) -> bool:
    """Whether the bounds are neighbours of some schema: 2**(2**-schema) apart."""
    schema = -log2(log2(high / low))
    return abs(schema - round(schema)) < 1e-6 and -4 <= round(schema) <= _FINEST


def within(histogram: NativeHistogram, bound: float) -> tuple[float, bool]:
    """
    Events at or below *bound*, and whether that is exact.

    Args:
        histogram: One sample.
        bound: In the unit of the histogram.

    Example:
        >>> within(NativeHistogram(0, 6, 3.0, ((0, 0.25, 0.5, 4.0), (0, 0.5, 1.0, 2.0))), 0.5)
        (4.0, True)
    """
    found, exact = 0.0, True
    for _, low, high, count in histogram.buckets:
        if high <= bound:
            found += count
        elif low < bound:
            found += count * _share_below(low, high, bound)
            exact = exact and not count
    return found, exact


def counted(series: Series, bound: float) -> tuple[Series, Series, Ints, bool]:
    """
    The counters that a native histogram stands for.

    Args:
        series: A series of native histograms.
        bound: What events are to be within, in the unit of the histogram.

    Returns:
        All events and those within the bound, as counters from which restarts are taken out; when
        the process started over [ms UTC]; and whether the bound was always the end of a bucket.
    """
    times = np.array([one.t_ms for one in series.histograms], dtype=np.int64)
    counts = np.array([one.count for one in series.histograms])
    below = [within(one, bound) for one in series.histograms]
    inside = np.minimum(np.rint([found for found, _ in below]), counts)
    fell = counts[1:] < counts[:-1]
    grown = np.where(fell, counts[1:], np.diff(counts))
    # Buckets may merge between two samples, which moves the estimate, though nothing happened.
    grown_inside = np.where(fell, inside[1:], np.clip(np.diff(inside), 0, np.maximum(grown, 0)))
    every, good = (
        replace(
            series,
            t_ms=times,
            values=np.cumsum(np.concatenate((first[:1], growth))),
            histograms=(),
        )
        for first, growth in ((counts, grown), (inside, grown_inside))
    )
    return every, good, times[1:][fell], all(exact for _, exact in below)
