"""Native histograms: read as counters, asked in PromQL, and what a real server says of both."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import errorbudget as eb
from errorbudget.rules import Metrics
from errorbudget.rules.promql import sli_queries
from errorbudget.sources.prometheus import Client, NativeHistogram, PrometheusSource, Response
from errorbudget.sources.prometheus.native import within
from tests.prometheus_server import prometheus
from tests.remote_write import Native, write

NAME = "http_server_request_duration"
T0 = 1_772_323_200
END = T0 + 15 * 239
NS = 10**9


def bucket(number: int, count: float, schema: int = 0) -> tuple[int, float, float, float]:
    width = 2.0**-schema
    return 0, 2 ** ((number - 1) * width), 2 ** (number * width), count


@given(
    st.dictionaries(st.integers(-20, 20), st.integers(0, 1000), max_size=8),
    st.integers(0, 3),
    st.integers(-10, 10),
)
def test_a_bound_that_ends_a_bucket_counts_exactly(
    counts: dict[int, int], schema: int, edge: int
) -> None:
    """Events up to the end of a bucket are the sum of the buckets up to it."""
    buckets = tuple(bucket(number, count, schema) for number, count in sorted(counts.items()))
    found = within(
        NativeHistogram(0, sum(counts.values()), 0.0, buckets), 2 ** (edge * 2.0**-schema)
    )
    assert found == (sum(n for number, n in counts.items() if number <= edge), True)


@pytest.mark.parametrize(
    ("one", "bound", "expected"),
    [
        ((0, 0.5, 1.0, 8.0), 2**-0.5, 4.0),  # exponential: halfway on a logarithmic scale
        ((0, 0.0, 1.0, 8.0), 0.25, 2.0),  # custom bounds, the first from 0
        ((0, 0.3, 1.0, 7.0), 0.4, 1.0),  # custom bounds
        ((0, 1.0, float("inf"), 8.0), 5.0, 0.0),  # nobody knows how far above
        ((3, -0.001, 0.001, 8.0), 0.0005, 4.0),  # around zero, of durations: from 0
        ((0, float("-inf"), 0.0, 8.0), -1.0, 0.0),
    ],
)
def test_inside_a_bucket_is_an_estimate(one: Any, bound: float, expected: float) -> None:
    """A share of the bucket, and said not to be exact."""
    found, exact = within(NativeHistogram(0, one[3], 0.0, (one,)), bound)
    assert found == pytest.approx(expected)
    assert not exact
    assert within(NativeHistogram(0, 0, 0.0, ((*one[:3], 0.0),)), bound) == (0.0, True)


def answer(*samples: tuple[int, dict[int, int]], labels: dict[str, str] | None = None) -> Any:
    rows = [
        [
            t,
            {
                "count": str(sum(counts.values())),
                "sum": "1",
                "buckets": [
                    [r, repr(a), repr(b), str(n)] for r, a, b, n in map(row, counts.items())
                ],
            },
        ]
        for t, counts in samples
    ]
    return {"metric": {"__name__": NAME, **(labels or {})}, "histograms": rows}


def row(item: tuple[int, int]) -> Any:
    return bucket(*item)


def client_of(*series: Any) -> Client:
    """A server that has native histograms only."""

    def transport(request: Any) -> Response:
        classic = b"_bucket" in request.body
        data = {"resultType": "matrix", "result": [] if classic else list(series)}
        return Response(200, {}, json.dumps({"status": "success", "data": data}).encode())

    return Client("http://127.0.0.1:9090", transport=transport)


LATENCY = eb.SLO("lat", target="50%", window="1h", sli=eb.Latency("500ms"))


def test_a_restart_and_merged_buckets() -> None:
    """A restart adds the new value; an estimate that moves as buckets merge takes nothing away."""
    client = client_of(
        answer((0, {-1: 5, 0: 5}), (60, {-1: 8, 0: 6}), (120, {-1: 1}), (180, {-1: 1, 3: 2}))
    )
    found = PrometheusSource(client).fetch(LATENCY, start=0, end=180 * NS)
    assert found.of(LATENCY).good.tolist() == [3, 1, 0]
    assert found.of(LATENCY).total.tolist() == [4, 1, 2]
    status = LATENCY.evaluate(found)
    assert any("started over once" in warning for warning in status.warnings)
    between = LATENCY.replace(sli=eb.Latency("600ms"))
    status = between.evaluate(PrometheusSource(client).fetch(between, start=0, end=180 * NS))
    assert any("estimated" in warning for warning in status.warnings)


def test_one_instant_has_histograms_too() -> None:
    """A vector of native histograms is read, and none of them passes for a number."""
    sample = answer((60, {0: 5}))
    one = {"metric": sample["metric"], "histogram": sample["histograms"][0]}
    data = {"resultType": "vector", "result": [one, {"metric": {"a": "b"}, "value": [60, "3"]}]}
    body = json.dumps({"status": "success", "data": data}).encode()
    client = Client("http://127.0.0.1:9090", transport=lambda _: Response(200, {}, body))
    first, second = client.query(NAME, at=60 * NS).matrix
    assert [h.count for h in first.histograms] == [5]
    assert (len(first.values), second.values.tolist()) == (0, [3.0])


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, dict[str, list[Native]]]]:
    """A server that was sent an hour of two processes' histograms, one of which restarts."""
    draw, sent = random.Random(1), {}
    for instance in "ab":
        counts: dict[int, int] = {}
        sent[instance] = []
        for step in range(240):
            if instance == "b" and step == 100:
                counts = {}
            for number in range(-8, 6):
                counts[number] = counts.get(number, 0) + draw.randint(0, 9)
            t_ms = (T0 + 15 * step) * 1000 + 3 * (instance == "b")
            sent[instance].append(Native(t_ms, dict(counts), 1.0, schema=1))
    data = tmp_path_factory.mktemp("native") / "data"
    flags = "--web.enable-remote-write-receiver", "--enable-feature=native-histograms"
    with prometheus(data, *flags) as url:
        write(
            url,
            *(
                ({"__name__": NAME, "instance": instance, "route": "/api"}, samples)
                for instance, samples in sent.items()
            ),
        )
        yield url, sent


def truth(sent: dict[str, list[Native]], length_s: int, bound: float) -> tuple[int, int]:
    good = bad = 0
    for samples in sent.values():
        for before, after in itertools.pairwise(samples):
            if (END - length_s) * 1000 < after.t_ms <= END * 1000:
                old = {} if after.count < before.count else before.counts
                for number, count in after.counts.items():
                    grown = count - old.get(number, 0)
                    good, bad = (
                        (good + grown, bad) if 2 ** (number / 2) <= bound else (good, bad + grown)
                    )
    return good, bad


@pytest.mark.parametrize("bound", ["250ms", "500ms", "1s", "2s"])
def test_a_real_servers_histograms(served: Any, bound: str) -> None:
    """Exact counts are what was sent; the server's own reading agrees to 1e-12."""
    url, sent = served
    slo = eb.SLO("lat", target="50%", window="30m", sli=eb.Latency(bound, where={"route": "/api"}))
    seconds = float(slo.sli.good_when.bound)  # type: ignore[union-attr]
    with Client(url) as client:
        found = PrometheusSource(client, step="15s").fetch(
            slo, start=(END - 1800) * NS, end=END * NS
        )
        counts = slo.evaluate(found).counts
        assert (counts.good, counts.bad) == truth(sent, 1800, seconds)
        ours = found.counts(slo, at=END * NS, window="30m", rules=client.rules())
        assert ours is not None
        queries = sli_queries(slo.sli, Metrics(native=True)).over(1800 * NS)
        bad, total = (client.query(text, at=END * NS).only() for text in queries)
        assert float(ours.bad) == pytest.approx(bad, rel=1e-12)
        assert float(ours.total) == pytest.approx(total, rel=1e-12)


def test_quantiles_are_asked_of_native_histograms(served: Any) -> None:
    """Where there are no classic buckets, the server's native ones answer."""
    url, _ = served
    slo = eb.SLO("p", window="30m", sli=eb.LatencyQuantile({"p95": "8s", "p50": "100ms"}))
    with Client(url) as client:
        found = PrometheusSource(client).fetch(slo, start=(END - 1800) * NS, end=END * NS)
        status = slo.evaluate(found)
        text = f"histogram_quantile(0.95, sum(rate({NAME}[30m])))"
        assert status.measurements[0].value == client.query(text, at=END * NS).only()
    assert [one.met for one in status.measurements] == [True, False]


def test_rules_for_native_histograms(tmp_path: Path) -> None:
    """Promtool takes them; without traffic nothing becomes NaN."""
    import subprocess

    from errorbudget.rules import prometheus_rules
    from tests.prometheus_binaries import binary

    slos = [
        LATENCY.replace(target="99%", window="30d"),
        eb.SLO("p", window="7d", sli=eb.LatencyQuantile({"p95": "200ms"})),
    ]
    text = prometheus_rules(slos, metrics=Metrics(native=True)).to_yaml()
    assert "_bucket" not in text
    (tmp_path / "rules.yml").write_text(text)
    command = [binary("promtool"), "check", "rules", "rules.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
