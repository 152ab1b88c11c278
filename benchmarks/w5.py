"""
W5: a Parquet file larger than memory, to counts per minute.

Does counting cost anything beside decoding the file? `limit: decode` only decodes the two columns.
The file lies in the page cache, so the disk is not measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import MINUTE_NS, MINUTES, START_NS, Case
from benchmarks.harness import Answer, Method


def _file(case: Case) -> Path:
    path = case.folder / "events.parquet"
    if path.exists():
        return path
    import pyarrow as pa
    from pyarrow import parquet

    time, status, latency = (case.column(name) for name in ("time", "status", "latency"))
    rows = 1 << 20
    part = path.with_suffix(".part")
    stamp = pa.timestamp("ns", "UTC")
    schema = pa.schema([("time", stamp), ("status", pa.int16()), ("duration_s", pa.float32())])
    with parquet.ParquetWriter(part, schema, compression="zstd") as writer:
        for start in range(0, case.events, rows):
            chunk = slice(start, start + rows)
            columns = [
                pa.array(time[chunk]).view(stamp),
                pa.array(status[chunk]),
                pa.array(latency[chunk].astype(np.float32)),
            ]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=rows)
    part.rename(path)
    return path


def _kernel(path: Any) -> Answer:
    from errorbudget.sources.parquet_counts import parquet_counts

    counts = parquet_counts(path, "1m", lambda row: row["status"] < 500, columns=["status"])
    places = (counts.label_ns - START_NS) // MINUTE_NS - 1
    return _on_grid(places, counts.total, counts.total - counts.good)


def _on_grid(minutes: Any, total: Any, bad: Any) -> Answer:
    answer = [np.zeros(MINUTES, np.int64), np.zeros(MINUTES, np.int64)]
    for column, counts in zip(answer, (total, bad), strict=True):
        column[np.asarray(minutes)] = counts
    return answer


def _duckdb(path: Any) -> Answer:
    import duckdb

    with duckdb.connect() as connection:
        counts = connection.execute(
            f"select (epoch_ns(time) - {START_NS} - 1) // {MINUTE_NS} as minute, "
            f"count(*) as total, count(*) filter (status >= 500) as bad from '{path}' group by 1"
        ).fetchnumpy()
    return _on_grid(counts["minute"], counts["total"], counts["bad"])


def _polars(path: Any) -> Answer:
    import polars as pl

    minute = (pl.col("time").cast(pl.Int64) - (START_NS + 1)) // MINUTE_NS
    counts = (
        pl.scan_parquet(path)
        .select(minute=minute, bad=pl.col("status") >= 500)
        .group_by("minute")
        .agg(total=pl.len(), bad=pl.col("bad").sum())
        .collect(engine="streaming")
    )
    return _on_grid(*(counts[name].to_numpy() for name in ("minute", "total", "bad")))


def _pandas(path: Any) -> Answer:
    import pandas as pd

    frame = pd.read_parquet(path, columns=["time", "status"])
    minutes = ((frame["time"].astype("int64") - START_NS - 1) // MINUTE_NS).to_numpy()
    bad = minutes[(frame["status"] >= 500).to_numpy()]
    return [np.bincount(minutes, minlength=MINUTES), np.bincount(bad, minlength=MINUTES)]


def _decode(path: Any) -> Answer:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(1 << 20, columns=["time", "status"]):
            len(batch)
    return []


METHODS = {
    "errorbudget": Method(_file, _kernel, ("pyarrow",), rtol=0),
    "duckdb": Method(_file, _duckdb, ("duckdb", "pyarrow"), rtol=0),
    "polars": Method(_file, _polars, ("polars", "pyarrow"), rtol=0),
    "pandas": Method(_file, _pandas, ("pandas", "pyarrow"), most=20_000_000, rtol=0),
    "limit: decode": Method(_file, _decode, ("pyarrow",), answers=False),
}
