"""A history with an outage, and the series that it would leave on a server, in promtool's words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log2
from typing import Any

from errorbudget.counts import Counts
from errorbudget.durations import MINUTE_NS
from errorbudget.methods import Method, Occurrences, Timeslices
from errorbudget.predicates import LabelIn, LabelMatches, Predicate, StatusIn, atoms
from errorbudget.rules.metrics import Metrics
from errorbudget.rules.promql import decimal, quoted
from errorbudget.rules.recording import Objective
from errorbudget.sli import (
    SLI,
    Concurrency,
    Latency,
    LatencyQuantile,
    RatioSLI,
    Throughput,
)

__all__ = ["Scenario", "input_series"]

_SCRAPES = 4
"""Scrapes a minute, so that a slice of a minute holds enough of them under every set of rules."""
_PER_SCRAPE = 150
_STRETCH = 500
"""
Scrapes of a native histogram in a series: promtool loads 10,000 samples at a
time, and one of these counts as 11.

Source: prometheus/prometheus, `LazyLoader.clear` and `HPoint.size`; measured with 2.53 and 3.5.
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Minutes of health, of outage, and of health again."""

    healthy: int
    outage: int
    recovered: int

    @property
    def end(self) -> int:
        """The last minute with traffic."""
        return self.healthy + self.outage + self.recovered

    def bad_in(self, minute: int, length: int) -> int:
        """Minutes of outage among the last *length* until *minute*."""
        begin, end = self.healthy, self.healthy + self.outage
        return max(0, min(minute, end) - max(minute - length, begin, 0))

    def units_in(self, minute: int, length: int, method: Method) -> tuple[Fraction, int]:
        """Bad and all units among the last *length* minutes until *minute*."""
        if isinstance(method, Occurrences):
            return Fraction(self.bad_in(minute, length)), min(minute, length)
        size = method.slice // MINUTE_NS
        first = max(minute - length, 0) // size + 1
        ends = range(first * size, minute + 1, size)
        shares = [Fraction(self.bad_in(end, size), size) for end in ends]
        if isinstance(method, Timeslices):
            judged = (method.judge(Counts(good=1 - share, bad=share)) for share in shares)
            return Fraction(sum(good is False for good in judged)), len(shares)
        return sum(shares, Fraction()), len(shares)

    @property
    def spans(self) -> tuple[int, int, int]:
        """Scrapes of health, of outage, and of health again."""
        return self.healthy * _SCRAPES, self.outage * _SCRAPES, self.recovered * _SCRAPES

    def levels(self, *, healthy: int, outage: int) -> str:
        """A gauge that stands at these, in promtool's words."""
        first, second, third = self.spans
        return f"{healthy}x{first} {outage}x{second - 1} {healthy}x{third - 1} stale"

    def values(self, *, healthy: int, outage: int) -> str:
        """A counter that grows by so many a scrape in health and in outage, in promtool's words."""
        spans = self.spans
        first, second = healthy * spans[0], healthy * spans[0] + outage * spans[1]
        return " ".join(
            (
                f"0+{healthy}x{spans[0]}",
                f"{first + outage}+{outage}x{spans[1] - 1}",
                f"{second + healthy}+{healthy}x{spans[2] - 1}",
                "stale",
            )
        )


def input_series(objective: Objective, scenario: Scenario) -> Iterator[dict[str, str]]:
    """Series that an objective reads; none where no label meets its conditions."""
    sli, metrics = objective.slo.sli, objective.metrics
    if not isinstance(sli, RatioSLI):
        yield from _bound_series(sli, metrics, scenario)
        return
    good = {"healthy": _PER_SCRAPE, "outage": 0}
    bad = {"healthy": 0, "outage": _PER_SCRAPE}
    both = {"healthy": _PER_SCRAPE, "outage": _PER_SCRAPE}
    if isinstance(sli, Latency):
        labels = _example(sli.valid_when, lambda event: sli.valid_when.matches(event) is True)
        if labels is None:
            return
        bound = sli.good_when.bound  # type: ignore[attr-defined]
        if metrics.native:
            yield from _native_series(labels, metrics, scenario, bound / 4, bound * 4)
            return
        bound = decimal(bound)
        yield _series(f"{metrics.histogram}_bucket", labels, metrics, scenario, good, le=bound)
        yield _series(f"{metrics.histogram}_bucket", labels, metrics, scenario, both, le="+Inf")
        yield _series(f"{metrics.histogram}_count", labels, metrics, scenario, both)
        return
    condition = sli.valid_when & sli.good_when
    for grows, wanted in ((good, True), (bad, False)):
        labels = _example(condition, lambda event, wanted=wanted: sli.classify(event) is wanted)
        if labels is None:
            return
        yield _series(metrics.counter, labels, metrics, scenario, grows)


def _bound_series(sli: SLI, metrics: Metrics, scenario: Scenario) -> Iterator[dict[str, str]]:
    """Series of a threshold that is kept by far in health, and missed by far in the outage."""
    assert isinstance(sli, (LatencyQuantile, Throughput, Concurrency))  # noqa: S101 - told apart above
    labels = _example(sli.valid_when, lambda event: sli.valid_when.matches(event) is True)
    if labels is None:
        return
    both = {"healthy": _PER_SCRAPE, "outage": _PER_SCRAPE}
    if isinstance(sli, LatencyQuantile):
        low, high = min(sli.bounds.values()) / 2, 2 * max(sli.bounds.values())
        if metrics.native:
            yield from _native_series(labels, metrics, scenario, low / 2, 2 * high)
            return
        within = {"healthy": _PER_SCRAPE, "outage": 0}
        name = f"{metrics.histogram}_bucket"
        for le, grows in ((low, within), (high, within), (2 * high, both)):
            yield _series(name, labels, metrics, scenario, grows, le=decimal(le))
        yield _series(name, labels, metrics, scenario, both, le="+Inf")
        yield _series(f"{metrics.histogram}_count", labels, metrics, scenario, both)
    elif isinstance(sli, Throughput):
        scrape_s = 60 // _SCRAPES
        grows = {
            "healthy": ceil(2 * sli.above * scrape_s) + 1,
            "outage": int(sli.above * scrape_s / 2),
        }
        yield _series(metrics.counter, labels, metrics, scenario, grows)
    else:
        levels = scenario.levels(healthy=ceil(2 * sli.above) + 1, outage=int(sli.above / 2))
        name = metrics.gauge(sli.column)
        yield {**_series(name, labels, metrics, scenario, both), "values": levels}


def _series(
    name: str,
    event: Mapping[str, str],
    metrics: Metrics,
    scenario: Scenario,
    grows: Mapping[str, int],
    **further: str,
) -> dict[str, str]:
    labels = {metrics.label(column): value for column, value in event.items() if value}
    labels = {**metrics.match, **labels, **further}
    shown = ",".join(f"{label}={quoted(value)}" for label, value in labels.items())
    return {"series": f"{name}{{{shown}}}", "values": scenario.values(**grows)}


def _native_series(
    event: Mapping[str, str],
    metrics: Metrics,
    scenario: Scenario,
    fast_s: Fraction,
    slow_s: Fraction,
) -> Iterator[dict[str, str]]:
    """
    Native histograms, all fast in health and all slow in the outage.

    Each stretch is a series of its own, as of processes that follow each other: promtool of 2.53
    reads one stretch of histograms in a series, and none reads long ones.
    """
    grows = {"healthy": 0, "outage": 0}
    begin = 0
    for number, span in enumerate(scenario.spans):
        took_s = slow_s if number == 1 else fast_s
        index = ceil(log2(took_s))
        one = (
            f"{{{{schema:0 sum:{float(took_s * _PER_SCRAPE)!r} count:{_PER_SCRAPE} "
            f"offset:{index} buckets:[{_PER_SCRAPE}]}}}}"
        )
        for first in range(begin, begin + span, _STRETCH):
            length = min(_STRETCH, begin + span - first)
            series = _series(
                metrics.histogram, event, metrics, scenario, grows, errorbudget_stretch=str(first)
            )
            before = f"_x{first} " if first else ""
            yield {**series, "values": f"{before}{one}+{one}x{length - 1}"}
        begin += span


def _example(condition: Predicate, wanted: Any) -> dict[str, str] | None:
    """Labels of an event that is wanted, tried out; None when none is found."""
    tried: dict[str, list[str]] = {}
    for name, value in _candidates(condition):
        tried.setdefault(name, []).append(value)
    pools = [dict.fromkeys((*values, "other", "")) for values in tried.values()]
    for values in itertools.islice(itertools.product(*pools), 20_000):
        event: dict[str, Any] = dict(zip(tried, values, strict=True))
        if "status" in event:
            event["status"] = int(event["status"]) if event["status"].isdigit() else None
        if wanted(event):
            return dict(zip(tried, values, strict=True))
    return None


def _candidates(condition: Predicate) -> Iterator[tuple[str, str]]:
    for atom in atoms(condition):
        if isinstance(atom, StatusIn):
            codes = (200, *(low for low, _ in atom.ranges), 404, 500)
            yield from (("status", str(code)) for code in codes)
        elif isinstance(atom, LabelIn):
            yield from ((atom.name, value) for value in atom.values)
        elif isinstance(atom, LabelMatches):
            yield atom.name, _matching(atom.pattern)


def _matching(pattern: str) -> str:
    """A text that a simple regular expression matches; whether it does is tried out later."""
    first = re.sub(r"\((?:\?:)?([^()|]*)[^()]*\)", r"\1", pattern).split("|")[0]
    for part, text in ((r"\\d", "1"), (r"\\w", "a"), (r"\[\^?(.)[^\]]*\]", r"\1")):
        first = re.sub(part, text, first)
    first = re.sub(r"(?<!\\)\.[*+?]?", "x", first)
    return re.sub(r"\\(.)", r"\1", re.sub(r"(?<!\\)[*+?]|\{[^}]*\}", "", first))
