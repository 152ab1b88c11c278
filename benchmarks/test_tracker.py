"""
What does a live tracker cost: an event, a status, a month of memory, a request through middleware?

Peers: an empty method, `slo-budget-tracker` from PyPI, and two bound counters of prometheus_client,
which have no windows. Methods take turns, so that drift of the machine falls on all; each figure
is the median of its rounds. For the middleware, two servers answer hello world over loopback, one
with it and one without, asked in turn over kept connections.

    python benchmarks/test_tracker.py --events 1000000 --rounds 9
    python benchmarks/test_tracker.py --http --rounds 15

Source of the goals: an event at most 8 times an empty method and at least 4 times under
slo-budget-tracker; a status of eight windows under 10 us and 10^4 times under its status; under
1 MB for 30 days of minutes; middleware under 5 % of a request. `status()` reads the moment and
works out its parts when they are looked at, so what is read out at once is measured beside it: SLI,
budget left, the burn rates of all windows and the tier (`figures`), and everything (`alerts`).
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import errorbudget as eb
from errorbudget.live import Tracker

SLO = eb.SLO(
    "api",
    target="99.9%",
    window="30d",
    sli=eb.Availability(),
    burn_windows=["5m", "30m", "1h", "2h", "6h", "1d", "3d"],
)
WINDOWS_S = (300, 1800, 3600, 7200, 21600, 86400, 259200)
GOALS = {
    "record / empty method": ("at most", 8.0),
    "slo-budget-tracker / record": ("at least", 4.0),
    "status of eight windows [us]": ("at most", 10.0),
    "figures of eight windows, read out [us]": ("at most", 10.0),
    "slo-budget-tracker's status / status": ("at least", 1e4),
    "slo-budget-tracker's status / figures": ("at least", 1e4),
    "memory of 30 days of minutes [MB]": ("at most", 1.0),
    "events lost by 8 threads": ("at most", 0.0),
    "middleware / request [%]": ("at most", 5.0),
}

Record = Callable[..., object]


class Empty:
    """The floor: a call that does nothing."""

    def record(self, good: bool) -> None: ...


def peer() -> Any:
    """A tracker of slo-budget-tracker, or None where it is not installed."""
    try:
        from slo_budget_tracker import SLODefinition, SLOTracker
    except ModuleNotFoundError:
        return None
    return SLOTracker(SLODefinition(name="api", target=0.999, burn_rate_windows=WINDOWS_S))


def counters() -> Record | None:
    """Two bound counters of prometheus_client, or None where it is not installed."""
    try:
        from prometheus_client import CollectorRegistry, Counter
    except ModuleNotFoundError:
        return None
    counter = Counter("requests", "", ["code"], registry=CollectorRegistry())
    good_counter, bad_counter = counter.labels("200"), counter.labels("500")

    def record(good: bool) -> None:
        (good_counter if good else bad_counter).inc()

    return record


def per_call_ns(record: Record, events: list[bool], *, by_name: bool = True) -> float:
    """Time of one call, the loop included [ns]."""
    gc.collect()
    gc.disable()
    started = time.perf_counter()
    if by_name:
        for good in events:
            record(good=good)
    else:
        for good in events:
            record(good)
    taken = time.perf_counter() - started
    gc.enable()
    return taken / len(events) * 1e9


def per_status_us(status: Callable[[], object], times: int) -> float:
    """Time of one status [us]."""
    started = time.perf_counter()
    for _ in range(times):
        status()
    return (time.perf_counter() - started) / times * 1e6


def measure_record(rounds: int) -> dict[str, float]:
    """Cost of one event by method [ns]."""
    rng = random.Random(1)
    events = [rng.random() > 0.002 for _ in range(100_000)]
    makers: dict[str, Callable[[], Record | None]] = {
        "empty method": lambda: Empty().record,
        "record": lambda: Tracker(SLO).record,
        "slo-budget-tracker": lambda: getattr(peer(), "record", None),
        "prometheus_client, two counters": counters,
    }
    times: dict[str, list[float]] = {name: [] for name in makers}
    for _ in range(rounds):
        for name, make in makers.items():
            record = make()
            if record is not None:
                slow = name == "slo-budget-tracker"
                few = events[: 20_000 if slow else None]
                times[name].append(per_call_ns(record, few, by_name=not slow))
    tracker = Tracker(SLO)
    times["record(status=, duration_s=)"] = [
        per_call_ns(lambda good: tracker.record(status=200, duration_s=0.1), events[:20_000])
        for _ in range(rounds)
    ]
    return {name: statistics.median(found) for name, found in times.items() if found}


def measure_status(events: int, rounds: int) -> dict[str, float]:
    """Cost of one status after *events* [us]."""
    tracker, other = Tracker(SLO), peer()
    for i in range(events):
        tracker.record(good=i % 500 > 0)
    if other is not None:
        for i in range(events):
            other.record(i % 500 > 0)
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        found.setdefault("figures", []).append(per_status_us(tracker.figures, 2_000))
        found.setdefault("status", []).append(per_status_us(tracker.status, 2_000))
        found.setdefault("status and its alerts", []).append(
            per_status_us(lambda: tracker.status().alerts, 200)
        )
        if other is not None:
            found.setdefault("slo-budget-tracker", []).append(per_status_us(other.snapshot, 1))
    return {name: statistics.median(times) for name, times in found.items()}


def measure_memory(events: int) -> tuple[float, float]:
    """Memory of 30 days of minutes: at first, and after *events* and 10^8 more [MB]."""
    Tracker(SLO).record_many(good=[True])  # imports are not the tracker's
    gc.collect()
    tracemalloc.start()
    tracker = Tracker(SLO)
    first = tracemalloc.get_traced_memory()[0] / 1e6
    for i in range(events):
        tracker.record(good=i % 500 > 0)
    million = np.arange(1_000_000) % 500 > 0
    for _ in range(100):
        tracker.record_many(good=million)
    del million
    gc.collect()
    last = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    return first, last


def measure_threads(each: int) -> tuple[int, float]:
    """Events that 8 threads lost, and what one cost them [ns]."""
    tracker = Tracker(SLO)

    def work() -> None:
        for _ in range(each):
            tracker.record(good=True)

    threads = [threading.Thread(target=work) for _ in range(8)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - started
    return 8 * each - int(tracker.counts().total), taken / (8 * each) * 1e9


SERVER = """
import sys, uvicorn, errorbudget as eb
from errorbudget.live import Tracker
from errorbudget.live.asgi import BudgetMiddleware

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})

if sys.argv[2] == "with":
    slo = eb.SLO("api", target="99.9%", window="30d", sli=eb.Availability())
    app = BudgetMiddleware(app, Tracker(slo))
uvicorn.run(app, port=int(sys.argv[1]), log_level="critical", access_log=False, lifespan="off",
            timeout_keep_alive=120)
"""


def _server(kind: str) -> tuple[subprocess.Popen[bytes], http.client.HTTPConnection]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(port), kind])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(400):
        try:
            connection.connect()
            break
        except OSError:
            time.sleep(0.05)
    return server, connection


def _requests_s(connection: http.client.HTTPConnection, times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        connection.request("GET", "/")
        connection.getresponse().read()
    return (time.perf_counter() - started) / times


def _processor_s(server: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_http(rounds: int, requests: int = 400) -> dict[str, float]:
    """Time of a request with and without the middleware [us], and of the server's processor."""
    servers = {kind: _server(kind) for kind in ("without", "with")}
    times: dict[str, list[float]] = {kind: [] for kind in servers}
    try:
        for _, connection in servers.values():
            _requests_s(connection, 300)
        before = {kind: _processor_s(server) for kind, (server, _) in servers.items()}
        for turn in range(rounds):
            for kind in sorted(servers, reverse=bool(turn % 2)):
                times[kind].append(_requests_s(servers[kind][1], requests) * 1e6)
        spent = {
            kind: (_processor_s(server) - before[kind]) / (rounds * requests) * 1e6
            for kind, (server, _) in servers.items()
        }
    finally:
        for server, connection in servers.values():
            connection.close()
            server.terminate()
            server.wait()
    found = {kind: statistics.median(values) for kind, values in times.items()}
    pairs = zip(times["with"], times["without"], strict=True)
    found["added [%]"] = (statistics.median(a / b for a, b in pairs) - 1) * 100
    found["processor without"], found["processor with"] = spent["without"], spent["with"]
    return found


def main() -> int:
    """Measure, print, and say which goals are missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--events", type=int, default=1_000_000, help="before a status is asked")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--http", action="store_true", help="the middleware, and nothing else")
    parser.add_argument("--out", type=Path, help="keep the result in this file")
    arguments = parser.parse_args()
    found: dict[str, float] = {}
    raw: dict[str, Any] = {"machine": platform.platform(), "python": platform.python_version()}
    raw["load"] = os.getloadavg()
    if arguments.http:
        raw["http"] = measure_http(arguments.rounds)
        found["middleware / request [%]"] = raw["http"]["added [%]"]
    else:
        raw["record [ns]"] = record = measure_record(arguments.rounds)
        raw["status [us]"] = status = measure_status(arguments.events, arguments.rounds)
        raw["memory [MB]"] = memory = measure_memory(arguments.events)
        raw["8 threads, lost and [ns]"] = lost, _ = measure_threads(arguments.events)
        found["record / empty method"] = record["record"] / record["empty method"]
        found["status of eight windows [us]"] = status["status"]
        found["figures of eight windows, read out [us]"] = status["figures"]
        found["memory of 30 days of minutes [MB]"] = max(memory)
        found["events lost by 8 threads"] = lost
        if "slo-budget-tracker" in record:
            theirs = record["slo-budget-tracker"], status["slo-budget-tracker"]
            found["slo-budget-tracker / record"] = theirs[0] / record["record"]
            found["slo-budget-tracker's status / status"] = theirs[1] / status["status"]
            found["slo-budget-tracker's status / figures"] = theirs[1] / status["figures"]
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(raw | {"found": found}, indent=1) + "\n")
    print(json.dumps(raw, indent=2))
    missed = 0
    for name, value in found.items():
        word, goal = GOALS[name]
        met = value <= goal if word == "at most" else value >= goal
        missed += not met
        print(f"{'met' if met else 'MISSED'}: {name} is {value:.4g}, {word} {goal:g}")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
