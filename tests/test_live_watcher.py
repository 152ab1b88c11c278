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


def test_a_failing_callback_is_counted_and_harms_no_other() -> None:
    """Exceptions are contained, and the callbacks behind it are called."""
    heard: list[Change] = []

    def broken(change: Change) -> None:
        raise ValueError("pager is down")

    tracker, _, watcher = made(broken, heard.append)
    tracker.record(good=True)
    watcher.look()
    assert watcher.failures == len(heard) == 1
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


def test_hysteresis_holds_the_tier() -> None:
    """A better tier is taken again only beyond the policy's margin."""
    slo = API.replace(policy=eb.ERROR_BUDGET_POLICY.with_hysteresis("10%"))
    heard: list[Change] = []
    tracker = Tracker(slo, clock=ManualClock(NOON))
    watcher = Watcher(tracker, heard.append, every="1h")
    for good, bad in [(9_949, 51), (500, 0), (3_000, 0)]:
        tracker.record_many(good=np.arange(good + bad) < good)
        watcher.look()
    tiers = [change.after for change in heard if change.kind == "tier"]
    assert tiers == ["consuming", "healthy"]
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
    """A log record carries the fields; what forbids a deploy is a warning."""
    tracker, _, watcher = made(log_changes())
    with caplog.at_level(logging.INFO, "errorbudget.live"):
        tracker.record(good=True)
        watcher.look()
        tracker.record(good=False)
        watcher.look()
    assert caplog.records[0].levelno == logging.INFO
    assert caplog.records[0].errorbudget["after"] == "healthy"  # type: ignore[attr-defined]
    assert caplog.records[1].levelno == logging.WARNING
    json.dumps(caplog.records[1].errorbudget)  # type: ignore[attr-defined]
    watcher.close()


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
