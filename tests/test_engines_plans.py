"""What engines are asked, by their own plans: one scan for all objectives, and only bins move."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.sources.engines import scan
from tests.engine_frames import COLUMNS, PLAIN, SLOS, arrow, same, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),  # Dask's own use of pandas 3
]
EVENTS, PARTS = 20_000, 5


@pytest.fixture(scope="module")
def columns() -> dict[str, Any]:
    return table(EVENTS, seed=21)


@pytest.fixture(scope="module")
def path(columns: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("plans") / "a.parquet"
    rows = len(columns["ts"])
    parquet.write_table(arrow(columns), found, row_group_size=rows // PARTS)
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The native frames that are brought home."""
    found: list[Any] = []
    home = scan.home

    def watched(frame: Any) -> Any:
        found.append(frame.to_native())
        return home(frame)

    monkeypatch.setattr(scan, "home", watched)
    return found


def test_duckdb_scans_once(path: Path, asked: list[Any], columns: dict[str, Any]) -> None:
    """One table scan and one group-by under all objectives; only wanted columns are read."""
    connection = pytest.importorskip("duckdb", reason="missing: duckdb").connect()
    counted = eb.count(connection.read_parquet(str(path)), PLAIN, **COLUMNS)
    [relation] = asked
    plan = relation.explain()
    assert len(re.findall(r"Function:\W+(?:PARQUET_SCAN|READ_PARQUET)", plan)) == 1, plan
    assert len(re.findall(r"(?i)hash.group.by", plan)) == 1, plan
    assert "Join" not in plan
    assert "JOIN" not in plan
    assert same(counted["api"], SLOS[0].count(to_events(columns)))


def test_polars_scans_once(path: Path, asked: list[Any]) -> None:
    """One Parquet scan with the columns that objectives ask for, and one aggregation."""
    polars = pytest.importorskip("polars", reason="missing: polars")
    eb.count(polars.scan_parquet(path), PLAIN[0], **COLUMNS)
    eb.count(polars.scan_parquet(path), PLAIN, **COLUMNS)
    one, all_of_them = (frame.explain(engine="streaming") for frame in asked)
    for plan, wanted in ((one, 2), (all_of_them, 4)):
        assert plan.count("Parquet SCAN") == 1, plan
        assert plan.count("AGGREGATE") == 1, plan
        assert f"PROJECT {wanted}/4 COLUMNS" in plan or f"PROJECT */{wanted} COLUMNS" in plan, plan
        assert "JOIN" not in plan


def test_what_dask_moves_are_bins(path: Path, asked: list[Any], columns: dict[str, Any]) -> None:
    """Each file is read once, and no task hands on more rows than there are bins."""
    dd = pytest.importorskip("dask.dataframe", reason="missing: dask")
    from dask.callbacks import Callback

    eb.count(dd.read_parquet(path, split_row_groups=1), PLAIN, **COLUMNS)
    [frame] = asked
    best = frame.optimize()
    tasks = best.__dask_graph__()
    rows: dict[Any, int] = {}

    def done(key: Any, result: Any, *_: Any) -> None:
        # Tasks that were fused into one are told of too, and hand nothing on.
        if key in tasks and hasattr(result, "columns"):
            rows[key] = len(result)

    with Callback(posttask=done):
        counted = best.compute(scheduler="synchronous")
    # Reading and adding up are one task: the events that it read never leave it.
    minutes = len(set(counted["minute"]))
    handed = {key: n for key, n in rows.items() if "repartition" not in str(key)}
    assert sum(n > 0 for n in handed.values()) >= PARTS
    assert max(handed.values()) <= 2 * minutes, handed
    # Before the shuffle some partitions are put side by side; still bins, all of them together.
    assert max(rows.values()) <= PARTS * 2 * minutes, rows
    assert PARTS * 2 * minutes < len(columns["ts"]) / 10
    assert counted["events"].sum() == len(columns["ts"])
