"""
W3: p95 and p99 of latency over the trailing 7 days, at every minute, warm-up windows included.

What do exact rolling quantiles cost, and what does a sketch save? Data frames answer at every event
and interpolate by other definitions, so their answers lie within a rank or two of ours: they are
compared to 5 %, at minutes with a full window; ours among each other exactly. The sketch promises
1 %.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.data import MINUTE_NS, MINUTES, Case, edges
from benchmarks.harness import Answer, Method

STEPS = 7 * 1_440
WINDOW_NS = STEPS * MINUTE_NS
SHARES = (0.95, 0.99)


def compared(case: Case) -> np.ndarray:
    """Minutes with a full window."""
    return np.arange(MINUTES) >= STEPS


def _columns(case: Case) -> tuple[np.ndarray, np.ndarray]:
    return np.array(case.column("time")), np.array(case.column("latency"))


def _exact(columns: Any) -> Answer:
    from errorbudget.kernels import rolling_quantiles

    return list(rolling_quantiles(*columns, edges()[1:], WINDOW_NS, SHARES))


def _sketch(columns: Any) -> Answer:
    from errorbudget.kernels import rolling_quantile_sketch

    return list(rolling_quantile_sketch(*columns, edges()[1:], WINDOW_NS, SHARES, alpha=0.01))


def _last_event(time: np.ndarray) -> np.ndarray:
    return np.maximum(time.searchsorted(edges()[1:], "right") - 1, 0)


def _pandas_setup(case: Case) -> Any:
    import pandas as pd

    time, latency = _columns(case)
    return pd.Series(latency, index=pd.DatetimeIndex(time.view("M8[ns]"))), _last_event(time)


def _pandas(context: Any) -> Answer:
    series, places = context
    windows = series.rolling("7D")
    return [windows.quantile(q, interpolation="higher").to_numpy()[places] for q in SHARES]


def _polars_setup(case: Case) -> Any:
    import polars as pl

    time, latency = _columns(case)
    frame = pl.DataFrame({"time": time.view("M8[ns]"), "latency": latency})
    return frame.with_columns(pl.col("time").set_sorted()), _last_event(time)


def _polars(context: Any) -> Answer:
    import polars as pl

    frame, places = context
    quantiles = [
        pl.col("latency")
        .rolling_quantile_by("time", window_size="7d", quantile=q, interpolation="higher")
        .alias(f"{q}")
        for q in SHARES
    ]
    answer = frame.select(quantiles)
    return [answer[f"{q}"].to_numpy()[places] for q in SHARES]


def _read(columns: Any) -> Answer:
    time, latency = columns
    time.max()
    latency.max()
    return []


METHODS = {
    "errorbudget": Method(_columns, _exact),
    "errorbudget, sketch of 1 %": Method(_columns, _sketch, rtol=0.01),
    "pandas": Method(_pandas_setup, _pandas, ("pandas",), most=10_000_000, rtol=0.05),
    "polars": Method(_polars_setup, _polars, ("polars",), most=1_000_000, rtol=0.05),
    "limit: read": Method(_columns, _read, answers=False),
}
