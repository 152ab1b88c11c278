"""Files in stores: listed by fsspec, read by each engine that can, and named where one cannot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget.errors import (
    InvalidInputError,
    MissingDependencyError,
    SourceFormatError,
    SourceUnavailableError,
)
from errorbudget.sources.engines import places
from errorbudget.sources.engines.openers import choose
from tests.engine_frames import COLUMNS, SLOS, arrow, same, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
fsspec = pytest.importorskip("fsspec", reason="missing: fsspec; pip install 'errorbudget[stores]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),  # Dask's own use of pandas 3
]
TIMES = ("ts,code\n1774738800,200\n1774738801,503\n", '{"ts": 1774738802, "code": 200}\n')
TEXT: dict[str, Any] = {"time": "ts", "status": "code", "time_unit": "s"}


@pytest.fixture
def store() -> Iterator[Any]:
    """A store in memory, empty before and after."""
    found = fsspec.filesystem("memory")
    found.store.clear()
    yield found
    found.store.clear()


def put(store: Any, path: str, columns: dict[str, Any]) -> None:
    with store.open(path, "wb") as file:
        parquet.write_table(arrow(columns), file)


@pytest.mark.parametrize("engine", ["auto", "duckdb", "pyarrow", "dask"])
def test_a_partitioned_folder_in_a_store(engine: str, store: Any) -> None:
    """Folders, patterns and files of a store count as those of this machine do."""
    package = {"auto": "duckdb", "dask": "dask.dataframe"}.get(engine, engine)
    pytest.importorskip(package, reason=f"missing: {package}")
    days = {day: table(400, seed=day) for day in (1, 2)}
    for day, columns in days.items():
        put(store, f"/logs/day=0{day}/a.parquet", columns)
    store.pipe("/logs/_SUCCESS", b"")
    whole = eb.count_files("memory://logs", SLOS, by=["day"], engine=engine, **COLUMNS)
    for slo in SLOS:
        want = eb.CountSeries.merge([slo.count(to_events(each)) for each in days.values()])
        assert same(whole[slo], want)
    assert set(whole.groups("api")) == {("01",), ("02",)}
    if engine == "auto":
        assert "engine duckdb, chosen for" in whole.notes[0]
    second = eb.count_files("memory://logs/*2/*.parquet", SLOS, engine=engine, **COLUMNS)
    assert same(second["api"], SLOS[0].count(to_events(days[2])))


def test_text_in_a_store_and_packed(store: Any) -> None:
    """CSV and JSON lines are told by content there too."""
    pytest.importorskip("duckdb", reason="missing: duckdb")
    for name, text in zip(("a.csv", "b.ndjson"), TIMES, strict=True):
        store.pipe(f"/{name}", text.encode())
    counted = eb.count_files(["memory://a.csv", "memory://b.ndjson"], SLOS[0], **TEXT)
    assert (counted["api"].good.sum(), counted["api"].total.sum()) == (2, 3)


def test_damage_in_a_store_is_named_or_left_out(store: Any) -> None:
    """A torn file and a missing column carry their address."""
    pytest.importorskip("duckdb", reason="missing: duckdb")
    columns = table(200, seed=1)
    put(store, "/logs/a.parquet", columns)
    store.pipe("/logs/b.parquet", store.cat("/logs/a.parquet")[:500])
    with pytest.raises(SourceFormatError, match=r"memory://\S*logs/b\.parquet is a damaged"):
        eb.count_files("memory://logs", SLOS, **COLUMNS)
    counted = eb.count_files("memory://logs", SLOS, errors="skip", **COLUMNS)
    assert same(counted["api"], SLOS[0].count(to_events(columns)))
    assert [path.rpartition("/")[2] for path, _ in counted.skipped] == ["b.parquet"]
    with pytest.raises(SourceFormatError, match=r'memory://\S*a\.parquet has no column "cod"'):
        eb.count_files("memory://logs/a.parquet", SLOS[0], time="ts", status="cod")


def test_counts_of_a_store_are_kept(store: Any, tmp_path: Path) -> None:
    """What is new or late is counted, and nothing else, by what the store says of its files."""
    pytest.importorskip("duckdb", reason="missing: duckdb")
    home = tmp_path / "counts"

    def update() -> tuple[int, int]:
        found = eb.update_counts(home, "memory://logs", SLOS, **COLUMNS)
        return len(found.counted), len(found.unchanged)

    put(store, "/logs/day=01/a.parquet", table(200, seed=1))
    put(store, "/logs/day=02/a.parquet", table(200, seed=2))
    assert update() == (2, 0)
    assert update() == (0, 2)
    put(store, "/logs/day=01/late.parquet", table(200, seed=3))
    assert update() == (1, 1)
    want = [SLOS[0].count(to_events(table(200, seed=seed))) for seed in (1, 2, 3)]
    assert same(eb.read_counts(home, SLOS)["api"], eb.CountSeries.merge(want))
    with pytest.raises(InvalidInputError, match="folder of this machine"):
        eb.update_counts("memory://counts", "memory://logs", SLOS, **COLUMNS)


def test_what_a_store_does_not_tell_is_counted_again(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a time or a tag of its own a file may have changed under the same size."""
    pytest.importorskip("duckdb", reason="missing: duckdb")
    put(store, "/logs/a.parquet", table(200, seed=1))
    monkeypatch.setattr(places, "_CHANGES", ())
    for _ in range(2):
        found = eb.update_counts(tmp_path / "counts", "memory://logs", SLOS, **COLUMNS)
        assert len(found.counted) == 1


def test_an_address_of_this_machine_is_a_path(tmp_path: Path) -> None:
    """`file://` needs nothing installed."""
    path = tmp_path / "a b.csv"
    path.write_text(TIMES[0])
    counted = eb.count_files(path.as_uri(), SLOS[0], **TEXT)
    assert counted["api"].total.sum() == 2


def test_engines_that_read_no_such_store_say_so(store: Any) -> None:
    """The address, the engine, and what to take instead."""
    put(store, "/a.parquet", table(50, seed=1))
    for engine, package, said in (
        ("polars", "polars", "take duckdb, pyarrow or dask"),
        ("spark", "pyspark", "session.read"),
    ):
        pytest.importorskip(package, reason=f"missing: {package}")
        with pytest.raises(InvalidInputError, match=rf"{engine} reads .*{said}"):
            eb.count_files("memory://a.parquet", SLOS, engine=engine, **COLUMNS)
    assert choose("auto", 1, 1, {"s3"})[0] == "duckdb"


def test_addresses_that_lead_nowhere(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown stores, empty folders and what is not installed are named."""
    with pytest.raises(InvalidInputError, match="lies in no store that fsspec knows"):
        eb.count_files("nosuch://logs/a.parquet", SLOS)
    with pytest.raises(InvalidInputError, match="address cannot be read"):
        eb.count_files("http://[bad/a.parquet", SLOS)
    for path in ("memory://none", "memory://none/*.parquet"):
        with pytest.raises(SourceUnavailableError, match="there are no files at memory://none"):
            eb.count_files(path, SLOS)
    fsspec.register_implementation("nolib", "nosuch.Store", clobber=True, errtxt="install nolib")
    with pytest.raises(MissingDependencyError, match="nolib:// paths need more: install nolib"):
        eb.count_files("nolib://logs/a.parquet", SLOS)
    put(store, "/lake/a.parquet", table(50, seed=1))
    store.pipe("/lake/_delta_log/0.json", b"{}")
    with pytest.raises(InvalidInputError, match=r"memory://lake is a table of Delta.*scan_delta"):
        eb.count_files("memory://lake", SLOS)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingDependencyError, match=r"s3:// paths needs? .*\[stores\]"):
        eb.count_files("s3://logs/day.parquet", SLOS)


@pytest.mark.parametrize(
    "address",
    ["https://me:hunter2@host/a.parquet", "https://host/a.parquet?X-Amz-Signature=hunter2"],
)
def test_secrets_in_addresses_are_refused_unseen(address: str) -> None:
    """They would end up in messages and in kept counts."""
    with pytest.raises(InvalidInputError, match="leave them out") as caught:
        eb.count_files(address, SLOS)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(InvalidInputError, match="https:// addresses are counted by") as caught:
        eb.read_events(address)
    assert "hunter2" not in str(caught.value)
