"""Awkward events and disguised columns for the tests of the kernels."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st


def _frozen(column: Any) -> Any:
    frozen = column.copy()
    frozen.flags.writeable = False
    return frozen


DISGUISES: dict[str, Callable[[Any], Any]] = {
    "plain": lambda column: column,
    "strided": lambda column: np.repeat(column, 3)[::3],
    "reversed view": lambda column: column[::-1].copy()[::-1],
    "read-only": _frozen,
    "big-endian": lambda column: column.astype(column.dtype.newbyteorder(">")),
    "list": lambda column: column.tolist(),
}


@st.composite
def sorted_instants(draw: st.DrawFn, *, max_size: int = 40) -> np.ndarray:
    """Ascending instants with ties, near 0 or near either end of the calendar."""
    gaps = draw(st.lists(st.sampled_from([0, 0, 1, 1, 2, 5, 60, 1_000]), max_size=max_size))
    start = draw(st.sampled_from([0, -7, 10**18, -(2**63) + 100_000, 2**63 - 50_000]))
    return start + np.cumsum(np.array(gaps, dtype=np.int64), dtype=np.int64)


@st.composite
def events(draw: st.DrawFn, *, max_size: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Ascending instants and whether each event is good: mixed, all good or all bad."""
    time = draw(sorted_instants(max_size=max_size))
    flags = draw(
        st.one_of(
            st.lists(st.booleans(), min_size=len(time), max_size=len(time)),
            st.just([False] * len(time)),
            st.just([True] * len(time)),
        )
    )
    return time, np.array(flags, dtype=np.bool_)


@st.composite
def groups(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ascending instants, good and total per row; totals reach far above 2**31."""
    time = draw(sorted_instants(max_size=20))
    size = st.one_of(st.integers(0, 5), st.integers(2**31 - 1, 2**40), st.integers(0, 2**56))
    total = [draw(size) for _ in time]
    good = [draw(st.integers(0, count)) for count in total]
    return time, np.array(good, dtype=np.int64), np.array(total, dtype=np.int64)


WINDOWS = st.sampled_from([1, 2, 3, 60, 61, 1_000, 10**6, 10**30])


@contextmanager
def blocks_of(size: int, *modules: ModuleType) -> Iterator[None]:
    """The kernels of *modules* work in blocks of *size* rows, so that few rows cross borders."""
    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            sizes = {"BLOCK": 1, "BINS": 1, "PASS": 1, "LONGEST": 4}
            named = [name for name in sizes if hasattr(module, name)]
            assert named, f"{module.__name__} has no blocks"
            for name in named:
                patch.setattr(module, name, sizes[name] * size)
        yield


@contextmanager
def pools_of(module: ModuleType) -> Iterator[list[int]]:
    """The sizes of the pools of threads that *module* makes meanwhile."""
    made: list[int] = []
    pool = module.ThreadPoolExecutor  # type: ignore[attr-defined]

    def noted(threads: int) -> Any:
        made.append(threads)
        return pool(threads)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ThreadPoolExecutor", noted)
        yield made


def fresh_bytes(work: Callable[[], object]) -> int:
    """The most memory that *work* has at a time, beside what was there before it."""
    work()  # what is imported or remembered by the first time is there
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
