"""
W4: burn rates of eight windows of many SLOs over 30 days of minutes, from count series.

What does a whole catalogue of SLOs cost, against a loop over data frames? *events* is the number
of SLOs here. Every method returns all burn rates: 500 x 8 x 43,200 float64 are 1.4 GB, so much of
the time is spent on fresh memory; `limit: write` only fills that much.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.data import Case
from benchmarks.harness import Answer, Method
from benchmarks.w2 import ERROR, STEPS

BINS = 30 * 1_440


def _tables(case: Case) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    total = rng.poisson(50, (case.events, BINS))
    return total - rng.binomial(total, 0.3 if case.shape == "failing" else 0.002), total


def _kernel(threads: int) -> Any:
    def run(tables: Any) -> Answer:
        from errorbudget.kernels import batch_burn_rates

        return [batch_burn_rates(*tables, STEPS, "99.9%", threads=threads)]

    return run


def _reused_setup(case: Case) -> Any:
    return _tables(case), np.zeros((case.events, len(STEPS), BINS))


def _reused(context: Any) -> Answer:
    from errorbudget.kernels import batch_burn_rates

    tables, out = context
    return [batch_burn_rates(*tables, STEPS, "99.9%", threads=2, out=out)]


def _pandas_setup(case: Case) -> Any:
    import pandas as pd

    good, total = _tables(case)
    return [(pd.Series(t - g), pd.Series(t)) for g, t in zip(good, total, strict=True)]


def _pandas(series: Any) -> Answer:
    answer = np.empty((len(series), len(STEPS), BINS))
    for slo, (bad, total) in enumerate(series):
        for window, step in enumerate(STEPS):
            answer[slo, window] = (
                bad.rolling(step, min_periods=1).sum()
                / total.rolling(step, min_periods=1).sum()
                / ERROR
            )
    return [answer]


def _polars_setup(case: Case) -> Any:
    import polars as pl

    good, total = _tables(case)
    return [pl.DataFrame({"bad": t - g, "total": t}) for g, t in zip(good, total, strict=True)]


def _polars(frames: Any) -> Answer:
    import polars as pl

    windows = [
        (
            pl.col("bad").rolling_sum(step, min_samples=1)
            / pl.col("total").rolling_sum(step, min_samples=1)
            / ERROR
        ).alias(f"{step}")
        for step in STEPS
    ]
    answer = np.empty((len(frames), len(STEPS), BINS))
    for slo, table in enumerate(pl.collect_all([frame.lazy().select(windows) for frame in frames])):
        for window, step in enumerate(STEPS):
            answer[slo, window] = table[f"{step}"].to_numpy()
    return [answer]


def _write(tables: Any) -> Answer:
    np.empty((len(tables[0]), len(STEPS), BINS)).fill(1)
    return []


METHODS = {
    "errorbudget": Method(_tables, _kernel(1)),
    "errorbudget, 2 threads": Method(_tables, _kernel(2), rtol=0),
    "errorbudget, 2 threads, memory reused": Method(_reused_setup, _reused, rtol=0),
    "pandas": Method(_pandas_setup, _pandas, ("pandas",)),
    "polars": Method(_polars_setup, _polars, ("polars",)),
    "limit: write": Method(_tables, _write, answers=False),
}
