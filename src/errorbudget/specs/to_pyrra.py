"""Objectives as Pyrra documents: Pyrra takes metrics apart, so queries must have its shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from errorbudget.durations import SECOND_NS, format_duration
from errorbudget.methods import Occurrences
from errorbudget.sli import QueryRatio
from errorbudget.sli.query import WINDOW
from errorbudget.slo import SLO
from errorbudget.specs.carried import (
    changed,
    decimal_text,
    left_out,
    query_of,
    read_back,
    slug,
    unsaid,
)
from errorbudget.specs.promql import selector_of
from errorbudget.specs.pyrra import pyrra_alerts, read_pyrra
from errorbudget.specs.spec import Loss
from errorbudget.specs.writer import yaml_text
from errorbudget.target import Target
from errorbudget.windows import Rolling

if TYPE_CHECKING:
    from errorbudget.specs.export import AsQuery

__all__ = ["to_pyrra"]

_CARRIED = ("name", "target", "window", "sli", "description", "labels", "alerts")
_OVER_TIME = re.compile(
    rf"sum\((?P<function>sum|count)_over_time\((?P<metric>.*)\[{re.escape(WINDOW)}\]\)\)", re.DOTALL
)
_NATIVE = re.compile(
    r"histogram_fraction\(0,(?P<bound>[0-9.e+-]+),(?P<summed>.*)\)\*histogram_count\((?P=summed)\)",
    re.DOTALL,
)


def to_pyrra(slos: list[SLO], as_query: AsQuery | None) -> tuple[str, tuple[Loss, ...]]:
    """The text, and what it does not say."""
    losses: list[Loss] = []
    documents: list[dict[str, Any]] = []
    for slo in slos:
        document = _document(slo, as_query, losses, [d["metadata"]["name"] for d in documents])
        if document is not None:
            documents.append(document)
    return yaml_text(*documents) if documents else "", tuple(losses)


def _document(
    slo: SLO, as_query: AsQuery | None, losses: list[Loss], taken: list[str]
) -> dict[str, Any] | None:
    sli = query_of(slo, as_query)
    indicator = None if sli is None else _indicator(sli)
    if indicator is None:
        losses.append(
            left_out(
                slo,
                "Pyrra takes plain metrics, sum(rate(errors[...])) and sum(rate(total[...])): give "
                "them as errorbudget.QueryRatio, or metrics= (--counter) for a ratio of events",
            )
        )
        return None
    percent = decimal_text(slo.target.ratio * 100) if isinstance(slo.target, Target) else None
    if percent is None or not isinstance(slo.method, Occurrences):
        losses.append(
            left_out(slo, "Pyrra has one decimal target for an objective, and counts events")
        )
        return None
    if not isinstance(slo.window, Rolling):
        losses.append(left_out(slo, "Pyrra has rolling windows only"))
        return None
    losses += unsaid(slo, _CARRIED, "Pyrra")
    labels = dict(slo.labels)
    namespace = labels.pop("namespace", None)
    name = slug(slo.name, taken)
    if name != slo.name:
        losses.append(Loss(f"{slo.name}.name", slo.name, f'Kubernetes names it "{name}"'))
    spec: dict[str, Any] = {
        "target": percent,
        "window": format_duration(slo.window.length_ns),
        "description": slo.description,
        "indicator": indicator,
    }
    alerts = _alerting(slo, losses)
    if alerts:
        spec["alerting"] = alerts
    document = {
        "apiVersion": "pyrra.dev/v1alpha1",
        "kind": "ServiceLevelObjective",
        "metadata": {
            "name": name,
            **({"namespace": namespace} if namespace else {}),
            **({"labels": labels} if labels else {}),
        },
        "spec": spec,
    }
    losses += changed(slo, read_back([document], read_pyrra), losses, "Pyrra")
    return document


def _alerting(slo: SLO, losses: list[Loss]) -> dict[str, Any]:
    if not slo.alerts.alerts:
        return {"burnrates": False}
    if slo.alerts != pyrra_alerts(slo.period_ns):
        losses.append(
            Loss(f"{slo.name}.alerts", slo.alerts.name, "Pyrra has alerts of its own: 14, 7, 2, 1")
        )
    return {}


def _indicator(sli: QueryRatio) -> dict[str, Any] | None:
    """The shape of Pyrra's that asks the same; None when there is none."""
    bad, good, total = (
        None if query is None else selector_of(query)
        for query in (sli.bad_query, sli.good_query or _kept(sli), sli.total_query)
    )
    if bad is not None and total is not None:
        return {"ratio": {"errors": {"metric": bad}, "total": {"metric": total}}}
    if good is not None and total is not None and re.search(r'[{,]\s*le="', good):
        return {"latency": {"success": {"metric": good}, "total": {"metric": total}}}
    return _gauge(sli) or _native(sli)


def _kept(sli: QueryRatio) -> str | None:
    """The good events of an indicator whose bad ones are written as the rest of all."""
    before = f"({sli.total_query} - "
    bad = sli.bad_query or ""
    return bad[len(before) : -1] if bad.startswith(before) and bad.endswith(")") else None


def _gauge(sli: QueryRatio) -> dict[str, Any] | None:
    good = _OVER_TIME.fullmatch(sli.good_query or "")
    total = _OVER_TIME.fullmatch(sli.total_query or "")
    if good is None or total is None or good["metric"] != total["metric"]:
        return None
    if (good["function"], total["function"]) != ("sum", "count"):
        return None
    return {"bool_gauge": {"metric": good["metric"]}}


def _native(sli: QueryRatio) -> dict[str, Any] | None:
    match = _NATIVE.fullmatch(sli.good_query or "")
    if match is None or sli.total_query != f"histogram_count({match['summed']})":
        return None
    metric = selector_of(match["summed"])
    bound_ns = round(float(match["bound"]) * SECOND_NS)
    if metric is None or bound_ns <= 0:
        return None
    return {"latencyNative": {"total": {"metric": metric}, "latency": format_duration(bound_ns)}}
