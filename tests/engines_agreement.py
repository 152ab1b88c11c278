"""
Whether all engines give the same integers, on as many events as you like.

    python -m tests.engines_agreement 10000000

Four files, each in another time zone, over a night in which clocks go forward: events out of order,
repeats, missing values, a thousand routes. Every engine counts five objectives by route, and the
library counts the events themselves; a digest of all integers is printed for each. Quantiles of the
histograms are held against exact ones.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import errorbudget as eb
from errorbudget import Events
from errorbudget.events import Labels
from errorbudget.histogram import LatencyHistogram
from errorbudget.sources.engines import latencies
from tests.engine_frames import COLUMNS, SLOS, START_NS

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
ENGINES = ("pandas", "polars", "polars lazy", "pyarrow", "duckdb", "dask", "pyspark")
QUANTILES = (0.5, 0.9, 0.99, 0.999)
ALPHA = 0.01
HOURS = 6


def make(folder: Path, events: int, routes: int = 1_000, seed: int = 1) -> list[Path]:
    """The files; repeats are 5 % of their events."""
    import pyarrow as pa
    from pyarrow import parquet

    random = np.random.default_rng(seed)
    names = ["/api/a", "/api/users/12", "/healthz", "/API/a", "line\n", "/api/\u0663"]
    names += [f"/api/v1/page/{number}" for number in range(routes - len(names))]
    paths = []
    for place, zone in enumerate(ZONES):
        n = events // len(ZONES) * 20 // 21
        seconds = random.integers(0, HOURS * 3600, n)
        seconds = np.where(random.random(n) < 0.2, seconds // 60 * 60, seconds)
        stamps = START_NS // 1000 + seconds * 1_000_000
        stamps += random.choice([0, 0, 0, 1, 500_000, 999_999], n)
        took = np.where(random.random(n) < 0.1, 0.2, random.exponential(0.2, n))
        code = random.choice([200, 200, 200, 204, 404, 429, 500, 503], n).astype(np.int32)
        route = (random.random(n) ** 3 * len(names)).astype(np.int32)
        columns = {
            "ts": pa.array(stamps).cast(pa.timestamp("us", zone)),
            "code": pa.array(code, mask=random.random(n) < 0.05),
            "took": pa.array(took, mask=random.random(n) < 0.05),
            "route": pa.DictionaryArray.from_arrays(
                pa.array(route, mask=random.random(n) < 0.05), names
            ).cast(pa.string()),
        }
        table = pa.table(columns)
        whole = events // len(ZONES) + (events % len(ZONES) if not place else 0)
        table = table.take(np.concatenate([np.arange(n), random.integers(0, n, whole - n)]))
        paths.append(folder / f"{place}.parquet")
        parquet.write_table(table, paths[-1], row_group_size=500_000)
    return paths


def _events(path: Path) -> Events:
    from pyarrow import parquet

    table = parquet.read_table(path)
    route = table["route"].combine_chunks().dictionary_encode()
    return Events(
        time=np.asarray(table["ts"].cast("int64")) * 1000,
        status=table["code"].fill_null(0).to_numpy(),
        duration_s=table["took"].to_numpy(),
        labels={
            "route": Labels(
                np.asarray(route.indices.fill_null(-1)), tuple(route.dictionary.to_pylist())
            )
        },
    )


def spark_session() -> Any:
    """Two cores of this machine, in a zone that is not UTC."""
    from pyspark.sql import SparkSession

    return (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "America/New_York")
        .getOrCreate()
    )


def opened(engine: str, path: Path) -> Any:
    """One file as a frame of *engine*."""
    if engine == "pandas":
        import pandas as pd

        return pd.read_parquet(path)
    if engine in ("polars", "polars lazy"):
        import polars as pl

        return pl.read_parquet(path) if engine == "polars" else pl.scan_parquet(path)
    if engine == "pyarrow":
        from pyarrow import parquet

        return parquet.read_table(path)
    if engine == "duckdb":
        import duckdb

        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'America/New_York'")
        return connection.read_parquet(str(path))
    if engine == "dask":
        import dask.dataframe as dd

        return dd.read_parquet(path, split_row_groups=True)
    return spark_session().read.parquet(str(path))


def integers(counted: Sequence[eb.Counted]) -> tuple[str, dict[str, Any]]:
    """A digest of every bin of every label, and the totals."""
    bins = eb.Counted.merge(counted).bins
    digest = hashlib.sha256(json.dumps(bins.groups).encode())
    for name in ("start_ns", "on_start", "group", "good", "total", "left_out"):
        digest.update(np.ascontiguousarray(getattr(bins, name)).tobytes())
    return digest.hexdigest()[:16], {
        "rows": len(bins),
        "good": bins.good.sum(axis=1).tolist(),
        "total": bins.total.sum(axis=1).tolist(),
    }


def _merged(found: Iterable[LatencyHistogram]) -> LatencyHistogram:
    merged = LatencyHistogram(ALPHA)
    for each in found:
        merged = merged.merge(each)
    return merged


def answer(engine: str, paths: Sequence[Path]) -> dict[str, Any]:
    """What *engine* says of the files, one after another."""
    start = time.perf_counter()
    counted, times = [], []
    for path in paths:
        frame = opened(engine, path)
        counted.append(eb.count(frame, SLOS, by=["route"], **COLUMNS))
        times.append(latencies(frame, duration="took", alpha=ALPHA)[()])
    digest, totals = integers(counted)
    histogram = _merged(times)
    return {
        "digest": digest,
        **totals,
        "series": eb.Counted.merge(counted),
        "histogram": histogram,
        "seconds": round(time.perf_counter() - start, 1),
    }


def check(
    paths: Sequence[Path], engines: Iterable[str], say: Callable[[str], object] = print
) -> None:
    """
    Hold each engine against the library's own reading of the events.

    Raises:
        AssertionError: A bin, a label or a bucket differs, or a quantile is off by more than ALPHA.
    """
    events = [_events(path) for path in paths]
    own = {slo.name: eb.CountSeries.merge([slo.count(part) for part in events]) for slo in SLOS}
    took = np.concatenate([part.column("duration_s") for part in events])
    took = np.sort(took[~np.isnan(took)])
    histogram = LatencyHistogram(ALPHA)
    histogram.add(took)
    # The definition of a quantile here: the nearest rank.
    exact = {q: took[int(np.ceil(q * len(took))) - 1] for q in QUANTILES}
    del events
    digests = set()
    for engine in engines:
        found = answer(engine, paths)
        for slo in SLOS:
            mine, theirs = own[slo.name], found["series"][slo]
            for name in ("label_ns", "good", "total"):
                assert np.array_equal(getattr(mine, name), getattr(theirs, name)), (engine, slo)
        assert found["histogram"] == histogram, engine
        off = {q: abs(found["histogram"].quantile(q) / exact[q] - 1) for q in QUANTILES}
        assert max(off.values()) <= ALPHA, (engine, off)
        digests.add(found["digest"])
        say(
            f"{engine:12} {found['digest']}  rows {found['rows']:,}  good {found['good'][0]:,} of "
            f"{found['total'][0]:,}  quantiles off by at most {max(off.values()):.3%}  "
            f"{found['seconds']} s"
        )
    assert len(digests) == 1, digests


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("events", type=int)
    parser.add_argument("--engines", default=",".join(ENGINES))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        files = make(Path(scratch), given.events)
        check(files, given.engines.split(","), lambda text: print(text, flush=True))
    sys.exit(0)
