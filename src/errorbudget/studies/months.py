"""
Months of 30 days, and the whole ones of a history.

Requests rarely come at midnight sharp. So a history is as long as the grid that it is looked at on:
60 days whose last request came 17 seconds before midnight hold two whole months.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from errorbudget.counts import Counts
from errorbudget.durations import DAY_NS
from errorbudget.times import MAX_NS

if TYPE_CHECKING:
    from errorbudget.series import CountSeries

__all__ = ["MONTH_NS", "whole_months"]

MONTH_NS = 30 * DAY_NS


def whole_months(series: CountSeries, step_ns: int) -> list[Counts]:
    """
    Events of the whole months of a history, counted back from its end, as far as they had any.

    Args:
        series: The history.
        step_ns: Multiples of this enclose it [ns].

    Example:
        >>> from errorbudget.series import CountSeries
        >>> minute, hour = 60 * 10**9, 3_600 * 10**9
        >>> short = CountSeries([2 * minute, MONTH_NS - minute], [9, 9], [10, 10], "1m")
        >>> whole_months(short, hour)
        [Counts(good=18, bad=2)]
        >>> whole_months(short, minute)
        []
    """
    if series.span is None:
        return []
    first, last = series.span[0] // step_ns, -(-series.span[1] // step_ns)
    whole = (last - first) * step_ns // MONTH_NS
    end_ns = min(last * step_ns, MAX_NS)
    edges = end_ns - np.arange(whole, -1, -1, dtype=np.int64) * MONTH_NS
    good, total = series.cumulative(edges)
    pairs = zip(np.diff(good).tolist(), np.diff(total).tolist(), strict=True)
    return [Counts(fine, units - fine) for fine, units in pairs if units]
