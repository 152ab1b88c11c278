"""
Tables and plot of `docs/explanation/performance.md`, from the files in `benchmarks/results/`.

    python -m benchmarks.tables            writes the marked part of the page, and the plot
    python -m benchmarks.tables --check    1 when the page is not what the results say

For each workload, shape and size the latest run counts.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.check import Outcome, outcomes

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
PLOT = PAGE.with_name("performance.svg")
BEGIN, END = "<!-- results: written by `python -m benchmarks.tables` -->", "<!-- /results -->"
COUNTED = {"w4": "SLOs", "w6": "series", "w7": "evaluations", "imports": "import"}
ORDER = ("w1", "w2", "w3", "w4", "w5", "w6", "w7", "w8", "imports", "crossover")
PLOTTED = ("w1", "w2", "w3")
# Okabe and Ito's colours; ours are the blues, and a method has one colour in every panel.
COLOURS = {
    "errorbudget": "#0072B2",
    "errorbudget, 2 threads": "#56B4E9",
    "errorbudget, 2 threads, columns reused": "#004C78",
    "errorbudget, sketch of 1 %": "#56B4E9",
    "pandas": "#E69F00",
    "polars": "#D55E00",
    "duckdb": "#CC79A7",
    "numba": "#009E73",
    "numpy, searched at once": "#8C6D1F",
}
LIMIT = "#7F7F7F"


def latest() -> list[dict[str, Any]]:
    """The latest run of each workload, shape and size, with the file and machine it came from."""
    runs: dict[tuple[str, int, str], dict[str, Any]] = {}
    for path in sorted(RESULTS.glob("*.json")):
        results = json.loads(path.read_text("utf-8"))
        for run in results["runs"]:
            key = (run["workload"], run["events"], run["shape"])
            older = runs.get(key)
            if older is None or older["date"] <= results["date"]:
                machine = results["machine"]
                runs[key] = {**run, "date": results["date"], "file": path.name, "machine": machine}
    return [runs[key] for key in sorted(runs, key=lambda key: (ORDER.index(key[0]), *key[1:]))]


def _anchor(workload: str, events: int, shape: str) -> str:
    return f"{workload}-{events}-{shape}"


def _goal(outcome: Outcome) -> str:
    """The outcome as an item of a list, with a link to the table that it stands in."""
    workload, events = outcome.goal["workload"], outcome.goal["events"]
    place = f"{workload}, {events:,}"
    linked = f"[{place}](#{_anchor(workload, events, 'seasonal')})"
    item = str(outcome).replace(place, linked, 1)
    return f"- **{item[:6]}**{item[6:]}" if outcome.missed else f"- {item}"


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _table(run: dict[str, Any]) -> list[str]:
    counted = COUNTED.get(run["workload"], "events")
    anchor = _anchor(run["workload"], run["events"], run["shape"])
    title = f"**{run['events']:,} {counted}, {run['shape']}**"
    lines = [
        f'<a id="{anchor}"></a>',
        f"{title} ({run['machine']['processor']}, load {run['load']:.1f}, `{run['file']}`)",
        "",
        "| method | wall, median | times ours | processor | times ours | extra memory | rounds |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    base = next(iter(run["methods"].values()))
    for name, result in run["methods"].items():
        if "wall_s" not in result:
            lines.append(f"| {name} | {result['left_out']} | | | | | |")
            continue
        cells = [name]
        for field in ("wall_s", "cpu_s"):
            ratio = f"{result[field] / base[field]:.2f}" if field in base else ""
            cells += [_time(result[field]), ratio]
        cells += [f"{result['extra_mb']:.0f} MB", str(len(result["rounds"]))]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _fit(runs: list[dict[str, Any]]) -> str | None:
    """How the time of our method grows: a fixed cost and one per event, fitted to every size."""
    import numpy as np

    points = [
        (run["events"], next(iter(run["methods"].values())).get("wall_s"))
        for run in runs
        if run["shape"] == "seasonal"
    ]
    known = [(events, seconds) for events, seconds in points if seconds]
    if len(known) < 3:
        return None
    events, seconds = np.array(known).T
    # Relative errors: the smallest size counts as much as the largest.
    terms = np.stack([np.ones(len(events)), events], axis=1) / seconds[:, np.newaxis]
    (fixed, each), *_ = np.linalg.lstsq(terms, np.ones(len(events)))
    off = np.abs((fixed + each * events) / seconds - 1).max()
    return (
        f"From {known[0][0]:,} to {known[-1][0]:,} events the time is {_time(max(fixed, 0.0))} and "
        f"{each * 1e9:.2g} ns an event; no size is off that line by more than {off:.0%}."
    )


def page(runs: list[dict[str, Any]]) -> str:
    """The generated part of the page, in Markdown."""
    lines = [BEGIN, ""]
    machines = {json.dumps(run["machine"], sort_keys=True): run["machine"] for run in runs}
    for machine in machines.values():
        packages = ", ".join(f"{name} {one}" for name, one in machine["packages"].items() if one)
        hardware = f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB"
        software = f"{machine['system']}, Python {machine['python']}"
        lines += [f"Measured on {hardware}; {software}; {packages}.", ""]
    lines += [
        "### Goals",
        "",
        "Ratios of medians within one run, from `benchmarks/goals.toml`.",
        "",
        *(_goal(outcome) for outcome in outcomes({"runs": runs})),
        "",
    ]
    for workload in dict.fromkeys(run["workload"] for run in runs):
        text = importlib.import_module(f"benchmarks.{workload}").__doc__ or ""
        title, _, rest = text.strip().partition("\n")
        of_this = [run for run in runs if run["workload"] == workload]
        lines += [f"### {title.rstrip('.')}", "", rest.strip(), ""]
        for run in of_this:
            lines += _table(run)
        if workload in PLOTTED and (fit := _fit(of_this)):
            lines += [fit, ""]
    return "\n".join([*lines, END])


def plot(runs: list[dict[str, Any]]) -> None:
    """Time per event by size, for the workloads that grow with events."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams.update({"svg.hashsalt": "errorbudget", "svg.fonttype": "none"})
    from matplotlib import pyplot as plt

    # One below the other, so that they can be read on a phone.
    figure, axes = plt.subplots(len(PLOTTED), 1, figsize=(6, 13))
    for axis, workload in zip(axes, PLOTTED, strict=True):
        of_this = [r for r in runs if r["workload"] == workload and r["shape"] == "seasonal"]
        for name in dict.fromkeys(name for run in of_this for name in run["methods"]):
            points = [
                (run["events"], run["methods"][name]["wall_s"] / run["events"] * 1e9)
                for run in of_this
                if "wall_s" in run["methods"].get(name, {})
            ]
            if points:
                ours = name.startswith("errorbudget")
                axis.loglog(
                    *zip(*points, strict=True),
                    marker="o",
                    label=name,
                    color=COLOURS.get(name, LIMIT),
                    linestyle=":" if name not in COLOURS else "-",
                    linewidth=2.5 if ours else 1,
                )
        axis.set(title=workload.upper(), xlabel="events", ylabel="ns per event")
        axis.grid(visible=True, alpha=0.3)
        # Below, where no line runs through it.
        axis.legend(
            fontsize=9, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14), frameon=False
        )
    figure.tight_layout()
    figure.savefig(PLOT, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables")
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    given = parser.parse_args()
    runs = latest()
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    fresh = before + page(runs) + after
    if given.check:
        return int(fresh != text)
    PAGE.write_text(fresh, "utf-8")
    plot(runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
