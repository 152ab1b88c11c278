"""
The exact reading of counters against what truly happened.

Truth is a table of events per scrape interval, as a history's generator knows them. Every stretch
between two scrapes of an instance is counted, and longer ones in one go. Where the instance was
restarted in between, its last events were seen by no scrape: there the reading may say less, and
nowhere more.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from errorbudget.kernels import counters
from errorbudget.sources.prometheus.counting import growth
from errorbudget.sources.prometheus.matrix import Series
from tests.conformance.prometheus_cases import Labels, Samples, read_samples

__all__ = ["compare_true_counts"]

_LOOKBACK_MS = 300_000


def compare_true_counts(
    exact_path: str | Path, samples_path: str | Path
) -> tuple[list[str], list[str]]:
    """
    One line per counter and instance of a table of true counts, and the lines that differ.

    Args:
        exact_path: The table: metric, instance, labels, t_end_ms, events; CSV, gzip.
        samples_path: Raw samples of the same history; Parquet.
    """
    truth: dict[tuple[str, str, str], dict[int, int]] = defaultdict(dict)
    with gzip.open(exact_path, "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = row["metric"], row["instance"], row["labels"]
            truth[key][int(row["t_end_ms"])] = int(row["events"])
    series = {
        key: samples
        for key, samples in read_samples(samples_path).items()
        if dict(key)["__name__"].endswith("_total")
    }
    shown: dict[Labels, Any] = {}
    starts: dict[str, int] = {}
    for metric in {metric for metric, _, _ in truth}:
        of = {key: samples for key, samples in series.items() if dict(key)["__name__"] == metric}
        starts[metric] = min(int(times[0]) for times, _ in of.values())
        each = [Series(dict(key), times, values) for key, (times, values) in of.items()]
        shown |= zip(of, growth(each, starts[metric], _LOOKBACK_MS, "zero"), strict=True)
    lines, failures = [], []
    for (metric, instance, labels), events in truth.items():
        wanted = dict(pair.split("=") for pair in labels.split(";"))
        wanted |= {"__name__": metric, "instance": instance}
        found = [key for key in series if wanted.items() <= dict(key).items()]
        told = _Told(
            events,
            [of for key, of in series.items() if dict(key)["instance"] == instance],
            starts[metric],
        )
        wrong, said = told.compare([shown[key] for key in found], [series[key] for key in found])
        lines.append(f"{'FAIL' if wrong else 'PASS'} {metric} {instance} {labels}: {said}")
        failures += lines[-1:] if wrong else []
    return lines, failures


class _Told:
    """What truly happened to one counter of one instance, at the instants of its scrapes."""

    def __init__(self, events: dict[int, int], instance: list[Samples], first_ms: int) -> None:
        times = np.unique(np.concatenate([t for t, _ in instance]))
        self.scrapes = times[times >= first_ms]
        self.falls = np.unique(np.concatenate([t[1:][np.diff(v) < 0] for t, v in instance]))
        when = np.array(sorted(events), dtype=np.int64)
        running = np.concatenate([[0], np.cumsum([events[t] for t in when.tolist()])])
        self.running = running[np.searchsorted(when, self.scrapes, "right")]

    def compare(self, grown: list[Any], found: list[Samples]) -> tuple[bool, str]:
        """Whether anything is wrong, and what, or how much was compared."""
        read = np.zeros(len(self.scrapes) - 1, dtype=np.int64)
        for times, growth_of in grown:
            total = np.concatenate([[0], np.cumsum(growth_of)])
            read += np.diff(total[np.searchsorted(times, self.scrapes, "right")]).astype(np.int64)
        true = np.diff(self.running)
        restarted = np.isin(self.scrapes[1:], self.falls)
        wrong = np.flatnonzero((read > true) | ((read < true) & ~restarted))
        if len(wrong):
            at = wrong[0]
            span = f"({self.scrapes[at]}, {self.scrapes[at + 1]}] ms"
            return True, f"{span}: {read[at]}, truly {true[at]}"
        for first, last in zip(range(40), range(len(self.scrapes) - 1, 40, -97), strict=False):
            start, end = int(self.scrapes[first]), int(self.scrapes[last])
            if np.isin(self.falls, self.scrapes[first : last + 1]).any():
                continue  # a window of one series alone does not see its target's restart
            whole = sum(_whole(of, start, end) for of in found)
            if whole != read[first:last].sum():
                return True, f"({start}, {end}] ms: {whole:g}, in parts {read[first:last].sum()}"
        return False, f"{len(true)} stretches agree; no scrape saw {(true - read).sum()} events"


def _whole(samples: Samples, start: int, end: int) -> float:
    """Growth of one series in one go, with what a gap at the start hides."""
    span = end - start
    grown = counters.anchored_increase(*samples, [end], span, lookback_ms=_LOOKBACK_MS)
    hidden = counters.hidden_increase(*samples, [end], span, lookback_ms=_LOOKBACK_MS)
    return float(np.nan_to_num(grown)[0] + hidden[0])
