"""
What the charts of a page show of one status, before anything is drawn.

A window of 90 days has more moments than a page can hold. Of each stretch of neighbours the charts
keep the first and last moment, and for every line the moments of its lowest and highest value; each
alert keeps all its episodes. So a spike is as high as it was, the figures at a moment are those of
that moment, and the last ones are those of the status.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import format_duration
from errorbudget.errors import ErrorBudgetError
from errorbudget.report.burn_down import (
    ROUND_NS,
    Shares,
    left_at,
    observed,
    observed_start,
    shares_of,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.alerts import BurnAlert
    from errorbudget.history import History
    from errorbudget.slo import Evaluable
    from errorbudget.status import Status

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Chart", "Episodes", "Line", "chart", "kept_points"]

MOST_POINTS = 45_000
THRESHOLD_POINTS = 150


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """
    One figure along the chart's moments.

    Attributes:
        name: What it is: "budget left", the length of a burn window, the name of a figure.
        values: Its values, NaN where there is none; shape (n,).
        limit: Where a decision turns, or None.
        limit_name: That limit as text.
        unit: "%", "x" (a burn rate), "s", or what the figure counts.
    """

    name: str
    values: Floats
    limit: float | None = None
    limit_name: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Episodes:
    """
    When one alert fired.

    Attributes:
        name: Its name.
        spans: Start and end of each episode [ns UTC].
    """

    name: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """
    Lines over the observed part of one window.

    Attributes:
        start_ns: Where it begins [ns UTC].
        end_ns: Where it ends: the instant that was judged [ns UTC].
        time_ns: The moments of the lines [ns UTC], ascending; shape (n,).
        moments: How many there were before neighbours were left out.
        step_ns: Distance of those.
        left: The budget left, or None where there is no finite share.
        pieces: The SLI of each piece of the window, or None.
        burn: Burn rates of the alerts' windows.
        figures: Figures of a threshold objective.
        episodes: The alerts that fired.
        firing: Names of those that fire at the end.
        history: The same figures over rolling windows, every moment of them.
    """

    start_ns: int
    end_ns: int
    time_ns: Integers
    moments: int
    step_ns: int
    left: Line | None
    pieces: Shares | None
    burn: tuple[Line, ...]
    figures: tuple[Line, ...]
    episodes: tuple[Episodes, ...]
    firing: tuple[str, ...]
    history: History


def kept_points(columns: list[Floats], stretches: int) -> Integers:
    """
    Positions of the moments to keep, ascending.

    Args:
        columns: Lines of one length, NaN where there is no value; each shape (n,).
        stretches: Into how many groups of neighbours they are cut.

    Returns:
        First and last of each group, and where each line is lowest and highest in it, at the start
        and at the end of a gap too; all where there are few; shape (m,).

    Example:
        >>> line = np.zeros(1_000)
        >>> line[[300, 301]] = 7.0, np.nan
        >>> kept_points([line], 4).tolist()
        [0, 249, 250, 300, 301, 302, 499, 500, 749, 750, 999]
    """
    n = len(columns[0])
    if n <= 2 * stretches:
        return np.arange(n)
    edges = np.linspace(0, n, stretches + 1).astype(np.int64)
    keep = np.zeros(n, dtype=bool)
    keep[edges[:-1]] = keep[edges[1:] - 1] = True
    for column in columns:
        gap = np.isnan(column)
        turns = np.flatnonzero(gap[1:] != gap[:-1])
        keep[turns] = keep[turns + 1] = True
        low, high = np.where(gap, np.inf, column), np.where(gap, -np.inf, column)
        for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            keep[first + int(np.argmin(low[first:last]))] = True
            keep[first + int(np.argmax(high[first:last]))] = True
    return np.flatnonzero(keep)


def chart(status: Status, data: Evaluable, *, stretches: int) -> Chart | None:
    """
    The charts of *status*.

    Args:
        status: The answer, which the last moment repeats.
        data: What it was judged on.
        stretches: How finely lines are kept; see `kept_points`.

    Returns:
        None without data, or where the data has no course along time.

    Time: O(moments x log events) once the events are judged.
    """
    if not status.counts:
        return None
    if status.budget is None:
        return _of_threshold(status, data)
    series = observed(status, data)
    if series is None:
        return None
    start, end = observed_start(status, series), status.interval.end_ns
    history = _history(status, data, start, MOST_POINTS)
    if history is None:
        return None
    # The grid's moments lie within the window; its start and its end may not lie on the grid.
    time = np.unique(np.concatenate(([start], history.time_ns[history.time_ns > start], [end])))
    left = left_at(status, series, time) if status.budget.allowed_exact else None
    burn = [
        Line(window, _at(history.time_ns, rates, time, _last(status, window)), *limit, "x")
        for window, rates, limit in _burn_windows(status, history)
    ]
    lines = [*([] if left is None else [left]), *(line.values for line in burn)]
    rows = kept_points(lines, stretches) if lines else np.arange(len(time))
    return Chart(
        start_ns=start,
        end_ns=end,
        time_ns=time[rows],
        moments=len(time),
        step_ns=history.step_ns,
        left=None if left is None else Line("budget left", 100 * left[rows], unit="%"),
        pieces=shares_of(status, series, pieces=min(120, 2 * stretches)),
        burn=tuple(
            Line(one.name, one.values[rows], one.limit, one.limit_name, one.unit) for one in burn
        ),
        figures=(),
        episodes=_episodes(status, history),
        firing=tuple(one.alert.name for one in status.alerts if one.state == "firing"),
        history=history,
    )


def _history(status: Status, data: Any, start: int, most: int) -> History | None:
    """The history over the observed part of the judged window."""
    if not hasattr(data, "history"):
        return None
    end = status.interval.end_ns
    step = next((size for size in ROUND_NS if size * most >= end - start), ROUND_NS[-1])
    step = max(step, getattr(data, "step_ns", step), getattr(data, "resolution_ns", step))
    if start // step == end // step:
        return None
    try:
        found: History = data.history(status.slo, step=format_duration(step), start=start, end=end)
    except ErrorBudgetError:
        return None  # counts alone cannot tell what a threshold asks for
    return found


def _at(grid: Integers, values: Floats, time: Integers, last: float) -> Floats:
    """Values of the grid at the chart's moments; the last is the status's own."""
    rows = np.clip(np.searchsorted(grid, time, side="right") - 1, 0, len(grid) - 1)
    found = np.where(time < grid[0], np.nan, values[rows])
    found[-1] = last
    return found


def _last(status: Status, window: str) -> float:
    from errorbudget.durations import parse_duration

    rate = status.burn.get(parse_duration(window))
    return float("nan") if rate is None else float(rate)


def _alerts(status: Status) -> tuple[BurnAlert, ...]:
    return tuple(status.slo.alerts.alerts)


def _burn_windows(
    status: Status, history: History
) -> list[tuple[str, Floats, tuple[float | None, str]]]:
    """The long windows of the alerts with their thresholds; without alerts some windows."""
    from errorbudget.figures import decimal

    limits: dict[str, tuple[float | None, str]] = {}
    for alert in _alerts(status):
        threshold = alert.threshold(status.slo.period_ns)
        limits.setdefault(
            format_duration(alert.long), (float(threshold), f"> {decimal(threshold, 2)}")
        )
    if not limits:
        limits = dict.fromkeys(list(history.burn_rates)[-3:], (None, ""))
    return [(window, history.burn_rates[window], limit) for window, limit in limits.items()]


def _episodes(status: Status, history: History) -> tuple[Episodes, ...]:
    found = []
    time = history.time_ns
    for alert in _alerts(status):
        firing = history.firing(alert.name).astype(np.int8)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], firing, [0]))))
        spans = tuple(
            (int(time[first]), int(time[last]) if last < len(time) else status.at_ns)
            for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        )
        if spans:
            found.append(Episodes(alert.name, spans))
    return tuple(found)


def _of_threshold(status: Status, data: Any) -> Chart | None:
    span = getattr(data, "span", None)
    if span is None:
        return None
    start = max(status.interval.start_ns, span[0])
    history = _history(status, data, start, THRESHOLD_POINTS)
    if history is None:
        return None
    end = status.interval.end_ns
    time = np.unique(np.concatenate((history.time_ns[history.time_ns >= start], [end])))
    lines = []
    for figure in status.measurements:
        last = float("nan") if figure.value is None else float(figure.value)
        scale = 1_000 if figure.unit == "s" and figure.bound <= 2 else 1
        values = scale * _at(history.time_ns, history.measurements[figure.name], time, last)
        unit = "ms" if scale == 1_000 else figure.unit
        lines.append(Line(figure.name, values, scale * float(figure.bound), f"{figure.op} ", unit))
    return Chart(
        start_ns=start,
        end_ns=end,
        time_ns=time,
        moments=len(time),
        step_ns=history.step_ns,
        left=None,
        pieces=None,
        burn=(),
        figures=tuple(lines),
        episodes=(),
        firing=(),
        history=history,
    )
