"""What the docs say a tracker costs was measured, and the results are kept."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.test_tracker import GOALS, table

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "benchmarks" / "results" / "live"


def test_what_a_tracker_costs_is_what_was_measured() -> None:
    """The page about trackers says what the newest kept results say, and these meet the goals."""
    assert table(KEPT) in (ROOT / "docs" / "how-to" / "tracker.md").read_text("utf-8")
    for path in KEPT.glob("*.json"):
        for name, value in json.loads(path.read_text("utf-8"))["found"].items():
            word, goal = GOALS.get(name, ("at most", 5.0))
            assert value <= goal if word == "at most" else value >= goal, name
