"""
slo-kit: one objective a document, with its queries and its burn conditions.

Source: akaashhazarika/slo-kit `src/slo_kit/spec.py`.
"""

from __future__ import annotations

from typing import Any

from errorbudget.alerts import AlertPolicy
from errorbudget.durations import parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational
from errorbudget.sli.query import WINDOW
from errorbudget.specs.cursor import Cursor
from errorbudget.specs.tree import Scalar
from errorbudget.windows import Window

__all__ = ["read_slo_kit"]


def read_slo_kit(documents: list[Cursor], window: Window | None) -> list[AlertPolicy]:
    """Every objective of slo-kit's documents."""
    for document in documents:
        _objective(document, window)
    return []


def _objective(document: Cursor, window: Window | None) -> None:
    document.mark("apiVersion")
    objective, sli = document.child("objective"), document.within("sli")
    if objective is None:
        document.fault("the objective is missing: write objective: 0.999")
        return
    length = "" if window is not None else _length(document, "window")
    values: dict[str, Any] = {
        "name": document.text("name"),
        "service": document.text("service") or None,
        "description": document.text("description") or None,
        "labels": document.texts("labels") or None,
        "target": Scalar(objective.take(), objective.word(), objective.place),
        "window": length if window is None else window.to_text(),
        "sli": {
            "kind": "query",
            "good_query": _query(sli, "good_query"),
            "total_query": _query(sli, "total_query"),
        },
    }
    rows = [
        row
        for part in document.within("alerting").items("conditions")
        if (row := _condition(part, length)) is not None
    ]
    if rows:
        values["alerts"] = {"name": "slo-kit", "alerts": rows, "period": values["window"]}
    else:
        why = "not given: the alerts of the SRE Workbook are assumed"
        document.ledger.lose(f"{document.path}.alerting", None, why)
    document.ledger.draft(values, document.place, document.path)


def _length(part: Cursor, key: str) -> str:
    """A span, written by itself or as `duration` of a mapping."""
    found = part.child(key)
    return "" if found is None else (found.child("duration") or found).word()


def _query(sli: Cursor, key: str) -> str | None:
    text = sli.text(key).strip()
    return text.replace("{window}", WINDOW) or None


def _condition(part: Cursor, period: str) -> dict[str, Any] | None:
    long, short = _length(part, "long_window"), _length(part, "short_window")
    try:
        spent = parse_rational(part.text("threshold")) * parse_duration(long)
        budget = spent / parse_duration(period or "30d")
    except (InvalidInputError, ValueError, ZeroDivisionError) as error:
        part.fault(f"a burn condition needs threshold and long_window: {error}")
        return None
    return {
        "name": part.text("name", default="burn"),
        "severity": part.text("severity", default="page"),
        "budget": f"{budget.numerator}/{budget.denominator}",
        "long": long,
        "short": short or None,
    }
