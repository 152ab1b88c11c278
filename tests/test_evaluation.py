"""A status equals the slow, obvious answer, for every kind of objective."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import SLO, Counts, Events, evaluation
from errorbudget.errors import InvalidInputError, InvalidSeriesError, NoDataError
from errorbudget.evaluation import instant_of
from errorbudget.judging import judge
from errorbudget.status import Status
from tests import oracles, strategies

CLOSE = 1e-12


def as_float(value: Fraction | float | None) -> float | None:
    return None if value is None else float(value)


def check(slo: SLO, rows: list[dict[str, object]], at: int, status: Status) -> None:
    want = oracles.expected(slo, rows, at)
    assert status.at_ns == at
    assert status.interval.start_ns == want.start
    assert status.interval.end_ns == at
    assert status.counts.total == want.total
    assert Fraction(status.counts.good) == want.good
    assert status.state == want.state
    assert status.budget is not None
    assert status.budget.remaining_exact == want.remaining
    assert status.budget.allowed_exact == want.allowed
    assert status.budget.exhausted == (None if want.remaining is None else want.remaining <= 0)
    assert status.sli == as_float(want.sli)
    assert dict(status.burn) == want.burn
    assert {state.alert.name: state.state for state in status.alerts} == want.alerts
    silenced = {state.alert.name for state in status.alerts if state.inhibited_by}
    assert silenced == want.silenced
    assert status.tier == oracles.tier(want.remaining)
    assert status.risk == oracles.risk(want.remaining)
    assert status.left_out == want.left_out
    assert (status.coverage is None) == (want.coverage is None)
    if want.coverage is not None:
        assert status.coverage == pytest.approx(float(want.coverage), rel=CLOSE, abs=CLOSE)


@settings(max_examples=200)
@given(slo=strategies.ratio_slos(), rows=strategies.event_dicts(), at=strategies.instants)
def test_a_ratio_status_is_the_oracles(slo: SLO, rows: list[dict[str, object]], at: int) -> None:
    """Counts, SLI, budget, burn rates, alerts, tiers and coverage equal the brute force."""
    check(slo, rows, at, slo.evaluate(strategies.to_events(rows), at=at))


@settings(max_examples=120)
@given(slo=strategies.sliced_slos(), rows=strategies.event_dicts(), at=strategies.instants)
def test_thresholds_with_a_budget_are_the_oracles(
    slo: SLO, rows: list[dict[str, object]], at: int
) -> None:
    """Slices that keep a bound, and fresh time, equal the brute force."""
    check(slo, rows, at, slo.evaluate(strategies.to_events(rows), at=at))


@settings(max_examples=120)
@given(slo=strategies.threshold_slos(), rows=strategies.event_dicts(), at=strategies.instants)
def test_thresholds_are_the_oracles(slo: SLO, rows: list[dict[str, object]], at: int) -> None:
    """Quantiles, rates, gauges and ages equal the brute force; no data is None, never 0."""
    status = slo.evaluate(strategies.to_events(rows), at=at)
    want = oracles.expected_figures(slo, rows, at)
    assert status.budget is None
    assert status.sli is None
    assert status.tier is None
    for found, figure in zip(status.measurements, want, strict=True):
        assert found.met == figure.met
        if figure.value is None:
            assert found.value is None
            assert found.margin is None
        else:
            assert found.value == pytest.approx(float(figure.value), rel=CLOSE)
    met = [figure.met for figure in want]
    state = "missed" if False in met else "no_data" if None in met else "met"
    assert status.state == state
    assert status.left_out == sum(
        oracles.takes_part(slo, row) is None
        and oracles.Unit(row["time"], Fraction(0)).inside(
            *(oracles.window_start(slo, at)[:1]),
            at,
            open_start=oracles.window_start(slo, at)[1],
        )
        for row in rows
    )


@given(slo=strategies.ratio_slos(), rows=strategies.event_dicts(), at=strategies.instants)
def test_the_report_is_strict_json(slo: SLO, rows: list[dict[str, object]], at: int) -> None:
    """What a report says survives a JSON that knows neither NaN nor infinity."""
    report = eb.evaluate([slo], strategies.to_events(rows), at=at)
    data = report.to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["schema"] == "errorbudget.report/1"
    assert report[0].name in str(report)


@given(
    slo=strategies.threshold_slos() | strategies.sliced_slos(),
    rows=strategies.event_dicts(),
    at=strategies.instants,
)
def test_thresholds_report_in_strict_json(slo: SLO, rows: list[dict[str, object]], at: int) -> None:
    """So do thresholds, with and without a budget."""
    data = eb.evaluate(slo, strategies.to_events(rows), at=at).to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data


@given(
    slo=strategies.ratio_slos(windows=strategies.rolling),
    rows=strategies.event_dicts(),
    at=strategies.instants,
    shift=st.integers(-(10**6), 10**6).map(lambda n: n * 5 * 60 * 10**9),
)
def test_shifting_the_clock_changes_nothing(
    slo: SLO, rows: list[dict[str, object]], at: int, shift: int
) -> None:
    """Everything moved by whole slices gives the same counts and burn rates."""
    plain = slo.replace(corrections=(), resets=(), target="90%")
    later = [{**row, "time": row["time"] + shift} for row in rows]
    first = plain.evaluate(strategies.to_events(rows), at=at)
    second = plain.evaluate(strategies.to_events(later), at=at + shift)
    assert first.counts == second.counts
    assert first.burn == second.burn
    assert first.coverage == second.coverage
    assert [a.state for a in first.alerts] == [a.state for a in second.alerts]


@settings(max_examples=40)
@given(
    rows=strategies.event_dicts(max_size=20),
    more=strategies.event_dicts(max_size=20),
    at=st.integers(0, 60).map(lambda minute: strategies.BASE + minute * strategies.MINUTE),
    slo=strategies.ratio_slos(windows=strategies.rolling),
    data=st.data(),
)
def test_merged_counts_are_counts_of_the_whole(
    rows: list[dict[str, object]],
    more: list[dict[str, object]],
    at: int,
    slo: SLO,
    data: st.DataObject,
) -> None:
    """evaluate(a + b) is evaluate(merge(counts(a), counts(b))), in any order and grouping."""
    # Bins know no instants within them, and no windows shorter than they are.
    slo = slo.replace(alerts=strategies.QUICK)
    between = [event["time"] for event in rows + more]
    changes = slo.target.targets if isinstance(slo.target, eb.TargetSchedule) else {}
    at_edges = all(
        change % strategies.MINUTE == 0 and change not in between
        for change in [*changes, *(reset.at_ns for reset in slo.resets)]
    )
    if not at_edges:
        slo = slo.replace(resets=(), target="90%")
    parts = [slo.count(strategies.to_events(part), step="1m") for part in (rows, more)]
    whole = slo.evaluate(strategies.to_events(rows + more), at=at)
    for pair in (parts, parts[::-1]):
        merged = slo.evaluate(eb.CountSeries.merge(pair), at=at)
        assert (merged.counts.good, merged.counts.bad) == (whole.counts.good, whole.counts.bad)
        assert merged.burn == whole.burn
        assert merged.budget == whole.budget
        assert merged.state == whole.state
    assert (parts[0] + parts[1]).good.tolist() == eb.CountSeries.merge(parts).good.tolist()


@given(
    rows=strategies.event_dicts(max_size=20),
    more=strategies.event_dicts(max_size=20),
    at=st.integers(0, 60).map(lambda minute: strategies.BASE + minute * strategies.MINUTE + 1),
    window=strategies.calendars,
    method=strategies.methods,
)
def test_counts_of_calendar_windows_merge_too(
    rows: list[dict[str, object]],
    more: list[dict[str, object]],
    at: int,
    window: eb.Calendar,
    method: object,
) -> None:
    """Bins closed on the left equal events wherever no event happens at the very end."""
    slo = SLO("x", target="90%", window=window, sli=eb.RatioSLI(), method=method, burn_windows=())
    slo = slo.replace(alerts=eb.AlertPolicy("none", ()))
    keep = at - 1
    rows, more = ([row for row in part if row["time"] != keep] for part in (rows, more))
    parts = [slo.count(strategies.to_events(part), step="1m") for part in (rows, more)]
    whole = slo.evaluate(strategies.to_events(rows + more), at=at)
    merged = slo.evaluate(eb.CountSeries.merge(parts), at=at)
    assert merged.counts == whole.counts
    assert merged.interval == whole.interval


def test_exhausted_is_met() -> None:
    """999 good of 1,000 at 99.9 % is met, leaves exactly 0 and is exhausted."""
    slo = SLO("x", target="99.9%", window="30d", sli=eb.RatioSLI())
    events = Events(time=np.arange(1, 1_001), good=np.arange(1_000) > 0)
    status = slo.evaluate(events)
    assert status.budget is not None
    assert status.state == "met"
    assert status.budget.remaining_exact == 0
    assert status.budget.remaining_ratio == 0
    assert status.budget.exhausted is True
    assert status.tier == "exhausted"
    assert status.budget.remaining_time_s == 0


def test_an_alert_is_strict() -> None:
    """72 bad of 5,000 burn at exactly 14.4, which does not fire; 73 do."""
    slo = SLO("x", target="99.9%", window="30d", sli=eb.RatioSLI())
    for bad, states in ((72, {"inactive"}), (73, {"firing"})):
        events = Events(time=np.arange(1, 5_001) * 10**7, good=np.arange(5_000) >= bad)
        status = slo.evaluate(events, at=5_000 * 10**7)
        fast = next(state for state in status.alerts if state.alert.name == "page-fast")
        assert fast.threshold == 14.4
        assert {fast.state} == states


def test_no_data_is_its_own_answer() -> None:
    """Nothing in the window: state no_data, every ratio None, every count 0."""
    slo = SLO("x", target="99.9%", window="1h", sli=eb.Availability(), warning_target="99.95%")
    status = slo.evaluate(Events(time=[], status=[]), at=0)
    assert (status.state, status.warning_state) == ("no_data", "no_data")
    assert status.counts == Counts(0, 0)
    assert status.budget is not None
    figures = status.to_dict()
    assert figures["sli"] is None
    assert figures["budget"]["remaining_ratio"] is None
    assert figures["budget"]["consumed_ratio"] is None
    assert figures["budget"]["remaining_time_s"] is None
    assert set(figures["burn_rates"].values()) == {None}
    assert (figures["tier"], figures["risk"]) == (None, None)
    assert figures["coverage"] == 0
    assert "actions" not in figures
    assert "no data" in str(status)


def test_a_window_holds_its_end_and_not_its_start() -> None:
    """(t - w, t] to the nanosecond, and [start, t] for calendar periods."""
    hour = 3_600 * 10**9
    slo = SLO("x", target="90%", window="1h", sli=eb.RatioSLI())
    events = Events(time=[0, 1, hour, hour + 1], good=[True] * 4)
    assert slo.evaluate(events, at=hour).counts.total == 2
    day = SLO("x", target="90%", window="day", sli=eb.RatioSLI())
    assert day.evaluate(events, at=hour).counts.total == 3
    assert day.evaluate(Events(time=[-1, 0], good=[True] * 2), at=0).counts.total == 1


def test_the_instant_of_a_reset_counts() -> None:
    """An event at the very reset belongs to the new budget, in events and in histories."""
    minute = 60 * 10**9
    for window in ("1h", "day"):
        slo = SLO(
            "x",
            target="90%",
            window=window,
            sli=eb.RatioSLI(),
            resets=[{"at": 10 * minute, "note": "agreed"}],
        )
        events = Events(time=[9 * minute, 10 * minute, 11 * minute], good=[False, True, True])
        status = slo.evaluate(events)
        assert status.counts == Counts(2, 0)
        assert str(status.interval) == "[1970-01-01T00:10:00Z, 1970-01-01T00:11:00Z)"
        assert slo.history(events, step="1m").total.tolist() == [1, 1, 2]
        counts = slo.count(events, step="1m")
        assert slo.evaluate(counts, at=9 * minute + minute).state in ("no_data", "met")


def test_an_event_at_a_change_has_the_new_target() -> None:
    """Also when the change is the very end of the window."""
    for window in ("1h", "day"):
        moved = eb.TargetSchedule({0: "50%", 100: "90%"})
        slo = SLO("x", target=moved, window=window, sli=eb.RatioSLI())
        events = Events(time=[1, 99, 100], good=[True] * 3)
        for at, allowed in ((99, Fraction(1)), (100, 1 + Fraction(1, 10))):
            status = slo.evaluate(events, at=at)
            assert status.budget is not None
            assert status.budget.allowed_exact == allowed


def test_an_alert_whose_condition_broke_waits_again() -> None:
    """It is seen at every minute of its hold, not at the first and the last alone."""
    minute = strategies.MINUTE
    alert = eb.BurnAlert("held", "page", "10%", "1m", hold="3m")
    slo = SLO(
        "x", target="90%", window="5m", sli=eb.RatioSLI(), alerts=eb.AlertPolicy("one", [alert])
    )
    time = np.arange(1, 11) * minute
    for quiet, state in ((None, "firing"), (9, "pending"), (8, "pending"), (10, "inactive")):
        good = [at == quiet for at in range(1, 11)]
        status = slo.evaluate(Events(time=time, good=good), at=10 * minute)
        assert status.alerts[0].state == state


def test_left_out_events_are_those_of_the_window() -> None:
    """An event without a status is reported when its window is, and not later."""
    slo = SLO("x", target="90%", window="1h", sli=eb.Availability())
    hour = 3_600 * 10**9
    events = Events(time=[1, 2, 3 * hour], status=[200, None, 200])
    early, late = slo.evaluate(events, at=10), slo.evaluate(events, at=3 * hour)
    assert early.left_out == 1
    assert "1 events without status" in early.warnings[0]
    assert late.left_out == 0


def test_out_of_order_events_count() -> None:
    """The order in which events come does not matter."""
    slo = SLO("x", target="90%", window="1h", sli=eb.RatioSLI())
    events = Events(time=[30, 10, 20], good=[True, False, True])
    assert slo.evaluate(events).counts == Counts(2, 1)
    assert events.reordered == 2


def test_a_total_above_the_floats_is_exact() -> None:
    """Counts above 2**53 stay whole: the last event is not lost."""
    big = 2**60
    series = eb.CountSeries([60], good=[big - 1], total=[big], step_ns=60)
    slo = SLO("x", target="50%", window="1h", sli=eb.RatioSLI())
    status = slo.evaluate(series)
    assert status.counts == Counts(big - 1, 1)
    assert status.budget is not None
    assert status.budget.remaining_exact == 1 - Fraction(2, big)
    with pytest.raises(InvalidSeriesError, match="below 2"):
        eb.CountSeries([60, 120], good=[0, 0], total=[2**62, 2**62], step_ns=60)
    half = eb.CountSeries([60], good=[0], total=[2**62], step_ns=60)
    with pytest.raises(InvalidSeriesError, match="below 2"):
        half + half


def test_threshold_objectives_need_the_events() -> None:
    """Counts cannot answer for a quantile, and say so."""
    slo = SLO("x", window="1h", sli=eb.LatencyQuantile({"p95": "1s"}))
    series = eb.CountSeries([60], good=[1], total=[1], step_ns=60)
    for ask in (slo.evaluate, slo.history):
        with pytest.raises(InvalidSeriesError, match="needs the events themselves"):
            ask(series)
    with pytest.raises(InvalidSeriesError, match="no good and bad events"):
        slo.count(Events(time=[1], duration_s=[1.0]))


def test_a_report_is_a_sequence() -> None:
    """Statuses by position, by slice and by name; a wrong name is told the nearest."""
    slos = [SLO(name, target="90%", window="1h", sli=eb.RatioSLI()) for name in ("api", "web")]
    report = eb.evaluate(slos, Events(time=[1], good=[True]))
    assert len(report) == 2
    assert report["web"] is report[1]
    assert [status.name for status in report[:1]] == ["api"]
    assert [status.name for status in report] == ["api", "web"]
    with pytest.raises(InvalidInputError, match='did you mean "api"'):
        report["apo"]


@pytest.mark.parametrize(
    ("slos", "message"),
    [
        ([], "no SLOs"),
        (iter(()), "no SLOs"),
        ([5], "an SLO was asked for, got 5"),
        ("api", "an SLO was asked for"),
        (5, "an SLO was asked for"),
        (None, "an SLO was asked for"),
    ],
)
def test_evaluate_asks_for_slos(slos: object, message: str) -> None:
    """What is no SLO is refused by name."""
    with pytest.raises(InvalidInputError, match=message):
        eb.evaluate(slos, Events(time=[1], good=[True]))


def test_names_must_differ() -> None:
    """Two SLOs of one name could not be told apart in a report."""
    slo = SLO("api", target="90%", window="1h", sli=eb.RatioSLI())
    with pytest.raises(InvalidInputError, match="two SLOs"):
        eb.evaluate([slo, slo], Events(time=[1], good=[True]))


def test_no_events_and_no_instant_is_no_question() -> None:
    """Without events there is no last one to judge at."""
    slo = SLO("api", target="90%", window="1h", sli=eb.RatioSLI())
    empty = Events(time=[], good=[])
    with pytest.raises(NoDataError, match="give at="):
        slo.evaluate(empty)
    with pytest.raises(NoDataError, match="give start="):
        slo.history(empty)
    assert slo.evaluate(slo.count(empty), at=0).state == "no_data"


@pytest.mark.parametrize("data", [None, 5, "abc", [1], {}, object(), Events, np.array([1])])
def test_data_that_cannot_answer_is_refused(data: object) -> None:
    """What is neither events, counts nor tracker is named, with the cure."""
    slo = SLO("api", target="90%", window="1h", sli=eb.RatioSLI())
    for ask in (slo.evaluate, slo.history, slo.count, slo.compare_methods):
        with pytest.raises(InvalidInputError, match=r"Events\.from_frame"):
            ask(data)


def test_a_report_to_the_letter() -> None:
    """Met, missed, a threshold, and nothing at all: a row each, and how many missed."""
    events = Events(
        time=np.arange(1, 10_001),
        good=np.arange(10_000) >= 101,
        duration_s=np.full(10_000, 0.5),
        labels={"route": ["/a"] * 10_000},
    )
    share = {"target": "99%", "window": "1h", "sli": eb.RatioSLI()}
    slos = [
        SLO("near", **share),
        SLO("p95", window="1h", sli=eb.LatencyQuantile({"p95": "1s"})),
        SLO("gone", **{**share, "sli": eb.RatioSLI(where={"route": "/b"})}),
        SLO("spent", **{**share, "target": "99.999%"}),
    ]
    report = eb.evaluate(slos, events, at=1_000_000)
    assert report._card().text().splitlines() == [
        "4 SLOs at 1970-01-01T00:00:00.001Z: 2 missed",
        "SLO      state       SLI   target   budget left       tier                alerts",
        "near    missed  98.9900%      99%        -1.00%  exhausted           ticket-slow",
        "p95        met         -        -             -          -                  none",
        "gone   no data         -      99%             -          -                  none",
        "spent   missed  98.9900%  99.999%  -100,900.00%  exhausted  page-fast, page-slow",
    ]
    assert (report._card().state, report._card().tone) == ("2 missed", "bad")
    fine = eb.evaluate(slos[:1], events.take(slice(101, None)), at=1_000_000)._card()
    assert (fine.title, fine.state, fine.tone) == ("1 SLOs at 1970-01-01T00:00:00.001Z", "", "")
    assert str(report).splitlines() == [str(status) for status in report]
    assert report.to_dict()["at"] == "1970-01-01T00:00:00.001Z"
    message = 'no SLO "nere" in this report; there are near, p95, gone, spent; did you mean "near"?'
    with pytest.raises(InvalidInputError) as caught:
        report["nere"]
    assert str(caught.value) == message


def test_a_report_keeps_to_the_side_of_its_bounds() -> None:
    """One event of ten million decides, in the share and in what is left."""
    slo = SLO("x", target="99%", window="1h", sli=eb.RatioSLI())
    for bad, share, left in ((100_001, "98.99999%", "-0.001%"), (49_999, "99.5000%", "50.001%")):
        series = eb.CountSeries([60], [10**7 - bad], [10**7], 60)
        assert eb.evaluate(slo, series)._card().rows[0][2:5] == (share, "99%", left)


@pytest.mark.parametrize(
    ("window", "times", "judged_by", "allowed"),
    [
        # (100, 200], the first at its open start: one under 50 %, one under 90 %
        ("100ns", [100, 120, 160], "event", Fraction(6, 10)),
        ("100ns", [100, 120, 160], "now", Fraction(2, 10)),
        ("day", [0, 50, 150], "event", Fraction(11, 10)),
        ("day", [0, 50, 150], "now", Fraction(3, 10)),
        ("50ns", [151, 160], "event", Fraction(2, 10)),
        ("49ns", [160, 170], "event", Fraction(2, 10)),
    ],
)
def test_what_is_allowed_where_the_target_changed(
    window: str, times: list[int], judged_by: str, allowed: Fraction
) -> None:
    """Each event of the window, and no other, under the target of its own time."""
    schedule = eb.TargetSchedule({0: "50%", 150: "90%"}, judge_by=judged_by)  # type: ignore[arg-type]
    slo = SLO("x", target=schedule, window=window, sli=eb.RatioSLI(), burn_windows=())
    slo = slo.replace(alerts=eb.AlertPolicy("none", ()))
    status = slo.evaluate(Events(time=times, good=[True] * len(times)), at=200)
    assert status.budget is not None
    assert status.budget.allowed_exact == allowed
    nothing = slo.evaluate(Events(time=[], good=[]), at=200)
    assert nothing.budget is not None
    assert nothing.budget.error == Fraction(1, 10)


def test_a_burn_rate_is_against_what_was_allowed_in_its_own_window() -> None:
    """One bad of two, one of them under 50 % and one under 90 %; the event at the start is out."""
    schedule = eb.TargetSchedule({0: "50%", 150: "90%"}, judge_by="event")
    slo = SLO("x", target=schedule, window="1us", sli=eb.RatioSLI(), burn_windows=["100ns"])
    slo = slo.replace(alerts=eb.AlertPolicy("none", ()))
    events = Events(time=[100, 120, 160], good=[False, False, True])
    assert dict(slo.evaluate(events, at=200).burn) == {100: Fraction(5, 3)}


@pytest.mark.parametrize(
    ("hold", "before_s"), [("30s", [30]), ("90s", [90, 30]), ("3m", [180, 120, 60]), (0, None)]
)
def test_a_condition_is_looked_at_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, hold: Any, before_s: list[int] | None
) -> None:
    """From the beginning of its hold on; one that waits for nothing is not looked at before."""
    seen = []
    real = evaluation._burn

    def burn(slo: SLO, series: Any, at_ns: int) -> Any:
        seen.append(at_ns)
        return real(slo, series, at_ns)

    monkeypatch.setattr(evaluation, "_burn", burn)
    alert = eb.BurnAlert("held", "page", "10%", "1h", hold=hold)
    slo = SLO("x", target="90%", window="1d", sli=eb.RatioSLI())
    slo = slo.replace(alerts=eb.AlertPolicy("one", [alert]))
    at = 1_440 * strategies.MINUTE
    events = Events(time=at - np.arange(600) * 10**9, good=np.zeros(600, dtype=bool))
    state = slo.evaluate(events, at=at).alerts[0].state
    assert seen[0] == at
    assert [(at - instant) // 10**9 for instant in seen[1:]] == (before_s or [])
    assert state == "firing"
    seen.clear()
    quiet = slo.evaluate(Events(time=events.time, good=~events.good), at=at)  # type: ignore[operator]
    assert (quiet.alerts[0].state, seen) == ("inactive", [at])


@pytest.mark.parametrize(("window", "left_out"), [("100ns", 2), ("day", 3)])
def test_what_took_no_part_is_said_once(window: str, left_out: int) -> None:
    """Within the window and at its end, at its start only where that belongs to it."""
    status = [None, 200, None, None, None, 200]
    events = Events(time=[0, 10, 50, 100, 101, 110], status=status, labels={"route": ["/a"] * 6})
    sli = eb.Availability(where={"route": "/a"})
    slo = SLO("x", target="90%", window=window, sli=sli)
    found = slo.evaluate(events, at=100)
    assert found.left_out == left_out
    said = f"{left_out} events without status took no part: they are neither good nor bad"
    assert said in found.warnings
    both = slo.replace(sli=eb.RatioSLI(good=eb.Latency("1s").good_when & sli.good_when))
    slow = Events(time=[1], status=[None], duration_s=[np.nan])
    assert "1 events without duration_s, status took no part" in str(
        both.evaluate(slow, at=100).warnings
    )


def test_a_threshold_is_measured_in_its_own_window() -> None:
    """Its counts, its share observed and what lacks a value are those of (t - w, t]."""
    duration = [0.9, 0.1, np.nan, 0.2, 0.8]
    events = Events(time=[0, 10, 20, 100, 101], duration_s=duration)
    slo = SLO("p", window="100ns", sli=eb.LatencyQuantile({"p100": "500ms"}))
    status = slo.evaluate(events, at=100)
    assert (status.counts.total, status.left_out, status.coverage) == (2, 1, 1)
    assert (status.measurements[0].value, status.state) == (0.2, "met")
    assert slo.evaluate(events, at=150).coverage == 0.51
    fresh = SLO("f", window="100ns", sli=eb.Freshness("10ns")).evaluate(events, at=150)
    assert (fresh.coverage, fresh.measurements[0].value) == (1, 49e-9)


def test_the_instant_is_the_end_of_the_data_unless_it_is_given() -> None:
    """For events the last one, for counts the end of the last bin."""
    slo = SLO("x", target="90%", window="1h", sli=eb.RatioSLI())
    assert slo.evaluate(Events(time=[3, 7], good=[True, True])).at_ns == 7
    assert slo.evaluate(eb.CountSeries([60, 120], [1, 1], [1, 1], 60)).at_ns == 120
    assert slo.evaluate(eb.CountSeries([60], [1], [1], 60, "left"), at=500).at_ns == 500
    events = Events(time=[3, 7], good=[True, True])
    status = evaluation.evaluate_series(slo, judge(slo, events, until_ns=7).series, at_ns=7)
    assert (status.left_out, status.counts) == (0, Counts(2, 0))
    report = eb.evaluate([slo, slo.replace(name="y")], events)
    assert (report.at_ns, [status.at_ns for status in report]) == (7, [7, 7])


def test_the_latest_end_of_several() -> None:
    """What is empty has none, and nothing but empty data leaves nothing to judge."""
    assert instant_of(None, [(0, 5), None, (3, 9), (1, 2)]) == 9
    assert instant_of(4, [(0, 9)]) == 4
    for spans in ([], [None]):
        with pytest.raises(NoDataError, match="no instant to judge"):
            instant_of(None, spans)
