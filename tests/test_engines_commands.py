"""Commands on what an engine counts, on counts that were kept, and after a run was killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import errorbudget as eb
from errorbudget import SLO
from tests.engine_frames import COLUMNS, SLOS, arrow, same, table, to_events

parquet = pytest.importorskip("pyarrow.parquet", reason="missing: pyarrow")
pytest.importorskip("polars", reason="missing: polars")

NAMES = "time=ts,status=code,duration=took"


@pytest.fixture
def spec(tmp_path: Path) -> str:
    pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
    pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
    pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")
    path = tmp_path / "slos.yaml"
    path.write_text(
        "slos:\n"
        "  - {name: all, target: 99%, window: 3d, sli: {kind: availability}}\n"
        "  - {name: rps, window: 3d, sli: {kind: throughput, above: 1}}\n"
    )
    return str(path)


def run(capsys: Any, *words: str) -> tuple[int, str, str]:
    from errorbudget.cli import main

    code = main(list(words))
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_report_gate_and_history_of_what_an_engine_counts(
    spec: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counted now, counted before or read as events: one report; what counts lack is refused."""
    logs = tmp_path / "logs"
    logs.mkdir()
    columns = table(3_000, seed=3)
    parquet.write_table(arrow(columns), logs / "a.parquet")
    files, home = f"{logs}/*.parquet", str(tmp_path / "counts")
    common = ("-s", spec, "--columns", NAMES)
    code, out, err = run(capsys, "report", *common, files, "--engine", "auto", "-f", "json")
    assert (code, "engine polars, chosen for" in err, 'SLO "rps"' in err) == (0, True, True)
    counted = json.loads(out)["slos"]
    assert run(capsys, "count", *common, files, "-o", home)[0] == 0
    code, out, _ = run(capsys, "report", "-s", spec, home, "-f", "json")
    assert (code, json.loads(out)["slos"]) == (0, counted)
    slo = SLO("all", target="99%", window="3d", sli=eb.Availability())
    own = slo.evaluate(to_events(columns), at=json.loads(out)["at"])
    counts = counted[0]["counts"]
    assert (counts["good"], counts["bad"]) == (own.counts.good, own.counts.bad)
    assert run(capsys, "gate", "-s", spec, home)[0] == 1
    assert run(capsys, "gate", "-s", spec, home, "--max-burn", "2h=1e9", "--no-policy")[0] == 0
    code, out, _ = run(capsys, "history", "-s", spec, home, "-f", "csv", "--step", "10m")
    assert (code, out.count("\n") > 3) == (0, True)
    page = tmp_path / "page.html"
    assert run(capsys, "report", "-s", spec, home, "-o", str(page))[0] == 0
    assert "burn-down" in page.read_text().lower()
    for words, said in (
        ((home,), "wants objectives"),
        (("-s", spec, home, "--zone", "UTC"), "not for counts"),
        (("-s", spec, files, "--skip-bad-files"), "belongs to --engine"),
        (("-s", spec, "--engine", "polars"), "no files"),
        (("-s", spec, "--slo", "rps", home), "none of the SLOs"),
    ):
        code, _, err = run(capsys, "report", *words)
        assert (code, said in err) == (2, True), err
    (logs / "bad.parquet").write_bytes(b"no")
    engine = ("report", *common, files, "--engine", "polars")
    code, _, err = run(capsys, *engine)
    assert (code, "bad.parquet" in err) == (2, True)
    code, _, err = run(capsys, *engine, "--skip-bad-files")
    assert (code, "left out" in err) == (0, True)


_UPDATE = """
import sys
import errorbudget as eb
from tests.engine_frames import COLUMNS, SLOS
eb.update_counts(sys.argv[1], sys.argv[2], SLOS, by=["route"], engine="polars", **COLUMNS)
"""


@pytest.mark.slow
@pytest.mark.posix
def test_a_killed_run_leaves_whole_counts_and_goes_on(tmp_path: Path) -> None:
    """After SIGKILL midway each kept file is whole, and the next run counts only the rest."""
    columns = table(500, seed=4, routes=50)
    logs, home, days = tmp_path / "logs", tmp_path / "counts", 60
    for day in range(days):
        (logs / f"day={day:02}").mkdir(parents=True)
        parquet.write_table(arrow(columns), logs / f"day={day:02}" / "a.parquet")
    process = subprocess.Popen(
        [sys.executable, "-c", _UPDATE, str(home), str(logs)], cwd=Path(__file__).parents[1]
    )
    patience = time.monotonic() + 120
    while len(list(home.glob("*.parquet"))) < 5 and time.monotonic() < patience:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = len(list(home.glob("*.parquet")))
    assert 5 <= kept < days
    part = eb.read_counts(home, SLOS)  # what is there can be read at once
    assert len(part.bins)
    found = eb.update_counts(home, logs, SLOS, by=["route"], engine="polars", **COLUMNS)
    assert (len(found.counted), len(found.unchanged)) == (days - kept, kept)
    counted = eb.read_counts(home, SLOS)
    for slo in SLOS:
        assert same(counted[slo], eb.CountSeries.merge([slo.count(to_events(columns))] * days))
