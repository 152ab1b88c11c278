"""
Prometheus and what speaks its HTTP API: Mimir, Thanos, VictoriaMetrics, Cortex.

A thin adapter: it fetches samples and hands over count series; it computes no budget. `Client` and
`AsyncClient` ask questions, `PrometheusSource` answers an SLO's. The transport is any callable from
`Request` to `Response`, so that nothing here needs a network to be tested.
"""

from __future__ import annotations

from errorbudget.sources.prometheus.answers import Answer
from errorbudget.sources.prometheus.async_client import AsyncClient
from errorbudget.sources.prometheus.client import Client
from errorbudget.sources.prometheus.connection import TLS, Basic, Bearer, Connection, Secret
from errorbudget.sources.prometheus.exchange import Retry
from errorbudget.sources.prometheus.fetched import Fetched, Missing
from errorbudget.sources.prometheus.http import Request, Response
from errorbudget.sources.prometheus.matrix import Matrix, NativeHistogram
from errorbudget.sources.prometheus.source import PrometheusCounts, PrometheusSource

__all__ = [
    "TLS",
    "Answer",
    "AsyncClient",
    "Basic",
    "Bearer",
    "Client",
    "Connection",
    "Fetched",
    "Matrix",
    "Missing",
    "NativeHistogram",
    "PrometheusCounts",
    "PrometheusSource",
    "Request",
    "Response",
    "Retry",
    "Secret",
]
