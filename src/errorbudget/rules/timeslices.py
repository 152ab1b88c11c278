"""
Time slices in PromQL: a window's units are its slices, good or bad by their own ratio.

A subquery looks at instants on multiples of its step, whenever it is asked; so its points are the
ends of slices, and the same slices as the library's.
"""

from __future__ import annotations

from errorbudget.durations import SECOND_NS
from errorbudget.methods import Method, Occurrences, RatioTimeslices, Timeslices
from errorbudget.rules.metrics import Metrics
from errorbudget.rules.promql import Queries, decimal, promql_duration
from errorbudget.rules.thresholds import figures
from errorbudget.sli import SLI, LatencyQuantile, Throughput
from errorbudget.sli.query import WINDOW

__all__ = ["bound_slices", "sliced"]

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
    return _counted(_unit(queries, method), method, queries.series)


def bound_slices(sli: SLI, method: Timeslices, metrics: Metrics) -> Queries:
    """
    The slices of a threshold, bad where any of its figures misses its bound.

    A rate of nothing is a rate of 0: without traffic a slice misses it, whatever *method* says.

    Raises:
        InvalidInputError: The threshold cannot be asked in PromQL.

    Example:
        >>> from errorbudget.sli import Throughput
        >>> bound_slices(Throughput(9), Timeslices("1m"), Metrics()).over(300 * SECOND_NS)[0]
        'sum_over_time((sum(rate(http_server_requests_total[1m])) <= bool 9)[4m59s999ms:1m])'
    """
    found = figures(sli, metrics, method.slice, of_slice=True)
    # Compared with NaN, a bound would be kept: a quantile of nothing is left out.
    least = " >= 0" if isinstance(sli, LatencyQuantile) else ""
    missed = [f"{one.query}{least} {one.misses} bool {one.bound}" for one in found]
    unit = missed[0] if len(missed) == 1 else f"{' + '.join(f'({one})' for one in missed)} > bool 0"
    if not isinstance(sli, Throughput):
        unit = _with_no_data(unit, method)
    return _counted(f"({unit})", method, (found[0].series,))


def _counted(
    unit: str, method: Timeslices | RatioTimeslices, series: tuple[tuple[str, ...], ...]
) -> Queries:
    """The units of a window, each once."""
    step = promql_duration(method.slice)
    bad, total = (f"{what}_over_time({unit}[{WINDOW}:{step}])" for what in ("sum", "count"))
    # A millisecond less, so that the slice that ends on the left edge stays out.
    return Queries(bad, total, series, bad_may_lack=False, less_ns=_MS)


def _unit(queries: Queries, method: Timeslices | RatioTimeslices) -> str:
    """How bad the slice that ends now is: 0, 1, or a share between; nothing when it is left out."""
    unit = queries.ratio(method.slice)
    if isinstance(method, Timeslices):
        reached = ">=" if method.strict else ">"
        unit = f"{unit} {reached} bool {decimal(method.slice_target.error)}"
    return f"({_with_no_data(unit, method)})"


def _with_no_data(unit: str, method: Timeslices | RatioTimeslices) -> str:
    if method.no_data == "exclude":
        return unit
    return f"({unit}) or vector({int(method.no_data == 'bad')})"
