"""What to write where a server has no series: by the names of metrics that it does have."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from errorbudget.errors import ErrorBudgetError
from errorbudget.rules.metrics import MetricsLike, metrics_for
from errorbudget.slo import SLO
from errorbudget.sources.prometheus import Client
from errorbudget.sources.prometheus.asking import is_asked
from errorbudget.sources.prometheus.counting import latency_bound

__all__ = ["series_cure"]

_MOST_NAMES = 3


def series_cure(client: Client, metrics: MetricsLike, slos: Sequence[SLO]) -> str:
    """
    A hint to append to "no series": another instant, or another name; empty where none is known.

    Args:
        client: The server, which is asked once more, for its names.
        metrics: The names that were asked.
        slos: The objectives that found nothing.
    """
    try:
        page = client.ask("/api/v1/label/__name__/values", {}).data
    except ErrorBudgetError:
        return ""  # the error that this would be appended to is the one that matters
    known = [str(name) for name in page] if isinstance(page, list) else []
    for slo in slos:
        if is_asked(slo):
            continue
        names, timed = metrics_for(metrics, slo.name), latency_bound(slo) is not None
        key, name = ("histogram", names.histogram) if timed else ("counter", names.counter)
        ending = "_bucket" if timed else "_total"
        there = [one.removesuffix("_bucket") for one in known if one.endswith(ending)]
        if name in there or name in known:
            return f" It has {name} at other instants (--at) or with other labels (--metrics FILE)"
        near = get_close_matches(name, there, n=_MOST_NAMES, cutoff=0.5) or there[:_MOST_NAMES]
        if near:
            return (
                f' It has {", ".join(near)}; "{key}: {near[0]}" in a file for --metrics asks that'
            )
    return ""
