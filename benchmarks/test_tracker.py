"""
What does a live tracker cost: an event, a status, a month of memory, a request through middleware?

Peers: an empty method, `slo-budget-tracker` from PyPI, and two bound counters of prometheus_client,
which have no windows. Methods take turns, so that drift of the machine falls on all; each figure
is the median of its rounds. For the middleware, real servers (uvicorn, gunicorn) answer hello world
over loopback, with it and without, asked in turn over kept connections.

    python benchmarks/test_tracker.py --events 1000000 --rounds 9
    python benchmarks/test_tracker.py --http --rounds 60

Source of the goals: an event at most 8 times an empty method and at least 4 times under
slo-budget-tracker; a status of eight windows under 10 us and 10^4 times under its status; under
1 MB for 30 days of minutes; middleware under 5 % of a request. `status()` reads the moment and
works out its parts when they are looked at, so what is read out at once is measured beside it: SLI,
budget left, the burn rates of all windows and the tier (`figures`), and everything (`alerts`).
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import socket
import statistics
import subprocess
import sys
import tempfile
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


APPS = """
import errorbudget as eb
from errorbudget.live import Tracker, asgi, wsgi

async def asgi_without(scope, receive, send):
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})

def wsgi_without(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]

available = eb.SLO("up", target="99.9%", window="30d", sli=eb.Availability())
fast = eb.SLO("fast", target="99%", window="30d", sli=eb.Latency("200ms"))
asgi_with = asgi.BudgetMiddleware(asgi_without, Tracker(available))
wsgi_with = wsgi.BudgetMiddleware(wsgi_without, Tracker(available))
asgi_two_slos = asgi.BudgetMiddleware(asgi_without, Tracker([available, fast]))
wsgi_two_slos = wsgi.BudgetMiddleware(wsgi_without, Tracker([available, fast]))
asgi_equal, wsgi_equal = asgi_without, wsgi_without

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def hello(request):
    return PlainTextResponse("hello")

starlette_without = starlette_equal = Starlette(routes=[Route("/", hello)])
starlette_with = asgi.BudgetMiddleware(starlette_without, Tracker(available))
starlette_two_slos = asgi.BudgetMiddleware(starlette_without, Tracker([available, fast]))

from flask import Flask

flask_without = flask_equal = Flask("hello")
flask_without.get("/")(lambda: "hello")
flask_with = wsgi.BudgetMiddleware(flask_without, Tracker(available))
flask_two_slos = wsgi.BudgetMiddleware(flask_without, Tracker([available, fast]))
"""
KINDS = ("without", "equal", "with", "two_slos")
UVICORN = (
    "uvicorn --app-dir {folder} --port {port} --http h11 --loop asyncio --lifespan off "
    "--log-level critical --no-access-log --timeout-keep-alive 120 apps:{app}_{kind}"
)
GUNICORN = (
    "gunicorn --chdir {folder} --bind 127.0.0.1:{port} --worker-class gthread --threads 1 "
    "--keep-alive 120 --log-level critical apps:{app}_{kind}"
)
SERVERS = {"asgi": UVICORN, "starlette": UVICORN, "wsgi": GUNICORN, "flask": GUNICORN}
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Served:
    """A server of hello world, and one kept connection to it."""

    def __init__(self, app: str, kind: str, folder: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = SERVERS[app].format(folder=folder, port=port, app=app, kind=kind)
        self.process = subprocess.Popen([sys.executable, "-m", *command.split()])
        for _ in range(400):
            try:
                self.connection = socket.create_connection(("127.0.0.1", port), timeout=10)
                break
            except OSError:
                time.sleep(0.05)

    def ask(self, times: int) -> float:
        """Time of a request [us]."""
        connection = self.connection
        started = time.perf_counter()
        for _ in range(times):
            connection.sendall(REQUEST)
            answer = connection.recv(4096)
            while not answer.endswith(b"hello"):
                part = connection.recv(4096)
                if not part:
                    raise ConnectionError(f"the server closed after {answer!r}")
                answer += part
        return (time.perf_counter() - started) / times * 1e6

    def close(self) -> None:
        self.connection.close()
        self.process.terminate()
        self.process.wait()


def measure_http(app: str, rounds: int, requests: int = 250) -> dict[str, Any]:
    """
    Time of a request by kind [us], and what a kind adds to one without middleware [%].

    No two processes are alike, so servers are started anew six times; "equal" has no middleware
    either and says how far apart two equal servers are.
    """
    starts = 6
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    added: dict[str, list[float]] = {kind: [] for kind in KINDS[1:]}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "apps.py").write_text(APPS)
        for start in range(starts):
            servers: dict[str, Served] = {}
            try:
                for kind in KINDS if start % 2 else reversed(KINDS):
                    servers[kind] = Served(app, kind, folder)
                    servers[kind].ask(300)
                for turn in range(-(-rounds // starts)):
                    order = random.Random(turn).sample(KINDS, len(KINDS))
                    took = {kind: servers[kind].ask(requests) for kind in order}
                    for kind in KINDS:
                        times[kind].append(took[kind])
                    for kind, shares in added.items():
                        shares.append((took[kind] / took["without"] - 1) * 100)
            finally:
                for server in servers.values():
                    server.close()
    return {
        "request [us]": {kind: statistics.median(found) for kind, found in times.items()},
        "added [%]": {kind: statistics.median(shares) for kind, shares in added.items()},
        "rounds": len(times["with"]),
    }


def table(results: Path) -> str:
    """What the newest kept results say, for the docs; each row names its key in them."""
    live, http = (
        json.loads(max(results.glob(f"*-{name}.json")).read_text()) for name in ("tracker", "http")
    )
    record, status, memory = live["record [ns]"], live["status [us]"], live["memory [MB]"]
    empty, peer = record["empty method"], "slo-budget-tracker"
    judged = record["record(status=, duration_s=)"] / empty
    read, out, whole = (status[name] for name in ("status", "figures", "status and its alerts"))
    rows = {
        "`record(good=...)`": f"{record['record'] / empty:.1f} empty method calls",
        f"the same of `{peer}`": f"{record[peer] / empty:.1f} empty method calls",
        "`record(status=, duration_s=)` of a kind that was seen": f"{judged:.0f} empty calls",
        "`status()`, eight windows read in one moment": f"{read:.1f} us",
        "`figures()`, the same read out as numbers": f"{out:.1f} us",
        "`status()` and all of its parts": f"{whole:.0f} us",
        f"the status of `{peer}` after 10^6 events": f"{status[peer] / 1e3:.0f} ms",
        "30 days of minutes, one SLO": f"{memory[0]:.2f} MB",
        "the same after 10^8 events, most by `record_many`": f"{memory[1]:.2f} MB",
    }
    keys = ["`record [ns]`"] * 3 + ["`status [us]`"] * 4 + ["`memory [MB]`"] * 2
    for app in SERVERS:
        added = http[app]["added [%]"]
        for kind, words in (("with", "one SLO"), ("two_slos", "two"), ("equal", "no middleware")):
            rows[f"hello world of {app}, {words}"] = f"{added[kind]:+.1f} % of a request"
            keys.append(f"`{app}`, `{kind}`")
    lines = (
        f"| {what} | {cost} | {key} |" for (what, cost), key in zip(rows.items(), keys, strict=True)
    )
    return "\n".join(["| what | cost | key |", "|---|---|---|", *lines])


def main() -> int:
    """Measure, print, and say which goals are missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--events", type=int, default=1_000_000, help="before a status is asked")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--http", action="store_true", help="the middleware, and nothing else")
    parser.add_argument("--table", action="store_true", help="print what docs say, and stop")
    parser.add_argument("--out", type=Path, help="keep the result in this file")
    arguments = parser.parse_args()
    if arguments.table:
        print(table(Path(__file__).parent / "results" / "live"))
        return 0
    found: dict[str, float] = {}
    raw: dict[str, Any] = {"machine": platform.platform(), "python": platform.python_version()}
    raw["load"] = os.getloadavg()
    if arguments.http:
        for app in SERVERS:
            raw[app] = measure_http(app, arguments.rounds)
            for kind in ("with", "two_slos"):
                found[f"{app} middleware, {kind} [%]"] = raw[app]["added [%]"][kind]
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
        word, goal = GOALS.get(name, ("at most", 5.0))
        met = value <= goal if word == "at most" else value >= goal
        missed += not met
        print(f"{'met' if met else 'MISSED'}: {name} is {value:.4g}, {word} {goal:g}")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
