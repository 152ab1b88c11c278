"""What is handed over keeps its buckets, and moves no counter."""

from __future__ import annotations

from dataclasses import replace

import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.live import ManualClock, Tracker

MINUTE = 60 * 10**9
NOON = 1_772_366_400_000_000_000
API = eb.SLO("api", service="shop", target="99%", window="1d", sli=eb.Availability())


def late(events: int, now_ns: int = NOON) -> Tracker:
    """A tracker that dropped so many events and counted one."""
    tracker = Tracker(API, clock=ManualClock(now_ns))
    for _ in range(events):
        tracker.record(good=True, at=now_ns - 60 * MINUTE)
    tracker.record(good=True)
    return tracker


def test_what_was_dropped_is_held_and_counted_once() -> None:
    """All that is held was dropped somewhere; the counter tells of this tracker alone."""
    tracker = late(1)
    tracker.merge(late(2))
    assert (tracker.dropped_late, tracker.late_totals) == (3, 1)
    tracker.restore(late(5).snapshot())
    assert (tracker.dropped_late, tracker.late_totals) == (5, 1)
    tracker.resume(late(4).state())
    assert (tracker.dropped_late, tracker.late_totals) == (9, 1)
    tracker.record(good=True, at=NOON - 60 * MINUTE)
    assert (tracker.dropped_late, tracker.late_totals) == (10, 2)
    tracker.record(good=True)
    tracker.record(good=False)
    assert tracker.counts() == eb.Counts(good=3, bad=1)
    assert tracker.totals() == (2, 1, 0)
    tracker._check()
    tracker.after_fork()
    assert (tracker.dropped_late, tracker.late_totals, tracker.counts().total) == (0, 0, 0)
    tracker._check()


def test_a_child_has_counted_nothing() -> None:
    """Neither what the parent holds nor what only its counters know."""
    tracker = Tracker(API, clock=ManualClock(NOON + 1))
    for good in (True, False, True):
        tracker.record(good=good)
    tracker.after_fork()
    assert tracker.totals() == (0, 0, 0)
    tracker.record(good=False)
    tracker.record(good=True)
    assert tracker.counts() == eb.Counts(good=1, bad=1)
    assert tracker.totals() == (1, 1, 0)
    tracker._check()


def test_whose_time_goes_on() -> None:
    """Restored or resumed it goes on from the saved time; what is merged counts as of now."""
    saved = late(0, NOON + 10 * MINUTE).state()
    for take, now, recent in (("restore", 10, 1), ("resume", 10, 1), ("merge", 0, 2)):
        tracker = late(0)
        getattr(tracker, take)(saved)
        assert tracker.now() == NOON + now * MINUTE
        assert tracker.counts(window="1m").total == recent
        tracker.record(good=False)
        assert tracker.counts(window="1m").bad == 1
        tracker._check()


def test_another_s_state_is_refused_whole() -> None:
    """The error names both services; nothing was added."""
    tracker = late(0)
    state = late(3).state()
    other = replace(state, feeds=(replace(state.feeds[0], service="bank"),))
    with pytest.raises(InvalidInputError) as caught:
        tracker.merge(other)
    assert str(caught.value) == (
        'SLO "api" belongs to the service "bank" in the saved state, and to "shop" here; '
        "they are two"
    )
    with pytest.raises(InvalidInputError, match="counts other events"):
        tracker.merge(replace(state, feeds=(replace(state.feeds[0], fingerprint="f"),)))
    assert (tracker.counts().total, tracker.dropped_late) == (1, 0)
