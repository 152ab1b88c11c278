"""Counting Parquet files in parts, against counting their rows at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from errorbudget.errors import (
    InvalidInputError,
    InvalidSeriesError,
    InvalidWindowError,
    NoDataError,
    SourceFormatError,
    SourceUnavailableError,
)
from errorbudget.sources.parquet_counts import parquet_counts

pa = pytest.importorskip("pyarrow", reason="missing: pyarrow; pip install 'errorbudget[parquet]'")
parquet = pytest.importorskip("pyarrow.parquet")

MINUTE = 60 * 10**9


def write(path, time, status, *, rows=3, unit="ns"):
    stamps = pa.array(time, type=pa.int64()).cast(pa.timestamp("ns", "UTC"))
    table = pa.table({"time": stamps.cast(pa.timestamp(unit, "UTC")), "status": status})
    parquet.write_table(table, path, row_group_size=rows)
    return path


def served(row):
    return row["status"] < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-5, 5), st.sampled_from([-1, 0, 1, MINUTE // 2])), min_size=1),
    st.sampled_from(["right", "left"]),
    st.booleans(),
    st.integers(1, 5),
)
def test_counts_are_those_of_the_rows(tmp_path, offsets, closed, ordered, rows):
    """In order or not, at the edges of bins, over borders of row groups and batches."""
    time = [minute * MINUTE + offset for minute, offset in offsets]
    time = sorted(time) if ordered else time
    status = [200 if index % 3 else 503 for index in range(len(time))]
    path = write(tmp_path / "events.parquet", time, status, rows=rows)
    counts = parquet_counts(
        path, "1m", served, columns=["status"], closed=closed, batch_rows=max(rows - 1, 1)
    )
    for label, good, total in zip(counts.label_ns, counts.good, counts.total, strict=True):
        if closed == "right":
            inside = [label - MINUTE < t <= label for t in time]
        else:
            inside = [label <= t < label + MINUTE for t in time]
        assert total == sum(inside)
        assert good == sum(s < 500 for s, here in zip(status, inside, strict=True) if here)
    assert counts.total.sum() == len(time)
    assert counts.total[0] > 0
    assert counts.total[-1] > 0


def test_files_add_up_and_rows_with_gaps_are_left_out(tmp_path):
    """Several files, coarser units, and what lacks a status is neither good nor bad."""
    first = write(tmp_path / "a.parquet", [MINUTE, 2 * MINUTE], [200, None], unit="ms")
    second = write(tmp_path / "b.parquet", [0, 2 * MINUTE], [500, 200], unit="s")
    counts = parquet_counts([first, second], "1m", served, columns=["status"])
    assert counts.label_ns.tolist() == [0, MINUTE, 2 * MINUTE]
    assert counts.good.tolist() == [0, 1, 1]
    assert counts.total.tolist() == [1, 1, 1]
    assert counts.left_out == 1


def test_integers_are_nanoseconds(tmp_path):
    """A time column of integers is read as it is."""
    parquet.write_table(pa.table({"ns": [1, 2], "ok": [True, False]}), tmp_path / "n.parquet")
    counts = parquet_counts(
        tmp_path / "n.parquet", "1s", lambda row: row["ok"], columns=["ok"], time="ns"
    )
    assert (counts.good.tolist(), counts.total.tolist()) == ([1], [2])


def test_what_cannot_be_read_is_named(tmp_path):
    """Missing, damaged and empty files, columns that are not there or hold something else."""
    path = write(tmp_path / "events.parquet", [1], [200])
    with pytest.raises(SourceUnavailableError, match=r"cannot open .*none.parquet: No such file"):
        parquet_counts([path, tmp_path / "none.parquet"], "1m", served, columns=["status"])
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(SourceFormatError, match=r"/damaged.parquet is a damaged"):
        parquet_counts([path, tmp_path / "damaged.parquet"], "1m", served, columns=["status"])
    with pytest.raises(NoDataError):
        parquet_counts(write(tmp_path / "e.parquet", [], []), "1m", served, columns=["status"])
    with pytest.raises(InvalidInputError, match='no column "code", only time, status'):
        parquet_counts(path, "1m", served, columns=["code"])
    with pytest.raises(InvalidWindowError, match="closed"):
        parquet_counts(path, "1m", served, columns=["status"], closed="both")
    parquet.write_table(pa.table({"time": ["noon"], "status": [200]}), tmp_path / "t.parquet")
    with pytest.raises(InvalidInputError, match="timestamps or integer ns, got string"):
        parquet_counts(tmp_path / "t.parquet", "1m", served, columns=["status"])
    wide = write(tmp_path / "wide.parquet", [0, 2**60], [200, 200])
    with pytest.raises(InvalidSeriesError, match="more than 50000000 bins of 1ms"):
        parquet_counts(wide, "1ms", served, columns=["status"])


def test_a_mask_fits_its_rows(tmp_path):
    """A mask of the wrong length is refused."""
    path = write(tmp_path / "events.parquet", [1, 2], [200, 200])
    with pytest.raises(InvalidSeriesError, match="good has shape"):
        parquet_counts(path, "1m", lambda row: np.array([True]), columns=["status"])


@pytest.mark.parametrize("batch_rows", [1, 7, 100])
def test_values_of_any_kind_are_read_whatever_the_size_of_a_row_group(tmp_path, batch_rows):
    """Texts, flags and dictionaries, of row groups that are read in parts too."""
    texts = ["fine" if row % 3 else "broken" for row in range(50)]
    columns = {
        "time": range(50),
        "text": texts,
        "kind": pa.array(texts).dictionary_encode(),
        "flag": [text == "fine" for text in texts],
    }
    parquet.write_table(pa.table(columns), tmp_path / "n.parquet", row_group_size=30)
    for column, good in {
        "text": lambda row: row["text"] == "fine",
        "kind": lambda row: row["kind"] == "fine",
        "flag": lambda row: row["flag"],
    }.items():
        counts = parquet_counts(
            tmp_path / "n.parquet", "1m", good, columns=[column], batch_rows=batch_rows
        )
        assert (counts.good.sum(), counts.total.sum()) == (33, 50)


def test_a_file_that_breaks_off_midway_is_named(tmp_path):
    """A row group that is damaged, and a file that is deleted while it is read."""
    paths = [
        write(tmp_path / f"{name}.parquet", range(4_000), [200] * 4_000, rows=1_000)
        for name in "abc"
    ]
    whole = bytearray(paths[1].read_bytes())
    offset = parquet.ParquetFile(paths[1]).metadata.row_group(2).column(0).dictionary_page_offset
    whole[offset : offset + 200] = b"\xff" * 200
    paths[1].write_bytes(whole)
    with pytest.raises(SourceFormatError, match=r"b\.parquet is a damaged"):
        parquet_counts(paths, "1m", served, columns=["status"])

    def deletes(row):
        paths[0].unlink(missing_ok=True)
        return served(row)

    with pytest.raises(SourceUnavailableError, match=r"cannot open .*a\.parquet: No such file"):
        parquet_counts(paths[0], "1m", deletes, columns=["status"])


def test_what_good_raises_is_no_fault_of_the_file(tmp_path):
    """An error of the caller's own function comes through as it is."""
    path = write(tmp_path / "events.parquet", [1, 2], [200, 200])
    with pytest.raises(FileNotFoundError, match="rules"):
        parquet_counts(path, "1m", lambda row: (tmp_path / "rules").open(), columns=["status"])


@pytest.mark.parametrize("closed", ["right", "left"])
@pytest.mark.parametrize(
    "instants", [[2**63 - 1] * 2, [-(2**63)] * 2, [0, 2**63 - 1, 5], np.array([2**63], "u8")]
)
def test_instants_that_no_bin_holds_are_refused(tmp_path, instants, closed):
    """Labels beyond int64 never wrap around."""
    table = pa.table({"time": instants, "status": [200] * len(instants)})
    parquet.write_table(table, tmp_path / "n.parquet")
    with pytest.raises(InvalidSeriesError, match="1678 to 2262"):
        parquet_counts(tmp_path / "n.parquet", "1d", served, columns=["status"], closed=closed)


def test_columns_and_parts_are_told_apart(tmp_path):
    """A name that two columns have, parts of no rows, and seconds beyond the calendar."""
    table = pa.table([[1], [200], [500]], names=["time", "status", "status"])
    parquet.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(InvalidInputError, match='more than one column "status"'):
        parquet_counts(tmp_path / "twice.parquet", "1m", served, columns=["status"])
    with pytest.raises(InvalidInputError, match="batch_rows must be at least 1, got 0"):
        parquet_counts(tmp_path / "twice.parquet", "1m", served, columns=[], batch_rows=0)
    far = pa.table({"time": pa.array([10**18], pa.timestamp("us")), "status": [200]})
    parquet.write_table(far, tmp_path / "far.parquet")
    with pytest.raises(InvalidSeriesError, match=r'"time" of .*far.parquet lies outside'):
        parquet_counts(tmp_path / "far.parquet", "1m", served, columns=["status"])
