"""Cases that others wrote: servers' answers, functions, routes, timelines and true counts."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest

from errorbudget.kernels import counters
from tests.conformance import prometheus_cases as cases
from tests.shared import shared_path

pytest.importorskip("pyarrow")


OWN_PROFILE = {
    "name": "own",
    "seed": 5150,
    "start": "2026-04-03T00:00:00Z",
    "days": 0.5,
    "step": 30,
    "jitter_ms": 40,
    "instances": [
        {"name": "x:1", "share": 0.5, "offset_ms": 0},
        {"name": "y:1", "share": 0.3, "offset_ms": 7000},
        {"name": "z:1", "share": 0.2, "offset_ms": 13000, "joins_h": 4.7},
    ],
    "peak_rps": 15,
    "stream_peak": 50,
    "weekend": 1.0,
    "zero_windows": [{"from_h": 1.5, "to_h": 1.8}],
    "lazy_status": ["500", "503", "429"],
    "routes": [
        {"route": "/a", "share": 0.7, "status": ["200", "400", "429", "500", "503"]},
        {"route": "/b", "share": 0.3, "status": ["200", "201", "304", "404", "500", "503"]},
    ],
    "base_p500": 0.0004,
    "base_p503": 0.0,
    "base_p429": 0.0005,
    "base_auth_fail": 0.03,
    "base_tool_fail": 0.0004,
    "le": [0.01, 0.1, 0.3, 1.0, "+Inf"],
    "tool_le": [0.1, 1.0, "+Inf"],
    "lat_median": 0.045,
    "lat_sigma": 0.8,
    "tool_median": 0.12,
    "tools": [{"tool": "t", "share": 0.1}],
    "incidents": [
        {"kind": "restart", "instance": "x:1", "at_h": 3.25, "len_s": 47},
        {"kind": "restart", "instance": "y:1", "at_h": 6.105, "len_s": 300},
        {"kind": "outage", "at_h": 6.0, "len_s": 750, "p503": 0.8},
        {"kind": "scrape_gap", "at_h": 7.5, "len_s": 2700},
        {"kind": "scrape_drop", "at_h": 9.0, "len_s": 5400, "p": 0.2},
        {"kind": "slow_burn", "at_h": 10.0, "len_s": 3600, "p500": 0.03},
    ],
}
"""Half a day: two restarts, one of them in an outage, a gap, lost scrapes, a late instance."""


def load(name: str) -> Any:
    return json.loads(shared_path(name).read_text("utf-8"))


def test_every_promql_function_case() -> None:
    """All functions over given samples, in the rules that each case names."""
    given = load("conformance/promql_functions.json")["cases"]
    assert len(given) >= 162
    assert not [f"{one['id']}: {wrong}" for one in given if (wrong := cases.check_promql_case(one))]


def test_every_http_answer() -> None:
    """Each real answer yields its data, or an error with its name."""
    given = load("conformance/prom_http_api.json")["cases"]
    assert not [wrong for name, one in given.items() if (wrong := cases.check_http_case(name, one))]


def test_every_alertmanager_route() -> None:
    """What amtool says of the guide's routing, and of three repairs of it."""
    folder = shared_path("prometheus")
    given = load("conformance/alertmanager_routes.json")["cases"]
    assert not [wrong for one in given if (wrong := cases.check_alertmanager_case(one, folder))]


def test_real_counters() -> None:
    """500 polls of real counters, exact and extrapolated."""
    assert not cases.check_counters_case(
        load("data/nginxplus_counters.case.json"), shared_path("data")
    )


@pytest.mark.parametrize("suite", ["bookworm", "trixie", "sid"])
def test_whole_truths(suite: str) -> None:
    """Every expression of the guide at every instant, as three servers answered."""
    truth = shared_path(f"prometheus/prom_truth/pub3d.{suite}.json.gz")
    samples = shared_path("prometheus/data/pub3d.samples.parquet")
    lines, failures = cases.compare_truth(truth, samples)
    assert not failures
    assert len(lines) == 71


def test_alert_timeline() -> None:
    """The minutes at which the guide's and the workbook's alerts held."""
    samples = shared_path("prometheus/data/pub3d.samples.parquet")
    timeline = shared_path("conformance/alert_timeline_pub3d.json")
    assert not cases.check_alert_timeline(timeline, samples)


def test_a_wrong_truth_is_noticed(tmp_path: Path) -> None:
    """A figure that is off in the ninth digit, a missing and a surplus series are differences."""
    source = shared_path("prometheus/prom_truth/pub3d.sid.json.gz")
    samples = shared_path("prometheus/data/pub3d.samples.parquet")
    truth = json.loads(gzip.decompress(source.read_bytes()))
    truth["range"] = {}
    kept = {name: truth["instant"][name] for name in ("burn_rate_1h", "up_avg_30d", "resets_30d")}
    truth["instant"] = kept
    value = kept["burn_rate_1h"]["end"]["result"][0]["value"]
    value[1] = repr(float(value[1]) * (1 + 1e-9))
    kept["up_avg_30d"]["end"]["result"].pop()
    kept["resets_30d"]["end"]["result"].append({"metric": {"a": "b"}, "value": [value[0], "1"]})
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(truth))
    lines, failures = cases.compare_truth(path, samples)
    assert len(lines) == len(failures) == 3


def test_the_anchored_reading_and_what_truly_happened() -> None:
    """Events are counted wherever a scrape could see them: the table is met exactly."""
    table = load("prometheus/prom_truth/pub3d.exact_vs_prom.json")
    store = cases.read_samples(shared_path("prometheus/data/pub3d.samples.parquet"))
    series = [
        (dict(labels), samples)
        for labels, samples in store.items()
        if dict(labels)["__name__"] == "http_server_requests_total"
    ]
    compared = 0
    for row in table["rows"]:
        at = [round(table["t"][row["t"]] * 1000)]
        number, unit = int(row["window"][:-1]), row["window"][-1]
        length = number * {"m": 60_000, "h": 3_600_000, "d": 86_400_000}[unit]
        for reading, born in (("exact_anchored", "before"), ("exact_anchored_born0", "zero")):
            sums = {"bad5xx": 0.0, "total": 0.0, "good2xx": 0.0}
            for labels, (times, values) in series:
                grown = counters.anchored_increase(
                    times,
                    values,
                    at,
                    length,
                    lookback_ms=10**12,
                    born=born,  # type: ignore[arg-type]
                )[0]
                grown = 0.0 if math.isnan(grown) else grown
                sums["total"] += grown
                sums["bad5xx"] += grown * labels["status"].startswith("5")
                sums["good2xx"] += grown * labels["status"].startswith("2")
            expected = {name: value or 0.0 for name, value in row[reading].items()}
            assert sums == expected, (row["t"], row["window"], reading)
            compared += 1
    assert compared > 100


def test_the_page_about_counters_says_what_is_true() -> None:
    """Each figure of the public history on the page is the one that was measured."""
    table = load("prometheus/prom_truth/pub35d.exact_vs_prom.json")
    rows = {(row["t"], row["window"]): row for row in table["rows"]}
    page = (Path(__file__).parents[1] / "docs/explanation/counters.md").read_text("utf-8")
    shown = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.partition("<!-- public history -->")[2].split("\n\n")[0].split("\n")[3:]
    ]
    instants = ["outage1_mid", "outage1_plus_1h", "scrape_gap1_plus_3m", "end"]
    assert len(shown) == len(instants)

    def pair(row: dict[str, Any], reading: str) -> tuple[float, float]:
        return row[reading]["bad5xx"], row[reading]["total"]

    for instant, (what, truth, older, newer, exact) in zip(instants, shown, strict=True):
        row = rows[instant, what.rpartition(", ")[2]]
        readings = ("true", "prom2.42", "prom2.53", "prom3")
        written = ["{:,.0f} / {:,.0f}".format(*pair(row, reading)) for reading in readings]
        assert [truth, older, newer, newer] == written
        known, hidden = pair(row, "exact_anchored_born0"), None
        if "gap" in instant:
            # Beyond the look-back the old value does not speak for the edge.
            inside = pair(row, "exact_in_window")
            hidden = tuple(a - b for a, b in zip(known, inside, strict=True))
            known = inside
        text = "{:,.0f} / {:,.0f}".format(*known)
        if hidden:
            text += ", and {:,.0f} / {:,.0f} hidden".format(*hidden)
        assert exact == text


def test_exact_counts_are_the_true_ones(tmp_path: Path) -> None:
    """Whatever a scrape could see is counted: in the public history, and in one of our own."""
    import subprocess
    import sys

    from tests.conformance.true_counts import compare_true_counts

    exact = shared_path("prometheus/data/pub3d.exact.csv.gz")
    samples = shared_path("prometheus/data/pub3d.samples.parquet")
    lines, failures = compare_true_counts(exact, samples)
    assert len(lines) > 20
    assert not failures
    (tmp_path / "profile.json").write_text(json.dumps(OWN_PROFILE))
    maker = [sys.executable, str(shared_path("prometheus/prom_history.py"))]
    given = [str(tmp_path / "profile.json"), str(tmp_path), "--samples"]
    subprocess.run([*maker, *given], check=True, capture_output=True)
    exact, samples = tmp_path / "exact.csv.gz", tmp_path / "samples.parquet"
    lines, failures = compare_true_counts(exact, samples)
    assert len(lines) > 20
    assert not failures
    with gzip.open(exact, "rt") as file:
        rows = file.read().splitlines()
    wrong = rows[100].split(",")
    rows[100] = ",".join([*wrong[:-1], str(int(wrong[-1]) + 1)])
    with gzip.open(exact, "wt") as file:
        file.write("\n".join(rows))
    assert len(compare_true_counts(exact, samples)[1]) == 1
