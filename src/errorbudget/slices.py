"""
Time slices as units of budget: counts per bin turned into verdicts or ratios per slice.

The columnar twin of `methods.slice_counts`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.counts import Counts
from errorbudget.errors import InvalidSeriesError
from errorbudget.methods import NoData, RatioTimeslices, Timeslices, slice_counts
from errorbudget.series import CountSeries, check_grid
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = [
    "RATIO_SCALE",
    "RatioSeries",
    "filled",
    "ratio_slices",
    "reaches",
    "verdicts",
    "with_no_data",
]

RATIO_SCALE = 2**43
"""Fixed point of slice ratios in histories: rounded to 2**-44, then summed without drift."""

_MOST_SLICES = 2**20


def filled(series: CountSeries, until_ns: int | None = None) -> CountSeries:
    """
    The series with a bin for every step of its span, empty ones where it has none.

    Args:
        series: Bins, some of which may be missing.
        until_ns: Go on with empty bins that end by this instant.
    """
    if series.span is None:
        return series
    last = int(series.label_ns[-1])
    if until_ns is not None:
        behind = (until_ns - series.span[1]) // series.step_ns
        last += max(0, behind) * series.step_ns
    check_grid((last - int(series.label_ns[0])) // series.step_ns + 1, series.step_ns)
    labels = np.arange(series.label_ns[0], last + 1, series.step_ns, dtype=np.int64)
    if len(labels) == len(series):
        return series
    rows = (series.label_ns - labels[0]) // series.step_ns
    good, total = np.zeros(len(labels), dtype=np.int64), np.zeros(len(labels), dtype=np.int64)
    good[rows], total[rows] = series.good, series.total
    observed = None
    if series.observed is not None:
        observed = np.zeros(len(labels), dtype=bool)
        observed[rows] = series.observed
    return CountSeries(labels, good, total, series.step_ns, series.closed, observed)


def reaches(good: Integers, total: Integers, method: Timeslices) -> NDArray[np.bool_]:
    """Whether each slice keeps the slice target, decided in integers."""
    wanted = method.slice_target.ratio
    biggest = int(total.max(initial=0))
    if biggest * wanted.denominator < 2**63:
        left, right = good * wanted.denominator, total * wanted.numerator
    else:
        left = good.astype(object) * wanted.denominator
        right = total.astype(object) * wanted.numerator
    return np.asarray(left > right if method.strict else left >= right, dtype=bool)


def verdicts(series: CountSeries, method: Timeslices, until_ns: int | None = None) -> CountSeries:
    """
    One unit per slice: good, bad, or none where an empty slice is left out.

    Args:
        series: Events per bin; bins must add up to slices.
        method: How a slice is judged.
        until_ns: Judge empty slices up to this instant too.
    """
    slices = filled(series.coarser(method.slice), until_ns)
    good = reaches(slices.good, slices.total, method)
    return with_no_data(slices, good, method.no_data)


def with_no_data(slices: CountSeries, good: NDArray[np.bool_], no_data: NoData) -> CountSeries:
    """One unit per slice from its verdict, empty slices as *no_data* says."""
    empty = slices.total == 0
    counted = np.ones(len(slices), dtype=np.int64)
    verdict = good & ~empty
    if no_data == "exclude":
        counted[empty] = 0
    elif no_data == "good":
        verdict |= empty
    observed = _observed(slices, no_data)
    return replace(slices, good=verdict.astype(np.int64), total=counted, observed=observed)


def _observed(slices: CountSeries, no_data: NoData) -> NDArray[np.bool_] | None:
    """Which slices coverage counts: an empty one that is left out was not observed."""
    if no_data != "exclude":
        return slices.observed
    seen = slices.total > 0
    return seen if slices.observed is None else seen & slices.observed


def ratio_slices(
    series: CountSeries, method: RatioTimeslices, until_ns: int | None = None
) -> RatioSeries:
    """
    One unit per slice, good by the share of its events.

    Args:
        series: Events per bin; bins must add up to slices.
        method: What empty slices are.
        until_ns: Judge empty slices up to this instant too.
    """
    slices = filled(series.coarser(method.slice), until_ns)
    return RatioSeries(replace(slices, observed=_observed(slices, method.no_data)), method)


@dataclass(frozen=True, eq=False)
class RatioSeries:
    """
    One unit per slice, good by the share of its events.

    Args:
        slices: Events per slice, without holes.
        method: What empty slices are.
    """

    slices: CountSeries
    method: RatioTimeslices

    @property
    def span(self) -> tuple[int, int] | None:
        """Start of the first slice and end of the last [ns]."""
        return self.slices.span

    @cached_property
    def _sums(self) -> tuple[Integers, Integers]:
        if len(self.slices) > _MOST_SLICES:
            raise InvalidSeriesError(
                f"ratio time slices go up to {_MOST_SLICES:,} slices, got {len(self.slices):,}; "
                "take longer slices"
            )
        total = self.slices.total
        empty = total == 0
        ratio = self.slices.good / np.where(empty, 1, total)
        scaled = np.round(ratio * RATIO_SCALE).astype(np.int64)
        counted = np.full(len(total), RATIO_SCALE, dtype=np.int64)
        if self.method.no_data == "exclude":
            counted[empty] = 0
        elif self.method.no_data == "good":
            scaled[empty] = RATIO_SCALE
        zero = np.zeros(1, dtype=np.int64)
        return np.concatenate((zero, np.cumsum(scaled))), np.concatenate((zero, np.cumsum(counted)))

    def cumulative(
        self, edges_ns: Integers, *, inclusive: bool = True
    ) -> tuple[Integers, Integers]:
        """Sums of ratios up to each edge, in units of 1 / RATIO_SCALE."""
        rows = np.searchsorted(self.slices.end_ns, edges_ns, side="right")
        good, total = self._sums
        return good[rows], total[rows]

    def coverage(self, interval: Interval) -> float | None:
        """Share of *interval* that was observed."""
        return self.slices.coverage(interval)

    def counts(self, interval: Interval) -> Counts:
        """Good and bad slices of the interval, from the exact ratios."""
        edges = np.array([interval.start_ns, interval.end_ns])
        low, high = np.searchsorted(self.slices.end_ns, edges, side="right")
        pairs = zip(
            self.slices.good[low:high].tolist(), self.slices.total[low:high].tolist(), strict=True
        )
        return slice_counts((Counts(good, total - good) for good, total in pairs), self.method)
