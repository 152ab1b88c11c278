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
from errorbudget.kernels.stretches import Exempt
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
    "with_left_out",
    "with_no_data",
]

RATIO_SCALE = 2**43
"""Fixed point of slice ratios in histories: rounded to 2**-44, then summed without drift."""

_MOST_SLICES = 2**20 - 1  # their ratios, each up to RATIO_SCALE, stay below 2**63


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
    labels = np.arange(series.label_ns[0], last + 1, series.step_ns)
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


def verdicts(
    series: CountSeries,
    method: Timeslices,
    until_ns: int | None = None,
    exempt: Exempt | None = None,
) -> CountSeries:
    """
    One unit per slice: good, bad, or none where an empty slice is left out.

    Args:
        series: Events per bin, corrected; bins must add up to slices.
        method: How a slice is judged.
        until_ns: Judge empty slices up to this instant too.
        exempt: Maintenance; see `with_no_data`.
    """
    slices = filled(series.coarser(method.slice), until_ns)
    good = reaches(slices.good, slices.total, method)
    return with_no_data(slices, good, method.no_data, exempt)


def with_no_data(
    slices: CountSeries, good: NDArray[np.bool_], no_data: NoData, exempt: Exempt | None = None
) -> CountSeries:
    """
    One unit per slice from its verdict, empty slices as *no_data* says.

    Maintenance comes before *no_data*: an empty slice that lies in it altogether is left out, or
    good where the maintenance is. A slice that lies in it in part is judged on what is left of it.

    Args:
        slices: Events per slice, those that maintenance takes out left out; shape (n,).
        good: Whether each slice that is not empty is good; shape (n,).
        no_data: What empty slices are.
        exempt: Maintenance.
    """
    left_out, fine = _empty(slices, no_data, exempt)
    return with_left_out(slices, (good & (slices.total > 0)) | fine, left_out)


def with_left_out(
    slices: CountSeries, good: NDArray[np.bool_], left_out: NDArray[np.bool_]
) -> CountSeries:
    """One unit per slice, none where it is *left_out*: coverage does not count those."""
    return replace(
        slices,
        good=(good & ~left_out).astype(np.int64),
        total=(~left_out).astype(np.int64),
        observed=_observed(slices, left_out),
    )


def _empty(
    slices: CountSeries, no_data: NoData, exempt: Exempt | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which slices are left out since they are empty, and which are good though they are."""
    empty = slices.total == 0
    left_out, fine = (empty & (no_data == word) for word in ("exclude", "good"))
    if exempt is not None:
        out, forgiven = exempt.judged(slices.end_ns - slices.step_ns, slices.end_ns)
        left_out = (left_out & ~forgiven) | (empty & out)
        fine = (fine & ~out) | (empty & forgiven)
    return left_out, fine


def _observed(slices: CountSeries, left_out: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Which slices coverage counts: one that is left out was not observed."""
    if not left_out.any():
        return slices.observed
    return ~left_out if slices.observed is None else ~left_out & slices.observed


def ratio_slices(
    series: CountSeries,
    method: RatioTimeslices,
    until_ns: int | None = None,
    exempt: Exempt | None = None,
) -> RatioSeries:
    """
    One unit per slice, good by the share of its events.

    Args:
        series: Events per bin, corrected; bins must add up to slices.
        method: What empty slices are.
        until_ns: Judge empty slices up to this instant too.
        exempt: Maintenance; see `with_no_data`.
    """
    slices = filled(series.coarser(method.slice), until_ns)
    left_out, fine = _empty(slices, method.no_data, exempt)
    whole = fine.astype(np.int64)  # the ratio of a good slice is 1 of 1
    judged = replace(
        slices,
        good=slices.good + whole,
        total=slices.total + whole,
        observed=_observed(slices, left_out),
    )
    return RatioSeries(judged, method, left_out)


@dataclass(frozen=True, eq=False)
class RatioSeries:
    """
    One unit per slice, good by the share of its events.

    Args:
        slices: Events per slice, without holes, as `ratio_slices` makes them: 1 of 1 for an empty
            slice that is good.
        method: How slices are judged.
        left_out: Which slices are no units; bool, shape (n,).
    """

    slices: CountSeries
    method: RatioTimeslices
    left_out: NDArray[np.bool_]

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
        ratio = self.slices.good / np.maximum(total, 1)  # an empty slice is bad
        scaled = np.round(ratio * RATIO_SCALE).astype(np.int64)
        counted = np.where(self.left_out, 0, RATIO_SCALE)
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
        kept = np.flatnonzero(~self.left_out[low:high]) + low
        pairs = zip(self.slices.good[kept].tolist(), self.slices.total[kept].tolist(), strict=True)
        return slice_counts((Counts(good, total - good) for good, total in pairs), self.method)
