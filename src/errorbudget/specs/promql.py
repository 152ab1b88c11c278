"""The few pieces of PromQL that importers put together and exporters take apart."""

from __future__ import annotations

import re

from errorbudget.sli.query import WINDOW

__all__ = ["ranged", "selector_of", "with_label"]

_MODIFIER = re.compile(
    r"(?P<selector>.*?)(?P<rest>(?:\s+(?:offset\s+-?\S+|@\s*\S+))*)\s*", re.DOTALL
)
_RANGED = re.compile(
    r"\s*sum(?:\s+by\s*\([^)]*\))?\s*\(\s*(?P<function>rate|increase)\s*\(\s*"
    r"(?P<selector>[a-zA-Z_:][\w:]*\s*(?:\{[^{}]*\})?|\{[^{}]*\})\s*"
    r"\[\s*\{\{\s*\.window\s*\}\}\s*\](?P<rest>[^()]*)\)\s*\)\s*",
    re.DOTALL,
)


def ranged(metric: str, function: str = "rate") -> str:
    """
    The sum of a counter's rate over the window.

    Example:
        >>> ranged('errors_total{job="a"} offset 1m')
        'sum(rate(errors_total{job="a"}[{{.window}}] offset 1m))'
    """
    match = _MODIFIER.fullmatch(metric.strip())
    selector, rest = (match["selector"], match["rest"]) if match else (metric.strip(), "")
    return f"sum({function}({selector}[{WINDOW}]{rest}))"


def selector_of(query: str) -> str | None:
    """
    The metric of which *query* is the summed rate or increase; None for any other query.

    Example:
        >>> selector_of('sum(rate(errors_total{job="a"}[{{.window}}]))')
        'errors_total{job="a"}'
    """
    match = _RANGED.fullmatch(query)
    return None if match is None else match["selector"].strip() + match["rest"].rstrip()


def with_label(selector: str, name: str, value: str) -> str:
    """
    A selector with one more label.

    Example:
        >>> with_label('m_bucket{job="a"}', "le", "0.5")
        'm_bucket{job="a",le="0.5"}'
    """
    text = selector.strip()
    if text.endswith("}"):
        inner = text[:-1].rstrip().rstrip(",")
        comma = "" if inner.endswith("{") else ","
        return f'{inner}{comma}{name}="{value}"}}'
    return f'{text}{{{name}="{value}"}}'
