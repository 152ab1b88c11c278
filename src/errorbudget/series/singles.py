"""A unit per event: exact at every instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.series.bins import CountSeries, check_grid, check_reach
from errorbudget.series.question import span_coverage
from errorbudget.windows import Closed, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["EventSeries"]


@dataclass(frozen=True, eq=False)
class EventSeries:
    """
    One unit per event.

    Args:
        time_ns: When the valid events happened [ns UTC], ascending; int64, shape (n,).
        bad_ns: When the bad ones did, ascending; int64, shape (m,), m <= n.
        span: First and last instant that was observed [ns].

    Time: O(log n) an edge; memory: O(n).
    """

    time_ns: Integers
    bad_ns: Integers
    span: tuple[int, int] | None

    def cumulative(
        self, edges_ns: Integers, *, inclusive: bool = True
    ) -> tuple[Integers, Integers]:
        """Good and total events up to each edge."""
        side: Any = "right" if inclusive else "left"
        total = np.searchsorted(self.time_ns, edges_ns, side=side)
        return total - np.searchsorted(self.bad_ns, edges_ns, side=side), total

    def coverage(self, interval: Interval) -> float | None:
        """Share of *interval* between the first and the last event."""
        return span_coverage(self.span, interval)

    def binned(
        self, step_ns: int, *, closed: Closed = "right", until_ns: int | None = None
    ) -> CountSeries:
        """
        The events counted per *step_ns*, every bin from the first to the last, empty ones too.

        Args:
            step_ns: Length of a bin [ns]; bins are aligned to the epoch.
            closed: "right" labels a bin by its end and holds (end - step, end]; "left" by its
                start.
            until_ns: Go on with empty bins up to this instant.
        """
        if self.span is None:
            empty = np.empty(0, dtype=np.int64)
            return CountSeries(empty, empty, empty, step_ns, closed)
        shift = 1 if closed == "right" else 0
        first = (self.span[0] - shift) // step_ns
        last = (
            max(self.span[1], self.span[1] if until_ns is None else until_ns) - shift
        ) // step_ns
        n = last - first + 1
        check_grid(n, step_ns)
        check_reach((first + shift) * step_ns, (last + shift) * step_ns, step_ns, closed)
        total = np.bincount((self.time_ns - shift) // step_ns - first, minlength=n)
        bad = np.bincount((self.bad_ns - shift) // step_ns - first, minlength=n)
        label_ns = (first + shift + np.arange(n, dtype=np.int64)) * step_ns
        return CountSeries(label_ns, total - bad, total, step_ns, closed)
