"""
Objectives as a specification in the native format: what `load` reads back unchanged.

Only what differs from the defaults is written, and a condition in its short form wherever that
means the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from errorbudget.characters import first_control
from errorbudget.durations import format_duration
from errorbudget.errors import ErrorBudgetError, InvalidInputError
from errorbudget.methods import Occurrences, Timeslices
from errorbudget.policy import ERROR_BUDGET_POLICY, RISK_TOLERANCE, Policy
from errorbudget.predicates import (
    All,
    LabelIn,
    LabelMatches,
    Not,
    Number,
    Predicate,
    StatusIn,
    as_predicate,
)
from errorbudget.schedule import TargetSchedule
from errorbudget.sli import SLI
from errorbudget.slo import BURN_WINDOWS, SLO, as_slos
from errorbudget.specs.tables import ALERTS, POLICIES, serving
from errorbudget.specs.tree import LIMITS, Limits
from errorbudget.specs.variables import as_literal
from errorbudget.specs.writer import escaped, toml_text, yaml_text

__all__ = ["document", "dump", "slo_data"]

Syntax = Literal["yaml", "json", "toml"]

_USUAL_COLUMNS = {
    "latency": "duration_s",
    "latency_quantile": "duration_s",
    "concurrency": "connections",
}


def dump(slos: SLO | Iterable[SLO], *, syntax: Syntax = "yaml", limits: Limits = LIMITS) -> str:
    """
    Objectives as text in the native format.

    Args:
        slos: One objective, or several with different names.
        syntax: "yaml", "json" or "toml".
        limits: How much `load` will be allowed to read.

    Returns:
        The text; `load` makes the same objectives of it.

    Raises:
        InvalidInputError: Two objectives have one name, there is none, a text holds a control
            character, or it is all more than *limits* let `load` read.

    Example:
        >>> from errorbudget.sli import Availability
        >>> print(
        ...     dump(SLO("api", target="99.9%", window="30d", sli=Availability(good="2xx"))), end=""
        ... )
        version: errorbudget/1
        slos:
          - name: api
            target: 99.9%
            window: 30d
            sli:
              kind: availability
              good: 2xx
    """
    if syntax not in _WRITERS:
        raise InvalidInputError(f'syntax must be "yaml", "json" or "toml", got {syntax!r}')
    data = document(slos)
    text = _WRITERS[syntax](data)
    _check_size(data, text, limits)
    return text


def _json_text(data: Any) -> str:
    return escaped(json.dumps(data, indent=2, ensure_ascii=False)) + "\n"


_WRITERS: dict[str, Callable[[Any], str]] = {
    "yaml": yaml_text,
    "json": _json_text,
    "toml": toml_text,
}


def _check_size(data: dict[str, Any], text: str, limits: Limits) -> None:
    """Refuse to write what could not be read again."""
    nodes, depth = _measured(data)
    for name, size, most, what in (
        ("nodes", nodes, limits.nodes, "keys and values"),
        ("bytes", len(text.encode()), limits.bytes, "bytes"),
        ("depth", depth, limits.depth, "levels of nesting"),
    ):
        if size > most:
            raise InvalidInputError(
                f"{size:,} {what} are more than one specification may have ({most:,}); write "
                f"several, or pass limits=Limits({name}=...) here and to load"
            )


def _measured(value: Any) -> tuple[int, int]:
    """The keys and values of plain data, and how deep they go."""
    if not isinstance(value, dict | list):
        return 1, 0
    inner = [_measured(part) for part in (value.values() if isinstance(value, dict) else value)]
    nodes = 1 + (len(value) if isinstance(value, dict) else 0) + sum(part[0] for part in inner)
    return nodes, 1 + max((part[1] for part in inner), default=0)


def document(slos: SLO | Iterable[SLO]) -> dict[str, Any]:
    """
    Objectives as a document of plain data.

    Raises:
        InvalidInputError: Two objectives have one name, or there is none.
    """
    return {"version": "errorbudget/1", "slos": [_literal(slo_data(slo)) for slo in as_slos(slos)]}


def _literal(value: Any) -> Any:
    """Plain data whose texts stay what they are: what looks like a variable is marked as text."""
    if isinstance(value, dict):
        return {_writable(key): _literal(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_literal(part) for part in value]
    return as_literal(_writable(value)) if isinstance(value, str) else value


def _writable(text: str) -> str:
    if control := first_control(text):
        raise InvalidInputError(
            f"{text[:40]!r} holds the character {control}, which a specification refuses; remove it"
        )
    return text


def slo_data(slo: SLO) -> dict[str, Any]:
    """One objective as plain data, without what the defaults say."""
    data: dict[str, Any] = {"name": slo.name}
    if isinstance(slo.target, TargetSchedule):
        data["target"] = slo.target.to_dict()
    elif slo.target is not None:
        data["target"] = str(slo.target)
    data["window"] = slo.window.to_text()
    data["sli"] = sli_data(slo.sli)
    if not isinstance(slo.method, Occurrences):
        method = {"kind": slo.method.name, "slice": format_duration(slo.method.slice)}
        if isinstance(slo.method, Timeslices):
            method["slice_target"] = str(slo.method.slice_target)
        data["method"] = {
            **method,
            **({"no_data": slo.method.no_data} if slo.method.no_data != "exclude" else {}),
            **({"strict": True} if getattr(slo.method, "strict", False) else {}),
        }
    if slo.warning_target is not None:
        data["warning_target"] = str(slo.warning_target)
    data |= _alerts(slo)
    for key, usual in (("policy", ERROR_BUDGET_POLICY), ("risk_policy", RISK_TOLERANCE)):
        table = getattr(slo, key)
        if table != usual:
            data[key] = _policy(table)
    windows = [format_duration(window) for window in slo.burn_windows]
    if windows != list(BURN_WINDOWS):
        data["burn_windows"] = windows
    if slo.corrections:
        data["corrections"] = [
            _without(correction.to_dict(), treat="exclude", reason="", zone="UTC")
            for correction in slo.corrections
        ]
    if slo.resets:
        data["resets"] = [_without(reset.to_dict(), by="") for reset in slo.resets]
    if slo.min_coverage != 0.9:
        data["min_coverage"] = slo.min_coverage
    metadata = slo.metadata()
    metadata.pop("resets", None)
    return {**data, **metadata}


def _without(data: Mapping[str, Any], **usual: Any) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in usual or value != usual[key]}


def _alerts(slo: SLO) -> dict[str, Any]:
    table = slo.alerts
    if table is None:
        return {}
    for name, published in ALERTS.items():
        if table == serving(published, slo):
            return {} if name == "workbook" else {"alerts": name}
    rows = [
        {key: value for key, value in row.items() if value is not None and value != "0s"}
        for row in table.to_dict()["alerts"]
    ]
    return {"alerts": _without({**table.to_dict(), "alerts": rows}, source="", inhibit=True)}


def _policy(table: Policy) -> Any:
    if table == POLICIES.get(table.name):
        return table.name
    rows = [
        {
            key: value
            for key, value in tier.to_dict().items()
            if value not in (None, False, {}) and (key, value) != ("may_deploy", "all")
        }
        for tier in table.tiers
    ]
    return _without({**table.to_dict(), "tiers": rows}, source="", hysteresis="0%")


def sli_data(sli: SLI) -> dict[str, Any]:
    """An indicator as plain data, its conditions as short as they can be."""
    data = {}
    for key, value in sli.to_dict().items():
        written = getattr(sli, key)
        if value is None or (key == "column" and value == _USUAL_COLUMNS.get(sli.kind)):
            continue
        data[key] = short(written) if isinstance(written, Predicate) else value
    return data


def short(predicate: Predicate) -> Any:
    """
    The shortest plain data that read back as *predicate*.

    Example:
        >>> from errorbudget.predicates import as_predicate
        >>> short(as_predicate({"route": "/api/.*", "status": "!429"}))
        {'route': '/api/.*', 'status': '!429'}
    """
    for form in (_status(predicate), _fields(predicate)):
        if form is not None and _means(form, predicate):
            return form
    return predicate.to_dict()


def _means(form: Any, predicate: Predicate) -> bool:
    try:
        return as_predicate(form) == predicate
    except ErrorBudgetError:
        return False


def _status(predicate: Predicate) -> str | None:
    if isinstance(predicate, StatusIn):
        return predicate.text
    if isinstance(predicate, Not) and isinstance(predicate.part, StatusIn):
        return f"!{predicate.part.text}"
    return None


def _fields(predicate: Predicate) -> dict[str, Any] | None:
    parts = predicate.parts if isinstance(predicate, All) else (predicate,)
    found: dict[str, Any] = {}
    for part in parts:
        name, value = _field(part)
        if name is None or name in found:
            return None
        found[name] = value
    return found


def _field(part: Predicate) -> tuple[str | None, Any]:
    if (status := _status(part)) is not None:
        return "status", status
    inner, sign = (part.part, "!") if isinstance(part, Not) else (part, "")
    if isinstance(inner, LabelMatches):
        return inner.name, sign + inner.pattern
    if isinstance(inner, LabelIn) and (len(inner.values) == 1):
        text = sign + inner.values[0]
        if _means({inner.name: text}, part):
            return inner.name, text
    if isinstance(inner, LabelIn) and not sign:
        return inner.name, list(inner.values)
    if isinstance(inner, Number) and not sign:
        return inner.column, f"{inner.op} {inner.bound_text}"
    return None, None
