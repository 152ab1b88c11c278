"""The indicators of the native format, a model for each kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from errorbudget.sli import KINDS
from errorbudget.specs.fields import Condition, Figure, Text
from errorbudget.specs.strict import Built

__all__ = ["SLIField"]


class SLIModel(Built):
    """An indicator: what is measured."""

    kind: str

    def build(self) -> Any:
        """The indicator of the core."""
        return KINDS[self.kind](**self.given("kind"))


class _Conditions(SLIModel):
    where: Condition | None = Field(None, description="A further condition on taking part.")
    exclude: Condition | None = Field(None, description="Events that never take part.")


class RatioModel(_Conditions):
    """The share of good events among valid ones."""

    kind: Literal["ratio"] = "ratio"
    good: Condition | None = Field(None, description="A good event; give this or bad.")
    bad: Condition | None = Field(None, description="A bad event.")
    valid: Condition | None = Field(None, description="An event that takes part at all.")


class AvailabilityModel(RatioModel):
    """The share of requests that were served; without good or bad, a 5xx is bad."""

    kind: Literal["availability"]  # type: ignore[assignment]


class ErrorRateModel(RatioModel):
    """The share of requests that failed; "under 1 %" is a target of 99 %."""

    kind: Literal["error_rate"]  # type: ignore[assignment]


class LatencyModel(_Conditions):
    """The share of requests that took no longer than the threshold."""

    kind: Literal["latency"]
    threshold: Figure = Field(description="Longest good duration, such as 200ms.")
    column: Text = Field("duration_s", description="Numeric column to ask, in seconds.")
    valid: Condition | None = Field(None, description="An event that takes part at all.")


class QuantileModel(_Conditions):
    """Quantiles of the duration, each under its bound; has no budget."""

    kind: Literal["latency_quantile"]
    bounds: dict[str, Figure] = Field(
        description="Bound per quantile.", examples=[{"p95": "200ms", "p99": "500ms"}]
    )
    column: Text = "duration_s"


class ThroughputModel(_Conditions):
    """Requests per second, above a floor."""

    kind: Literal["throughput"]
    above: Figure = Field(description="The floor [events/s], strict.")
    sustained: Text | None = Field(
        None, description="A slice such as 1m: every one must lie above. Without it, the mean."
    )


class ConcurrencyModel(_Conditions):
    """A gauge, such as open connections, above a floor."""

    kind: Literal["concurrency"]
    above: Figure = Field(description="The floor, strict.")
    column: Text = "connections"
    statistic: Literal["max", "mean", "sustained"] = "max"


class FreshnessModel(_Conditions):
    """Data no older than a bound."""

    kind: Literal["freshness"]
    within: Text = Field(description="Greatest good age, such as 5m.")


class QueryModel(SLIModel):
    """The share of good events as queries to a metrics server tell it."""

    kind: Literal["query"]
    good_query: str | None = None
    bad_query: str | None = None
    total_query: str | None = None
    ratio_query: str | None = Field(None, description="The share of bad events itself.")
    language: Text = "promql"


class QueryThresholdModel(SLIModel):
    """The share of samples of a query that keep a bound."""

    kind: Literal["query_threshold"]
    query: str
    op: Literal["<", "<=", ">", ">="]
    bound: Figure
    language: Text = "promql"


def _kind(value: Any) -> Any:
    return value.get("kind", "ratio") if isinstance(value, dict) else getattr(value, "kind", None)


SLIField = Annotated[
    Annotated[RatioModel, Tag("ratio")]
    | Annotated[AvailabilityModel, Tag("availability")]
    | Annotated[ErrorRateModel, Tag("error_rate")]
    | Annotated[LatencyModel, Tag("latency")]
    | Annotated[QuantileModel, Tag("latency_quantile")]
    | Annotated[ThroughputModel, Tag("throughput")]
    | Annotated[ConcurrencyModel, Tag("concurrency")]
    | Annotated[FreshnessModel, Tag("freshness")]
    | Annotated[QueryModel, Tag("query")]
    | Annotated[QueryThresholdModel, Tag("query_threshold")],
    Discriminator(_kind),
]
