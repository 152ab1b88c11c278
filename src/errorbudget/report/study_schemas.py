"""
JSON Schemas of what the studies write, one a contract, made from tables of their keys.

Within version 1 keys may be added, so further ones are never refused.
"""

from __future__ import annotations

from typing import Any

from errorbudget.report.json_form import report_schema

__all__ = ["STUDY_SCHEMAS", "study_schema"]

_Shape = dict[str, Any]

_TEXT: _Shape = {"type": "string"}
_TEXT_OR_NULL: _Shape = {"type": ["string", "null"]}
_FLAG: _Shape = {"type": "boolean"}
_WHOLE: _Shape = {"type": "integer", "minimum": 0}
_CHANCE: _Shape = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
_SECONDS: _Shape = {"type": ["number", "null"], "minimum": 0}
_NUMBER: _Shape = {"type": "number"}
_INSTANT: _Shape = {"$ref": "#/$defs/instant"}
_INSTANT_OR_NULL: _Shape = {"anyOf": [_INSTANT, {"type": "null"}]}
_COUNT: _Shape = {"$ref": "#/$defs/count"}
_FIGURE: _Shape = {"$ref": "#/$defs/figure"}


def _keys(**keys: _Shape) -> _Shape:
    return {"type": "object", "required": list(keys), "properties": keys}


def _many(items: _Shape) -> _Shape:
    return {"type": "array", "items": items}


def _by_name(values: _Shape) -> _Shape:
    return {"type": "object", "additionalProperties": values}


def _or_null(shape: _Shape) -> _Shape:
    return {"anyOf": [shape, {"type": "null"}]}


_SPAN = {"start": _INSTANT, "end": _INSTANT}
_BAD = {"bad": _COUNT, "total": _COUNT}
_RANGE = _or_null({"type": "array", "items": _FIGURE, "minItems": 2, "maxItems": 2})
_TIERS = _by_name(_FIGURE)

_SUMMARY = {
    "policy": _TEXT,
    "pages": _WHOLE,
    "pages_per_month": _FIGURE,
    "false_pages": _WHOLE,
    "tickets": _WHOLE,
    "precision": _CHANCE,
    "recall": _CHANCE,
    "detection_s": _SECONDS,
    "reset_s": _SECONDS,
    "spent_unseen": _FIGURE,
}
_DETECTION = _keys(
    incident=_TEXT,
    detected=_INSTANT_OR_NULL,
    detection_s=_SECONDS,
    reset_s=_SECONDS,
    spent=_FIGURE,
    why=_TEXT,
)
_PAGE = _keys(
    start=_INSTANT,
    end=_INSTANT_OR_NULL,
    alerts=_many(_TEXT),
    incident=_TEXT_OR_NULL,
    spent=_FIGURE,
    why=_TEXT,
)
_POLICY = _keys(**_SUMMARY, detections=_many(_DETECTION), page_list=_many(_PAGE))
_RECOMMENDATION = _keys(
    policy=_keys(name=_TEXT, alerts=_many({"type": "object"})),
    figures=_keys(**_SUMMARY),
    reasons=_many(_TEXT),
)
_BACKTEST = _keys(
    slo=_TEXT,
    **_SPAN,
    step=_TEXT,
    **_BAD,
    incidents=_many(_keys(name=_TEXT, **_SPAN, bad=_COUNT, cost=_FIGURE)),
    policies=_many(_POLICY),
    front=_many(_TEXT),
    recommendation=_RECOMMENDATION,
)
_FORECAST = _keys(
    slo=_TEXT,
    at=_INSTANT,
    scenario=_TEXT,
    level=_CHANCE,
    blocks=_WHOLE,
    probability=_CHANCE,
    exhaustion=_keys(early=_INSTANT_OR_NULL, median=_INSTANT_OR_NULL, late=_INSTANT_OR_NULL),
    remaining_ratio=_or_null(_keys(at=_INSTANT, low=_FIGURE, median=_FIGURE, high=_FIGURE)),
)
_RECOVERY = _keys(
    slo=_TEXT,
    at=_INSTANT,
    remaining_ratio=_FIGURE,
    tiers=_many(_keys(at=_INSTANT, tier=_TEXT_OR_NULL, remaining_ratio=_FIGURE)),
    restored=_INSTANT_OR_NULL,
    above=_by_name(_INSTANT_OR_NULL),
)
_ATTRIBUTION = _keys(
    slo=_TEXT,
    **_SPAN,
    by=_many(_TEXT),
    **_BAD,
    consumed_ratio=_FIGURE,
    spenders=_many(
        _keys(**_BAD, share=_CHANCE, consumed_ratio=_FIGURE, traffic=_CHANCE, burn_rate=_FIGURE)
    ),
)
_SIDE = _keys(length=_TEXT, **_BAD, burn_rate=_FIGURE)
_DEPLOY = _keys(
    slo=_TEXT,
    at=_INSTANT,
    before=_SIDE,
    after=_SIDE,
    extra_bad=_FIGURE,
    p_value=_CHANCE,
    dispersion=_NUMBER,
    p_clustered=_CHANCE,
)
_INCIDENT = _keys(
    name=_TEXT,
    **_SPAN,
    **_BAD,
    peak_burn=_FIGURE,
    peak_at=_INSTANT_OR_NULL,
    cost=_FIGURE,
    share=_CHANCE,
)
_LEDGER = _keys(
    slo=_TEXT,
    **_SPAN,
    **_BAD,
    consumed_ratio=_FIGURE,
    incidents=_many(_INCIDENT),
    elsewhere=_keys(**_BAD, cost=_FIGURE),
)
_SURE = {
    "good": _COUNT,
    "bad": _COUNT,
    "level": _CHANCE,
    "method": _TEXT,
    "dispersion": _NUMBER,
    "sli": _RANGE,
    "burn_rate": _RANGE,
    "remaining_ratio": _RANGE,
    "verdict": _TEXT,
}
_NOISE = _keys(
    **_BAD,
    burn_rate=_FIGURE,
    ordinary=_CHANCE,
    p_value=_CHANCE,
    alpha=_CHANCE,
    needed=_WHOLE,
    real=_FLAG,
)
_LEAST = _keys(
    target=_TEXT, to_allow_one=_WHOLE, to_show=_WHOLE, to_tell=_WHOLE, factor=_NUMBER, level=_CHANCE
)
_CONFIDENCE = _keys(
    slo=_TEXT, **_SURE, burn_or_noise=_or_null(_NOISE), least_traffic=_or_null(_LEAST)
)
_ADVICE = _keys(
    slo=_TEXT,
    **_SPAN,
    months=_WHOLE,
    present=_TEXT,
    recommended=_TEXT,
    reasons=_many(_TEXT),
    candidates=_many(
        _keys(
            target=_TEXT,
            months_kept=_WHOLE,
            breaches=_WHOLE,
            missed=_CHANCE,
            pages=_WHOLE,
            tiers=_TIERS,
        )
    ),
)
_FINDING = _keys(
    id=_TEXT,
    severity={"enum": ["error", "warning", "info"]},
    subject=_TEXT,
    message=_TEXT,
    why=_TEXT,
    cure=_TEXT,
)
_FINDINGS = {"ok": _FLAG, "findings": _many(_FINDING)}
_PERIOD = _keys(
    good=_COUNT, **_BAD, sli=_CHANCE, burn_rate=_FIGURE, tiers=_TIERS, alerts=_or_null(_POLICY)
)
_TREND = _keys(
    direction={"enum": ["better", "worse", "no clear change", "no data"]},
    factor=_FIGURE,
    p_value=_CHANCE,
    alpha=_CHANCE,
    dispersion=_NUMBER,
)
_STATUS: _Shape = {"$ref": "#/$defs/slo"}
_REVIEWED = _keys(
    name=_TEXT,
    objective={"type": "object"},
    metadata={"type": "object"},
    status=_STATUS,
    status_before=_STATUS,
    why_not=_TEXT_OR_NULL,
    now=_or_null(_PERIOD),
    before=_or_null(_PERIOD),
    parts=_many(_keys(**_SPAN, **_BAD, sli=_CHANCE)),
    trend=_or_null(_TREND),
    incidents=_many(_INCIDENT),
    spenders=_many(_ATTRIBUTION),
    confidence=_or_null(_keys(**_SURE)),
    advice=_or_null(_ADVICE),
    policy=_or_null(_RECOMMENDATION),
    lint=_or_null(_keys(**_FINDINGS)),
    forecast=_or_null(_FORECAST),
)
_ACTION = _keys(urgency={"enum": ["now", "soon", "consider"]}, slo=_TEXT, what=_TEXT, why=_TEXT)


def _slos(entry: _Shape) -> _Shape:
    return {"slos": _many(entry)}


_CONTRACTS: dict[str, _Shape] = {
    "backtest": _slos(_BACKTEST),
    "forecast": _slos(_keys(slo=_TEXT, scenarios=_many(_FORECAST), recovery=_or_null(_RECOVERY))),
    "attribution": _slos(_ATTRIBUTION),
    "deploy": _slos(_DEPLOY),
    "incidents": _slos(_LEDGER),
    "confidence": _slos(_CONFIDENCE),
    "advice": _slos(_ADVICE),
    "review": {
        "period": {"enum": ["weekly", "monthly", "quarterly"]},
        **_SPAN,
        "before": _keys(**_SPAN),
        "topics": _many(_TEXT),
        "summary": _TEXT,
        "slos": _many(_REVIEWED),
        "shared": _many(_keys(**_SPAN, slos=_many(_TEXT))),
        "actions": _many(_ACTION),
    },
    "lint": {"files": _many(_keys(file=_TEXT, **_FINDINGS))},
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
