"""Goals against results: ratios within one run, never seconds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GOALS = Path(__file__).with_name("goals.toml")


@dataclass(frozen=True)
class Outcome:
    """One goal, the ratio that was measured, and the same ratio in processor time."""

    goal: dict[str, Any]
    measured: float
    processor: float

    @property
    def missed(self) -> bool:
        return self.measured < self.goal["ratio"]

    @property
    def fails(self) -> bool:
        return self.missed and not self.goal.get("stretch", False)

    def __str__(self) -> str:
        goal = self.goal
        of = {"wall_s": "", "extra_mb": " in memory"}
        verdict = "missed" if self.missed else "met"
        return (
            f"{verdict}: {goal['workload']}, {goal['events']:,}: {goal['peer']} / {goal['method']}"
            f"{of[goal.get('of', 'wall_s')]} is {self.measured:.2f}, goal {goal['ratio']:g}"
            f"{' (stretch)' if goal.get('stretch') else ''}; processor {self.processor:.2f}"
        )


def outcomes(results: dict[str, Any]) -> list[Outcome]:
    """Each goal that *results* can answer, for the seasonal shape that goals are set for."""
    found = []
    for goal in tomllib.loads(GOALS.read_text("utf-8"))["goal"]:
        for run in results["runs"]:
            if (run["workload"], run["events"], run["shape"]) != (
                goal["workload"],
                goal["events"],
                "seasonal",
            ):
                continue
            ours, peer = (run["methods"].get(goal[name], {}) for name in ("method", "peer"))
            if "wall_s" in ours and "wall_s" in peer:
                of = goal.get("of", "wall_s")
                found.append(Outcome(goal, peer[of] / ours[of], peer["cpu_s"] / ours["cpu_s"]))
    return found
