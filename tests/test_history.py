"""A history is what `evaluate` says at each point of its grid, for every kind of objective."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import SLO, Calendar, Events, RatioTimeslices, TargetSchedule
from errorbudget.errors import InvalidInputError, NoDataError
from errorbudget.history import MOST_POINTS, grid, making
from errorbudget.history.windows import GridWindows
from errorbudget.times import to_ns
from tests import oracles, strategies

MINUTE = strategies.MINUTE
DAY = 1_440 * MINUTE


def same(found: float, wanted: float | None, *, exactly: bool) -> bool:
    if wanted is None:
        return isnan(found)
    return found == wanted if exactly else found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def agrees(slo: SLO, data: Any, history: eb.History) -> None:
    """Every point of *history* against the status at that instant."""
    ratio, tiers = isinstance(slo.method, RatioTimeslices), history.tier
    for row, at in enumerate(history.time_ns.tolist()):
        status = slo.evaluate(data, at=at)
        assert status.budget is not None
        exactly = not ratio
        assert same(history.good[row], float(status.counts.good), exactly=exactly)
        assert history.total[row] == status.counts.total
        assert same(history.sli[row], status.sli, exactly=exactly)
        assert same(history.remaining_ratio[row], status.budget.remaining_ratio, exactly=exactly)
        assert same(history.consumed_ratio[row], status.budget.consumed_ratio, exactly=False)
        for window, rate in status.burn_rates.items():
            assert same(history.burn_rates[window][row], rate, exactly=exactly)
        if exactly:  # ratios of slices are kept in fixed point, and may sit on a boundary
            assert tiers[row] == status.tier
            for state in status.alerts:
                holds = state.alert.condition(status.burn, slo.period_ns)
                assert history.conditions[state.alert.name][row] == holds


@settings(max_examples=120)
@given(
    slo=strategies.ratio_slos() | strategies.sliced_slos(),
    rows=strategies.event_dicts(),
    start=strategies.instants,
    length=st.integers(0, 20),
    step=st.sampled_from(["15s", "1m", "7m"]),
)
def test_a_history_is_the_status_at_each_instant(
    slo: SLO, rows: list[dict[str, Any]], start: int, length: int, step: str
) -> None:
    """Over single events, for all methods, windows, schedules, corrections and resets."""
    events = strategies.to_events(rows)
    end = start + length * 7 * MINUTE // 4
    try:
        history = slo.history(events, step=step, start=start, end=end)
    except InvalidInputError:  # no multiple of the step in so short a stretch
        assume(False)
    agrees(slo, events, history)


@settings(max_examples=80)
@given(
    slo=strategies.ratio_slos(),
    rows=strategies.event_dicts(),
    start=strategies.instants,
    length=st.integers(1, 20),
)
def test_a_history_of_counts_is_their_status(
    slo: SLO, rows: list[dict[str, Any]], start: int, length: int
) -> None:
    """Over counts per bin just the same."""
    series = slo.count(strategies.to_events(rows), step="1m")
    agrees(slo, series, slo.history(series, start=start, end=start + length * MINUTE))


@settings(max_examples=60)
@given(slo=strategies.threshold_slos(), rows=strategies.event_dicts(), start=strategies.instants)
def test_a_threshold_history_is_the_status_at_each_instant(
    slo: SLO, rows: list[dict[str, Any]], start: int
) -> None:
    """Figures of thresholds, None where nothing was observed."""
    events = strategies.to_events(rows)
    history = slo.history(events, step="1m", start=start, end=start + 8 * MINUTE)
    for row, at in enumerate(history.time_ns.tolist()):
        status = slo.evaluate(events, at=at)
        assert history.total[row] == status.counts.total
        for figure in status.measurements:
            assert same(history.measurements[figure.name][row], figure.value, exactly=True)
    assert np.isnan(history.remaining_ratio).all()
    assert set(history.tier) == {None}
    assert set(history.columns()) == {"good", "total", *history.measurements}


@settings(max_examples=40)
@given(
    rows=strategies.event_dicts(max_size=60, steps=120),
    good=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_alerts_fire_as_statuses_say(rows: list[dict[str, Any]], good: list[bool]) -> None:
    """With a grid of minutes, what waits for its hold fires at the minute it does in a status."""
    for row, verdict in zip(rows, good, strict=False):
        row["good"] = verdict
    slo = SLO("x", target="90%", window="1h", sli=eb.RatioSLI(), alerts=strategies.QUICK)
    events = strategies.to_events(rows)
    start = strategies.BASE - 10 * MINUTE
    history = slo.history(events, step="1m", start=start, end=start + 60 * MINUTE)
    for row in range(0, len(history), 7):
        status = slo.evaluate(events, at=int(history.time_ns[row]))
        for state in status.alerts:
            fires = bool(history.firing(state.alert.name)[row])
            assert fires == (state.state == "firing")


ZONES = {
    "Europe/Berlin": "2026-03-29",
    "America/New_York": "2026-11-01",
    "Australia/Lord_Howe": "2026-04-05",  # half an hour
    "America/St_Johns": "2026-03-08",
    "Australia/Adelaide": "2026-10-04",
    "Asia/Kathmandu": "2026-01-01",
    "Africa/Cairo": "2026-04-24",
}


@pytest.mark.parametrize(("zone", "day"), ZONES.items())
@pytest.mark.parametrize("unit", ["day", "week", "month"])
def test_days_of_changing_clocks(zone: str, day: str, unit: str) -> None:
    """On days of 23, 24½ and 25 hours a calendar window begins where the wall clock says."""
    slo = SLO("x", target="90%", window=Calendar(unit, zone=zone), sli=eb.RatioSLI())  # type: ignore[arg-type]
    middle = to_ns(f"{day}T12:00:00Z")
    rng = np.random.default_rng(7)
    time = np.sort(middle + rng.integers(-36 * 60, 36 * 60, 4_000) * MINUTE)
    good = rng.random(4_000) < 0.95
    events = Events(time=time, good=good)
    history = slo.history(events, step="15m")
    for row in range(0, len(history), 5):
        at = int(history.time_ns[row])
        start = oracles.calendar_start(slo.window, at)  # type: ignore[arg-type]
        inside = (time >= start) & (time <= at)
        assert history.total[row] == inside.sum()
        assert history.good[row] == (inside & good).sum()
        status = slo.evaluate(events, at=at)
        assert status.interval.start_ns == start
        assert status.counts.total == inside.sum()


def test_a_year_of_minutes() -> None:
    """Half a million minutes agree with fractions worked out from the raw bins at some of them."""
    rng = np.random.default_rng(11)
    n = 365 * 1_440
    total = rng.integers(0, 200, n)
    bad = np.minimum(rng.binomial(total, 0.001) + (rng.random(n) < 1e-4) * 50, total)
    labels = (np.arange(n, dtype=np.int64) + 29_000_000) * MINUTE
    series = eb.CountSeries(labels, total - bad, total, "1m")
    slo = SLO("x", target="99.9%", window="30d", sli=eb.RatioSLI())
    history = slo.history(series)
    assert len(history) == n + 1  # and the start of the first bin, where nothing was yet
    error = Fraction(1, 1000)
    for row in [0, 1, 2, 59, 60, 61, 43_199, 43_200, 43_201, *rng.integers(0, n, 20).tolist(), n]:
        for name, minutes in (("", 43_200), ("5m", 5), ("1h", 60), ("6h", 360), ("3d", 4_320)):
            low = max(0, row - minutes)
            all_, wrong = int(total[low:row].sum()), int(bad[low:row].sum())
            if name:
                burn = float(wrong / (all_ * error)) if all_ else nan
                np.testing.assert_equal(history.burn_rates[name][row], burn)
            else:
                assert history.total[row] == all_
                left = float(1 - wrong / (all_ * error)) if all_ else nan
                np.testing.assert_equal(history.remaining_ratio[row], left)
    begin = int(labels[0])
    month = slo.history(series, start=begin + 90 * DAY, end=begin + 120 * DAY)
    changes = month.tier_changes()
    assert changes
    for change in changes:
        row = int(np.searchsorted(month.time_ns, change.at_ns))
        left = float(month.remaining_ratio[row])
        assert change.after == oracles.tier(None if isnan(left) else left)


def test_large_units_with_changing_targets_stay_exact() -> None:
    """Nanoseconds of freshness and scaled ratios outgrow 64 bits when targets change, unharmed."""
    day = DAY
    moved = TargetSchedule({0: "99.9%", 2 * day: "99.95%", 3 * day: "100%"})
    slo = SLO("x", target=moved, window="30d", sli=eb.Freshness("1h"))
    events = Events(time=np.arange(0, 5 * day, day // 13))
    history = slo.history(events, step="6h")
    for row in range(0, len(history), 3):
        status = slo.evaluate(events, at=int(history.time_ns[row]))
        assert status.budget is not None
        assert same(history.remaining_ratio[row], status.budget.remaining_ratio, exactly=True)
    ratio = SLO("y", target=moved, window="30d", sli=eb.RatioSLI(), method=RatioTimeslices("1h"))
    events = Events(time=events.time, good=np.arange(len(events)) % 7 > 0)
    agrees(ratio, events, ratio.history(events, step="6h"))


def test_a_target_of_100_percent_in_a_schedule() -> None:
    """Where nothing may fail, nothing failed is 1 and anything failed is -inf, also by event."""
    minute = MINUTE
    moved = TargetSchedule({0: "100%", 10 * minute: "100%"})
    slo = SLO("x", target=moved, window="1h", sli=eb.RatioSLI())
    events = Events(time=[minute, 12 * minute], good=[True, False])
    history = slo.history(events, step="1m", start=0, end=13 * minute)
    assert isnan(history.remaining_ratio[0])
    assert history.remaining_ratio[1] == 1
    assert history.remaining_ratio[12] == -inf
    assert history.burn_rates["5m"][12] == inf
    assert history.conditions["page-fast"][12]


def test_hysteresis_in_a_history() -> None:
    """A history remembers the tier it was in, so that a policy with a margin does not flap."""
    policy = eb.ERROR_BUDGET_POLICY.with_hysteresis("5%")
    slo = SLO("x", target="90%", window="10m", sli=eb.RatioSLI(), policy=policy)
    rng = np.random.default_rng(3)
    time = np.sort(rng.integers(0, 3_600, 2_000)) * 10**9
    events = Events(time=time, good=rng.random(2_000) < 0.95)
    plain = slo.replace(policy=eb.ERROR_BUDGET_POLICY).history(events, step="10s")
    calm = slo.history(events, step="10s")
    assert 0 < len(calm.tier_changes()) < len(plain.tier_changes())


def test_columns_and_frame() -> None:
    """The columns by name, and the same as a frame indexed by time in UTC."""
    slo = SLO("x", target="90%", window="10m", sli=eb.RatioSLI(), burn_windows=["1m"])
    slo = slo.replace(alerts=eb.AlertPolicy("none", ()))
    history = slo.history(Events(time=[0, 5], good=[True, False]), step="1m")
    assert list(history.columns()) == ["good", "total", "sli", "remaining_ratio", "burn_1m"]
    assert repr(history) == (
        "History(x, 2 points every 1m from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z)"
    )
    frame = history.to_pandas()
    assert frame["total"].tolist() == [1, 2]
    assert str(frame.index.tz) == "UTC"
    none = eb.History(slo, *([np.array([], dtype=np.int64), 1] + [np.array([])] * 4))
    assert none.tier_changes() == []
    assert none.tier == []
    assert repr(none) == "History(x, 0 points every 1ns)"


def test_unknown_alerts_are_refused() -> None:
    """A history names the alerts that it has."""
    slo = SLO("x", target="90%", window="30d", sli=eb.RatioSLI())
    history = slo.history(Events(time=[0], good=[True]))
    with pytest.raises(InvalidInputError, match="page-fast"):
        history.firing("page-quick")
    assert not history.firing("page-fast").any()
    bare = slo.replace(alerts=eb.AlertPolicy("none", ())).history(Events(time=[0], good=[True]))
    with pytest.raises(InvalidInputError, match="it has none"):
        bare.firing("page-fast")


def test_grids_that_make_no_sense() -> None:
    """Swapped ends, missing ends and steps too fine are refused by name."""
    slo = SLO("x", target="90%", window="30d", sli=eb.RatioSLI())
    events = Events(time=[0, 10**9], good=[True, True])
    with pytest.raises(InvalidInputError, match="swapped"):
        slo.history(events, start=10 * MINUTE, end=0)
    with pytest.raises(InvalidInputError, match=f"more than {MOST_POINTS:,}"):
        slo.history(events, step="10ns")
    empty = Events(time=[], good=[])
    with pytest.raises(NoDataError, match="give start="):
        slo.history(empty, start=0)
    assert np.isnan(slo.history(empty, start=0, end=MINUTE).sli).all()


def test_long_windows_near_the_first_instants() -> None:
    """A window that begins before time does is cut there, and nothing goes round."""
    first = -(2**63) + 1
    slo = SLO("x", target="90%", window="100000d", sli=eb.RatioSLI())
    events = Events(time=[first, first + MINUTE], good=[True, False])
    at = (first // MINUTE + 2) * MINUTE
    history = slo.history(events, start=at, end=at)
    assert history.total.tolist() == [1]  # (start, t]: the very first instant is the open end
    assert slo.evaluate(events, at=at).counts.total == 1


@given(
    left=st.lists(
        st.one_of(
            st.sampled_from([0.0, 0.2, 0.25, 0.5, 0.55, 1.0, float("nan"), float("-inf")]),
            st.floats(-1, 1),
        ),
        min_size=1,
        max_size=60,
    ),
    margin=st.sampled_from(["0%", "5%", "20%"]),
)
def test_tiers_change_where_every_point_would_say_so(left: list[float], margin: str) -> None:
    """Points between two bounds are passed over, and no change of tier is."""
    policy = eb.ERROR_BUDGET_POLICY.with_hysteresis(margin)
    slo = eb.SLO("a", target="99%", window="1d", sli=eb.Availability(), policy=policy)
    times = np.arange(len(left))
    counts = np.ones(len(left), dtype=np.int64)
    found = eb.History(slo, times, 1, counts, counts, np.ones(len(left)), np.array(left))
    assert found.tier_changes() == policy.timeline(times.tolist(), left)


def test_a_grid_to_the_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole steps from the start to the end; by default those that enclose the end of the data."""
    for given_, points in (
        ((0, 20, None, None), [0, 10, 20]),
        ((1, 21, None, None), [10, 20, 30]),
        ((1, 21, 10, 30), [10, 20, 30]),
        ((1, 21, 11, 29), [20]),
        ((1, 21, None, 9), None),
        ((1, 21, 20, 20), [20]),
        ((-21, -1, None, None), [-20, -10, 0]),
    ):
        first, last, start, end = given_
        if points is None:
            with pytest.raises(InvalidInputError, match="no multiple of 10ns lies between"):
                grid((first, last), 10, start, end)
        else:
            found = grid((first, last), 10, start, end)
            assert (found.tolist(), found.dtype) == (points, np.int64)
    assert grid(None, 10, 5, 25).tolist() == [10, 20]
    for start, end in ((None, 5), (5, None), (None, None)):
        with pytest.raises(NoDataError, match="no stretch to cover"):
            grid(None, 10, start, end)
    monkeypatch.setattr(making, "MOST_POINTS", 3)
    assert len(grid((0, 20), 10, None, None)) == 3
    with pytest.raises(InvalidInputError, match="a step of 10ns makes 4 points, more than 3"):
        grid((0, 21), 10, None, None)


def test_an_alert_fires_when_it_has_held_for_long_enough() -> None:
    """From the point at which its condition began, to the point at which it has lasted its hold."""
    held = [
        eb.BurnAlert("held", "page", "2%", "1h", hold="2m"),
        eb.BurnAlert("now", "page", "2%", "1h"),
    ]
    slo = SLO("x", target="90%", window="30d", sli=eb.RatioSLI(), alerts=eb.AlertPolicy("t", held))
    for condition, fires in (
        ("0111011110", "0001000110"),
        ("1111", "0011"),
        ("0", "0"),
        ("1", "0"),
        ("", ""),
    ):
        n = len(condition)
        holds = np.array([mark == "1" for mark in condition], dtype=bool)
        nothing = np.full(n, nan)
        history = eb.History(
            *(slo, np.arange(n) * MINUTE, MINUTE, np.zeros(n), np.zeros(n), nothing, nothing),
            conditions={"held": holds, "now": holds},
        )
        assert "".join(map(str, history.firing("held").astype(int))) == fires
        assert history.firing("now").tolist() == holds.tolist()


def test_a_history_shows_its_extremes() -> None:
    """First, lowest, highest and last of each figure, and how often which alert fired."""
    slo = SLO("x", target="90%", window="10m", sli=eb.RatioSLI(), burn_windows=["1m"])
    alert = eb.BurnAlert("hot", "page", "15%", "1m")
    slo = slo.replace(alerts=eb.AlertPolicy("one", [alert]))
    second = np.arange(600)
    good = (second < 300) | (second % 5 > 0)
    history = slo.history(Events(time=(second + 1) * 10**9, good=good), step="2m")
    assert history._card().text().splitlines() == [
        "History of x",
        "x, 5 points every 2m from 1970-01-01T00:02:00Z to 1970-01-01T00:10:00Z",
        "figure         first    lowest  highest      last",
        "SLI             100%  90.0000%     100%  90.0000%",
        "budget left     100%        0%     100%        0%",
        "burn rate, 1m      0         0        2         2",
        "hot fired at 3 of 5 points",
    ]
    assert history.tier == ["healthy", "healthy", "healthy", "consuming", "exhausted"]
    empty = slo.history(Events(time=[], good=[]), start=0, end=2 * MINUTE)
    assert [row[1:] for row in empty._card().rows] == [("-",) * 4] * 3
    assert empty._card().notes == []
    assert empty.tier == [None] * 3
    gone = eb.History(slo, *([np.array([], dtype=np.int64), 1] + [np.array([])] * 4))
    assert gone._card().text() == "History of x\nno points\nfigure  first  lowest  highest  last"


def test_a_history_of_a_threshold_shows_its_figures() -> None:
    """The gap between two samples is no figure, and neither first nor last."""
    slo = SLO("p", window="2m", sli=eb.LatencyQuantile({"p95": "1s"}))
    events = Events(time=[1, 5 * MINUTE], duration_s=[0.5, 2.0])
    history = slo.history(events, step="1m", start=0, end=8 * MINUTE)
    assert history.total.tolist() == [0, 1, 1, 0, 0, 1, 1, 0, 0]
    assert history.good.tolist() == [0] * 9
    assert history._card().rows == [("p95", "-", "0.5", "2", "-")]
    assert list(history.columns()) == ["good", "total", "p95"]


def test_maintenance_of_a_threshold_anywhere_in_a_history() -> None:
    """Also near its end: each point equals the status at that instant."""
    for start, end in ((0, 2), (4, 6), (7, 9), (8.5, 9)):
        slo = SLO(
            "r",
            window="3m",
            sli=eb.Throughput(1),
            corrections=[eb.Maintenance(int(start * MINUTE), end * MINUTE)],
        )
        events = Events(time=np.arange(1, 541) * 10**9)
        history = slo.history(events, step="1m")
        (rates,) = history.measurements.values()
        figures = [
            slo.evaluate(events, at=at).measurements[0].value for at in history.time_ns.tolist()
        ]
        assert [None if isnan(rate) else rate for rate in rates.tolist()] == (figures)


def test_histories_are_as_fine_as_asked_and_empty_slices_last_to_the_end() -> None:
    """By default minutes for events and bins for counts; silence behind the data is judged too."""
    method = eb.Timeslices("1m", "90%", "bad")
    slo = SLO("x", target="90%", window="10m", sli=eb.RatioSLI(), method=method)
    events = Events(time=[1, 2 * MINUTE], good=[True, True])
    assert slo.history(events).time_ns.tolist() == [MINUTE, 2 * MINUTE]
    assert slo.history(events).step_ns == MINUTE
    later = slo.history(events, end=5 * MINUTE)
    assert (later.total.tolist(), later.good.tolist()) == ([1, 2, 3, 4, 5], [1, 2, 2, 2, 2])
    counts = slo.count(events, step="30s")
    found = counts.history(slo, end=5 * MINUTE)
    assert found.step_ns == MINUTE // 2
    assert found.total[::2].tolist() == [0, *later.total]
    ratio = slo.replace(method=RatioTimeslices("1m", "bad")).history(events, end=5 * MINUTE)
    assert ratio.total.tolist() == [1, 2, 3, 4, 5]
    assert ratio.good.tolist() == [1, 2, 2, 2, 2]


def test_burns_are_compared_beyond_64_bits() -> None:
    """2**52 scaled bad units times 2**11 have no int64, and still are more than what is allowed."""
    total = np.array([2**51, 0])
    parts = [(total, eb.Target("50%")), (np.zeros(2, dtype=np.int64), eb.Target("50%"))]
    windows = GridWindows(np.zeros(2, dtype=np.int64), total, np.zeros(2), np.zeros(2), parts)
    assert windows.exceeds(Fraction(1, 2**11)).tolist() == [True, False]
    assert windows.exceeds(Fraction(2)).tolist() == [False, False]
    assert windows.exceeds(Fraction(2) - Fraction(1, 2**40)).tolist() == [True, False]
    fine = GridWindows(total, total, np.zeros(2), np.zeros(2), parts)
    assert fine.exceeds(Fraction(2**12)).tolist() == [False, False]


@pytest.mark.parametrize("judged_by", ["event", "now"])
def test_a_history_over_a_change_of_target_at_its_very_instants(judged_by: Any) -> None:
    """At the change itself, just before and after it, and with windows that begin there."""
    schedule = TargetSchedule({0: "50%", 100: "90%", 200: "100%"}, judge_by=judged_by)
    for window in ("50ns", "100ns", "day"):
        slo = SLO("x", target=schedule, window=window, sli=eb.RatioSLI(), burn_windows=["50ns"])
        slo = slo.replace(alerts=eb.AlertPolicy("none", ()))
        time = [0, 50, 99, 100, 101, 150, 199, 200, 201, 250]
        events = Events(time=time, good=[True, False] * 5)
        for step in (1, 50):
            history = slo.history(events, step=f"{step}ns", start=0, end=300)
            agrees(slo, events, history)


def test_a_threshold_in_calendar_days_and_at_one_instant() -> None:
    """The first instant of a day belongs to it; of a rolling window it does not."""
    events = Events(time=[0, MINUTE, DAY, DAY + 1], duration_s=[0.1, 0.9, 0.2, 0.8])
    for window, totals, slowest in (
        (Calendar("day"), [1, 2, 1, 2], [0.1, 0.9, 0.2, 0.8]),
        ("1d", [1, 2, 2, 3], [0.1, 0.9, 0.9, 0.9]),
    ):
        slo = SLO("p", window=window, sli=eb.LatencyQuantile({"p100": "1s"}))
        for at, total, value in zip((0, MINUTE, DAY, DAY + 1), totals, slowest, strict=True):
            history = slo.history(events, step="1ns", start=at, end=at)
            assert history.total.tolist() == [total]
            assert history.measurements["p100"].tolist() == [value]
            status = slo.evaluate(events, at=at)
            assert (status.counts.total, status.measurements[0].value) == (total, value)


def test_an_alert_of_one_step_waits_for_one_step() -> None:
    """Also where its condition begins at the very last point."""
    alert = eb.BurnAlert("short", "page", "2%", "1h", hold="1m")
    slo = SLO("x", target="90%", window="30d", sli=eb.RatioSLI())
    slo = slo.replace(alerts=eb.AlertPolicy("t", [alert]))
    for condition, fires in (("0111011", "0011001"), ("001", "000"), ("01", "00"), ("11", "01")):
        n = len(condition)
        holds = np.array([mark == "1" for mark in condition])
        columns = (np.arange(n) * MINUTE, MINUTE, *[np.zeros(n)] * 4)
        history = eb.History(slo, *columns, conditions={"short": holds})
        assert "".join(map(str, history.firing("short").astype(int))) == fires


def test_before_the_first_event_there_is_no_share_to_show() -> None:
    """The first point has none, the lowest is that of the points that have one."""
    slo = SLO("x", target="90%", window="2m", sli=eb.RatioSLI())
    events = Events(time=[2 * MINUTE, 3 * MINUTE], good=[True, False])
    rows = slo.history(events, step="1m", start=MINUTE)._card().rows
    assert rows[:2] == [
        ("SLI", "-", "50.0000%", "100%", "50.0000%"),
        ("budget left", "-", "-400.00%", "100%", "-400.00%"),
    ]


def test_few_bad_of_very_many_under_two_targets() -> None:
    """2**60 events times ten have no int64; 2**40 bad ones times a hundred do."""
    schedule = TargetSchedule({0: "90%", 300: "99%"})
    slo = SLO("x", target=schedule, window="1us", sli=eb.RatioSLI(), burn_windows=())
    slo = slo.replace(alerts=eb.AlertPolicy("none", ()))
    series = eb.CountSeries([100], [2**60 - 2**40], [2**60], 100)
    history = series.history(slo)
    assert history.remaining_ratio[-1] == float(1 - 10 * Fraction(2**40, 2**60))
    agrees(slo, series, history)


@pytest.mark.parametrize(
    "left", [[0.52, 0.48], [0.48, 0.52, 0.56, 0.52, 0.48], [0.0, nan, 0.0], [1.0, 1.0], [nan, -0.1]]
)
@pytest.mark.parametrize("margin", ["0%", "5%"])
def test_tiers_change_at_each_bound_and_beyond_its_margin(left: list[float], margin: str) -> None:
    """Down at the bound, up a margin above it; where nothing is known there is no tier."""
    policy = eb.ERROR_BUDGET_POLICY.with_hysteresis(margin)
    slo = SLO("a", target="99%", window="1d", sli=eb.Availability(), policy=policy)
    times, counts = np.arange(len(left)), np.ones(len(left), dtype=np.int64)
    found = eb.History(slo, times, 1, counts, counts, np.ones(len(left)), np.array(left))
    assert found.tier_changes() == policy.timeline(times.tolist(), left)


def test_a_window_that_begins_at_a_reset_is_a_window_as_any_other() -> None:
    """Its own start is out; a nanosecond later the instant of the reset counts."""
    resets = [eb.BudgetReset(20, "agreed")]
    slo = SLO("x", target="90%", window="30ns", sli=eb.RatioSLI(), resets=resets)
    slo = slo.replace(alerts=eb.AlertPolicy("none", ()), burn_windows=())
    events = Events(time=[10, 20, 30], good=[True] * 3)
    history = slo.history(events, step="1ns", start=19, end=51)
    totals = dict(zip(history.time_ns.tolist(), history.total.tolist(), strict=True))
    assert [totals[at] for at in (19, 20, 29, 30, 49, 50, 51)] == [1, 1, 1, 2, 2, 1, 1]
    for at, total in totals.items():
        assert slo.evaluate(events, at=at).counts.total == total
