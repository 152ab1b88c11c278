"""
Grafana dashboards over the recorded series: an overview of all objectives, and a page for each.

Plain JSON, importable as it is: a variable asks for the data source. Every panel reads what
`prometheus_rules` records, so that a dashboard costs next to nothing, and says what the alerts say.

Source: the panels are those of the SLO guide, "SLO Dashboards"; fields as in Grafana's own schema
(`@grafana/schema`, `schemaVersion` 42).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from errorbudget.durations import DAY_NS, HOUR_NS, format_duration
from errorbudget.rules.metrics import MetricsLike
from errorbudget.rules.prometheus import objectives, slug
from errorbudget.rules.promql import decimal, quoted
from errorbudget.rules.recording import Objective
from errorbudget.slo import SLO

__all__ = ["SCHEMA_VERSION", "detail_dashboard", "overview_dashboard"]

SCHEMA_VERSION = 42

Panel = dict[str, Any]

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_GREEN, _YELLOW, _ORANGE, _RED = "green", "yellow", "orange", "red"


def _target(expression: str, legend: str = "", ref: str = "A", **more: Any) -> dict[str, Any]:
    return {
        "refId": ref,
        "datasource": _SOURCE,
        "expr": expression,
        "legendFormat": legend or "__auto",
        **more,
    }


def _thresholds(*steps: tuple[float | None, str]) -> dict[str, Any]:
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": color} for value, color in steps],
    }


def _panel(
    title: str,
    kind: str,
    targets: list[dict[str, Any]],
    *,
    unit: str = "percentunit",
    description: str = "",
    thresholds: dict[str, Any] | None = None,
    custom: dict[str, Any] | None = None,
    overrides: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> Panel:
    defaults: dict[str, Any] = {"unit": unit, **fields}
    if thresholds is not None:
        defaults["thresholds"] = thresholds
        defaults["color"] = {"mode": "thresholds" if kind != "timeseries" else "palette-classic"}
    if custom is not None:
        defaults["custom"] = custom
    return {
        "title": title,
        "type": kind,
        "description": description,
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": defaults, "overrides": overrides or []},
        "options": {},
    }


def _placed(rows: Iterable[Iterable[tuple[Panel, int, int]]]) -> list[Panel]:
    """Panels with their place on a grid of 24 columns: rows of (panel, width, height)."""
    placed: list[Panel] = []
    top = 0
    for row in rows:
        left = tallest = 0
        for panel, width, height in row:
            place = {"x": left, "y": top, "w": width, "h": height}
            placed.append({"id": len(placed) + 1, "gridPos": place, **panel})
            left, tallest = left + width, max(tallest, height)
        top += tallest
    return placed


def _dashboard(
    title: str, uid: str, panels: list[Panel], *, since: str, tags: list[str], **more: Any
) -> dict[str, Any]:
    return {
        "uid": uid[:40],
        "title": title,
        "tags": ["errorbudget", *tags],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": f"now-{since}", "to": "now"},
        "timezone": "utc",
        "templating": {
            "list": [
                {
                    "name": "datasource",
                    "label": "Data source",
                    "type": "datasource",
                    "query": "prometheus",
                    "hide": 0,
                }
            ]
        },
        "annotations": {"list": []},
        "panels": panels,
        **more,
    }


def _matching(slos: list[Objective]) -> str:
    names = (re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", one.slo.name) for one in slos)
    return f"slo=~{quoted('|'.join(names))}"


def overview_dashboard(
    slos: SLO | Iterable[SLO], *, metrics: MetricsLike | None = None, title: str = "SLO overview"
) -> dict[str, Any]:
    """
    All objectives at a glance: compliance, budget left, burn alerts, health.

    Args:
        slos: The objectives, as given to `prometheus_rules`.
        metrics: Names of metrics and labels, as given there.
        title: Title of the dashboard.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> [panel["title"] for panel in overview_dashboard(slo)["panels"]]
        ['SLO status', 'Error budget left', 'Burn alerts', 'Burn rate over 1h', 'Service health']
    """
    found = objectives(slos, metrics)
    ratios = [objective for objective in found if objective.has_budget]
    which = _matching(found)
    tiers = _thresholds((None, _RED), (0.0, _ORANGE), (0.2, _YELLOW), (0.5, _GREEN))
    met = [
        _target(
            f"(1 - {objective.series(_period_ratio(objective))}) "
            f">= bool {decimal(objective.target.ratio)}",
            objective.slo.name,
            f"A{index}",
            instant=True,
        )
        for index, objective in enumerate(ratios)
    ]
    for index, objective in enumerate(one for one in found if not one.has_budget):
        for place, figure in enumerate(objective.figures):
            kept = "<" if figure.misses == ">=" else ">"
            met.append(
                _target(
                    f"{objective.measurement(figure)} {kept} bool {figure.bound}",
                    f"{objective.slo.name} {figure.name}",
                    f"B{index}x{place}",
                    instant=True,
                )
            )
    states = [
        {"type": "value", "options": {"0": {"text": "missed", "color": _RED, "index": 0}}},
        {"type": "value", "options": {"1": {"text": "met", "color": _GREEN, "index": 1}}},
    ]
    status = _panel(
        "SLO status",
        "stat",
        met,
        unit="none",
        thresholds=_thresholds((None, _RED), (1.0, _GREEN)),
        mappings=states,
        description="Whether each objective is met over its window.",
    )
    left = _panel(
        "Error budget left",
        "bargauge",
        [_target(f"slo:error_budget:remaining_ratio{{{which}}}", "{{slo}}", instant=True)],
        thresholds=tiers,
        min=-1,
        max=1,
        description="Healthy above 50 %, consuming from 20 %, low above 0, exhausted below.",
    )
    firing = f'ALERTS{{alertstate="firing",{which}}}'
    alerts = _panel(
        "Burn alerts",
        "table",
        [_target(f"sum by (slo, alertname, severity) ({firing})", instant=True, format="table")],
        unit="none",
        description="What fires now.",
    )
    burn = _panel(
        "Burn rate over 1h",
        "timeseries",
        [_target(f'slo:burn_rate{{{which},window="1h"}}', "{{slo}}")],
        unit="none",
        thresholds=_thresholds((None, _GREEN), (1.0, _RED)),
        custom={"thresholdsStyle": {"mode": "line"}},
        description="1 uses the budget up exactly at the end of the window.",
    )
    health = _panel(
        "Service health",
        "stat",
        [
            _target(f"min(slo:error_budget:remaining_ratio{{{which}}})", "least budget left", "A"),
            _target(f"count({firing}) or vector(0)", "alerts firing", "B"),
        ],
        thresholds=tiers,
        overrides=[
            {
                "matcher": {"id": "byName", "options": "alerts firing"},
                "properties": [
                    {"id": "unit", "value": "none"},
                    {"id": "thresholds", "value": _thresholds((None, _GREEN), (1.0, _RED))},
                ],
            }
        ],
        description="The objective with the least budget left, and how many alerts fire.",
    )
    rows = [[(status, 12, 8), (left, 12, 8)], [(alerts, 12, 8), (burn, 12, 8)], [(health, 24, 4)]]
    return _dashboard(
        title, f"slo-overview-{slug(title)}", _placed(rows), since="24h", tags=["overview"]
    )


def _period_ratio(objective: Objective) -> str:
    return f"slo:error_ratio:{format_duration(objective.slo.period_ns)}"


def detail_dashboard(slo: SLO, *, metrics: MetricsLike | None = None) -> dict[str, Any]:
    """
    One objective: trend with target and bands, burn-down, burn rates with thresholds, tiers.

    Args:
        slo: The objective.
        metrics: Names of metrics and labels, as given to `prometheus_rules`.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> [panel["title"] for panel in detail_dashboard(slo)["panels"]][:3]
        ['SLI', 'Error budget left', 'Events']
    """
    [objective] = objectives(slo, metrics)
    rows = _ratio_rows(objective) if objective.has_budget else _threshold_rows(objective)
    runbook = {"Runbook": slo.runbook} if slo.runbook else {}
    links = [
        {"title": name, "type": "link", "url": url, "targetBlank": True}
        for name, url in {**runbook, **slo.links}.items()
        if url.lower().startswith(
            ("http://", "https://", "/")
        )  # none that runs, such as javascript:
    ]
    return _dashboard(
        f"SLO: {slo.name}",
        f"slo-{slug(slo.name)}",
        _placed(rows),
        since=format_duration(max(slo.period_ns, DAY_NS)),
        tags=["detail"],
        links=links,
        description=slo.description,
    )


def _ratio_rows(objective: Objective) -> list[list[tuple[Panel, int, int]]]:
    slo = objective.slo
    target, error = float(objective.target.ratio), float(objective.target.error)
    ratio = objective.series(_period_ratio(objective))
    period = format_duration(slo.period_ns)
    hours = (window for window in objective.windows if window >= HOUR_NS)
    recent = format_duration(min(hours, default=slo.period_ns))
    bands = _thresholds((None, _RED), (target, _YELLOW), (target + error / 2, _GREEN))
    sli = _panel(
        "SLI",
        "stat",
        [_target(f"1 - {ratio}", f"last {period}", instant=True)],
        thresholds=bands,
        decimals=4,
        description=f"{slo.sli}; the target is {objective.target}.",
    )
    left_series = objective.series("slo:error_budget:remaining_ratio")
    tiers = _thresholds((None, _RED), (0.0, _ORANGE), (0.2, _YELLOW), (0.5, _GREEN))
    left = _panel(
        "Error budget left",
        "gauge",
        [_target(left_series, "left", instant=True)],
        thresholds=tiers,
        min=-1,
        max=1,
    )
    shortest = format_duration(min(objective.windows, default=slo.period_ns))
    events = _panel(
        "Events",
        "timeseries",
        [
            _target(objective.series(f"slo:events:increase{shortest}"), "all", "A"),
            _target(objective.series(f"slo:bad_events:increase{shortest}"), "bad", "B"),
        ],
        unit="short",
        description=f"Per {shortest}.",
    )
    trend = _panel(
        "SLI trend",
        "timeseries",
        [
            _target(f"1 - {ratio}", f"last {period}", "A"),
            _target(f"1 - {objective.series(f'slo:error_ratio:{recent}')}", f"last {recent}", "B"),
            _target(objective.series("slo:objective:ratio"), "target", "C"),
        ],
        thresholds=bands,
        custom={"thresholdsStyle": {"mode": "area"}},
        max=1,
        description="The target as a line; below it red, within half the budget of it yellow.",
    )
    burn_down = _panel(
        "Error budget burn-down",
        "timeseries",
        [_target(left_series, "left")],
        thresholds=tiers,
        custom={"thresholdsStyle": {"mode": "area"}},
        description="Tiers of the error budget policy as bands.",
    )
    burning = [(sli, 6, 6), (left, 6, 6), (events, 12, 6)]
    rows = [burning, [(trend, 24, 9)], [(burn_down, 24, 8)]]
    rates = [(_burn_panel(objective, alert), 12, 8) for alert in _burn_alerts(objective)]
    rows += [rates[start : start + 2] for start in range(0, len(rates), 2)]
    return rows


def _burn_alerts(objective: Objective) -> list[Any]:
    alerts = objective.slo.alerts.alerts
    period = objective.slo.period_ns
    return [alert for alert in alerts if alert.reachable(objective.target, period)]


def _burn_panel(objective: Objective, alert: Any) -> Panel:
    limit = float(alert.threshold(objective.slo.period_ns))
    series = objective.series("slo:burn_rate")[:-1]
    targets = [
        _target(f'{series},window="{format_duration(window)}"}}', format_duration(window), ref)
        for window, ref in zip(alert.windows, "AB", strict=False)
    ]
    return _panel(
        f"Burn rate: {alert.name}",
        "timeseries",
        targets,
        unit="none",
        thresholds=_thresholds((None, _GREEN), (limit, _RED)),
        custom={"thresholdsStyle": {"mode": "line"}},
        description=f"Fires ({alert.severity}) while every window is above {limit:g}.",
    )


def _threshold_rows(objective: Objective) -> list[list[tuple[Panel, int, int]]]:
    rows = []
    for figure in objective.figures:
        name, series, bound = figure.name, objective.measurement(figure), figure.bound
        low_is_good = figure.misses == ">="
        good, bad = (_GREEN, _RED) if low_is_good else (_RED, _GREEN)
        unit = "s" if low_is_good else "short"
        steps = _thresholds((None, good), (float(bound), bad))
        now = _panel(
            name, "stat", [_target(series, name, instant=True)], unit=unit, thresholds=steps
        )
        trend = _panel(
            f"{name} trend",
            "timeseries",
            [_target(series, name, "A"), _target(f"vector({bound})", "bound", "B")],
            unit=unit,
            thresholds=steps,
            custom={"thresholdsStyle": {"mode": "area"}},
        )
        rows.append([(now, 6, 8), (trend, 18, 8)])
    return rows
