"""One event is held to the same rules as a column of them."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.door import check_event, check_verdict

NOON = "2026-03-01T12:00:00Z"
SLOS = [
    eb.SLO("api", target="99%", window="1d", sli=eb.Availability()),
    eb.SLO("fast", target="99%", window="1d", sli=eb.Latency("200ms")),
]


@pytest.mark.parametrize("status", [200, 503, 0, None, nan, "404", "503", np.int16(500), 200.0])
@pytest.mark.parametrize("duration_s", [0.1, 1, None, nan, np.float32(0.5), 0])
def test_one_event_counts_as_in_a_batch(status: Any, duration_s: Any) -> None:
    """Whatever the type a value comes in, one by one and all at once agree."""
    one, many = (Tracker(SLOS, clock=ManualClock(NOON)) for _ in range(2))
    one.record(status=status, duration_s=duration_s)
    many.record_many(status=[status], duration_s=[duration_s])
    assert one.state() == many.state()


@pytest.mark.parametrize(
    "event",
    [
        {"status": 600},
        {"status": 99},
        {"status": -1},
        {"status": "OK"},
        {"status": True},
        {"status": 200.5},
        {"duration_s": -0.1},
        {"duration_s": inf},
        {"duration_s": 10**400},
        {"duration_s": "0.1"},
        {"duration_s": False},
        {"good": "yes"},
        {"good": 2},
        {"good": nan, "route": "/"},
        {"good": np.array([True])},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_not_counted(event: dict[str, Any]) -> None:
    """The message says what came; nothing is counted."""
    tracker = Tracker(SLOS, clock=ManualClock(NOON))
    with pytest.raises(InvalidInputError, match="got"):
        tracker.record(**event)
    assert tracker.report()["api"].counts.total == 0


@pytest.mark.parametrize("good", [True, 1, np.True_, np.bool_(1)])
def test_verdicts_of_other_types(good: Any) -> None:
    """Whatever equals True is a good event."""
    tracker = Tracker(SLOS[0], clock=ManualClock(NOON))
    tracker.record(good=good)
    tracker.record(not good)
    assert tracker.counts() == eb.Counts(good=1, bad=1)


def test_an_event_is_put_into_form() -> None:
    """Both ends of what a status may be, no time at all, and a verdict as a bool."""
    for status, found in (
        (100, 100),
        (599, 599),
        ("100", 100),
        ("599", 599),
        (599.0, 599),
        ("0", None),
    ):
        event: dict[str, Any] = {"status": status, "duration_s": 0, "good": 1}
        check_event(event)
        assert event == {"status": found, "duration_s": 0.0, "good": True}
        assert [type(event[name]) for name in ("duration_s", "good")] == [float, bool]
    for status in (99, 600, "99", "600", 99.0):
        with pytest.raises(InvalidInputError, match="from 100 to 599"):
            check_event({"status": status})
    assert check_verdict(True) is check_verdict(np.True_) is check_verdict(1.0) is True
    assert check_verdict(False) is check_verdict(0) is False
