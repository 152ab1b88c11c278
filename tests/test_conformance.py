"""Other people's cases: all of them hold, or differ on purpose; and the runner notices when not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from errorbudget.budget import Budget
from tests.conformance import servers
from tests.conformance.__main__ import main
from tests.conformance.cases import PREFIXES, Case, read_cases
from tests.conformance.runner import ADAPTERS, run_case, run_files
from tests.conformance.servers import CHECKS
from tests.shared import shared_path

GOLDEN = sorted(Path(__file__).parent.glob("golden/conformance/*.json"))
ARITHMETIC = (
    "burn_rate_windows",
    "kibana_slo",
    "openslo",
    "peer-vectors",
    "seed_figures",
    "slo_generator",
)
SERVERS = (
    "alert_timeline_pub35d",
    "alert_timeline_pub3d",
    "alertmanager_routes",
    "prom_http_api",
    "promql_functions",
)
ON_PURPOSE = {
    "kibana/sli/0",
    "kibana/sli/2",
    "kibana/budget/1",
    "kibana/budget/5",
    "kibana/burn/1",
    "kibana/window/1",
    "openslo/ratio-timeslices-ddos",
    "89",
}


def golden_cases() -> list[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case.id}")
        for path in GOLDEN
        for case in read_cases(path)
    ]


def write(folder: Path, cases: Any) -> str:
    path = folder / "cases.json"
    path.write_text(json.dumps(cases), "utf-8")
    return str(path)


@pytest.mark.parametrize("name", ARITHMETIC)
def test_public_arithmetic(name: str) -> None:
    """Every case of arithmetic passes, or differs on purpose where it is known to."""
    for case in read_cases(shared_path(f"conformance/{name}.json")):
        result = run_case(case)
        wanted = "DIFFERS" if case.id in ON_PURPOSE else "PASS"
        assert result.verdict == wanted, (case.id, result)


@pytest.mark.parametrize("name", SERVERS)
def test_what_servers_said(name: str) -> None:
    """No answer of a server or a tool is contradicted; what cannot be asked here waits."""
    lines, count = run_files([shared_path(f"conformance/{name}.json")])
    assert count["FAIL"] == 0, [line for line in lines if line.startswith("FAIL")]
    assert count["DIFFERS"] == 0
    assert sum(count.values()) == len(lines) > 0


@pytest.mark.parametrize("case", golden_cases())
def test_golden(case: Case) -> None:
    """Further cases from the tests of peers have the verdict that is written beside them."""
    result = run_case(case)
    assert result.verdict == case.whole["verdict"], result


@pytest.mark.parametrize("case", golden_cases())
def test_a_wrong_figure_fails(case: Case) -> None:
    """A figure that is off fails, also in a case that differs on purpose."""
    for key, value in case.expected.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            continue
        wrong = replace(case, expected={**case.expected, key: value * 1.02 + 0.013})
        assert run_case(wrong).verdict == "FAIL", key


@pytest.mark.parametrize("case", golden_cases())
def test_an_unknown_figure_fails(case: Case) -> None:
    """A figure that no adapter knows is a failure that names it, and is never passed over."""
    result = run_case(replace(case, expected={**case.expected, "no_such_figure": 1}))
    assert result.verdict == "FAIL"
    assert any("no_such_figure" in sentence for sentence in result.details)


def test_every_prefix_has_an_adapter() -> None:
    """Each kind that an id can name is one that can be asked."""
    assert set(PREFIXES) <= ADAPTERS.keys()
    assert not ADAPTERS.keys() & CHECKS.keys()


def test_a_difference_must_be_the_one_designed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that stops at -1 is no "unclamped" budget: the case fails then."""
    given = {"target": 0.999, "good": 0, "total": 100}
    case = Case("1", "occurrences", given, {"remaining": 0})
    assert run_case(case).verdict == "DIFFERS"
    monkeypatch.setattr(Budget, "remaining_ratio", property(lambda budget: -1.0))
    assert run_case(case).verdict == "FAIL"


RIGHT = {
    "id": "1",
    "kind": "occurrences",
    "input": {"good": 9, "total": 10, "target": 0.9},
    "expect": {"sli": 0.9, "remaining": 0},
}


def test_both_shapes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list, a list of cases and a mapping of cases are read alike."""
    body = {"inputs": {"good": 9, "total": 10}, "expected": {"sli": 0.9}}
    for cases in (
        [RIGHT],
        {"description": "", "cases": [{"id": "kibana/sli/1", **body}]},
        {"description": "", "cases": {"kibana/sli/1": body}},
    ):
        assert main([write(tmp_path, cases)]) == 0
        assert "1 cases: 1 pass" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expect": {"sli": 0.91}}, "expected 0.91, got 0.9"),
        ({"kind": "horoscope"}, "unknown kind 'horoscope'"),
        ({"expect": {"sli": 0.9, "karma": 1}}, "no adapter for expected key karma"),
        ({"expect": {}}, "expects nothing"),
        ({"expect": 0.9}, "expects nothing"),
        ({"input": {"target": 0.9}}, "cannot be asked"),
    ],
)
def test_what_is_wrong_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, said: str
) -> None:
    """A wrong figure, an unknown kind or figure, and a case without either end in exit code 1."""
    assert main([write(tmp_path, [RIGHT, {**RIGHT, **change}])]) == 1
    out = capsys.readouterr().out
    assert said in out
    assert "2 cases: 1 pass, 0 differ on purpose, 0 wait, 1 fail" in out


@pytest.mark.parametrize("cases", [{"answers": 42}, 42, [7], {"cases": []}])
def test_what_is_no_file_of_cases_fails(tmp_path: Path, cases: Any) -> None:
    """A file in neither shape fails, and so does a file without a case."""
    assert main([write(tmp_path, cases)]) == 1


def test_a_missing_file_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there fails, and the others are still run."""
    assert main([str(tmp_path / "nothing.json"), write(tmp_path, [RIGHT])]) == 1
    assert "2 cases: 1 pass" in capsys.readouterr().out


def test_questions_that_make_no_sense(tmp_path: Path) -> None:
    """No file at all, or a truth without samples, is a wrong question."""
    for arguments in ([], ["--prometheus-truth", str(tmp_path / "truth.json.gz")]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2


def test_waiting_is_not_passing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check, a case waits, by name, and does not pass."""
    monkeypatch.setattr(servers, "_check", lambda name: f"no check called {name} yet")
    case = Case("1", "promql", {}, {}, whole={"promql": "up", "flavour": "prom3", "series": []})
    result = run_case(case)
    assert result.verdict == "WAITING"
    assert result.details == ("no check called check_promql_case yet",)


def test_truths_of_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    """A truth file and the samples behind it are compared on the command line."""
    truth = shared_path("prometheus/prom_truth/pub3d.trixie.json.gz")
    samples = shared_path("prometheus/data/pub3d.samples.parquet")
    assert main(["--prometheus-truth", str(truth), "--samples", str(samples)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(", 0 fail")


def test_as_a_module(tmp_path: Path) -> None:
    """`python -m tests.conformance FILE` prints one line a case and answers with its exit code."""
    path = write(tmp_path, [RIGHT, {**RIGHT, "id": "2", "kind": "horoscope"}])
    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance", path],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    first, second, last = done.stdout.splitlines()
    assert first == "PASS    cases.json 1 (occurrences)"
    assert second == "FAIL    cases.json 2 (horoscope): unknown kind 'horoscope'"
    assert last == "2 cases: 1 pass, 0 differ on purpose, 0 wait, 1 fail"


def test_golden_cases_name_their_source() -> None:
    """Every golden case says where its figures come from, and no id comes twice in a file."""
    for path in GOLDEN:
        cases = read_cases(path)
        about = json.loads(path.read_text("utf-8"))
        provenance = isinstance(about, dict) and about["provenance"]["repo"]
        assert all(case.whole.get("source") or provenance for case in cases)
        assert max(Counter(case.id for case in cases).values()) == 1
