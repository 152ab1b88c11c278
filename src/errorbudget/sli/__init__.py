"""Service level indicators: what is measured, as data."""

from errorbudget.sli.freshness import Freshness
from errorbudget.sli.latency import Latency, LatencyQuantile, quantile
from errorbudget.sli.query import QueryRatio, QueryThreshold
from errorbudget.sli.ratio import Availability, ErrorRate, RatioSLI
from errorbudget.sli.reading import KINDS, SLI, from_dict
from errorbudget.sli.threshold import Measurement, ThresholdSLI
from errorbudget.sli.traffic import Concurrency, Throughput

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
