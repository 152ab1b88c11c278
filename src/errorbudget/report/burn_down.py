"""
How the budget of one window was spent: what was left at each moment of it.

The line falls from 100 % to exactly what the status says is left, as the budget is that of the
whole window: it answers when it went, and on which day.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.events import Events
from errorbudget.judging import judge, judge_series
from errorbudget.series import CountSeries, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.slo import Evaluable
    from errorbudget.status import Status

__all__ = ["BurnDown", "burn_down"]


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
    series: Series
    if isinstance(data, Events):
        series = judge(status.slo, data, until_ns=status.at_ns).series
    elif isinstance(data, CountSeries):
        series = judge_series(status.slo, data, until_ns=status.at_ns)
    else:
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
