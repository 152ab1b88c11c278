"""
W8: counting with an engine: does asking through the library cost anything beside asking by hand?

Three objectives from one Parquet file to counts per minute:
once with `count`, once as a person who knows the engine writes it for the same rows (events on the
very start of a minute apart, as rolling and calendar windows need them), once for minutes alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.data import MINUTE_NS, MINUTES, START_NS
from benchmarks.harness import Answer, Method
from benchmarks.w5 import _file

FAST_S, SLOW_S = 0.2, 0.5


def _slos() -> list[Any]:
    import errorbudget as eb

    return [
        eb.SLO("available", target="99.9%", window="30d", sli=eb.Availability()),
        eb.SLO("fast", target="95%", window="30d", sli=eb.Latency(f"{FAST_S}s")),
        eb.SLO("quick enough", target="99%", window="30d", sli=eb.Latency(f"{SLOW_S}s")),
    ]


def _counted(frame: Any) -> Answer:
    import errorbudget as eb

    found = eb.count(frame, _slos())
    answer = []
    for name in found.names:
        series = found[name]
        places = (series.label_ns - START_NS) // MINUTE_NS - 1
        answer += [_on_grid(places, series.total), _on_grid(places, series.good)]
    return answer


def _on_grid(minutes: Any, counts: Any) -> Any:
    """Counts of the minutes (start, end]; those that two rows make up are added."""
    column = np.zeros(MINUTES, np.int64)
    np.add.at(column, np.asarray(minutes, np.int64), np.asarray(counts, np.int64))
    return column


def _answer(minutes: Any, columns: Any) -> Answer:
    return [_on_grid(minutes, columns[name]) for name in _NAMES]


_NAMES = ("judged", "good", "timed", "fast", "timed", "quick")
_TOLD = f"""
    count(*) filter (status between 100 and 599) as judged,
    count(*) filter (status between 100 and 499) as good,
    count(*) filter (isfinite(duration_s)) as timed,
    count(*) filter (duration_s::double <= {FAST_S}) as fast,
    count(*) filter (duration_s::double <= {SLOW_S}) as quick
"""


def _duckdb(path: Any) -> Answer:
    import duckdb

    with duckdb.connect() as connection:
        return _counted(connection.read_parquet(str(path)))


def _duckdb_by_hand(path: Any) -> Answer:
    import duckdb

    with duckdb.connect() as connection:
        counts = connection.execute(
            f"select epoch_ns(time) // {MINUTE_NS} as minute, epoch_ns(time) % {MINUTE_NS} > 0 as "
            f"inside, {_TOLD} from '{path}' group by all"
        ).fetchnumpy()
    minutes = counts["minute"] - START_NS // MINUTE_NS - 1 + counts["inside"]
    return _answer(minutes, counts)


def _duckdb_minutes(path: Any) -> Answer:
    import duckdb

    with duckdb.connect() as connection:
        counts = connection.execute(
            f"select (epoch_ns(time) - {START_NS} - 1) // {MINUTE_NS} as minute, {_TOLD} "
            f"from '{path}' group by all"
        ).fetchnumpy()
    return _answer(counts["minute"], counts)


def _polars(path: Any) -> Answer:
    import polars as pl

    return _counted(pl.scan_parquet(path))


def _polars_told() -> list[Any]:
    import polars as pl

    status, took = pl.col("status"), pl.col("duration_s").cast(pl.Float64)
    return [
        status.is_between(100, 599).alias("judged"),
        status.is_between(100, 499).alias("good"),
        took.is_finite().alias("timed"),
        (took <= FAST_S).alias("fast"),
        (took <= SLOW_S).alias("quick"),
    ]


def _polars_by_hand(path: Any) -> Answer:
    import polars as pl

    time = pl.col("time").cast(pl.Int64)
    counts = (
        pl.scan_parquet(path)
        .select(time // MINUTE_NS, *_polars_told(), inside=time % MINUTE_NS > 0)
        .group_by("time", "inside")
        .agg(pl.all().sum())
        .collect(engine="streaming")
    )
    minutes = counts["time"].to_numpy() - START_NS // MINUTE_NS - 1 + counts["inside"].to_numpy()
    return _answer(minutes, counts)


def _polars_minutes(path: Any) -> Answer:
    import polars as pl

    minute = (pl.col("time").cast(pl.Int64) - (START_NS + 1)) // MINUTE_NS
    counts = (
        pl.scan_parquet(path)
        .select(minute, *_polars_told())
        .group_by("time")
        .agg(pl.all().sum())
        .collect(engine="streaming")
    )
    return _answer(counts["time"].to_numpy(), counts)


METHODS = {
    "count, duckdb": Method(_file, _duckdb, ("duckdb", "pyarrow"), rtol=0),
    "duckdb by hand": Method(_file, _duckdb_by_hand, ("duckdb", "pyarrow"), rtol=0),
    "duckdb by hand, minutes alone": Method(_file, _duckdb_minutes, ("duckdb", "pyarrow"), rtol=0),
    "count, polars": Method(_file, _polars, ("polars", "pyarrow"), rtol=0),
    "polars by hand": Method(_file, _polars_by_hand, ("polars", "pyarrow"), rtol=0),
    "polars by hand, minutes alone": Method(_file, _polars_minutes, ("polars", "pyarrow"), rtol=0),
}
