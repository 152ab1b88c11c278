"""Cases that others wrote: servers' answers, functions, routes, timelines and true counts."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from errorbudget.kernels import counters
from tests.conformance import prometheus_cases as cases
from tests.shared import shared_path

pytest.importorskip("pyarrow")


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
    import gzip

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
