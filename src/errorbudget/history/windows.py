"""Windows at every point of a grid: differences of cumulative units, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.kernels import ratios
from errorbudget.schedule import TargetSchedule
from errorbudget.series import Series
from errorbudget.slo import SLO
from errorbudget.target import Target
from errorbudget.times import MIN_NS
from errorbudget.windows import Calendar, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Opening = bool | NDArray[np.bool_]

__all__ = ["GridWindows", "WindowCounter", "earlier", "starts_of"]


def starts_of(slo: SLO, times: Integers) -> tuple[Integers, Opening]:
    """Start of the window at each point of the grid [ns], and whether it is open there."""
    rolling = not isinstance(slo.window, Calendar)
    opening: Opening = rolling
    if isinstance(slo.window, Calendar):
        within = Interval(int(times[0]), int(times[-1]) + 1, "left")
        begins = np.array([period.start_ns for period in slo.window.intervals(within)])
        starts = begins[np.searchsorted(begins, times, side="right") - 1]
    else:
        starts = earlier(times, slo.window.length_ns)
    for reset in slo.resets:
        since = (starts < reset.at_ns) & (reset.at_ns <= times)
        starts = np.where(since, reset.at_ns, starts)
        opening = np.asarray(opening & ~since)  # the instant of a reset counts
    return starts, opening


def earlier(times: Integers, length_ns: int) -> Integers:
    """The instants *length_ns* before, or the first there is."""
    return np.maximum(times, MIN_NS + length_ns) - length_ns


@dataclass(frozen=True, slots=True, eq=False)
class GridWindows:
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
    return int(counts.max())


class WindowCounter:
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

    def windows(self, starts: Integers, ends: Integers, opening: Opening) -> GridWindows:
        """The windows from *starts* to *ends*; *opening* says where their start lies outside."""
        good_end, total_end = self.series.cumulative(ends)
        good_start, total_start = self._before(starts, opening)
        good, total = good_end - good_start, total_end - total_start
        if len(self.targets) == 1:
            (target,) = self.targets.values()
            remaining = ratios.budget_remaining(good, total, target)
            burn = ratios.burn_rate(good, total, target)
            return GridWindows(good, total, remaining, burn, [(total, target)])
        totals = (
            self._by_event(starts, total_start, ends, total_end)
            if self.by_event
            else self._by_now(total, ends)
        )
        parts = list(zip(totals, self.targets.values(), strict=True))
        return GridWindows(good, total, *_shares(total, *_scaled(total - good, parts)), parts)

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
