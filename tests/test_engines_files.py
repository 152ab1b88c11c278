"""Counting files and folders: alike or not, whole or damaged, by any engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget import SLO
from errorbudget.errors import (
    InvalidInputError,
    InvalidSeriesError,
    MissingDependencyError,
    SourceFormatError,
    SourceUnavailableError,
)
from errorbudget.sources.engines import files, openers
from errorbudget.sources.engines.openers import ENGINES, choose
from tests.engine_frames import COLUMNS, PLAIN, SLOS, arrow, same, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Dask support is moving:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword"),  # Dask's own use of pandas 3
]

LOCAL = [name for name in ENGINES if name != "spark"]


@pytest.fixture(scope="module")
def columns() -> dict[str, Any]:
    return table(3_000, seed=11)


def part(columns: dict[str, Any], rows: slice) -> dict[str, Any]:
    return {name: column[rows] for name, column in columns.items()}


def need(engine: str) -> None:
    package = {"pyarrow": "pyarrow", "dask": "dask.dataframe"}.get(engine, engine)
    pytest.importorskip(package, reason=f"missing: {package}")


def write_text(columns: dict[str, Any], path: Path) -> None:
    """CSV or JSON lines, by the name of the file."""
    stamps = np.datetime_as_string(columns["ts"].astype("datetime64[us]"))
    rows = zip(stamps, columns["code"], columns["took"], columns["route"], strict=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            import csv

            out = csv.writer(file)
            out.writerow(["ts", "code", "took", "route", "other"])
            out.writerows([f"{stamp}+00:00", *rest, "x"] for stamp, *rest in rows)
            return
        for stamp, code, took, route in rows:
            record = {"ts": f"{stamp}Z", "code": code, "took": took, "route": route, "other": [1]}
            file.write(json.dumps({k: v for k, v in record.items() if v is not None}) + "\n")


@pytest.mark.parametrize("engine", [*LOCAL, "auto"])
def test_folder_whose_files_differ(engine: str, tmp_path: Path, columns: dict[str, Any]) -> None:
    """Files with other types for a column are counted apart and added up, to the same integers."""
    if engine != "auto":
        need(engine)
    import pyarrow as pa

    first = arrow(part(columns, slice(0, 1_000)))
    second = arrow(part(columns, slice(1_000, 2_000)))
    place = second.column_names.index("code")
    second = second.set_column(place, "code", second["code"].cast(pa.float64()))
    third = arrow(part(columns, slice(2_000, None)), zone=None)
    for name, each in (("a", first), ("b", second), ("c", third)):
        parquet.write_table(each, tmp_path / f"{name}.parquet", row_group_size=300)
    (tmp_path / "_SUCCESS").touch()
    counted = eb.count_files(tmp_path, SLOS, by=["route"], engine=engine, **COLUMNS)
    for slo in SLOS:
        assert same(counted[slo], slo.count(to_events(columns)))
    word = "chosen for" if engine == "auto" else "as asked for"
    assert word in counted.notes[0]


@pytest.mark.parametrize("suffix", [".csv", ".ndjson"])
@pytest.mark.parametrize("engine", ["polars", "duckdb", "dask"])
def test_text_files(engine: str, suffix: str, tmp_path: Path, columns: dict[str, Any]) -> None:
    """CSV and JSON lines are read with the types that the objectives ask for."""
    need(engine)
    path = tmp_path / f"log{suffix}"
    kept = {name: column[columns["route"] != "line\n"] for name, column in columns.items()}
    write_text(kept, path)
    if (engine, suffix) == ("dask", ".ndjson"):
        with pytest.raises(InvalidInputError, match="parquet, csv files"):
            eb.count_files(path, SLOS, engine=engine, **COLUMNS)
        return
    counted = eb.count_files(path, SLOS, by=["route"], engine=engine, **COLUMNS)
    for slo in SLOS:
        assert same(counted[slo], slo.count(to_events(kept)))


@pytest.mark.parametrize("engine", LOCAL)
def test_partitioned_folder(engine: str, tmp_path: Path, columns: dict[str, Any]) -> None:
    """The names of folders are columns, for conditions and for labels."""
    need(engine)
    halves = {"eu": part(columns, slice(0, 1_500)), "us": part(columns, slice(1_500, None))}
    for region, half in halves.items():
        folder = tmp_path / "day=01" / f"region={region}"
        folder.mkdir(parents=True)
        parquet.write_table(arrow(half), folder / "part-0.parquet")
    slo = SLO("eu", target="99%", window="30d", sli=eb.Availability(where={"region": "eu"}))
    counted = eb.count_files(tmp_path, slo, by=["region", "day"], engine=engine, **COLUMNS)
    want = slo.replace(sli=eb.Availability()).count(to_events(halves["eu"]))
    assert counted["eu"].total.sum() == want.total.sum()
    assert set(counted.groups("eu")) == {("eu", "01"), ("us", "01")}


@pytest.mark.parametrize("engine", LOCAL)
def test_damaged_files_are_named_or_left_out(
    engine: str, tmp_path: Path, columns: dict[str, Any]
) -> None:
    """A cut file, a torn page, a missing column and a bad value: each named, the rest counted."""
    need(engine)
    good = part(columns, slice(0, 1_000))
    parquet.write_table(arrow(good), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b-cut.parquet").write_bytes(whole[: len(whole) // 2])
    torn = bytearray(whole)
    torn[4:2_000] = bytes(1_996)
    (tmp_path / "c-torn.parquet").write_bytes(torn)
    parquet.write_table(arrow(good).drop_columns(["took"]), tmp_path / "d-drift.parquet")
    wrong = {name: column.copy() for name, column in good.items()}
    wrong["code"][3] = 700
    parquet.write_table(arrow(wrong), tmp_path / "e-wrong.parquet")
    said = {
        "b-cut": (SourceFormatError, r"b-cut\.parquet is a damaged Parquet file"),
        "c-torn": (SourceFormatError, r"c-torn\.parquet cannot be counted"),
        "d-drift": (SourceFormatError, r'd-drift\.parquet has no column "took"'),
        "e-wrong": (InvalidSeriesError, r'"code" of \S*e-wrong\.parquet holds 700'),
    }
    for name, (kind, message) in said.items():
        with pytest.raises(kind, match=message):
            eb.count_files(
                [tmp_path / "a.parquet", tmp_path / f"{name}.parquet"],
                SLOS,
                engine=engine,
                **COLUMNS,
            )
    counted = eb.count_files(tmp_path, SLOS, engine=engine, errors="skip", **COLUMNS)
    assert [Path(path).stem for path, _ in sorted(counted.skipped)] == list(said)
    for slo in SLOS:
        assert same(counted[slo], slo.count(to_events(good)))
    with pytest.raises(SourceFormatError, match="none of 1 files"):
        eb.count_files(tmp_path / "b-cut.parquet", SLOS, engine=engine, errors="skip", **COLUMNS)


@pytest.mark.parametrize("engine", ["polars", "duckdb", "pyarrow"])
def test_one_torn_file_among_a_thousand(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found by halves: some twenty scans, not a thousand; the other 999 are counted."""
    need(engine)
    columns = table(20, seed=12)
    parquet.write_table(arrow(columns), tmp_path / "000.parquet")
    whole = (tmp_path / "000.parquet").read_bytes()
    for number in range(1, 1_000):
        (tmp_path / f"{number:03}.parquet").write_bytes(whole)
    torn = bytearray(whole)
    torn[4:200] = bytes(196)  # its pages; the footer, which says what is in them, is as it was
    (tmp_path / "617.parquet").write_bytes(torn)
    scans: list[int] = []
    opened = files.open_frames

    def watched(name: str, batch: Any, kinds: Any) -> Any:
        scans.append(len(batch.paths))
        return opened(name, batch, kinds)

    monkeypatch.setattr(files, "open_frames", watched)
    with pytest.raises(SourceFormatError, match=r"617\.parquet cannot be counted"):
        eb.count_files(tmp_path, SLOS[0], engine=engine, **COLUMNS)
    assert len(scans) <= 21
    counted = eb.count_files(tmp_path, SLOS[0], engine=engine, errors="skip", **COLUMNS)
    assert [Path(path).name for path, _ in counted.skipped] == ["617.parquet"]
    once = SLOS[0].count(to_events(columns))
    assert counted["api"].total.tolist() == (once.total * 999).tolist()


@pytest.mark.parametrize("engine", LOCAL)
def test_columns_of_other_kinds(engine: str, tmp_path: Path, columns: dict[str, Any]) -> None:
    """Decimals, choices of texts and columns without any value count as what they say."""
    need(engine)
    import pyarrow as pa

    part_of = part(columns, slice(0, 200))
    plain = arrow(part_of)
    rounded = plain["took"].cast(pa.decimal128(18, 6), safe=False)
    blank = {**part_of, "took": np.full(200, None), "route": np.full(200, None)}
    kinds = {
        "decimal": {"code": plain["code"].cast(pa.decimal128(12, 0)), "took": rounded},
        "choice": {
            "code": plain["code"].cast(pa.string()).dictionary_encode(),
            "route": plain["route"].dictionary_encode(),
        },
        "blank": {"took": pa.nulls(200), "route": pa.nulls(200)},
    }
    took = np.array([None if x is None else float(x) for x in rounded.to_pylist()], dtype=object)
    want = {"decimal": {**part_of, "took": took}, "choice": part_of, "blank": blank}
    for name, other in kinds.items():
        frame = plain
        for column, values in other.items():
            frame = frame.set_column(frame.column_names.index(column), column, values)
        parquet.write_table(frame, tmp_path / f"{name}.parquet")
    for name in kinds:
        path = tmp_path / f"{name}.parquet"
        counted = eb.count_files(path, PLAIN, by=["route"], engine=engine, **COLUMNS)
        for slo in PLAIN:
            assert same(counted[slo], slo.count(to_events(want[name]))), (name, slo.name)
    all_of_them = eb.count_files(tmp_path, PLAIN, engine=engine, **COLUMNS)
    sums = [PLAIN[0].count(to_events(each)) for each in want.values()]
    assert same(all_of_them["api"], eb.CountSeries.merge(sums))
    timeless = plain.set_column(0, "ts", pa.nulls(len(plain)))
    parquet.write_table(timeless, tmp_path / "timeless.parquet")
    with pytest.raises(
        InvalidSeriesError,
        match=r'"ts" of \S*timeless\.parquet must hold|timeless\.parquet have no "ts"',
    ):
        eb.count_files(tmp_path, PLAIN, engine=engine, **COLUMNS)


def test_text_that_is_not_what_it_seems(tmp_path: Path) -> None:
    """Times without a zone, broken JSON and empty files are refused by name."""
    for name, text, message in (
        ("a.csv", "ts,code\n2026-03-01 12:00:00,200\n", "times with a zone"),
        ("b.ndjson", '{"ts": 1, "code"\n', "line 1 of .* is not JSON"),
        ("c.csv", "", "is empty"),
        ("d.csv", "time,code\n1,200\n", 'no column "ts"'),
        ("e.bin", "\udcff", "neither Parquet nor text"),
    ):
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(SourceFormatError, match=message):
            eb.count_files(path, SLOS[0], time="ts", status="code")


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    """Missing files and empty folders are named with what to do."""
    with pytest.raises(SourceUnavailableError, match="no file"):
        eb.count_files(tmp_path / "x.parquet", SLOS)
    with pytest.raises(SourceUnavailableError, match="no files in"):
        eb.count_files(tmp_path, SLOS)
    with pytest.raises(InvalidInputError, match="no files were given"):
        eb.count_files([], SLOS)
    path = tmp_path / "a.csv"
    path.write_text("ts\n1\n")
    with pytest.raises(InvalidInputError, match="errors must be"):
        eb.count_files(path, SLOS, errors="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "mark"), [("Delta", "_delta_log/0.json"), ("Iceberg", "metadata/v1.metadata.json")]
)
def test_a_table_that_keeps_dead_files_is_not_a_folder(
    kind: str, mark: str, tmp_path: Path
) -> None:
    """Its log says which files count, so the folder is refused, and the way to it is named."""
    (tmp_path / mark).parent.mkdir()
    (tmp_path / mark).write_text("{}")
    (tmp_path / "part-0.parquet").write_bytes(b"")
    with pytest.raises(InvalidInputError, match=f"is a table of {kind}.*scan_{kind.lower()}"):
        eb.count_files(tmp_path, SLOS)


def test_auto_looks_at_size_and_at_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files go to polars, large ones to DuckDB, and what is missing is passed over."""
    there = {"polars", "duckdb", "pyarrow"}
    monkeypatch.setattr(openers, "installed", lambda engine: engine in there)
    assert choose("auto", 10**6, 1)[0] == "polars"
    assert choose("auto", 10**11, 1)[0] == "duckdb"
    there -= {"duckdb"}
    assert choose("auto", 10**11, 1)[0] == "polars"
    there -= {"polars"}
    assert choose("auto", 10**11, 1) == (
        "pyarrow",
        "engine pyarrow, chosen for 100,000.0 MB (files: 1)",
    )
    with pytest.raises(MissingDependencyError, match=r"errorbudget\[duckdb\]"):
        choose("duckdb", 1, 1)
    with pytest.raises(InvalidInputError, match='did you mean "polars"'):
        choose("polar", 1, 1)
