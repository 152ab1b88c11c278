"""Histories of events and of counts: a grid over them, and the windows at its points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from errorbudget.durations import MINUTE_NS, DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from errorbudget.history.table import History
from errorbudget.history.windows import WindowCounter, earlier, starts_of
from errorbudget.kernels import ratios
from errorbudget.series import CountSeries, Series
from errorbudget.sli import ThresholdSLI
from errorbudget.slo import SLO
from errorbudget.times import TimeLike, to_ns
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.events import Events

    Integers = NDArray[np.int64]

__all__ = ["MOST_POINTS", "grid", "history_of_counts", "history_of_events", "history_of_series"]

MOST_POINTS = 10_000_000
"""Longest history: a year in steps of three seconds, and some gigabytes of columns."""


def grid(
    span: tuple[int, int] | None, step_ns: int, start: TimeLike | None, end: TimeLike | None
) -> Integers:
    """
    Multiples of *step_ns* from *start* to *end*, by default so that they enclose the data's end.

    Raises:
        NoDataError: There is no data, and *start* or *end* is not given.
        InvalidInputError: The end lies before the start, or the grid is absurdly fine.
    """
    if span is None and (start is None or end is None):
        raise NoDataError(
            "there are no events, and no stretch to cover; give start=... and end=..."
        )
    begin, finish = span or (0, 0)  # both are given where there is no span
    first = -(-(begin if start is None else to_ns(start)) // step_ns)
    last = -(-finish // step_ns) if end is None else to_ns(end) // step_ns
    n = last - first + 1
    if n < 1:
        raise InvalidInputError(
            f"no multiple of {format_duration(step_ns)} lies between start and end; "
            "are the two swapped?"
        )
    if n > MOST_POINTS:
        raise InvalidInputError(
            f"a step of {format_duration(step_ns)} makes {n:,} points, more than {MOST_POINTS:,}; "
            "take a longer step"
        )
    return np.arange(first, last + 1, dtype=np.int64) * step_ns


def history_of_series(slo: SLO, series: Series, times: Integers, step_ns: int) -> History:
    """
    The history of *slo* over its units.

    Args:
        slo: The objective.
        series: Its units, as `judging` makes them.
        times: The grid [ns UTC], ascending; shape (n,).
        step_ns: Its step [ns].

    Time: O(n x windows x log m) for m units; memory: O(n x windows).
    """
    from errorbudget.slices import RATIO_SCALE, RatioSeries

    counter = WindowCounter(slo, series)
    starts, opening = starts_of(slo, times)
    whole = counter.windows(starts, times, opening)
    burning = {
        window: counter.windows(earlier(times, window), times, True)
        for window in slo.all_burn_windows
    }
    conditions = {}
    for alert in slo.alerts.alerts:
        threshold = alert.threshold(slo.period_ns)
        holds = [burning[window].exceeds(threshold) for window in alert.windows]
        conditions[alert.name] = np.logical_and.reduce(holds)
    scaled = isinstance(series, RatioSeries)
    return History(
        slo=slo,
        time_ns=times,
        step_ns=step_ns,
        good=whole.good / RATIO_SCALE if scaled else whole.good,
        total=whole.total / RATIO_SCALE if scaled else whole.total,
        sli=ratios.sli(whole.good, whole.total),
        remaining_ratio=whole.remaining,
        burn_rates={format_duration(window): found.burn for window, found in burning.items()},
        conditions=conditions,
    )


def _step(step: DurationLike | None, default_ns: int) -> int:
    return default_ns if step is None else parse_duration(step)


def history_of_events(
    slo: SLO,
    events: Events,
    *,
    step: DurationLike | None = None,
    start: TimeLike | None = None,
    end: TimeLike | None = None,
) -> History:
    """The history of *slo* over single events, every minute unless *step* says otherwise."""
    from errorbudget.judging import judge

    step_ns = _step(step, MINUTE_NS)
    times = grid(events.span, step_ns, start, end)
    if slo.target is None:
        return _threshold_history(slo, events, times, step_ns)
    judged = judge(slo, events, until_ns=int(times[-1]))
    return history_of_series(slo, judged.series, times, step_ns)


def history_of_counts(
    slo: SLO,
    series: CountSeries,
    *,
    step: DurationLike | None = None,
    start: TimeLike | None = None,
    end: TimeLike | None = None,
) -> History:
    """The history of *slo* over counts of its events, every bin unless *step* says otherwise."""
    from errorbudget.judging import judge_series

    if isinstance(slo.sli, ThresholdSLI):
        raise InvalidSeriesError(f'SLO "{slo.name}" ({slo.sli}) needs the events themselves')
    step_ns = _step(step, series.step_ns)
    times = grid(series.span, step_ns, start, end)
    units = judge_series(slo, series, until_ns=int(times[-1]))
    return history_of_series(slo, units, times, step_ns)


def _threshold_history(slo: SLO, events: Events, times: Integers, step_ns: int) -> History:
    """Figures of a threshold objective, window by window: O(n x window)."""
    from errorbudget.measuring import exempt_time, samples, threshold_figures

    assert isinstance(slo.sli, ThresholdSLI)  # noqa: S101 - what SLO checks
    time, values = samples(slo, events)
    starts, opening = starts_of(slo, times)
    open_rows = np.broadcast_to(opening, starts.shape)
    low = np.where(
        open_rows,
        np.searchsorted(time, starts, side="right"),
        np.searchsorted(time, starts, side="left"),
    )
    total = np.searchsorted(time, times, side="right") - low
    exempt = exempt_time(slo, int(starts.min()), int(times[-1]))
    rows = [
        threshold_figures(
            slo.sli,
            time,
            values,
            events.span,
            Interval(begin, end, "right" if open_ else "left"),
            exempt,
        )
        for begin, end, open_ in zip(
            starts.tolist(), times.tolist(), open_rows.tolist(), strict=True
        )
    ]
    nothing = np.full(len(times), np.nan)
    names = [figure.name for figure in rows[0]]
    return History(
        slo=slo,
        time_ns=times,
        step_ns=step_ns,
        good=np.zeros_like(total),
        total=total,
        sli=nothing,
        remaining_ratio=nothing,
        measurements={
            name: np.array([np.nan if row[i].value is None else row[i].value for row in rows])
            for i, name in enumerate(names)
        },
    )
