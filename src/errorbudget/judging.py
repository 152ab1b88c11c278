"""
From events to units: what an SLO sees of them.

Predicates choose and judge events, corrections take maintenance out, and the budgeting method
decides what one unit is. What comes out is a series that windows are counted over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from errorbudget.durations import DurationLike, parse_duration
from errorbudget.errors import InvalidSeriesError
from errorbudget.events import Events
from errorbudget.kernels.predicates import matches
from errorbudget.measuring import (
    bound_slices,
    corrected,
    exempt_time,
    lacking,
    participants,
)
from errorbudget.methods import Occurrences, Timeslices
from errorbudget.series import CountSeries, EventSeries, FreshSeries, Series
from errorbudget.sli import Freshness, RatioSLI, ThresholdSLI
from errorbudget.slices import ratio_slices, verdicts
from errorbudget.slo import SLO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

__all__ = ["Judged", "count_events", "judge", "judge_series", "verdicts_of_events"]


S_co = TypeVar("S_co", bound=Series, covariant=True)


@dataclass(frozen=True, slots=True)
class Judged(Generic[S_co]):
    """
    Units of one SLO.

    Attributes:
        series: The units over time.
        left_out_ns: When the events happened that took no part because a value was missing [ns
            UTC], ascending; int64, shape (k,).
    """

    series: S_co
    left_out_ns: NDArray[np.int64]

    @property
    def left_out(self) -> int:
        """How many they are."""
        return len(self.left_out_ns)


def verdicts_of_events(slo: SLO, sli: RatioSLI, events: Events) -> tuple[Mask, Mask, Mask]:
    """
    What *slo* says of every event, corrections applied.

    Returns:
        Which events take part, which of all are good, and which would take part were no value
        missing; each bool, shape (n,).
    """
    valid, invalid = matches(sli.valid_when, events)
    good, bad = matches(sli.good_when, events)
    kept, is_good = corrected(slo, events, ~invalid, good)
    kept &= ~invalid  # a forgiven event still has to be one of this SLO's own
    return kept & valid & (is_good | bad), is_good, kept


def _ratio_series(slo: SLO, sli: RatioSLI, events: Events) -> Judged[EventSeries]:
    takes_part, is_good, kept = verdicts_of_events(slo, sli, events)
    span = (int(events.time[0]), int(events.time[-1])) if len(events) else None
    everything = bool(takes_part.all())
    return Judged(
        EventSeries(
            events.time if everything else events.time[takes_part],
            events.time[takes_part & ~is_good],
            span,
        ),
        events.time[kept & ~takes_part],
    )


def judge(slo: SLO, events: Events, *, until_ns: int) -> Judged[Series]:
    """
    The units that *slo* sees in *events*.

    Args:
        slo: The objective; a threshold without a target has no units and is measured instead.
        events: Request events.
        until_ns: Judge empty slices up to this instant.

    Raises:
        InvalidSeriesError: The events lack a column that the indicator asks for.
    """
    if isinstance(slo.sli, Freshness):
        updates = events.time[participants(slo, events)]
        exempt = exempt_time(slo, int(updates[0]), until_ns) if len(updates) else None
        return Judged(FreshSeries(updates, slo.sli.within, exempt), lacking(slo, events))
    if isinstance(slo.sli, ThresholdSLI):
        assert isinstance(slo.method, Timeslices)  # noqa: S101 - what SLO._check promises
        return Judged(
            bound_slices(slo, slo.sli, slo.method, events, until_ns), lacking(slo, events)
        )
    judged = _ratio_series(slo, slo.sli, events)
    if isinstance(slo.method, Occurrences):
        return judged
    bins = judged.series.binned(slo.method.slice, closed=slo.window.closed)
    return Judged(judge_series(slo, bins, until_ns=until_ns), judged.left_out_ns)


def judge_series(slo: SLO, series: CountSeries, *, until_ns: int) -> Series:
    """
    The units that *slo* sees in counts of its events: the counts, or slices of them.

    The counts are taken as corrected, as `count_events` makes them. Maintenance still decides on
    the empty slices that lie in it; see `slices.with_no_data`.
    """
    if isinstance(slo.method, Occurrences):
        return series
    span = series.span
    exempt = None if span is None else exempt_time(slo, span[0], max(span[1], until_ns))
    if isinstance(slo.method, Timeslices):
        return verdicts(series, slo.method, until_ns, exempt)
    return ratio_slices(series, slo.method, until_ns, exempt)


def count_events(slo: SLO, events: Events, *, step: DurationLike = "1m") -> CountSeries:
    """
    Good and total events of *slo* per *step*, on the side that its window is closed on.

    Raises:
        InvalidSeriesError: The indicator is a threshold, which counts cannot hold.
    """
    if not isinstance(slo.sli, RatioSLI):
        raise InvalidSeriesError(
            f'SLO "{slo.name}" ({slo.sli}) has no good and bad events to count'
        )
    judged = _ratio_series(slo, slo.sli, events)
    return judged.series.binned(parse_duration(step), closed=slo.window.closed)
