"""
What do a hundred alert policies on 90 days of minutes cost in one call, and one at a time?

The sweep crosses budget shares, long windows, short windows and holds. One at a time is `backtest`
with a single policy in a loop, and `SLO.history` with its `firing`, which answers less. Both give
the same pages before their time counts.

    python benchmarks/test_backtest.py --days 90 --rounds 5 --out benchmarks/results/studies/x.json

Source of the goal: one call at least 10 times as fast as the loop.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from errorbudget import SLO, AlertPolicy, Availability, CountSeries
from errorbudget.studies.backtest import backtest
from errorbudget.studies.pareto import policy_sweep

GOAL = 10
SLO_ = SLO("api", target="99.9%", window="30d", sli=Availability(), burn_windows=())


def minutes(days: int, seed: int = 1) -> CountSeries:
    """Minutes of some 300 requests, and an incident a week."""
    random = np.random.default_rng(seed)
    n = days * 1_440
    total = random.poisson(300, n)
    share = np.full(n, 0.0004)
    for _ in range(max(1, days // 7)):
        start, length = random.integers(0, max(1, n - 600)), random.integers(5, 400)
        share[start : start + length] = random.choice([0.005, 0.02, 0.1, 0.5])
    bad = random.binomial(total, share)
    return CountSeries((np.arange(n) + 1) * 60 * 10**9, total - bad, total, "1m")


def sweep() -> list[AlertPolicy]:
    """A hundred policies."""
    return policy_sweep(
        budget=["1%", "2%", "3%", "4%", "5%"],
        long=["30m", "1h", "2h", "4h", "6h"],
        short=["1/12", None],
        hold=["0s", "2m"],
    )


def seconds(work: Callable[[], object]) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def firing(series: CountSeries, policies: list[AlertPolicy]) -> None:
    """Where each policy fires, by histories."""
    for policy in policies:
        history = SLO_.replace(alerts=policy).history(series)
        for alert in policy.alerts:
            history.firing(alert.name)


def main() -> int:
    """Print the times; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, help="keep the rounds here, as JSON")
    asked = parser.parse_args()
    series, policies = minutes(asked.days), sweep()
    together = backtest(SLO_, series, policies)
    for policy, result in zip(policies, together, strict=True):
        assert backtest(SLO_, series, policy)[0].pages == result.pages
    methods: dict[str, Callable[[], object]] = {
        "one call": lambda: backtest(SLO_, series, policies),
        "one at a time": lambda: [backtest(SLO_, series, each) for each in policies],
        "histories, firing": lambda: firing(series, policies),
    }
    # Methods take turns, so that drift of the machine falls on all of them.
    rounds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(asked.rounds):
        for name, work in methods.items():
            rounds[name].append(seconds(work))
    medians = {name: statistics.median(taken) for name, taken in rounds.items()}
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"{len(policies)} policies, {len(series):,} minutes, {len(together.incidents)} incidents")
    for name, median in medians.items():
        print(f"{name:18}  {median:8.3f} s  {median / medians['one call']:6.1f} x")
    if asked.out is not None:
        kept = {
            "machine": platform.platform(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "load": os.getloadavg(),
            "policies": len(policies),
            "minutes": len(series),
            "rounds [s]": rounds,
            "medians [s]": medians,
            "one at a time / one call": medians["one at a time"] / medians["one call"],
        }
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        asked.out.write_text(json.dumps(kept, indent=1) + "\n")
    return int(medians["one at a time"] < GOAL * medians["one call"])


if __name__ == "__main__":
    raise SystemExit(main())
