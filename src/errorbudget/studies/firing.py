"""
When alerts fire, for many alert policies over one history.

The running counts of the history are taken once, each window's burn rate once, each condition
once, however many policies ask for them. A window's burn rate is the exact one, correctly rounded,
so it lies above a threshold exactly when the float does, but for ties: those few are decided on
fractions.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.alerts.burn import SEVERITIES
from errorbudget.budget import spent
from errorbudget.counts import Counts
from errorbudget.history.making import MOST_POINTS
from errorbudget.kernels import ratios
from errorbudget.series import Series
from errorbudget.target import Target
from errorbudget.times import MIN_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Runs = NDArray[np.intp]

__all__ = ["FiringTable", "runs_of"]


def runs_of(mask: Mask) -> Runs:
    """
    Where *mask* holds without a break.

    Returns:
        First position and the one behind the last, per run; shape (m, 2).

    Example:
        >>> runs_of(np.array([True, True, False, True])).tolist()
        [[0, 2], [3, 4]]
    """
    if not len(mask):
        return np.empty((0, 2), dtype=np.intp)
    turns = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    if mask[0]:
        turns = np.concatenate(([0], turns))
    if mask[-1]:
        turns = np.concatenate((turns, [len(mask)]))
    return turns.reshape(-1, 2)


class FiringTable:
    """
    One history, asked about many alerts.

    Args:
        series: Good and total units over time.
        target: Exact share of units that must be good.
        period_ns: Period of the SLO, which thresholds follow from [ns].
        times: Grid of instants at which conditions are seen [ns UTC], evenly spaced; shape (n,).
        step_ns: Its step [ns].
        windows: Every window that will be asked for [ns].

    Time: O((n + longest window / step) log m) for m units, and O(n) a window and a condition.
    """

    def __init__(
        self,
        series: Series,
        *,
        target: Target,
        period_ns: int,
        times: Integers,
        step_ns: int,
        windows: Iterable[int],
    ) -> None:
        self.series, self.target, self.period_ns = series, target, period_ns
        self.times, self.step_ns = times, step_ns
        whole = [window for window in windows if window % step_ns == 0]
        reach = max(whole, default=0)
        first = int(times[0]) if len(times) else 0
        back = reach // step_ns
        # Further back than that, windows are asked for one by one.
        self._back = back if first - reach >= MIN_NS and back <= MOST_POINTS else 0
        edges = np.arange(-self._back, len(times), dtype=np.int64) * step_ns + first
        good, total = series.cumulative(edges)
        self._bad, self._total = total - good, total
        self._scaled: tuple[Floats, Floats] | None = None
        error = target.error
        if error and len(edges) and int(total[-1]) * error.denominator < ratios.EXACT_BELOW:
            # Whole numbers below 2**53: float64 keeps them exactly, and divides them at once.
            self._scaled = (
                self._bad.astype(np.float64) * error.denominator,
                self._total.astype(np.float64) * error.numerator,
            )
        self._burns: dict[int, Floats] = {}
        self._above: dict[tuple[int, Fraction], Mask] = {}
        self._runs: dict[tuple[int, int | None, Fraction], Runs] = {}
        self._firing: dict[BurnAlert, Runs] = {}

    @property
    def bad(self) -> Integers:
        """Bad units up to each point of the grid; shape (n,)."""
        return self._bad[self._back :]

    @property
    def total(self) -> Integers:
        """All units up to each point of the grid; shape (n,)."""
        return self._total[self._back :]

    def window(self, window_ns: int) -> tuple[Integers, Integers]:
        """Bad and total units of (t - window, t] at each point of the grid; shape (n,) each."""
        if window_ns % self.step_ns == 0 and window_ns // self.step_ns <= self._back:
            low = self._back - window_ns // self.step_ns
            until = low + len(self.times)
            return self.bad - self._bad[low:until], self.total - self._total[low:until]
        starts = np.maximum(self.times, MIN_NS + window_ns) - window_ns
        good, total = self.series.cumulative(starts)
        return self.bad - (total - good), self.total - total

    def burn(self, window_ns: int) -> Floats:
        """Burn rate of the window at each point, correctly rounded; NaN without units."""
        found = self._burns.get(window_ns)
        if found is None:
            found = self._burns[window_ns] = self._burn(window_ns)
        return found

    def _burn(self, window_ns: int) -> Floats:
        steps = window_ns // self.step_ns
        if self._scaled is None or window_ns % self.step_ns or steps > self._back:
            bad, total = self.window(window_ns)
            return ratios.burn_rate(total - bad, total, self.target)
        low, until = self._back - steps, self._back - steps + len(self.times)
        bad_cum, total_cum = self._scaled
        share = total_cum[self._back :] - total_cum[low:until]
        burn = bad_cum[self._back :] - bad_cum[low:until]
        with np.errstate(invalid="ignore"):
            return np.divide(burn, share, out=burn)

    def above(self, window_ns: int, threshold: Fraction) -> Mask:
        """Whether the window burns above *threshold*, strictly and exactly; shape (n,)."""
        key = (window_ns, threshold)
        found = self._above.get(key)
        if found is None:
            found = self._above[key] = self._exceeds(window_ns, threshold)
        return found

    def _exceeds(self, window_ns: int, threshold: Fraction) -> Mask:
        burn, limit = self.burn(window_ns), float(threshold)
        above = np.greater(burn, limit)
        if Fraction(limit) != threshold:  # else a tie is a tie, and does not exceed
            ties = np.flatnonzero(burn == limit)
            if len(ties):
                bad, total = self.window(window_ns)
                for row in ties.tolist():
                    counts = Counts(int(total[row] - bad[row]), int(bad[row]))
                    rate = spent(counts, self.target.error)
                    above[row] = rate is not None and rate > threshold
        return above

    def condition_runs(self, alert: BurnAlert) -> Runs:
        """Where the alert's condition holds without a break, as `runs_of`."""
        threshold = alert.threshold(self.period_ns)
        key = (alert.long, alert.short, threshold)
        found = self._runs.get(key)
        if found is None:
            holds = self.above(alert.long, threshold)
            if alert.short is not None:
                holds = holds & self.above(alert.short, threshold)
            found = self._runs[key] = runs_of(holds)
        return found

    def firing_runs(self, alert: BurnAlert) -> Runs:
        """Where the alert fires without a break: its condition held for all of `hold` before."""
        found = self._firing.get(alert)
        if found is None:
            found = self.condition_runs(alert)
            if alert.hold:
                waited = found + np.array([-(-alert.hold // self.step_ns), 0])
                found = np.asarray(waited[waited[:, 0] < waited[:, 1]])
            self._firing[alert] = found
        return found

    def mask(self, runs: Runs) -> Mask:
        """The runs as a column of the grid; shape (n,)."""
        found = np.zeros(len(self.times), dtype=bool)
        for low, high in runs.tolist():
            found[low:high] = True
        return found

    def union(self, alerts: Iterable[BurnAlert]) -> Runs:
        """Where any of *alerts* fires without a break."""
        each = [self.firing_runs(alert) for alert in alerts]
        some = [runs for runs in each if len(runs)]
        if len(some) <= 1:
            return some[0] if some else np.empty((0, 2), dtype=np.intp)
        rises = np.zeros(len(self.times) + 1, dtype=np.int32)
        for runs in some:
            rises[runs[:, 0]] += 1
            rises[runs[:, 1]] -= 1
        return runs_of(np.cumsum(rises[:-1]) > 0)

    def active_runs(self, policy: AlertPolicy, alert: BurnAlert) -> Runs:
        """Where the alert fires and nothing more urgent of its policy silences it."""
        own = self.firing_runs(alert)
        urgency = SEVERITIES.index(alert.severity)
        above = [other for other in policy.alerts if SEVERITIES.index(other.severity) < urgency]
        if not policy.inhibit or not len(own) or not above:
            return own
        return runs_of(self.mask(own) & ~self.mask(self.union(above)))
