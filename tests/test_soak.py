"""Under bad weather of every kind, what workers count is what a count by hand says."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("prometheus_client", reason="missing: pip install 'errorbudget[live]'")
if sys.platform != "linux":
    pytest.skip("memory is sampled from /proc, which Linux alone has", allow_module_level=True)

from tests.soak import soak


@pytest.mark.slow
def test_three_quarters_of_a_minute() -> None:
    """
    Every fault once: not one event too many or too few, and memory, files and threads stay.

    `make soak` does the same for an hour.
    """
    found = soak(minutes=0.75)
    assert set(found["injected"].values()) <= {1, 2, 3}
    assert len(found["injected"]) == 13
    seen = found["seen"]
    for what in (
        "scrapes without the store",
        "exchanges that failed, of one worker",
        "saves that failed, of one worker",
        "events lost with a kill, of the shared",
        "events lost with a kill, of the kept",
    ):
        assert seen[what] > 0, what
    assert seen["comparisons"] >= 3
    assert seen["events"] > 1_000
    assert found["growth over the second half [MiB]"] < 2
    for what in ("open files", "threads"):
        least, most = found[f"{what}, least and most"]
        assert most - least <= 8, what
