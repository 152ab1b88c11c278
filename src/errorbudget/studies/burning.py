"""Where a short window burned too fast, cut to the units that made it burn."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.budget import Ratio, spent
from errorbudget.counts import Counts
from errorbudget.kernels import ratios
from errorbudget.series import Series, check_grid
from errorbudget.slo import SLO
from errorbudget.studies.stretches import Stretch
from errorbudget.times import MIN_NS
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PAGING", "Grid", "burning_stretches", "usual_threshold"]

PAGING = ("critical", "page")
"""Severities that call people at once."""
CALM = Fraction(1, 4)
"""A part of an incident that fails at less than this share of its rate is not part of it."""


def usual_threshold(slo: SLO) -> Fraction:
    """The lowest burn rate that *slo* pages for; 1, the pace of an even spend, when it has none."""
    alerts = slo.alerts.alerts
    paging = [alert.threshold(slo.period_ns) for alert in alerts if alert.severity in PAGING]
    return min(paging, default=Fraction(1))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Counts of the short window at every point of a grid."""

    times: NDArray[np.int64]
    bad: NDArray[np.int64]
    total: NDArray[np.int64]

    @classmethod
    def over(cls, series: Series, interval: Interval, step_ns: int, window_ns: int) -> Grid:
        """
        Every *step_ns* of *interval*, from the first data on.

        Raises:
            InvalidSeriesError: That is more than fits into memory.
        """
        first = interval.start_ns // step_ns + 1
        if series.span is not None:  # nothing burns before the data begins
            first = max(first, series.span[0] // step_ns)
        last = -(-interval.end_ns // step_ns)
        check_grid(max(0, last + 1 - first) + window_ns // step_ns, step_ns)
        times = np.arange(first, max(first, last + 1), dtype=np.int64) * step_ns
        good, total = series.cumulative(times)
        starts = np.maximum(times, MIN_NS + window_ns) - window_ns
        good_before, total_before = series.cumulative(starts)
        total = total - total_before
        return cls(times, total - (good - good_before), total)

    def peak(self, slo: SLO, stretch: Stretch) -> tuple[Ratio | None, int | None]:
        """Highest burn rate in *stretch*, and when it was; None where there were no events."""
        low, high = np.searchsorted(self.times, [stretch.start_ns, stretch.end_ns], side="right")
        # The short window still sees the last bad events at the first point after the stretch.
        high = min(int(high) + 1, len(self.times))
        bad, total = self.bad[low:high], self.total[low:high]
        if not total.any():
            return None, None
        share = np.where(total > 0, bad / np.maximum(total, 1), -1.0)
        at = int(np.argmax(share))
        counts = Counts(int(total[at] - bad[at]), int(bad[at]))
        when = int(self.times[low + at])
        return spent(counts, slo.target_at(when).error), when


def burning_stretches(
    slo: SLO,
    series: Series,
    interval: Interval,
    *,
    step_ns: int,
    window_ns: int,
    merge_ns: int,
    threshold: Fraction,
) -> list[tuple[int, int]]:
    """
    Where the short window burned above *threshold*, cut to the units that made it.

    A stretch falls apart where a calm outweighs the smaller side of it.

    Args:
        slo: The objective.
        series: Its units.
        interval: Where to look.
        step_ns: How often [ns].
        window_ns: Length of the short window [ns].
        merge_ns: Stretches no further apart are looked at as one [ns].
        threshold: Burn rate to exceed, strictly [1].

    Returns:
        Starts and ends (start, end], ascending and apart.
    """
    grid = Grid.over(series, interval, step_ns, window_ns)
    if not len(grid.times):
        return []
    error = slo.target_at(interval.end_ns)
    hot = np.flatnonzero(ratios.burn_exceeds(grid.bad, grid.total, error, threshold))
    if not len(hot):
        return []
    times = grid.times[hot]
    # Every hot point speaks for the window before it; overlapping or near ones are one stretch.
    breaks = np.flatnonzero(np.diff(times) > window_ns + merge_ns)
    firsts = times[np.concatenate(([0], breaks + 1))] - window_ns
    lasts = times[np.concatenate((breaks, [len(times) - 1]))]
    share = error.error * threshold
    return [
        part
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
        for part in _parts(series, interval, share, np.arange(first, last + step_ns, step_ns))
    ]


def _parts(
    series: Series, interval: Interval, share: Fraction, edges: NDArray[np.int64]
) -> list[tuple[int, int]]:
    """
    A stretch without its calm ends, and what burned in those.

    Ends are calm where they fail at less than `CALM` of the rate of the whole; what is left of them
    is a stretch of its own where it fails at more than *share*.
    """
    edges = np.unique(np.clip(edges, interval.start_ns, interval.end_ns))
    good, total = series.cumulative(edges)
    bad, total = total - total[0] - (good - good[0]), total - total[0]
    found: list[tuple[int, int]] = []
    waiting = [(0, len(edges) - 1)] if bad[-1] else []
    while waiting:
        low, high = waiting.pop()
        rate = Fraction(int(bad[high] - bad[low]), int(total[high] - total[low])) * CALM
        start, end = _costliest(bad[low : high + 1], total[low : high + 1], rate)
        start, end = low + start, low + end
        found.append((int(edges[start]), int(edges[end])))
        for before, after in ((low, start), (end, high)):
            first, last = _costliest(bad[before : after + 1], total[before : after + 1], share)
            if first < last:
                waiting.append((before + first, before + last))
    return sorted(found)


def _costliest(
    bad: NDArray[np.int64], total: NDArray[np.int64], share: Fraction
) -> tuple[int, int]:
    """Positions between which bad units exceed *share* of all by most; the shortest of these."""
    most = max(int(total[-1] - total[0]), 1) * max(share.numerator, share.denominator)
    kind = np.int64 if most < 2**62 else object
    counted = (bad - bad[0]).astype(kind) * share.denominator
    excess = counted - (total - total[0]).astype(kind) * share.numerator
    lowest = np.minimum.accumulate(excess)
    end = int(np.argmax(excess - lowest))
    return int(np.flatnonzero(excess[: end + 1] == lowest[end])[-1]), end
