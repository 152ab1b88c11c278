"""Simulated counters read what a monitoring system would read, and their text is OpenMetrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorbudget.durations import SECOND_NS
from errorbudget.sources.openmetrics_writer import openmetrics_blocks, write_openmetrics
from errorbudget.studies.simulate import (
    CounterReset,
    Outage,
    Route,
    ScrapeGap,
    Scrapes,
    Simulation,
    simulate,
)
from errorbudget.studies.simulate.scrapes import _serving
from errorbudget.times import to_ns

START = "2026-03-02T00:00:00Z"
START_NS = to_ns(START)


def at(minutes: float) -> int:
    return START_NS + round(minutes * 60) * SECOND_NS


def some(*incidents: object, seed: int = 0, rate: float = 1.0) -> Simulation:
    routes = {"/": Route(4), '/a"b\\': Route(1, error_share=0.1, method="POST")}
    return simulate(START, "2h", rate=rate, routes=routes, incidents=incidents, seed=seed)  # type: ignore[arg-type]


def increments(time: np.ndarray, value: np.ndarray) -> int:
    """Events that readings show, a series counting from 0, a fall meaning a restart."""
    steps = np.diff(np.concatenate([[0], value]))
    return int(np.where(steps < 0, value, steps).sum())


@settings(max_examples=25)
@given(
    instances=st.integers(1, 4),
    interval=st.sampled_from(["1s", "7s", "1m"]),
    seed=st.integers(0, 99),
)
def test_without_resets_and_gaps_the_last_readings_show_everything(
    instances: int, interval: str, seed: int
) -> None:
    """Instances together count what happened up to their last reading, by route and status."""
    result = some(Outage(at(30), "10m"), seed=seed, rate=0.2)
    scrapes = result.scrape(interval, instances)
    assert scrapes.instances == tuple(f"app-{number}" for number in range(instances))
    step = {"1s": 1, "7s": 7, "1m": 60}[interval] * SECOND_NS
    seen = 0
    for series in scrapes.counters():
        assert (np.diff(series.time) == step).all()
        assert (np.diff(series.value) >= 0).all()
        assert series.value[0] >= 1
        assert result.end_ns - step < series.time[-1] <= result.end_ns
        seen += int(series.value[-1])
    late = int((result.events.time > result.end_ns - step).sum())
    assert len(result) - late <= seen <= len(result)


def test_one_instance_reads_exactly_the_events_so_far() -> None:
    """Each reading equals a plain count of the requests since the process started."""
    result = some(CounterReset(at(60), "30s"))
    time = result.events.time.tolist()
    routes = result.events.labels["route"].decode()
    statuses = result.events.column("status").tolist()
    took = result.events.column("duration_s").tolist()
    back = at(60.5)
    scrapes = result.scrape("10m", 1, (0.05, 0.1))
    for series in scrapes.counters():
        for moment, value in zip(series.time.tolist(), series.value.tolist(), strict=True):
            since = back if moment > back else START_NS
            assert value == sum(
                since < one <= moment
                and route == series.labels["route"]
                and str(status) == series.labels["status"]
                for one, route, status in zip(time, routes, statuses, strict=True)
            )
    for histogram in scrapes.histograms():
        for moment, buckets, sum_s in zip(
            histogram.time.tolist(),
            histogram.buckets.tolist(),
            histogram.sum_s.tolist(),
            strict=True,
        ):
            since = back if moment > back else START_NS
            mine = [
                length
                for one, route, length in zip(time, routes, took, strict=True)
                if since < one <= moment and route == histogram.labels["route"]
            ]
            assert buckets == [sum(x <= 0.05 for x in mine), sum(x <= 0.1 for x in mine), len(mine)]
            assert sum_s == pytest.approx(sum(mine), rel=1e-12)


def test_a_reset_starts_its_instance_over_and_nobody_else() -> None:
    """Its counters fall, no reading while it is away, and what it had not shown yet is lost."""
    result = some(CounterReset(at(60), "5m", instance=1))
    scrapes = result.scrape("1m", 3)
    shown = 0
    for series in scrapes.counters():
        fell = (np.diff(series.value) < 0).any()
        away = (series.time > at(60)) & (series.time <= at(65))
        busy = series.labels["route"] == "/" and series.labels["status"] == "200"
        if series.labels["instance"] == "app-1":
            assert not away.any()
            assert fell or not busy
        else:
            assert not fell
        shown += increments(series.time, series.value)
    starts = {name: np.unique(started).tolist() for name, _, started in scrapes.process_starts()}
    assert starts == {"app-0": [START_NS], "app-1": [START_NS, at(65)], "app-2": [START_NS]}
    # Lost: up to a minute of one instance before the crash, and what came after the last readings.
    assert 0 < len(result) - shown < 2 * 60 * result.counts("1s").total.max()
    assert len(result) - shown < len(result) * 2 / 120


def test_while_an_instance_is_away_the_others_serve() -> None:
    """Requests are moved, not lost; with nobody left they reach no counter."""
    one_of_two = some(CounterReset(at(60), "10m", instance=0)).scrape("1s", 2)
    served = sum(
        int(series.value[np.searchsorted(series.time, at(70), side="right") - 1])
        - int(series.value[np.searchsorted(series.time, at(60), side="right") - 1])
        for series in one_of_two.counters()
        if series.labels["instance"] == "app-1" and series.labels["status"] == "200"
    )
    events = some().events
    ten_minutes = (events.time > at(60)) & (events.time <= at(70))
    expected = (events.column("status")[ten_minutes] == 200).sum()
    assert served == pytest.approx(int(expected), abs=3)
    alone = some(CounterReset(at(60), "10m", instance=0)).scrape("1s", 1)
    shown = sum(increments(series.time, series.value) for series in alone.counters())
    assert len(events) - shown == pytest.approx(int(ten_minutes.sum()), abs=5)


def test_a_gap_hides_readings_and_loses_nothing() -> None:
    """Counters go on while nobody reads them."""
    with_gap = list(some(ScrapeGap(at(30), "20m")).scrape("1m", 2).counters())
    without = list(some().scrape("1m", 2).counters())
    assert len(with_gap) == len(without)
    for gappy, whole in zip(with_gap, without, strict=True):
        kept = (whole.time <= at(30)) | (whole.time > at(50))
        np.testing.assert_array_equal(gappy.time, whole.time[kept])
        np.testing.assert_array_equal(gappy.value, whole.value[kept])
        assert gappy.labels == whole.labels


def test_histograms_and_counters_count_the_same_requests() -> None:
    """Buckets rise with their bounds, and the infinite one equals the counters together."""
    scrapes = some(CounterReset(at(60))).scrape("5m", 2)
    total: dict[tuple[str, str, int], int] = defaultdict(int)
    for series in scrapes.counters():
        for time, value in zip(series.time.tolist(), series.value.tolist(), strict=True):
            total[series.labels["instance"], series.labels["route"], time] += value
    for histogram in scrapes.histograms():
        assert (np.diff(histogram.buckets, axis=1) >= 0).all()
        for time, count in zip(
            histogram.time.tolist(), histogram.buckets[:, -1].tolist(), strict=True
        ):
            key = histogram.labels["instance"], histogram.labels["route"], time
            assert total.pop(key) == count
    assert not total


def text_of(scrapes: Scrapes) -> str:
    return b"".join(openmetrics_blocks(scrapes)).decode()


def test_openmetrics_text_says_what_was_read(tmp_path: Path) -> None:
    """A regular expression reads back every sample; the file ends as it must."""
    scrapes = some(CounterReset(at(60)), ScrapeGap(at(80), "5m")).scrape("1m", 2)
    path = tmp_path / "history.om"
    told: list[int] = []
    write_openmetrics(scrapes, path, progress=told.append)
    text = path.read_text()
    assert text == text_of(scrapes)
    assert text.endswith("\n# EOF\n")
    line = re.compile(r"(\w+)\{(.*)\} (\S+) (\d+\.\d{3})")
    samples = [line.fullmatch(one) for one in text.splitlines() if not one.startswith("#")]
    assert len(samples) == told[-1]
    read = {}
    for sample in samples:
        assert sample
        stamp = int(sample[4].replace(".", "")) * 1_000_000
        read[sample[1], sample[2], stamp] = float(sample[3])
    assert len(read) == len(samples)
    for series in scrapes.counters():
        route = series.labels["route"].replace("\\", "\\\\").replace('"', '\\"')
        labels = (
            f'instance="{series.labels["instance"]}",method="{series.labels["method"]}",'
            f'route="{route}",status="{series.labels["status"]}"'
        )
        for time, value in zip(series.time.tolist(), series.value.tolist(), strict=True):
            assert read.pop(("http_server_requests_total", labels, time)) == value
    assert not any(name == "http_server_requests_total" for name, _, _ in read)


def test_openmetrics_text_is_openmetrics() -> None:
    """The Prometheus client's parser takes it: names, types, order, escapes, buckets."""
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    result = some(Outage(at(30), "10m"), CounterReset(at(60)))
    # The parser loses all but the first reading of a histogram: whole text with one reading each,
    # and everything before the histogram with many.
    whole = text_of(result.scrape("2h", 2))
    before = (
        text_of(result.scrape("5m", 2)).partition("# TYPE http_server_request_duration")[0]
        + "# EOF\n"
    )
    families = {one.name: one for one in text_string_to_metric_families(whole)}
    assert {name: one.type for name, one in families.items()} == {
        "process_start_time_seconds": "gauge",
        "http_server_requests": "counter",
        "http_server_request_duration": "histogram",
    }

    def together(name: str, suffix: str) -> float:
        samples = families[name].samples
        return sum(one.value for one in samples if one.name == name + suffix)

    assert together("http_server_requests", "_total") > 1_000
    assert together("http_server_requests", "_total") == together(
        "http_server_request_duration", "_count"
    )
    counters = [one for one in text_string_to_metric_families(before) if one.type == "counter"]
    read = [
        (sample.labels, float(sample.timestamp), sample.value) for sample in counters[0].samples
    ]
    assert read == [
        (series.labels, time / 1e9, value)
        for series in result.scrape("5m", 2).counters()
        for time, value in zip(series.time.tolist(), series.value.tolist(), strict=True)
    ]


def test_prometheus_takes_the_text(tmp_path: Path) -> None:
    """The tool makes blocks of it, as many samples as there are lines."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("missing: promtool; install Debian's package prometheus")
    told: list[int] = []
    scrapes = some(CounterReset(at(60)), ScrapeGap(at(80), "5m")).scrape("1m", 2)
    write_openmetrics(scrapes, tmp_path / "history.om", progress=told.append)
    done = subprocess.run(
        [tool, "tsdb", "create-blocks-from", "openmetrics", "history.om", "blocks"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    metas = [json.loads(one.read_text()) for one in (tmp_path / "blocks").glob("*/meta.json")]
    assert sum(meta["stats"]["numSamples"] for meta in metas) == told[-1]


def test_no_traffic_is_text_without_requests() -> None:
    """Processes are there; counters that nobody asked for are not."""
    text = text_of(simulate(START, "10m", rate=0).scrape("1m", 1))
    assert text.count('process_start_time_seconds{instance="app-0"}') == 11
    assert "http_server_requests_total{" not in text
    assert text.endswith("# EOF\n")


def test_who_is_away_hands_requests_to_the_next_who_is_not() -> None:
    """As a walk from instance to instance finds it; where all are away, nobody serves."""
    time = np.arange(at(0), at(60), 10**9)
    spans = {0: (10, 40), 1: (20, 30), 2: (25, 50)}
    resets = [
        CounterReset(at(first), f"{last - first}m", instance=number, name=f"{number}")
        for number, (first, last) in spans.items()
    ]
    for instances in (3, 4):
        at_first = _serving(time, [], instances, 7)
        found = _serving(time, resets, instances, 7)
        for moment, start, end in zip(
            time.tolist(), at_first.tolist(), found.tolist(), strict=True
        ):
            away = {reset.instance for reset in resets if reset.start_ns < moment <= reset.end_ns}
            walk = [(start + step) % instances for step in range(instances)]
            assert end == next((number for number in walk if number not in away), -1)
    assert -1 in _serving(time, resets, 3, 7)
