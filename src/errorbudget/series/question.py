"""What every series answers: how many units were there up to this instant?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from errorbudget.counts import Counts
from errorbudget.times import MIN_NS
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["Series", "span_coverage", "window_counts"]


class Series(Protocol):
    """Good and total units over time."""

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last instant that was observed [ns], or None when nothing was."""
        ...

    def cumulative(
        self, edges_ns: Integers, *, inclusive: bool = True
    ) -> tuple[Integers, Integers]:
        """
        Good and total units up to each edge.

        Args:
            edges_ns: Instants [ns UTC] in any order; shape (m,).
            inclusive: Whether a unit at exactly an edge lies before it.

        Returns:
            Cumulative (good, total), each int64 of shape (m,).
        """
        ...

    def coverage(self, interval: Interval) -> float | None:
        """Share of *interval* that was observed, in [0, 1]; None for an interval of length 0."""
        ...


def window_counts(series: Series, interval: Interval) -> Counts:
    """
    Good and bad units of one interval; (start, end], or [start, end] for a calendar period so far.

    Example:
        >>> from errorbudget.series import EventSeries
        >>> series = EventSeries(np.array([10, 20, 30]), np.array([20]), span=(10, 30))
        >>> window_counts(series, Interval(10, 30, "right"))
        Counts(good=1, bad=1)
    """
    good_end, total_end = series.cumulative(np.array([interval.end_ns]))
    good_start, total_start = series.cumulative(
        np.array([max(interval.start_ns, MIN_NS)]), inclusive=interval.closed == "right"
    )
    good = int(good_end[0]) - int(good_start[0])
    return Counts(good, int(total_end[0]) - int(total_start[0]) - good)


def span_coverage(span: tuple[int, int] | None, interval: Interval) -> float | None:
    """Share of *interval* inside *span*; None for an interval of length 0."""
    if not interval.length_ns:
        return None
    if span is None:
        return 0.0
    seen = min(span[1], interval.end_ns) - max(span[0], interval.start_ns)
    return max(0, seen) / interval.length_ns
