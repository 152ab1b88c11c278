"""
Pyrra: the Kubernetes `ServiceLevelObjective`.

Pyrra writes metrics, not queries; they become queries as Pyrra itself asks them. Its alerts follow
from its own table of four windows, made for 28 days and stretched to others.

Source: pyrra-dev/pyrra `kubernetes/api/v1alpha1/servicelevelobjective_types.go`, `slo/rules.go`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.durations import MINUTE_NS, SECOND_NS, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.specs.cursor import Cursor
from errorbudget.specs.promql import ranged
from errorbudget.specs.tree import Scalar
from errorbudget.windows import Window

__all__ = ["pyrra_alerts", "read_pyrra"]

# name, severity, factor, and what part of the window its hold, long and short windows are.
_WINDOWS = (
    ("critical-14x", "critical", 14, 28 * 24 * 30, 28 * 24, 28 * 24 * 12),
    ("critical-7x", "critical", 7, 28 * 24 * 4, 28 * 4, 28 * 24 * 2),
    ("warning-2x", "warning", 2, 28 * 24, 28, 28 * 12),
    ("warning-1x", "warning", 1, 28 * 8, 7, 28 * 4),
)


def _minutes(length_ns: int, parts: int) -> int:
    """A part of a window, rounded to a minute as Go rounds: halves away from zero."""
    return (length_ns // parts + MINUTE_NS // 2) // MINUTE_NS * MINUTE_NS


def pyrra_alerts(window_ns: int) -> AlertPolicy:
    """
    The alerts that Pyrra makes for a window [ns].

    Example:
        >>> [float(a.threshold("28d")) for a in pyrra_alerts(28 * 1440 * MINUTE_NS).alerts]
        [14.0, 7.0, 2.0, 1.0]
    """
    rows = []
    for name, severity, factor, hold, long, short in _WINDOWS:
        long_ns = max(MINUTE_NS, _minutes(window_ns, long))
        short_ns = max(MINUTE_NS, _minutes(window_ns, short))
        rows.append(
            BurnAlert(
                name,
                severity,
                min(Fraction(1), Fraction(factor * long_ns, window_ns)),
                long_ns,
                short_ns if short_ns < long_ns else None,
                _minutes(window_ns, hold),
            )
        )
    return AlertPolicy("pyrra", rows, window_ns, "pyrra-dev/pyrra, slo/rules.go, Windows")


def read_pyrra(documents: list[Cursor], _: Window | None) -> list[AlertPolicy]:
    """Every objective of Pyrra's documents, which say their windows themselves."""
    for document in documents:
        _objective(document)
    return []


def _objective(document: Cursor) -> None:
    document.mark("apiVersion", "kind", "status")
    metadata, spec = document.within("metadata"), document.within("spec")
    labels = metadata.texts("labels")
    namespace = metadata.text("namespace")
    if namespace:
        labels["namespace"] = namespace
    metadata.lose("belongs to the cluster", "annotations")
    spec.lose("belongs to the Thanos ruler", "partial_response_strategy")
    spec.lose("belongs to the rules that Pyrra generates", "performance_over_accuracy")
    values: dict[str, Any] = {
        "name": metadata.text("name"),
        "description": spec.text("description") or None,
        "sli": _sli(spec.within("indicator")),
        "labels": labels or None,
    }
    target, window = spec.child("target"), spec.child("window")
    if target is None or window is None:
        spec.fault(f'"{"target" if target is None else "window"}" is missing')
        return
    text = target.word()
    values["target"] = Scalar(f"{text.removesuffix('%')}%", text, target.place)
    values["window"] = Scalar(window.word(), window.word(), window.place)
    try:
        values["alerts"] = _alerts(spec.within("alerting"), parse_duration(window.word()))
    except InvalidInputError as error:
        window.fault(str(error))
        return
    if values["sli"] is not None:
        document.ledger.draft(values, document.place, document.path)


def _sli(indicator: Cursor) -> dict[str, Any] | None:
    ratio, latency = indicator.child("ratio"), indicator.child("latency")
    native, gauge = indicator.child("latencyNative"), indicator.child("bool_gauge", "boolGauge")
    for part in (ratio, latency, native, gauge):
        if part is not None:
            part.lose(
                "Pyrra judges each group by itself; here all of them are one objective", "grouping"
            )
    if ratio is not None:
        return {
            "kind": "query",
            "bad_query": _metric(ratio, "errors"),
            "total_query": _metric(ratio, "total"),
        }
    if latency is not None:
        return {
            "kind": "query",
            "good_query": _metric(latency, "success"),
            "total_query": _metric(latency, "total"),
        }
    if native is not None:
        return _native(native)
    if gauge is not None:
        metric = gauge.text("metric")
        return {
            "kind": "query",
            "good_query": ranged(metric, "sum_over_time"),
            "total_query": ranged(metric, "count_over_time"),
        }
    indicator.fault("indicator needs ratio, latency, latencyNative or bool_gauge")
    return None


def _metric(part: Cursor, key: str) -> str:
    metric = part.within(key).text("metric")
    if not metric:
        part.fault(f'"{key}.metric" is missing')
    return ranged(metric)


def _native(native: Cursor) -> dict[str, Any] | None:
    summed = _metric(native, "total")
    latency = native.child("latency")
    if latency is None:
        native.fault('"latency" is missing')
        return None
    try:
        bound = Fraction(parse_duration(latency.word()), SECOND_NS)
    except InvalidInputError as error:
        latency.fault(str(error))
        return None
    return {
        "kind": "query",
        "good_query": f"histogram_fraction(0,{float(bound):g},{summed})*histogram_count({summed})",
        "total_query": f"histogram_count({summed})",
    }


def _alerts(alerting: Cursor, window_ns: int) -> Any:
    alerting.lose("belongs to the rules that Pyrra generates", "name", "absent", "absentName")
    alerting.lose("is Pyrra's own way to weigh traffic; thresholds here are fixed", "burnRateType")
    alerting.lose("belongs to the rules that Pyrra generates", "severities", "labels")
    if alerting.flag("disabled") or alerting.flag("burnrates") is False:
        return "none"
    return pyrra_alerts(window_ns).to_dict()
