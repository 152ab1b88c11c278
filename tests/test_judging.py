"""What an SLO sees of events: predicates, corrections and slices, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget import SLO, Counts, Events, Maintenance, RatioSLI, RatioTimeslices, Timeslices
from errorbudget.corrections import corrected_counts
from errorbudget.errors import InvalidSeriesError
from errorbudget.judging import count_events, judge
from errorbudget.windows import Interval
from tests import oracles, strategies

MINUTE = strategies.MINUTE


@given(strategies.ratio_slos(methods=st.just("occurrences")), strategies.event_dicts())
def test_every_event_is_good_bad_left_out_or_elsewhere(
    slo: SLO, rows: list[dict[str, Any]]
) -> None:
    """Counted one by one, over all time."""
    verdicts = [oracles.judged(slo, row) for row in rows]
    judged = judge(slo, strategies.to_events(rows), until_ns=strategies.BASE)
    good, total = judged.series.cumulative(np.array([2**62]))
    assert good[0] == verdicts.count(True)
    assert total[0] == verdicts.count(True) + verdicts.count(False)
    assert judged.left_out == verdicts.count("unknown")
    unknown = [row["time"] for row, v in zip(rows, verdicts, strict=True) if v == "unknown"]
    assert judged.left_out_ns.tolist() == sorted(unknown)


@given(strategies.event_dicts(), strategies.corrections)
def test_corrections_are_those_of_the_plain_path(
    rows: list[dict[str, Any]], corrections: list[Maintenance]
) -> None:
    """Columns and `corrections.corrected_counts` agree."""
    slo = SLO("x", target="90%", window="1d", sli=RatioSLI(), corrections=corrections)
    at = strategies.BASE + 90 * MINUTE
    interval = Interval(at - 1_440 * MINUTE, at, "right")
    times, good = [row["time"] for row in rows], [row["good"] for row in rows]
    want = corrected_counts(times, good, corrections, interval)
    assert slo.evaluate(strategies.to_events(rows), at=at).counts == want


def test_maintenance_comes_afterwards() -> None:
    """Added after the fact it changes the answer, taken back it leaves no trace."""
    slo = SLO("x", target="90%", window="1h", sli=RatioSLI())
    events = Events(time=[1, 2, 3, 4], good=[True, False, False, True])
    before = slo.evaluate(events)
    out = slo.replace(corrections=[Maintenance(2, 4)])
    forgiven = slo.replace(corrections=[{"start": 2, "end": 4, "treat": "good"}])
    assert before.counts == Counts(2, 2)
    assert out.evaluate(events).counts == Counts(2, 0)
    assert forgiven.evaluate(events).counts == Counts(4, 0)
    assert out.replace(corrections=()).evaluate(events) == before


def test_recurring_maintenance() -> None:
    """Repeated maintenance is left out each time, in its own zone."""
    pytest.importorskip("dateutil")
    nightly = Maintenance.recurring("FREQ=DAILY", start="1970-01-01 02:00", duration="1h")
    hour = 3_600 * 10**9
    slo = SLO("x", target="90%", window="30d", sli=RatioSLI(), corrections=[nightly])
    events = Events(time=np.arange(0, 72) * hour, good=[False] * 72)
    assert slo.evaluate(events).counts == Counts(0, 69)


def test_what_has_no_counts() -> None:
    """A missing column is named; a threshold has nothing to count."""
    slo = SLO("x", target="90%", window="1h", sli=eb.Availability())
    with pytest.raises(InvalidSeriesError, match='no column "status"; there are time, good'):
        slo.evaluate(Events(time=[1], good=[True]))
    p95 = SLO("x", window="1h", sli=eb.LatencyQuantile({"p95": "1s"}))
    with pytest.raises(InvalidSeriesError, match="no good and bad events to count"):
        count_events(p95, Events(time=[1]))
    sliced = SLO("x", target="90%", window="1h", sli=RatioSLI(), method=Timeslices("1m"))
    with pytest.raises(InvalidSeriesError, match="do not add up"):
        sliced.evaluate(eb.CountSeries([420 * 10**9], [1], [1], "7m"))


@pytest.mark.parametrize("method", [Timeslices("1m", "50%"), RatioTimeslices("1m")])
def test_gaps_of_counters_reach_the_slices(method: Any) -> None:
    """Bins that were not observed are missing from the coverage of their slices too."""
    slo = SLO("x", target="90%", window="4m", sli=RatioSLI(), method=method, min_coverage=0.9)
    labels = np.arange(1, 9) * 30 * 10**9
    seen = np.array([True] * 4 + [False] * 2 + [True] * 2)
    series = eb.CountSeries(labels, np.ones(8, int), np.ones(8, int), "30s", observed=seen)
    status = slo.evaluate(series)
    assert status.counts.total == 4
    assert status.coverage == 0.75
    assert "only 75.0%" in status.warnings[0]


EMPTY_IN_UPKEEP = [
    (eb.Availability(), Timeslices("1m", no_data="bad")),
    (eb.Availability(), RatioTimeslices("1m", no_data="bad")),
    (eb.LatencyQuantile({"p95": "1s"}), Timeslices("1m", no_data="bad")),
    (eb.Concurrency(5), Timeslices("1m", no_data="bad")),
]


@pytest.mark.parametrize(("sli", "method"), EMPTY_IN_UPKEEP)
@pytest.mark.parametrize(("treat", "units"), [("exclude", 50), ("good", 60)])
def test_empty_slices_in_maintenance(sli: Any, method: Any, treat: Any, units: int) -> None:
    """Silence that was agreed on is no bad slice, whatever silence is otherwise."""
    time = (np.arange(3_600) + 1) * 10**9
    time = time[(time <= 20 * MINUTE) | (time > 30 * MINUTE)]
    events = Events(
        time=time,
        status=np.full(len(time), 200),
        duration_s=np.full(len(time), 0.1),
        values={"connections": np.full(len(time), 9.0)},
    )
    slo = SLO("x", target="100%", window="1h", sli=sli, method=method, min_coverage=0)
    assert slo.evaluate(events, at=60 * MINUTE).counts == Counts(50, 10)
    upkeep = slo.replace(corrections=[Maintenance(20 * MINUTE, 30 * MINUTE, treat)])
    status = upkeep.evaluate(events, at=60 * MINUTE)
    assert (status.counts, status.coverage) == (Counts(units, 0), units / 60)
    half = slo.replace(corrections=[Maintenance(20 * MINUTE, 29 * MINUTE + 30 * 10**9, treat)])
    assert half.evaluate(events, at=60 * MINUTE).counts == Counts(units - (treat == "good"), 1)


def test_maintenance_excluded_and_forgiven_within_one_slice() -> None:
    """What is left of it after exclusion is forgiven, so it is good."""
    corrections = [Maintenance(MINUTE, 90 * 10**9), Maintenance(MINUTE, 2 * MINUTE, "good")]
    slo = SLO("x", target="90%", window="1h", sli=RatioSLI(), corrections=corrections)
    sliced = slo.replace(method=Timeslices("1m", no_data="bad"), min_coverage=0)
    events = Events(time=[1, 3 * MINUTE], good=[True, True])
    assert sliced.evaluate(events).counts == Counts(3, 0)


def test_counts_keep_maintenance_in_mind() -> None:
    """Slices of counts are those of the events that were counted."""
    corrections = [Maintenance(MINUTE, 3 * MINUTE)]
    slo = SLO("x", target="90%", window="1h", sli=RatioSLI(), corrections=corrections)
    sliced = slo.replace(method=Timeslices("1m", no_data="bad"), min_coverage=0)
    events = Events(time=[1, 5 * MINUTE], good=[True, True])
    assert sliced.evaluate(events).counts == Counts(2, 1)
    assert sliced.evaluate(slo.count(events)).counts == Counts(2, 1)


@pytest.mark.parametrize(("window", "labels"), [("1h", [60, 120]), (eb.Calendar("day"), [60, 120])])
def test_slices_are_closed_as_their_window_is(window: Any, labels: list[int]) -> None:
    """An event between two minutes is in the earlier one, or, of a calendar's, in the later."""
    closed = "right" if window == "1h" else "left"
    slo = SLO("x", target="90%", window=window, sli=RatioSLI())
    events = Events(time=[MINUTE, 2 * MINUTE], good=[True, False])
    counts = count_events(slo, events)
    assert (counts.closed, counts.label_ns.tolist()) == (closed, [at * 10**9 for at in labels])
    assert (counts.good.tolist(), counts.total.tolist()) == ([1, 0], [1, 1])
    sliced = slo.replace(method=Timeslices("1m"))
    judged = judge(sliced, events, until_ns=3 * MINUTE)
    assert isinstance(judged.series, eb.CountSeries)
    assert judged.series.closed == closed
    assert judged.series.good.tolist() == [1, 0, *([0] if closed == "right" else [])]


def test_maintenance_of_the_first_and_of_the_last_instant() -> None:
    """One nanosecond is enough to take out an event, or to forgive it."""
    slo = SLO("x", target="90%", window="1h", sli=RatioSLI())
    events = Events(time=[10, 20, 30], good=[False, True, False])
    for start, good, bad in ((10, 1, 1), (30, 1, 1), (20, 0, 2), (9, 1, 2), (11, 1, 2), (31, 1, 2)):
        out = slo.replace(corrections=[Maintenance(start, start + 1)])
        assert out.evaluate(events).counts == Counts(good, bad)
        fine = slo.replace(corrections=[Maintenance(start, start + 1, "good")])
        forgiven = int(start in (10, 30))
        assert fine.evaluate(events).counts == Counts(1 + forgiven, 2 - forgiven)


def test_what_is_forgiven_is_still_ones_own() -> None:
    """An event of another route lacks nothing, in maintenance neither."""
    sli = eb.Availability(where={"route": "/a"})
    upkeep = Maintenance(1, 10, "good")
    slo = SLO("x", target="90%", window="1h", sli=sli, corrections=[upkeep])
    events = Events(time=[1, 2], status=[200, 500], labels={"route": ["/a", "/b"]})
    status = slo.evaluate(events)
    assert (status.counts, status.left_out) == (Counts(1, 0), 0)


def test_maintenance_between_two_updates_and_after_the_last() -> None:
    """Fresh for a minute after each; ten seconds of it are excluded, then the last that are."""
    second = 10**9
    slo = SLO("x", target="90%", window="1h", sli=eb.Freshness("1m"))
    for start, at, good, total in ((10, 200, 110, 190), (210, 300, 120, 290), (105, 115, 65, 105)):
        upkeep = Maintenance(start * second, (start + 10) * second)
        kept = slo.replace(corrections=[upkeep])
        counts = kept.evaluate(Events(time=[0, 100 * second]), at=at * second).counts
        assert (counts.good, counts.total) == (good * second, total * second)
    one = slo.replace(corrections=[Maintenance(10 * second, 20 * second)])
    counts = one.evaluate(Events(time=[0]), at=60 * second).counts
    assert (counts.good, counts.total) == (50 * second, 50 * second)


def test_maintenance_behind_the_data() -> None:
    """Silence is excused after the last event as before it."""
    corrections = [Maintenance(3 * MINUTE, 4 * MINUTE)]
    slo = SLO("x", target="90%", window="1h", sli=RatioSLI(), corrections=corrections)
    events = Events(time=[1, 2 * MINUTE], good=[True, True])
    for method in (Timeslices("1m", no_data="bad"), RatioTimeslices("1m", no_data="bad")):
        sliced = slo.replace(method=method, min_coverage=0)
        for data in (events, slo.count(events)):
            assert sliced.evaluate(data, at=5 * MINUTE).counts == Counts(2, 2)
