"""
The same requests as a monitoring system sees them: cumulative counters, read now and then.

What no reading shows is gone: requests between an instance's last scrape and its restart, and the
moment of everything within a gap. A series appears with its first request, as client libraries do
it, so its first reading already counts something.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.events import Events
from errorbudget.studies.arguments import listed, number, whole
from errorbudget.studies.simulate.incident import Incident, whole_ms
from errorbudget.studies.simulate.incidents import CounterReset, ScrapeGap
from errorbudget.studies.simulate.traffic import MS, Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BUCKETS_S", "CounterSeries", "HistogramSeries", "Scrapes", "scrape"]

MOST_READINGS = 10_000_000
"""Readings of one series, all instances together."""

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Bounds of the duration buckets [s]: those of the client libraries, and 0.2, 0.3, 0.5 and 2.0."""


@dataclass(frozen=True, slots=True, eq=False)
class CounterSeries:
    """
    Readings of one counter.

    Args:
        labels: What tells it from the others: instance, method, route, status.
        time: When it was read [ns UTC]; shape (m,).
        value: Requests since its instance started [events]; shape (m,), int64.
    """

    labels: dict[str, str]
    time: NDArray[np.int64]
    value: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class HistogramSeries:
    """
    Readings of one histogram of durations.

    Args:
        labels: What tells it from the others: instance, route.
        time: When it was read [ns UTC]; shape (m,).
        buckets: Requests up to each bound, and in the last column all of them, since the instance
            started [events]; shape (m, b + 1), int64.
        sum_s: Their durations together [s]; shape (m,).
    """

    labels: dict[str, str]
    time: NDArray[np.int64]
    buckets: NDArray[np.int64]
    sum_s: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Instance:
    """One process: when it was read, and since when it had been running at each reading."""

    name: str
    rows: NDArray[np.intp]
    time: NDArray[np.int64]
    started: NDArray[np.int64]

    def seen(self, of: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """How many of the instants *of* came up to each reading, and up to its process' start."""
        return (
            np.searchsorted(of, self.time, side="right"),
            np.searchsorted(of, self.started, side="right"),
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scrapes:
    """
    All readings of a simulation's counters; series are made when asked for, one at a time.

    Args:
        events: The requests behind them.
        buckets_s: Bounds of the duration buckets, without the infinite one [s].
        processes: The instances, with their reading times.
    """

    events: Events
    buckets_s: tuple[float, ...]
    processes: tuple[_Instance, ...]

    @property
    def instances(self) -> tuple[str, ...]:
        """Names of the instances."""
        return tuple(process.name for process in self.processes)

    def process_starts(self) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.int64]]]:
        """Per instance its name, when it was read, and when it had started by then [ns UTC]."""
        for process in self.processes:
            yield process.name, process.time, process.started

    def counters(self) -> Iterator[CounterSeries]:
        """Requests by instance, method, route and status; Time: O(n + readings)."""
        status: NDArray[np.int16] = self.events.column("status")
        route, method = self.events.labels["route"], self.events.labels["method"]
        for process in self.processes:
            # A route has one method, so route and status tell the series apart.
            key = route.codes[process.rows] * np.int64(1_000) + status[process.rows]
            for code in np.unique(key).tolist():
                rows = process.rows[key == code]
                now, then = process.seen(self.events.time[rows])
                value = (now - then).astype(np.int64)
                labels = {
                    "instance": process.name,
                    "method": method.values[int(method.codes[rows[0]])],
                    "route": route.values[code // 1_000],
                    "status": str(code % 1_000),
                }
                there = value > 0
                yield CounterSeries(labels, process.time[there], value[there])

    def histograms(self) -> Iterator[HistogramSeries]:
        """Durations by instance and route; Time: O(n b + readings b)."""
        duration_s: NDArray[np.float64] = self.events.column("duration_s")
        route = self.events.labels["route"]
        for process in self.processes:
            codes = route.codes[process.rows]
            for code in np.unique(codes).tolist():
                rows = process.rows[codes == code]
                time, took = self.events.time[rows], duration_s[rows]
                columns = []
                for bound in (*self.buckets_s, float("inf")):
                    now, then = process.seen(time[took <= bound])
                    columns.append(now - then)
                now, then = process.seen(time)
                # Durations are whole milliseconds: their sum is exact as an integer.
                running = np.concatenate([[0], np.cumsum(np.rint(took * 1e3).astype(np.int64))])
                sum_s = (running[now] - running[then]) / 1e3
                there = now > then
                yield HistogramSeries(
                    {"instance": process.name, "route": route.values[code]},
                    process.time[there],
                    np.stack(columns, axis=1)[there].astype(np.int64),
                    sum_s[there],
                )


def scrape(
    events: Events,
    start_ns: int,
    end_ns: int,
    incidents: Sequence[Incident],
    *,
    seed: int,
    interval: DurationLike,
    instances: int,
    buckets_s: tuple[float, ...],
) -> Scrapes:
    """What `Simulation.scrape` returns; see there."""
    step_ns = whole_ms("interval", parse_duration(interval))
    instances = whole("instances", instances, 1)
    edges = [
        number("a bound of buckets_s", edge, above=0)
        for edge in listed("buckets_s", buckets_s, "[0.1, 0.5, 1]")
    ]
    readings = ((end_ns - start_ns) // step_ns + 1) * instances
    if readings > MOST_READINGS:
        raise InvalidInputError(
            f"{instances:,} instances read every {format_duration(step_ns)} make {readings:,} "
            f"readings of each series, more than {MOST_READINGS:,}; take a longer interval "
            "or fewer instances"
        )
    if not all(low < high for low, high in pairwise(edges)):
        raise InvalidInputError(f"buckets_s must ascend, got {edges}")
    resets = [incident for incident in incidents if isinstance(incident, CounterReset)]
    for reset in resets:
        if reset.instance >= instances:
            raise InvalidInputError(
                f'"{reset.name}" restarts instance {reset.instance}, but there are only '
                f"{instances}, counted from 0; scrape with more instances"
            )
    serving = _serving(events.time, resets, instances, seed)
    order = np.argsort(serving, kind="stable")
    bounds = np.searchsorted(serving[order], np.arange(instances + 1))
    gaps = [incident for incident in incidents if isinstance(incident, ScrapeGap)]
    processes = []
    for place in range(instances):
        # A monitoring system spreads its targets over the interval.
        first = start_ns + step_ns * place // instances // MS * MS
        time = np.arange(first, end_ns + 1, step_ns, dtype=np.int64)
        own = [reset for reset in resets if reset.instance == place]
        read = np.ones(len(time), dtype=np.bool_)
        started = np.full(len(time), start_ns, dtype=np.int64)
        for away in (*own, *gaps):
            read &= (time <= away.start_ns) | (time > away.end_ns)
        for reset in own:
            started[time > reset.end_ns] = np.maximum(started[time > reset.end_ns], reset.end_ns)
        rows = order[bounds[place] : bounds[place + 1]]
        processes.append(_Instance(f"app-{place}", rows, time[read], started[read]))
    return Scrapes(events, tuple(edges), tuple(processes))


def _serving(
    time: NDArray[np.int64], resets: list[CounterReset], instances: int, seed: int
) -> NDArray[np.int64]:
    """Which instance serves each request, -1 where none is there; shape (n,)."""
    serving = np.floor(Stream(seed, "instances").uniform(len(time)) * instances).astype(np.int64)

    def stuck() -> NDArray[np.bool_]:
        found = np.zeros(len(time), dtype=np.bool_)
        for reset in resets:
            away = (time > reset.start_ns) & (time <= reset.end_ns)
            found |= away & (serving == reset.instance)
        return found

    for _ in range(min(instances, len(resets))):
        rows = stuck()
        serving[rows] = (serving[rows] + 1) % instances
    serving[stuck()] = -1  # all of them are away
    return serving
