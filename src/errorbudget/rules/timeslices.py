"""
Time slices in PromQL: a window's units are its slices, good or bad by their own ratio.

A subquery looks at instants on multiples of its step, whenever it is asked; so its points are the
ends of slices, and the same slices as the library's.
"""

from __future__ import annotations

from dataclasses import replace

from errorbudget.durations import SECOND_NS
from errorbudget.methods import Method, Occurrences, RatioTimeslices, Timeslices
from errorbudget.rules.promql import Queries, decimal, promql_duration
from errorbudget.sli.query import WINDOW

__all__ = ["sliced"]

_MS = SECOND_NS // 1000


def sliced(queries: Queries, method: Method) -> Queries:
    """
    The same events as units of *method*: themselves, or bad and all slices.

    Example:
        >>> events = Queries("bad[{{.window}}]", "all[{{.window}}]", ())
        >>> sliced(events, RatioTimeslices("1m")).over(300 * SECOND_NS)[1]
        'count_over_time(((bad[1m] or 0 * all[1m]) / (all[1m] > 0))[4m59s999ms:1m])'
    """
    if isinstance(method, Occurrences):
        return queries
    unit = _unit(queries, method)
    step = promql_duration(method.slice)
    bad, total = (f"{what}_over_time({unit}[{WINDOW}:{step}])" for what in ("sum", "count"))
    # A millisecond less, so that the slice that ends on the left edge stays out.
    return replace(queries, bad=bad, total=total, bad_may_lack=False, adds_up=True, less_ns=_MS)


def _unit(queries: Queries, method: Timeslices | RatioTimeslices) -> str:
    """How bad the slice that ends now is: 0, 1, or a share between; nothing when it is left out."""
    unit = queries.ratio(method.slice)
    if isinstance(method, Timeslices):
        reached = ">=" if method.strict else ">"
        unit = f"{unit} {reached} bool {decimal(method.slice_target.error)}"
    if method.no_data != "exclude":
        unit = f"({unit}) or vector({int(method.no_data == 'bad')})"
    return f"({unit})"
