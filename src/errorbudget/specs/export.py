"""
The door out to other formats: text, and an account of what it could not say.

What a format has no words for is a `Loss`, and never passed over. An objective that a format cannot
hold at all is left out, and its loss says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.sli import QueryRatio
from errorbudget.slo import SLO, as_slos
from errorbudget.specs.dump import Syntax, dump
from errorbudget.specs.spec import Loss

if TYPE_CHECKING:
    from errorbudget.rules.metrics import MetricsLike

__all__ = ["TARGETS", "AsQuery", "Export", "export"]

TARGETS = ("errorbudget", "openslo", "sloth", "pyrra")
"""Formats that are written."""

AsQuery = Callable[[SLO], QueryRatio | None]
"""Puts an indicator on events into PromQL, or says that it cannot."""


@dataclass(frozen=True, slots=True)
class Export:
    """
    Objectives in another format.

    Attributes:
        text: The file.
        losses: What the format has no place for.
    """

    text: str
    losses: tuple[Loss, ...] = ()

    def __str__(self) -> str:
        return self.text


def export(
    slos: SLO | Iterable[SLO],
    format: str,
    *,
    syntax: Syntax = "yaml",
    metrics: MetricsLike | None = None,
    as_query: AsQuery | None = None,
) -> Export:
    """
    Objectives in a format of others.

    OpenSLO holds everything that has a target: what it has no words for travels within
    `metricSource.spec`, which it leaves to each tool. Sloth and Pyrra hold PromQL.

    Args:
        slos: One objective, or several.
        format: "openslo" (v1), "sloth" (prometheus/v1), "pyrra" or "errorbudget".
        syntax: "yaml"; "json" and "toml" for the native format alone.
        metrics: For Sloth and Pyrra, the metrics that tell what events tell: indicators on events
            are put into PromQL with them, and are left out without.
        as_query: The same by a function of your own.

    Raises:
        InvalidInputError: There is no such format, or no objective.

    Example:
        >>> from errorbudget.sli import LatencyQuantile
        >>> slo = SLO("p95", window="7d", sli=LatencyQuantile({"p95": "200ms"}))
        >>> print(export(slo, "openslo").losses[0].why)
        is a threshold without a target, which OpenSLO has no place for; give its ratio form
    """
    wanted = list(as_slos(slos, distinct=False))
    if format == "errorbudget":
        return Export(dump(wanted, syntax=syntax))
    if syntax != "yaml":
        raise InvalidInputError(f"{format} is written as YAML, got syntax={syntax!r}")
    translate = as_query or (None if metrics is None else _by_metrics(metrics, format))
    if format == "openslo":
        from errorbudget.specs.to_openslo import to_openslo

        return Export(*to_openslo(wanted))
    if format == "sloth":
        from errorbudget.specs.to_sloth import to_sloth

        return Export(*to_sloth(wanted, translate))
    if format == "pyrra":
        from errorbudget.specs.to_pyrra import to_pyrra

        return Export(*to_pyrra(wanted, translate))
    raise InvalidInputError(
        f'there is no format "{format}" to write; there are {", ".join(TARGETS)}'
        f"{did_you_mean(format, TARGETS)}"
    )


def _by_metrics(metrics: MetricsLike, format: str) -> AsQuery:
    """A translator that asks for events by *metrics*."""
    from errorbudget.rules.metrics import metrics_for
    from errorbudget.rules.promql import sli_queries

    def as_query(slo: SLO) -> QueryRatio | None:
        try:
            queries = sli_queries(slo.sli, metrics_for(metrics, slo.name))
        except InvalidInputError:
            return None
        bad = queries.bad
        if format == "sloth" and queries.bad_may_lack:
            # Until something fails there is no series of failures: for Sloth, no data.
            bad = f"({bad} or 0 * {queries.total})"
        return QueryRatio(bad_query=bad, total_query=queries.total)

    return as_query
