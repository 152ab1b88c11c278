"""
Side by side: one process per method, rounds in turn, full answers compared before the clock runs.

Drift of the machine falls on all methods alike, and one method's memory, imports and caches are
no other's. A round gives wall time, processor time and the peak of memory above what the process
held before; every round is kept, medians are compared.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data import Case

Answer = list[np.ndarray]


@dataclass(frozen=True)
class Method:
    """
    One way to do the work.

    Args:
        setup: Loads what the work starts from; not timed.
        run: Does the work; timed. Returns whole answers.
        needs: Modules that must be there.
        most: The largest number of events it is asked for: beyond, a round takes minutes.
        rtol: How far an answer may be off, relative; 0 asks for the same bits.
        answers: Whether the answer is compared (a limit, such as reading all bytes, has none).
    """

    setup: Callable[[Case], Any]
    run: Callable[[Any], Answer]
    needs: tuple[str, ...] = ()
    most: int = 10**9
    rtol: float = 1e-9
    answers: bool = True


def _memory_mb(field: str) -> float:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return float("nan")


def _matches(answer: Answer, saved: Path, rtol: float, compared: np.ndarray | None) -> str | None:
    """What is wrong with *answer*, against the one in *saved*; None when nothing is."""
    expected = [np.load(path, mmap_mode="r") for path in sorted(saved.glob("*.npy"))]
    if len(answer) != len(expected):
        return f"{len(answer)} columns instead of {len(expected)}"
    for number, (mine, right) in enumerate(zip(answer, expected, strict=True)):
        if mine.shape != right.shape:
            return f"column {number} has shape {mine.shape} instead of {right.shape}"
        left, good = mine.reshape(-1), right.reshape(-1)
        for start in range(0, len(good), 1 << 22):
            rows = slice(start, start + (1 << 22))
            a, b = np.asarray(left[rows], np.float64), np.asarray(good[rows], np.float64)
            if compared is not None and mine.ndim == 1:
                a, b = a[compared[rows]], b[compared[rows]]
            # Remainders of float windows are off by what their inputs were: absolute at 1.
            if not np.allclose(a, b, rtol=rtol, atol=rtol, equal_nan=True):
                with np.errstate(invalid="ignore"):
                    off = np.nanmax(np.abs(a - b))
                return f"column {number} is off by {off}"
    return None


def work(workload: str, name: str, case: Case) -> None:
    """What a worker does: answers one line of JSON to each line that it reads."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(**facts: Any) -> None:
        print(json.dumps(facts), file=answers, flush=True)

    module = importlib.import_module(f"benchmarks.{workload}")
    method: Method = module.METHODS[name]
    compared = getattr(module, "compared", lambda _: None)
    context = method.setup(case)
    say(ready=True)
    for line in sys.stdin:
        order, _, place = line.strip().partition(" ")
        if order == "save":
            for number, column in enumerate(method.run(context)):
                np.save(Path(place) / f"{number:03}.npy", column)
            say(wrong=None)
        elif order == "compare":
            answer = method.run(context)
            say(
                wrong=_matches(answer, Path(place), method.rtol, compared(case))
                if method.answers
                else None
            )
            del answer
        else:
            gc.collect()
            with contextlib.suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5")
            before = _memory_mb("VmRSS")
            cpu, wall = time.process_time(), time.perf_counter()
            answer = method.run(context)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            del answer
            say(wall_s=wall, cpu_s=cpu, extra_mb=_memory_mb("VmHWM") - before)


@dataclass
class _Worker:
    process: subprocess.Popen[str]

    def ask(self, order: str) -> dict[str, Any] | None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(order + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def _start(workload: str, name: str, case: Case) -> _Worker | None:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.harness", workload, name, case.shape, str(case.events)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if not os.environ.get("BENCH_DEBUG") else None,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdout is not None
    if not process.stdout.readline():
        process.wait()
        return None
    return _Worker(process)


def measure(
    workload: str, case: Case, rounds: int, *, only: set[str] | None = None, patience_s: float = 30
) -> dict[str, dict[str, Any]]:
    """
    Every method of *workload* on *case*: its rounds, or why it has none.

    A method whose round takes longer than *patience_s* gets three rounds.
    """
    module = importlib.import_module(f"benchmarks.{workload}")
    results: dict[str, dict[str, Any]] = {}
    workers: dict[str, _Worker] = {}
    for name, method in module.METHODS.items():
        if only and name not in only:
            continue
        missing = [need for need in method.needs if not find_spec(need)]
        if missing:
            results[name] = {"left_out": f"{missing[0]} is not installed"}
        elif case.events > method.most:
            results[name] = {"left_out": f"would take minutes beyond {method.most:,} events"}
        elif worker := _start(workload, name, case):
            workers[name] = worker
            results[name] = {"rounds": []}
        else:
            results[name] = {"left_out": "failed to start"}
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, worker) in enumerate(workers.items()):
            said = worker.ask(f"{'compare' if number else 'save'} {folder}")
            if said is None or said["wrong"]:
                results[name] = {"left_out": f"failed: {said and said['wrong']}"}
    for number in range(rounds):
        for name, worker in workers.items():
            taken = results[name].get("rounds")
            if taken is None or (number >= 3 and taken[-1]["wall_s"] > patience_s):
                continue
            said = worker.ask("go")
            if said is None:
                results[name] = {"left_out": "died"}
            else:
                taken.append(said)
    for worker in workers.values():
        worker.end()
    for result in results.values():
        for field in ("wall_s", "cpu_s", "extra_mb"):
            if taken := result.get("rounds"):
                result[field] = statistics.median(one[field] for one in taken)
    return results


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], Case(sys.argv[3], int(sys.argv[4])))
