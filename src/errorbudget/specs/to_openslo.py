"""
Objectives as OpenSLO v1 documents, as its published schema wants them.

What OpenSLO has no words for stands in `metricSource.spec.errorbudget`: the schema leaves `spec`
to each tool. It is found by reading the document back: whatever came out otherwise is written
there, and nothing else.

Source: OpenSLO/OpenSLO `schemas/v1`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.durations import DAY_NS, HOUR_NS, MINUTE_NS
from errorbudget.methods import Occurrences, Timeslices
from errorbudget.schedule import TargetSchedule
from errorbudget.sli import QueryRatio
from errorbudget.sli.query import QueryThreshold
from errorbudget.slo import SLO
from errorbudget.specs.carried import decimal_text, left_out, read_back, slug
from errorbudget.specs.dump import slo_data
from errorbudget.specs.openslo import read_openslo
from errorbudget.specs.openslo_names import NATIVE_KEY, OPERATORS
from errorbudget.specs.spec import Loss
from errorbudget.specs.writer import yaml_text
from errorbudget.target import Target
from errorbudget.windows import Calendar, Rolling, Window

__all__ = ["to_openslo"]

_METHODS = {
    "occurrences": "Occurrences",
    "timeslices": "Timeslices",
    "ratio_timeslices": "RatioTimeslices",
}
_LABEL = re.compile(r"[a-z0-9A-Z][a-z0-9A-Z._-]{0,62}")
_NOTIFY = "alertmanager"


def to_openslo(slos: list[SLO]) -> tuple[str, tuple[Loss, ...]]:
    """The text, and what it does not say."""
    losses: list[Loss] = []
    documents: list[dict[str, Any]] = []
    policies: dict[str, dict[str, Any]] = {}
    names: list[str] = []
    for slo in slos:
        why = _unsayable(slo)
        if why:
            losses.append(left_out(slo, why))
            continue
        names.append(slug(slo.name, names))
        document = _document(slo, names[-1], policies)
        _add_native(slo, document, policies)
        documents.append(document)
    if policies:
        documents += [*policies.values(), _notification_target()]
    return yaml_text(*documents) if documents else "", tuple(losses)


def _unsayable(slo: SLO) -> str:
    if slo.target is None:
        return (
            "is a threshold without a target, which OpenSLO has no place for; give its ratio form"
        )
    if _current(slo).ratio == 1:
        return "has a target of 100 %, and those of OpenSLO lie below"
    return ""


def _current(slo: SLO) -> Target:
    """The target, or the last one of a schedule."""
    if isinstance(slo.target, TargetSchedule):
        return list(slo.target.targets.values())[-1]
    assert slo.target is not None  # noqa: S101 - thresholds have been left out
    return slo.target


# ---------------------------------------------------------------------------- a document


def _document(slo: SLO, name: str, policies: dict[str, dict[str, Any]]) -> dict[str, Any]:
    labels = {
        key: value
        for key, value in slo.labels.items()
        if _LABEL.fullmatch(key) and _LABEL.fullmatch(value)
    }
    objective: dict[str, Any] = {}
    if isinstance(slo.sli, QueryThreshold):
        words = {sign: word for word, sign in OPERATORS.items()}
        objective |= {"op": words[slo.sli.op], "value": _number(slo.sli.bound)}
    objective["target"] = _number(_current(slo).ratio)
    if not isinstance(slo.method, Occurrences):
        if isinstance(slo.method, Timeslices):
            objective["timeSliceTarget"] = _number(slo.method.slice_target.ratio)
        objective["timeSliceWindow"] = _shorthand(slo.method.slice)
    spec: dict[str, Any] = {
        "description": slo.description[:1050] or slo.name[:1050],
        "service": slug(slo.service or "default"),
        "indicator": {"metadata": {"name": f"{name[:59]}-sli"}, "spec": _indicator(slo)},
        "timeWindow": [_window(slo.window)],
        "budgetingMethod": _METHODS[slo.method.name],
        "objectives": [objective],
    }
    if slo.alerts.alerts:
        spec["alertPolicies"] = [
            _policy(alert, slo.alerts, slo.period_ns, policies) for alert in slo.alerts.alerts
        ]
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
        "spec": spec,
    }


def _number(value: Fraction) -> Any:
    text = decimal_text(value)
    if text is None:
        return float(value)
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _shorthand(length_ns: int) -> str:
    """A span in OpenSLO's one unit, rounded up to a minute."""
    for unit, size in (("d", DAY_NS), ("h", HOUR_NS)):
        if length_ns % size == 0:
            return f"{length_ns // size}{unit}"
    return f"{max(1, -(-length_ns // MINUTE_NS))}m"


def _window(window: Window) -> dict[str, Any]:
    if isinstance(window, Rolling):
        return {"duration": _shorthand(window.length_ns), "isRolling": True}
    unit = {"day": "d", "week": "w", "month": "M", "quarter": "Q", "year": "Y"}[window.unit]
    start = "1970-01-05" if window.unit == "week" else "1970-01-01"
    moment = dt.datetime.fromisoformat(window.anchor or start)
    return {
        "duration": f"{window.every}{unit}",
        "isRolling": False,
        "calendar": {
            "startTime": moment.strftime("%Y-%m-%d %H:%M:%S"),
            "timeZone": _zone(window),
        },
    }


def _zone(window: Calendar) -> str:
    """The zone by the name that OpenSLO's schema takes: a region and a place."""
    return window.zone if re.search(r"[A-Z][a-zA-Z_]+/[A-Z][a-zA-Z_]+", window.zone) else "Etc/UTC"


# ---------------------------------------------------------------------------- indicators


def _indicator(slo: SLO) -> dict[str, Any]:
    sli = slo.sli
    if isinstance(sli, QueryThreshold):
        return {"thresholdMetric": _source(sli.query, sli.language)}
    if not isinstance(sli, QueryRatio):
        # Conditions on events: told in words, and exactly in what `_add_native` puts beside.
        good = {"metricSource": {"type": NATIVE_KEY, "spec": {"good": str(sli)}}}
        return {"ratioMetric": {"counter": True, "good": good, "total": _nothing()}}
    metric: dict[str, Any] = {"counter": True}
    if sli.ratio_query is not None:
        # The schema knows no raw ratio: a share of bad events is bad events of one.
        metric["bad"] = _source(sli.ratio_query, sli.language)
        metric["total"] = _nothing()
        return {"ratioMetric": metric}
    if sli.good_query is not None:
        metric["good"] = _source(sli.good_query, sli.language)
    else:
        metric["bad"] = _source(str(sli.bad_query), sli.language)
    total = sli.total_query or f"({sli.good_query}) + ({sli.bad_query})"
    metric["total"] = _source(total, sli.language)
    return {"ratioMetric": metric}


def _nothing() -> dict[str, Any]:
    return {"metricSource": {"type": NATIVE_KEY, "spec": {}}}


def _source(query: str, language: str) -> dict[str, Any]:
    kind = "Prometheus" if language == "promql" else language
    spec: dict[str, Any] = {"query": query}
    if language != "promql" and query.startswith("{"):
        try:
            data = json.loads(query)
        except ValueError:
            data = None
        if isinstance(data, dict) and data and NATIVE_KEY not in data:
            spec = data
    return {"metricSource": {"type": kind, "spec": spec}}


# ---------------------------------------------------------------------------- alerts


def _policy(
    alert: BurnAlert, table: AlertPolicy, period_ns: int, policies: dict[str, dict[str, Any]]
) -> str:
    """The name of the alert policy for one alert, which joins *policies*."""
    spec = {
        "alertWhenNoData": False,
        "alertWhenResolved": False,
        "alertWhenBreaching": True,
        "conditions": [
            {
                "kind": "AlertCondition",
                "metadata": {"name": slug(alert.name)},
                "spec": {
                    "severity": alert.severity,
                    "condition": {
                        "kind": "burnrate",
                        "op": "gt",
                        "threshold": _number(alert.threshold(period_ns)),
                        "lookbackWindow": _shorthand(alert.long),
                        # The schema starts at one minute.
                        "alertAfter": _shorthand(alert.hold or MINUTE_NS),
                    },
                },
            }
        ],
        "notificationTargets": [{"targetRef": _NOTIFY}],
    }
    for name, known in policies.items():
        if known["spec"] == spec:
            return name
    name = slug(f"{table.name}-{alert.name}", policies)
    policies[name] = {
        "apiVersion": "openslo/v1",
        "kind": "AlertPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }
    return name


def _notification_target() -> dict[str, Any]:
    return {
        "apiVersion": "openslo/v1",
        "kind": "AlertNotificationTarget",
        "metadata": {"name": _NOTIFY},
        "spec": {"target": _NOTIFY, "description": "Whoever Alertmanager routes it to."},
    }


# ---------------------------------------------------------------------------- the rest


def _add_native(slo: SLO, document: dict[str, Any], policies: dict[str, dict[str, Any]]) -> None:
    """Put what reading the document back would not give into the place that is ours."""
    wanted = slo_data(slo)
    got = read_back([document, *policies.values()], read_openslo)
    beside = {key: wanted.get(key) for key in {**wanted, **got} if wanted.get(key) != got.get(key)}
    if not beside:
        return
    spec = document["spec"]["indicator"]["spec"]
    part = spec["thresholdMetric"] if "thresholdMetric" in spec else spec["ratioMetric"]["total"]
    part["metricSource"]["spec"] = {**part["metricSource"]["spec"], NATIVE_KEY: beside}
