"""A tracker answers as the rest of the library does, from any thread, in bounded memory."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import pickle
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.durations import format_duration
from errorbudget.errors import (
    InvalidInputError,
    InvalidSeriesError,
    InvalidTimeError,
    InvalidWindowError,
)
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.arrivals import Arrivals

MINUTE = 60 * 10**9
NOON = eb.Interval.between("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z").start_ns
API = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability())
FAST = eb.SLO("fast", target="95%", window="7d", sli=eb.Latency("200ms"))

batches = st.lists(
    st.tuples(st.integers(-3 * 60 * MINUTE, 0), st.sampled_from([200, 404, 500, 503, 0])),
    min_size=1,
    max_size=60,
)


WAITING = eb.AlertPolicy(
    "waiting",
    [
        eb.BurnAlert("fast", "page", "50%", "10m", "5m", hold="3m"),
        eb.BurnAlert("slow", "ticket", "90%", "1h", hold="30m"),
    ],
)
KINDS = {
    "plain": API,
    "waiting": API.replace(target="60%", window="1h", alerts=WAITING),
    "reset": API.replace(resets=[eb.BudgetReset(NOON - 40 * MINUTE, "agreed")]),
    "schedule": API.replace(
        target=eb.TargetSchedule({NOON - 600 * MINUTE: "99%", NOON - 30 * MINUTE: "90%"})
    ),
    "perfect": API.replace(target="100%"),
    "where": API.replace(
        sli=eb.RatioSLI(bad="5xx", valid=~eb.status_in("404"), exclude={"status": "503"})
    ),
    "odd windows": API.replace(burn_windows=["90s", "7m30s"]),
}


@pytest.mark.parametrize("slo", KINDS.values(), ids=KINDS)
@given(batch=batches)
def test_at_the_end_of_a_bucket_it_says_what_events_and_counts_say(
    slo: eb.SLO, batch: list[tuple[int, int]]
) -> None:
    """Events, their counts per minute, and a tracker that saw them agree on every figure."""
    events = eb.Events(
        time=[NOON + back for back, _ in batch], status=[status for _, status in batch]
    )
    tracker = Tracker(slo, late="4h", clock=ManualClock(NOON))
    for time, status in zip(events.time.tolist(), events.status.tolist(), strict=True):
        tracker.record(status=status or None, at=time)
    live = slo.evaluate(tracker, at=NOON)
    counted = tracker.count(slo)
    binned = slo.evaluate(counted, at=NOON)
    assert live.counts == binned.counts
    assert live.burn == binned.burn
    assert live.alerts == binned.alerts
    assert live.budget == binned.budget
    plain = slo.evaluate(events, at=NOON)
    assert (live.tier, live.state, live.budget) == (plain.tier, plain.state, plain.budget)
    if slo.window.length_ns >= API.window.length_ns and not slo.resets:  # type: ignore[union-attr]
        assert live.left_out == plain.left_out  # a tracker counts them since its start
    if slo is not KINDS["odd windows"]:
        assert live.burn == plain.burn
        assert live.alerts == plain.alerts
    expected = events.count(slo, step="1m")
    filled = counted.total > 0
    assert counted.label_ns[filled].tolist() == expected.label_ns[expected.total > 0].tolist()
    assert counted.good[filled].tolist() == expected.good[expected.total > 0].tolist()
    assert live == dataclasses.replace(live) == pickle.loads(pickle.dumps(live))
    figures = tracker.figures()
    assert figures.burn_rates == {
        format_duration(window): None if rate is None else float(rate)
        for window, rate in live.burn.items()
    }
    assert (figures.good, figures.bad) == (live.counts.good, live.counts.bad)
    assert figures.remaining_ratio == live.budget.remaining_ratio  # type: ignore[union-attr]
    assert (figures.sli, figures.tier) == (plain.sli, plain.tier)


def test_figures_without_events_are_none() -> None:
    """No data is its own answer, in the cheap figures too."""
    figures = Tracker(API, clock=ManualClock(NOON)).figures()
    assert (figures.good, figures.bad, figures.remaining_ratio) == (0, 0, None)
    assert set(figures.burn_rates.values()) == {None}


@given(batches, st.booleans())
def test_one_by_one_and_all_at_once_are_the_same(
    batch: list[tuple[int, int]], calendar: bool
) -> None:
    """`record_many` is `record` many times."""
    slo = eb.SLO(
        "api",
        target="99%",
        window=eb.Calendar("month", zone="Europe/Berlin") if calendar else "30d",
        sli=eb.Availability(),
    )
    one, many = (Tracker(slo, clock=ManualClock(NOON + 1), late="2h") for _ in range(2))
    for back, status in batch:
        one.record(status=status, at=NOON + back)
    many.record_many(
        status=np.array([status for _, status in batch]),
        at=np.array([NOON + back for back, _ in batch]),
    )
    assert one.state().to_dict() == many.state().to_dict()


def test_one_call_feeds_every_slo_by_its_own_indicator() -> None:
    """A slow success is good for availability and bad for latency; a missing value is left out."""
    tracker = Tracker([API, FAST], clock=ManualClock(NOON))
    tracker.record(status=200, duration_s=0.3, route="/cart")
    tracker.record(status=503, duration_s=0.1)
    tracker.record(status=200)
    report = tracker.report()
    assert report["api"].counts == eb.Counts(good=2, bad=1)
    assert report["fast"].counts == eb.Counts(good=1, bad=1)
    assert tracker.left_out == {"api": 0, "fast": 1}
    assert "1 events since the start lacked" in report["fast"].warnings[0]
    assert eb.evaluate([API, FAST], tracker)["fast"].counts == report["fast"].counts
    tracker.record(good=True)
    assert tracker.counts("api").total == 4
    assert tracker.counts("fast").total == 3
    with pytest.raises(InvalidInputError, match="which SLO"):
        tracker.status()
    with pytest.raises(InvalidInputError, match='no SLO "apy"'):
        tracker.status("apy")


def test_a_batch_counts_whole_or_not_at_all() -> None:
    """A column that one SLO misses leaves the others' counts alone too."""
    tracker = Tracker([API, FAST], clock=ManualClock(NOON))
    with pytest.raises(InvalidSeriesError, match="duration_s"):
        tracker.record_many(status=[200, 503])
    assert tracker.report()["api"].counts.total == 0


def test_what_if_targets_are_answered_from_the_same_counts() -> None:
    """An SLO that differs in target or window only needs no tracker of its own."""
    tracker = Tracker(API, clock=ManualClock(NOON))
    tracker.record_many(good=np.arange(1_000) >= 5)
    stricter, shorter = API.variants(targets=["99.99%"], windows=["30d", "7d"])
    assert stricter.evaluate(tracker).budget.remaining_ratio == -49.0
    assert shorter.evaluate(tracker).counts == eb.Counts(good=995, bad=5)
    with pytest.raises(InvalidInputError, match="does not count"):
        FAST.evaluate(tracker)


@pytest.mark.parametrize(
    "method", [eb.Timeslices("5m", "95%"), eb.RatioTimeslices("5m")], ids=["slices", "ratios"]
)
def test_slices_are_judged_once_they_are_over(method: object) -> None:
    """Time slices come from the same buckets, and the open slice waits."""
    slo = eb.SLO("api", target="99%", window="1d", sli=eb.Availability(), method=method)  # type: ignore[arg-type]
    clock = ManualClock(NOON + 1)
    tracker = Tracker(slo, clock=clock)
    events = []
    for minute in range(17):
        for status in (200, 200, 503 if minute == 7 else 200):
            tracker.record(status=status)
            events.append((clock(), status))
        clock.advance("1m")
    plain = eb.Events(time=[time for time, _ in events], status=[status for _, status in events])
    live = tracker.status()
    assert live.counts == slo.evaluate(plain, at=clock()).counts
    assert live.counts.total == 3
    figures = tracker.figures()
    assert (figures.good, figures.bad) == (live.counts.good, live.counts.bad)
    assert figures.burn_rates == dataclasses.replace(live).burn_rates
    assert (figures.sli, figures.tier) == (live.sli, live.tier)
    tracker.record(status=503, at=clock() - 4 * MINUTE)  # late, into a slice that is over
    assert tracker.figures().bad > figures.bad
    assert tracker.status().counts.bad == tracker.figures().bad


def test_history_and_counts_come_from_what_is_remembered() -> None:
    """A tracker is data like any other: histories and comparisons are asked of it too."""
    clock = ManualClock(NOON + 1)
    tracker = Tracker(API, clock=clock)
    for _ in range(5):
        tracker.record_many(good=np.arange(100) > 0)
        clock.advance("1m")
    history = API.history(tracker, step="1m")
    assert history.total[-1] == 500
    assert API.count(tracker, step="5m").total.sum() == 500
    assert API.compare_methods(tracker, slice="1m") is not None


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("8h", (0, 2)),  # a suspended machine: the past is as old as the wall says
        ("-10m", (2, 2)),  # the clock falls back: the tracker's time does not
        ("-1h", (2, 2)),
        ("-40d", (2, 2)),  # it was plainly wrong before: what was counted is of now
        ("40d", (0, 0)),
    ],
)
def test_the_clock_leaps(step: str, expected: tuple[int, int]) -> None:
    """Time skipped is empty, and time taken back takes no event with it."""
    clock = ManualClock(NOON + MINUTE // 2)
    tracker = Tracker(API, clock=clock)
    tracker.record(good=True)
    tracker.record(good=False)
    sign = -1 if step.startswith("-") else 1
    clock.now_ns += sign * eb.Rolling(step.lstrip("-")).length_ns
    assert tracker.counts(window="1h").total == expected[0]
    assert tracker.counts().total == expected[1]
    tracker.record(good=True)
    assert tracker.counts(window="1h").total == expected[0] + 1
    tracker._check()


@pytest.mark.parametrize("back", ["20s", "10m", "1h", "23h"])
def test_a_clock_that_falls_back_moves_no_event(back: str) -> None:
    """Every bucket keeps what it held, and windows go on sliding until the clock is there again."""
    clock = ManualClock(NOON + 1)
    tracker = Tracker(API, clock=clock)
    for _ in range(90):
        tracker.record(good=True)
        clock.advance("1m")
    tracker.record(good=False)
    before = tracker.count(API)
    clock.now_ns -= eb.Rolling(back).length_ns
    assert tracker.count(API).good.tolist() == before.good.tolist()
    tracker.record(good=False, at=clock() - 5 * 10**9)  # five seconds ago, whatever the hour
    assert tracker.counts(window="5m") == eb.Counts(good=4, bad=2)
    clock.advance("10m")
    tracker.record(good=True)
    assert tracker.count(API).good.tolist()[: len(before)] == before.good.tolist()
    clock.advance("46h")
    assert tracker.now() == clock()
    tracker._check()


def test_a_day_of_25_hours() -> None:
    """A calendar day begins at local midnight, also when the clocks go back in it."""
    slo = eb.SLO(
        "day", target="99%", window=eb.Calendar("day", zone="Europe/Berlin"), sli=eb.Availability()
    )
    clock = ManualClock("2026-10-24T21:59:30Z")
    tracker = Tracker(slo, clock=clock)
    for _ in range(27):
        tracker.record(good=True)
        clock.advance("1h")
    assert tracker.counts().total == 1  # 2026-10-26 has begun at 23:00 UTC
    assert tracker.evaluate(slo, at="2026-10-25T22:59:59Z").counts.total == 25


def test_events_that_come_late() -> None:
    """Within the bound an event counts where it belongs; beyond it is dropped and counted."""
    tracker = Tracker(API, clock=ManualClock(NOON), late="5m")
    tracker.record(good=False, at=NOON - 5 * MINUTE)
    tracker.record(good=False, at=NOON - 5 * MINUTE - 1)
    tracker.record(good=True, at="2026-03-01T12:00:07Z")
    assert tracker.dropped_late == 1
    assert tracker.counts() == eb.Counts(good=1, bad=1)
    assert tracker.counts(window="5m") == eb.Counts(good=1, bad=0)
    with pytest.raises(InvalidTimeError):
        tracker.record(good=True, at="yesterday")


def test_coverage_grows_from_the_start() -> None:
    """A tracker that has run for an hour has seen an hour of the window."""
    clock = ManualClock(NOON)
    tracker = Tracker(API, clock=clock)
    clock.advance("3d")
    tracker.record(good=True)
    assert tracker.status().coverage == pytest.approx(0.1, abs=1e-4)
    assert "only 10.0% of the window" in tracker.status().warnings[0]


@pytest.mark.parametrize("locked", [False, True])
def test_counters_lose_nothing(locked: bool) -> None:
    """Both kinds of counters keep every step of every thread, also while they are read."""
    arrivals = Arrivals(locked=locked)
    _run_threads(4, lambda: [arrivals.good() for _ in range(20_000)])
    assert arrivals.read() == (80_000, 0)
    assert arrivals.read() == (80_000, 0)


def _run_threads(n: int, work: object) -> None:
    threads = [threading.Thread(target=work) for _ in range(n)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _hammer(each: int) -> None:
    tracker = Tracker(API)
    done = threading.Event()

    def record() -> None:
        for i in range(each):
            tracker.record(good=i % 10 > 0)

    def read() -> None:
        while not done.is_set():
            tracker.status()
            tracker.merge(Tracker(API))
            tracker.snapshot()

    reader = threading.Thread(target=read)
    reader.start()
    _run_threads(8, record)
    done.set()
    reader.join()
    tracker._check()
    assert tracker.counts() == eb.Counts(good=8 * each * 9 // 10, bad=8 * each // 10)


def test_eight_threads_lose_nothing() -> None:
    """Eight threads record while another reads and merges, and every event is there."""
    _hammer(10_000)


@pytest.mark.slow
def test_eight_threads_of_a_million() -> None:
    """8 threads x 10^6 records lose none."""
    _hammer(1_000_000)


def test_threads_that_judge_under_a_restless_clock() -> None:
    """Records by indicator, late records and rolling buckets may meet in any order."""
    ticks = iter(range(10**9))
    tracker = Tracker([API, FAST], clock=lambda: NOON + next(ticks) * 10**7)

    def work() -> None:
        for i in range(3_000):
            tracker.record(status=200 + 300 * (i % 3 == 0), duration_s=0.1)
            tracker.record(good=True)

    _run_threads(4, work)
    tracker._check()
    assert tracker.counts("api") == eb.Counts(good=20_000, bad=4_000)
    assert tracker.counts("fast") == eb.Counts(good=24_000, bad=0)


def test_coroutines_may_record() -> None:
    """Nothing awaits and nothing blocks: coroutines record as functions do."""
    tracker = Tracker(API)

    async def request(i: int) -> None:
        await asyncio.sleep(0)
        tracker.record(good=i > 0)

    async def serve() -> None:
        await asyncio.gather(*(request(i) for i in range(500)))

    asyncio.run(serve())
    assert tracker.counts() == eb.Counts(good=499, bad=1)


@pytest.mark.posix
def test_a_forked_child_begins_empty() -> None:
    """Parent and children together count each event once, and no lock is inherited."""
    tracker = Tracker(API)
    tracker.record_many(good=[True] * 5)
    tracker._lock.acquire()  # as if another thread were in it just now
    inlet, outlet = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        try:
            tracker.record(good=False)
            os.write(outlet, tracker.snapshot())
        finally:
            os._exit(0)
    tracker._lock.release()
    os.close(outlet)
    with os.fdopen(inlet, "rb") as pipe:
        snapshot = pipe.read()
    os.waitpid(child, 0)
    tracker.merge(snapshot)
    assert tracker.counts() == eb.Counts(good=5, bad=1)


def test_a_month_of_minutes_takes_less_than_a_megabyte() -> None:
    """Memory is bounded by the buckets, whatever comes."""
    Tracker(API)  # imports and caches are not the tracker's
    gc.collect()
    tracemalloc.start()
    try:
        tracker = Tracker(API)
        empty = tracemalloc.get_traced_memory()[0]
        clock = NOON
        for _ in range(3):
            tracker.record_many(good=np.ones(100_000, dtype=bool))
        for _ in range(100_000):
            tracker.record(good=True)
        gc.collect()
        full = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert clock
    assert empty < 1_000_000
    assert full - empty < 20_000


def test_a_tracker_is_checked_at_the_door() -> None:
    """What does not fit is refused, with the cure."""
    with pytest.raises(InvalidInputError, match="good and bad events"):
        Tracker(eb.SLO("fresh", target="99%", window="1d", sli=eb.Freshness("5m")))
    with pytest.raises(InvalidWindowError, match="finer resolution"):
        Tracker(API, resolution="10m")
    with pytest.raises(InvalidWindowError, match="do not add up to slices"):
        Tracker(API.replace(method=eb.Timeslices("90s", "95%")))
    with pytest.raises(InvalidWindowError, match="does not begin with a bucket"):
        Tracker(
            API.replace(
                window=eb.Calendar("day", zone="Asia/Kolkata"),
                burn_windows=["1h"],
                alerts=eb.AlertPolicy("none", []),
            ),
            resolution="1h",
        )
    with pytest.raises(InvalidWindowError, match="choose a coarser resolution"):
        Tracker(API, resolution="1us")
    with pytest.raises(InvalidWindowError, match="further than the horizon"):
        Tracker(API, horizon="1d")
    clock = ManualClock(NOON)
    tracker = Tracker(API, clock=clock)
    clock.advance("60d")
    with pytest.raises(InvalidWindowError, match="a longer horizon"):
        tracker.evaluate(API, at=NOON)
    with pytest.raises(InvalidInputError, match="nothing to record"):
        Tracker(API).record()
    with pytest.raises(InvalidInputError, match="nothing to record"):
        Tracker(API).record_many()
    assert repr(Tracker(API)) == "Tracker(api; buckets of 1m)"


@pytest.mark.parametrize(
    ("slos", "clock", "message"),
    [
        (None, None, "an SLO was asked for, got None"),
        (5, None, "an SLO was asked for, got 5"),
        ([], None, "there are no SLOs"),
        ([API, API], None, 'two SLOs are called "api"'),
        (API, 5, "a clock is a function .*, got 5"),
        (API, lambda: 1.5e18, "whole nanoseconds .*, got 1.5e"),
    ],
)
def test_a_tracker_asks_for_slos_and_a_clock(slos: object, clock: object, message: str) -> None:
    """What is no SLO, or does not tell the time, is refused by name."""
    given_clock = {} if clock is None else {"clock": clock}
    with pytest.raises(InvalidInputError, match=message):
        Tracker(slos, **given_clock)  # type: ignore[arg-type]


@pytest.mark.parametrize("taken", ["restore", "merge", "resume"])
@pytest.mark.parametrize("saved", [None, 5, "EBTRACK2"])
def test_what_is_no_state_is_refused(taken: str, saved: object) -> None:
    """A snapshot is bytes or a State; all else is named in the error."""
    with pytest.raises(InvalidInputError, match="bytes of a snapshot, got"):
        getattr(Tracker(API), taken)(saved)


def test_a_known_status_is_judged_as_the_first_of_its_kind() -> None:
    """Statuses that were seen are counted by the short way: the same answers, errors and times."""
    clock = ManualClock("2026-03-01T12:00:00Z")
    tracker = Tracker(API, clock=clock)
    for _ in range(3):
        tracker.record(status=200, duration_s=0.1, route="/")
        tracker.record(status=503)
        tracker.record(status="503")
    assert tracker.counts() == eb.Counts(good=3, bad=6)
    with pytest.raises(InvalidInputError, match="duration_s"):
        tracker.record(status=200, duration_s=-1)
    with pytest.raises(InvalidInputError, match="good must be"):
        tracker.record("yes", status=200)
    clock.advance("3m")
    tracker.record(status=200, at=clock() - 3 * MINUTE)
    tracker.record(status=200)
    assert tracker.counts(window="2m") == eb.Counts(good=1, bad=0)
    assert tracker.counts() == eb.Counts(good=5, bad=6)
    tracker._check()


def test_statuses_that_mean_different_things_count_as_each_says() -> None:
    """A status that is good to one SLO and bad to another is judged every time."""
    strict = eb.SLO("strict", target="99%", window="1d", sli=eb.RatioSLI(bad="4xx"))
    tracker = Tracker([API, strict])
    for _ in range(2):
        for status in (200, 404, 404, 500):
            tracker.record(status=status)
    assert tracker.counts("api") == eb.Counts(good=6, bad=2)
    assert tracker.counts("strict") == eb.Counts(good=4, bad=4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"good": True}, "columns such as lists or arrays, got True"),
        ({"good": np.array(True)}, "columns such as lists or arrays"),
        ({"status": 200}, "got 200; record counts one event"),
        ({"labels": [1]}, "labels are columns by name"),
        ({"labels": {"route": "/cart"}}, "columns such as lists or arrays, got '/cart'"),
        ({"events": 5}, "takes Events, or columns by name such as good=, got 5"),
    ],
)
def test_many_events_are_columns(given: dict[str, object], message: str) -> None:
    """One event, or something else altogether, is refused by name."""
    with pytest.raises(InvalidInputError, match=message):
        Tracker(API).record_many(**given)  # type: ignore[arg-type]


def test_what_is_no_tracker_is_refused(tmp_path: Path) -> None:
    """Everything that takes a tracker says so when it gets something else."""
    from errorbudget.live import Admission, Keeper, Shared, SqliteStore, Watcher, asgi

    store = SqliteStore(tmp_path / "shop.db")
    for make in (
        lambda: Admission(API),  # type: ignore[arg-type]
        lambda: Keeper(API, tmp_path / "api"),  # type: ignore[arg-type]
        lambda: Shared(API, store),  # type: ignore[arg-type]
        lambda: Watcher(API, print),  # type: ignore[arg-type]
        lambda: asgi.BudgetMiddleware(print, API),  # type: ignore[arg-type]
    ):
        with pytest.raises(InvalidInputError, match="this wants a Tracker, got SLO"):
            make()
    with pytest.raises(InvalidInputError, match="a callback is a function of a Change, got None"):
        Watcher(Tracker(API), None)  # type: ignore[arg-type]


def test_a_mixed_verdict_costs_what_it_touches() -> None:
    """Of many SLOs by route, only those that an event takes part in are stepped."""
    slos = [
        eb.SLO(f"r{i}", target="99%", window="1d", sli=eb.Availability(where={"route": f"/r{i}"}))
        for i in range(50)
    ]
    tracker = Tracker(slos)
    for _ in range(3):
        tracker.record(status=500, route="/r7")
    (judged,) = tracker._judge.known.values()
    assert [(feed.slo.name, verdict) for feed, verdict in judged.parts] == [("r7", "bad")]
    assert [int(tracker.counts(slo.name).bad) for slo in slos] == [0] * 7 + [3] + [0] * 42


DAY = eb.SLO("day", target="99%", window=eb.Calendar("day"), sli=eb.Availability())


def test_an_instant_between_two_buckets_has_one() -> None:
    """However it is recorded, and whoever looks first: the end that belongs to a bucket decides."""
    strict = DAY.replace(name="strict", sli=eb.RatioSLI(bad="4xx"))
    month = eb.SLO("month", target="99%", window="30d", sli=eb.Availability())
    for record in (
        lambda tracker: tracker.record(good=True),
        lambda tracker: tracker.record(status=200),
        lambda tracker: tracker.record(status=404),  # the two differ
        lambda tracker: tracker.status("day"),
    ):
        for slos in ([DAY, strict], [DAY, strict, month]):
            clock = ManualClock(NOON + 1)
            tracker = Tracker(slos, clock=clock)
            for _ in range(3):
                tracker.record(status=200)
            tracker.record(status=404)
            clock.now_ns = NOON + MINUTE
            record(tracker)
            came = tracker.counts("day").total - 4
            assert tracker.counts("day", window="1m").total == came
            if month in slos:
                assert tracker.counts("month", window="1m").total == 4 + came
            tracker._check()


def test_where_an_event_need_not_look_at_the_clock_s_bucket() -> None:
    """Within the open bucket, or until a clock that fell back gets to its end."""
    clock = ManualClock(NOON + 55 * 10**9)
    tracker = Tracker(API, clock=clock)
    assert (tracker._after_ns, tracker._before_ns) == (0, 0)
    tracker.record(good=True)
    assert (tracker._after_ns, tracker._before_ns) == (NOON, NOON + MINUTE)
    clock.now_ns -= 50 * 10**9
    tracker.status()
    assert (tracker._after_ns, tracker._before_ns) == (clock() - 1, NOON + 15 * 10**9)
    tracker._check()
    clock.now_ns = NOON + 2 * MINUTE
    changes = tracker._feeds[0].ring.changes
    for _ in range(3):
        tracker.status()
        assert (tracker._after_ns, tracker._before_ns) == (0, 0)
    assert tracker._feeds[0].ring.changes == changes + 1
    both = Tracker([API, DAY], clock=clock)
    both.status("api")
    assert both._before_ns == 0  # of the one it is over, of the other it begins
    day = Tracker(DAY, clock=clock)
    day.status()
    assert (day._after_ns, day._before_ns) == (NOON + 2 * MINUTE, NOON + 3 * MINUTE)
    kept = Tracker(
        [API, API.replace(name="kept", corrections=[eb.Maintenance(NOON, NOON + 3 * MINUTE)])],
        clock=ManualClock(NOON + MINUTE + 1),
    )
    kept.record(good=False)
    assert kept._before_ns == 0
    assert (kept.totals("api"), kept.totals("kept")) == ((0, 1, 0), (0, 0, 0))


def test_what_all_agree_on_takes_no_lock() -> None:
    """A verdict, or a status that means the same to all, steps a counter; another verdict waits."""

    class Refused:
        def __enter__(self) -> None:
            raise AssertionError("the lock was asked for")

        def __exit__(self, *_: object) -> None: ...

    strict = API.replace(name="strict", sli=eb.RatioSLI(bad="4xx"))
    tracker = Tracker([API, strict], clock=ManualClock(NOON + 1))
    tracker.record(status=200)
    lock, refused = tracker._lock, Refused()
    tracker._lock = refused  # type: ignore[assignment]
    tracker.record(good=True)
    tracker.record(good=False)
    tracker.record(status=200)
    with pytest.raises(AssertionError, match="asked for"):
        tracker.record(status=404)
    tracker._lock = lock
    assert tracker.totals("strict") == (3, 1, 0)


def test_many_events_under_a_clock_that_fell_back() -> None:
    """Every column goes along; what lies ahead counts as now, and what came too late is counted."""
    slos = [
        API,
        FAST,
        eb.SLO("cart", target="99%", window="1d", sli=eb.Availability(where={"route": "/cart"})),
        eb.SLO(
            "first byte",
            target="99%",
            window="1d",
            sli=eb.RatioSLI(good=eb.predicates.number("ttfb_s") < "1s"),
        ),
    ]
    for back in (0, 600 * 10**9):
        clock = ManualClock(NOON + 600 * 10**9)
        tracker = Tracker(slos, clock=clock)
        clock.now_ns -= back
        now = clock()
        tracker.record_many(
            eb.Events(
                time=[now - 5 * MINUTE - 1, now - 5 * MINUTE, now, now + 90 * MINUTE],
                status=[200, 200, 503, 200],
                duration_s=[0.1, 0.1, 0.1, 0.3],
                labels={"route": ["/cart", "/cart", "/", "/cart"]},
                values={"ttfb_s": [0.5, 2.0, 0.5, 0.5]},
            )
        )
        totals = [tracker.totals(slo.name) for slo in slos]
        assert totals == [(2, 1, 0), (2, 1, 0), (2, 0, 0), (2, 1, 0)]
        assert tracker.counts("api", window="1m") == eb.Counts(good=1, bad=1)
        tracker.record_many(good=[True, False], at=[now - 10 * MINUTE, now - MINUTE])
        tracker.record_many(good=[True, False], at=[now - 10 * MINUTE, now - 6 * MINUTE])
        tracker.record_many(good=[False])
        assert tracker.totals("api") == (2, 3, 0)
        fast = Tracker(FAST, clock=clock)
        fast.record_many(duration_s=[0.1, 0.3, 0.1])
        assert fast.totals() == (2, 1, 0)
        cart = Tracker(slos[2], clock=clock)
        cart.record_many(status=[200, 503, 503], labels={"route": ["/cart", "/cart", "/"]})
        assert cart.totals() == (1, 1, 0)
        assert tracker.dropped_late == tracker.late_totals == 4


def test_an_event_ahead_of_the_clock_is_of_now_whatever_is_planned() -> None:
    """Maintenance of the future excludes nothing of the present."""
    planned = API.replace(corrections=[eb.Maintenance(NOON + 60 * MINUTE, NOON + 120 * MINUTE)])
    for ahead in ([NOON, NOON, NOON + 90 * MINUTE], [NOON + 90 * MINUTE]):
        tracker = Tracker(planned, clock=ManualClock(NOON))
        tracker.record_many(good=[True] * len(ahead), at=ahead)
        for time in ahead:
            tracker.record(good=False, at=time)
        assert tracker.counts() == eb.Counts(good=len(ahead), bad=len(ahead))


def test_verdicts_beside_an_event_are_the_indicator_s_business() -> None:
    """A verdict alone counts for all; beside other columns it is one column of them."""
    judged = API.replace(name="judged", sli=eb.RatioSLI())
    tracker = Tracker([API, judged], clock=ManualClock(NOON))
    tracker.record(good=False, status=200)
    tracker.record_event({"good": False, "status": 200})
    tracker.record_event({"good": True})
    tracker.record_many(good=[False, True], status=[200, 200])
    tracker.record(good=1)  # type: ignore[arg-type]
    tracker.record(good=0)  # type: ignore[arg-type]
    assert tracker.totals("api") == (6, 1, 0)
    assert tracker.totals("judged") == (3, 4, 0)
    for event in ({"at": NOON}, {"at": None}, {}):
        with pytest.raises(InvalidInputError, match="nothing to record; give good=True"):
            tracker.record_event(event)
    with pytest.raises(InvalidInputError, match="nothing to record; give events"):
        tracker.record_many(labels={"route": None})


def test_a_broken_tracker_is_noticed() -> None:
    """Each invariant, where all others hold."""
    cases: list[tuple[str, Any]] = [
        ("-1 events were left out", lambda one: setattr(one._feeds[0], "left_out", -1)),
        (
            "(-1, 0, 0) events were counted here",
            lambda one: setattr(one._feeds[0], "_elsewhere", (1, 0, 0)),
        ),
        ("the fast path is open and another bucket is", late_fast_path),
    ]
    for message, harm in cases:
        clock = ManualClock(NOON + 1)
        tracker = Tracker(API, clock=clock)
        tracker.status()
        tracker._check()
        harm(tracker)
        with pytest.raises(AssertionError) as caught:
            tracker._check()
        assert str(caught.value) == message
    tracker = Tracker(API, clock=clock)
    tracker.status()
    late_fast_path(tracker)
    clock.advance("5m")
    with pytest.raises(AssertionError, match="is open, and it is"):
        tracker._check()
    tracker = Tracker([API, DAY], clock=ManualClock(NOON + 1))
    tracker.status("api")
    tracker._before_ns += 1  # too late for the one whose bucket ends before its end
    with pytest.raises(AssertionError, match="another bucket is"):
        tracker._check()
    tracker = Tracker(API, clock=ManualClock(NOON + 1))
    tracker._feeds[0].ring.first = NOON
    with pytest.raises(AssertionError, match="lies after the open"):
        tracker._check()


def late_fast_path(tracker: Tracker) -> None:
    tracker._before_ns += MINUTE * 60


@pytest.mark.parametrize(
    ("gil", "version", "alone"),
    [
        (None, (3, 11), True),
        (True, (3, 13), True),
        (False, (3, 13), False),
        (False, (3, 14), True),
        (False, (3, 15), True),
    ],
)
def test_where_a_count_is_one_step(
    gil: bool | None, version: tuple[int, int], alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under the lock of the interpreter, or from Python 3.14 on; elsewhere a lock is taken."""
    if gil is None:
        monkeypatch.delattr("sys._is_gil_enabled", raising=False)
    else:
        monkeypatch.setattr("sys._is_gil_enabled", lambda: gil, raising=False)
    monkeypatch.setattr("sys.version_info", version)
    for arrivals, plain in (
        (Arrivals(), alone),
        (Arrivals(locked=True), False),
        (Arrivals(locked=False), True),
    ):
        for step in (arrivals.good, arrivals.bad):
            assert (step.__name__ == "__next__") is plain
        assert [arrivals.good(), arrivals.good(), arrivals.bad()] == [0, 1, 0]
        assert arrivals.read() == arrivals.read() == (2, 1)
