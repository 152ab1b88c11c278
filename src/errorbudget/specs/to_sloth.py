"""Objectives as Sloth files: one document a service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from errorbudget.alerts import WORKBOOK
from errorbudget.characters import first_control
from errorbudget.methods import Occurrences
from errorbudget.sli import QueryRatio
from errorbudget.slo import SLO
from errorbudget.specs.carried import (
    changed,
    decimal_text,
    left_out,
    query_of,
    read_back,
    unsaid,
)
from errorbudget.specs.sloth import read_sloth
from errorbudget.specs.spec import Loss
from errorbudget.specs.writer import yaml_text
from errorbudget.target import Target
from errorbudget.windows import Rolling

if TYPE_CHECKING:
    from errorbudget.specs.export import AsQuery

__all__ = ["to_sloth"]

_CARRIED = (
    "name",
    "target",
    "window",
    "sli",
    "description",
    "service",
    "labels",
    "runbook",
    "alerts",
)


def to_sloth(slos: list[SLO], as_query: AsQuery | None) -> tuple[str, tuple[Loss, ...]]:
    """The text, and what it does not say."""
    losses: list[Loss] = []
    services: dict[str, list[dict[str, Any]]] = {}
    for slo in slos:
        entry = _entry(slo, as_query, losses)
        if entry is not None:
            services.setdefault(_service(slo), []).append(entry)
    documents = [_file(service, entries) for service, entries in services.items()]
    return yaml_text(*documents) if documents else "", tuple(losses)


def _file(service: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"version": "prometheus/v1", "service": service, "slos": entries}


def _service(slo: SLO) -> str:
    # Sloth calls an objective by its service, and a name is one line.
    return slo.service if slo.service and not first_control(slo.service, lines=False) else "default"


def _entry(slo: SLO, as_query: AsQuery | None, losses: list[Loss]) -> dict[str, Any] | None:
    sli = query_of(slo, as_query)
    if sli is None:
        losses.append(
            left_out(
                slo,
                "Sloth asks Prometheus: give metrics= (--counter, --histogram), or its queries as "
                "errorbudget.QueryRatio",
            )
        )
        return None
    percent = decimal_text(slo.target.ratio * 100) if isinstance(slo.target, Target) else None
    if percent is None or not isinstance(slo.method, Occurrences):
        losses.append(
            left_out(slo, "Sloth has one decimal target for an objective, and counts events")
        )
        return None
    losses += unsaid(slo, _CARRIED, "Sloth")
    if slo.window != Rolling("30d"):
        losses.append(
            Loss(
                f"{slo.name}.window",
                slo.window.to_text(),
                "Sloth takes it from its command line: --default-slo-period",
            )
        )
    service = _service(slo)
    if service != slo.service:
        why = 'Sloth wants a service of one line: "default" is written'
        losses.append(Loss(f"{slo.name}.service", slo.service, why))
    name = slo.name.removeprefix(f"{slo.service}-") if slo.service else slo.name
    entry: dict[str, Any] = {"name": name or slo.name, "objective": _number(percent)}
    if slo.description:
        entry["description"] = slo.description
    if slo.labels:
        entry["labels"] = dict(slo.labels)
    entry |= {"sli": _sli(sli), "alerting": _alerting(slo, losses)}
    got = read_back([_file(service, [entry])], read_sloth)
    losses += changed(slo, got, losses, "Sloth")
    return entry


def _number(text: str) -> Any:
    from decimal import Decimal

    return int(text) if text.isdigit() else Decimal(text)


def _sli(sli: QueryRatio) -> dict[str, Any]:
    if sli.ratio_query is not None:
        return {"raw": {"error_ratio_query": sli.ratio_query}}
    if sli.bad_query is not None and sli.total_query is not None:
        error, total = sli.bad_query, sli.total_query
    elif sli.bad_query is not None:
        error, total = sli.bad_query, f"({sli.good_query}) + ({sli.bad_query})"
    else:
        error, total = f"({sli.total_query}) - ({sli.good_query})", str(sli.total_query)
    return {"events": {"error_query": error, "total_query": total}}


def _alerting(slo: SLO, losses: list[Loss]) -> dict[str, Any]:
    words = re.findall(r"[A-Za-z0-9]+", slo.name)
    alerting: dict[str, Any] = {
        "name": "".join(word[:1].upper() + word[1:] for word in words) or "SLO"
    }
    if slo.runbook:
        alerting["annotations"] = {"runbook": slo.runbook}
    rows = slo.alerts.alerts
    published = WORKBOOK.for_period(slo.period_ns).alerts
    severities = {row.severity for row in rows}
    if tuple(rows) != tuple(row for row in published if row.severity in severities):
        losses.append(
            Loss(
                f"{slo.name}.alerts",
                slo.alerts.name,
                "Sloth has the Workbook's alerts alone",
            )
        )
        severities = {"page", "ticket"}
    for severity, key in (("page", "page_alert"), ("ticket", "ticket_alert")):
        alerting[key] = {} if severity in severities else {"disable": True}
    return alerting
