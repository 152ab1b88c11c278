"""Thresholds in PromQL: the figure of a stretch of time, and how it misses its bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from errorbudget.durations import MINUTE_NS, SECOND_NS
from errorbudget.errors import InvalidInputError
from errorbudget.rules.metrics import Metrics
from errorbudget.rules.promql import decimal, promql_duration, selectors
from errorbudget.sli import SLI, Concurrency, LatencyQuantile, Throughput

__all__ = ["Figure", "figures"]

_MS = SECOND_NS // 1000
_FINE = 15 * SECOND_NS
_STATISTICS = {"max": "max", "mean": "avg", "sustained": "min"}


@dataclass(frozen=True, slots=True)
class Figure:
    """
    A figure of a threshold.

    Attributes:
        name: What it is, such as "p95".
        query: Its value.
        misses: The comparison with *bound* that misses it.
        bound: The bound, as PromQL reads it.
        series: Selectors of what it is made of.
    """

    name: str
    query: str
    misses: str
    bound: str
    series: tuple[str, ...]


def figures(sli: SLI, metrics: Metrics, length_ns: int, *, of_slice: bool = False) -> list[Figure]:
    """
    The figures of a threshold over a stretch of time.

    Args:
        sli: The threshold.
        metrics: Names of metrics and labels.
        length_ns: Length of the stretch [ns].
        of_slice: Whether it is one of many that adjoin, so that its left edge stays out, and a rate
            is its own mean.

    Raises:
        InvalidInputError: The threshold cannot be asked in PromQL.

    Example:
        >>> figures(Throughput(1000), Metrics(), MINUTE_NS)[0].query
        'sum(rate(http_server_requests_total[1m]))'
    """
    if isinstance(sli, LatencyQuantile):
        return list(_quantiles(sli, metrics, promql_duration(length_ns)))
    if isinstance(sli, Throughput):
        return [_rate(sli, metrics, promql_duration(length_ns), of_slice=of_slice)]
    if isinstance(sli, Concurrency):
        step = promql_duration(MINUTE_NS if length_ns >= 10 * MINUTE_NS else _FINE)
        found = selectors(metrics.gauge(sli.column), sli.valid_when, metrics)
        span = promql_duration(length_ns - _MS if of_slice else length_ns)
        over = f"{_STATISTICS[sli.statistic]}_over_time(sum({' or '.join(found)})[{span}:{step}])"
        return [Figure(sli.statistic, over, "<=", decimal(sli.above), found)]
    raise InvalidInputError(f"{sli} has no form in PromQL")


def _quantiles(sli: LatencyQuantile, metrics: Metrics, span: str) -> Iterator[Figure]:
    series = metrics.histogram if metrics.native else f"{metrics.histogram}_bucket"
    found = selectors(series, sli.valid_when, metrics)
    rates = " or ".join(f"rate({selector}[{span}])" for selector in found)
    summed = f"sum ({rates})" if metrics.native else f"sum by (le) ({rates})"
    for name, bound in sli.bounds.items():
        query = f"histogram_quantile({decimal(sli.quantiles[name])}, {summed})"
        yield Figure(name, query, ">=", decimal(bound), found)


def _rate(sli: Throughput, metrics: Metrics, span: str, *, of_slice: bool) -> Figure:
    found = selectors(metrics.counter, sli.valid_when, metrics)
    lowest = sli.sustained is not None and not of_slice
    part = promql_duration(sli.sustained) if lowest and sli.sustained else span
    query = f"sum({' or '.join(f'rate({selector}[{part}])' for selector in found)})"
    if lowest:
        query = f"min_over_time({query}[{span}:{part}])"
    return Figure("rate", query, "<=", decimal(sli.above), found)
