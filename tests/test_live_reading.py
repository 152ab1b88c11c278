"""Every window of a tracker holds the buckets that it should, to the bucket and to the event."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import InvalidWindowError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.reading import Reading, burns, figures

MINUTE = 60 * 10**9
NOON = 1_772_366_400_000_000_000
QUIET = eb.AlertPolicy("none", [])
API = eb.SLO(
    "api", target="99%", window="10m", sli=eb.Availability(), alerts=QUIET, burn_windows=["1m"]
)


def fed(slo: eb.SLO, now_ns: int, *, minutes: int = 12, bad: int = 0) -> Tracker:
    """2**k good events, and some bad ones, in the middle of the minute k minutes ago."""
    tracker = Tracker(slo, clock=ManualClock(now_ns), late="1h", horizon="2d")
    for k in range(minutes):
        good = np.arange(2**k + bad) < 2**k
        at = now_ns // MINUTE * MINUTE - k * MINUTE - (0 if now_ns % MINUTE else MINUTE // 2)
        tracker.record_many(good=good, at=np.full(len(good), at + now_ns % MINUTE))
    return tracker


def buckets(minutes: int) -> int:
    """The good events of the last so many minutes."""
    return int(2**minutes - 1)


def test_a_window_holds_the_open_bucket_and_those_before() -> None:
    """A window that is no whole number of buckets is rounded up, and only then."""
    for now in (NOON, NOON + MINUTE // 2):
        tracker = fed(API.replace(burn_windows=["1m", "90s", "2m"]), now)
        assert [tracker.counts(window=window).good for window in ("1m", "61s", "2m", "3m")] == [
            buckets(minutes) for minutes in (1, 2, 2, 3)
        ]
        assert tracker.counts().good == buckets(10)
        odd = API.replace(window="9m30s", burn_windows=["90s"])
        assert tracker.evaluate(odd).counts.good == buckets(10)
        assert tracker.evaluate(odd, at=now - MINUTE).counts.good == buckets(11) - 1


def test_a_window_that_was_reset_begins_with_it() -> None:
    """A reset at the window's own start cuts nothing; one a nanosecond later begins its bucket."""
    now = NOON + MINUTE // 2
    start = now - 10 * MINUTE
    for reset, minutes in (
        (NOON - 2 * MINUTE, 3),
        (start, 10),
        (start + 1, 11),
        (start - 1, 10),
    ):
        slo = API.replace(resets=[eb.BudgetReset(reset, "agreed")])
        assert fed(slo, now).counts().good == buckets(minutes)


def test_a_calendar_window_begins_with_its_day() -> None:
    """Of the bucket at whose end the day begins nothing counts."""
    day = API.replace(window=eb.Calendar("day"))
    midnight = NOON + 720 * MINUTE
    tracker = fed(day, midnight + 5 * MINUTE // 2)
    assert tracker.counts().good == buckets(3)


def test_coverage_is_what_was_seen_of_the_window() -> None:
    """From the bucket in which the tracker began to the open one, at any instant."""
    tracker = Tracker(API, clock=ManualClock(NOON), horizon="1h")
    clock = tracker.clock
    assert isinstance(clock, ManualClock)
    clock.advance("30s")
    for minutes, share in (
        (0, 0.2),
        (2, 0.2),
        (9, 0.1),
        (12, 0.0),
        (-1, 0.1),
        (-2, 0.0),
        (-9, 0.0),
    ):
        assert tracker.evaluate(API, at=clock() + minutes * MINUTE).coverage == share
    cut = API.replace(resets=[eb.BudgetReset(NOON - 2 * MINUTE, "agreed")])
    assert tracker.evaluate(cut).coverage == 2 / 3
    day = API.replace(window=eb.Calendar("day"))
    tracker = Tracker(day, clock=clock)
    assert tracker.status().coverage == 1 / 721
    assert tracker.evaluate(day, at=NOON + 720 * MINUTE).coverage is None


def scheduled(*changes: tuple[int, str], judge_by: Any = "event") -> eb.SLO:
    """Targets from so many minutes before noon on."""
    starts = {NOON - back * MINUTE: target for back, target in changes}
    return API.replace(target=eb.TargetSchedule(starts, judge_by), burn_windows=["4m"])


def test_events_are_judged_by_the_target_of_their_bucket() -> None:
    """A change at a window's start has held for all of it, one at its end for none of it."""
    old, new = Fraction(1, 10), Fraction(1, 100)
    for back, expected, burning in (
        (3, 7 * new + 1_016 * old, 7 * new + 8 * old),
        (0, 1_023 * old, 15 * old),
        (10, 1_023 * new, 15 * new),
        (11, 1_023 * new, 15 * new),
    ):
        slo = scheduled((60, "90%"), (back, "99%"))
        tracker = fed(slo, NOON)
        read = tracker._read(tracker._feeds[0])
        assert read.error == expected / 1_023
        assert read.errors == [burning / 15]
        assert tracker.status().budget.allowed_exact == expected  # type: ignore[union-attr]
    slo = scheduled((60, "90%"), (5, "50%"), (3, "99%"))
    tracker = fed(slo, NOON)
    error = tracker._read(tracker._feeds[0]).error
    assert error * 1_023 == 7 * new + 24 * Fraction(1, 2) + 992 * old


def test_without_events_the_newest_target_is_told() -> None:
    """Also where some stretches hold events and others none."""
    slo = scheduled((60, "90%"), (3, "99%"), (2, "95%"))
    tracker = fed(slo, NOON, minutes=0)
    assert tracker._read(tracker._feeds[0]).error == Fraction(1, 20)
    tracker = fed(slo, NOON, minutes=1)
    assert tracker._read(tracker._feeds[0]).error == Fraction(1, 20)
    tracker.record(good=True, at=NOON - 7 * MINUTE // 2)
    assert tracker._read(tracker._feeds[0]).error == Fraction(3, 40)


def test_judged_by_the_target_of_now() -> None:
    """One target for all of the window: that of its end, which may begin just then."""
    slo = scheduled((60, "90%"), (0, "99%"), judge_by="now")
    tracker = fed(slo, NOON)
    assert tracker._read(tracker._feeds[0]).error == Fraction(1, 100)
    assert tracker.evaluate(slo, at=NOON - MINUTE).budget.error == Fraction(1, 10)  # type: ignore[union-attr]


HELD = eb.BurnAlert("held", "page", "10%", "1m", hold="3m")
"""Of an SLO over five minutes: a burn rate of more than one half."""


def test_an_alert_whose_condition_broke_waits_again() -> None:
    """It is seen at every minute of its hold, not at the first and the last alone."""
    quick = eb.BurnAlert("quick", "page", "10%", "90s", "1m")
    short = eb.BurnAlert("short", "page", "10%", "1m", hold="90s")
    slo = API.replace(
        target="90%", window="5m", alerts=eb.AlertPolicy("all", [HELD, quick, short], inhibit=[])
    )
    for quiet, states in (
        (None, ["firing", "firing", "firing"]),
        (3, ["pending", "firing", "firing"]),
        (2, ["pending", "firing", "firing"]),
        (1, ["pending", "firing", "pending"]),
        (0, ["inactive", "inactive", "inactive"]),
    ):
        tracker = Tracker(slo, clock=ManualClock(NOON), late="1h")
        for back in range(10):
            tracker.record(good=back == quiet, at=NOON - back * MINUTE)
        for status in (tracker.status(), tracker.evaluate(slo.replace(name="other"))):
            assert [alert.state for alert in status.alerts] == states


def test_a_condition_is_held_against_the_target_of_its_time() -> None:
    """A target that changes at the end of a window does not judge it."""
    moved = eb.TargetSchedule({NOON - 60 * MINUTE: "95%", NOON: "50%"})
    slo = API.replace(target=moved, window="5m", alerts=eb.AlertPolicy("one", [HELD]))
    tracker = Tracker(slo, clock=ManualClock(NOON), late="1h")
    for back in range(10):
        tracker.record_many(good=np.arange(20) > 0, at=np.full(20, NOON - back * MINUTE))
    assert tracker.status().alerts[0].state == "firing"


def test_alerts_that_only_the_question_has_are_waited_for() -> None:
    """An objective asked about may have others than the tracked one, which has none that wait."""
    tracker = Tracker(API.replace(target="90%"), clock=ManualClock(NOON), late="1h")
    for back in range(10):
        tracker.record(good=False, at=NOON - back * MINUTE)
    asked = API.replace(target="90%", alerts=eb.AlertPolicy("one", [HELD]))
    assert [alert.state for alert in tracker.evaluate(asked).alerts] == ["firing"]


def test_a_condition_that_is_not_met_is_not_looked_for_in_the_past() -> None:
    """So an alert that would have to hold for longer than is remembered can be asked about."""
    clock = ManualClock(NOON)
    tracker = Tracker(API, clock=clock)
    clock.advance("2h")
    tracker.record(good=True)
    alert = eb.BurnAlert("long", "page", "10%", "1m", hold="1h")
    asked = API.replace(alerts=eb.AlertPolicy("one", [alert]))
    assert [found.state for found in tracker.evaluate(asked).alerts] == ["inactive"]
    tracker.record(good=False)
    with pytest.raises(InvalidWindowError, match="give it a longer horizon"):
        tracker.evaluate(asked)


def test_burning_is_strict_and_exact() -> None:
    """On the line nothing burns; one event beyond it does, in every window; floats are exact."""
    error, line = Fraction(3, 1_000), Fraction(72, 5)
    on, over = (4_784, 216), (4_783, 217)
    assert not burns([on], [error], line)
    assert burns([over], [error], line)
    assert burns([over, over], [error, error], line)
    assert not burns([over, on], [error, error], line)
    assert not burns([(0, 0)], [error], line)
    for good, bad in ((0.1, 0.2), (0.1, 1), (3, 0.1)):
        share = Fraction(bad) / (Fraction(good) + Fraction(bad))
        nearly = share - Fraction(1, 2**200)
        assert not burns([(good, bad)], [share], Fraction(1))
        assert burns([(good, bad)], [nearly], Fraction(1))


def sliced(**given: Any) -> eb.SLO:
    return eb.SLO(
        "api",
        target="90%",
        window="5m",
        sli=eb.Availability(),
        method=eb.Timeslices("1m", "60%"),
        **{"alerts": QUIET, "burn_windows": ["1m"], **given},
    )


def test_a_slice_that_is_just_over_may_still_change() -> None:
    """At its very end what comes belongs to it; after that it stands, and is told as of now."""
    slo, clock = sliced(), ManualClock(NOON)
    tracker = Tracker(slo, clock=clock)
    assert tracker.status().counts.total == 0
    tracker.record(good=True)
    assert tracker.status().counts == eb.Counts(good=1, bad=0)
    tracker.record(good=False)
    assert tracker.status().counts == eb.Counts(good=0, bad=1)
    assert tracker.status().burn_rates == {"1m": 10.0}
    clock.now_ns += 1
    tracker.record(good=True)
    assert tracker.status().left_out == 0
    tracker.record(route="/")
    status = tracker.status()
    assert (status.counts, status.at_ns, status.left_out) == (eb.Counts(0, 1), NOON + 1, 1)
    assert tracker.evaluate(slo.replace(target="50%")).budget.error == Fraction(1, 2)  # type: ignore[union-attr]
    assert tracker.status().budget.error == Fraction(1, 10)  # type: ignore[union-attr]
    clock.advance("1m")
    assert tracker.status().counts == eb.Counts(good=1, bad=1)
    assert tracker.status().burn_rates == {"1m": 0.0}
    tracker.record(good=True, at=NOON)
    tracker.record(good=True, at=NOON)
    assert tracker.status().counts == eb.Counts(good=2, bad=0)
    assert tracker.evaluate(slo, at=NOON + 1).counts == eb.Counts(good=1, bad=0)


def test_what_was_counted_of_slices_is_kept_until_a_bucket_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within a bucket slices are counted once, whatever comes and however often one asks."""
    from errorbudget.live import reading

    counted: list[int] = []
    count_slices = reading._count_slices
    monkeypatch.setattr(
        reading, "_count_slices", lambda *of: counted.append(1) or count_slices(*of)
    )
    clock = ManualClock(NOON + 1)
    tracker = Tracker(sliced(), clock=clock)
    for _ in range(3):
        tracker.record(good=True)
        tracker.status()
        clock.now_ns += 1
    assert len(counted) == 1
    clock.advance("1m")
    tracker.status()
    assert len(counted) == 2


def test_alerts_of_slices_wait_as_well() -> None:
    """One of two waits: the other does not."""
    quick = eb.BurnAlert("quick", "page", "10%", "1m")
    policy = eb.AlertPolicy("both", [HELD, quick], inhibit=[])
    tracker = Tracker(sliced(alerts=policy), clock=ManualClock(NOON), late="1h")
    for back in range(10):
        tracker.record(good=False, at=NOON - back * MINUTE)
    assert [alert.state for alert in tracker.status().alerts] == ["firing", "firing"]
    tracker = Tracker(sliced(alerts=policy), clock=ManualClock(NOON), late="1h")
    tracker.record(good=False)
    assert [alert.state for alert in tracker.status().alerts] == ["pending", "firing"]


def read(own: Any, error: Fraction, *pairs: Any) -> Reading:
    return Reading(API, NOON, own, error, pairs, [error] * len(pairs), None, 1.0, 0)


def test_figures_are_the_nearest_floats() -> None:
    """Of whole numbers and of fractions, with a budget and without one."""
    tenth = Fraction(1, 10)
    found = figures(read((90, 3), tenth, (90, 3), (0, 0), (1, 1)), ("1h", "6h", "1d"))
    assert (found.good, found.bad, found.sli) == (90, 3, 90 / 93)
    assert (found.remaining_ratio, found.tier) == (float(1 - Fraction(30, 93)), "healthy")
    assert found.burn_rates == {"1h": 30 / 93, "6h": None, "1d": 5.0}
    found = figures(read((90, 3), Fraction(3, 50), (90, 3)), ("1h",))
    assert (found.remaining_ratio, found.burn_rates) == (float(Fraction(43, 93)), {"1h": 50 / 93})
    found = figures(read((90, 18), tenth, (0.1, 0.2), (1, 0.2)), ("1h", "6h"))
    assert (found.remaining_ratio, found.tier) == (float(Fraction(-2, 3)), "exhausted")
    assert found.burn_rates == {
        "1h": float(Fraction(0.2) / (Fraction(0.1) + Fraction(0.2)) * 10),
        "6h": float(Fraction(0.2) / (1 + Fraction(0.2)) * 10),
    }
    found = figures(read((0, 0), tenth, (1, 0)), ("1h",))
    assert found == (0, 0, None, None, {"1h": 0.0}, None)


def test_figures_of_a_target_of_100_percent() -> None:
    """Its budget is whole or spent without end, and so is what burns."""
    nothing = Fraction(0)
    found = figures(read((5, 0), nothing, (5, 0), (0, 0)), ("1h", "6h"))
    assert found == (5, 0, 1.0, 1.0, {"1h": 0.0, "6h": None}, "healthy")
    found = figures(read((4, 1), nothing, (4, 1)), ("1h",))
    assert found == (4, 1, 0.8, -inf, {"1h": inf}, "exhausted")


def test_figures_by_window_have_that_window_s_target() -> None:
    """Where the target changed, windows allow different shares."""
    one, two = Fraction(1, 10), Fraction(1, 5)
    mixed = Reading(API, NOON, (8, 2), one, [(8, 2), (8, 2)], [one, two], None, 1.0, 0)
    assert figures(mixed, ("1h", "6h")).burn_rates == {"1h": 2.0, "6h": 1.0}


@pytest.mark.parametrize(("window", "labels"), [("10m", [-1, 0]), (eb.Calendar("day"), [-1, 0])])
def test_the_counts_that_are_remembered(window: Any, labels: list[int]) -> None:
    """A bucket is labelled by the end that belongs to it."""
    tracker = Tracker(API.replace(window=window), clock=ManualClock(NOON))
    tracker.record(good=False, at=NOON - MINUTE)
    tracker.record(good=True, at=NOON - MINUTE)
    tracker.record(good=True)
    series = tracker.count(tracker.slos[0])
    assert ((series.label_ns - NOON) // MINUTE).tolist() == labels
    assert (series.good.tolist(), series.total.tolist()) == ([1, 1], [2, 1])
