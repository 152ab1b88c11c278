"""`errorbudget validate`, `convert` and `schema`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("click", reason="missing: click; pip install 'errorbudget[cli]'")
pytest.importorskip("ruamel.yaml", reason="missing: ruamel.yaml; pip install 'errorbudget[specs]'")
pytest.importorskip("pydantic", reason="missing: pydantic; pip install 'errorbudget[specs]'")

from errorbudget.cli import main
from errorbudget.specs import guide_text, load

ONE = "slos:\n  - {name: a, target: 99.9%, window: 30d, sli: {kind: availability}}\n"
SLOTH = (
    "version: prometheus/v1\nservice: s\nslos:\n"
    "  - name: n\n    objective: 99.9\n    plugins: {a: b}\n"
    "    sli: {events: {error_query: e, total_query: t}}\n"
)


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    code = main(arguments)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_validate_says_what_is_in_a_file(tmp_path: Path, capsys: Any) -> None:
    """A right file lists its objectives, a foreign one says its format and what is not carried."""
    (tmp_path / "a.yaml").write_text(ONE)
    (tmp_path / "s.yml").write_text(SLOTH)
    code, out, err = run(["validate", str(tmp_path / "a.yaml"), str(tmp_path / "s.yml")], capsys)
    assert (code, err) == (0, "")
    assert "a.yaml: valid, 1 SLO\n" in out
    assert "s.yml: valid, 1 SLO (sloth)\n" in out
    assert "not carried: 2" in out


def test_validate_names_every_mistake(tmp_path: Path, capsys: Any) -> None:
    """One line each on standard error, and exit code 1; as JSON with line and column."""
    path = tmp_path / "a.yaml"
    path.write_text(ONE.replace("target", "taget").replace("30d", "30x"))
    code, out, err = run(["validate", str(path)], capsys)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 2
    code, out, _ = run(["validate", "--format", "json", str(path)], capsys)
    (answer,) = json.loads(out)
    assert code == 1
    assert answer["valid"] is False
    assert [(p["line"], p["column"], p["path"]) for p in answer["problems"]] == [
        (2, 15, "slos[0].taget"),
        (2, 37, "slos[0].window"),
    ]


def test_validate_tells_doubts(tmp_path: Path, capsys: Any) -> None:
    """A doubt is told, and counts with --strict."""
    path = tmp_path / "a.yaml"
    path.write_text(ONE.replace("99.9%", "90%"))
    code, _, err = run(["validate", str(path)], capsys)
    assert code == 0
    assert "can never fire" in err
    assert run(["validate", "--strict", str(path)], capsys)[0] == 1


def test_validate_fills_in_variables_when_asked(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--allow-env reads the environment; without it a variable is a mistake."""
    path = tmp_path / "a.yaml"
    path.write_text(ONE.replace("99.9%", "'${env:EB_T}'"))
    monkeypatch.setenv("EB_T", "99.5%")
    assert run(["validate", str(path)], capsys)[0] == 1
    assert run(["validate", "--allow-env", str(path)], capsys)[0] == 0


def test_convert_writes_and_accounts(tmp_path: Path, capsys: Any) -> None:
    """The text goes out, the losses to standard error; --strict makes them count."""
    path = tmp_path / "s.yml"
    path.write_text(SLOTH)
    code, out, err = run(["convert", str(path), "--window", "7d"], capsys)
    assert code == 0
    assert str(load(out)[0].window) == "7d"
    assert "not carried: s.slos[0].plugins" in err
    assert run(["convert", "--strict", str(path)], capsys)[0] == 1
    target = tmp_path / "out.toml"
    assert run(["convert", str(path), "-o", str(target)], capsys)[0] == 0
    assert list(load(target)) == list(load(path))


@pytest.mark.parametrize("format", ["openslo", "sloth", "pyrra"])
def test_convert_says_when_nothing_is_left(tmp_path: Path, capsys: Any, format: str) -> None:
    """A threshold fits none of them: exit code 1, and why."""
    path = tmp_path / "a.yaml"
    path.write_text("slos:\n  - {name: a, window: 1h, sli: {kind: throughput, above: 10}}\n")
    code, out, err = run(["convert", str(path), "--to", format], capsys)
    assert (code, out) == (1, "")
    assert "not carried: a = " in err


def test_convert_asks_for_events_by_their_metrics(tmp_path: Path, capsys: Any) -> None:
    """--counter and --label put conditions on events into PromQL."""
    path = tmp_path / "a.yaml"
    path.write_text(ONE)
    arguments = ["convert", str(path), "--to", "sloth", "--counter", "r", "--label", "status=code"]
    code, out, _ = run(arguments, capsys)
    assert code == 0
    assert 'sum(increase(r{code=~"5.."}[{{.window}}]))' in out


def test_convert_the_guide_to_openslo_and_back(tmp_path: Path, capsys: Any) -> None:
    """Through two files, and the ten objectives with a budget are the same."""
    guide, there = tmp_path / "guide.yaml", tmp_path / "openslo.yaml"
    guide.write_text(guide_text())
    assert run(["convert", str(guide), "--to", "openslo", "-o", str(there)], capsys)[0] == 0
    assert list(load(there)) == [slo for slo in load(guide) if slo.target is not None]


def test_schema_is_printed(capsys: Any) -> None:
    """The JSON Schema that ships with the package."""
    code, out, _ = run(["schema", "spec"], capsys)
    assert code == 0
    assert json.loads(out)["title"] == "errorbudget specification"
