"""What a tracker holds travels, adds up in any order, and does not load when damaged."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.errors import InvalidInputError, SourceFormatError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live import state as state_module
from errorbudget.live.state import FeedState, State, check_most, fingerprint

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
        {"at_ns": 1.5},
        {"dropped_late": "5"},
        {"dropped_late": True},
        {"dropped_late": -1},
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
    [
        {"good": [-1, 1]},
        {"bad": [0, -1]},
        {"ends": [5, 4]},
        {"ends": [5, 5]},
        {"ends": [5, 6, 7]},
        {"good": [1, 1, 1]},
        {"bad": [1]},
        {"good": [10**30, 1]},
        {"good": [2**63, 1]},
        {"bad": [1.5, 0]},
        {"ends": ["5", "6"]},
        {"first": 11},
        {"first": 3.0},
        {"newest": "10"},
        {"left_out": None},
        {"step_ns": 0},
        {"step_ns": True},
        {"closed": "both"},
        {"service": None},
        {"name": 5},
        {"fingerprint": b"f"},
        {"weight": 1},
    ],
    ids=str,
)
def test_buckets_that_make_no_sense(wrong: dict[str, object]) -> None:
    """Each part that cannot be, in a state that is sound otherwise, is refused."""
    feed = held([5, 6], [1, 0], [0, 2]).to_dict()
    assert FeedState.from_dict(feed).to_dict() == feed
    with pytest.raises(SourceFormatError, match="not a tracker's state: "):
        FeedState.from_dict(feed | wrong)
    del feed["bad"]
    with pytest.raises(SourceFormatError, match="'bad'"):
        FeedState.from_dict(feed)


def held(ends: list[int], good: list[int], bad: list[int], **given: Any) -> FeedState:
    columns = [np.array(column, dtype=np.int64) for column in (ends, good, bad)]
    return replace(FeedState("shop", "api", "f", 1, "right", 3, 10, *columns), **given)


def test_a_state_of_one_bucket_and_of_none() -> None:
    """A step of a nanosecond, and one bucket that is first and last, are sound."""
    for feed in (
        held([7], [0], [0], first=7, newest=7),
        held([], [], []),
        held([5, 7, 1_000], [300, 2**53 + 1, 0], [0, 1, 70_000], left_out=4),
    ):
        state = State((feed, replace(feed, name="b")), 12, 3)
        assert FeedState.from_dict(feed.to_dict()) == feed
        for packed in (bytes, bytearray, memoryview):
            again = State.from_bytes(packed(state.to_bytes()))
            assert again == state
            assert (again.at_ns, again.dropped_late) == (12, 3)
            assert [part.name for part in again.feeds] == ["api", "b"]
            assert again.feeds[0].to_dict() == feed.to_dict()


def test_buckets_add_up_to_the_event() -> None:
    """Each bucket of either, also beyond what floats hold, from the first to the last of both."""
    one = held([5, 7], [1, 2**53], [4, 0], left_out=1)
    two = held([6, 7], [8, 1], [0, 16], first=2, newest=12, left_out=2)
    for found in (one + two, two + one):
        assert (
            found.to_dict()
            == held(
                [5, 6, 7], [1, 8, 2**53 + 1], [4, 0, 16], first=2, newest=12, left_out=3
            ).to_dict()
        )
        assert {column.dtype for column in (found.ends, found.good, found.bad)} == {np.dtype("i8")}
    other = one.holding(1, 9, np.array([4]), np.array([5]), np.array([6]))
    assert other.to_dict() == held([4], [5], [6], first=1, left_out=9).to_dict()
    assert one != two
    assert one != one.to_dict()


def test_what_does_not_add_up_is_told() -> None:
    """Other events, and buckets of another length or side."""
    one = held([5], [1], [0])
    message = 'SLO "api" counts other events in the two states: its indicator or its corrections'
    with pytest.raises(InvalidInputError, match=message):
        _ = one + replace(one, fingerprint="g")
    message = (
        r"one length and side add up, got 1ns closed right and (2ns closed right|1ns closed l)"
    )
    for other in (replace(one, step_ns=2), replace(one, closed="left")):
        with pytest.raises(InvalidInputError, match=message):
            _ = one + other


def test_what_a_fingerprint_is() -> None:
    """It names what is counted in stores and files: a new one would begin every budget anew."""
    assert fingerprint(API) == fingerprint(API.replace(target="90%", window="7d"))
    assert fingerprint(API) == "e8b04d6caf06adae"
    kept = API.replace(corrections=[eb.Maintenance(NOON, NOON + MINUTE)])
    assert fingerprint(kept) != fingerprint(API)


def test_how_many_events_fit() -> None:
    """2**62 of an SLO, also where their sum would go round in 64 bits."""
    most = np.array([2**61, 2**61])
    check_most("api", most)
    check_most("api", most // 2, already=2**61)
    for columns, already in (
        ((most, np.array([2**10])), 0),
        ((np.array([2**62] * 4),), 0),
        ((-most, most), 0),
        ((most,), 2**10),
    ):
        with pytest.raises(InvalidInputError) as caught:
            check_most("api", *columns, already=already)
        assert str(caught.value) == (
            'SLO "api" would have more than 4,611,686,018,427,387,904 events'
        )


def test_merged_states_are_of_the_newest_instant() -> None:
    """What was dropped adds up."""
    early, late = State((), 5, 1), State((held([5], [1], [0]),), 9, 2)
    for merged in (early + late, late + early, State.merge(iter([late, early]))):
        assert (merged.at_ns, merged.dropped_late, len(merged.feeds)) == (9, 3, 1)


def test_what_is_no_state_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other data, other bytes, and packed data that ends too soon or would fill the memory."""
    for data, told in ((5, "5"), ({"schema": "other/1"}, "'other/1'"), ({}, "None")):
        with pytest.raises(SourceFormatError) as caught:
            State.from_dict(data)  # type: ignore[arg-type]
        assert str(caught.value) == f"not a tracker's state of errorbudget.tracker/2, got {told}"
    with pytest.raises(SourceFormatError, match=r"begins with b'PK', not b'EBTRACK2'"):
        State.from_bytes(b"PK")

    def packed(body: bytes) -> bytes:
        return b"EBTRACK2" + blake2b(body, digest_size=16).digest() + body

    body = worker([(1, True)]).snapshot()[24:]
    assert State.from_bytes(packed(body)).feeds[0].good.tolist() == [1]
    with pytest.raises(SourceFormatError, match="it ends too soon"):
        State.from_bytes(packed(body[:-1]))
    with pytest.raises(SourceFormatError, match="not a tracker's state: "):
        State.from_bytes(packed(zlib.compress(bytes(8))))
    size = len(zlib.decompress(body))
    monkeypatch.setattr(state_module, "_MOST_BYTES", size)
    kept = State.from_bytes(packed(body))
    assert kept.to_bytes()[24:] == body
    monkeypatch.setattr(state_module, "_MOST_BYTES", size - 1)
    with pytest.raises(InvalidInputError, match=f"of {size} bytes, more than the {size - 1} that"):
        kept.to_bytes()
    with pytest.raises(SourceFormatError, match=f"of more than {size - 1} bytes: not read"):
        State.from_bytes(packed(body))


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
