"""Goals against results: ratios within one run and memory, never seconds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOALS = Path(__file__).with_name("goals.toml")
OF = {"wall_s": "", "extra_mb": " in memory"}


@dataclass(frozen=True)
class Outcome:
    """One goal and what was measured: a ratio, with the same in processor time, or memory in MB."""

    goal: dict[str, Any]
    measured: float
    processor: float | None = None

    @property
    def missed(self) -> bool:
        if "most_mb" in self.goal:
            return self.measured > self.goal["most_mb"]
        return self.measured < self.goal["ratio"]

    @property
    def fails(self) -> bool:
        return self.missed and not self.goal.get("stretch", False)

    def __str__(self) -> str:
        goal = self.goal
        start = f"{'missed' if self.missed else 'met'}: {goal['workload']}, {goal['events']:,}: "
        stretch = " (stretch)" if goal.get("stretch") else ""
        if "most_mb" in goal:
            kept = f"{goal['method']} takes {self.measured:.0f} MB extra"
            return f"{start}{kept}, goal at most {goal['most_mb']}{stretch}"
        compared = f"{goal['peer']} / {goal['method']}{OF[goal.get('of', 'wall_s')]}"
        reached = f"{self.measured:.2f}" if self.measured < 1_000 else "over 1,000"
        return (
            f"{start}{compared} is {reached}, goal {goal['ratio']:g}{stretch}; "
            f"processor {self.processor:.2f}"
        )


def _outcome(goal: dict[str, Any], methods: dict[str, dict[str, Any]]) -> Outcome | None:
    ours = methods.get(goal["method"], {})
    if "wall_s" not in ours:
        return None
    if "most_mb" in goal:
        return Outcome(goal, ours["extra_mb"])
    peer = methods.get(goal["peer"], {})
    if "wall_s" not in peer:
        return None
    of = goal.get("of", "wall_s")
    # Memory that was not taken at all is no divisor; a page stands for it.
    taken = max(ours[of], 0.004) if of == "extra_mb" else ours[of]
    return Outcome(goal, peer[of] / taken, peer["cpu_s"] / ours["cpu_s"])


def outcomes(results: dict[str, Any]) -> list[Outcome]:
    """Each goal that *results* can answer, for the seasonal shape that goals are set for."""
    return [
        outcome
        for goal in tomllib.loads(GOALS.read_text("utf-8"))["goal"]
        for run in results["runs"]
        if (run["workload"], run["events"]) == (goal["workload"], goal["events"])
        and run["shape"] == "seasonal"
        and (outcome := _outcome(goal, run["methods"]))
    ]
