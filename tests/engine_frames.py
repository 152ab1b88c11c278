"""One table of events as a frame of each engine, and what the library itself says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget import SLO, Events

START_NS = 1_774_738_800 * 10**9
"""A whole minute: 23:00 UTC on 28 March 2026."""

COLUMNS = {"time": "ts", "status": "code", "duration": "took"}

SLOS = (
    SLO("api", target="99%", window="30d", sli=eb.Availability()),
    SLO(
        "month",
        target="99%",
        window="calendar month",
        sli=eb.Availability(bad="5xx", where={"route": "/api/.*"}),
    ),
    SLO("fast", target="99%", window="30d", sli=eb.Latency("200ms", valid="2xx")),
    SLO(
        "odd",
        target="99%",
        window="30d",
        sli=eb.RatioSLI(
            good=(eb.duration > "100ms")
            & ~(eb.status_in("4xx") | eb.label("route").matches(r"/api/users/\d+")),
            exclude=eb.label("route").matches(r"(?i)/HEALTH\w*"),
        ),
    ),
    SLO(
        "kept",
        target="99%",
        window="1d",
        sli=eb.Availability(),
        corrections=[
            eb.Maintenance(START_NS + 300 * 10**9, START_NS + 600 * 10**9),
            eb.Maintenance(START_NS + 540 * 10**9, START_NS + 900 * 10**9, "good"),
        ],
    ),
)

PLAIN = tuple(slo for slo in SLOS if slo.name != "odd")
"""Those whose patterns every engine reads, so that one look counts them."""


def table(n: int, seed: int, *, routes: int = 5) -> dict[str, Any]:
    """
    Events out of order, with repeats and holes, many of them exactly on a minute.

    Returns:
        Columns: `ts` in microseconds, `code`, `took` in seconds, `route`.
    """
    random = np.random.default_rng(seed)
    seconds = random.integers(0, 40 * 60, n)
    seconds = np.where(random.random(n) < 0.2, seconds // 60 * 60, seconds)
    part = random.choice([0, 0, 0, 1, 500_000, 999_999], n)
    names = np.array(
        ["/api/a", "/api/users/12", "/healthz", "/API/a", "line\n", "/api/\u0663"]
        + [f"/page/{number}" for number in range(routes)],
        dtype=object,
    )
    route = names[random.integers(0, len(names), n)]
    route[random.random(n) < 0.05] = None
    took = np.where(random.random(n) < 0.1, 0.2, random.exponential(0.2, n))
    code = random.choice([200, 200, 200, 204, 404, 429, 500, 503], n).astype(object)
    code[random.random(n) < 0.05] = None
    took = took.astype(object)
    took[random.random(n) < 0.05] = None
    columns = {
        "ts": START_NS // 1000 + seconds * 1_000_000 + part,
        "code": code,
        "took": took,
        "route": route,
    }
    twice = np.concatenate([np.arange(n), random.integers(0, n, n // 20)])
    return {name: column[twice] for name, column in columns.items()}


def to_events(columns: Mapping[str, Any]) -> Events:
    """The table as events."""
    return Events(
        time=np.asarray(columns["ts"], dtype=np.int64) * 1000,
        status=list(columns["code"]),
        duration_s=np.array([np.nan if x is None else x for x in columns["took"]], dtype=float),
        labels={"route": list(columns["route"])},
    )


def arrow(columns: Mapping[str, Any], zone: str | None = "UTC") -> Any:
    """The table of pyarrow."""
    pa = pytest.importorskip("pyarrow", reason="missing: pyarrow")
    return pa.table(
        {
            "ts": pa.array(np.asarray(columns["ts"], dtype=np.int64)).cast(
                pa.timestamp("us", zone)
            ),
            "code": pa.array(list(columns["code"]), pa.int32()),
            "took": pa.array(list(columns["took"]), pa.float64()),
            "route": pa.array(list(columns["route"]), pa.string()),
        }
    )


def pandas(columns: Mapping[str, Any]) -> Any:
    """Numpy's types, where missing is NaN."""
    pytest.importorskip("pandas", reason="missing: pandas")
    return arrow(columns).to_pandas()


def pandas_arrow(columns: Mapping[str, Any]) -> Any:
    """Arrow's types in pandas."""
    pd = pytest.importorskip("pandas", reason="missing: pandas")
    return arrow(columns).to_pandas(types_mapper=pd.ArrowDtype)


def berlin(columns: Mapping[str, Any]) -> Any:
    """Wall time of a zone whose clocks change."""
    frame = pandas(columns)
    return frame.assign(ts=frame["ts"].dt.tz_convert("Europe/Berlin"))


def naive(columns: Mapping[str, Any]) -> Any:
    """No zone, which is UTC."""
    return arrow(columns, zone=None)


def polars(columns: Mapping[str, Any]) -> Any:
    """An eager frame of polars."""
    return pytest.importorskip("polars", reason="missing: polars").from_arrow(arrow(columns))


def polars_lazy(columns: Mapping[str, Any]) -> Any:
    """A lazy one."""
    return polars(columns).lazy()


def nans(columns: Mapping[str, Any]) -> Any:
    """NaN for a missing duration, which polars tells from null and holds to be the greatest."""
    frame = polars(columns)
    return frame.with_columns(frame["took"].fill_null(float("nan")))


_HELD: list[Any] = []  # a connection that nobody holds is closed by older releases of DuckDB


def duckdb(columns: Mapping[str, Any]) -> Any:
    """A relation of DuckDB, in a session of another zone."""
    connection = pytest.importorskip("duckdb", reason="missing: duckdb").connect()
    _HELD.append(connection)
    connection.execute("SET TimeZone = 'America/New_York'")
    return connection.from_arrow(arrow(columns))


def dask(columns: Mapping[str, Any]) -> Any:
    """Three partitions of Dask."""
    frame = pytest.importorskip("dask.dataframe", reason="missing: dask")
    return frame.from_pandas(pandas(columns), npartitions=3)


FRAMES: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    make.__name__: make
    for make in (
        pandas,
        pandas_arrow,
        berlin,
        arrow,
        naive,
        polars,
        polars_lazy,
        nans,
        duckdb,
        dask,
    )
}


def same(one: eb.CountSeries, other: eb.CountSeries) -> bool:
    """Whether two series are one, bin by bin."""
    return (one.step_ns, one.closed) == (other.step_ns, other.closed) and all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("label_ns", "good", "total")
    )
