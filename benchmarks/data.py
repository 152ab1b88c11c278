"""
Seeded events over 90 days, in three shapes, kept as `.npy` files and read through memory maps.

- `seasonal`: daily and weekly seasons, 25 incidents, 0.24 % bad, log-normal latencies.
- `bursty`: a third of the events within short bursts, stamps in whole milliseconds with many ties.
- `failing`: 30 % bad, spread evenly, so that nothing is gained from bad events being few.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DAY_S, DAYS = 86_400, 90
START_NS = 1_767_225_600 * 10**9  # 2026-01-01T00:00:00Z
MINUTE_NS = 60 * 10**9
MINUTES = DAYS * 1_440
SHAPES = ("seasonal", "bursty", "failing")
FOLDER = Path(os.environ.get("ERRORBUDGET_BENCH_DATA", Path(__file__).parent / ".data"))
_CHUNK = 4_000_000


@dataclass(frozen=True)
class Case:
    """Events of one shape and number."""

    shape: str
    events: int

    @property
    def folder(self) -> Path:
        return FOLDER / f"{self.shape}-{self.events}"

    def column(self, name: str) -> np.ndarray:
        """`time` (ns), `good`, `status` or `latency` (s), as a read-only map of its file."""
        return np.load(self.folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)


def edges() -> np.ndarray:
    """The borders of the minutes: 129,601 instants."""
    return START_NS + np.arange(MINUTES + 1) * MINUTE_NS


def _bad_share(rng: np.random.Generator, shape: str) -> np.ndarray:
    if shape == "failing":
        return np.full(MINUTES, 0.3)
    share = np.full(MINUTES, 5e-4)
    for _ in range(25):
        begin, length = rng.integers(0, MINUTES - 300), rng.integers(5, 240)
        incident = share[begin : begin + length]
        np.maximum(incident, rng.choice([0.005, 0.02, 0.1, 0.3]), out=incident)
    return share


def _traffic(rng: np.random.Generator, shape: str) -> np.ndarray:
    day = np.arange(MINUTES + 1) / 1_440
    rate = 1 + 0.6 * np.sin(2 * np.pi * (day - 0.3)) + 0.2 * np.sin(2 * np.pi * day / 7)
    if shape == "bursty":
        rate[rng.integers(0, MINUTES, 400)] += rate.sum() / 800
    share = np.concatenate(([0.0], np.cumsum(rate[:-1])))
    return share / share[-1]


def make(case: Case) -> None:
    """Write the events of *case* unless they are there."""
    done = case.folder / "done"
    if done.exists():
        return
    case.folder.mkdir(parents=True, exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n")
    rng = np.random.default_rng(42)
    share, traffic = _bad_share(rng, case.shape), _traffic(rng, case.shape)
    kinds = {"time": np.int64, "good": np.bool_, "status": np.int16, "latency": np.float64}
    columns = {
        name: np.lib.format.open_memmap(
            case.folder / f"{name}.npy", "w+", dtype=kind, shape=(case.events,)
        )
        for name, kind in kinds.items()
    }
    minutes = np.arange(MINUTES + 1) * 60.0
    for start in range(0, case.events, _CHUNK):
        stop = min(start + _CHUNK, case.events)
        size, rows = stop - start, slice(start, stop)
        place = np.sort(rng.random(size)) * (size / case.events) + start / case.events
        second = np.interp(place, traffic, minutes)
        stamps = (second * 1e9).astype(np.int64)
        if case.shape == "bursty":
            stamps -= stamps % 10**6
        bad = rng.random(size) < share[np.minimum(second // 60, MINUTES - 1).astype(np.int64)]
        columns["time"][rows] = START_NS + stamps
        columns["good"][rows] = ~bad
        columns["status"][rows] = np.where(bad, 503, 200)
        columns["latency"][rows] = (
            rng.lognormal(np.log(0.08), 0.7, size)
            * (1 + 0.3 * np.sin(2 * np.pi * second / DAY_S))
            * np.where(bad, 3, 1)
        )
    for column in columns.values():
        column.flush()
    done.touch()
