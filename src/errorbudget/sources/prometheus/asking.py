"""
Objectives that only the server can answer: thresholds of quantiles, rates and gauges, and queries.

What is asked is what `rules` records, at one instant, so a report and a dashboard say the same.
Counts of written queries are the server's own, extrapolated and rarely whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite

from errorbudget.counts import Counts
from errorbudget.durations import format_duration
from errorbudget.errors import InvalidInputError
from errorbudget.rules.metrics import Metrics
from errorbudget.rules.recording import Objective
from errorbudget.sli import (
    Concurrency,
    LatencyQuantile,
    Measurement,
    QueryRatio,
    QueryThreshold,
    Throughput,
)
from errorbudget.slo import SLO
from errorbudget.sources.prometheus.client import Client
from errorbudget.status import Status

__all__ = ["ask_status", "is_asked"]


_ASKED = (LatencyQuantile, Throughput, Concurrency, QueryRatio, QueryThreshold)


def is_asked(slo: SLO) -> bool:
    """Whether *slo* is answered by the server itself, and not counted from its counters."""
    return isinstance(slo.sli, _ASKED)


def ask_status(client: Client, slo: SLO, metrics: Metrics, *, at_ns: int) -> Status:
    """
    The status of *slo* by the server's own figures.

    Args:
        client: Asks the server.
        slo: A threshold, with a target for the slices that keep it or without, or a ratio of
            written queries.
        metrics: Names of metrics and labels.
        at_ns: The instant [ns UTC].

    Raises:
        InvalidInputError: The objective has no form in PromQL.
        SourceError: The server could not answer.
    """
    asked = _Asked(client, at_ns)
    if isinstance(slo.sli, (QueryRatio, QueryThreshold)):
        return asked.noted(_by_queries(asked, slo, metrics, at_ns))
    if slo.target is not None:
        status = _by_queries(asked, slo, metrics, at_ns)
        if status.counts or metrics.native or not isinstance(slo.sli, LatencyQuantile):
            return asked.noted(status)
        return asked.noted(_by_queries(asked, slo, replace(metrics, native=True), at_ns))
    found = asked.values(slo, metrics)
    if isinstance(slo.sli, LatencyQuantile) and not metrics.native and set(found) == {None}:
        # Where there is no classic histogram, there may be a native one.
        found = asked.values(slo, replace(metrics, native=True))
    return asked.noted(slo.assess(Counts(), at=at_ns, measurements=_measured(slo, found)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Questions about one instant, and what the server said beside its answers."""

    client: Client
    at_ns: int
    said: dict[str, None] = field(default_factory=dict)
    nothing: list[str] = field(default_factory=list)

    def value(self, query: str) -> float | None:
        """The one figure of *query*; None where there is none, or no number."""
        answer = self.client.query(query, at=self.at_ns)
        self.said.update(dict.fromkeys((*answer.warnings, *answer.infos)))
        value = answer.only()
        found = value if value is not None and isfinite(value) else None
        if found is None:
            self.nothing.append(query)
        return found

    def values(self, slo: SLO, metrics: Metrics) -> list[float | None]:
        """The figures of a threshold."""
        return [self.value(one.query) for one in Objective(slo, metrics, slo.period_ns).figures]

    def noted(self, status: Status) -> Status:
        """*status* with what the server said, or did not say, among its warnings."""
        if status.state == "no_data" and self.nothing:
            why = "are the names of its metric and labels right, and was there traffic?"
            self.said[f"nothing came of {self.nothing[0]}; {why}"] = None
        return replace(status, warnings=tuple(dict.fromkeys((*status.warnings, *self.said))))


def _measured(slo: SLO, found: Sequence[float | None]) -> Sequence[Measurement]:
    sli = slo.sli
    if isinstance(sli, LatencyQuantile):
        return sli.measurements(found)
    if isinstance(sli, (Throughput, Concurrency)):
        return (sli.measurement(found[0]),)
    raise InvalidInputError(f'SLO "{slo.name}": {sli} has no form in PromQL')


def _by_queries(asked: _Asked, slo: SLO, metrics: Metrics, at_ns: int) -> Status:
    queries = Objective(slo, metrics, slo.period_ns).queries
    counts: dict[int, Counts] = {}
    for window in {slo.interval(at_ns).length_ns, *slo.all_burn_windows}:
        bad, total = map(asked.value, queries.over(window))
        if bad is None or total is None:
            counts[window] = Counts()
        elif bad < 0 or total < 0 or bad > total * (1 + 1e-9):
            raise InvalidInputError(
                f'SLO "{slo.name}": its queries give {bad} bad events of {total} in '
                f"{format_duration(window)}; bad events must be among all of them"
            )
        else:
            bad, total = (int(figure) if figure.is_integer() else figure for figure in (bad, total))
            counts[window] = Counts(max(0, total - bad), bad)
    return slo.assess(counts[slo.interval(at_ns).length_ns], at=at_ns, burn_counts=counts)
