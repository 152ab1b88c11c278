"""Which metrics tell what events tell: the names between an indicator and a server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from errorbudget.errors import InvalidInputError

__all__ = ["GUIDE_METRICS", "Metrics", "MetricsLike", "metrics_for"]

_METRIC = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Metrics:
    """
    Names of metrics and labels.

    Args:
        counter: Counter of events, with the labels that conditions ask for.
        histogram: Histogram of durations, without `_bucket`.
        gauges: Gauge by numeric column, such as `{"connections": "streaming_active_connections"}`.
        labels: Label by column where the names differ, such as `{"status": "code"}`.
        match: Labels that every series must have, such as `{"job": "api"}`.
        statuses: Status by text, where the label is none, such as `{"failure": 401}`.
        implied: Columns that the metric has no label for and that are alike for all its events,
            such as `{"tool": "any"}` for a counter of tool executions.
        native: Whether the histogram is a native one, and not classic buckets of `le`.

    Raises:
        InvalidInputError: A name is none.
    """

    counter: str = "http_server_requests_total"
    histogram: str = "http_server_request_duration"
    gauges: Mapping[str, str] = field(default_factory=_none)
    labels: Mapping[str, str] = field(default_factory=_none)
    match: Mapping[str, str] = field(default_factory=_none)
    statuses: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    implied: Mapping[str, str] = field(default_factory=_none)
    native: bool = False

    def __post_init__(self) -> None:
        for metric in (self.counter, self.histogram, *self.gauges.values()):
            if not _METRIC.fullmatch(metric):
                raise InvalidInputError(f'"{metric}" is not the name of a metric')
        for name in (*self.labels.values(), *self.match):
            if not _LABEL.fullmatch(name):
                raise InvalidInputError(f'"{name}" is not the name of a label')

    def label(self, column: str) -> str:
        """The label that holds *column*."""
        return self.labels.get(column, column)

    def gauge(self, column: str) -> str:
        """The gauge that holds *column*."""
        return self.gauges.get(column, column)


MetricsLike = Metrics | Mapping[str, Metrics]
"""The same metrics for all, or metrics by the name of the SLO, "" for all others."""


def metrics_for(metrics: MetricsLike, name: str) -> Metrics:
    """The metrics of the SLO called *name*."""
    if isinstance(metrics, Metrics):
        return metrics
    found = metrics.get(name) or metrics.get("")
    if found is None:
        raise InvalidInputError(
            f'no metrics are given for SLO "{name}"; give some for it, or for all others as ""'
        )
    return found


_TOOLS = Metrics("tool_executions_total", "tool_execution_duration")
_TOOL_TIMES = replace(_TOOLS, implied={"tool": "any"})
_STREAMS = Metrics(
    "streaming_responses_total",
    "streaming_time_to_first_byte",
    gauges={"connections": "streaming_active_connections"},
)

GUIDE_METRICS: Mapping[str, Metrics] = MappingProxyType(
    {
        "": Metrics(),
        "Health Check Availability": Metrics("http_requests_total"),
        "Tool Execution Latency": _TOOL_TIMES,
        "Tool Execution Latency, 95% within 500ms": _TOOL_TIMES,
        "Tool Execution Latency, 99% within 2s": _TOOL_TIMES,
        "Tool Execution Error Rate": _TOOLS,
        "Authentication Error Rate": Metrics(
            "auth_attempts_total",
            labels={"status": "result"},
            statuses={"success": 200, "failure": 401},
            implied={"route": "/auth/attempt"},
        ),
        "Streaming Response Latency": _STREAMS,
        "Streaming Response Latency, 95% within 100ms": _STREAMS,
        "Streaming Connection Throughput": _STREAMS,
        "Streaming Connection Throughput, sustained": _STREAMS,
    }
)
"""The metrics that the guide's own queries ask, by the name of its objective."""
