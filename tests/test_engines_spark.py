"""PySpark, in a session of its own on this machine: the same integers as everywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.errors import InvalidSeriesError
from errorbudget.sources.engines import scan
from tests.engine_frames import COLUMNS, PLAIN, SLOS, arrow, same, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Two cores, in a zone that is not UTC."""
    import shutil

    sql = pytest.importorskip(
        "pyspark.sql", reason="missing: pyspark; pip install 'errorbudget[spark]'"
    )
    if shutil.which("java") is None:
        pytest.skip("missing: Java 17; apt install openjdk-17-jre-headless")
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "America/New_York")
        .getOrCreate()
    )
    yield session
    session.stop()


def test_spark_gives_the_same_integers(session: Any, tmp_path: Path) -> None:
    """Frames and files alike; times without a zone are refused where Spark would shift them."""
    columns = table(20_000, seed=7, routes=300)
    events = to_events(columns)
    parquet.write_table(arrow(columns), tmp_path / "a.parquet")
    frame = session.read.parquet(str(tmp_path / "a.parquet"))
    counted = eb.count(frame, SLOS, "5m", ["route"], **COLUMNS)
    for slo in SLOS:
        assert same(counted[slo], slo.count(events, step="5m"))
    other = tmp_path / "b.parquet"
    parquet.write_table(arrow(columns, zone=None), other)
    with pytest.raises(InvalidSeriesError, match="Spark takes it for America/New_York"):
        eb.count_files(tmp_path, SLOS, engine="spark", **COLUMNS)
    session.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        twice = eb.count_files(tmp_path, SLOS, engine="spark", **COLUMNS)
    finally:
        session.conf.set("spark.sql.session.timeZone", "America/New_York")
    for slo in SLOS:
        once = slo.count(events)
        assert same(twice[slo], once + once)


def test_spark_scans_once_and_shuffles_bins(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One scan under all objectives, and sums of each task before the only exchange."""
    parquet.write_table(arrow(table(500, seed=3)), tmp_path / "a.parquet")
    asked: list[Any] = []
    home = scan.home

    def watched(frame: Any) -> Any:
        asked.append(frame.to_native())
        return home(frame)

    monkeypatch.setattr(scan, "home", watched)
    eb.count(session.read.parquet(str(tmp_path)), PLAIN, **COLUMNS)
    [frame] = asked
    plan = frame._jdf.queryExecution().sparkPlan().toString()
    assert plan.count("FileScan parquet") == 1, plan
    assert plan.count("HashAggregate") == 2, plan
    assert "partial_sum" in plan
    whole = frame._jdf.queryExecution().executedPlan().toString()
    assert whole.count("Exchange hashpartitioning") in (1, 2), (
        whole
    )  # the final plan, and the first
    assert "Join" not in whole


def test_spark_reads_text(session: Any, tmp_path: Path) -> None:
    """CSV and JSON lines are read with the types that the objectives ask for."""
    (tmp_path / "a.csv").write_text(
        "ts,code,x\n2026-03-01T12:00:00Z,200,\n2026-03-01T14:00:30+02:00,503,a\n"
    )
    (tmp_path / "b.ndjson").write_text(
        '{"ts": "2026-03-01T12:00:00Z", "code": 500}\n{"code": 200, "ts": "2026-03-01T12:01:00Z"}\n'
    )
    counted = eb.count_files(tmp_path, SLOS[0], engine="spark", time="ts", status="code")
    assert counted["api"].total.tolist() == [2, 2]
    assert counted["api"].good.tolist() == [1, 1]
