"""Everything once more against a real server: samples, readings, rules and dashboards."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.errors import SourceResponseError
from errorbudget.kernels import buckets, counters
from errorbudget.rules import detail_dashboard, overview_dashboard, prometheus_rules
from errorbudget.sources.prometheus import AsyncClient, Client, PrometheusSource, Retry
from errorbudget.sources.prometheus.matrix import Series
from tests.prometheus_server import backfill, backfill_rules, prometheus

START_S = 1_770_681_600
MINUTES = 180
METRIC = "http_server_requests_total"
DURATION = "http_server_request_duration"
SLOS = [
    eb.SLO("api", target="99%", window="30d", sli=eb.Availability()),
    eb.SLO("fast", target="95%", window="7d", sli=eb.Latency("200ms")),
    eb.SLO("p95", window="7d", sli=eb.LatencyQuantile({"p95": "200ms", "p99": "500ms"})),
]


@dataclass(frozen=True)
class Served:
    url: str
    history: dict[str, list[tuple[int, float]]]
    data: Path
    end_s: int = START_S + MINUTES * 60

    def of(self, series: Series) -> tuple[np.ndarray, np.ndarray]:
        instance, status = series.labels["instance"], series.labels["status"]
        return self.columns(f'{METRIC}{{instance="{instance}",status="{status}"}}')

    def columns(self, series: str) -> tuple[np.ndarray, np.ndarray]:
        times, values = zip(*self.history[series], strict=True)
        return np.array(times), np.array(values, dtype=float)


def make_history() -> dict[str, list[tuple[int, float]]]:
    """Two instances, 15 s apart with jitter, a restart, a gap, and 503s that appear late."""
    random = np.random.default_rng(11)
    history: dict[str, list[tuple[int, float]]] = {}
    for instance in ("a", "b"):
        n = MINUTES * 4
        nominal = START_S * 1000 + np.arange(1, n + 1) * 15_000
        times = (nominal - random.integers(0, 41, n)).tolist()
        total = random.poisson(30, n)
        late = np.arange(n) >= 300
        bad = np.where(late, random.binomial(total, 0.03), 0)
        columns = {
            f'{METRIC}{{instance="{instance}",status="200"}}': np.cumsum(total - bad),
            f'{METRIC}{{instance="{instance}",status="503"}}': np.cumsum(bad),
        }
        within = 0
        for le, share in (("0.1", 0.6), ("0.2", 0.9), ("0.5", 0.99), ("+Inf", 1.0)):
            within = np.maximum(within, random.binomial(total, share)) if le != "+Inf" else total
            key = f'{DURATION}_bucket{{instance="{instance}",le="{le}"}}'
            columns[key] = np.cumsum(within)
        columns[f'{DURATION}_count{{instance="{instance}"}}'] = np.cumsum(total)
        for series, counted in columns.items():
            lost = counted[499] if instance == "a" else 0
            values = counted - np.where(np.arange(n) >= 500, lost, 0)
            gap = (np.arange(n) >= 400) & (np.arange(n) < 440) & (instance == "b")
            seen = ~gap & ((values > 0) | ("503" not in series))
            history[series] = [
                (t, float(v)) for t, v, s in zip(times, values, seen, strict=True) if s
            ]
    return history


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("httpx2")
    folder = tmp_path_factory.mktemp("prometheus")
    history = make_history()
    data = backfill(history, folder)
    with prometheus(data) as url:
        yield Served(url, history, data)


def test_raw_samples_are_those_that_were_written(served: Served) -> None:
    """Every sample comes back with its own time, by day or over a seam of two days."""
    with Client(served.url) as client:
        matrix = client.samples(
            METRIC, start=(START_S - 86_400) * 10**9, end=served.end_s * 10**9
        ).require()
    assert len(matrix) == 4
    for series in matrix:
        times, values = served.of(series)
        np.testing.assert_array_equal(series.t_ms, times)
        np.testing.assert_array_equal(series.values, values)


@pytest.mark.parametrize("function", ["increase", "rate", "delta", "irate", "resets", "changes"])
def test_our_functions_say_what_the_server_says(served: Served, function: str) -> None:
    """Over a grid with a restart, a gap and late series, to 1e-12, by the rules of its version."""
    with Client(served.url) as client:
        rules = client.rules()
        for minutes in (5, 60):
            found = client.query_range(
                f"{function}({METRIC}[{minutes}m])",
                start=START_S * 10**9,
                end=served.end_s * 10**9,
                step="37s",
            ).require()
            assert len(found) == 4
            for series in found:
                labels = (
                    f'instance="{series.labels["instance"]}",status="{series.labels["status"]}"'
                )
                times, values = served.columns(f"{METRIC}{{{labels}}}")
                ours = getattr(counters, function)(
                    times, values, series.t_ms, minutes * 60_000, rules
                )
                np.testing.assert_allclose(ours, series.values, rtol=1e-12, atol=0)


def test_quantiles_are_the_servers(served: Served) -> None:
    """From our own rates of the buckets, to 1e-12."""
    at = served.end_s - 60
    with Client(served.url) as client:
        rules = client.rules()
        bounds, sums = [], []
        for le in ("0.1", "0.2", "0.5", "+Inf"):
            grown = [
                counters.rate(
                    *served.columns(f'{DURATION}_bucket{{instance="{one}",le="{le}"}}'),
                    [at * 1000],
                    3_600_000,
                    rules,
                )[0]
                for one in ("a", "b")
            ]
            bounds.append(float(le))
            sums.append(sum(grown))
        for q in (0.5, 0.95, 0.99):
            query = f"histogram_quantile({q}, sum by (le) (rate({DURATION}_bucket[1h])))"
            expected = client.query(query, at=at * 10**9).only()
            assert buckets.histogram_quantile(q, bounds, sums, rules)[0] == pytest.approx(
                expected, rel=1e-12
            )


def test_counts_are_exact_and_gaps_are_said(served: Served) -> None:
    """Late 503s count from 0, a restart adds the new value, and what a gap hides is named."""
    begin, end = (START_S + 60) * 10**9, served.end_s * 10**9
    with Client(served.url) as client:
        found = PrometheusSource(client).fetch(SLOS[:2], start=begin, end=end)
    expected = {"200": 0.0, "503": 0.0}
    for series in served.history:
        if series.startswith(METRIC):
            times, values = served.columns(series)
            anchored = counters.anchored_increase(
                times, values, [served.end_s * 1000], (MINUTES - 1) * 60_000, lookback_ms=10**9
            )
            expected["503" if "503" in series else "200"] += anchored[0]
    counts = found.of(SLOS[0])
    assert int(counts.good.sum()) == expected["200"]
    assert int((counts.total - counts.good).sum()) == expected["503"]
    assert any("no samples of b" in warning for warning in found.warnings)
    assert any("a started over" in warning for warning in found.warnings)
    assert counts.observed is not None
    assert 9 <= (~counts.observed).sum() <= 12
    status = SLOS[0].evaluate(found)
    assert status.counts.bad == expected["503"]
    assert SLOS[1].evaluate(found).counts.total > 0


def test_the_prometheus_reading_is_the_servers(served: Served) -> None:
    """Asked for by name, counts are what `sum(increase(...))` says."""
    with Client(served.url) as client:
        rules = client.rules()
        found = PrometheusSource(client).fetch(
            SLOS[0], start=START_S * 10**9, end=served.end_s * 10**9
        )
        counts = found.counts(SLOS[0], at=served.end_s * 10**9, window="1h", rules=rules)
        query = f'sum(increase({METRIC}{{status="503"}}[1h]))'
        expected = client.query(query, at=served.end_s * 10**9).only()
    assert counts is not None
    assert counts.bad == pytest.approx(expected, rel=1e-12)


def test_the_servers_errors_have_names(served: Served) -> None:
    """A query that does not parse, and one that does not match, as the server words them."""
    with Client(served.url, retry=Retry(attempts=1)) as client:
        with pytest.raises(SourceResponseError, match="bad_data") as caught:
            client.query("sum(", at=0)
        assert caught.value.status == 400
        with pytest.raises(SourceResponseError, match="execution") as caught:
            client.query(f"{METRIC} + on(status) {METRIC}", at=(served.end_s - 60) * 10**9)
        assert caught.value.status == 422
        with pytest.raises(SourceResponseError, match="path prefix"):
            client.ask("/api/v1/nosuch", {})


def test_more_than_eleven_thousand_points(served: Served) -> None:
    """A range beyond the server's limit comes in pieces, sync and async alike."""
    span = {"start": START_S * 10**9, "end": (START_S + 10_800) * 10**9, "step": "500ms"}
    with Client(served.url) as client:
        whole = client.query_range("vector(1)", **span).require()

    async def asked() -> Any:
        async with AsyncClient(served.url) as other:
            return (await other.query_range("vector(1)", **span)).require()

    assert len(whole.t_ms) == 21_601
    np.testing.assert_array_equal(asyncio.run(asked()).t_ms, whole.t_ms)


def depth(rules: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Recording rules in rounds, each needing only what the rounds before have written."""
    waiting = [rule for rule in rules if "record" in rule]
    names = {rule["record"] for rule in waiting}
    rounds, written = [], set()
    while waiting:
        ready = [
            rule for rule in waiting if not any(name in rule["expr"] for name in names - written)
        ]
        rounds.append(ready)
        waiting = [rule for rule in waiting if rule not in ready]
        written |= {rule["record"] for rule in ready} - {rule["record"] for rule in waiting}
    return rounds


def test_panels_show_data(served: Served, tmp_path: Path) -> None:
    """Recorded over the history, every panel of every dashboard has something to show."""
    rules = [rule for group in prometheus_rules(SLOS).groups for rule in group["rules"]]
    data = backfill(served.history, tmp_path)
    for number, ready in enumerate(depth(rules)):
        path = tmp_path / f"round{number}.yml"
        path.write_text(json.dumps({"groups": [{"name": "all", "rules": ready}]}))
        with prometheus(data) as url:
            backfill_rules(path, url, served.end_s - 600, served.end_s, data)
    boards = [overview_dashboard(SLOS), *map(detail_dashboard, SLOS)]
    empty = []
    with prometheus(data) as url, Client(url) as client:
        for board in boards:
            for panel in board["panels"]:
                for target in panel["targets"]:
                    answer = client.query(target["expr"], at=(served.end_s - 10) * 10**9)
                    # Nothing fires here: see the next test.
                    if not len(answer.matrix) and "ALERTS" not in target["expr"]:
                        empty.append((panel["title"], target["expr"]))
    assert not empty


def test_panels_show_what_fires(tmp_path: Path) -> None:
    """A server that judges our rules itself: what fires is on every panel that asks for alerts."""
    slo = SLOS[0]
    now_s = int(time.time())
    minutes = [(ms, float(ms)) for ms in range((now_s - 7200) * 1000, now_s * 1000, 60_000)]
    history = {f'{METRIC}{{status="{code}"}}': minutes for code in ("200", "500")}
    (tmp_path / "rules.yml").write_text(prometheus_rules(slo, interval="1s").to_yaml())
    asked = [
        target["expr"]
        for board in (overview_dashboard(slo), detail_dashboard(slo))
        for panel in board["panels"]
        for target in panel["targets"]
        if "ALERTS" in target["expr"]
    ]
    assert len(asked) == 2
    with (
        prometheus(backfill(history, tmp_path), config="rule_files: [rules.yml]\n") as url,
        Client(url) as client,
    ):
        for _ in range(100):
            now_ns = time.time_ns()
            if len(client.query('ALERTS{alertstate="firing"}', at=now_ns).matrix):
                break
            time.sleep(0.1)
        answers = [client.query(one, at=now_ns).matrix for one in asked]
    assert all(len(answer) and answer.values.min() >= 1 for answer in answers)
