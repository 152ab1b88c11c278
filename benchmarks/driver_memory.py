"""
Peak memory of the driver: does an engine keep events away from it?

    python -m benchmarks --size full --only w5        # makes the file
    python -m benchmarks.driver_memory prepare benchmarks/.data/seasonal-100000000/events.parquet
    python -m benchmarks.driver_memory spark benchmarks/.data/seasonal-100000000/events-us.parquet

`prepare` writes stamps in microseconds, as Spark reads no others. Then three objectives, from that
file to kept counts per minute, in this process; Dask's two workers and Spark's JVM are processes of
their own. Printed as one line of JSON: peaks [MB] of this process as the kernel has them (VmHWM),
and of the JVM; events and bytes of the file, rows home and the bytes they are kept in, wall time
[s], and a digest of all integers.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.w8 import _slos

ENGINES = ("duckdb", "polars", "dask", "spark")


def _peak_mb(process: int | str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1e3


def _setting(engine: str, held: contextlib.ExitStack) -> Any:
    """What the engine runs in: a Dask cluster of two workers, or Spark in a small JVM."""
    if engine == "dask":
        from distributed import Client, LocalCluster

        cluster = held.enter_context(
            LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
        )
        return held.enter_context(Client(cluster))
    if engine == "spark":
        from pyspark.sql import SparkSession

        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.driver.memory", "600m")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .getOrCreate()
        )
        held.callback(session.stop)
        return session
    return None


def _microseconds(path: Path) -> Path:
    """The file with stamps that Spark reads too, beside it; written part by part."""
    import pyarrow as pa
    from pyarrow import parquet

    found = path.with_name("events-us.parquet")
    part = found.with_suffix(".part")
    with parquet.ParquetFile(path) as file:
        place = file.schema_arrow.get_field_index("time")
        stamp = pa.field("time", pa.timestamp("us", "UTC"))
        schema = file.schema_arrow.set(place, stamp)
        with parquet.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in file.iter_batches(1 << 20):
                table = pa.Table.from_batches([batch])
                writer.write_table(table.cast(schema, safe=False), row_group_size=1 << 20)
    part.rename(found)
    return found


def measured(engine: str, path: str) -> dict[str, Any]:
    """Count once, and say what it took."""
    import errorbudget as eb

    with contextlib.ExitStack() as held:
        setting = _setting(engine, held)
        start = time.perf_counter()
        home = held.enter_context(tempfile.TemporaryDirectory())
        eb.update_counts(home, path, _slos(), engine=engine)
        counted = eb.read_counts(home, _slos())
        took = time.perf_counter() - start
        bins, digest = counted.bins, hashlib.sha256()
        for name in ("start_ns", "on_start", "good", "total", "left_out"):
            digest.update(np.ascontiguousarray(getattr(bins, name)).tobytes())
        found = {
            "engine": engine,
            "driver_mb": round(_peak_mb("self")),
            "events": int(bins.total[0].sum() + bins.left_out[0].sum()),
            "bytes": Path(path).stat().st_size,
            "rows": len(bins),
            "kept_bytes": sum(file.stat().st_size for file in Path(home).iterdir()),
            "wall_s": round(took, 1),
            "digest": digest.hexdigest()[:16],
        }
        if engine == "spark":
            jvm = setting.sparkContext._jvm.java.lang.ProcessHandle.current().pid()
            found["jvm_mb"] = round(_peak_mb(jvm))
        return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=("prepare", *ENGINES))
    parser.add_argument("path")
    given = parser.parse_args()
    if given.engine == "prepare":
        print(_microseconds(Path(given.path)))
    else:
        print(json.dumps(measured(given.engine, given.path)), flush=True)
