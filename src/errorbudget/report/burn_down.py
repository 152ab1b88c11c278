"""
How the budget of one window was spent: what was left at each moment of it.

The line falls from 100 % to exactly what the status says is left, as the budget is that of the
whole window: it answers when it went, and on which day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, format_duration
from errorbudget.errors import ErrorBudgetError
from errorbudget.events import Events
from errorbudget.judging import judge, judge_series
from errorbudget.series import CountSeries, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.slo import SLO, Evaluable
    from errorbudget.status import Status

__all__ = [
    "ROUND_NS",
    "BurnDown",
    "Shares",
    "burn_down",
    "left_at",
    "observed",
    "observed_start",
    "shares",
    "shares_of",
]


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


ROUND_NS = tuple(
    n * unit
    for unit, steps in (
        (SECOND_NS, (1, 2, 5, 10, 15, 30)),
        (MINUTE_NS, (1, 2, 5, 10, 15, 30)),
        (HOUR_NS, (1, 2, 3, 6, 12)),
        (DAY_NS, (1, 2, 7, 14)),
    )
    for n in steps
)
"""Lengths that people think in, shortest first [ns]."""


def observed(status: Status, data: Evaluable) -> Series | None:
    """
    The units of *data* that the SLO sees, up to the instant that was judged.

    Returns:
        None where they cannot be told: a threshold, or figures that a server keeps to itself.
    """
    slo = status.slo
    if status.budget is None:
        return None
    if isinstance(data, Events):
        return judge(slo, data, until_ns=status.at_ns).series
    series = data if isinstance(data, CountSeries) else _counted(slo, data)
    return None if series is None else judge_series(slo, series, until_ns=status.at_ns)


def _counted(slo: SLO, data: Any) -> CountSeries | None:
    """The counts that a server's answer or a tracker keeps of *slo*, in its own bins."""
    try:
        if hasattr(data, "of"):
            found: CountSeries = data.of(slo)
        elif hasattr(data, "resolution_ns"):
            found = data.count(slo, step=format_duration(data.resolution_ns))
        else:
            return None
    except ErrorBudgetError:
        return None
    return found


def observed_start(status: Status, series: Series) -> int:
    """Where the observed part of the window begins [ns UTC]."""
    span = series.span
    start = status.interval.start_ns
    return start if span is None else max(start, span[0])


def left_at(status: Status, series: Series, time_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """
    The share of the window's budget left at each of *time_ns*, the last of which ends it [1].

    The budget is finite and not zero.
    """
    assert status.budget is not None  # noqa: S101 - the callers look
    good, total = series.cumulative(time_ns)
    good_before, total_before = series.cumulative(
        np.array([status.interval.start_ns]), inclusive=status.interval.closed == "right"
    )
    bad = (total - good) - (total_before - good_before)
    # Shares of the window's own bad units: sums of slice ratios need no other scale.
    share = bad / bad[-1] if bad[-1] else np.zeros(len(time_ns))
    return np.asarray(1 - float(status.budget.consumed_ratio or 0) * share)


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
    series = observed(status, data)
    if series is None:
        return None
    start, end = observed_start(status, series), status.interval.end_ns
    if start >= end:
        return None
    edges = np.linspace(start, end, points).astype(np.int64)
    edges[-1] = end
    return BurnDown(edges, left_at(status, series, edges))


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
    series = observed(status, data)
    return None if series is None else shares_of(status, series, pieces=pieces)


def shares_of(status: Status, series: Series, *, pieces: int) -> Shares | None:
    """`shares` of the units that `observed` found."""
    if series.span is None:
        return None
    start, end = observed_start(status, series), status.interval.end_ns
    length_ns = next((x for x in ROUND_NS if x * pieces >= end - start), ROUND_NS[-1])
    edges = np.arange(start // length_ns, -(-end // length_ns) + 1, dtype=np.int64) * length_ns
    edges = np.unique(np.clip(edges, status.interval.start_ns, end))
    if len(edges) < 2:
        return None
    good, total = (np.diff(column) for column in series.cumulative(edges))
    with np.errstate(invalid="ignore"):
        return Shares(edges[1:], good / total, format_duration(length_ns))
