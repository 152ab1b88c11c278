"""
The status of an SLO along time, as columns.

Windows over a grid are differences of cumulative counts at its edges, so a year of minutes costs
one pass, and every figure equals the one that `evaluate` gives at that instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget import figures
from errorbudget.cards import Card, Shown
from errorbudget.durations import MINUTE_NS, DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from errorbudget.kernels import ratios
from errorbudget.schedule import TargetSchedule
from errorbudget.series import CountSeries, Series
from errorbudget.sli import ThresholdSLI
from errorbudget.slo import SLO
from errorbudget.target import Target
from errorbudget.times import MIN_NS, TimeLike, format_time, to_ns
from errorbudget.windows import Calendar, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.events import Events
    from errorbudget.policy import TierChange

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Opening = bool | NDArray[np.bool_]

__all__ = ["History", "grid", "history_of_counts", "history_of_events", "history_of_series"]

MOST_POINTS = 10_000_000
"""Longest history: a year in steps of three seconds, and some gigabytes of columns."""


@dataclass(frozen=True, eq=False, repr=False)
class History(Shown):
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
        every = format_duration(self.step_ns)
        return f"History({self.slo.name}, {len(self):,} points every {every}{span})"

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
        for change, low, high in zip(changes, starts, [*starts[1:], len(self)], strict=False):
            names[low:high] = [change.after] * (high - low)
        return names

    def tier_changes(self) -> list[TierChange]:
        """
        When the tier changed and why; the first entry says where it began.

        Time: O(n), in plain Python only where the budget crosses a bound.
        """
        left = self.remaining_ratio
        if not len(left):
            return []
        policy = self.slo.policy
        bounds = [tier.above for tier in policy.tiers if tier.above is not None]
        margins = {Fraction(0), policy.hysteresis}
        # Between two bounds, and on one, every share is told the same: the first speaks for all.
        lines = np.array(sorted({float(bound + margin) for bound in bounds for margin in margins}))
        cell = np.searchsorted(lines, left, "left") + np.searchsorted(lines, left, "right")
        cell[np.isnan(left)] = -1
        moved = np.ones(len(left), dtype=bool)
        moved[1:] = cell[1:] != cell[:-1]
        return policy.timeline(self.time_ns[moved].tolist(), left[moved].tolist())

    def firing(self, name: str) -> NDArray[np.bool_]:
        """
        Whether the alert called *name* fires at each point: its condition held for all of `hold`.

        As in Prometheus, the condition is seen at the points of the grid.
        """
        if str(name) not in self.conditions:
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
        return np.asarray(condition & (self.time_ns - began >= alert.hold))

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

    def _card(self) -> Card:
        lines = [repr(self)[len("History(") : -1]] if len(self) else ["no points"]
        if not len(self) or self.slo.target is None:
            rows = [
                (name, *_extremes(values, figures.decimal))
                for name, values in self.measurements.items()
            ]
        else:
            rows = [
                ("SLI", *_extremes(self.sli, lambda value: figures.percent(value, 4))),
                ("budget left", *_extremes(self.remaining_ratio, figures.percent)),
            ]
            rows += [
                (f"burn rate, {window}", *_extremes(values, figures.decimal))
                for window, values in self.burn_rates.items()
            ]
        notes = [
            f"{name} fired at {int(fires.sum()):,} of {len(self):,} points"
            for name in self.conditions
            if (fires := self.firing(name)).any()
        ]
        header = ("figure", "first", "lowest", "highest", "last")
        return Card(f"History of {self.slo.name}", "", "", lines, header, rows, notes)


def _extremes(values: Floats, text: Any) -> tuple[str, str, str, str]:
    """First, lowest, highest and last of a column that may have gaps, as *text* writes them."""
    known = values[~np.isnan(values)]
    if not len(known):
        return (figures.NOTHING,) * 4
    ends = (values[0], known.min(), known.max(), values[-1])
    first, low, high, last = (text(None if end != end else float(end)) for end in ends)
    return first, low, high, last


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


def _starts(slo: SLO, times: Integers) -> tuple[Integers, Opening]:
    """Start of the window at each point of the grid [ns], and whether it is open there."""
    rolling = not isinstance(slo.window, Calendar)
    opening: Opening = rolling
    if isinstance(slo.window, Calendar):
        within = Interval(int(times[0]), int(times[-1]) + 1, "left")
        begins = np.array([period.start_ns for period in slo.window.intervals(within)])
        starts = begins[np.searchsorted(begins, times, side="right") - 1]
    else:
        starts = _earlier(times, slo.window.length_ns)
    for reset in slo.resets:
        since = (starts < reset.at_ns) & (reset.at_ns <= times)
        starts = np.where(since, reset.at_ns, starts)
        opening = np.asarray(opening & ~since)  # the instant of a reset counts
    return starts, opening


def _earlier(times: Integers, length_ns: int) -> Integers:
    """The instants *length_ns* before, or the first there is."""
    return np.maximum(times, MIN_NS + length_ns) - length_ns


@dataclass(frozen=True, slots=True, eq=False)
class _Windows:
    """Units of one window at every point of the grid, and what they mean."""

    good: Integers
    total: Integers
    remaining: Floats
    burn: Floats
    parts: Sequence[tuple[Integers, Target]]

    def exceeds(self, threshold: Fraction) -> NDArray[np.bool_]:
        """Whether the burn rate is above *threshold*, strictly, decided on integers."""
        if len(self.parts) == 1:
            target = self.parts[0][1]
            return ratios.burn_exceeds(self.total - self.good, self.total, target, threshold)
        top, bottom = threshold.numerator, threshold.denominator
        bad, allowed = _scaled(self.total - self.good, self.parts)
        if max(_largest(bad) * bottom, _largest(allowed) * top) >= 2**63:
            bad, allowed = bad.astype(object), allowed.astype(object)
        return np.asarray((self.total > 0) & (bad * bottom > allowed * top), dtype=np.bool_)


def _largest(counts: NDArray[Any]) -> int:
    return int(counts.max()) if len(counts) else 0


class _Counter:
    """Windows of one series: differences of cumulative units, each judged by its target."""

    def __init__(self, slo: SLO, series: Series) -> None:
        self.series = series
        self.by_event = isinstance(slo.target, TargetSchedule) and slo.target.judge_by == "event"
        self.targets = (
            dict(slo.target.targets)
            if isinstance(slo.target, TargetSchedule)
            else {0: slo.target_at(0)}
        )
        self.changes = np.array(list(self.targets), dtype=np.int64)

    def windows(self, starts: Integers, ends: Integers, opening: Opening) -> _Windows:
        good_end, total_end = self.series.cumulative(ends)
        good_start, total_start = self._before(starts, opening)
        good, total = good_end - good_start, total_end - total_start
        if len(self.targets) == 1:
            (target,) = self.targets.values()
            remaining = ratios.budget_remaining(good, total, target)
            burn = ratios.burn_rate(good, total, target)
            return _Windows(good, total, remaining, burn, [(total, target)])
        totals = (
            self._by_event(starts, total_start, ends, total_end)
            if self.by_event
            else self._by_now(total, ends)
        )
        parts = list(zip(totals, self.targets.values(), strict=True))
        return _Windows(good, total, *_shares(total, *_scaled(total - good, parts)), parts)

    def _before(self, starts: Integers, opening: Opening) -> tuple[Integers, Integers]:
        if isinstance(opening, bool):
            return self.series.cumulative(starts, inclusive=opening)
        open_good, open_total = self.series.cumulative(starts, inclusive=True)
        good, total = self.series.cumulative(starts, inclusive=False)
        return np.where(opening, open_good, good), np.where(opening, open_total, total)

    def _by_now(self, total: Integers, ends: Integers) -> list[Integers]:
        """All units of each window under the target at its end, none under the others."""
        in_force = np.maximum(np.searchsorted(self.changes, ends, side="right") - 1, 0)
        return [np.where(in_force == row, total, 0) for row in range(len(self.changes))]

    def _by_event(
        self, starts: Integers, total_start: Integers, ends: Integers, total_end: Integers
    ) -> list[Integers]:
        """All units of each window under each target; a change's own instant is the new one's."""
        _, at_change = self.series.cumulative(self.changes[1:], inclusive=False)
        edges = [
            np.where(change > ends, total_end, np.where(change > starts, units, total_start))
            for change, units in zip(self.changes[1:], at_change, strict=True)
        ]
        bounds = [total_start, *edges, total_end]
        return [after - before for before, after in pairwise(bounds)]


def _scaled(
    bad: Integers, parts: Sequence[tuple[Integers, Target]]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bad units and allowed ones, scaled to integers, of any size if need be."""
    denominator = lcm(*(target.error.denominator for _, target in parts))
    most = max(_largest(bad), sum(_largest(total) for total, _ in parts)) * denominator
    kind: Any = object if most >= ratios.EXACT_BELOW else np.int64
    allowed = np.zeros(len(bad), dtype=kind)
    for total, target in parts:
        allowed += total.astype(kind) * int(target.error * denominator)
    return bad.astype(kind) * denominator, allowed


def _shares(total: Integers, bad: NDArray[Any], allowed: NDArray[Any]) -> tuple[Floats, Floats]:
    """Remaining share and burn rate of each window, correctly rounded."""
    some = np.asarray(allowed != 0, dtype=np.bool_)
    none = ~some & (total > 0)
    remaining, burn = np.full(len(total), np.nan), np.full(len(total), np.nan)
    burn[some] = bad[some] / allowed[some]
    remaining[some] = (allowed[some] - bad[some]) / allowed[some]
    burn[none] = np.where(bad[none] > 0, np.inf, 0.0)
    remaining[none] = np.where(bad[none] > 0, -np.inf, 1.0)
    return remaining, burn


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
    whole = counter.windows(*_whole(slo, times))
    burning = {
        window: counter.windows(_earlier(times, window), times, True)
        for window in slo.all_burn_windows
    }
    conditions = {}
    for alert in () if slo.alerts is None else slo.alerts.alerts:
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


def _whole(slo: SLO, times: Integers) -> tuple[Integers, Integers, Opening]:
    starts, opening = _starts(slo, times)
    return starts, times, opening


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
    starts, opening = _starts(slo, times)
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
