"""
W2: SLI, remaining budget and burn rate of eight windows on a grid of minutes, from raw events.

What does the usual dashboard cost: 129,600 minutes x 5m, 30m, 1h, 2h, 6h, 1d, 3d, 30d? The limit
looks at every byte of the events once and does nothing else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.data import MINUTE_NS, MINUTES, START_NS, Case, edges
from benchmarks.harness import Answer, Method
from benchmarks.w1 import _columns, _duckdb_setup, _polars_setup

STEPS = [5, 30, 60, 120, 360, 1_440, 4_320, 43_200]
ERROR = 0.001


def _kernel(threads: int) -> Any:
    def run(columns: Any) -> Answer:
        from errorbudget.kernels import grid_budget, grid_counts

        return list(grid_budget(*grid_counts(*columns, edges(), threads=threads), STEPS, "99.9%"))

    return run


def _ratios(bad: Any, total: Any) -> tuple[Any, Any, Any]:
    share = bad / total
    return 1 - share, 1 - share / ERROR, share / ERROR


def _stacked(windows: list[tuple[Any, Any, Any]]) -> Answer:
    return [np.stack([np.asarray(one) for one in column]) for column in zip(*windows, strict=True)]


def _pandas_setup(case: Case) -> Any:
    import pandas as pd

    time, good = _columns(case)
    return pd.Series(good.astype(np.int64), index=pd.DatetimeIndex(time.view("M8[ns]")))


def _pandas(series: Any) -> Answer:
    import pandas as pd

    minutes = pd.date_range(
        pd.Timestamp(START_NS + MINUTE_NS), periods=MINUTES, freq="1min", unit="ns"
    )
    bins = series.resample("1min", closed="right", label="right")
    total = bins.count().reindex(minutes, fill_value=0)
    bad = total - bins.sum().reindex(minutes, fill_value=0)
    return _stacked(
        [_ratios(bad.rolling(f"{w}min").sum(), total.rolling(f"{w}min").sum()) for w in STEPS]
    )


def _polars(frame: Any) -> Answer:
    import polars as pl

    counts = (
        frame.lazy()
        .group_by_dynamic("time", every="1m", closed="right", label="right")
        .agg(total=pl.len().cast(pl.Int64), good=pl.col("good").sum().cast(pl.Int64))
    )
    minutes = pl.LazyFrame({"time": edges()[1:].view("M8[ns]")})
    series = (
        minutes.with_columns(pl.col("time").set_sorted())
        .join(counts, on="time", how="left", maintain_order="left")
        .with_columns(pl.col("total").fill_null(0), pl.col("good").fill_null(0))
        .with_columns(pl.col("time").set_sorted(), bad=pl.col("total") - pl.col("good"))
    )
    share = {
        w: pl.col("bad").rolling_sum_by("time", window_size=f"{w}m")
        / pl.col("total").rolling_sum_by("time", window_size=f"{w}m")
        for w in STEPS
    }
    answer = (
        series.select([one.alias(f"{w}") for w, one in share.items()])
        .select(
            [(1 - pl.col(f"{w}")).alias(f"sli{w}") for w in STEPS]
            + [(1 - pl.col(f"{w}") / ERROR).alias(f"left{w}") for w in STEPS]
            + [(pl.col(f"{w}") / ERROR).alias(f"burn{w}") for w in STEPS]
        )
        .collect()
    )
    return [
        np.stack([answer[f"{name}{w}"].to_numpy() for w in STEPS])
        for name in ("sli", "left", "burn")
    ]


def _duckdb(connection: Any) -> Answer:
    windows = ", ".join(
        f"sum(bad) over w{w} / nullif(sum(total) over w{w}, 0) as share{w}" for w in STEPS
    )
    frames = ", ".join(
        f"w{w} as (order by minute range between {w - 1} preceding and current row)" for w in STEPS
    )
    answer = connection.execute(
        f"with bins as (select (time - {START_NS} - 1) // {MINUTE_NS} as minute, "
        f"count(*) as total, count(*) - sum(good) as bad from events group by 1), "
        f"grid as (select g.range as minute, coalesce(total, 0) as total, "
        f"coalesce(bad, 0) as bad from range({MINUTES}) g "
        f"left join bins on bins.minute = g.range) "
        f"select {windows} from grid window {frames} order by minute"
    ).fetchnumpy()
    return _stacked(
        [
            _ratios(np.ma.filled(np.ma.asarray(answer[f"share{w}"]).astype(float), np.nan), 1)
            for w in STEPS
        ]
    )


def _numba_setup(case: Case) -> Any:
    import numba

    @numba.njit
    def run(time: Any, good: Any, steps: Any) -> Any:
        total, bad = np.zeros(MINUTES + 1, np.int64), np.zeros(MINUTES + 1, np.int64)
        for row in range(len(time)):
            minute = (time[row] - START_NS - 1) // MINUTE_NS + 1
            total[minute] += 1
            bad[minute] += not good[row]
        for minute in range(MINUTES):
            total[minute + 1] += total[minute]
            bad[minute + 1] += bad[minute]
        answer = np.empty((3, len(steps), MINUTES))
        for window in range(len(steps)):
            for minute in range(MINUTES):
                first = max(minute + 1 - steps[window], 0)
                events = total[minute + 1] - total[first]
                share = (bad[minute + 1] - bad[first]) / events if events else np.nan
                answer[0, window, minute] = 1 - share
                answer[1, window, minute] = 1 - share / ERROR
                answer[2, window, minute] = share / ERROR
        return answer

    time, good = _columns(case)
    run(time[:9], good[:9], np.array(STEPS))
    return run, time, good


def _numba(context: Any) -> Answer:
    run, time, good = context
    return list(run(time, good, np.array(STEPS)))


def _read(columns: Any) -> Answer:
    time, good = columns
    time.max()
    np.count_nonzero(good)
    return []


METHODS = {
    "errorbudget": Method(_columns, _kernel(1)),
    "errorbudget, 2 threads": Method(_columns, _kernel(2), rtol=0),
    "pandas": Method(_pandas_setup, _pandas, ("pandas",)),
    "polars": Method(_polars_setup, _polars, ("polars",)),
    "duckdb": Method(_duckdb_setup, _duckdb, ("duckdb", "pyarrow"), most=1_000_000),
    "numba": Method(_numba_setup, _numba, ("numba",)),
    "limit: read": Method(_columns, _read, answers=False),
}
