"""
OpenSLO v1, v1alpha and v2alpha: objectives with what they refer to, in any number of documents.

The three versions say the same in other words; the readers of each part take all of them. An
objective (`objectives[]`) becomes an SLO of its own, as it has its own target.

Source: OpenSLO/OpenSLO `README.md`, `enhancements/v2alpha.md`, `schemas/v1`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from errorbudget.alerts import AlertPolicy
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.specs.cursor import Cursor
from errorbudget.specs.openslo_alerts import ASSUMED_ALERTS, NOTIFY, Objects, alerts_of, name_only
from errorbudget.specs.openslo_names import NATIVE_KEY, OPERATORS, TYPES
from errorbudget.specs.tree import Branch, Node, Scalar
from errorbudget.windows import Calendar, Rolling, Window, parse_window

__all__ = ["read_openslo"]

KINDS = (
    "SLO",
    "SLI",
    "Service",
    "DataSource",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
    "BudgetAdjustment",
)
_NOMINAL = {"M": 30, "Q": 90, "Y": 365}
_UNITS = {
    "second": "s",
    "minute": "m",
    "hour": "h",
    "day": "d",
    "week": "w",
    "month": "M",
    "quarter": "Q",
    "year": "Y",
}
_ASSUMED = "30d"


def read_openslo(documents: list[Cursor], window: Window | None) -> list[AlertPolicy]:
    """Every objective of OpenSLO's documents, with the objects that they refer to."""
    objects = Objects()
    for document in documents:
        kind = document.text("kind")
        document.mark("apiVersion")
        name = document.within("metadata").text("name")
        if kind not in KINDS:
            document.fault(
                f'there is no kind "{kind}"; there are {", ".join(KINDS)}'
                f"{did_you_mean(kind, KINDS)}"
            )
        objects.known.setdefault(kind, {})[name] = document
    for document in documents:
        kind = document.text("kind")
        if kind == "SLO":
            _slo(document, objects, window)
        elif kind == "Service":
            document.lose("a service is its name here", "spec")
        elif kind == "DataSource":
            document.within("spec").lose("says where a server is", "connectionDetails")
        elif kind == "AlertNotificationTarget":
            document.lose(NOTIFY, "spec")
        elif kind == "BudgetAdjustment":
            document.lose("is no part of OpenSLO yet; write it as a correction", "spec")
    for kind in ("SLI", "AlertPolicy", "AlertCondition"):
        for found in objects.known.get(kind, {}).values():
            if not found.is_read("spec"):
                found.lose("no SLO of this file refers to it", "spec")
    return []


# ---------------------------------------------------------------------------- objectives


def _slo(document: Cursor, objects: Objects, window: Window | None) -> None:
    metadata, spec = document.within("metadata"), document.within("spec")
    name = metadata.text("name")
    shown = metadata.text("displayName")
    common: dict[str, Any] = {
        "service": spec.text("service", "serviceRef") or None,
        "description": spec.text("description") or shown or None,
        "labels": metadata.texts("labels") or None,
    }
    if shown and common["description"] != shown:
        document.ledger.lose(f"{metadata.path}.displayName", shown, "an SLO has one name")
    metadata.lose("has no place here", "annotations")
    chosen = window or _window(spec)
    if chosen is None:
        return
    common["window"] = chosen.to_text()
    objectives = spec.items("objectives")
    if not objectives:
        spec.fault('"objectives" is missing')
    words = Counter(_slug(objective.text("displayName")) for objective in objectives)
    for number, objective in enumerate(objectives, start=1):
        label = objective.text("displayName")
        word = _slug(label)
        if words[word] > 1:  # several objectives may be shown under one name
            word = f"{word}-{number}".strip("-")
        suffix = (word or str(number)) if len(objectives) > 1 else ""
        values = {**common, "name": "-".join(part for part in (name, suffix) if part)}
        if label and len(objectives) == 1:
            objective.ledger.lose(f"{objective.path}.displayName", label, "an SLO has one name")
        values |= _objective(objective, spec, objects, chosen)
        native = values.pop(NATIVE_KEY, None)
        if native is not None:
            _overlay(values, native)
        if not spec.items("alertPolicies") and "alerts" not in values:
            spec.ledger.lose(f"{spec.path}.alertPolicies", None, f"not given: {ASSUMED_ALERTS}")
        if "sli" in values:
            document.ledger.draft(values, objective.place, objective.path)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _overlay(values: dict[str, Any], native: Node) -> None:
    """What this library itself wrote beside a query holds what OpenSLO has no words for."""
    if isinstance(native, Branch):
        values.update(native.values)
        for key, node in native.values.items():
            if isinstance(node, Scalar) and node.value is None:
                del values[key]


def _objective(objective: Cursor, spec: Cursor, objects: Objects, window: Window) -> dict[str, Any]:
    values: dict[str, Any] = {}
    target, percent = objective.child("target"), objective.child("targetPercent")
    if target is not None:
        values["target"] = Scalar(target.take(), target.word(), target.place)
    elif percent is not None:
        values["target"] = Scalar(f"{percent.word()}%", percent.word(), percent.place)
    else:
        objective.fault('"target" is missing')
    method = spec.text("budgetingMethod", default="Occurrences")
    found = _method(method, objective)
    if found is not None:
        values["method"] = found
    objective.lose(
        "weighs the parts of a composite, which is built in Python", "compositeWeight", "labels"
    )
    sli = _sli(objective, spec, objects)
    if sli is not None:
        values |= sli
    values |= alerts_of(spec, objects, window)
    return values


def _method(method: str, objective: Cursor) -> dict[str, Any] | None:
    word = method.lower()
    if word == "occurrences":
        objective.lose("belongs to time slices", "timeSliceTarget", "timeSliceWindow")
        return None
    if word not in ("timeslices", "ratiotimeslices"):
        known = ("Occurrences", "Timeslices", "RatioTimeslices")
        objective.fault(
            f'budgetingMethod must be one of {", ".join(known)}, got "{method}"'
            f"{did_you_mean(method, known)}"
        )
        return None
    length = objective.child("timeSliceWindow")
    if length is None:
        objective.ledger.lose(
            f"{objective.path}.timeSliceWindow", None, "not given: slices of 1m are assumed"
        )
        text = "1m"
    else:
        # A bare number counts minutes.
        text = length.word()
        text = f"{text}m" if re.fullmatch(r"[0-9.]+", text) else text
    place = length.place if length is not None else objective.place
    values: dict[str, Any] = {"slice": Scalar(text, text, place)}
    if word == "ratiotimeslices":
        objective.lose("ratio time slices have no target of their own", "timeSliceTarget")
        return {"kind": "ratio_timeslices", **values}
    target = objective.child("timeSliceTarget")
    if target is None:
        objective.fault('"timeSliceTarget" is missing: what makes a slice good?')
        return None
    return {
        "kind": "timeslices",
        **values,
        "slice_target": Scalar(target.take(), target.word(), target.place),
    }


# ---------------------------------------------------------------------------- windows


def _window(spec: Cursor) -> Window | None:
    windows = spec.items("timeWindow", "timeWindows")
    if not windows:
        spec.ledger.lose(f"{spec.path}.timeWindow", None, f"not given: {_ASSUMED} are assumed")
        return Rolling(_ASSUMED)
    for other in windows[1:]:
        other.lose("an SLO has one window; write another SLO for it")
    part = windows[0]
    count, unit = part.text("count"), part.text("unit").lower().removesuffix("s")
    duration = f"{count}{_UNITS.get(unit, unit)}" if unit else part.text("duration")
    calendar = part.child("calendar")
    rolling = part.flag("isRolling")
    try:
        if calendar is None and rolling is not False:
            return _rolling(part, duration)
        return _calendar(part, duration, calendar or part.within("calendar"))
    except InvalidInputError as error:
        part.fault(str(error))
        return None


def _rolling(part: Cursor, duration: str) -> Window:
    match = re.fullmatch(r"\s*(\d{1,9})\s*([MQY])\s*", duration)
    if match is None:
        return Rolling(duration)
    days = int(match[1]) * _NOMINAL[match[2]]
    part.ledger.lose(
        f"{part.path}.duration", duration, f"a rolling month has no fixed length: {days}d are taken"
    )
    return Rolling(f"{days}d")


def _calendar(part: Cursor, duration: str, calendar: Cursor) -> Window:
    if re.fullmatch(r"\s*\d+\s*m\s*", duration):
        months = duration.strip()[:-1].strip() + "M"
        part.ledger.lose(
            f"{part.path}.duration",
            duration,
            f"m is minutes, and a calendar has none: {months} (months) is taken",
        )
        duration = months
    start = calendar.text("startTime")
    zone = calendar.text("timeZone", default="UTC")
    zone = "UTC" if zone in ("Etc/UTC", "Etc/GMT", "GMT", "Z") else zone
    window = Calendar.from_openslo(duration, start_time=start or None, zone=zone)
    if start:
        usual = Calendar(
            window.unit, zone=window.zone, anchor=_usual_start(window), every=window.every
        )
        if usual == window and (window.every == 1 or window.unit in ("month", "quarter")):
            return parse_window(
                Calendar(window.unit, zone=window.zone, every=window.every).to_text()
            )
    return window


def _usual_start(window: Calendar) -> str:
    return "1970-01-05" if window.unit == "week" else "1970-01-01"


# ---------------------------------------------------------------------------- indicators


def _sli(objective: Cursor, spec: Cursor, objects: Objects) -> dict[str, Any] | None:
    alpha = objective.child("ratioMetrics")
    if alpha is not None:
        return _ratio(alpha, objective, objects)
    holder = objective if objective.child("indicator", "sli", "indicatorRef", "sliRef") else spec
    inline = holder.child("indicator", "sli")
    if inline is not None:
        name_only(inline)
        return _metric(inline.child("spec") or inline, objective, objects)
    reference = holder.child("indicatorRef", "sliRef")
    if reference is None:
        spec.fault("an objective needs an indicator, or indicatorRef")
        return None
    name = reference.word()
    found = objects.find("SLI", name)
    if found is None:
        reference.fault(
            f'there is no SLI "{name}" in this file{did_you_mean(name, objects.names("SLI"))}'
        )
        return None
    name_only(found)
    return _metric(found.within("spec"), objective, objects)


def _metric(spec: Cursor, objective: Cursor, objects: Objects) -> dict[str, Any] | None:
    spec.lose("an SLO has one description, its own", "description")
    ratio, threshold = spec.child("ratioMetric", "ratioMetrics"), spec.child("thresholdMetric")
    if ratio is not None:
        return _ratio(ratio, objective, objects)
    if threshold is None:
        spec.fault("an indicator needs ratioMetric or thresholdMetric")
        return None
    query, language, native = _source(threshold, objects)
    op, value = objective.text("op"), objective.child("value")
    if op not in OPERATORS or value is None:
        objective.fault(
            f"a thresholdMetric needs op (one of {', '.join(OPERATORS)}) and value, "
            f"got {op or 'no op'}"
        )
        return None
    return _with_native(
        {
            "sli": {
                "kind": "query_threshold",
                "query": query,
                "op": OPERATORS[op],
                "bound": Scalar(value.take(), value.word(), value.place),
                **language,
            }
        },
        native,
    )


def _ratio(ratio: Cursor, objective: Cursor, objects: Objects) -> dict[str, Any] | None:
    objective.lose("compares thresholds; a ratio meets its target at the target", "op", "value")
    ratio.usual(True, "queries say themselves how they count", "counter", "incremental")
    found: dict[str, Any] = {}
    languages: dict[str, Any] = {}
    told: dict[str, str] = {}
    native = None
    raw = ratio.child("raw")
    if ratio.child("good") is not None and ratio.child("total") is not None:
        ratio.lose("good and total say it already", "bad")
    for role in ("good", "bad", "total"):
        part = ratio.child(role)
        if part is not None and not (role == "bad" and {"good", "total"} <= set(_keys(ratio))):
            found[f"{role}_query"], language, beside = _source(part, objects)
            native = beside or native
            told[role] = language.get("language", "promql")
            languages |= language
    if len(set(told.values())) > 1:
        why = f"an indicator is asked in one language: {languages['language']} is taken for all"
        ratio.ledger.lose(f"{ratio.path}.type", told, why)
    if raw is not None:
        query, languages, native = _source(raw, objects)
        kind = ratio.text("rawType")
        failure = kind == "failure"
        if kind not in ("success", "failure"):
            ratio.ledger.lose(
                f"{ratio.path}.rawType",
                kind or None,
                "says neither success nor failure: success is taken",
            )
        found = {"ratio_query": query if failure else f"1 - ({query})"}
    return _with_native({"sli": {"kind": "query", **found, **languages}}, native)


def _with_native(values: dict[str, Any], native: Node | None) -> dict[str, Any]:
    return values if native is None else {**values, NATIVE_KEY: native}


def _source(part: Cursor, objects: Objects) -> tuple[str, dict[str, str], Node | None]:
    """A query, the language it is in, and what this library wrote beside it."""
    source = part.child("metricSource") or part
    kind = source.text("type", "source")
    source.usual("promql", "the source says what language it is asked in", "queryType")
    reference = source.text("metricSourceRef", "dataSourceRef")
    if reference:
        known = objects.find("DataSource", reference)
        inside = known.within("spec") if known is not None else None
        if inside is not None:
            kind = kind or inside.text("type") or _first_key(inside)
        source.lose("which server is asked is said when asking", "metricSourceRef", "dataSourceRef")
    connection = source.child("dataSourceSpec", "dataSource")
    if connection is not None:
        kind = kind or connection.text("type") or _first_key(connection)
        connection.lose("says where a server is")
    language = {} if kind.lower() in ("", *TYPES) else {"language": kind}
    flat = source.child("query")
    if flat is not None:
        return flat.word().strip("\n"), language, None
    spec = source.child("spec")
    if spec is None:
        source.fault("a metric source needs a spec with its query")
        return "", language, None
    data = spec.take()
    native = spec.node.get(NATIVE_KEY) if isinstance(spec.node, Branch) else None
    if isinstance(data, dict):
        data.pop(NATIVE_KEY, None)
        if set(data) == {"query"} and isinstance(data["query"], str):
            return data["query"].rstrip("\n"), language, native
    return json.dumps(data, ensure_ascii=False, sort_keys=True, default=str), language, native


def _keys(cursor: Cursor) -> tuple[str, ...]:
    return tuple(cursor.node.values) if isinstance(cursor.node, Branch) else ()


def _first_key(cursor: Cursor) -> str:
    return next((key for key in _keys(cursor) if key != "description"), "")
