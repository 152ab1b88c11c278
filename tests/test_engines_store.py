"""Counts that stay: brought up to date by what changed, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget import SLO
from errorbudget.errors import InvalidInputError, NoDataError, SourceFormatError
from errorbudget.sources.engines import store
from tests.engine_frames import COLUMNS, SLOS, arrow, same, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
pytest.importorskip("polars", reason="missing: polars; pip install 'errorbudget[polars]'")


class Logs:
    """A folder of days, a file or two each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts: dict[str, dict[str, Any]] = {}

    def write(self, name: str, seed: int) -> Path:
        path = self.folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.parts[name] = table(400, seed=seed)
        parquet.write_table(arrow(self.parts[name]), path)
        return path

    def counts(self, slo: SLO) -> eb.CountSeries:
        return eb.CountSeries.merge(
            slo.count(to_events(columns)) for columns in self.parts.values()
        )


@pytest.fixture
def logs(tmp_path: Path) -> Logs:
    found = Logs(tmp_path / "logs")
    found.write("day=01/a", 1)
    found.write("day=02/a", 2)
    return found


def update(logs: Logs, home: Path, **more: Any) -> Any:
    return eb.update_counts(home, logs.folder, SLOS, by=["route"], **COLUMNS, **more)


def check(logs: Logs, home: Path) -> None:
    counted = eb.read_counts(home, SLOS)
    for slo in SLOS:
        assert same(counted[slo], logs.counts(slo))
        assert same(eb.CountSeries.merge(counted.groups(slo).values()), counted[slo])


def test_only_what_changed_is_counted(logs: Logs, tmp_path: Path) -> None:
    """New partitions add, a late file re-counts its own, and doing it twice is doing it once."""
    home = tmp_path / "counts"
    assert len(update(logs, home).counted) == 2
    check(logs, home)
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    again = update(logs, home)
    assert (len(again.counted), len(again.unchanged)) == (0, 2)
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
    logs.write("day=03/a", 3)
    assert [Path(each).name for each in update(logs, home).counted] == ["day=03"]
    check(logs, home)
    late = logs.write("day=01/late", 4)
    # Only the late file is named: its partition is counted again as a whole.
    found = eb.update_counts(home, late, SLOS, by=["route"], **COLUMNS)
    assert [Path(each).name for each in found.counted] == ["day=01"]
    check(logs, home)


def test_thrown_away_logs_leave_their_counts(logs: Logs, tmp_path: Path) -> None:
    """Retention of logs does not take the history of budgets with it."""
    home = tmp_path / "counts"
    update(logs, home)
    (logs.folder / "day=01" / "a.parquet").unlink()
    assert len(update(logs, home).counted) == 0
    check(logs, home)


def test_a_run_that_was_cut_short_goes_on(
    logs: Logs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash leaves what was finished and no half file; the next run does the rest alone."""
    home = tmp_path / "counts"
    whole = store.write_blocks

    def crash(blocks: Any, path: Any) -> None:
        if len(list(home.glob("*.parquet"))) == 1:
            raise KeyboardInterrupt
        whole(blocks, path)

    monkeypatch.setattr(store, "write_blocks", crash)
    with pytest.raises(KeyboardInterrupt):
        update(logs, home)
    monkeypatch.undo()
    assert len(list(home.iterdir())) == 1
    assert len(update(logs, home).counted) == 1
    check(logs, home)


def test_bad_files_are_tried_again(logs: Logs, tmp_path: Path) -> None:
    """A file that was left out is said, and counted once it can be read."""
    home = tmp_path / "counts"
    bad = logs.folder / "day=02" / "b.parquet"
    bad.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(SourceFormatError, match=r"b\.parquet"):
        update(logs, home)
    found = update(logs, home, errors="skip")
    assert [Path(path).name for path, _ in found.skipped] == ["b.parquet"]
    check(logs, home)
    assert eb.read_counts(home, SLOS).skipped == found.skipped
    logs.write("day=02/b", 9)
    assert len(update(logs, home).counted) == 1
    check(logs, home)


def test_a_source_that_cannot_be_read_keeps_its_counts(logs: Logs, tmp_path: Path) -> None:
    """When all of a source is damaged, what was counted before stays."""
    home = tmp_path / "counts"
    update(logs, home)
    (logs.folder / "day=02" / "a.parquet").write_bytes(b"PAR1")
    assert update(logs, home, errors="skip").skipped
    check(logs, home)


def test_counts_of_other_questions_are_refused(logs: Logs, tmp_path: Path) -> None:
    """Targets may change, conditions, labels and bins may not."""
    home = tmp_path / "counts"
    with pytest.raises(NoDataError):
        eb.read_counts(home, SLOS)
    update(logs, home)
    stricter = SLOS[0].replace(target="99.99%", window="7d")
    assert eb.read_counts(home, stricter)["api"].total.sum() == logs.counts(SLOS[0]).total.sum()
    other = SLOS[0].replace(sli=eb.Availability(bad="4xx"))
    with pytest.raises(InvalidInputError, match="other conditions"):
        eb.read_counts(home, other)
    with pytest.raises(InvalidInputError, match='no counts of "new"'):
        eb.read_counts(home, SLOS[0].replace(name="new"))
    with pytest.raises(InvalidInputError, match="other labels"):
        eb.update_counts(home, logs.folder, SLOS, **COLUMNS)
    with pytest.raises(InvalidInputError, match="other bins"):
        eb.update_counts(home, logs.folder, SLOS, "5m", ["route"], **COLUMNS)
    next(home.iterdir()).write_bytes(b"PAR1")
    with pytest.raises(SourceFormatError, match="damaged"):
        eb.read_counts(home, SLOS)
    with pytest.raises(SourceFormatError, match="damaged"):
        update(logs, home)


def test_command_counts_and_reports(
    logs: Logs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`errorbudget count` keeps counts, counts nothing twice, and reports from what is kept."""
    pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
    pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
    pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")
    from errorbudget.cli import main

    spec = tmp_path / "slos.yaml"
    spec.write_text(
        "slos:\n"
        "  - {name: all, target: 99%, window: 3d, sli: {kind: availability}}\n"
        "  - {name: rps, window: 3d, sli: {kind: throughput, above: 1}}\n"
    )
    words = ["count", "-s", str(spec), "--columns", "time=ts,status=code,duration=took"]
    home = str(tmp_path / "counts")
    pattern = f"{logs.folder}/*/*.parquet"
    assert main([*words, pattern, "-o", home, "--slo", "all"]) == 0
    assert "counted 2, unchanged 0" in capsys.readouterr().err
    assert main([*words, pattern, "-o", home]) == 0
    shown = capsys.readouterr()
    assert "counted 0, unchanged 2" in shown.err
    assert 'SLO "rps"' in shown.err
    assert main([*words, "-o", home, "-f", "json"]) == 0
    [status] = json.loads(capsys.readouterr().out)["slos"]
    slo = SLO("all", target="99%", window="3d", sli=eb.Availability())
    assert status["counts"]["total"] == logs.counts(slo).total.sum()
    assert main([*words, str(logs.folder)]) == 0
    assert "all: missed" in capsys.readouterr().out
    assert main(words) == 2
    (logs.folder / "day=01" / "bad.parquet").write_bytes(b"no")
    assert main([*words, str(logs.folder)]) == 2
    assert "bad.parquet" in capsys.readouterr().err
    assert main([*words, str(logs.folder), "--skip-bad-files"]) == 0
    assert "left out" in capsys.readouterr().err
