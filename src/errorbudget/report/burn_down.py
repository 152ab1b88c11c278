"""
How the budget of one window was spent: what was left at each moment of it.

The line falls from 100 % to exactly what the status says is left, as the budget is that of the
whole window: it answers when it went, and on which day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, format_duration
from errorbudget.events import Events
from errorbudget.judging import judge, judge_series
from errorbudget.series import CountSeries, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.slo import Evaluable
    from errorbudget.status import Status

__all__ = ["BurnDown", "Shares", "burn_down", "shares"]


@dataclass(frozen=True, slots=True, eq=False)
class BurnDown:
    """
    What was left of one window's budget over time.

    Attributes:
        time_ns: Instants of the observed part of the window [ns UTC], ascending; shape (n,).
        remaining_ratio: Share of the whole window's budget left [1]; shape (n,), falling.
    """

    time_ns: NDArray[np.int64]
    remaining_ratio: NDArray[np.float64]


_ROUND = tuple(
    n * unit
    for unit, steps in (
        (MINUTE_NS, (1, 2, 5, 10, 15, 30)),
        (HOUR_NS, (1, 2, 3, 6, 12)),
        (DAY_NS, (1, 2, 7, 14)),
    )
    for n in steps
)


def _series(status: Status, data: Evaluable) -> Series | None:
    """The units of *data* that the SLO sees; None where they cannot be told."""
    if status.budget is None:
        return None
    if isinstance(data, Events):
        return judge(status.slo, data, until_ns=status.at_ns).series
    if isinstance(data, CountSeries):
        return judge_series(status.slo, data, until_ns=status.at_ns)
    return None


def burn_down(status: Status, data: Evaluable, *, points: int = 60) -> BurnDown | None:
    """
    The budget left at *points* moments of the window that *status* judged.

    Args:
        status: The answer, which the last point repeats.
        data: What it was judged on.
        points: How many moments, 2 or more.

    Returns:
        The line, or None where there is no budget, no data, or no finite share to draw.

    Time: O(points x log n) once the events are judged.
    """
    budget = status.budget
    if budget is None or not status.counts or not budget.allowed_exact:
        return None
    series = _series(status, data)
    if series is None:
        return None
    span = series.span
    interval = status.interval
    start = interval.start_ns if span is None else max(interval.start_ns, span[0])
    if start >= interval.end_ns:
        return None
    edges = np.linspace(start, interval.end_ns, points).astype(np.int64)
    edges[-1] = interval.end_ns
    good, total = series.cumulative(edges)
    good_before, total_before = series.cumulative(
        np.array([interval.start_ns]), inclusive=interval.closed == "right"
    )
    bad = (total - good) - (total_before - good_before)
    spent = float(budget.consumed_ratio or 0)
    # Shares of the window's own bad units: sums of slice ratios need no other scale.
    share = bad / bad[-1] if bad[-1] else np.zeros(points)
    return BurnDown(edges, 1 - spent * share)


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """
    The SLI of each piece of one window.

    Attributes:
        time_ns: End of each piece [ns UTC], ascending; shape (n,).
        ratio: Share of good units in it [1], NaN without any; shape (n,).
        every: Length of a piece, as text.
    """

    time_ns: NDArray[np.int64]
    ratio: NDArray[np.float64]
    every: str


def shares(status: Status, data: Evaluable, *, pieces: int = 120) -> Shares | None:
    """
    The SLI of each piece of the observed part of the window that *status* judged.

    Args:
        status: The answer.
        data: What it was judged on.
        pieces: About how many; their length is a round one.

    Returns:
        The shares, or None where there is nothing to cut.
    """
    series = _series(status, data)
    if series is None or series.span is None:
        return None
    start = max(status.interval.start_ns, series.span[0])
    end = status.interval.end_ns
    length_ns = next((x for x in _ROUND if x * pieces >= end - start), _ROUND[-1])
    edges = np.arange(start // length_ns, -(-end // length_ns) + 1, dtype=np.int64) * length_ns
    edges = np.minimum(edges, end)
    if len(edges) < 2:
        return None
    good, total = (np.diff(column) for column in series.cumulative(edges))
    with np.errstate(invalid="ignore"):
        return Shares(edges[1:], good / total, format_duration(length_ns))
