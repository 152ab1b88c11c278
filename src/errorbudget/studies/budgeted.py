"""Whether an objective has a budget that can be shared out over some data, and the units of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from errorbudget.budget import Ratio, spent
from errorbudget.counts import Counts
from errorbudget.durations import MINUTE_NS
from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.events import Events
from errorbudget.judging import judge, judge_series
from errorbudget.methods import RatioTimeslices
from errorbudget.series import CountSeries, EventSeries, Series
from errorbudget.sli import ThresholdSLI
from errorbudget.slo import SLO, as_slo
from errorbudget.windows import Closed

__all__ = [
    "bins_between",
    "check_budgeted",
    "counts_between",
    "history_until",
    "part_of_budget",
    "units_of",
]


def part_of_budget(bad: Any, counts: Counts, error: Fraction) -> Ratio | None:
    """
    The share of a window's budget that *bad* of its events spend, exactly.

    Args:
        bad: Bad events of the part [events].
        counts: All events of the window.
        error: Exact share of events that may be bad.
    """
    if not counts.total:
        return None
    return spent(Counts(counts.total - bad, bad), error)


def check_budgeted(slo: SLO, data: Any) -> None:
    """
    Whether the budget of *slo* can be shared out over *data*.

    Raises:
        InvalidInputError: *slo* is no SLO, or the data is neither events nor counts.
        InvalidSeriesError: The objective is a plain threshold, which spends no budget, or its
            units are averages of ratios, which cannot be shared out.
    """
    if as_slo(slo).target is None:
        raise InvalidSeriesError(
            f'SLO "{slo.name}" is a threshold ({slo.sli}), which has no budget; '
            'give it a target and method=errorbudget.Timeslices("1m")'
        )
    if isinstance(slo.method, RatioTimeslices):
        raise InvalidSeriesError(
            f'SLO "{slo.name}" averages the ratios of slices, whose parts are no events; '
            'ask slo.replace(method="occurrences")'
        )
    if not isinstance(data, (Events, CountSeries)):
        raise InvalidInputError(
            f"give errorbudget.Events or a count series, got {type(data).__name__}"
        )
    if isinstance(data, CountSeries) and isinstance(slo.sli, ThresholdSLI):
        raise InvalidSeriesError(f'SLO "{slo.name}" ({slo.sli}) needs the events themselves')


def history_until(slo: SLO, data: Events | CountSeries, at_ns: int | None) -> CountSeries:
    """
    What was known of the events of *slo* at an instant, in bins: events up to it, or whole bins.

    Args:
        slo: An objective that counts events.
        data: Request events, or a count series.
        at_ns: The instant, or None for all there is.
    """
    if isinstance(data, Events):
        if at_ns is not None:
            data = data.take(slice(int(np.searchsorted(data.time, at_ns, side="right"))))
        return slo.count(data)
    return data if at_ns is None else data.until(at_ns)


def counts_between(series: Series, start_ns: int, end_ns: int) -> Counts:
    """Good and bad units in (start, end]."""
    good, total = series.cumulative(np.array([start_ns, end_ns], dtype=np.int64))
    fine, units = int(good[1] - good[0]), int(total[1] - total[0])
    return Counts(fine, units - fine)


def bins_between(series: Series, start_ns: int, end_ns: int, closed: Closed) -> CountSeries | None:
    """The bins that end in (start, end], minutes of single events; None where units are time."""
    if isinstance(series, EventSeries):
        series = series.binned(MINUTE_NS, closed=closed)
    if not isinstance(series, CountSeries):
        return None
    inside = (series.end_ns > start_ns) & (series.end_ns <= end_ns)
    return CountSeries(
        series.label_ns[inside],
        series.good[inside],
        series.total[inside],
        series.step_ns,
        series.closed,
    )


def units_of(slo: SLO, data: Events | CountSeries, until_ns: int) -> Series:
    """
    The units of *slo* in events or counts; see `check_budgeted` for what it refuses.

    Args:
        slo: The objective.
        data: Request events, or a count series.
        until_ns: Judge empty slices up to this instant.
    """
    check_budgeted(slo, data)
    if isinstance(data, Events):
        return judge(slo, data, until_ns=until_ns).series
    return judge_series(slo, data, until_ns=until_ns)
