"""
Crossover: from how many events on is the numpy kernel faster than its plain twin?

*events* is the size; each method does the same work often enough to be timed. Both start from numpy
columns and give numpy columns, as `errorbudget.trailing` does. The number that comes out is
`errorbudget.kernels.NUMPY_FROM`, and it is where that module goes from one to the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.data import Case
from benchmarks.harness import Answer, Method

WINDOW_NS = 500


def _arrays(case: Case) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    return np.sort(rng.integers(0, 10**4, case.events)), np.ones(case.events, dtype=np.bool_)


def _repeated(numpy_from: int) -> Any:
    def run(columns: Any) -> Answer:
        from errorbudget import kernels
        from errorbudget.trailing import trailing_counts

        chosen, kernels.NUMPY_FROM = kernels.NUMPY_FROM, numpy_from
        try:
            answer = trailing_counts(*columns, WINDOW_NS)
            for _ in range(max(20_000 // len(columns[0]), 20)):
                answer = trailing_counts(*columns, WINDOW_NS)
        finally:
            kernels.NUMPY_FROM = chosen
        return list(answer)

    return run


METHODS = {
    "errorbudget.kernels": Method(_arrays, _repeated(0), rtol=0),
    "errorbudget.rolling": Method(_arrays, _repeated(10**9), rtol=0),
}
