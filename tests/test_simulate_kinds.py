"""Each kind of incident, alone: what is told of it is what every form of the data shows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from errorbudget import SLO, Availability, read_events
from errorbudget.durations import HOUR_NS, MINUTE_NS
from errorbudget.sources.log_writer import write_log
from errorbudget.sources.openmetrics_writer import write_openmetrics
from errorbudget.studies.attribution import attribute
from errorbudget.studies.simulate import INCIDENTS, Simulation, simulate
from errorbudget.times import to_ns
from tests.prometheus_binaries import binary
from tests.test_scrapes import increments

START = "2026-03-02T00:00:00Z"
START_NS = to_ns(START)
HURTING = {"Outage", "BrownOut", "SlowBurn", "Flapping", "DeployRegression", "RetryStorm"}
UNSEEN = {"CounterReset", "ScrapeGap"}
"""Kinds that hide from counters what the requests themselves show."""


@pytest.fixture(scope="module", params=list(INCIDENTS))
def struck(request: pytest.FixtureRequest) -> tuple[str, Simulation, Simulation]:
    """The kind, six hours with one such incident from 02:00 on, and the same hours without it."""
    more = {} if request.param == "CounterReset" else {"duration": "90m"}
    incident = INCIDENTS[request.param](start=START_NS + 2 * HOUR_NS, name="it", **more)
    with_it = simulate(START, "6h", rate=0.5, incidents=[incident], seed=3)
    return request.param, with_it, simulate(START, "6h", rate=0.5, seed=3)


def test_events_show_the_truth(struck: tuple[str, Simulation, Simulation]) -> None:
    """Failures, comings and stayings-away are the difference to the hours without it."""
    kind, result, plain = struck
    (impact,) = result.incidents
    failed = result.events.column("status") >= 500
    assert int(failed.sum()) == result.bad == result.background_bad + impact.bad
    assert (failed[result.cause == 0]).all()
    assert len(result) == len(plain) + impact.added - impact.removed
    inside = (result.events.time > impact.start_ns) & (result.events.time <= impact.end_ns)
    assert impact.requests == int(inside.sum())
    assert inside[result.cause == 0].all()
    outside = (plain.events.time <= impact.start_ns) | (plain.events.time > impact.end_ns)
    assert result.events.time[~inside].tolist() == plain.events.time[outside].tolist()
    assert (impact.bad > 0) is (kind in HURTING)
    assert (impact.added > 0) is (kind == "RetryStorm")
    assert (impact.removed > 0) is (kind == "ZeroTrafficNights")
    assert (impact.slow > 0) is (kind in {"BrownOut", "LatencyCreep"})


def test_counts_and_studies_show_the_truth(struck: tuple[str, Simulation, Simulation]) -> None:
    """Minutes hold the events, and attribution finds the incident's own failures in its stretch."""
    _, result, _ = struck
    (impact,) = result.incidents
    minutes = result.counts("1m")
    assert len(minutes.total) == 360
    assert int(minutes.total.sum()) == len(result)
    assert int((minutes.total - minutes.good).sum()) == result.bad
    slo = SLO("api", target="99%", window="6h", sli=Availability())
    found = attribute(slo, result.events, [impact], at=result.end_ns)
    inside = (result.events.time > impact.start_ns) & (result.events.time <= impact.end_ns)
    failed = result.events.column("status") >= 500
    bad = {row.key: row.counts.bad for row in found}
    assert bad.get(("it",), 0) == int((inside & failed).sum())
    assert sum(bad.values()) == result.bad


@pytest.mark.parametrize("form", ["combined", "json", "csv"])
def test_logs_show_the_truth(
    struck: tuple[str, Simulation, Simulation], form: str, tmp_path: Path
) -> None:
    """What is written is read back with the same failures at the same times."""
    _, result, _ = struck
    path = tmp_path / {"combined": "access.log", "json": "log.ndjson", "csv": "log.csv"}[form]
    write_log(result.events, path, form)  # type: ignore[arg-type]
    read = read_events(path)
    unit = 10**9 if form == "combined" else 1  # a combined log has whole seconds
    assert (read.time // unit).tolist() == (result.events.time // unit).tolist()
    assert read.column("status").tolist() == result.events.column("status").tolist()
    if form != "combined":
        assert read.column("duration_s").tolist() == result.events.column("duration_s").tolist()


def test_counters_show_the_truth(
    struck: tuple[str, Simulation, Simulation], tmp_path: Path
) -> None:
    """Readings count every request but those that a restart or a gap hides; promtool takes them."""
    kind, result, _ = struck
    scrapes = result.scrape("1m", 2)
    seen = {"bad": 0, "total": 0}
    for series in scrapes.counters():
        grown = increments(series.time, series.value)
        seen["total"] += grown
        seen["bad"] += grown if series.labels["status"].startswith("5") else 0
    last = max(int(series.time[-1]) for series in scrapes.counters())
    counted = result.events.time <= last
    truth = int((result.events.column("status")[counted] >= 500).sum())
    if kind in UNSEEN:
        assert seen["total"] <= int(counted.sum())
        assert seen["total"] > 0.95 * int(counted.sum())
    else:
        # Each instance is read at its own second of the minute; the last one is not over for all.
        assert (
            0 <= int(counted.sum()) - seen["total"] <= np.sum(result.events.time > last - MINUTE_NS)
        )
        assert 0 <= truth - seen["bad"] <= int(counted.sum()) - seen["total"]
    told: list[int] = []
    write_openmetrics(scrapes, tmp_path / "history.om", progress=told.append)
    words = [binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", "history.om", "out"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    metas = [json.loads(one.read_text()) for one in (tmp_path / "out").glob("*/meta.json")]
    assert sum(meta["stats"]["numSamples"] for meta in metas) == told[-1]
