"""One SLO as a tracker feeds it: what it remembers, what counts, and what is told of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError, InvalidWindowError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live import feed as room
from errorbudget.live.feed import Feed, needed_horizon

MINUTE = 60 * 10**9
DAY = 1_440 * MINUTE
NOON = 1_772_366_400_000_000_000
QUIET = eb.AlertPolicy("none", [])
API = eb.SLO(
    "api",
    service="shop",
    target="99%",
    window="10m",
    sli=eb.Availability(),
    alerts=QUIET,
    burn_windows=["1m"],
)


def made(slo: eb.SLO, *, horizon: int | None = None) -> Feed:
    return Feed(slo, MINUTE, horizon, NOON)


def test_how_far_back_it_looks() -> None:
    """The longest window, or a condition that has to hold; a day more where days differ."""
    held = [eb.BurnAlert("a", "page", "10%", "8m", "1m", hold="4m")]
    for slo, needed in (
        (API, 10 * MINUTE),
        (API.replace(burn_windows=["1m", "12m"]), 12 * MINUTE),
        (API.replace(alerts=eb.AlertPolicy("waiting", held)), 12 * MINUTE),
        (API.replace(burn_windows=[]), 10 * MINUTE),
        (API.replace(window=eb.Calendar("day")), 2 * DAY),
        (API.replace(window=eb.Calendar("week", anchor="2026-01-05", every=2)), 15 * DAY),
        (API.replace(window=eb.Calendar("month")), 32 * DAY),
    ):
        assert needed_horizon(slo) == needed
        assert made(slo).ring.size == needed // MINUTE + 1
    assert made(API.replace(window="9m30s")).ring.size == 11
    assert made(API, horizon=10 * MINUTE).ring.size == 11
    assert made(API, horizon=60 * MINUTE + 1).ring.size == 62
    with pytest.raises(InvalidWindowError) as caught:
        made(API, horizon=9 * MINUTE)
    assert str(caught.value) == 'SLO "api" looks back 10m, further than the horizon of 9m'


def test_how_many_buckets_it_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as that, and not one more."""
    monkeypatch.setattr(room, "_MOST_BUCKETS", 11)
    made(API)
    monkeypatch.setattr(room, "_MOST_BUCKETS", 10)
    with pytest.raises(InvalidWindowError, match="11 buckets of 1m, and 10 is the most"):
        made(API)


def test_buckets_that_do_not_fit() -> None:
    """A window of one bucket fits; shorter ones, and slices or days of other lengths, do not."""
    made(API.replace(method=eb.Timeslices("2m", "95%")))
    for slo, message in (
        (API.replace(burn_windows=["59s", "5m"]), "windows of 59s, shorter than buckets of 1m"),
        (API.replace(burn_windows=[], window="30s"), "windows of 30s, shorter than buckets of 1m"),
        (
            API.replace(method=eb.Timeslices("90s", "95%")),
            "buckets of 1m do not add up to slices of 1m30s",
        ),
    ):
        with pytest.raises(InvalidWindowError, match=message):
            made(slo)
    hours = API.replace(window=eb.Calendar("day", zone="Asia/Kolkata"), burn_windows=["1h"])
    Feed(hours.replace(window="1d"), 60 * MINUTE, None, NOON + 1)
    Feed(hours, 30 * MINUTE, None, NOON)
    with pytest.raises(InvalidWindowError, match="does not begin with a bucket of 1h"):
        Feed(hours, 60 * MINUTE, None, NOON)
    with pytest.raises(InvalidInputError, match="needs the values themselves"):
        made(eb.SLO("fresh", target="99%", window="1d", sli=eb.Freshness("5m")))


def test_what_an_event_is() -> None:
    """Who takes part comes first: unknown there, nothing is known of good or bad."""
    feed = made(API.replace(sli=eb.RatioSLI(bad="5xx", valid=~eb.status_in("404"))))
    for status, verdict in ((200, "good"), (503, "bad"), (404, None), (None, "unplaced")):
        assert feed.judge({"status": status}) == verdict
    for status, verdict in ((200, "good"), (503, "bad"), (404, "good"), (None, "unknown")):
        assert made(API).judge({"status": status}) == verdict


def test_whether_an_alert_waits() -> None:
    """One that does is enough; windows are as many buckets as hold them."""
    waits, quick = (
        eb.BurnAlert(name, "page", "10%", "90s", "1m", hold=hold)
        for name, hold in (("waits", "1m"), ("quick", 0))
    )
    feed = made(API.replace(alerts=eb.AlertPolicy("both", [waits, quick])))
    assert feed.waits
    assert feed.spans == (1, 2)
    assert feed.names == ("1m", "1m30s")
    assert not made(API.replace(alerts=eb.AlertPolicy("one", [quick]))).waits


def told(feed: Feed) -> tuple[int, int, int]:
    return feed.counted((0, 0))


def test_maintenance_from_its_first_to_its_last_nanosecond() -> None:
    """Excluded, or good whatever it was, unless it is unknown whether the event takes part."""
    out = eb.Maintenance(NOON, NOON + MINUTE)
    fine = eb.Maintenance(NOON + MINUTE // 2, NOON + 2 * MINUTE, "good")
    slo = API.replace(corrections=[out, fine])
    feed = Feed(slo, MINUTE, None, NOON + 9 * MINUTE)
    for time, verdict, expected in (
        (NOON - 1, "bad", (0, 1, 0)),
        (NOON, "bad", (0, 1, 0)),
        (NOON + MINUTE - 1, "unknown", (0, 1, 0)),  # excluded by one is excluded
        (NOON + MINUTE, "bad", (1, 1, 0)),
        (NOON + MINUTE, "unknown", (2, 1, 0)),
        (NOON + MINUTE, "unplaced", (2, 1, 1)),
        (NOON + 2 * MINUTE - 1, "good", (3, 1, 1)),
        (NOON + 2 * MINUTE, "bad", (3, 2, 1)),
        (NOON + 2 * MINUTE, "unknown", (3, 2, 2)),
        (NOON + 2 * MINUTE, "good", (4, 2, 2)),
    ):
        feed.count(time, verdict)  # type: ignore[arg-type]
        assert told(feed) == expected
    for minute, touched in ((-1, False), (0, True), (1, True), (2, True), (3, False)):
        assert Feed(slo, MINUTE, None, NOON + minute * MINUTE).under_maintenance() is touched
    assert not made(API).under_maintenance()


def test_events_of_the_open_bucket() -> None:
    """Without maintenance the bucket need not be looked for."""
    feed = made(API)
    for verdict, expected in (
        ("good", (1, 0, 0)),
        ("bad", (1, 1, 0)),
        ("unknown", (1, 1, 1)),
        ("unplaced", (1, 1, 2)),
    ):
        feed.count_now(verdict)  # type: ignore[arg-type]
        assert told(feed) == expected


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        ({}, [-1, 0]),
        ({"window": eb.Calendar("day")}, [0, 1]),
        ({"method": eb.Timeslices("5m", "95%")}, [-1, 0]),
    ],
)
def test_many_events_in_their_buckets(given: dict[str, Any], ends: list[int]) -> None:
    """By the indicator or as judged; of a batch all is known before anything is counted."""
    events = eb.Events(
        time=[NOON - MINUTE, NOON, NOON],
        status=[503, 0, 200],
        good=[True, False, False],
    )
    feed = made(API.replace(**given))
    first = NOON // MINUTE
    for judged, expected in ((False, [1, 1, 1]), (True, [1, 2, 0])):
        batch = feed.judge_events(events, judged=judged)
        units: dict[int, tuple[int, int]] = {}
        for end, good, bad in zip(*(column.tolist() for column in batch[:3]), strict=True):
            was = units.get(end - first, (0, 0))
            units[end - first] = (was[0] + good, was[1] + bad)
        assert units == dict(
            zip(ends, [(1, 0), (0, 2)] if judged else [(0, 1), (1, 0)], strict=True)
        )
        feed = made(API.replace(**given))
        feed.add_batch(batch)
        assert list(told(feed)) == expected


def test_what_is_told_of_a_feed() -> None:
    """Buckets that hold anything, from the first that was seen to the open one."""
    feed = made(API)
    blank = feed.blank()
    assert blank.to_dict() == {
        "service": "shop",
        "name": "api",
        "fingerprint": "e8b04d6caf06adae",
        "step_ns": MINUTE,
        "closed": "right",
        "first": NOON // MINUTE,
        "newest": NOON // MINUTE,
        "left_out": 0,
        "ends": [],
        "good": [],
        "bad": [],
    }
    assert blank.ends.dtype == np.int64
    newest = NOON // MINUTE
    feed.ring.add(newest - 3, 1, 0)
    feed.ring.add(newest - 1, 0, 1)
    feed.ring.roll(newest + 1, (0, 0))
    found = feed.state_of(feed.ring, (2, 5), 7)
    assert found.to_dict() == blank.to_dict() | {
        "first": newest - 3,
        "newest": newest + 1,
        "left_out": 7,
        "ends": [newest - 3, newest - 1, newest + 1],
        "good": [1, 0, 2],
        "bad": [0, 1, 5],
    }
    copy = feed.ring.copy()
    feed.ring.roll(newest + 2, (2, 5))
    assert feed.state_of(copy, (2, 5), 7).to_dict() == found.to_dict()
    feed.ring.roll(newest + 1, (2, 5))
    again = feed.blank()
    assert (again.first, again.newest, again.left_out) == (newest + 1, newest + 1, 0)


def test_what_comes_from_elsewhere_is_held_and_not_counted() -> None:
    """Counters go on as if nothing had been taken over, cleared or restored."""
    feed, newest = made(API), NOON // MINUTE
    for verdict in ("good", "bad", "bad", "unknown"):
        feed.count_now(verdict)  # type: ignore[arg-type]
    assert told(feed) == (1, 2, 1)
    assert feed.counted((4, 8)) == (5, 10, 1)
    other = made(API)
    other.ring.add(newest - 2, 3, 4)
    saved = other.state_of(other.ring, (0, 0), 5)
    feed.take(saved, (4, 8))
    assert feed.counted((4, 8)) == (5, 10, 1)
    assert feed.ring.totals((4, 8)) == (8, 14)
    assert (feed.left_out, feed.ring.first) == (6, newest - 2)
    quiet = made(API)
    quiet.ring.observed_from(newest - 5)
    feed.take(quiet.state_of(quiet.ring, (0, 0), 0), (4, 8))
    assert feed.ring.first == newest - 5
    feed.clear(newest + 1, (4, 8))
    assert feed.counted((5, 10)) == (6, 12, 1)
    assert feed.ring.totals((5, 10)) == (1, 2)
    assert (feed.left_out, feed.ring.newest) == (0, newest + 1)
    feed.begin_anew(newest + 2)
    assert told(feed) == (*feed.ring.totals((0, 0)), 0) == (0, 0, 0)
    assert (feed.left_out, feed.ring.newest) == (0, newest + 2)


def test_a_tracker_of_two_is_fed_as_each_says() -> None:
    """Where they differ, each has its own; maintenance of one is not the other's."""
    kept = API.replace(name="kept", corrections=[eb.Maintenance(NOON, NOON + MINUTE)])
    tracker = Tracker([API, kept], clock=ManualClock(NOON))
    tracker.record(status=200)
    tracker.record_many(status=[503, 200], at=[NOON - 1, NOON])
    assert tracker.totals("api") == (2, 1, 0)
    assert tracker.totals("kept") == (0, 1, 0)
