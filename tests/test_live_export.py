"""What exporters say is what the status says."""

from __future__ import annotations

import importlib
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import errorbudget as eb
from errorbudget.live import ManualClock, Shared, SqliteStore, Tracker

NOON = "2026-03-01T12:00:00Z"
API = eb.SLO("api", target="99%", window="30d", sli=eb.Availability(), service="shop")
FAST = eb.SLO("fast", target="95%", window="7d", sli=eb.Latency("200ms"))


def fed() -> Tracker:
    tracker = Tracker([API, FAST], clock=ManualClock(NOON))
    tracker.record_many(
        status=np.where(np.arange(1_000) < 200, 503, 200), duration_s=np.full(1_000, np.nan)
    )
    tracker.record(good=True, at="2026-03-01T11:00:00Z")
    return tracker


def test_prometheus_sees_every_figure() -> None:
    """Samples equal the status; what is not known is absent; counters end in _total."""
    import prometheus_client as client

    from errorbudget.live.prometheus import BudgetCollector

    tracker = fed()
    registry = client.CollectorRegistry()
    registry.register(BudgetCollector(tracker))
    status = tracker.status("api")
    api = {"slo": "api", "service": "shop"}

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"errorbudget_{name}", labels)

    assert value("objective_ratio", **api) == 0.99
    assert value("sli_ratio", **api) == status.sli == 0.8
    assert value("remaining_ratio", **api) == status.budget.remaining_ratio
    assert value("burn_rate", **api, window="1h") == status.burn_rates["1h"] == 20
    assert value("tier", **api, tier="exhausted") == 1
    assert value("tier", **api, tier="healthy") == 0
    assert value("events_total", **api, result="bad") == 200
    assert value("left_out_events_total", slo="fast", service="") == 1_000
    assert value("late_events_dropped_total") == 1
    firing = [alert for alert in status.alerts if alert.state == "firing"]
    assert firing
    quiet = {"slo": "fast", "service": "", "alert": "page-fast", "severity": "page"}
    assert value("alert_firing", **quiet) == 0
    for alert in status.alerts:
        labels = {**api, "alert": alert.alert.name, "severity": alert.alert.severity}
        assert value("alert_firing", **labels) == (alert.state == "firing")
    assert value("coverage_ratio", **api) == status.coverage
    assert value("events_total", **api, result="good") == 800
    assert value("left_out_events_total", **api) == 0
    assert value("sli_ratio", slo="fast", service="") is None
    assert value("tier", slo="fast", service="", tier="healthy") is None
    assert value("burn_rate", slo="fast", service="", window="1h") is None
    client.generate_latest(registry)


def test_the_objective_is_that_of_now() -> None:
    """Where it moves, too; and registering asks the tracker nothing."""
    import prometheus_client as client

    from errorbudget.errors import InvalidInputError
    from errorbudget.live.prometheus import BudgetCollector

    moved = eb.TargetSchedule({"2026-01-01T00:00Z": "99.9%", NOON: "99.95%"})
    clock = ManualClock("2026-03-01T11:59:59Z")
    registry = client.CollectorRegistry()
    registry.register(BudgetCollector(Tracker(API.replace(target=moved), clock=clock)))
    labels = {"slo": "api", "service": "shop"}
    assert registry.get_sample_value("errorbudget_objective_ratio", labels) == 0.999
    clock.advance("1s")
    assert registry.get_sample_value("errorbudget_objective_ratio", labels) == 0.9995
    with pytest.raises(InvalidInputError, match="this wants a Tracker, got 5"):
        BudgetCollector(5)  # type: ignore[arg-type]


def test_prometheus_parses_what_is_exposed() -> None:
    """The text is valid OpenMetrics, read back by the client's own strict parser."""
    import prometheus_client as client
    from prometheus_client.openmetrics.exposition import generate_latest
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    from errorbudget.live.prometheus import BudgetCollector

    registry = client.CollectorRegistry()
    registry.register(BudgetCollector(fed(), prefix="shop_budget"))
    text = generate_latest(registry).decode()
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"shop_budget_events", "shop_budget_burn_rate", "shop_budget_tier"} <= names


def test_counters_never_fall_and_restart_at_zero() -> None:
    """
    Restoring and merging move no counter; a new process begins at 0.

    Prometheus takes a fall for a restart and counts the whole new value as new events.
    """
    import prometheus_client as client

    from errorbudget.live.prometheus import BudgetCollector

    def exported(tracker: Tracker) -> dict[str, float]:
        registry = client.CollectorRegistry()
        registry.register(BudgetCollector(tracker))
        return {
            f"{sample.name}{sorted(sample.labels.items())}": sample.value
            for family in registry.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    tracker = fed()
    saved = tracker.snapshot()
    first = exported(tracker)
    tracker.record(status=200)
    second = exported(tracker)
    tracker.restore(saved)
    assert exported(tracker) == second
    tracker.merge(saved)
    tracker.restore(Tracker([API, FAST], clock=ManualClock(NOON)).snapshot())
    assert exported(tracker) == second
    tracker.record(status=200)
    third = exported(tracker)
    assert all(first[name] <= second[name] <= third[name] for name in first)
    assert sum(third.values()) > sum(second.values())
    restarted = Tracker([API, FAST], clock=ManualClock(NOON))
    restarted.resume(saved)
    assert set(exported(restarted).values()) == {0.0}
    assert restarted.status("api").counts.bad == 200


def test_a_shared_budget_exports_all_workers(tmp_path: Path) -> None:
    """Whichever worker is asked: gauges and counters of all; without the store no old counters."""
    import prometheus_client as client

    from errorbudget.live.prometheus import BudgetCollector

    clock = ManualClock(NOON)
    store = SqliteStore(tmp_path / "budget.db")
    parts = [Shared(Tracker(API, clock=clock), store, every="1h") for _ in range(2)]
    registries = [client.CollectorRegistry() for _ in parts]
    labels = {"slo": "api", "service": "shop", "result": "bad"}
    for part, registry in zip(parts, registries, strict=True):
        part.tracker.record(good=False)
        part.ticker.stop()
        registry.register(BudgetCollector(part))
    client.generate_latest(registries[0])  # each scrape exchanges
    for registry in reversed(registries):
        assert registry.get_sample_value("errorbudget_events_total", labels) == 2
        assert registry.get_sample_value("errorbudget_late_events_dropped_total") == 0
    store.path.unlink()
    store.path.mkdir()
    assert registries[0].get_sample_value("errorbudget_events_total", labels) is None
    assert registries[0].get_sample_value("errorbudget_late_events_dropped_total") is None
    del labels["result"]
    assert registries[0].get_sample_value("errorbudget_sli_ratio", labels) == 0


WORKERS = """
import os
import errorbudget as eb
from errorbudget.live import Shared, SqliteStore, Tracker, asgi
from errorbudget.live.prometheus import BudgetCollector
from prometheus_client import CollectorRegistry, make_asgi_app

slo = eb.SLO("api", target="99%", window="1d", sli=eb.Availability(), service="shop")
shared = Shared(Tracker(slo), SqliteStore("budget.db"), every="200ms")
registry = CollectorRegistry()
registry.register(BudgetCollector(shared))
metrics = make_asgi_app(registry)

async def hello(scope, receive, send):
    status = 503 if scope["path"] == "/bad" else 200
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

counted = asgi.BudgetMiddleware(hello, shared.tracker)

async def app(scope, receive, send):
    await (metrics if scope.get("path") == "/metrics" else counted)(scope, receive, send)
"""
SCRAPES = """
global: {scrape_interval: 500ms}
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


@pytest.mark.slow
def test_prometheus_scrapes_workers_on_one_port(tmp_path: Path) -> None:
    """A real server scrapes three uvicorn workers on one port: no reset, all requests, one SLI."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("missing: prometheus; apt install prometheus")
    pytest.importorskip("uvicorn", reason="missing: uvicorn; make test")
    (tmp_path / "service.py").write_text(WORKERS)
    port, own = _free_port(), _free_port()
    (tmp_path / "prometheus.yml").write_text(SCRAPES % port)
    service = [sys.executable, "-m", "uvicorn", "service:app", "--workers", "3", "--lifespan=off"]
    service += ["--port", str(port), "--log-level", "critical"]
    scraper = [program, "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    scraper += [f"--web.listen-address=127.0.0.1:{own}", "--log.level=error"]

    def get(url: str) -> bytes:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bytes(answer.read())

    def asked(query: str) -> float | None:
        url = f"http://127.0.0.1:{own}/api/v1/query?query={urllib.parse.quote(query)}"
        found = json.loads(get(url))["data"]["result"]
        return float(found[0]["value"][1]) if found else None

    def within(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                if holds():
                    return
            except OSError:
                pass  # it is not up yet
            assert time.monotonic() < deadline, "it did not come to hold in time"
            time.sleep(0.1)

    with (
        subprocess.Popen(service, cwd=tmp_path) as workers,
        subprocess.Popen(scraper, cwd=tmp_path) as prometheus,
    ):
        try:
            within(lambda: get(f"http://127.0.0.1:{port}/metrics"))
            bad = 'errorbudget_events_total{slo="api",service="shop",result="bad"}'
            within(lambda: asked(bad) == 0)
            answered = set()
            for number in range(200):
                path = "bad" if number % 10 == 0 else "good"
                try:
                    answered.add(get(f"http://127.0.0.1:{port}/{path}"))
                except urllib.error.HTTPError as error:
                    with error:
                        answered.add(error.read())
                time.sleep(0.01)
            within(lambda: asked("sum(errorbudget_events_total)") == 200)
            assert len(answered) > 1  # several workers took part
            assert asked(bad) == 20
            assert asked("errorbudget_sli_ratio") == 0.9
            assert asked("resets(errorbudget_events_total[1m])") == 0
            assert asked('errorbudget_burn_rate{window="1h"}') == pytest.approx(10)
        finally:
            prometheus.terminate()
            workers.terminate()
            prometheus.wait(30)
            workers.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_promtool_finds_nothing_to_mend() -> None:
    """Names, units and types are what Prometheus' own linter asks for."""
    import prometheus_client as client

    from errorbudget.live.prometheus import BudgetCollector

    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("missing: promtool; apt install prometheus")
    registry = client.CollectorRegistry()
    registry.register(BudgetCollector(fed()))
    told = subprocess.run(
        [promtool, "check", "metrics"],
        input=client.generate_latest(registry),
        capture_output=True,
        timeout=60,
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, b"", b"")


def test_opentelemetry_observes_every_figure() -> None:
    """The same figures through an SDK's reader, with units and attributes."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from errorbudget.live.telemetry import observe

    tracker = fed()
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    observe(tracker, provider.get_meter("test"))
    data = reader.get_metrics_data()
    assert data is not None
    metrics = {m.name: m for m in data.resource_metrics[0].scope_metrics[0].metrics}
    found = {
        (name, tuple(sorted((point.attributes or {}).items()))): point.value
        for name, metric in metrics.items()
        for point in metric.data.data_points
    }
    api = (("errorbudget.slo", "api"), ("service.name", "shop"))
    status = tracker.status("api")
    assert found["errorbudget.sli", api] == status.sli
    assert found["errorbudget.remaining", api] == status.budget.remaining_ratio
    burn = (api[0], ("errorbudget.window", "1h"), api[1])
    assert found["errorbudget.burn_rate", burn] == status.burn_rates["1h"]
    assert found["errorbudget.events", (("errorbudget.result", "bad"), *api)] == 200
    assert metrics["errorbudget.events"].unit == "{event}"
    assert metrics["errorbudget.burn_rate"].unit == "1"
    assert ("errorbudget.sli", (("errorbudget.slo", "fast"),)) not in found
    assert found["errorbudget.objective", api] == 0.99
    assert found["errorbudget.tier", (api[0], ("errorbudget.tier", "exhausted"), api[1])] == 1
    assert found["errorbudget.left_out_events", (("errorbudget.slo", "fast"),)] == 1_000
    assert found["errorbudget.late_events", ()] == 1
    assert found["errorbudget.coverage", api] == status.coverage
    for of, fires in ((api, 1), ((("errorbudget.slo", "fast"),), 0)):
        for alert in API.alerts.alerts:
            told = {"errorbudget.alert": alert.name, "errorbudget.severity": alert.severity}
            key = tuple(sorted({**dict(of), **told}.items()))
            assert found["errorbudget.alert.firing", key] == fires
    named = {name for name, attributes in found if attributes[:1] == (("errorbudget.slo", "fast"),)}
    assert "errorbudget.objective" in named
    assert not named & {"errorbudget.sli", "errorbudget.remaining", "errorbudget.tier"}
    for metric in metrics.values():
        assert len(metric.description) > 10
    # The semantic conventions: what a metric is called is no namespace of another's name.
    assert not [(a, b) for a in metrics for b in metrics if b.startswith(f"{a}.")]
    provider.shutdown()


def test_opentelemetry_may_count_another_tracker() -> None:
    """Gauges of a view, and counters of the worker's tracker beside it, by the global meter."""
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from errorbudget.live import telemetry

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    view, own = (Tracker(API, clock=ManualClock(NOON)) for _ in range(2))
    own.record(good=False)
    before = telemetry.get_meter
    telemetry.get_meter = provider.get_meter
    try:
        telemetry.observe(view, counters=own)
    finally:
        telemetry.get_meter = before
    assert before is metrics.get_meter
    data = reader.get_metrics_data()
    assert data is not None
    (scope,) = data.resource_metrics[0].scope_metrics
    assert scope.scope.name == "errorbudget"
    found = {m.name: [point.value for point in m.data.data_points] for m in scope.metrics}
    assert found["errorbudget.events"] == [0, 1]
    assert found["errorbudget.left_out_events"] == [0]
    assert "errorbudget.sli" not in found
    provider.shutdown()


def test_what_is_not_known_is_not_observed() -> None:
    """An instrument's callback tells of no figure that is None."""
    from errorbudget.live.telemetry import observe

    class Noted:
        def __init__(self) -> None:
            self.told: dict[str, list[float]] = {}

        def noted(self, name: str, callbacks: list[Any], **_: str) -> None:
            self.told[name] = [one.value for callback in callbacks for one in callback(None)]

        create_observable_gauge = create_observable_counter = noted

    meter: Any = Noted()
    observe(Tracker(FAST, clock=ManualClock(NOON)), meter)
    assert meter.told["errorbudget.sli"] == meter.told["errorbudget.remaining"] == []
    assert meter.told["errorbudget.burn_rate"] == meter.told["errorbudget.tier"] == []
    assert meter.told["errorbudget.objective"] == [0.95]
    assert meter.told["errorbudget.alert.firing"] == [0] * 4
    assert meter.told["errorbudget.events"] == [0, 0]


def test_names_of_the_room() -> None:
    """Every public name of `errorbudget.live` can be had, and a wrong one is an attribute error."""
    from errorbudget import live

    for name in live.__all__:
        assert getattr(live, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Trakcer'"):
        _ = live.Trakcer
    assert repr(ManualClock(NOON)) == f'ManualClock("{NOON}")'


@pytest.mark.parametrize(
    ("module", "library", "extra"),
    [
        ("prometheus", "prometheus_client", "live"),
        ("telemetry", "opentelemetry", "otel"),
        ("redis_store", "redis", "redis"),
    ],
)
def test_what_is_missing_is_named(
    module: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its library an exporter or store names the extra that brings it."""
    from errorbudget.errors import MissingDependencyError

    for name in [name for name in sys.modules if name.partition(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"errorbudget.live.{module}", raising=False)

    def use() -> None:
        importlib.import_module(f"errorbudget.live.{module}").RedisStore("redis://localhost")

    with pytest.raises(MissingDependencyError, match=rf"errorbudget\[{extra}\]"):
        use()
