"""
What each extra is for, by itself.

`make extras` installs the wheel with one extra at a time and runs that extra's test alone, where
nothing may be missing. Elsewhere each is skipped where its library is not installed.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import metadata
from pathlib import Path

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import SourceUnavailableError

T0 = 1_772_366_400
AT = (T0 + 600) * 10**9
SLO = eb.SLO("api", target="99%", window="1h", sli=eb.Availability())
COLUMNS = {"time": "time", "status": "status", "time_unit": "ns"}
LINE = '192.0.2.1 - - [01/Mar/2026:12:{:02d}:00 +0000] "GET / HTTP/1.1" {} 5 "-" "-" 0.1\n'
SPEC = "slos:\n  - name: api\n    target: 99%\n    window: 1h\n    sli: {kind: availability}\n"


@pytest.fixture
def events() -> eb.Events:
    """Ten minutes of an event a second, the last ten of them bad."""
    return eb.Events(time=np.arange(T0, T0 + 600) * 10**9, status=np.repeat([200, 503], [590, 10]))


def columns() -> dict[str, list[int]]:
    return {
        "time": [(T0 + each) * 10**9 for each in range(600)],
        "status": [200] * 590 + [503] * 10,
    }


def counts(counted: eb.Counted) -> eb.Counts:
    """What was counted of the one objective, over all of its time."""
    return counted.evaluate(at=AT)["api"].counts


EXPECTED = eb.Counts(good=590, bad=10)


def test_pandas(events: eb.Events) -> None:
    import pandas as pd

    frame = pd.DataFrame(columns())
    frame["time"] = pd.to_datetime(frame["time"], utc=True)
    assert SLO.evaluate(eb.Events.from_frame(frame), at=AT).counts == EXPECTED
    assert SLO.history(events, step="1m").to_pandas()["good"].max() == 590


def written(folder: Path) -> None:
    """The same events as a file of Parquet."""
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table(columns()), folder / "a.parquet")


def test_parquet(tmp_path: Path) -> None:
    written(tmp_path)
    assert SLO.evaluate(eb.read_events(tmp_path / "a.parquet"), at=AT).counts == EXPECTED
    assert counts(eb.count_files(tmp_path, SLO, engine="pyarrow", **COLUMNS)) == EXPECTED


def test_duckdb(tmp_path: Path) -> None:
    import duckdb

    target = tmp_path / "a.parquet"
    with duckdb.connect() as base:
        rows = f"SELECT {T0}::BIGINT * 1000000000 + i * 1000000000 AS time, if(i < 590, 200, 503)"
        base.sql(f"COPY ({rows} AS status FROM range(600) AS r(i)) TO '{target}'")
        assert counts(eb.count(base.read_parquet(str(target)), SLO, **COLUMNS)) == EXPECTED
    assert counts(eb.count_files(target, SLO, engine="duckdb", **COLUMNS)) == EXPECTED


def test_polars(tmp_path: Path) -> None:
    import polars as pl

    frame = pl.DataFrame(columns())
    frame.write_parquet(tmp_path / "a.parquet")
    assert counts(eb.count(frame.lazy(), SLO, **COLUMNS)) == EXPECTED
    assert counts(eb.count_files(tmp_path, SLO, engine="polars", **COLUMNS)) == EXPECTED


@pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning")
@pytest.mark.filterwarnings("ignore:The inplace keyword")  # Dask's own use of pandas 3
def test_dask(tmp_path: Path) -> None:
    import dask.dataframe  # noqa: F401 - skipped where it is not installed

    written(tmp_path)
    assert counts(eb.count_files(tmp_path, SLO, engine="dask", **COLUMNS)) == EXPECTED


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_spark(tmp_path: Path) -> None:
    from pyspark.sql import SparkSession

    if shutil.which("java") is None:
        pytest.skip("missing: Java 17; apt install openjdk-17-jre-headless")
    written(tmp_path)
    session = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    session = session.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    try:
        assert counts(eb.count_files(tmp_path, SLO, engine="spark", **COLUMNS)) == EXPECTED
    finally:
        session.stop()


def test_stores() -> None:
    import fsspec
    import pyarrow as pa
    from pyarrow import parquet

    with fsspec.open("memory://extras/a.parquet", "wb") as file:
        parquet.write_table(pa.table(columns()), file)
    assert counts(eb.count_files("memory://extras", SLO, **COLUMNS)) == EXPECTED


def test_calendar() -> None:
    from errorbudget.corrections import RecurringMaintenance

    weekly = RecurringMaintenance("FREQ=WEEKLY;COUNT=3", start="2026-03-02T02:00Z", duration="1h")
    assert len(weekly.intervals(eb.Interval(AT, AT + 30 * 86_400 * 10**9, "left"))) == 3


def test_specs() -> None:
    spec = eb.load(SPEC)
    assert spec.slos == (SLO,)
    assert eb.load(eb.dump(spec.slos)).slos == (SLO,)


def test_prometheus() -> None:
    from errorbudget.sources.prometheus import Client

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"status":"success","data":{"resultType":"vector","result":[]}}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - its base class asks for these names

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Client(f"http://127.0.0.1:{server.server_port}") as client:
            assert client.query("up", at=AT).text == ""
        server.shutdown()


def test_live() -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    from errorbudget.live.prometheus import BudgetCollector

    registry = CollectorRegistry()
    tracker = eb.Tracker(SLO)
    registry.register(BudgetCollector(tracker))
    tracker.record(good=False)
    assert b'errorbudget_events_total{result="bad"' in generate_latest(registry)


def test_otel() -> None:
    from errorbudget.live.telemetry import observe

    observe(eb.Tracker(SLO))


def test_redis() -> None:
    from errorbudget.live import RedisStore

    with pytest.raises(SourceUnavailableError, match="cannot share through Redis"):
        RedisStore("redis://127.0.0.1:1/0").pull(0, ())


def test_plot(events: eb.Events) -> None:
    drawn = io.BytesIO()
    SLO.history(events, step="1m").plot().savefig(drawn, format="png")
    assert drawn.getvalue().startswith(b"\x89PNG")


def test_report(events: eb.Events) -> None:
    from errorbudget.report import document
    from errorbudget.report.page import to_html

    assert to_html(document([SLO], events, at=AT)).startswith("<!doctype html>")


def test_cli(tmp_path: Path) -> None:
    import click  # noqa: F401 - skipped where it is not installed

    log = tmp_path / "access.log"
    log.write_text(
        "".join(LINE.format(each // 10, 503 if each > 590 else 200) for each in range(600)), "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "errorbudget", "gate", str(log), "--slo", "availability"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")


def test_every_extra_has_its_test() -> None:
    """By its name, so that `make extras` finds it."""
    extras = set(metadata("errorbudget").get_all("Provides-Extra") or ())
    assert {f"test_{each}" for each in extras - {"all"}} <= set(globals())
