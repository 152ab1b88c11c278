"""
JSON Schemas of what the studies write, one a contract, made from the columns of their rows.

Within version 1 keys may be added, so further ones are never refused.
"""

from __future__ import annotations

from typing import Any

from errorbudget.columns import Columns, Kind
from errorbudget.report.json_form import report_schema
from errorbudget.studies.advice import CANDIDATE
from errorbudget.studies.attribution import SPENDER
from errorbudget.studies.deploys import SIDE
from errorbudget.studies.ledger import INCIDENT
from errorbudget.studies.lint import FINDING
from errorbudget.studies.noise import LEAST, VERDICT
from errorbudget.studies.pages import DETECTION, PAGE, PERIOD, POLICY
from errorbudget.studies.reviewed import PART

__all__ = ["STUDY_SCHEMAS", "study_schema"]

_Shape = dict[str, Any]
_Keys = dict[str, Kind | _Shape]

_SHAPES: dict[Kind, _Shape] = {
    "text": {"type": "string"},
    "text?": {"type": ["string", "null"]},
    "instant": {"$ref": "#/$defs/instant"},
    "instant?": {"anyOf": [{"$ref": "#/$defs/instant"}, {"type": "null"}]},
    "flag": {"type": "boolean"},
    "whole": {"type": "integer", "minimum": 0},
    "whole?": {"type": ["integer", "null"], "minimum": 0},
    "count": {"$ref": "#/$defs/count"},
    "number": {"type": "number"},
    "figure": {"$ref": "#/$defs/figure"},
    "chance": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    "seconds": {"type": ["number", "null"], "minimum": 0},
    "texts": {"type": "array", "items": {"type": "string"}},
    "shares": {"type": "object", "additionalProperties": {"$ref": "#/$defs/figure"}},
}


def _shape(value: Kind | _Shape) -> _Shape:
    return value if isinstance(value, dict) else _SHAPES[value]


def _keys(**keys: Kind | _Shape) -> _Shape:
    shapes = {name: _shape(value) for name, value in keys.items()}
    return {"type": "object", "required": list(shapes), "properties": shapes}


def _many(items: Kind | _Shape) -> _Shape:
    return {"type": "array", "items": _shape(items)}


def _by_name(values: Kind | _Shape) -> _Shape:
    return {"type": "object", "additionalProperties": _shape(values)}


def _or_null(shape: _Shape) -> _Shape:
    return {"anyOf": [shape, {"type": "null"}]}


_SPAN: Columns = {"start": "instant", "end": "instant"}
_BAD: Columns = {"bad": "count", "total": "count"}
_RANGE = _or_null({"type": "array", "items": _SHAPES["figure"], "minItems": 2, "maxItems": 2})
_POLICY = _keys(**POLICY, detections=_many(_keys(**DETECTION)), page_list=_many(_keys(**PAGE)))
_RECOMMENDATION = _keys(
    policy=_keys(name="text", alerts=_many({"type": "object"})),
    figures=_keys(**POLICY),
    reasons="texts",
)
_BACKTEST = _keys(
    slo="text",
    **_SPAN,
    step="text",
    **_BAD,
    incidents=_many(_keys(**PERIOD)),
    policies=_many(_POLICY),
    front="texts",
    recommendation=_RECOMMENDATION,
)
_FORECAST = _keys(
    slo="text",
    at="instant",
    scenario="text",
    level="chance",
    blocks="whole",
    note="text?",
    probability="chance",
    exhaustion=_keys(early="instant?", median="instant?", late="instant?"),
    remaining_ratio=_or_null(_keys(at="instant", low="figure", median="figure", high="figure")),
)
_RECOVERY = _keys(
    slo="text",
    at="instant",
    remaining_ratio="figure",
    tiers=_many(_keys(at="instant", tier="text?", remaining_ratio="figure")),
    restored="instant?",
    above=_by_name("instant?"),
)
_ATTRIBUTION = _keys(
    slo="text",
    **_SPAN,
    by="texts",
    **_BAD,
    consumed_ratio="figure",
    spenders=_many(_keys(**SPENDER)),
)
_DEPLOY = _keys(
    slo="text",
    at="instant",
    before=_keys(**SIDE),
    after=_keys(**SIDE),
    extra_bad="figure",
    p_value="chance",
    dispersion="number",
    p_clustered="chance",
)
_LEDGER = _keys(
    slo="text",
    **_SPAN,
    **_BAD,
    consumed_ratio="figure",
    incidents=_many(_keys(**INCIDENT)),
    elsewhere=_keys(**_BAD, cost="figure"),
)
_SURE: _Keys = {
    "good": "count",
    "bad": "count",
    "level": "chance",
    "method": "text",
    "dispersion": "number",
    "sli": _RANGE,
    "burn_rate": _RANGE,
    "remaining_ratio": _RANGE,
    "verdict": "text",
}
_CONFIDENCE = _keys(
    slo="text",
    **_SURE,
    burn_or_noise=_or_null(_keys(**VERDICT)),
    least_traffic=_or_null(_keys(**LEAST)),
)
_ADVICE = _keys(
    slo="text",
    **_SPAN,
    months="whole",
    present="text",
    recommended="text",
    reasons="texts",
    candidates=_many(_keys(**CANDIDATE)),
)
_FINDING: _Keys = {**FINDING, "severity": {"enum": ["error", "warning", "info"]}}
_FINDINGS: _Keys = {"ok": "flag", "findings": _many(_keys(**_FINDING))}
_PERIOD = _keys(
    good="count", **_BAD, sli="chance", burn_rate="figure", tiers="shares", alerts=_or_null(_POLICY)
)
_TREND = _keys(
    direction={"enum": ["better", "worse", "no clear change", "no data"]},
    factor="figure",
    p_value="chance",
    alpha="chance",
    dispersion="number",
)
_STATUS: _Shape = {"$ref": "#/$defs/slo"}
_REVIEWED = _keys(
    name="text",
    objective={"type": "object"},
    metadata={"type": "object"},
    status=_STATUS,
    status_before=_STATUS,
    why_not="text?",
    now=_or_null(_PERIOD),
    before=_or_null(_PERIOD),
    parts=_many(_keys(**PART)),
    trend=_or_null(_TREND),
    incidents=_many(_keys(**INCIDENT)),
    spenders=_many(_ATTRIBUTION),
    confidence=_or_null(_keys(**_SURE)),
    advice=_or_null(_ADVICE),
    policy=_or_null(_RECOMMENDATION),
    lint=_or_null(_keys(**_FINDINGS)),
    forecast=_or_null(_FORECAST),
)
_ACTION = _keys(urgency={"enum": ["now", "soon", "consider"]}, slo="text", what="text", why="text")


def _slos(entry: _Shape) -> _Shape:
    return {"slos": _many(entry)}


_CONTRACTS: dict[str, _Shape] = {
    "backtest": _slos(_BACKTEST),
    "forecast": _slos(_keys(slo="text", scenarios=_many(_FORECAST), recovery=_or_null(_RECOVERY))),
    "attribution": _slos(_ATTRIBUTION),
    "deploy": _slos(_DEPLOY),
    "incidents": _slos(_LEDGER),
    "confidence": _slos(_CONFIDENCE),
    "advice": _slos(_ADVICE),
    "review": {
        "period": {"enum": ["weekly", "monthly", "quarterly"]},
        **_SPAN,
        "before": _keys(**_SPAN),
        "topics": "texts",
        "summary": "text",
        "slos": _many(_REVIEWED),
        "shared": _many(_keys(**_SPAN, slos="texts")),
        "actions": _many(_ACTION),
    },
    "lint": {"files": _many(_keys(file="text", **_FINDINGS))},
}

STUDY_SCHEMAS = tuple(_CONTRACTS)
"""Names of the contracts, as in `errorbudget.backtest/1`."""


def study_schema(name: str) -> _Shape:
    """
    The JSON Schema of one contract.

    Args:
        name: One of `STUDY_SCHEMAS`.

    Example:
        >>> study_schema("deploy")["properties"]["schema"]
        {'const': 'errorbudget.deploy/1'}
    """
    shape = _keys(schema={"const": f"errorbudget.{name}/1"}, **_CONTRACTS[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:errorbudget:{name}:1",
        "title": f"errorbudget {name}",
        "description": 'Ratios are 0 to 1, undefined is null, infinities are "inf" and "-inf". '
        "Keys may be added; none changes its meaning or goes within version 1.",
        **shape,
        "$defs": report_schema()["$defs"],
    }
