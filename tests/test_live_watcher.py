"""Callbacks hear of every change, and can harm nothing."""

from __future__ import annotations

import json
import logging
import os
import threading
import time

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import InvalidInputError
from errorbudget.live import ManualClock, Tracker
from errorbudget.live.watcher import Change, Watcher, log_changes

NOON = "2026-03-01T12:00:00Z"
API = eb.SLO("api", target="99%", window="30d", sli=eb.Availability())


def made(*callbacks: object) -> tuple[Tracker, ManualClock, Watcher]:
    clock = ManualClock(NOON)
    tracker = Tracker(API, clock=clock)
    return tracker, clock, Watcher(tracker, callbacks, every="1h")  # type: ignore[arg-type]


def test_changes_are_told_once() -> None:
    """Tiers and alerts are reported when they move, with what they were."""
    heard: list[Change] = []
    tracker, clock, watcher = made(heard.append)
    assert watcher.look() == []
    tracker.record_many(good=np.ones(10_000, dtype=bool))
    watcher.look()
    assert [str(change) for change in heard] == ["api: tier error-budget-policy: None -> healthy"]
    heard.clear()
    tracker.record_many(good=np.zeros(5_000, dtype=bool))
    watcher.look()
    moves = {(change.kind, change.before, change.after) for change in heard}
    assert ("tier", "healthy", "exhausted") in moves
    assert ("alert", "inactive", "firing") in moves
    heard.clear()
    assert watcher.look() == heard == []
    clock.advance("4d")
    watcher.look()
    assert {change.after for change in heard if change.kind == "alert"} == {"inactive"}
    watcher.close()


def test_a_failing_callback_is_counted_and_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Exceptions are contained and logged, and the callbacks behind it are called."""
    heard: list[Change] = []

    def broken(change: Change) -> None:
        raise ValueError("pager is down")

    tracker, _, watcher = made(broken, heard.append)
    tracker.record(good=True)
    watcher.look()
    assert watcher.failures == len(heard) == 1
    (record,) = caplog.records
    assert record.getMessage() == f"a callback failed on {heard[0]}"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "pager is down"
    watcher.close()


def test_a_slow_callback_delays_no_request() -> None:
    """While a callback sleeps, events are recorded and statuses answered."""
    inside, leave = threading.Event(), threading.Event()

    def slow(change: Change) -> None:
        inside.set()
        leave.wait(10)

    tracker = Tracker(API)
    tracker.record(good=True)
    watcher = Watcher(tracker, slow, every="1ms")
    assert inside.wait(5)
    started = time.perf_counter()
    for _ in range(1_000):
        tracker.record(good=True)
    assert tracker.status().counts.good == 1_001
    assert time.perf_counter() - started < 1
    leave.set()
    watcher.close()


def test_a_change_is_a_flat_event() -> None:
    """What moved, from what to what, and the figures of that moment; None where there are none."""
    heard: list[Change] = []
    tracker, _, watcher = made(heard.append)
    tracker.record_many(good=np.arange(1_000) > 0)
    assert watcher.look() == heard
    assert [change.to_dict() for change in heard] == [
        {
            "slo": "api",
            "kind": "tier",
            "name": "error-budget-policy",
            "before": None,
            "after": "healthy",
            "at": NOON,
            "sli": 0.999,
            "remaining_ratio": 0.9,
        }
    ]
    watcher.close()
    freshness = eb.SLO("fresh", window="1d", sli=eb.Freshness("5m"))
    status = freshness.assess(eb.Counts(0, 0), at=NOON)
    assert status.budget is None
    assert Change("tier", "p", "a", "b", status).to_dict()["remaining_ratio"] is None


def test_it_looks_from_the_start_and_stops_when_closed() -> None:
    """One callback or several; a forked child sees everything anew, unless it was closed before."""
    tracker = Tracker(API, clock=ManualClock(NOON))
    tracker.record(good=True)
    heard: list[Change] = []
    watcher = Watcher(tracker, heard.append, every="1h")
    assert watcher.ticker.running
    assert watcher.failures == 0
    assert len(watcher.look()) == 1
    assert watcher.look() == []
    watcher.ticker.after_fork()
    assert not watcher.ticker.running
    watcher.after_fork()
    assert watcher.ticker.running
    assert len(watcher.look()) == 1
    watcher.close()
    assert not watcher.ticker.running


def test_what_may_be_called_back() -> None:
    """A function, several, or one thing that is both a function and a sequence."""

    class Both(list[Change]):
        def __call__(self, change: Change) -> None:
            self.append(change)

    tracker = Tracker(API, clock=ManualClock(NOON))
    tracker.record(good=True)
    both = Both()
    watcher = Watcher(tracker, both, every="1h")
    assert watcher.look() == both != []
    watcher.close()
    for callbacks, message in ((5, "got 5"), ([both, "x"], "got 'x'")):
        with pytest.raises(InvalidInputError, match=f"function of a Change, {message}"):
            Watcher(tracker, callbacks)  # type: ignore[arg-type]


def test_hysteresis_holds_the_tier() -> None:
    """A better tier is taken again only beyond the policy's margin."""
    slo = API.replace(policy=eb.ERROR_BUDGET_POLICY.with_hysteresis("10%"))
    tracker = Tracker(slo, clock=ManualClock(NOON))
    watcher = Watcher(tracker, print, every="1h")
    tiers = []
    for good, bad in [(9_949, 51), (500, 0), (3_000, 0)]:
        tracker.record_many(good=np.arange(good + bad) < good)
        tiers.append([change.after for change in watcher.look() if change.kind == "tier"])
    # 51.4 % are left at the second look, and a half is the bound.
    assert tiers == [["consuming"], [], ["healthy"]]
    assert tracker.counts().total == 13_500
    watcher.close()


@pytest.mark.posix
def test_a_forked_child_goes_on_watching() -> None:
    """The thread that looks begins anew in a worker."""
    inlet, outlet = os.pipe()
    tracker = Tracker(API)
    watcher = Watcher(tracker, lambda change: os.write(outlet, b"x"), every="10ms")
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        tracker.record(good=True)
        time.sleep(0.5)
        os._exit(0)
    os.close(outlet)
    os.waitpid(child, 0)
    with os.fdopen(inlet, "rb") as pipe:
        assert pipe.read() == b"x"
    watcher.close()


def test_changes_are_logged_as_events(caplog: pytest.LogCaptureFixture) -> None:
    """A log record carries the fields; alerts that fire and what forbids a deploy are warnings."""
    tracker, clock, watcher = made(log_changes())
    with caplog.at_level(logging.INFO, "errorbudget.live"):
        tracker.record(good=True)
        watcher.look()
        tracker.record(good=False)
        watcher.look()
        clock.advance("5d")
        watcher.look()
    watcher.close()
    told = {(r.levelname, r.errorbudget["kind"], r.errorbudget["after"]) for r in caplog.records}  # type: ignore[attr-defined]
    assert told == {
        ("INFO", "tier", "healthy"),
        ("WARNING", "tier", "exhausted"),
        ("WARNING", "alert", "firing"),
        ("INFO", "alert", "inactive"),
    }
    first = caplog.records[0]
    assert first.getMessage() == "api: tier error-budget-policy: None -> healthy"
    json.dumps(first.errorbudget)  # type: ignore[attr-defined]


def test_another_logger_is_written_to(caplog: pytest.LogCaptureFixture) -> None:
    """One of one's own, also behind an adapter."""
    tracker, _, watcher = made(
        log_changes(logging.getLogger("shop")),
        log_changes(logging.LoggerAdapter(logging.getLogger("desk"))),
    )
    with caplog.at_level(logging.INFO):
        tracker.record(good=True)
        watcher.look()
    watcher.close()
    assert [record.name for record in caplog.records] == ["shop", "desk"]


def test_structlog_gets_key_value_pairs() -> None:
    """A structlog logger is given the fields by name."""
    structlog = pytest.importorskip("structlog", reason="missing: structlog; pip install structlog")
    with structlog.testing.capture_logs() as logs:
        tracker, _, watcher = made(log_changes(structlog.get_logger()))
        tracker.record(good=False)
        watcher.look()
        watcher.close()
    assert logs[0]["event"] == "error_budget_changed"
    assert logs[0]["slo"] == "api"
    assert logs[0]["log_level"] == "warning"
