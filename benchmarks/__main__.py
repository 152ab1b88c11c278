"""
Run the benchmarks: `python -m benchmarks --size small` takes about two minutes.

    python -m benchmarks --size small             each workload, small, one shape
    python -m benchmarks --size full              all sizes and shapes; an hour and 10 GB of disk
    python -m benchmarks --only w1,w2 --events 10000000 --rounds 7
    python -m benchmarks --check results/x.json   goals against earlier results; 1 if missed

Results in full size go to `benchmarks/results/`, and from there to the docs
(`python -m benchmarks.tables`); small ones go to `.benchmarks/`, which is not kept.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.metadata
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.check import outcomes
from benchmarks.harness import measure

RESULTS = Path(__file__).parent / "results"
UNKEPT = Path(__file__).parents[1] / ".benchmarks"
PACKAGES = (
    "numpy",
    "pandas",
    "polars",
    "duckdb",
    "numba",
    "pyarrow",
    "orjson",
    "msgspec",
    "slo-generator",
)
# Workload: sizes when small, sizes when full. W4 counts SLOs, W6 series, W7 evaluations.
PLAN: dict[str, tuple[list[int], list[int]]] = {
    "w1": ([1_000_000], [100_000, 1_000_000, 10_000_000, 100_000_000]),
    "w2": ([1_000_000], [100_000, 1_000_000, 10_000_000, 100_000_000]),
    "w3": ([100_000], [100_000, 1_000_000, 10_000_000, 100_000_000]),
    "w4": ([40], [500]),
    "w5": ([2_000_000], [100_000_000]),
    "w6": ([10], [50]),
    "w7": ([100], [100]),
    "w8": ([1_000_000], [10_000_000]),
    "imports": ([1], [1]),
    "crossover": ([16, 64, 256, 1_024], [16, 32, 64, 128, 256, 1_024, 16_384]),
}
EVENTS = ("w1", "w2", "w3", "w5", "w8")
SHAPED = ("w1", "w2", "w3")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _machine() -> dict[str, Any]:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(pages / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _shapes(workload: str, events: int, size: str) -> tuple[str, ...]:
    """All shapes at one size in full; elsewhere the seasonal one."""
    every = size == "full" and workload in SHAPED and events == 1_000_000
    return data.SHAPES if every else data.SHAPES[:1]


def _show(workload: str, case: data.Case, methods: dict[str, dict[str, Any]]) -> None:
    print(f"\n{workload}  {case.events:,}  {case.shape}")
    base = next(iter(methods.values())).get("wall_s")
    for name, result in methods.items():
        if "wall_s" in result:
            times = f"{result['wall_s'] / base:7.2f}x" if base else ""
            print(
                f"  {name:38} {result['wall_s'] * 1e3:11.2f} ms {times}"
                f"  {result['cpu_s'] * 1e3:11.2f} ms cpu  {result['extra_mb']:7.0f} MB"
                f"  {len(result['rounds'])} rounds"
            )
        else:
            print(f"  {name:38} {result['left_out']}")
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.split("\n")[1]
    )
    parser.add_argument("--size", choices=("small", "full"), default="small")
    parser.add_argument("--small", dest="size", action="store_const", const="small")
    parser.add_argument("--full", dest="size", action="store_const", const="full")
    parser.add_argument("--only", help="workloads, such as w1,w2")
    parser.add_argument("--methods", help="methods by name, separated by ;")
    parser.add_argument("--events", type=int, help="one size instead of the plan's")
    parser.add_argument("--shapes", help="shapes, such as seasonal,bursty")
    parser.add_argument("--rounds", type=int, help="rounds; 7 in full size, 5 in small by default")
    parser.add_argument("--output", type=Path, help="results file; by default named by date")
    parser.add_argument("--check", type=Path, help="only check these results against the goals")
    return parser.parse_args()


def _report(results: dict[str, Any]) -> int:
    found = outcomes(results)
    print("\nGoals" if found else "\nNo goal is set for these sizes.")
    for outcome in found:
        print(f"  {outcome}")
    return int(any(outcome.fails for outcome in found))


def main() -> int:
    given = _arguments()
    if given.check:
        return _report(json.loads(given.check.read_text("utf-8")))
    rounds = given.rounds or (7 if given.size == "full" else 5)
    wanted = given.only.split(",") if given.only else list(PLAN)
    load = os.getloadavg()[0]
    runs = []
    for workload in wanted:
        sizes = [given.events] if given.events else PLAN[workload][given.size == "full"]
        for events in sizes:
            shapes = (
                given.shapes.split(",") if given.shapes else _shapes(workload, events, given.size)
            )
            for shape in shapes:
                case = data.Case(shape, events)
                if workload in EVENTS:
                    data.make(case)
                only = set(given.methods.split(";")) if given.methods else None
                methods = measure(workload, case, rounds, only=only)
                _show(workload, case, methods)
                runs.append(
                    {
                        "workload": workload,
                        "shape": shape,
                        "events": events,
                        "load": os.getloadavg()[0],
                        "methods": methods,
                    }
                )
    results = {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "size": given.size,
        "machine": _machine(),
        "load_before": load,
        "runs": runs,
    }
    # A small run is for looking at; what is kept feeds the page, and a test.
    folder = RESULTS if given.size == "full" else UNKEPT
    folder.mkdir(exist_ok=True)
    output = given.output or folder / f"{results['date'][:10]}-{given.size}.json"
    output.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(f"\n{output}")
    _report(results)  # a run reports; judging is `--check`, on a machine that is quiet
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
