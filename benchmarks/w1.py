"""
W1: SLI and remaining budget over the trailing 30 days, at every event.

What does an answer for each single event cost, against the rolling windows of data frames and a
compiled two-pointer loop? The answer is two float64 columns, so every method writes 16 bytes an
event; `limit: copy` moves the bytes that any method must move and computes nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.data import Case
from benchmarks.harness import Answer, Method

WINDOW_NS = 30 * 86_400 * 10**9
ERROR = 0.001


def compared(case: Case) -> np.ndarray:
    """Rows that all agree on: the last of each instant (pandas leaves out ties that come later)."""
    time = case.column("time")
    return np.append(time[1:] != time[:-1], True)


def _columns(case: Case) -> tuple[np.ndarray, np.ndarray]:
    return np.array(case.column("time")), np.array(case.column("good"))


def _kernel(threads: int) -> Any:
    def run(columns: Any) -> Answer:
        from errorbudget.kernels import rolling_budget

        return list(rolling_budget(*columns, WINDOW_NS, "99.9%", threads=threads))

    return run


def _reused_setup(case: Case) -> Any:
    columns = _columns(case)
    return *columns, (np.zeros(case.events), np.zeros(case.events))


def _reused(context: Any) -> Answer:
    from errorbudget.kernels import rolling_budget

    time, good, out = context
    return list(rolling_budget(time, good, WINDOW_NS, "99.9%", threads=2, out=out))


def _naive(columns: Any) -> Answer:
    time, good = columns
    before = np.concatenate([[0], np.cumsum(good)])
    start, stop = time.searchsorted(time - WINDOW_NS, "right"), time.searchsorted(time, "right")
    share = (before[stop] - before[start]) / (stop - start)
    return [share, 1 - (1 - share) / ERROR]


def _pandas_setup(case: Case) -> Any:
    import pandas as pd

    time, good = _columns(case)
    return pd.Series(good.astype(float), index=pd.DatetimeIndex(time.view("M8[ns]")))


def _pandas(series: Any) -> Answer:
    share = series.rolling("30D").mean()
    return [share.to_numpy(), (1 - (1 - share) / ERROR).to_numpy()]


def _polars_setup(case: Case) -> Any:
    import polars as pl

    time, good = _columns(case)
    frame = pl.DataFrame({"time": time.view("M8[ns]"), "good": good})
    return frame.with_columns(pl.col("time").set_sorted())


def _polars(frame: Any) -> Answer:
    import polars as pl

    mean = pl.col("good").cast(pl.Float64).rolling_mean_by("time", window_size="30d")
    answer = frame.select(share=mean).with_columns(left=1 - (1 - pl.col("share")) / ERROR)
    return [answer["share"].to_numpy(), answer["left"].to_numpy()]


def _duckdb_setup(case: Case) -> Any:
    import duckdb
    import pyarrow as pa

    time, good = _columns(case)
    connection = duckdb.connect()
    events = pa.table({"time": time, "good": good.astype(np.int8)})  # noqa: F841 - read by name
    connection.execute("create table events as select * from events")
    return connection


def _duckdb(connection: Any) -> Answer:
    answer = connection.execute(
        f"select share, 1 - (1 - share) / {ERROR} as rest from (select time, avg(good) over (order "
        f"by time range between {WINDOW_NS - 1} preceding and current row) as share from events)"
    ).fetchnumpy()
    return [np.asarray(answer["share"]), np.asarray(answer["rest"])]


def _numba_setup(case: Case) -> Any:
    import numba

    @numba.njit
    def two_pointers(time: Any, good: Any, window: int, scale: float) -> Any:
        share, left = np.empty(len(time)), np.empty(len(time))
        first = bad = row = 0
        while row < len(time):
            now, end = time[row], row
            while end < len(time) and time[end] == now:
                bad += not good[end]
                end += 1
            while time[first] <= now - window:
                bad -= not good[first]
                first += 1
            ratio = bad / (end - first)
            for tied in range(row, end):
                share[tied] = 1 - ratio
                left[tied] = 1 - ratio * scale
            row = end
        return share, left

    time, good = _columns(case)
    two_pointers(time[:9], good[:9], WINDOW_NS, 1 / ERROR)
    return two_pointers, time, good


def _numba(context: Any) -> Answer:
    run, time, good = context
    return list(run(time, good, WINDOW_NS, 1 / ERROR))


def _copy(columns: Any) -> Answer:
    time, good = columns
    answer = [np.empty(len(time)), np.empty(len(time))]
    for column in answer:
        np.copyto(column.view(np.int64), time)
        np.count_nonzero(good)
    return answer


METHODS = {
    "errorbudget": Method(_columns, _kernel(1)),
    "errorbudget, 2 threads": Method(_columns, _kernel(2), rtol=0),
    "errorbudget, 2 threads, columns reused": Method(_reused_setup, _reused, rtol=0),
    "numpy, searched at once": Method(_columns, _naive),
    "pandas": Method(_pandas_setup, _pandas, ("pandas",), rtol=1e-8),
    "polars": Method(_polars_setup, _polars, ("polars",), rtol=1e-8),
    "duckdb": Method(_duckdb_setup, _duckdb, ("duckdb", "pyarrow"), most=100_000),
    "numba": Method(_numba_setup, _numba, ("numba",)),
    "limit: copy": Method(_columns, _copy, answers=False),
}
