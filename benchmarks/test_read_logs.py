"""
How fast, and in how much memory, is a combined log of a million lines read?

Peers do the same job by their best general means: time, status, method and route (the path
without its query) of every line, with polars (a regular expression over whole lines; columns split
at blanks) and DuckDB (a regular expression). Every method runs in a process of its own, in turn, so
that drift of the machine falls on all; each must count the same lines per status and the same sum
of times before its time counts.

    python benchmarks/test_read_logs.py --lines 1000000 --rounds 7

The log is the public one of `tests/shared.py`, repeated with shifted days.

Source of the goals: at least half as fast as the best peer, and under 500 MB with the report.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("ERRORBUDGET_SHARED", Path(__file__).parents[2] / "shared"))
STAMP = "%d/%b/%Y:%H:%M:%S %z"

Answer = tuple[dict[int, int], int]


def write_log(path: Path, lines: int) -> None:
    """The public log repeated, each time four days later, until there are *lines*."""
    raw = gzip.decompress((FOLDER / "data/elastic_apache.log.gz").read_bytes()).splitlines(True)
    date = re.compile(rb"\[(\d\d/\w{3}/\d{4}):")
    with path.open("wb") as file:
        for turn in range(-(-lines // len(raw))):
            days: dict[bytes, bytes] = {}

            def later(
                found: re.Match[bytes], turn: int = turn, days: dict[bytes, bytes] = days
            ) -> bytes:
                if found[1] not in days:
                    day = dt.datetime.strptime(f"{found[1].decode()} +0000", "%d/%b/%Y %z")
                    moved = day + dt.timedelta(days=4 * turn)
                    days[found[1]] = moved.strftime("[%d/%b/%Y:").encode()
                return days[found[1]]

            left = lines - turn * len(raw)
            file.writelines(date.sub(later, line, count=1) for line in raw[:left])


def errorbudget(path: str) -> Callable[[], Answer]:
    """This library."""
    import numpy as np

    from errorbudget.sources import read_events

    events = read_events(path)

    def answer() -> Answer:
        assert events.status is not None
        counts = np.bincount(events.status)
        kept = {int(status): int(counts[status]) for status in np.flatnonzero(counts)}
        return kept, int((events.time // 10**9).sum())

    return answer


def of_polars(frame: Any) -> Callable[[], Answer]:
    """The answer of a polars frame with the columns time and status."""

    def answer() -> Answer:
        counts = frame["status"].value_counts()
        kept = dict(zip(counts["status"].to_list(), counts["count"].to_list(), strict=True))
        return kept, int(frame["time"].dt.epoch("s").sum())

    return answer


def polars_regex(path: str) -> Callable[[], Answer]:
    """polars: each line one column, taken apart by one regular expression."""
    import polars as pl

    pattern = r'\[(?<time>[^\]]+)\] "(?<method>\S+) (?<route>[^ ?"]+)[^"]*" (?<status>\d{3})'
    line = pl.col("line").str.extract_groups(pattern)
    frame = (
        pl.scan_csv(path, has_header=False, separator="\x01", quote_char=None, new_columns=["line"])
        .select(line.alias("parts"))
        .unnest("parts")
        .with_columns(pl.col("time").str.to_datetime(STAMP), pl.col("status").cast(pl.Int16))
        .collect(engine="streaming")
    )
    return of_polars(frame)


def polars_columns(path: str) -> Callable[[], Answer]:
    """polars: columns split at blanks; right only for requests of exactly three words."""
    import polars as pl

    day, zone = pl.col("column_3").str.slice(1), pl.col("column_4").str.head(5)
    frame = (
        pl.scan_csv(
            path,
            has_header=False,
            separator=" ",
            quote_char=None,
            infer_schema=False,
            truncate_ragged_lines=True,
        )
        .select(
            pl.concat_str([day, zone], separator=" ").str.to_datetime(STAMP).alias("time"),
            pl.col("column_5").str.slice(1).alias("method"),
            pl.col("column_6").str.extract(r"^([^?]*)").alias("route"),
            pl.col("column_8").cast(pl.Int16).alias("status"),
        )
        .collect(engine="streaming")
    )
    return of_polars(frame)


def duckdb_regex(path: str) -> Callable[[], Answer]:
    """DuckDB: each line one column, taken apart by one regular expression."""
    import duckdb
    import numpy as np

    pattern = r'\[([^\]]+)\] "(\S+) ([^ ?"]+)[^"]*" (\d{3})'
    found: Any = duckdb.sql(
        f"""
        select epoch(strptime(p.time, '{STAMP}')) as time, p.method, p.route,
               p.status::smallint as status
        from (
            select regexp_extract(line, '{pattern}', ['time', 'method', 'route', 'status']) as p
            from read_csv('{path}', columns={{'line': 'VARCHAR'}}, delim='\x01', header=false,
                          quote='', escape='', auto_detect=false)
        )
        """
    )
    found = found.fetchnumpy()

    def answer() -> Answer:
        counts = np.bincount(found["status"])
        kept = {int(status): int(counts[status]) for status in np.flatnonzero(counts)}
        return kept, int(found["time"].sum())

    return answer


METHODS: dict[str, Callable[[str], Callable[[], Answer]]] = {
    "errorbudget": errorbudget,
    "polars regex": polars_regex,
    "polars columns": polars_columns,
    "duckdb regex": duckdb_regex,
}


def peak_mb() -> float:
    """The most memory that this process has held [MB]."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1_048.576 if sys.platform != "darwin" else 1e6
    )


def serve(method: str, path: str) -> None:
    """Read the log once for each line of standard input, and print what it took."""
    for _ in sys.stdin:
        start = time.perf_counter()
        answer = METHODS[method](path)
        seconds = time.perf_counter() - start
        peak = peak_mb()
        counts, total = answer()
        row = {"seconds": seconds, "peak_mb": peak, "counts": sorted(counts.items()), "sum": total}
        print(json.dumps(row), flush=True)


def measured(path: Path, rounds: int) -> dict[str, dict[str, Any]]:
    """Median and all times of every method, and its peak memory."""
    workers = {
        method: subprocess.Popen(
            [sys.executable, __file__, "--serve", method, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for method in METHODS
    }
    rows: dict[str, list[dict[str, Any]]] = {method: [] for method in METHODS}
    try:
        for turn in range(rounds + 1):
            for method, worker in workers.items():
                assert worker.stdin is not None
                assert worker.stdout is not None
                worker.stdin.write("\n")
                worker.stdin.flush()
                said = worker.stdout.readline()
                if said and turn:  # the first round warms up
                    rows[method].append(json.loads(said))
    finally:
        for worker in workers.values():
            worker.communicate()
    own = rows["errorbudget"][0]
    found = {}
    for method, each in rows.items():
        right = bool(each) and all(
            (row["counts"], row["sum"]) == (own["counts"], own["sum"]) for row in each
        )
        times = [row["seconds"] for row in each]
        found[method] = {
            "right": right,
            "median_s": statistics.median(times) if times else None,
            "times_s": times,
            "peak_mb": max((row["peak_mb"] for row in each), default=None),
        }
    return found


def test_reading_is_at_least_half_as_fast_as_the_best_peer(tmp_path: Path) -> None:
    """Against the fastest peer with the right answer, and under 500 MB."""
    import pytest

    for peer in ("polars", "duckdb"):
        pytest.importorskip(peer, reason=f"missing: {peer}; pip install 'errorbudget[{peer}]'")
    if not (FOLDER / "data/elastic_apache.log.gz").exists():
        pytest.skip("missing: reference data data/elastic_apache.log.gz")
    path = tmp_path / "access.log"
    write_log(path, 1_000_000)
    found = measured(path, rounds=5)
    own = found.pop("errorbudget")
    best = min(row["median_s"] for row in found.values() if row["right"])
    assert own["median_s"] <= 2 * best
    assert own["peak_mb"] < 500


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        serve(*asked.serve)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "access.log"
        write_log(path, asked.lines)
        size = path.stat().st_size / 1e6
        found = measured(path, asked.rounds)
    own = found["errorbudget"]["median_s"]
    load = os.getloadavg()[0]
    print(
        f"{asked.lines:,} lines, {size:.0f} MB; {platform.machine()}, {os.cpu_count()} cores, "
        f"load {load:.1f}, Python {platform.python_version()}, {dt.datetime.now(dt.UTC):%Y-%m-%d}"
    )
    for method, row in found.items():
        if not row["right"]:
            print(f"{method:15s} gave another answer or none")
            continue
        times = " ".join(f"{seconds:.2f}" for seconds in row["times_s"])
        print(
            f"{method:15s} {row['median_s']:.2f} s ({row['median_s'] / own:.2f} of ours), "
            f"peak {row['peak_mb']:.0f} MB; all: {times}"
        )


if __name__ == "__main__":
    main()
