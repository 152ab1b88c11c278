"""
The status of an SLO along time, as columns.

Windows over a grid are differences of cumulative counts at its edges, so a year of minutes costs one pass,
and every figure equals the one that `evaluate` gives at that instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import MINUTE_NS, DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from errorbudget.kernels import ratios
from errorbudget.schedule import TargetSchedule
from errorbudget.series import GRID_LIMIT, CountSeries, Series
from errorbudget.sli import ThresholdSLI
from errorbudget.slo import SLO
from errorbudget.target import Target
from errorbudget.times import TimeLike, format_time, to_ns
from errorbudget.windows import Calendar, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.alerts import BurnAlert
    from errorbudget.events import Events
    from errorbudget.policy import TierChange

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["History", "grid", "history_of_counts", "history_of_events", "history_of_series"]


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """
    One SLO at every point of a grid.

    Attributes:
        slo: The objective.
        time_ns: The grid [ns UTC], ascending; int64, shape (n,).
        step_ns: Its step [ns].
        good: Good units of the window at each point; shape (n,). Ratio time slices are sums of
            ratios in float64, all others int64.
        total: All units of the window; shape (n,).
        sli: Share of good units [1]; NaN without units; float64, shape (n,).
        remaining_ratio: Share of the budget left [1]; NaN without units; float64, shape (n,).
        burn_rates: Burn rate by window, such as "1h" [1]; each float64, shape (n,).
        conditions: By alert, whether its condition holds; each bool, shape (n,).
        measurements: Figures of a threshold objective by name; each float64, shape (n,).
    """

    slo: SLO
    time_ns: Integers
    step_ns: int
    good: NDArray[Any]
    total: NDArray[Any]
    sli: Floats
    remaining_ratio: Floats
    burn_rates: Mapping[str, Floats] = field(default_factory=dict)
    conditions: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    measurements: Mapping[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time_ns)

    def __repr__(self) -> str:
        span = (
            f" from {format_time(int(self.time_ns[0]))} to {format_time(int(self.time_ns[-1]))}"
            if len(self)
            else ""
        )
        return f"History({self.slo.name}, {len(self):,} points every {format_duration(self.step_ns)}{span})"

    @property
    def consumed_ratio(self) -> Floats:
        """Share of the budget that is spent [1]; NaN without units; shape (n,)."""
        return 1 - self.remaining_ratio

    @property
    def tier(self) -> list[str | None]:
        """Name of the policy's tier at each point; None without units."""
        changes = self.tier_changes()
        names: list[str | None] = [None] * len(self)
        starts = np.searchsorted(self.time_ns, [change.at_ns for change in changes]).tolist()
        for change, low, high in zip(changes, starts, [*starts[1:], len(self)], strict=True):
            names[low:high] = [change.after] * (high - low)
        return names

    def tier_changes(self) -> list[TierChange]:
        """
        When the tier changed and why; the first entry says where it began.

        Time: O(n), in plain Python only where the budget moves.
        """
        left = self.remaining_ratio
        if not len(left):
            return []
        moved = np.ones(len(left), dtype=bool)
        moved[1:] = (left[1:] != left[:-1]) & ~(np.isnan(left[1:]) & np.isnan(left[:-1]))
        return self.slo.policy.timeline(self.time_ns[moved].tolist(), left[moved].tolist())

    def firing(self, name: str) -> NDArray[np.bool_]:
        """
        Whether the alert called *name* fires at each point: its condition held for all of `hold`.

        As in Prometheus, the condition is seen at the points of the grid.
        """
        if name not in self.conditions:
            known = ", ".join(self.conditions) or "none"
            raise InvalidInputError(f'this history has no alert "{name}"; it has {known}')
        alerts = self.slo.alerts.alerts if self.slo.alerts is not None else ()
        alert = next(alert for alert in alerts if alert.name == name)
        condition = self.conditions[name]
        if not alert.hold:
            return condition
        broken = np.where(condition, -1, np.arange(len(condition)))
        since = np.maximum.accumulate(broken) + 1  # first point of the unbroken stretch
        began = self.time_ns[np.minimum(since, len(condition) - 1)]
        return condition & (self.time_ns - began >= alert.hold)

    def columns(self) -> dict[str, NDArray[Any]]:
        """Every column by name, the burn rates as `burn_1h` and so on."""
        found: dict[str, NDArray[Any]] = {"good": self.good, "total": self.total}
        if self.slo.target is not None:
            found["sli"] = self.sli
            found["remaining_ratio"] = self.remaining_ratio
        found.update({f"burn_{window}": rate for window, rate in self.burn_rates.items()})
        found.update(self.measurements)
        return found

    def to_pandas(self) -> Any:
        """The columns as a pandas DataFrame indexed by time in UTC."""
        from errorbudget.frames import to_pandas

        return to_pandas(self.time_ns, self.columns())


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
    first_ns = to_ns(start) if start is not None else span[0]  # type: ignore[index]
    last = to_ns(end) // step_ns if end is not None else -(-span[1] // step_ns)  # type: ignore[index]
    first = -(-first_ns // step_ns)
    n = last - first + 1
    if n < 1:
        raise InvalidInputError(
            f"no multiple of {format_duration(step_ns)} lies between start and end; "
            "are the two swapped?"
        )
    if n > GRID_LIMIT:
        raise InvalidInputError(
            f"a step of {format_duration(step_ns)} makes {n:,} points, more than {GRID_LIMIT:,}; "
            "take a longer step"
        )
    return np.arange(first, last + 1, dtype=np.int64) * step_ns


def _starts(slo: SLO, times: Integers) -> Integers:
    """Start of the window at each point of the grid [ns]."""
    if isinstance(slo.window, Calendar):
        within = Interval(int(times[0]), int(times[-1]) + 1, "left")
        begins = np.array([period.start_ns for period in slo.window.intervals(within)])
        starts = begins[np.searchsorted(begins, times, side="right") - 1]
    else:
        starts = times - slo.window.length_ns
    opening = 0 if isinstance(slo.window, Calendar) else 1
    for reset in slo.resets:
        since = (starts < reset.at_ns) & (reset.at_ns <= times)
        starts = np.where(since, reset.at_ns - opening, starts)
    return starts


class _Counter:
    """Windows of one series: differences of cumulative units, and what the target allows of them."""

    def __init__(self, slo: SLO, series: Series) -> None:
        self.slo, self.series = slo, series
        self.denominator = 1
        self.segments: list[tuple[int, int]] = []
        if isinstance(slo.target, TargetSchedule) and slo.target.judge_by == "event":
            errors = {start: target.error for start, target in slo.target.targets.items()}
            self.denominator = lcm(*(error.denominator for error in errors.values()))
            self.segments = [
                (start, int(error * self.denominator)) for start, error in errors.items()
            ]

    def units(
        self, starts: Integers, ends: Integers, *, inclusive: bool
    ) -> tuple[Integers, Integers]:
        good_end, total_end = self.series.cumulative(ends)
        good_start, total_start = self.series.cumulative(starts, inclusive=inclusive)
        return good_end - good_start, total_end - total_start

    def allowed(self, starts: Integers, ends: Integers, *, inclusive: bool) -> Integers:
        """Allowed bad units times `denominator`, for targets that change."""
        found = np.zeros(len(ends), dtype=np.int64)
        bounds = [start for start, _ in self.segments[1:]]
        lower = [np.iinfo(np.int64).min, *bounds]
        upper = [*bounds, np.iinfo(np.int64).max]
        for (_, share), low, high in zip(self.segments, lower, upper, strict=True):
            # An event at the very instant of a change belongs to the new target.
            begin, finish = np.clip(starts, low, high), np.clip(ends, low, high)
            _, before = self.series.cumulative(begin, inclusive=inclusive)
            _, at_low = self.series.cumulative(begin, inclusive=False)
            before = np.where(starts < low, at_low, before)
            _, until = self.series.cumulative(finish)
            _, until_open = self.series.cumulative(finish, inclusive=False)
            until = np.where(ends >= high, until_open, until)
            found += share * np.maximum(until - before, 0)
        return found

    def budget(
        self, starts: Integers, ends: Integers, *, inclusive: bool
    ) -> tuple[Integers, Integers, Floats, Floats]:
        """Good and total units, remaining share and burn rate of each window."""
        good, total = self.units(starts, ends, inclusive=inclusive)
        if not self.segments:
            target = self.slo.target_at(int(ends[-1]))
            if isinstance(self.slo.target, TargetSchedule):
                return good, total, *self._by_now(good, total, ends)
            return (
                good,
                total,
                ratios.budget_remaining(good, total, target),
                ratios.burn_rate(good, total, target),
            )
        allowed = self.allowed(starts, ends, inclusive=inclusive)
        bad = (total - good) * self.denominator
        with np.errstate(divide="ignore", invalid="ignore"):
            burn = np.where(total > 0, bad / allowed, np.nan)
            remaining = np.where(total > 0, (allowed - bad) / allowed, np.nan)
        nothing = (total > 0) & (allowed == 0) & (bad == 0)
        return good, total, np.where(nothing, 1.0, remaining), np.where(nothing, 0.0, burn)

    def _by_now(self, good: Integers, total: Integers, ends: Integers) -> tuple[Floats, Floats]:
        """Each window judged by the target in force at its end."""
        assert isinstance(self.slo.target, TargetSchedule)  # noqa: S101 - the caller's case
        remaining, burn = np.full(len(ends), np.nan), np.full(len(ends), np.nan)
        changes = list(self.slo.target.targets)
        rows = np.maximum(np.searchsorted(changes, ends, side="right") - 1, 0)
        for row in np.unique(rows):
            here = rows == row
            target = self.slo.target.targets[changes[row]]
            remaining[here] = ratios.budget_remaining(good[here], total[here], target)
            burn[here] = ratios.burn_rate(good[here], total[here], target)
        return remaining, burn


def _condition(
    slo: SLO, alert: BurnAlert, windows: Mapping[int, tuple[Integers, Integers, Floats]]
) -> NDArray[np.bool_]:
    threshold = alert.threshold(slo.period_ns)
    holds = np.ones(len(next(iter(windows.values()))[0]), dtype=bool)
    for window in alert.windows:
        good, total, burn = windows[window]
        if isinstance(slo.target, Target):
            holds &= ratios.burn_exceeds(total - good, total, slo.target, threshold)
        else:
            holds &= np.nan_to_num(burn, nan=-1.0) > float(threshold)
    return holds


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

    counter = _Counter(slo, series)
    rolling = not isinstance(slo.window, Calendar)
    good, total, remaining, _ = counter.budget(_starts(slo, times), times, inclusive=rolling)
    windows: dict[int, tuple[Integers, Integers, Floats]] = {}
    for window in slo.all_burn_windows:
        in_good, in_total, _, burn = counter.budget(times - window, times, inclusive=True)
        windows[window] = (in_good, in_total, burn)
    alerts = () if slo.alerts is None else slo.alerts.alerts
    share = ratios.sli(good, total)
    scaled = isinstance(series, RatioSeries)
    return History(
        slo=slo,
        time_ns=times,
        step_ns=step_ns,
        good=good / RATIO_SCALE if scaled else good,
        total=total / RATIO_SCALE if scaled else total,
        sli=share,
        remaining_ratio=remaining,
        burn_rates={format_duration(window): burn for window, (_, _, burn) in windows.items()},
        conditions={alert.name: _condition(slo, alert, windows) for alert in alerts},
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
    from errorbudget.measuring import measure, samples

    assert isinstance(slo.sli, ThresholdSLI)  # noqa: S101 - what SLO checks
    time, values = samples(slo, events)
    starts = _starts(slo, times)
    inclusive = slo.window.closed == "right"
    rows = [
        measure(
            slo.sli, time, values, Interval(int(begin), int(end), "right" if inclusive else "left")
        )
        for begin, end in zip(starts.tolist(), times.tolist(), strict=True)
    ]
    low = np.searchsorted(time, starts, side="right" if inclusive else "left")
    total = np.searchsorted(time, times, side="right") - low
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
