"""
google/slo-generator: objectives of both versions, and the error budget policies of its
configuration.

An objective there has no window of its own: it is judged over every step of its policy. The
longest step becomes the window, and each step an alert.

Source: google/slo-generator `docs/shared/`, `slo_generator/backends/prometheus.py`.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from errorbudget.alerts import AlertPolicy, BurnAlert
from errorbudget.durations import SECOND_NS
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational
from errorbudget.sli.query import WINDOW
from errorbudget.specs.cursor import Cursor
from errorbudget.specs.promql import ranged, with_label
from errorbudget.specs.tree import Items, Scalar
from errorbudget.windows import Rolling, Window

__all__ = ["read_slo_generator"]

_RUNS = "says where slo-generator runs and reports to"
_ASSUMED = "28d"
_PERIOD_S = 28 * 86_400
_OLD_STEP = "error_budget_policy_step_name"


def read_slo_generator(documents: list[Cursor], window: Window | None) -> list[AlertPolicy]:
    """Every objective of slo-generator's documents, and the policies among them."""
    tables: dict[str, AlertPolicy] = {}
    for document in documents:
        policies = document.child("error_budget_policies")
        if policies is not None:
            tables |= _policies(policies)
            document.lose(_RUNS, "default_exporters", "backends", "exporters")
    steps = [part for part in documents if part.child(_OLD_STEP) is not None]
    if steps:
        policy = _policy("default", steps, steps[0])
        tables |= {} if policy is None else {"": policy, "default": policy}
    for document in documents:
        if document.child("error_budget_policies", _OLD_STEP) is None:
            _objective(document, window, tables)
    return list(dict.fromkeys(tables.values()))


def _policies(policies: Cursor) -> dict[str, AlertPolicy]:
    found: dict[str, AlertPolicy] = {}
    for name in policies.node.values if not isinstance(policies.node, Scalar | Items) else ():
        policy = _policy(name, policies.within(name).items("steps"), policies.within(name))
        found |= {} if policy is None else {name: policy}
    return found


def _policy(name: str, parts: list[Cursor], holder: Cursor) -> AlertPolicy | None:
    steps = [_step(part) for part in parts]
    for part, (_, length, threshold, _) in zip(parts, steps, strict=True):
        if threshold * length > max([_PERIOD_S, *(other for _, other, _, _ in steps)]):
            part.lose(f"burning {threshold} times too fast for {length} s is more than the budget")
    try:
        # Burn rates need a period, which slo-generator does not know: its usual last step.
        period = max([_PERIOD_S, *(length for _, length, _, _ in steps)])
        rows = [
            BurnAlert(
                words,
                "page" if alert else "ticket",
                threshold * Fraction(length, period),
                length * SECOND_NS,
            )
            for words, length, threshold, alert in steps
            if threshold * Fraction(length, period) <= 1
        ]
        return AlertPolicy(
            name, rows, period * SECOND_NS, "google/slo-generator, error_budget_policies"
        )
    except (InvalidInputError, ValueError, TypeError) as error:
        holder.fault(f"its steps cannot be read: {error}")
        return None


def _step(step: Cursor) -> tuple[str, int, Fraction, bool]:
    step.lose(
        "is a text for people; alerts here have names",
        *("message_alert", "message_ok"),
        *("overburned_consequence_message", "achieved_consequence_message"),
    )
    name, window, threshold = (
        step.text("name", _OLD_STEP),
        step.text("window", "measurement_window_seconds"),
        step.text("burn_rate_threshold", "alerting_burn_rate_threshold"),
    )
    try:
        alert = step.flag("alert", "urgent_notification")
        return name, int(window), parse_rational(threshold), bool(alert)
    except (ValueError, ZeroDivisionError):
        step.fault(
            f"a step has window [s] and burn_rate_threshold, got {window!r} and {threshold!r}"
        )
        return name, 1, Fraction(1), False


def _objective(document: Cursor, window: Window | None, tables: dict[str, AlertPolicy]) -> None:
    old = document.child("slo_name") is not None
    document.mark("apiVersion", "kind")
    values: dict[str, Any]
    if old:
        words = [document.text(f"{part}_name") for part in ("service", "feature", "slo")]
        backend = document.within("backend")
        method, measurement = backend.text("method"), backend.within("measurement")
        name = backend.text("class").lower()
        backend.lose(_RUNS, *(key for key in _keys(backend) if key not in _READ))
        document.lose(_RUNS, "exporters")
        goal = document.child("slo_target")
        values = {
            "name": "-".join(word for word in words if word),
            "service": words[0] or None,
            "description": document.text("slo_description").strip() or None,
        }
        policy = ""
    else:
        metadata, spec = document.within("metadata"), document.within("spec")
        labels = metadata.texts("labels")
        metadata.lose("has no place here", "annotations", "namespace")
        backend, method, measurement = (
            spec,
            spec.text("method"),
            spec.within("service_level_indicator"),
        )
        name = spec.text("backend")
        spec.lose(_RUNS, "exporters", "frequency")
        goal = spec.child("goal")
        policy = spec.text("error_budget_policy", default="default")
        values = {
            "name": metadata.text("name"),
            "service": labels.get("service_name") or labels.get("service") or None,
            "description": spec.text("description").strip() or None,
            "labels": labels or None,
        }
    if goal is None:
        document.fault("the goal is missing: write goal: 0.999")
        return
    values["target"] = Scalar(goal.take(), str(goal.take()), goal.place)
    values["sli"] = _sli(name, method, measurement)
    values |= _window(document, window, tables.get(policy))
    document.ledger.draft(values, document.place, document.path)


_READ = ("class", "method", "measurement")


def _keys(cursor: Cursor) -> list[str]:
    return list(cursor.node.values) if not isinstance(cursor.node, Scalar | Items) else []


def _window(document: Cursor, window: Window | None, table: AlertPolicy | None) -> dict[str, Any]:
    if window is not None:
        if table is not None:
            why = "its steps belong to its own window, and another was asked for"
            document.ledger.lose(f"{document.path}.error_budget_policy", table.name, why)
        return {"window": window.to_text()}
    if table is not None:
        return {"window": Rolling.from_ns(table.period).to_text(), "alerts": table.to_dict()}
    document.ledger.lose(
        f"{document.path}.window",
        None,
        "slo-generator takes it from the policy in its configuration, which is not in this file: "
        f"{_ASSUMED} and the alerts of the SRE Workbook are assumed",
    )
    return {"window": _ASSUMED}


def _sli(backend: str, method: str, part: Cursor) -> dict[str, Any]:
    """The indicator: PromQL as slo-generator asks it, or the text that another backend is asked."""
    kind = backend.partition("/")[0]
    if kind == "prometheus":
        return _prometheus(method, part)
    language = {"language": kind or "slo-generator"}
    texts = {
        role: _text(found)
        for role in ("good", "bad", "valid")
        if (found := part.child(f"filter_{role}", f"query_{role}")) is not None
    }
    if method == "good_bad_ratio" and {"good", "valid"} <= set(texts):
        shape = {"good_query": texts["good"], "total_query": texts["valid"]}
    elif method == "good_bad_ratio" and {"good", "bad"} <= set(texts):
        shape = {"good_query": texts["good"], "bad_query": texts["bad"]}
    elif method == "good_bad_ratio" and {"bad", "valid"} <= set(texts):
        shape = {"bad_query": texts["bad"], "total_query": texts["valid"]}
    else:
        # Asked of the backend as it stands: method and parameters together are the question.
        question = {"method": method, **part.take()}
        return {"kind": "query", "ratio_query": _json(question), **language}
    if len(shape) < len(texts):
        part.ledger.lose(f"{part.path}.bad", texts["bad"], "good and valid say it already")
    rest = {key: part.within(key).take() for key in _keys(part) if not key.endswith(tuple(texts))}
    if rest:
        shape = {key: _json({**rest, "query": value}) for key, value in shape.items()}
    return {"kind": "query", **shape, **language}


def _text(cursor: Cursor) -> str:
    value = cursor.take()
    return value.strip() if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _prometheus(method: str, part: Cursor) -> dict[str, Any]:
    good, bad, valid = (
        _increase(part.text(f"filter_{role}", f"query_{role}")) for role in ("good", "bad", "valid")
    )
    expression = part.text("expression", "query").strip()
    operators = part.child("operators")
    if operators is not None:
        operators.lose("the sum of increases is asked, which is slo-generator's own default")
    if method == "distribution_cut":
        bucket = part.text("threshold_bucket")
        count = expression.replace("_bucket", "_count", 1)
        return {
            "kind": "query",
            "good_query": ranged(with_label(expression, "le", bucket), "increase"),
            "total_query": ranged(count, "increase"),
        }
    if method == "query_sli" or (expression and not good):
        return {
            "kind": "query",
            "ratio_query": f"1 - ({expression.replace('[window', f'[{WINDOW}')})",
        }
    shape = {"good_query": good}
    if good and bad and valid:
        part.ledger.lose(f"{part.path}.bad", bad, "good and valid say it already")
    if valid:
        shape["total_query"] = valid
    else:
        shape["bad_query"] = bad
    if not good and bad and valid:
        shape = {"bad_query": bad, "total_query": valid}
    return {"kind": "query", **shape}


def _increase(selector: str) -> str:
    text = selector.strip()
    if not text:
        return ""
    if "[window" in text:
        return text.replace("[window", f"[{WINDOW}")
    return ranged(text, "increase")
