"""Each command on good input: what it prints, writes and returns."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from errorbudget.cli import main

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("rich", reason="missing: rich; pip install 'errorbudget[cli]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel; pip install 'errorbudget[specs]'")

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of the shop, as a folder with a log, a spec and a JSON report."""
    folder = tmp_path_factory.mktemp("shop")
    assert main(["simulate", "-o", str(folder / "access.log"), "--days", "3"]) == 0
    (folder / "slos.yaml").write_text(
        "slos:\n"
        "  - {name: all, target: 99%, window: 3d, sli: {kind: availability}}\n"
        "  - name: cart\n"
        "    target: 99%\n"
        "    window: 3d\n"
        "    sli: {kind: availability, where: {route: /cart}}\n"
    )
    assert (
        main(
            [
                "report",
                "-s",
                str(folder / "slos.yaml"),
                str(folder / "access.log"),
                "-o",
                str(folder / "report.json"),
            ]
        )
        == 0
    )
    return folder


def run(words: list[str], capsys: Captured) -> tuple[int, str]:
    """Exit code and standard output."""
    capsys.readouterr()
    code = main(words)
    return code, capsys.readouterr().out


def test_demo_makes_everything(tmp_path: Path, capsys: Captured) -> None:
    """The demo writes log, spec and page, prints the report, and can be repeated."""
    pytest.importorskip("jinja2", reason="missing: jinja2; pip install 'errorbudget[report]'")
    out = tmp_path / "demo"
    for _ in range(2):
        code, shown = run(["demo", "--out", str(out), "--days", "1"], capsys)
        assert code == 0
    assert {path.name for path in out.iterdir()} == {"access.log", "slos.yaml", "report.html"}
    for part in ("database failover", "shop-availability", "burn-down", "Try next", "open it"):
        assert part in shown
    assert main(["validate", str(out / "slos.yaml")]) == 0


def test_guide_is_a_valid_spec(tmp_path: Path, capsys: Captured) -> None:
    """What `demo --guide` prints is read back by `validate`."""
    code, text = run(["demo", "--guide"], capsys)
    assert code == 0
    (tmp_path / "guide.yaml").write_text(text)
    code, shown = run(["validate", str(tmp_path / "guide.yaml")], capsys)
    assert code == 0
    assert "API Endpoints Availability: 99.9% over 30d" in shown


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "csv"])
def test_every_form_names_every_slo(form: str, shop: Path, capsys: Captured) -> None:
    """Each form comes out, on the screen and as a file with the same content."""
    words = ["report", "-s", str(shop / "slos.yaml"), str(shop / "access.log"), "--format", form]
    code, shown = run(words, capsys)
    assert code == 0
    assert "all" in shown
    assert "cart" in shown
    path = shop / f"again.{form}"
    assert main([*words, "-o", str(path)]) == 0
    if form != "text":
        assert path.read_text("utf-8") == shown


def test_the_name_of_the_file_says_the_form(shop: Path) -> None:
    """-o report.md is Markdown."""
    log = str(shop / "access.log")
    assert main(["report", log, "-o", str(shop / "said.md")]) == 0
    assert (shop / "said.md").read_text("utf-8").startswith("# Error budget report")


def test_where_and_slo_narrow(shop: Path, capsys: Captured) -> None:
    """--where is a condition on the default SLOs; --slo picks one."""
    log = str(shop / "access.log")
    code, shown = run(
        ["report", log, "--where", "route=/cart", "--slo", "availability", "-f", "json"], capsys
    )
    assert code == 0
    narrow = json.loads(shown)["slos"]
    code, shown = run(
        ["report", "-s", str(shop / "slos.yaml"), log, "--slo", "cart", "-f", "json"], capsys
    )
    assert [slo["name"] for slo in narrow] == ["availability"]
    assert narrow[0]["counts"] == json.loads(shown)["slos"][0]["counts"]


def test_gate_of_a_report_and_of_data_agree(
    shop: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same answer from the JSON report and from spec plus log; exit code 1 is no."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    report, log = str(shop / "report.json"), str(shop / "access.log")
    spec = ["-s", str(shop / "slos.yaml")]
    for rules in ([], ["--min-remaining", "99%"], ["--max-burn", "3d=0.01"], ["--no-policy"]):
        by_report = run(["gate", report, *rules], capsys)
        assert by_report == run(["gate", *spec, log, *rules], capsys)
        assert by_report[0] == (1 if len(rules) == 2 else 0)
        assert len(by_report[1].splitlines()) == 1
    code, shown = run(["gate", report, "--min-remaining", "99%", "--override", "INC-7"], capsys)
    assert (code, "INC-7" in shown, "would be closed" in shown) == (0, True, True)


def test_gate_writes_for_github(
    shop: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An annotation in one line, and a summary that is added to what is there."""
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    words = ["gate", str(shop / "report.json"), "--min-remaining", "99%", "--format", "github"]
    code, shown = run(words, capsys)
    assert code == 1
    assert shown.startswith("::error title=Error budget gate::gate closed")
    assert "%25" in shown
    text = summary.read_text("utf-8")
    assert text.startswith("before\n### ❌ Error budget gate\n")
    assert "- all: " in text


def test_gate_without_data(shop: Path, tmp_path: Path, capsys: Captured) -> None:
    """No data is exit code 3 and closed, or open when told; an old report is no data."""
    log = str(shop / "access.log")
    words = ["gate", "-s", str(shop / "slos.yaml"), log, "--at", "2020-01-01T00:00:00Z"]
    assert run(words, capsys)[0] == 3
    assert run([*words, "--on-no-data", "open"], capsys)[0] == 0
    (tmp_path / "empty.log").write_text("")
    assert run(["gate", str(tmp_path / "empty.log")], capsys)[0] == 3
    code, shown = run(["gate", str(shop / "report.json"), "--max-age", "1h"], capsys)
    assert (code, "old, more than 1h" in shown) == (1, True)
    assert run(["gate", str(shop / "report.json"), "--max-age", "99999d"], capsys)[0] == 0


def test_gate_as_json(shop: Path, capsys: Captured) -> None:
    """The verdict as data."""
    code, shown = run(["gate", str(shop / "report.json"), "-f", "json"], capsys)
    data = json.loads(shown)
    assert (code, data["open"], data["schema"], data["reasons"]) == (
        0,
        True,
        "errorbudget.gate/1",
        [],
    )


def test_a_history_is_no_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that a spreadsheet would work out is written as text, as in every other CSV."""
    data = tmp_path / "requests.csv"
    data.write_text("time,status\n2026-03-02T10:00:00Z,200\n")
    spec = tmp_path / "slos.yaml"
    spec.write_text("slos: [{name: '=1+1', target: 99%, window: 1d, sli: {good: 2xx}}]")
    assert main(["history", "-s", str(spec), str(data), "--step", "1h", "-f", "csv"]) == 0
    header, row, *_ = capsys.readouterr().out.splitlines()
    assert header.startswith("slo,")
    assert row.startswith("'=1+1,")


def test_history_forms_agree(shop: Path, capsys: Captured) -> None:
    """Table, CSV and JSON hold the same points, the last of which is the report's."""
    words = ["history", "-s", str(shop / "slos.yaml"), str(shop / "access.log"), "--step", "6h"]
    rows = list(csv.DictReader(io.StringIO(run([*words, "-f", "csv"], capsys)[1])))
    data = json.loads(run([*words, "-f", "json"], capsys)[1])["slos"]
    points = [point for slo in data for point in slo["points"]]
    assert len(rows) == len(points) == 2 * 12
    assert [row["time"] for row in rows] == [point["time"] for point in points]
    assert [float(row["sli"]) for row in rows] == [point["sli"] for point in points]
    table = run([*words, "--slo", "all"], capsys)[1]
    assert len(table.splitlines()) == 2 + 12
    whole = json.loads((shop / "report.json").read_text())["slos"][0]
    assert points[11]["total"] == whole["counts"]["total"]


@pytest.mark.parametrize("form", ["png", "svg"])
def test_history_as_a_picture(form: str, shop: Path) -> None:
    """One SLO as a picture file, the same bytes every time."""
    pytest.importorskip("matplotlib", reason="missing: matplotlib; pip install 'errorbudget[plot]'")
    out = shop / f"history.{form}"
    words = ["history", str(shop / "access.log"), "-o", str(out), "--slo"]
    seen = []
    for _ in range(2):
        assert main([*words, "availability"]) == 0
        seen.append(out.read_bytes())
    assert seen[0] == seen[1]
    assert seen[0].startswith(b"\x89PNG" if form == "png" else b"<?xml")
    assert main(words[:-1]) == 2


def test_allowances(capsys: Captured) -> None:
    """Targets, the table of nines, the guide's table, events, and the other way round."""
    assert "43.2 min" in run(["allowance", "99.9%"], capsys)[1]
    assert "129,600" in run(["allowance", "99.9%", "--rate", "50/s"], capsys)[1]
    assert "99.9999%" in run(["allowance", "--nines"], capsys)[1]
    assert "Health Checks" in run(["allowance", "--guide"], capsys)[1]
    inverse = run(["allowance", "--downtime", "5m", "--per", "1w"], capsys)[1]
    assert inverse.startswith("5m in 1w is a target of 99.9504%, 3.3 nines (exactly 2015/2016)")
    data = json.loads(run(["allowance", "99.9%", "100%", "-f", "json"], capsys)[1])
    assert data[0]["periods"][0]["downtime_s"] == 2_592
    assert data[1]["nines"] is None
    month = run(["allowance", "99.9%", "--window", "month", "--at", "2026-02-10T00:00Z"], capsys)[1]
    assert "40.32 min" in month


def test_simulation_tells_the_truth(tmp_path: Path, capsys: Captured) -> None:
    """The same seed gives the same log; the truth says how many requests failed."""
    for name in ("a", "b"):
        words = ["simulate", "-o", str(tmp_path / f"{name}.log"), "--days", "0.5"]
        assert main([*words, "--truth", str(tmp_path / f"{name}.json")]) == 0
    assert (tmp_path / "a.log").read_bytes() == (tmp_path / "b.log").read_bytes()
    truth = json.loads((tmp_path / "a.json").read_text())
    shown = run(["report", str(tmp_path / "a.log"), "-f", "json"], capsys)[1]
    counts = json.loads(shown)["slos"][0]["counts"]
    assert (counts["total"], counts["bad"]) == (truth["requests"], truth["bad"])


def test_schemas_are_json(capsys: Captured) -> None:
    """Both schemas are printed."""
    for what in ("report", "spec"):
        code, shown = run(["schema", what], capsys)
        assert code == 0
        assert json.loads(shown)["$schema"].startswith("https://json-schema.org/")


def test_help_loads_no_command(capsys: Captured) -> None:
    """Version and help answer without numpy, rich, or any command's module."""
    code = (
        "import sys; from errorbudget.cli import main; main(['--help']); main(['--version']);"
        "heavy = {'numpy', 'rich', 'matplotlib', 'pydantic', 'jinja2', 'errorbudget.cli.report'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 5
    for name in ("report", "gate", "demo", "allowance"):
        assert name in done.stdout


@pytest.mark.parametrize(
    "name", ["demo", "simulate", "report", "history", "gate", "allowance", "validate", "schema"]
)
def test_every_command_explains_itself(name: str, capsys: Captured) -> None:
    """--help of each command works and says what it does."""
    code, shown = run([name, "--help"], capsys)
    assert code == 0
    assert shown.startswith(f"Usage: errorbudget {name}")
