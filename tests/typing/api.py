"""
The types as users see them: checked by `make types` with two checkers, never run.

Each line is something a user writes; `assert_type` says what they should see.
"""

from __future__ import annotations

from typing import Any, Literal, assert_type

import errorbudget as eb
from errorbudget.counts import Counts
from errorbudget.durations import format_duration, parse_duration
from errorbudget.errors import ErrorBudgetError, InvalidTargetError
from errorbudget.times import format_time, to_ns


def values() -> None:
    assert_type(Counts(good=4_928, bad=72), Counts)
    assert_type(Counts(good=4_928, bad=72) + Counts(good=1, bad=0), Counts)
    assert_type(parse_duration("1h30m"), int)
    assert_type(format_duration(5_400_000_000_000), str)
    assert_type(format_time(to_ns("2026-01-01T00:00:00Z")), str)


def errors() -> None:
    try:
        parse_duration("30 dayz")
    except InvalidTargetError as error:
        assert_type(error, InvalidTargetError)
    except ErrorBudgetError as error:
        assert_type(error, ErrorBudgetError)


def door(frame: Any, log: str) -> None:
    slo = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability())
    events = eb.read_events(log)
    assert_type(events, eb.Events)
    assert_type(eb.Events.from_frame(frame), eb.Events)
    status = slo.evaluate(events)
    assert_type(status, eb.Status)
    assert_type(status.sli, float | None)
    assert_type(status.state, Literal["met", "missed", "no_data"])
    assert_type(slo.history(events, step="1h"), eb.History)
    assert_type(slo.count(events), eb.CountSeries)
    assert_type(eb.burn_rate(Counts(good=99, bad=1), "99.9%"), float | None)
    assert_type(eb.budget_remaining(Counts(good=99, bad=1), "99.9%"), float | None)
    assert_type(eb.load("slos.yaml").slos, tuple[eb.SLO, ...])


def live() -> None:
    slo = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability())
    tracker = eb.Tracker(slo)
    tracker.record(good=True)
    tracker.record(status=200, duration_s=0.1)
    assert_type(tracker.status(), eb.Status)


def wrong() -> None:
    eb.SLO("api", goal="99.9%")  # type: ignore[call-arg]
    Counts(good="many")  # type: ignore[arg-type]
    parse_duration(30)  # type: ignore[arg-type]
