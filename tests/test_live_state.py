"""What a tracker holds travels, adds up in any order, and does not load when damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.errors import InvalidInputError, SourceFormatError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.state import State

MINUTE = 60 * 10**9
NOON = 1_772_366_400_000_000_000
API = eb.SLO("api", target="99.9%", window="1d", sli=eb.Availability())
SITE = eb.SLO("site", target="99%", window="1d", sli=eb.Availability())

minutes = st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=20)


def worker(events: list[tuple[int, bool]], *slos: eb.SLO) -> Tracker:
    tracker = Tracker(slos or API, clock=ManualClock(NOON), late="10h")
    for minute, good in events:
        tracker.record(good=good, at=NOON - minute * MINUTE)
    return tracker


@given(minutes, minutes, minutes)
def test_merging_is_addition(
    one: list[tuple[int, bool]], two: list[tuple[int, bool]], three: list[tuple[int, bool]]
) -> None:
    """Workers add up in any order and grouping to what one worker would have counted."""
    a, b, c = (worker(events).state() for events in (one, two, three))
    whole = worker(one + two + three)
    assert (a + b) + c == a + (b + c) == (c + a) + b
    assert (a + b + c).feeds == whole.state().feeds
    merged = worker(one)
    for part in (c, b.to_bytes()):
        merged.merge(part)
    assert merged.status().counts == whole.status().counts
    assert merged.status().burn == whole.status().burn


@given(minutes)
def test_a_state_survives_bytes_and_json(events: list[tuple[int, bool]]) -> None:
    """Packed or as JSON, what comes back is what went in."""
    state = worker(events, API, SITE).state()
    assert State.from_bytes(state.to_bytes()) == state
    assert State.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_counts_beyond_what_floats_hold_survive() -> None:
    """Totals above 2**53 are kept to the last event."""
    state = worker([(1, True)]).state()
    feed = state.feeds[0]
    object.__setattr__(feed, "good", np.array([2**53 + 1]))
    tracker = worker([])
    tracker.restore(State.from_bytes(state.to_bytes()))
    assert tracker.counts().good == 2**53 + 1


def test_a_month_of_busy_minutes_is_compact() -> None:
    """30 days of minutes with thousands of events each pack into less than 200 kB."""
    slo = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability())
    tracker = Tracker(slo, clock=ManualClock(NOON), late="30d")
    minute = np.repeat(np.arange(43_000), 3)
    counts = np.random.default_rng(1).integers(1_000, 5_000, len(minute))
    feed = tracker._feeds[0]
    feed.ring.add_buckets(feed.ring.newest - minute, counts, counts // 1_000)
    assert len(tracker.snapshot()) < 200_000


@given(st.data())
def test_a_damaged_snapshot_does_not_load(data: st.DataObject) -> None:
    """Cut short, or with any byte altered, it is refused as a whole."""
    snapshot = worker([(1, True), (2, False)]).snapshot()
    cut = data.draw(st.integers(0, len(snapshot) - 1))
    with pytest.raises(SourceFormatError):
        State.from_bytes(snapshot[:cut])
    altered = bytearray(snapshot)
    altered[cut] ^= data.draw(st.integers(1, 255))
    tracker = worker([(3, True)])
    with pytest.raises(SourceFormatError):
        tracker.restore(bytes(altered))
    assert tracker.counts() == eb.Counts(good=1, bad=0)


def test_states_of_different_meaning_do_not_add_up() -> None:
    """Another indicator, another resolution, an unknown SLO: each is named."""
    other = eb.SLO("api", target="99.9%", window="1d", sli=eb.Availability(good="2xx"))
    with pytest.raises(InvalidInputError, match="counts other events"):
        worker([]).merge(Tracker(other))
    with pytest.raises(InvalidInputError, match="one length and side"):
        worker([]).merge(Tracker(API, resolution="30s"))
    with pytest.raises(InvalidInputError, match='no SLO "site"'):
        worker([]).merge(worker([], SITE))
    with pytest.raises(InvalidInputError, match="nothing to merge"):
        State.merge([])
    stricter = API.replace(target="99.99%")
    tracker = Tracker(stricter, clock=ManualClock(NOON))
    tracker.restore(worker([(1, True)]).snapshot())
    assert tracker.counts().total == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": "errorbudget.tracker/3"},
        {"feeds": [{}]},
        {"feeds": None},
        {"at_ns": "now"},
    ],
)
def test_plain_data_that_is_no_state(wrong: dict[str, object]) -> None:
    """Another version or a missing part is a format error."""
    data = worker([(1, True)]).state().to_dict() | wrong
    with pytest.raises(SourceFormatError):
        State.from_dict(data)


def test_a_snapshot_of_another_version_says_so() -> None:
    """Who finds a file of another release is told which, and what to do."""
    snapshot = worker([(1, True)]).snapshot()
    with pytest.raises(SourceFormatError, match=r"of version 9, and this reads version 2"):
        State.from_bytes(snapshot[:7] + b"9" + snapshot[8:])


def test_two_services_may_use_one_name() -> None:
    """States of equal names and different services stay two, and neither takes the other's."""
    parts = [
        Tracker(eb.SLO("api", service=service, target="99%", window="1d", sli=eb.Availability()))
        for service in ("shop", "bank")
    ]
    parts[0].record(good=True)
    merged = State.merge(part.state() for part in parts)
    assert [feed.who for feed in merged.feeds] == [("bank", "api"), ("shop", "api")]
    with pytest.raises(InvalidInputError, match='service "bank" in the saved state'):
        parts[0].merge(parts[1])


@pytest.mark.parametrize(
    "wrong",
    [{"good": [-1]}, {"ends": [5, 4]}, {"first": 10**12}, {"good": [10**30]}, {"step_ns": 0}],
)
def test_buckets_that_make_no_sense(wrong: dict[str, object]) -> None:
    """Negative counts, buckets out of order or columns of different length are refused."""
    data = worker([(1, True)]).state().to_dict()
    data["feeds"][0] |= wrong
    with pytest.raises(SourceFormatError):
        State.from_dict(data)


def test_more_events_than_fit_are_refused() -> None:
    """What would wrap around 64 bits is a named error, and the tracker stays as it was."""
    state = worker([(0, True)]).state()
    feed = state.feeds[0]
    huge = replace(state, feeds=(replace(feed, good=feed.good + 3 * 2**60),))
    with pytest.raises(InvalidInputError, match="more than 4,611"):
        _ = huge + huge + huge
    tracker = worker([])
    tracker.merge(huge)
    for use in (tracker.merge, tracker.resume):
        with pytest.raises(InvalidInputError, match="more than 4,611"):
            use(huge)
    assert tracker.counts() == eb.Counts(good=3 * 2**60 + 1, bad=0)
    tracker.restore(huge)
    tracker._check()


@pytest.mark.parametrize("states", [None, 5, [1], [None], [b"EBTRACK"]])
def test_only_states_are_merged(states: Any) -> None:
    """What is no state is refused by name."""
    with pytest.raises(InvalidInputError, match=r"give tracker\.state\(\)"):
        State.merge(states)
