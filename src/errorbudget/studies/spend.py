"""
What each day spent: bad events as part of an average period's budget.

Costs are told on one scale, that of the history's own traffic over one period of the SLO, so days
add up and months compare. A history of events is as long as the minutes that hold it, as in a
backtest: one event has a minute's traffic, and three days of a request a minute are three days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.counts import Counts
from errorbudget.durations import MINUTE_NS
from errorbudget.series import CountSeries, EventSeries, Series
from errorbudget.slo import SLO
from errorbudget.studies.budgeted import check_budgeted, units_of
from errorbudget.studies.tables import figure, frame, percent
from errorbudget.times import format_time
from errorbudget.windows import Calendar
from errorbudget.windows.localtime import load_zone, wall_time

if TYPE_CHECKING:
    from errorbudget.events import Events

__all__ = ["DailySpend", "Day", "daily_spend"]


_DAY: Columns = {
    "date": "text",
    "start": "instant",
    "good": "count",
    "bad": "count",
    "cost": "figure",
}


@dataclass(frozen=True, slots=True)
class Day:
    """
    One day.

    Attributes:
        start_ns: Its first instant [ns UTC], midnight in its zone.
        date: Its date there, such as "2026-03-01".
        weekday: 0 for Monday to 6 for Sunday.
        counts: Its good and bad events.
        cost: Part of an average period's budget that it spent [1]; None without events.
    """

    start_ns: int
    date: str
    weekday: int
    counts: Counts
    cost: Fraction | None


@dataclass(frozen=True, slots=True, repr=False)
class DailySpend(Shown, Sequence[Day]):
    """
    What the days of a history spent, in order.

    Attributes:
        slo: The objective.
        zone: IANA zone whose midnights part the days.
        days: The days, without a gap.
    """

    slo: SLO
    zone: str
    days: tuple[Day, ...]

    def __len__(self) -> int:
        return len(self.days)

    def __iter__(self) -> Iterator[Day]:
        return iter(self.days)

    def __getitem__(self, key: Any) -> Any:
        return self.days[key]

    @property
    def total(self) -> Fraction:
        """What all days spent together, in average budgets."""
        return sum((day.cost for day in self.days if day.cost is not None), Fraction(0))

    def to_dict(self) -> dict[str, Any]:
        """The days as plain data, ready for JSON."""
        return {
            "slo": self.slo.name,
            "zone": self.zone,
            "days": [
                {
                    "date": day.date,
                    "start": format_time(day.start_ns),
                    "good": day.counts.good,
                    "bad": day.counts.bad,
                    "cost": figure(day.cost),
                }
                for day in self.days
            ],
        }

    def to_pandas(self) -> Any:
        """One row a day, as a pandas DataFrame."""
        return frame(self.to_dict()["days"], _DAY)

    def _card(self) -> Card:
        costly = sorted(self.days, key=lambda day: (-(day.cost or 0), day.start_ns))[:10]
        rows = [
            (day.date, f"{day.counts.bad:,}", f"{day.counts.total:,}", percent(day.cost))
            for day in costly
            if day.counts.bad
        ]
        lines = [f"{len(self)} days spent {percent(self.total)} of an average budget together."]
        header = ("costliest days", "bad", "total", "of a budget") if rows else ()
        return Card(f"Spend of {self.slo.name} by day", "", "", lines, header, rows)

    def __repr__(self) -> str:
        return f"DailySpend({self.slo.name}: {len(self)} days, {percent(self.total)} of a budget)"


def daily_spend(slo: SLO, data: Events | CountSeries, *, zone: str = "UTC") -> DailySpend:
    """
    What each day of a history spent.

    Args:
        slo: The objective, its target as of the end of the data.
        data: Request events, or a count series, whose bins should not cross midnight.
        zone: IANA zone whose midnights part the days.

    Raises:
        InvalidSeriesError: The objective has no budget, or the data lacks a column.
        InvalidWindowError: There is no such zone.

    Time: O(n log n) for n events.

    Example:
        >>> from errorbudget.series import CountSeries
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="90%", window="2d", sli=Availability())
        >>> hours = [hour * 3_600 * 10**9 for hour in range(1, 49)]
        >>> data = CountSeries(hours, [10] * 24 + [9] * 24, [10] * 48, "1h")
        >>> [(day.date, day.counts.bad, day.cost) for day in daily_spend(slo, data)]
        [('1970-01-01', 0, Fraction(0, 1)), ('1970-01-02', 24, Fraction(1, 2))]
    """
    check_budgeted(slo, data)
    calendar = Calendar("day", zone=zone)
    if data.span is None:
        return DailySpend(slo, zone, ())
    first_ns, last_ns = data.span
    series = units_of(slo, data, last_ns)
    starts = [calendar.interval(first_ns).start_ns]
    # A bin that ends at midnight belongs to the day before, an event at midnight to the day after.
    until_ns = last_ns + (0 if isinstance(series, CountSeries) else 1)
    while starts[-1] < until_ns:
        starts.append(calendar.interval(starts[-1]).end_ns)
    good, total = series.cumulative(np.array(starts, dtype=np.int64), inclusive=False)
    counts = [
        Counts(int(fine), int(units - fine))
        for fine, units in zip(np.diff(good).tolist(), np.diff(total).tolist(), strict=True)
    ]
    units = int(sum(each.total for each in counts))
    allowed = Fraction(units, _length(slo, series)) * slo.period_ns * slo.target_at(last_ns).error
    days = []
    _, clock = load_zone(zone)
    for start_ns, each in zip(starts, counts, strict=False):
        there = wall_time(start_ns, clock).date()
        cost = Fraction(each.bad) / allowed if allowed and each.total else None
        days.append(Day(start_ns, there.isoformat(), there.weekday(), each, cost))
    return DailySpend(slo, zone, tuple(days))


def _length(slo: SLO, series: Series) -> int:
    """How long the units go on: whole bins, whole minutes of events, and time as it is [ns]."""
    first_ns, last_ns = series.span or (0, 0)
    if isinstance(series, EventSeries):
        bins = MINUTE_NS
        if slo.window.closed == "right":
            return (-(-last_ns // bins) - (first_ns - 1) // bins) * bins
        return (last_ns // bins + 1 - first_ns // bins) * bins
    return max(1, last_ns - first_ns)
