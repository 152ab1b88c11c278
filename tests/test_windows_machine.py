"""
Time goes on, events come, early and late, and every figure of a window is that of a plain list.

Two objectives watch one list of events, over a rolling window and over a calendar's. Calendars are
found by looking through instants a quarter of an hour apart, windows by looking at every event, and
all arithmetic is in fractions. What is kept from step to step must equal what is worked out anew.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from fractions import Fraction
from functools import cache
from math import inf, isnan
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from errorbudget import (
    ERROR_BUDGET_POLICY,
    SLO,
    AlertPolicy,
    BudgetReset,
    BurnAlert,
    Calendar,
    Counts,
    CountSeries,
    Events,
    Maintenance,
    RatioSLI,
    Rolling,
)
from errorbudget.times import to_ns

SECOND = 10**9
MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND
QUARTER = dt.timedelta(minutes=15)
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAYS = {"day": 1, "week": 7}

# What happens there, and when.
TURNS = {
    "UTC": ("2012-02-28T23:59:59Z", "2023-12-31T23:00:00Z", "2024-02-28T12:00:00Z"),
    "Europe/Berlin": ("2026-03-28T22:30:00Z", "2026-10-24T21:59:00Z", "2026-10-25T00:20:00Z"),
    "America/New_York": ("2025-03-08T23:00:00Z", "2026-11-01T03:59:59.999999999Z"),
    # Clocks change at midnight: it is skipped in spring, and there twice in autumn.
    "America/Havana": ("2026-03-08T04:00:00Z", "2026-11-01T03:30:00Z", "2026-11-01T04:30:00Z"),
    "America/Sao_Paulo": ("2018-11-04T02:00:00Z", "2018-02-18T01:00:00Z"),
    "Africa/Casablanca": ("2026-02-15T01:00:00Z", "2026-03-22T01:00:00Z"),
    # By half an hour.
    "Australia/Lord_Howe": ("2026-04-04T14:00:00Z", "2026-10-03T15:00:00Z"),
    "Asia/Kathmandu": ("1985-12-31T18:29:00Z", "2024-02-28T18:00:00Z"),
    # There was no 30 December 2011.
    "Pacific/Apia": ("2011-12-29T09:30:00Z", "2011-12-30T09:59:59Z"),
}
ANCHORS = (
    "1970-01-01",
    "2024-02-29",
    "2024-01-31T12:00",
    "2026-03-29T02:30",  # was skipped in Berlin
    "2026-10-25T02:15",  # was there twice
    "2012-12-31T23:45",
)


@cache
def zone_of(name: str) -> dt.tzinfo:
    return zoneinfo.ZoneInfo(name)


@cache
def first_instant(local: dt.datetime, zone: str) -> int:
    """When the wall clock first shows *local* or later; clocks change on quarters of an hour."""
    utc = local.replace(tzinfo=dt.UTC) - dt.timedelta(hours=30)
    while utc.astimezone(zone_of(zone)).replace(tzinfo=None) < local:
        utc += QUARTER
    return int(utc.timestamp()) * SECOND


def boundary(window: Calendar, index: int) -> int:
    """Where the period *index* after the anchor's begins."""
    start = {"week": "1970-01-05"}.get(window.unit, "1970-01-01")
    origin = dt.datetime.fromisoformat(window.anchor or start)
    if window.unit in DAYS:
        local = origin + dt.timedelta(days=DAYS[window.unit] * window.every * index)
    else:
        months = origin.year * 12 + origin.month - 1 + MONTHS[window.unit] * window.every * index
        local = origin.replace(year=months // 12, month=months % 12 + 1, day=1)
        for _ in range(origin.day - 1):
            if (local + dt.timedelta(days=1)).month == local.month:
                local += dt.timedelta(days=1)
    return first_instant(local, window.zone)


@cache
def period(window: Calendar, at: int) -> tuple[int, int]:
    """The period that holds an instant: its beginning, and the next one's."""
    longest = DAYS.get(window.unit, 31 * MONTHS.get(window.unit, 0)) * window.every * DAY
    since = dt.datetime.fromisoformat(window.anchor or "1970-01-01").replace(tzinfo=dt.UTC)
    index = (at - int(since.timestamp()) * SECOND) // longest
    while boundary(window, index) > at:
        index -= 1
    while boundary(window, index + 1) <= at:
        index += 1
    return boundary(window, index), boundary(window, index + 1)


def spent(counts: Counts, error: Fraction) -> Fraction | float | None:
    if not counts.total:
        return None
    if not error:
        return inf if counts.bad else Fraction(0)
    return Fraction(counts.bad) / (counts.total * error)


def left_of(counts: Counts, error: Fraction) -> Fraction | float | None:
    consumed = spent(counts, error)
    return None if consumed is None else 1 - consumed


def period_of(window: Rolling | Calendar) -> int:
    """What thresholds refer to: a length, or a calendar's in round days."""
    if isinstance(window, Rolling):
        return window.length_ns
    nominal = {"day": 1, "week": 7, "month": 30, "quarter": 90, "year": 365}
    return nominal[window.unit] * window.every * DAY


def alert_above_one(window: Rolling | Calendar) -> AlertPolicy:
    """Fires where the burn rate is above 1, and not at 1 itself."""
    period_ns = period_of(window)
    long = min(HOUR, period_ns)
    share = Fraction(long, period_ns)
    short = 5 * MINUTE if long > 5 * MINUTE else None
    return AlertPolicy("one", [BurnAlert("fast", "page", share, long, short)])


TIERS = ("healthy", "consuming", "low", "exhausted")


def tier(left: Fraction | float | None, before: str | None, margin: Fraction) -> str | None:
    """The guide's table; a better tier only as far as the margin is cleared too."""
    if left is None:
        return None
    half, fifth = Fraction(1, 2), Fraction(1, 5)

    def rank(more: Fraction) -> int:
        if left > half + more:
            return 0
        if left >= fifth + more:
            return 1
        return 2 if left > more else 3

    plain = rank(Fraction(0))
    if before is None or plain >= TIERS.index(before):
        return TIERS[plain]
    return TIERS[min(rank(margin), TIERS.index(before))]


class Watched:
    """One objective, what is kept of it from step to step, and what a list of events says."""

    def __init__(self, slo: SLO, now: int, margin: Fraction) -> None:
        self.slo, self.margin = slo, margin
        self.error: Fraction = slo.target.error  # type: ignore[union-attr]
        self.held: str | None = None  # the tier with hysteresis, by the machine's own table
        self.record: list[tuple[int, Fraction | float | None]] = []
        self.kept, self.kept_at = Counts(), now
        self.series: CountSeries | None = None  # minute by minute, event by event

    def start(self, at: int) -> tuple[int, str]:
        """Where the window of an instant begins, and which of its ends belong to it."""
        if isinstance(self.slo.window, Rolling):
            start, closed = at - self.slo.window.length_ns, "right"
        else:
            start, closed = period(self.slo.window, at)[0], "left"
        for reset in self.slo.resets:
            if start < reset.at_ns <= at:
                start, closed = reset.at_ns, "left"
        return start, closed

    def judged(self, time: int, good: bool) -> bool | None:
        kinds = {
            each.treat
            for each in self.slo.corrections
            if each.interval.start_ns <= time < each.interval.end_ns  # type: ignore[union-attr]
        }
        return None if "exclude" in kinds else good or "good" in kinds

    def between(
        self, events: list[tuple[int, bool]], start: int, end: int, *, with_start: bool
    ) -> Counts:
        verdicts = [
            self.judged(time, good)
            for time, good in events
            if (start < time or (with_start and time == start)) and time <= end
        ]
        return Counts(verdicts.count(True), verdicts.count(False))

    def counts(self, events: list[tuple[int, bool]], at: int) -> Counts:
        start, closed = self.start(at)
        return self.between(events, start, at, with_start=closed == "left")


zones = st.sampled_from([*TURNS])
steps = st.one_of(
    st.integers(1, 3),
    st.integers(1, 120).map(lambda n: n * SECOND),
    st.integers(1, 60).map(lambda n: n * MINUTE),
    st.integers(1, 60).map(lambda n: n * HOUR),
    st.integers(1, 45).map(lambda n: n * DAY),
    st.sampled_from([MINUTE, HOUR, DAY, 29 * DAY, 366 * DAY]),
)
beside = st.sampled_from([-1, 0, 0, 0, 1])
which = st.integers(0, 1)
lengths = st.one_of(
    st.integers(1, 3),
    st.integers(1, 90).map(lambda n: n * SECOND),
    st.sampled_from([MINUTE, 90 * MINUTE, HOUR, DAY, 28 * DAY, 365 * DAY, 200 * 365 * DAY]),
)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Calendar, str]:
    """A calendar, and an instant shortly before something happens in its zone."""
    unit: Any = draw(st.sampled_from(["day", *DAYS, *MONTHS]))
    anchor = draw(st.none() | st.sampled_from(ANCHORS))
    every = draw(st.integers(1, 3)) if anchor is not None else 1
    zone = draw(zones)
    turn = draw(st.sampled_from(TURNS[zone]))
    return Calendar(unit, zone=zone, anchor=anchor, every=every), turn


class WindowsMachine(RuleBasedStateMachine):
    """A clock that only goes forward, a list of events, and two objectives."""

    @initialize(
        length=lengths,
        calendar=calendars(),
        goals=st.tuples(*[st.sampled_from(["50%", "50%", "2/3", "90%", "99.9%", "100%"])] * 2),
        margin=st.sampled_from(["0%", "5%", "1/3"]),
    )
    def begin(
        self,
        length: int,
        calendar: tuple[Calendar, str],
        goals: tuple[str, str],
        margin: str,
    ) -> None:
        self.now = to_ns(calendar[1])
        self.events: list[tuple[int, bool]] = []
        policy = ERROR_BUDGET_POLICY.with_hysteresis(margin)
        self.watched = [
            Watched(
                SLO(
                    window.to_text(),
                    target=target,
                    window=window,
                    sli=RatioSLI(),
                    policy=policy,
                    alerts=alert_above_one(window),
                    burn_windows=[1, "2s", "1h", "1d", "30d"],
                    min_coverage=0,
                ),
                self.now,
                policy.hysteresis,
            )
            for window, target in zip((Rolling.from_ns(length), calendar[0]), goals, strict=True)
        ]

    # ------------------------------------------------------------------ time

    def move(self, to: int) -> None:
        """Time goes on: what enters the window is added, what leaves it is taken away."""
        if to <= self.now or to > to_ns("2200-01-01T00:00:00Z"):
            return
        for one in self.watched:
            start, closed = one.start(self.now)
            then, later = one.start(to)
            entered = one.between(self.events, self.now, to, with_start=False)
            if closed == later == "right":
                leaves = min(then, to)
                left = one.between(self.events, start, leaves, with_start=False)
            else:  # what lay in the window before its new first instant
                inside = one.counts(self.events, self.now) + entered
                left = inside - one.between(self.events, then, to, with_start=later == "left")
            one.kept = one.kept + entered - left
        self.now = to

    @rule(by=steps)
    def time_goes_on(self, by: int) -> None:
        self.move(self.now + by)

    @rule(by=beside)
    def to_the_end_of_the_period(self, by: int) -> None:
        self.move(period(self.watched[1].slo.window, self.now)[1] + by)  # type: ignore[arg-type]

    @precondition(lambda self: self.events)
    @rule(data=st.data(), by=beside)
    def until_an_event_leaves(self, data: st.DataObject, by: int) -> None:
        time, _ = data.draw(st.sampled_from(self.events))
        self.move(time + self.watched[0].slo.window.length_ns + by)  # type: ignore[union-attr]

    @precondition(lambda self: self.events)
    @rule(data=st.data(), by=beside)
    def until_an_event_comes(self, data: st.DataObject, by: int) -> None:
        self.move(data.draw(st.sampled_from(self.events))[0] + by)

    # ------------------------------------------------------------------ events

    def arrive(self, time: int, good: bool) -> None:
        self.events.append((time, good))
        for one in self.watched:
            start, closed = one.start(self.now)
            event = [(time, good)]
            one.kept += one.between(event, start, self.now, with_start=closed == "left")
            counted = one.slo.count(Events(time=[time], good=[good]))
            one.series = counted if one.series is None else one.series + counted

    @rule(good=st.booleans(), times=st.integers(1, 4))
    def events_arrive(self, good: bool, times: int) -> None:
        for _ in range(times):
            self.arrive(self.now, good)

    @rule(parts=st.sampled_from([(3, 1), (3, 2), (1, 1), (5, 1), (11, 4), (2, 1), (9, 1)]))
    def a_share_of_events_fails(self, parts: tuple[int, int]) -> None:
        """What of an empty window leaves a half, a fifth or nothing: the bounds of tiers."""
        for good, times in zip((True, False), parts, strict=True):
            self.events_arrive(good, times)

    @rule(good=st.booleans(), by=steps, ahead=st.booleans())
    def an_event_is_late_or_early(self, good: bool, by: int, ahead: bool) -> None:
        self.arrive(self.now + (by if ahead else -by), good)

    @rule(one=which, good=st.booleans(), by=beside)
    def an_event_lies_on_the_edge(self, one: int, good: bool, by: int) -> None:
        self.arrive(self.watched[one].start(self.now)[0] + by, good)

    @rule(one=which, window=st.sampled_from([1, 2 * SECOND, HOUR, DAY]), by=beside)
    def a_failure_lies_on_the_edge_of_a_burn_window(self, one: int, window: int, by: int) -> None:
        self.arrive(self.now - window + by, good=False)

    @rule(good=st.booleans(), of=zones, by=beside)
    def an_event_lies_on_midnight(self, good: bool, of: str, by: int) -> None:
        self.arrive(period(Calendar("day", zone=of), self.now)[0] + by, good)

    # ------------------------------------------------------------------ decisions

    def change(self, one: Watched, **changes: Any) -> None:
        """What was decided changes the past too: what was kept is worked out anew."""
        one.slo = one.slo.replace(**changes)
        one.kept = one.counts(self.events, self.now)
        parts = [one.slo.count(Events(time=[t], good=[g])) for t, g in self.events]
        one.series = CountSeries.merge(parts) if parts else None

    @rule(one=which, by=beside, unit=st.sampled_from([1, MINUTE, HOUR, DAY]))
    def the_budget_is_reset(self, one: int, by: int, unit: int) -> None:
        it = self.watched[one]
        at = self.now // unit * unit + by
        if len(it.slo.resets) < 2:
            self.change(it, resets=[*it.slo.resets, BudgetReset(at, "agreed")])

    @rule(one=which, back=steps, length=steps, treat=st.sampled_from(["exclude", "good"]))
    def maintenance_is_entered(self, one: int, back: int, length: int, treat: Any) -> None:
        it = self.watched[one]
        start = self.now - back
        if len(it.slo.corrections) < 2:
            correction = Maintenance(start, start + length, treat)
            self.change(it, corrections=[*it.slo.corrections, correction])

    # ------------------------------------------------------------------ answers

    @rule(one=which, step=st.sampled_from([MINUTE, HOUR, 7 * HOUR, DAY]), back=st.integers(0, 6))
    def look_along(self, one: int, step: int, back: int) -> None:
        """A history holds what each instant of it was judged to be, tiers in turn included."""
        it = self.watched[one]
        end = self.now // step * step
        grid = range(end - back * step, end + 1, step)
        history = it.slo.history(self.everything(), step=f"{step}ns", start=grid[0], end=grid[-1])
        assert history.time_ns.tolist() == list(grid)
        held = None
        for row, at in enumerate(grid):
            counts = it.counts(self.events, at)
            assert (history.good[row], history.total[row]) == (counts.good, counts.total)
            left = left_of(counts, it.error)
            found = float(history.remaining_ratio[row])
            assert isnan(found) if left is None else found == float(left)
            now = tier(left, held, it.margin)
            assert history.tier[row] == now
            held = now or held
            burn = spent(it.between(self.events, at - HOUR, at, with_start=False), it.error)
            found = float(history.burn_rates["1h"][row])
            assert isnan(found) if burn is None else found == float(burn)

    @rule(one=which)
    def count_by_the_minute(self, one: int) -> None:
        """Counts that were kept event by event say the same at a whole minute."""
        it = self.watched[one]
        at = self.now // MINUTE * MINUTE
        start, _ = it.start(at)
        if it.series is None or start % MINUTE or it.slo.resets:
            return
        status = it.series.evaluate(it.slo, at=at)
        # Bins of a calendar hold their start: the event of this instant is in the next one.
        last = at if it.slo.window.closed == "right" else at - 1
        rolling = it.slo.window.closed == "right"
        assert status.counts == it.between(self.events, start, last, with_start=not rolling)

    def everything(self) -> Events:
        return Events(
            time=[time for time, _ in self.events], good=[good for _, good in self.events]
        )

    @precondition(lambda self: hasattr(self, "watched"))
    @invariant()
    def all_is_as_the_list_says(self) -> None:
        events = self.everything()
        for one in self.watched:
            status = one.slo.evaluate(events, at=self.now)
            start, closed = one.start(self.now)
            interval = status.interval
            assert (interval.start_ns, interval.end_ns) == (start, self.now)
            assert interval.closed == closed
            counts = one.counts(self.events, self.now)
            assert status.counts == counts == one.kept
            left = left_of(counts, one.error)
            assert status.budget is not None
            assert status.budget.remaining_exact == left
            assert status.budget.allowed_exact == counts.total * one.error
            self.check_state(status, counts, left)
            self.check_burn(one, status)
            self.check_tier(one, status, left)
            self.check_projection(one, status, counts, start)

    @staticmethod
    def check_state(status: Any, counts: Counts, left: Fraction | float | None) -> None:
        if left is None:
            assert (status.state, status.sli, status.tier) == ("no_data", None, None)
            return
        assert status.sli == float(Fraction(counts.good) / counts.total)
        assert status.state == ("met" if left >= 0 else "missed")
        assert status.budget.exhausted == (left <= 0)

    def check_burn(self, one: Watched, status: Any) -> None:
        long = min(HOUR, period_of(one.slo.window))
        short = min(long, 5 * MINUTE)
        rates = {
            window: spent(
                one.between(self.events, self.now - window, self.now, with_start=False), one.error
            )
            for window in {1, 2 * SECOND, short, long, HOUR, DAY, 30 * DAY}
        }
        assert dict(status.burn) == rates
        fires = all(rate is not None and rate > 1 for rate in (rates[long], rates[short]))
        assert [alert.state for alert in status.alerts] == ["firing" if fires else "inactive"]

    def check_tier(self, one: Watched, status: Any, left: Fraction | float | None) -> None:
        policy = one.slo.policy
        assert status.tier == tier(left, None, one.margin)
        found = policy.tier(left, before=one.held)
        now = tier(left, one.held, one.margin)
        assert (None if found is None else found.name) == now
        one.held = now or one.held
        one.record.append((self.now, left))
        changes = policy.timeline(*zip(*one.record, strict=True))
        assert changes[-1].after == now

    def check_projection(self, one: Watched, status: Any, counts: Counts, start: int) -> None:
        if isinstance(one.slo.window, Rolling) or not counts.total or start == self.now:
            assert status.projected is None
            return
        whole = period(one.slo.window, self.now)[1] - start
        total = Fraction(counts.total * whole, self.now - start)
        assert status.projected.counts == Counts(total - counts.bad, counts.bad)


TestWindowsMachine = WindowsMachine.TestCase
TestWindowsMachine.settings = settings(
    max_examples=settings.default.max_examples // 2,  # type: ignore[attr-defined]
    stateful_step_count=25,
)


@pytest.mark.parametrize("zone", TURNS)
@pytest.mark.parametrize("anchor", [None, *ANCHORS])
def test_periods_around_the_turns(zone: str, anchor: str | None) -> None:
    """Ten minutes by ten, also in an hour that is there twice, before and behind the anchor."""
    days = Calendar("day", zone=zone, anchor=anchor)
    for turn in TURNS[zone]:
        for minutes in range(-240, 360, 10):
            at = to_ns(turn) + minutes * MINUTE
            found = days.interval(at)
            assert (found.start_ns, found.end_ns) == period(days, at)


def test_a_day_that_never_was() -> None:
    """The calendar of this file itself: Samoa went from 29 to 31 December 2011."""
    days = Calendar("day", zone="Pacific/Apia")
    start, end = period(days, to_ns("2011-12-30T09:59:59Z"))
    assert (start, end) == (to_ns("2011-12-29T10:00:00Z"), to_ns("2011-12-30T10:00:00Z"))
    assert period(days, end) == (end, to_ns("2011-12-31T10:00:00Z"))
    with pytest.raises(ValueError, match=r"day.* range"):  # Python 3.14 names it
        dt.datetime(2023, 2, 29)
