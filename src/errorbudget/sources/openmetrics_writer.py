"""
Simulated scrapes as OpenMetrics text, ready for `promtool tsdb create-blocks-from openmetrics`.

Families come one after the other, series one after the other within them, readings by time within
those, as OpenMetrics wants it. The text cannot carry stale markers: a restart or a gap is an
absence of readings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.rules.metrics import Metrics
from errorbudget.sources.atomic_files import write_blocks
from errorbudget.studies.simulate import Scrapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["openmetrics_blocks", "write_openmetrics"]

_READINGS = 8_192
_NAMES = Metrics()
"""What is written under these names is read under these names."""


def _seconds(time: NDArray[np.int64]) -> list[str]:
    return [f"{ms // 1_000}.{ms % 1_000:03d}" for ms in (time // 1_000_000).tolist()]


def _labels(labels: dict[str, str]) -> str:
    quoted = (
        (name, value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n"))
        for name, value in labels.items()
    )
    return ",".join(f'{name}="{value}"' for name, value in quoted)


def _header(name: str, kind: str, text: str, unit: str = "") -> bytes:
    said = f"# UNIT {name} {unit}\n" if unit else ""
    return f"# TYPE {name} {kind}\n{said}# HELP {name} {text}\n".encode()


def openmetrics_blocks(
    scrapes: Scrapes, *, progress: Callable[[int], None] | None = None
) -> Iterator[bytes]:
    """
    The text, some thousands of readings at a time.

    Args:
        scrapes: What was read.
        progress: Told after every block how many lines with readings there were so far.
    """
    done = 0
    for lines, block in _families(scrapes):
        yield block
        done += lines
        if progress is not None:
            progress(done)


def _families(scrapes: Scrapes) -> Iterator[tuple[int, bytes]]:
    name = "process_start_time_seconds"
    yield 0, _header(name, "gauge", "When the process started, since the epoch.", "seconds")
    for instance, time, started in scrapes.process_starts():
        labels = _labels({"instance": instance})
        for rows in _blocks(len(time)):
            pairs = zip(_seconds(started[rows]), _seconds(time[rows]), strict=True)
            lines = [f"{name}{{{labels}}} {start} {at}\n" for start, at in pairs]
            yield len(lines), "".join(lines).encode()
    name = _NAMES.counter
    yield 0, _header(name.removesuffix("_total"), "counter", "Requests answered.")
    for series in scrapes.counters():
        labels = _labels(series.labels)
        for rows in _blocks(len(series.time)):
            readings = zip(series.value[rows].tolist(), _seconds(series.time[rows]), strict=True)
            lines = [f"{name}{{{labels}}} {value} {at}\n" for value, at in readings]
            yield len(lines), "".join(lines).encode()
    name = _NAMES.histogram
    yield 0, _header(name, "histogram", "How long requests took, in seconds.")
    bounds = [*(repr(float(bound)) for bound in scrapes.buckets_s), "+Inf"]
    for histogram in scrapes.histograms():
        labels = _labels(histogram.labels)
        heads = [f'{name}_bucket{{{labels},le="{bound}"}} ' for bound in bounds]
        for rows in _blocks(len(histogram.time)):
            lines = []
            for counts, total_s, at in zip(
                histogram.buckets[rows].tolist(),
                histogram.sum_s[rows].tolist(),
                _seconds(histogram.time[rows]),
                strict=True,
            ):
                lines += [f"{head}{n} {at}\n" for head, n in zip(heads, counts, strict=True)]
                lines.append(f"{name}_count{{{labels}}} {counts[-1]} {at}\n")
                lines.append(f"{name}_sum{{{labels}}} {total_s!r} {at}\n")
            yield len(lines), "".join(lines).encode()
    yield 0, b"# EOF\n"


def _blocks(n: int) -> Iterator[slice]:
    for low in range(0, n, _READINGS):
        yield slice(low, min(n, low + _READINGS))


def write_openmetrics(
    scrapes: Scrapes,
    path: str | os.PathLike[str],
    *,
    progress: Callable[[int], None] | None = None,
) -> None:
    """
    Write the readings as OpenMetrics text: all or nothing, compressed when *path* ends in `.gz`.

    `http_server_requests_total` by instance, method, route and status; the histogram
    `http_server_request_duration` by instance and route; `process_start_time_seconds` by instance:
    the names that `Metrics()` reads. Timestamps are seconds with three digits; the text ends with
    `# EOF`. It is long: a line of some 90 bytes per series and reading, 2 GB for the shop's month
    read every minute.

    Args:
        scrapes: What was read, from `Simulation.scrape`.
        path: Where to; an existing file is replaced in one step at the end.
        progress: Told after every block how many lines with readings are written.

    Raises:
        SourceUnavailableError: *path* cannot be written.
    """
    write_blocks(openmetrics_blocks(scrapes, progress=progress), path)
