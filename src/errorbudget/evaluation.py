"""
Status of SLOs over events and count series.

Everything is counted here, and decided in `SLO.assess`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from errorbudget import figures
from errorbudget.budget import Ratio, spent
from errorbudget.cards import Card, Shown, frame
from errorbudget.counts import Counts
from errorbudget.durations import MINUTE_NS
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError, did_you_mean
from errorbudget.schedule import TargetSchedule
from errorbudget.series import CountSeries, EventSeries, FreshSeries, Series, window_counts
from errorbudget.sli import Freshness, ThresholdSLI
from errorbudget.slices import RatioSeries
from errorbudget.slo import SLO, Evaluable, as_slos
from errorbudget.status import ROW, Status
from errorbudget.times import MIN_NS, TimeLike, format_time, to_ns
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.events import Events

    Integers = NDArray[np.int64]

__all__ = [
    "Report",
    "evaluate",
    "evaluate_counts",
    "evaluate_events",
    "evaluate_series",
    "instant_of",
    "left_out_said",
]


@dataclass(frozen=True, slots=True)
class Report(Shown, Sequence[Status]):
    """
    The statuses of several SLOs at one instant.

    Attributes:
        at_ns: The instant [ns UTC].
        statuses: One status per SLO, in their order.
    """

    at_ns: int
    statuses: tuple[Status, ...]

    @overload
    def __getitem__(self, key: int | str) -> Status: ...
    @overload
    def __getitem__(self, key: slice) -> Sequence[Status]: ...
    def __getitem__(self, key: int | str | slice) -> Status | Sequence[Status]:
        if isinstance(key, str):
            for status in self.statuses:
                if status.name == key:
                    return status
            known = tuple(status.name for status in self.statuses)
            raise InvalidInputError(
                f'no SLO "{key}" in this report; there are {", ".join(known)}'
                f"{did_you_mean(key, known)}"
            )
        return self.statuses[key]

    def __len__(self) -> int:
        return len(self.statuses)

    def __iter__(self) -> Iterator[Status]:
        return iter(self.statuses)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON holds it; schema `errorbudget.report/1`."""
        return {
            "schema": "errorbudget.report/1",
            "at": format_time(self.at_ns),
            "slos": [status.to_dict() for status in self.statuses],
        }

    def to_pandas(self) -> Any:
        """The headline figures, one row a status, as a pandas DataFrame."""
        return frame((status.row() for status in self.statuses), ROW)

    def _card(self) -> Card:
        rows = []
        for status in self.statuses:
            share = left = figures.NOTHING
            if status.budget is not None and status.state != "no_data":
                good, total = Fraction(status.counts.good), Fraction(status.counts.total)
                target = status.slo.target_at(status.at_ns).ratio
                bounds = [tier.above for tier in status.slo.policy.tiers if tier.above is not None]
                share = figures.percent(good / total, 4, lines=[target])
                left = figures.percent(status.budget.remaining_exact, lines=bounds)
            alerts = ", ".join(alert.alert.name for alert in status.active_alerts)
            rows.append(
                (
                    status.name,
                    status.state.replace("_", " "),
                    share,
                    "-" if status.slo.target is None else str(status.slo.target_at(status.at_ns)),
                    left,
                    status.tier or figures.NOTHING,
                    alerts or "none",
                )
            )
        missed = sum(status.state == "missed" for status in self.statuses)
        state = f"{missed} missed" if missed else ""
        header = ("SLO", "state", "SLI", "target", "budget left", "tier", "alerts")
        title = f"{len(self)} SLOs at {format_time(self.at_ns)}"
        return Card(title, state, "bad" if missed else "", (), header, rows)

    def __str__(self) -> str:
        return "\n".join(map(str, self.statuses))


def evaluate(slos: SLO | Iterable[SLO], data: Evaluable, *, at: TimeLike | None = None) -> Report:
    """
    The status of every SLO over the same data at the same instant.

    Args:
        slos: One objective or several.
        data: Events, a count series, or a tracker.
        at: The instant; by default the end of the data.

    Raises:
        InvalidInputError: There are no SLOs, or two of one name.
        InvalidSeriesError: The data lacks a column that an indicator asks for.
        NoDataError: The data is empty and *at* is not given.
    """
    statuses = []
    for slo in as_slos(slos):
        status = slo.evaluate(data, at=at)
        at = status.at_ns
        statuses.append(status)
    return Report(statuses[0].at_ns, tuple(statuses))


def instant_of(at: TimeLike | None, spans: Iterable[tuple[int, int] | None]) -> int:
    """
    The instant to judge: *at*, or the latest end of what data spans.

    Raises:
        NoDataError: There is neither, so an answer would be about no time at all.
    """
    if at is not None:
        return to_ns(at)
    ends = [span[1] for span in spans if span is not None]
    if not ends:
        raise NoDataError("there are no events, and no instant to judge; give at=...")
    return max(ends)


def counts_in(series: Series, interval: Interval) -> Counts:
    """Good and bad units of *interval*; ratio time slices from their exact ratios."""
    if isinstance(series, RatioSeries):
        return series.counts(interval)
    return window_counts(series, interval)


def allowed_error(slo: SLO, series: Series, interval: Interval) -> Fraction:
    """Share of the interval's units that may be bad; the units' mean where targets changed."""
    schedule = slo.target
    if not isinstance(schedule, TargetSchedule) or schedule.judge_by == "now":
        return slo.target_at(interval.end_ns).error
    start, end = interval.start_ns, interval.end_ns
    changes = [change for change in schedule.targets if start < change <= end]
    errors = [schedule.at(instant).error for instant in (start, *changes)]
    _, first = series.cumulative(_edges(start), inclusive=interval.closed == "right")
    # An event at the very instant of a change belongs to the new target.
    _, before = series.cumulative(_edges(*changes), inclusive=False)
    _, last = series.cumulative(_edges(end))
    bounds = [int(first[0]), *before.tolist(), int(last[0])]
    units = [after - until for until, after in pairwise(bounds)]
    if not any(units):
        return errors[-1]
    allowed = sum(error * unit for error, unit in zip(errors, units, strict=True))
    return Fraction(allowed, sum(units))


def _edges(*instants: int) -> Integers:
    return np.array(instants, dtype=np.int64)


def _burn(slo: SLO, series: Series, at_ns: int) -> dict[int, Ratio | None]:
    intervals = [
        Interval(max(at_ns - window, MIN_NS), at_ns, "right") for window in slo.all_burn_windows
    ]
    return {
        window: spent(counts, allowed_error(slo, series, interval))
        for window, interval, counts in zip(
            slo.all_burn_windows, intervals, _each_counted(series, intervals), strict=True
        )
    }


def _each_counted(series: Series, intervals: Sequence[Interval]) -> list[Counts]:
    """Counts of (start, end] intervals with one end, in one look at the series."""
    if isinstance(series, RatioSeries) or not intervals:
        return [counts_in(series, interval) for interval in intervals]
    edges = [interval.start_ns for interval in intervals]
    good, total = (
        column.tolist() for column in series.cumulative(_edges(*edges, intervals[0].end_ns))
    )
    return [
        Counts(good[-1] - fine, (total[-1] - whole) - (good[-1] - fine))
        for fine, whole in zip(good[:-1], total[:-1], strict=True)
    ]


def held_alerts(slo: SLO, series: Series, at_ns: int) -> dict[str, bool]:
    """By alert, whether its condition held at every minute of its `hold` before *at_ns*."""
    held = {}
    for alert in slo.alerts.alerts:
        if not alert.hold:
            continue
        instants = range(at_ns - alert.hold, at_ns, min(MINUTE_NS, alert.hold))
        held[alert.name] = all(
            alert.condition(_burn(slo, series, instant), slo.period_ns) for instant in instants
        )
    return held


def evaluate_series(
    slo: SLO, series: Series, *, at_ns: int, left_out: int = 0, warnings: Sequence[str] = ()
) -> Status:
    """
    The status of *slo* over its units.

    Args:
        slo: The objective.
        series: Its units, as `judging` makes them.
        at_ns: The instant [ns UTC].
        left_out: Events that took no part because a value was missing.
        warnings: Further sentences for the status.

    Time: O(windows x log n).
    """
    interval = slo.interval(at_ns)
    burn = _burn(slo, series, at_ns)
    waiting = any(
        alert.hold and alert.condition(burn, slo.period_ns) for alert in slo.alerts.alerts
    )
    counts = counts_in(series, interval)
    return slo.assess(
        counts,
        at=at_ns,
        error=allowed_error(slo, series, interval),
        burn=burn,
        held=held_alerts(slo, series, at_ns) if waiting else None,
        coverage=series.coverage(interval),
        left_out=left_out,
        warnings=warnings,
    )


def evaluate_events(slo: SLO, events: Events, *, at: TimeLike | None = None) -> Status:
    """
    The status of *slo* over single events.

    Raises:
        InvalidSeriesError: The events lack a column that the indicator asks for.
        NoDataError: There are no events and *at* is not given.
    """
    from errorbudget.judging import judge

    at_ns = instant_of(at, [events.span])
    if slo.target is None:
        return _evaluate_threshold(slo, events, at_ns)
    judged = judge(slo, events, until_ns=at_ns)
    left_out = _inside(judged.left_out_ns, slo.interval(at_ns))
    return evaluate_series(
        slo,
        judged.series,
        at_ns=at_ns,
        left_out=left_out,
        warnings=left_out_said(slo, events, left_out),
    )


def _inside(time_ns: Integers, interval: Interval) -> int:
    """How many instants lie in *interval*; its end always belongs to it."""
    side: Literal["left", "right"] = "right" if interval.closed == "right" else "left"
    first = np.searchsorted(time_ns, interval.start_ns, side)
    return int(np.searchsorted(time_ns, interval.end_ns, "right") - first)


def left_out_said(slo: SLO, events: Events, left_out: int) -> list[str]:
    """The sentence of a status whose events lack a value, if some do."""
    if not left_out:
        return []
    columns = ", ".join(sorted(slo.sli.columns - events.labels.keys()))
    return [f"{left_out:,} events without {columns} took no part: they are neither good nor bad"]


def _evaluate_threshold(slo: SLO, events: Events, at_ns: int) -> Status:
    from errorbudget.measuring import exempt_time, lacking, samples, threshold_figures

    assert isinstance(slo.sli, ThresholdSLI)  # noqa: S101 - what SLO checks
    interval = slo.interval(at_ns)
    time, values = samples(slo, events)
    whole = EventSeries(time, time[:0], events.span)
    seen = FreshSeries(time, slo.sli.within) if isinstance(slo.sli, Freshness) else whole
    left_out = _inside(lacking(slo, events), interval)
    exempt = exempt_time(slo, interval.start_ns, at_ns)
    return slo.assess(
        window_counts(whole, interval),
        at=at_ns,
        coverage=seen.coverage(interval),
        measurements=threshold_figures(slo.sli, time, values, events.span, interval, exempt),
        left_out=left_out,
        warnings=left_out_said(slo, events, left_out),
    )


def evaluate_counts(slo: SLO, series: CountSeries, *, at: TimeLike | None = None) -> Status:
    """
    The status of *slo* over counts of its events.

    Raises:
        InvalidSeriesError: The objective needs more than counts, or slices finer than the bins.
        NoDataError: The series is empty and *at* is not given.
    """
    from errorbudget.judging import judge_series

    at_ns = instant_of(at, [series.span])
    if isinstance(slo.sli, ThresholdSLI):
        raise InvalidSeriesError(
            f'SLO "{slo.name}" ({slo.sli}) needs the events themselves; counts hold no durations, '
            "gauges or times of updates"
        )
    return evaluate_series(slo, judge_series(slo, series, until_ns=at_ns), at_ns=at_ns)
