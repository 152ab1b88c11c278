"""
When the budget comes back, if nothing more goes wrong.

A rolling window lets go of a bad event exactly one window after it happened, so the schedule is no
estimate: it follows from the past alone, given that traffic goes on as it came. A calendar's budget
comes back all at once, when its next period begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.budget import Ratio, spent
from errorbudget.burn import Number
from errorbudget.cards import Card, Shown
from errorbudget.counts import Counts
from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.rationals import parse_rational, shown
from errorbudget.series import CountSeries, EventSeries
from errorbudget.slo import SLO
from errorbudget.studies.budgeted import check_budgeted, units_of
from errorbudget.studies.tables import figure, frame, percent, text_table
from errorbudget.times import TimeLike, format_time, to_ns
from errorbudget.windows import Calendar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.events import Events
    from errorbudget.policy import TierChange

__all__ = ["Recovery", "recovery"]

HEADER = ("from", "tier", "budget left")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recovery(Shown):
    """
    How the budget returns from one instant on, when nothing more goes wrong.

    Traffic is taken to repeat that of one window before, which keeps the window's total as it is.

    Attributes:
        slo: The objective.
        at_ns: The instant from which on nothing goes wrong [ns UTC].
        counts: Good and bad events of the window at that instant.
        error: Exact share of events that may be bad.
        time_ns: When bad events leave [ns UTC], ascending; int64, shape (k,).
        bad: Bad events that are left in the window from each of them on; int64, shape (k,).
    """

    slo: SLO
    at_ns: int
    counts: Counts
    error: Fraction
    time_ns: NDArray[np.int64]
    bad: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time_ns)

    def _remaining(self, bad: Any) -> Ratio | None:
        consumed = spent(Counts(self.counts.total - bad, bad), self.error)
        return None if consumed is None else 1 - consumed

    def remaining_at(self, time: TimeLike) -> Ratio | None:
        """
        The share of the budget that is left at *time*, exactly; None without events.

        Raises:
            InvalidInputError: *time* lies before the schedule begins.
        """
        time_ns = to_ns(time)
        if time_ns < self.at_ns:
            raise InvalidInputError(
                f"{format_time(time_ns)} lies before the schedule, which begins at "
                f"{format_time(self.at_ns)}"
            )
        row = int(np.searchsorted(self.time_ns, time_ns, side="right")) - 1
        return self._remaining(self.counts.bad if row < 0 else int(self.bad[row]))

    def back_above(self, share: Number) -> int | None:
        """
        The first instant at which more than *share* of the budget is left [ns UTC], strictly.

        Returns:
            The schedule's beginning where that is so already; None where it never is.
        """
        try:
            bound = parse_rational(share)
        except ValueError:
            raise InvalidInputError(f'share must be such as "20%", got {shown(share)}') from None
        steps = [(self.at_ns, self.counts.bad)]
        steps += zip(self.time_ns.tolist(), self.bad.tolist(), strict=True)
        for time_ns, bad in steps:
            left = self._remaining(bad)
            if left is not None and left > bound:
                return int(time_ns)
        return None

    def tier_changes(self) -> list[TierChange]:
        """When which tier of the SLO's policy is reached; the first entry is the present one."""
        times = [self.at_ns, *self.time_ns.tolist()]
        left = [self._remaining(bad) for bad in (self.counts.bad, *self.bad.tolist())]
        return self.slo.policy.timeline(times, left)

    def to_dict(self) -> dict[str, Any]:
        """Where it stands and when tiers are reached, as plain data, ready for JSON."""
        return {
            "slo": self.slo.name,
            "at": format_time(self.at_ns),
            "remaining_ratio": figure(self._remaining(self.counts.bad)),
            "tiers": [
                {
                    "at": format_time(change.at_ns),
                    "tier": change.after,
                    "remaining_ratio": figure(change.remaining),
                }
                for change in self.tier_changes()
            ],
            "restored": format_time(int(self.time_ns[-1]) if len(self) else self.at_ns),
        }

    def to_pandas(self) -> Any:
        """One row a return of budget, as a pandas DataFrame."""
        rows = (
            {
                "time": format_time(time_ns),
                "bad": bad,
                "remaining_ratio": figure(self._remaining(bad)),
            }
            for time_ns, bad in zip(self.time_ns.tolist(), self.bad.tolist(), strict=True)
        )
        return frame(rows, {"time": "instant", "bad": "whole", "remaining_ratio": "figure"})

    def __repr__(self) -> str:
        return (
            f"Recovery({self.slo.name} from {format_time(self.at_ns)}: {self.counts.bad:,} bad "
            f"events leave in {len(self):,} steps)"
        )

    def _rows(self) -> list[list[str]]:
        return [
            [format_time(change.at_ns), change.after or "-", percent(change.remaining)]
            for change in self.tier_changes()
        ]

    def __str__(self) -> str:
        return text_table(HEADER, self._rows())

    def _card(self) -> Card:
        lines = ["When the budget comes back, if nothing more goes wrong."]
        return Card(f"Recovery of {self.slo.name}", "", "", lines, HEADER, self._rows())


def recovery(slo: SLO, data: Events | CountSeries, *, at: TimeLike | None = None) -> Recovery:
    """
    The exact schedule of the budget's return, when nothing more goes wrong.

    Args:
        slo: The objective; a target that changes is taken to stay as it is.
        data: Request events, or a count series, whose whole bins leave at once.
        at: The instant from which on nothing goes wrong; by default the end of the data. A budget
            that is still growing, since the window is not full yet, is not counted on.

    Raises:
        InvalidSeriesError: The objective has no budget or counts time, or a column lacks.
        NoDataError: The data is empty and *at* is not given.

    Time: O(n).

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="90%", window="1h", sli=Availability())
        >>> minute = 60 * 10**9
        >>> series = CountSeries([minute, 2 * minute, 3 * minute], [16, 18, 20], [20, 20, 20], "1m")
        >>> schedule = recovery(slo, series)
        >>> print(schedule)
        from                       tier  budget left
        1970-01-01T00:03:00Z  exhausted        0.00%
        1970-01-01T01:01:00Z    healthy       66.67%
        >>> schedule.back_above("20%") == 61 * minute
        True
    """
    check_budgeted(slo, data)
    status = slo.evaluate(data, at=at)
    assert status.budget is not None  # noqa: S101 - an objective with a target has one
    series = units_of(slo, data, status.at_ns)
    interval = status.interval
    if isinstance(series, EventSeries):
        ends, bad = np.unique(series.bad_ns, return_counts=True)
    elif isinstance(series, CountSeries):
        ends, bad = series.end_ns, series.total - series.good
    else:
        raise InvalidSeriesError(f'SLO "{slo.name}" ({slo.sli}) counts time, which does not leave')
    after = ends > interval.start_ns
    if interval.closed == "left":
        after |= ends == interval.start_ns
    inside = after & (ends <= interval.end_ns) & (bad > 0)
    ends, bad = ends[inside], bad[inside]
    if isinstance(slo.window, Calendar):
        leaves = np.array([slo.window.interval(status.at_ns).end_ns] * bool(len(ends)), np.int64)
        left = np.zeros(len(leaves), dtype=np.int64)
    else:
        leaves = ends + slo.window.length_ns
        left = int(bad.sum()) - np.cumsum(bad, dtype=np.int64)
    return Recovery(slo, status.at_ns, status.counts, status.budget.error, leaves, left)
