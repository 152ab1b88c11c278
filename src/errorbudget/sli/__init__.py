"""Service level indicators: what is measured, as data."""

from errorbudget.sli.query import QueryRatio, QueryThreshold
from errorbudget.sli.ratio import Availability, ErrorRate, Latency, RatioSLI
from errorbudget.sli.reading import KINDS, SLI, from_dict
from errorbudget.sli.threshold import (
    Concurrency,
    Freshness,
    LatencyQuantile,
    Measurement,
    ThresholdSLI,
    Throughput,
    quantile,
)

Ratio = RatioSLI
"""The plain ratio by its short name."""

__all__ = [
    "KINDS",
    "SLI",
    "Availability",
    "Concurrency",
    "ErrorRate",
    "Freshness",
    "Latency",
    "LatencyQuantile",
    "Measurement",
    "QueryRatio",
    "QueryThreshold",
    "Ratio",
    "RatioSLI",
    "ThresholdSLI",
    "Throughput",
    "from_dict",
    "quantile",
]
