"""Whole windows: each month has the target that it was held to."""

from __future__ import annotations

import numpy as np
import pytest

from errorbudget import SLO, Availability, CountSeries, TargetSchedule
from errorbudget.studies.whole_windows import whole_windows

HOUR = 3_600 * 10**9
API = SLO("api", target="99%", window="month", sli=Availability())


def hours(days: int) -> CountSeries:
    """Five failures in each thousand, from the beginning of 1970 on."""
    total = np.full(days * 24, 1_000)
    return CountSeries((np.arange(len(total)) + 1) * HOUR, total - 5, total, "1h")


@pytest.mark.parametrize("judge_by", ["now", "event"])
def test_a_month_has_the_target_that_was_in_force_in_it(judge_by: str) -> None:
    """The instant of its end has the next month's, and says nothing of it."""
    targets = {"1970-01-01T00:00Z": "99%", "1970-02-01T00:00Z": "99.9%"}
    slo = API.replace(target=TargetSchedule(targets, judge_by=judge_by))
    found = whole_windows(slo, hours(60), HOUR)
    assert found.time_ns.tolist() == [31 * 24 * HOUR, 59 * 24 * HOUR]
    assert found.remaining_ratio.tolist() == pytest.approx([0.5, -4], abs=1e-9)
    assert found.total.tolist() == [31 * 24_000, 28 * 24_000]
