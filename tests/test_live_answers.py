"""What a tracker is asked goes to the right buckets, and what it says is a plain status."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.live import ManualClock, Tracker

MINUTE = 60 * 10**9
NOON = 1_772_366_400_000_000_000
API = eb.SLO("api", target="99%", window="30d", sli=eb.Availability())
HOUR = eb.SLO("hour", target="99%", window="1h", sli=eb.Availability())
FAST = eb.SLO("fast", target="95%", window="7d", sli=eb.Latency("200ms"))


def fed(*slos: eb.SLO, resolution: str = "1m") -> Tracker:
    tracker = Tracker(slos, clock=ManualClock(NOON), late="2h", resolution=resolution)
    for half in range(200):
        tracker.record(good=half % 3 > 0, at=NOON - half * MINUTE // 2)
    return tracker


def test_a_question_goes_to_the_tracked_objective_that_is_meant() -> None:
    """The same one, or an equal one; else, of those that count alike, who remembers the longest."""
    tracker = fed(HOUR, FAST, API)
    hour, fast, month = tracker._feeds
    assert [tracker._feed_of(slo) for slo in (HOUR, FAST, API)] == [hour, fast, month]
    assert tracker._feed_of(dataclasses.replace(HOUR)) is hour
    assert tracker._feed_of(API.replace(target="90%")) is month
    assert tracker._feed_of(HOUR.replace(target="90%")) is month
    assert tracker._feed_of(FAST.replace(name="slow")) is fast
    assert tracker.evaluate(HOUR.replace(window="10d")).counts.total == 200
    day = HOUR.replace(window=eb.Calendar("day"))
    with pytest.raises(InvalidInputError) as caught:
        tracker.evaluate(day)
    assert str(caught.value).startswith(
        f'this tracker does not count what SLO "hour" asks for ({day.sli}); it has {HOUR}, {FAST}'
    )


def test_names_may_be_left_out_where_there_is_one() -> None:
    """Where there are two, the error names them."""
    assert fed(API).counts() == fed(API).counts("api")
    tracker = fed(HOUR, API)
    assert tracker.counts("api").total > tracker.counts("hour").total
    for name, message in (
        (None, "which SLO? this tracker has hour, api; give its name"),
        ("ape", 'no SLO "ape"'),
        ([], "no SLO"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            tracker.counts(name)  # type: ignore[arg-type]
        assert message in str(caught.value)


def test_counts_come_in_the_steps_that_are_asked_for() -> None:
    """By default minutes, whatever the buckets are; histories and comparisons from the buckets."""
    tracker = fed(API, resolution="30s")
    fine, minutes = tracker.count(API, step="30s"), tracker.count(API)
    assert (fine.step_ns, minutes.step_ns) == (MINUTE // 2, MINUTE)
    assert (len(fine), fine.total.tolist()) == (200, [1] * 200)
    assert minutes.total.tolist() == [2] * 100
    assert tracker.count(API, step="5m").total.sum() == 200
    within: Any = {"start": NOON - 10 * MINUTE, "end": NOON - MINUTE}
    for given in ({"step": "30s"}, {"step": "30s", **within}, within, {}):
        told, expected = (
            tracker.history(API, **given),
            fine.history(API, **({"step": "1m"} | given)),
        )
        assert told.time_ns.tolist() == expected.time_ns.tolist()
        assert told.total.tolist() == expected.total.tolist()
    for given in (
        {"slice": "30s"},
        {"slice": "5m", "slice_target": "50%", "no_data": "bad", "at": NOON + 30 * MINUTE},
        {},
    ):
        found = tracker.compare_methods(API, **given)
        assert found == fine.compare_methods(API, **({"slice": "1m"} | given))


def test_now_is_the_clock_s_unless_an_instant_is_given() -> None:
    """Names of windows are those of the objective that was asked about."""
    tracker = fed(API)
    assert tracker.evaluate(API).at_ns == NOON
    assert tracker.evaluate(API, at=NOON - 7 * MINUTE).at_ns == NOON - 7 * MINUTE
    odd = API.replace(burn_windows=["7m"], alerts=eb.AlertPolicy("none", []))
    assert tracker.evaluate(odd).burn_rates == {"7m": pytest.approx(100 * 5 / 14)}
    assert [status.at_ns for status in tracker.report()] == [NOON]


def test_a_status_is_worked_out_once() -> None:
    """What it stands for is a plain status, equal in every part and in none that differs."""
    tracker = fed(API)
    live, plain = tracker.status(), dataclasses.replace(tracker.status())
    assert type(plain) is eb.Status
    assert live.figures() is live.figures()  # type: ignore[attr-defined]
    assert live.budget is live.budget
    assert live == plain
    assert plain == live
    assert live != dataclasses.replace(plain, left_out=1)
    assert live != plain.counts
    assert repr(live) == repr(plain)
    assert live.name == "api"
    with pytest.raises(AttributeError) as caught:
        _ = live.bugdet  # type: ignore[attr-defined]
    assert str(caught.value) == "'Status' object has no attribute 'bugdet'"


def test_left_out_events_are_warned_of() -> None:
    """With how many; and without any there is no such warning."""
    tracker = Tracker(API.replace(min_coverage=0), clock=ManualClock(NOON))
    tracker.record_many(good=np.ones(1_000, dtype=bool))
    assert tracker.status().warnings == ()
    tracker.record_many(status=np.zeros(1_000, dtype=int))
    (warning,) = tracker.status().warnings
    assert warning == (
        "1,000 events since the start lacked what the indicator asks for: they are neither good "
        "nor bad"
    )
