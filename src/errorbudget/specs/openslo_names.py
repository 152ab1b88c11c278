"""Words that OpenSLO and this library have for the same thing, and where ours travel in theirs."""

from __future__ import annotations

__all__ = ["NATIVE_KEY", "OPERATORS", "TYPES"]

NATIVE_KEY = "errorbudget"
"""Key within `metricSource.spec`, which is each tool's own, for what OpenSLO has no words for."""

OPERATORS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
"""Comparisons."""

TYPES = ("prometheus", "promql", "errorbudget")
"""Types of metric sources whose queries are PromQL, in lower case."""
