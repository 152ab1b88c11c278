"""
Threshold objectives over events: the figures of a window, and slice by slice.

The columnar twin of `ThresholdSLI.measure`. Ranks and comparisons of counts are decided in
integers.

Maintenance takes out time, be it excluded or forgiven: neither the samples in it nor its length
are measured. Where there are units, a slice without any time left is left out, or good where the
maintenance is; a slice that maintenance covers in part is judged on what is left of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.durations import SECOND_NS
from errorbudget.errors import InvalidSeriesError
from errorbudget.events import Events
from errorbudget.kernels.predicates import matches, numbers
from errorbudget.kernels.stretches import Exempt, Stretches
from errorbudget.methods import Occurrences, Timeslices
from errorbudget.series import CountSeries, EventSeries
from errorbudget.sli import (
    Concurrency,
    Freshness,
    LatencyQuantile,
    Measurement,
    ThresholdSLI,
    Throughput,
)
from errorbudget.slices import with_left_out, with_no_data
from errorbudget.slo import SLO
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = [
    "bound_slices",
    "corrected",
    "exempt_time",
    "lacking",
    "last_whole",
    "measure",
    "participants",
    "samples",
    "threshold_figures",
]


def corrected(slo: SLO, events: Events, valid: Mask, good: Mask) -> tuple[Mask, Mask]:
    """Maintenance windows applied: excluded events take no part, the others count as good."""
    if not slo.corrections or not len(events):
        return valid, good
    within = Interval(int(events.time[0]), int(events.time[-1]) + 1, "left")
    excluded = np.zeros(len(events), dtype=bool)
    forgiven = np.zeros(len(events), dtype=bool)
    for correction in slo.corrections:
        into = excluded if correction.treat == "exclude" else forgiven
        for interval in correction.intervals(within):
            low, high = np.searchsorted(events.time, [interval.start_ns, interval.end_ns])
            into[low:high] = True
    return (valid | forgiven) & ~excluded, good | forgiven


def exempt_time(slo: SLO, first_ns: int, last_ns: int) -> Exempt | None:
    """The maintenance that touches [first, last], not clipped; None where there can be none."""
    if not slo.corrections or last_ns < first_ns:
        return None
    from errorbudget.corrections import corrected_intervals

    parts = corrected_intervals(slo.corrections, Interval(first_ns, last_ns + 1, "left"))
    return Exempt(Stretches.of(parts["exclude"]), Stretches.of(parts["good"]))


def last_whole(slo: SLO, until_ns: int) -> int:
    """The last instant of the last slice that ends by *until_ns*."""
    assert not isinstance(slo.method, Occurrences)  # noqa: S101 - only sliced methods come here
    end = until_ns // slo.method.slice * slo.method.slice
    return end if slo.window.closed == "right" else end - 1


def participants(slo: SLO, events: Events) -> Mask:
    """The events that take part in a threshold objective."""
    valid, _ = matches(slo.sli.valid_when, events)
    return valid & ~_maintained(slo, events)


def _maintained(slo: SLO, events: Events) -> Mask:
    """The events that maintenance takes out; an update of data stays one."""
    nothing = np.zeros(len(events), dtype=bool)
    if isinstance(slo.sli, Freshness) or not len(events):
        return nothing
    exempt = exempt_time(slo, int(events.time[0]), int(events.time[-1]))
    return nothing if exempt is None else exempt.hold(events.time)


def samples(slo: SLO, events: Events) -> tuple[Integers, Floats]:
    """Times [ns] and values of what takes part, missing values left out; each of shape (m,)."""
    rows = participants(slo, events)
    if not isinstance(slo.sli, (LatencyQuantile, Concurrency)):
        time = events.time[rows]
        return time, np.zeros(len(time))
    values = numbers(events, slo.sli.column)
    rows &= ~np.isnan(values)
    return events.time[rows], values[rows]


def lacking(slo: SLO, events: Events) -> Integers:
    """When what would take part, were a value not missing, happened [ns]; shape (k,)."""
    valid, invalid = matches(slo.sli.valid_when, events)
    kept = ~_maintained(slo, events)
    if isinstance(slo.sli, (LatencyQuantile, Concurrency)):
        valid = valid & ~np.isnan(numbers(events, slo.sli.column))
    return events.time[kept & ~invalid & ~valid]


def threshold_figures(
    sli: ThresholdSLI,
    time: Integers,
    values: Floats,
    span: tuple[int, int] | None,
    interval: Interval,
    exempt: Exempt | None = None,
) -> tuple[Measurement, ...]:
    """
    The figures of one window, or none where nothing was observed: a rate of 0 would be a claim.

    The age of data is known from the first update on, however long ago the last one was.

    Args:
        sli: The threshold indicator.
        time: When the samples were taken [ns UTC], ascending; shape (n,).
        values: Their values; shape (n,).
        span: First and last instant that was observed [ns].
        interval: The window.
        exempt: Maintenance.
    """
    since = interval.start_ns + (interval.closed == "right")
    observed = span is not None and span[0] <= interval.end_ns and span[1] >= since
    found = measure(sli, time, values, interval, exempt)
    if isinstance(sli, Freshness):
        return found
    return found if observed else tuple(replace(figure, value=None) for figure in found)


def _added_up(time: Integers, values: Floats) -> tuple[Integers, Floats]:
    """Samples of one instant added up, as several instances of one gauge are."""
    instants, instant_of = np.unique(time, return_inverse=True)
    sums = np.bincount(instant_of, weights=values, minlength=len(instants))
    return instants, sums.astype(np.float64)  # of nothing they are integers


def measure(
    sli: ThresholdSLI,
    time: Integers,
    values: Floats,
    interval: Interval,
    exempt: Exempt | None = None,
) -> tuple[Measurement, ...]:
    """
    The figures of one window.

    Args:
        sli: The threshold indicator.
        time: When the samples were taken [ns UTC], those in maintenance left out but for updates,
            ascending; shape (n,). The newest update counts also from before the window.
        values: Their values; shape (n,).
        interval: The window.
        exempt: Maintenance: a mean rate is over the time that is left, and a sustained one over
            the slices that maintenance does not touch.
    """
    if isinstance(sli, Freshness):
        updates = int(np.searchsorted(time, interval.end_ns, "right"))
        age = (interval.end_ns - int(time[updates - 1])) / SECOND_NS if updates else None
        return (sli.measurement(age),)
    inside = slice(
        int(
            np.searchsorted(
                time, interval.start_ns, "right" if interval.closed == "right" else "left"
            )
        ),
        int(np.searchsorted(time, interval.end_ns, "right")),
    )
    time, values = time[inside], values[inside]
    if isinstance(sli, LatencyQuantile):
        n = len(values)
        ranks = [
            -(-n * share.numerator // share.denominator) - 1 for share in sli.quantiles.values()
        ]
        if not n:
            return sli.measurements([None] * len(ranks))
        ordered = np.partition(values, sorted(set(ranks)))
        return sli.measurements([float(ordered[rank]) for rank in ranks])
    if isinstance(sli, Throughput):
        return (sli.measurement(_rate(sli, time, interval, exempt)),)
    if isinstance(sli, Concurrency):
        _, sums = _added_up(time, values)
        if not len(sums):
            return (sli.measurement(None),)
        if sli.statistic == "mean":
            return (sli.measurement(float(sums.mean())),)
        return (sli.measurement(float(sums.max() if sli.statistic == "max" else sums.min())),)
    raise InvalidSeriesError(f"no way to measure {type(sli).__name__}")


def _rate(
    sli: Throughput, time: Integers, interval: Interval, exempt: Exempt | None
) -> float | None:
    """The mean or the lowest rate of a window [events/s]; None where no time is left."""
    if sli.sustained is None:
        length_ns = interval.length_ns
        if exempt is not None:
            start, end = np.array([interval.start_ns]), np.array([interval.end_ns])
            length_ns = int(exempt.left(start, end)[0])
        return len(time) * SECOND_NS / length_ns if length_ns else None
    whole = interval.length_ns // sli.sustained
    # Whole slices are cut backwards from the end, so that the newest minute is always judged.
    position = (interval.end_ns - time) // sli.sustained
    per_slice = np.bincount(position[position < whole], minlength=whole)
    if exempt is not None:
        # (start, end] holds the same whole nanoseconds as [start + 1, end + 1)
        ends = interval.end_ns + 1 - np.arange(whole, dtype=np.int64) * sli.sustained
        per_slice = per_slice[exempt.left(ends - sli.sustained, ends) == sli.sustained]
    return int(per_slice.min()) * SECOND_NS / sli.sustained if len(per_slice) else None


def bound_slices(
    slo: SLO, sli: ThresholdSLI, method: Timeslices, events: Events, until_ns: int
) -> CountSeries:
    """
    One unit per time slice: does the slice keep the bound?

    A slice without any time outside of maintenance is left out, or good where that forgives. One
    that maintenance covers in part is judged on the rest: a rate over the time that is left.

    Args:
        slo: The objective.
        sli: Its threshold indicator.
        method: How the window is sliced, and what an empty slice is.
        events: Requests or samples of a gauge.
        until_ns: Judge empty slices up to this instant.
    """
    time, values = samples(slo, events)
    span = (int(events.time[0]), int(events.time[-1])) if len(events) else None
    bins = EventSeries(time, time[:0], span).binned(
        method.slice, closed=slo.window.closed, until_ns=last_whole(slo, until_ns)
    )
    if not len(bins):
        return bins
    ends = bins.end_ns
    exempt = exempt_time(slo, int(ends[0]) - method.slice, int(ends[-1]))
    shift = 1 if bins.closed == "right" else 0
    first = int(bins.label_ns[0]) // method.slice - shift

    def slice_of(instants: Integers) -> Integers:
        return (instants - shift) // method.slice - first

    if isinstance(sli, Throughput):
        return _rates_kept(sli, bins, exempt)
    if isinstance(sli, LatencyQuantile):
        good = _quantiles_kept(sli, bins.total, values[np.lexsort((values, slice_of(time)))])
    elif isinstance(sli, Concurrency):
        instants, sums = _added_up(time, values)
        good = _gauge_kept(sli, slice_of(instants), sums, len(bins))
    else:
        raise InvalidSeriesError(f"{sli} has no time slices")
    return with_no_data(bins, good, method.no_data, exempt)


def _rates_kept(sli: Throughput, bins: CountSeries, exempt: Exempt | None) -> CountSeries:
    """One unit per slice by its rate; silence is no throughput, and never "no data"."""
    # rate > above means count x 1e9 > above x length
    top, bottom = sli.above.numerator, sli.above.denominator * SECOND_NS
    good = bins.total > top * bins.step_ns // bottom
    left_out = forgiven = np.zeros(len(bins), dtype=bool)
    if exempt is not None:
        starts = bins.end_ns - bins.step_ns
        left_ns = exempt.left(starts, bins.end_ns)
        partly = np.flatnonzero(left_ns < bins.step_ns)
        enough = [top * left // bottom for left in left_ns[partly].tolist()]
        good[partly] = bins.total[partly] > enough
        left_out, forgiven = exempt.judged(starts, bins.end_ns)
    return with_left_out(bins, good | forgiven, left_out)


def _quantiles_kept(sli: LatencyQuantile, sizes: Integers, ordered: Floats) -> Mask:
    """Whether every quantile of each slice lies under its bound; *ordered* by slice, then value."""
    good = sizes > 0
    rows = np.flatnonzero(good)
    starts = (np.cumsum(sizes) - sizes)[rows]
    for name, share in sli.quantiles.items():
        rank = -(-sizes[rows] * share.numerator // share.denominator) - 1
        good[rows] &= ordered[starts + rank] < float(sli.bounds[name])
    return good


def _gauge_kept(sli: Concurrency, slice_of: Integers, sums: Floats, n: int) -> Mask:
    """Whether the statistic of each of *n* slices lies above the floor."""
    above = float(sli.above)
    counted = np.bincount(slice_of, minlength=n)
    if sli.statistic == "mean":
        return np.asarray(np.bincount(slice_of, weights=sums, minlength=n) > above * counted)
    over = np.bincount(slice_of[sums > above], minlength=n)
    return np.asarray(over > 0 if sli.statistic == "max" else (over == counted) & (counted > 0))
