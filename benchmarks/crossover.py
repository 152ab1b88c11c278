"""
Crossover: from how many events on is the numpy kernel faster than its plain twin?

*events* is the size; each method does the same work often enough to be timed. The number that
comes out is `errorbudget.kernels.NUMPY_FROM`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.data import Case
from benchmarks.harness import Answer, Method

WINDOW_NS = 500


def _lists(case: Case) -> tuple[list[int], list[bool]]:
    rng = np.random.default_rng(3)
    return np.sort(rng.integers(0, 10**4, case.events)).tolist(), [True] * case.events


def _arrays(case: Case) -> tuple[np.ndarray, np.ndarray]:
    time, good = _lists(case)
    return np.array(time), np.array(good)


def _repeated(module: str) -> Any:
    def run(columns: Any) -> Answer:
        from importlib import import_module

        count = import_module(module).rolling_counts
        answer = count(*columns, WINDOW_NS)
        for _ in range(max(20_000 // len(columns[0]), 20)):
            answer = count(*columns, WINDOW_NS)
        return [np.asarray(column) for column in answer]

    return run


METHODS = {
    "errorbudget.kernels": Method(_arrays, _repeated("errorbudget.kernels"), rtol=0),
    "errorbudget.rolling": Method(_lists, _repeated("errorbudget.rolling"), rtol=0),
}
