"""The benchmarks stay runnable and fair: every method gives the answer of ours."""

from __future__ import annotations

import importlib
import json
import statistics
import tomllib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks import check, data, harness, tables, test_backtest
from benchmarks.__main__ import PLAN
from errorbudget import kernels

WORKLOADS = {
    "w1": 3_000,
    "w2": 3_000,
    "w3": 3_000,
    "w4": 2,
    "w6": 1,
    "w7": 1,
    "w8": 3_000,
    "crossover": 50,
}
SLOW = {"numba"}
RESULTS = Path(harness.__file__).parent / "results"


@pytest.fixture
def events(tmp_path, monkeypatch):
    monkeypatch.setattr(data, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize("shape", data.SHAPES)
def test_events_are_sorted_seeded_and_of_their_shape(events, shape, tmp_path, monkeypatch):
    """Written twice, they are the same."""
    case = data.Case(shape, 2_000)
    data.make(case)
    first = {name: np.array(case.column(name)) for name in ("time", "good", "status", "latency")}
    assert (np.diff(first["time"]) >= 0).all()
    assert (first["good"] == (first["status"] < 500)).all()
    assert (first["latency"] > 0).all()
    assert (0.25 < 1 - first["good"].mean() < 0.35) == (shape == "failing")
    monkeypatch.setattr(data, "FOLDER", tmp_path / "again")
    data.make(case)
    for name, column in first.items():
        np.testing.assert_array_equal(case.column(name), column)


@pytest.mark.slow
@pytest.mark.parametrize("workload", WORKLOADS)
def test_all_methods_agree(events, workload):
    """Each is run once, on few events, and its whole answer compared with ours."""
    module = importlib.import_module(f"benchmarks.{workload}")
    case = data.Case("bursty", WORKLOADS[workload])
    if workload in ("w1", "w2", "w3", "w8"):
        data.make(case)
    compared = getattr(module, "compared", lambda _: None)(case)
    saved = events / "saved"
    saved.mkdir()
    for number, (name, method) in enumerate(module.METHODS.items()):
        if name in SLOW or not method.answers or not all(map(find_spec, method.needs)):
            continue
        answer = method.run(method.setup(case))
        if number == 0:
            for place, column in enumerate(answer):
                np.save(saved / f"{place:03}.npy", column)
        rtol = 1 if workload == "w3" and name in ("pandas", "polars") else method.rtol
        assert harness._matches(answer, saved, rtol, compared) is None, name


def test_a_wrong_answer_is_noticed(tmp_path):
    """By shape, by number of columns, and by one value."""
    np.save(tmp_path / "000.npy", np.array([1.0, np.nan, 3.0]))
    right = np.array([1.0, np.nan, 3.0])
    assert harness._matches([right], tmp_path, 0, None) is None
    assert harness._matches([right, right], tmp_path, 0, None)
    assert harness._matches([right[:2]], tmp_path, 0, None)
    assert harness._matches([right + 1e-6], tmp_path, 1e-9, None)
    assert harness._matches([np.array([1.0, 2.0, 3.0])], tmp_path, 0, None)
    elsewhere = np.array([True, False, True])
    assert harness._matches([np.array([1.0, 2.0, 3.0])], tmp_path, 0, elsewhere) is None


def test_goals_name_methods_that_there_are():
    """No goal can be met by nobody measuring it."""
    for goal in tomllib.loads(check.GOALS.read_text("utf-8"))["goal"]:
        methods = importlib.import_module(f"benchmarks.{goal['workload']}").METHODS
        assert goal["method"] in methods
        assert goal["peer"] in methods if "peer" in goal else goal["most_mb"] > 0


def test_a_missed_goal_fails_the_check_unless_it_is_hoped_for():
    """Ratios of medians, and only for runs that hold both."""
    measured = {"wall_s": 1.0, "cpu_s": 1.0, "extra_mb": 1.0}
    methods = {"errorbudget, 2 threads": measured, "pandas": measured, "numba": measured}
    run = {"workload": "w1", "events": 10_000_000, "shape": "seasonal", "methods": methods}
    found = check.outcomes({"runs": [run]})
    by_peer = {outcome.goal["peer"]: outcome for outcome in found if "of" not in outcome.goal}
    assert by_peer["pandas"].fails
    assert not by_peer["numba"].missed
    assert "missed" in str(by_peer["pandas"])
    assert "polars" not in by_peer


def test_a_goal_for_memory_is_a_bound():
    """It needs no peer."""
    methods = {"errorbudget": {"wall_s": 1.0, "cpu_s": 1.0, "extra_mb": 65.0}}
    run = {"workload": "w2", "events": 100_000_000, "shape": "seasonal", "methods": methods}
    (over,) = check.outcomes({"runs": [run]})
    assert over.fails
    assert "65 MB" in str(over)
    methods["errorbudget"]["extra_mb"] = 64.0
    (within,) = check.outcomes({"runs": [run]})
    assert not within.missed


def test_small_runs_are_judged_too():
    """A workload without a goal at the size of `make bench` could slow down unseen."""
    judged = {
        (goal["workload"], goal["events"])
        for goal in tomllib.loads(check.GOALS.read_text("utf-8"))["goal"]
        if not goal.get("stretch")
    }
    for workload, (small, _) in PLAN.items():
        if workload not in ("imports", "crossover"):
            assert {(workload, events) for events in small} <= judged


def test_numpy_takes_over_where_the_kept_results_say_so():
    """`NUMPY_FROM` is the first size measured at which the kernel is clearly faster."""
    runs = {
        run["events"]: run["methods"] for run in tables.latest() if run["workload"] == "crossover"
    }
    faster = {
        events: methods["errorbudget.rolling"]["wall_s"] / methods["errorbudget.kernels"]["wall_s"]
        for events, methods in runs.items()
    }
    assert min(events for events, times in faster.items() if times > 1.2) == kernels.NUMPY_FROM
    assert all(times > 1.2 for events, times in faster.items() if events > kernels.NUMPY_FROM)


def test_the_sweep_is_as_fast_as_the_docs_say():
    """Kept medians are those of the kept rounds, meet the goal, and are the page's figure."""
    (kept,) = (RESULTS / "studies").glob("*-backtest.json")
    found = json.loads(kept.read_text())
    medians = {name: statistics.median(taken) for name, taken in found["rounds [s]"].items()}
    assert medians == found["medians [s]"]
    assert (found["policies"], found["minutes"]) == (100, 90 * 1_440)
    ratio = medians["one at a time"] / medians["one call"]
    assert ratio >= test_backtest.GOAL
    page = (RESULTS.parents[1] / "docs" / "how-to" / "backtest.md").read_text()
    assert f"{int(ratio)} times less" in page
    assert kept.name in page


def test_the_sweep_runs(tmp_path, monkeypatch, capsys):
    """Over two days every policy pages as it does alone, and rounds are kept."""
    out = tmp_path / "kept" / "x.json"
    words = ["test_backtest.py", "--days", "2", "--rounds", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", words)
    test_backtest.main()
    assert "100 policies, 2,880 minutes" in capsys.readouterr().out
    assert set(json.loads(out.read_text())["medians [s]"]) == {
        "one call",
        "one at a time",
        "histories, firing",
    }


def test_the_page_says_what_the_kept_results_say():
    """Nothing on it was copied by hand; `python -m benchmarks.tables` writes it anew."""
    assert tables.page(tables.latest()) in tables.PAGE.read_text("utf-8")
