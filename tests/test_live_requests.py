"""Requests are counted as events are, and fail no request."""

from __future__ import annotations

import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.requests import RequestRecorder

NOON = 1_772_366_400_000_000_000
CART = eb.SLO(
    "cart", target="99%", window="1d", sli=eb.Availability(where={"route": r"/items/\{item\}"})
)


def test_a_request_is_recorded_as_any_event(caplog: pytest.LogCaptureFixture) -> None:
    """In its bucket, judged anew or as one before; labels are asked for where one looks at them."""
    day = eb.SLO("day", target="99%", window=eb.Calendar("day"), sli=eb.Availability())
    clock = ManualClock(NOON + 1)
    tracker = Tracker(day, clock=clock)
    recorder = RequestRecorder(tracker, lambda request: request["labels"])
    assert (recorder.failures, recorder.labels) == (0, None)
    assert recorder.labels_of({}) is None
    for _ in range(3):
        recorder.record(None, 200, 0.1)
        recorder.record(None, 503, 0.1)
    clock.now_ns = NOON + 60 * 10**9
    recorder.record(None, 503, 0.1)
    assert tracker.counts(window="1m") == eb.Counts(good=0, bad=1)
    assert tracker.counts() == eb.Counts(good=3, bad=4)

    tracker = Tracker(CART)
    recorder = RequestRecorder(tracker, lambda request: request["labels"])
    request = {"labels": {"route": "/items/{item}"}}
    assert recorder.labels_of(request) == request["labels"]
    assert recorder.labels_of({}) is None
    recorder.record(request, 200, 0.1)
    recorder.record({}, 503, 0.1, request["labels"])
    recorder.record(request, 503, 0.1, {"route": "/"})
    assert tracker.counts() == eb.Counts(good=1, bad=1)
    assert recorder.failures == 0
    for failures in (1, 2):
        recorder.record({}, 200, 0.1)
        assert recorder.failures == failures
    record = caplog.records[0]
    assert record.getMessage() == "a request could not be recorded"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)
    with pytest.raises(InvalidInputError, match="labels is a function of a request, got 5"):
        RequestRecorder(tracker, 5)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="this wants a Tracker, got SLO"):
        RequestRecorder(CART, print)  # type: ignore[arg-type]


def test_a_kind_that_was_judged_is_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request of a known kind steps a counter, and neither a lock nor an indicator is asked."""
    tracker = Tracker(
        eb.SLO("api", target="99%", window="1d", sli=eb.Availability()), clock=ManualClock(NOON + 1)
    )
    recorder = RequestRecorder(tracker, lambda request: {})
    recorder.record(None, 200, 0.1)

    def asked(*_: object) -> None:
        raise AssertionError

    for name in ("record_event", "_count_now"):
        monkeypatch.setattr(tracker, name, asked)
    recorder.record(None, 200, 0.2)
    assert recorder.failures == 0
    assert tracker.counts() == eb.Counts(good=2, bad=0)
