"""
What do a hundred alert policies on 90 days of minutes cost in one call, and one at a time?

The sweep crosses budget shares, long windows, short windows and holds. One at a time is `backtest`
with a single policy in a loop, and `SLO.history` with its `firing`, which answers less. Both give
the same pages before their time counts.

    python benchmarks/test_backtest.py --days 90 --rounds 5

Source of the goal: one call at least 10 times as fast as the loop.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

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


def seconds(work: Callable[[], object], rounds: int) -> float:
    """The median of *rounds* runs."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


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
    asked = parser.parse_args()
    series, policies = minutes(asked.days), sweep()
    together = backtest(SLO_, series, policies)
    for policy, result in zip(policies, together, strict=True):
        assert backtest(SLO_, series, policy)[0].pages == result.pages
    one_call = seconds(lambda: backtest(SLO_, series, policies), asked.rounds)
    one_by_one = seconds(lambda: [backtest(SLO_, series, each) for each in policies], 1)
    histories = seconds(lambda: firing(series, policies), 1)
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"{len(policies)} policies, {len(series):,} minutes, {len(together.incidents)} incidents")
    print(f"one call            {one_call:8.3f} s")
    print(f"one at a time       {one_by_one:8.3f} s  {one_by_one / one_call:6.1f} x")
    print(f"histories, firing   {histories:8.3f} s  {histories / one_call:6.1f} x")
    return int(one_by_one < GOAL * one_call)


if __name__ == "__main__":
    raise SystemExit(main())
