"""Targets that changed judge each event by its day, or all of them by today."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from errorbudget import SLO, Events, RatioSLI, Target, TargetSchedule
from errorbudget.errors import ErrorBudgetError
from tests import strategies

DAY = 86_400 * 10**9


@given(strategies.schedules, strategies.instants)
def test_the_latest_change_holds(schedule: TargetSchedule, at: int) -> None:
    """From its instant on; the first one also before."""
    past = [change for change in schedule.targets if change <= at]
    assert schedule.at(at) == schedule.targets[max(past, default=min(schedule.targets))]
    assert list(schedule.targets) == sorted(schedule.targets)
    data = json.loads(json.dumps(schedule.to_dict()))
    assert TargetSchedule(**data) == schedule
    assert schedule.judge_by in str(schedule)


def test_yesterdays_promise_and_todays() -> None:
    """One bad event on each side of the change: the two ways of judging differ, by name."""
    targets = {0: "90%", 10 * DAY: "99%"}
    events = Events(time=range(DAY, 21 * DAY, DAY), good=[True] * 9 + [True] + [False] + [True] * 9)
    at = 20 * DAY
    left = {}
    for judge_by in ("event", "now"):
        slo = SLO("x", target=TargetSchedule(targets, judge_by), window="30d", sli=RatioSLI())  # type: ignore[arg-type, dict-item]
        status = slo.evaluate(events, at=at)
        assert status.budget is not None
        left[judge_by] = status.budget.allowed_exact
        assert slo.objective()["target"]["judge_by"] == judge_by
        json.dumps(status.to_dict(), allow_nan=False)
    # Nine events before the change, eleven from its instant on.
    assert left == {"event": Fraction(9, 10) + Fraction(11, 100), "now": Fraction(20, 100)}


@pytest.mark.parametrize(
    ("targets", "judge_by"),
    [
        ({}, "event"),
        (None, "event"),
        ("99%", "event"),
        ({0: "99%"}, "today"),
        ({0: "99%"}, None),
        ({0: 99}, "event"),
        ({"2026-03-01": "99%"}, "event"),
        ({0: "99%", "1970-01-01T00:00Z": "98%"}, "event"),
    ],
)
def test_schedules_that_make_no_sense(targets: Any, judge_by: Any) -> None:
    """Each is refused by name."""
    with pytest.raises(ErrorBudgetError):
        TargetSchedule(targets, judge_by)


def test_one_target_is_that_target() -> None:
    """A schedule of one entry is no schedule at all."""
    assert TargetSchedule({5: "99%"}).at(-(10**18)) == Target("99%")
