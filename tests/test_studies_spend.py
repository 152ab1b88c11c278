"""Spend by day: on the scale of an average period, as a backtest has it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from errorbudget import SLO, WORKBOOK, Availability, CountSeries, Events, Timeslices
from errorbudget.studies.backtest import backtest
from errorbudget.studies.spend import daily_spend

MINUTE = 60 * 10**9
DAY = 1_440 * MINUTE
API = SLO("api", target="99.9%", window="30d", sli=Availability())


def failures(n: int, start_ns: int = 20_000 * DAY) -> Events:
    """A failure a minute."""
    return Events(time=start_ns + np.arange(n) * MINUTE, status=np.full(n, 503))


@pytest.mark.parametrize("window", ["30d", "every 30 days from 2024-01-01"])
@pytest.mark.parametrize("start_ns", [20_000 * DAY, 20_000 * DAY + 17 * 10**9])
@pytest.mark.parametrize("minutes", [1, 2, 3 * 1_440])
def test_failures_cost_the_time_that_they_last(window: str, start_ns: int, minutes: int) -> None:
    """All bad for a while: that part of the period, over the share that may be bad."""
    slo = API.replace(window=window)
    events = failures(minutes, start_ns)
    spend = daily_spend(slo, events)
    assert spend.total == Fraction(minutes, 30 * 1_440) * 1_000
    assert spend.total == daily_spend(slo, slo.count(events)).total
    assert sum(day.counts.bad for day in spend) == minutes


def test_costs_are_those_of_a_backtest() -> None:
    """A single failure is 2.31 % of a budget in both, and three bad days ten thousand."""
    for minutes, shown in ((1, "2.31%"), (3 * 1_440, "10000.00%")):
        events = failures(minutes)
        span = {"all": (20_000 * DAY - 1, 20_000 * DAY + minutes * MINUTE)}
        (found,) = backtest(API, events, WORKBOOK, incidents=span)[0].detections
        spend = daily_spend(API, events)
        assert spend.total == found.incident.cost
        assert repr(spend).endswith(f" days, {shown} of a budget)")


def test_slices_cost_their_whole_length() -> None:
    """One failure makes its hour bad: of 720 of them, where one in a thousand may be."""
    slo = API.replace(method=Timeslices("1h", "99%"), alerts=None)
    assert daily_spend(slo, failures(1, 20_000 * DAY + MINUTE)).total == Fraction(1_000, 720)


def test_nothing_bad_costs_nothing_and_a_full_target_has_no_figure() -> None:
    """A day without events has none, either."""
    good = CountSeries([DAY, 3 * DAY], [10, 10], [10, 10], "1d")
    assert [day.cost for day in daily_spend(API, good)] == [0, None, 0]
    assert {day.cost for day in daily_spend(API.replace(target="100%"), good)} == {None}
