"""An SLO as it is shown: its promise, and its burn alerts with their thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from errorbudget import figures
from errorbudget.alerts import BurnAlert
from errorbudget.cards import Card, frame
from errorbudget.columns import Columns
from errorbudget.durations import format_duration

if TYPE_CHECKING:
    from errorbudget.slo.objective import SLO

__all__ = ["alert_frame", "card"]

_ALERT: Columns = {
    "alert": "text",
    "severity": "text",
    "budget": "number",
    "long": "text",
    "short": "text?",
    "hold": "text?",
    "threshold": "number",
}


def _burn_alerts(slo: SLO) -> Sequence[BurnAlert]:
    return () if slo.target is None else slo.alerts.alerts


def alert_frame(slo: SLO) -> Any:
    """The burn alerts, one row each with its threshold, as a pandas DataFrame."""
    rows = (
        {
            "alert": alert.name,
            "severity": alert.severity,
            "budget": float(alert.budget),
            "long": format_duration(alert.long),
            "short": None if alert.short is None else format_duration(alert.short),
            "hold": format_duration(alert.hold) if alert.hold else None,
            "threshold": float(alert.threshold(slo.period_ns)),
        }
        for alert in _burn_alerts(slo)
    )
    return frame(rows, _ALERT)


def card(slo: SLO) -> Card:
    """The SLO on a card, for terminals and notebooks."""
    lines = [slo.description] if slo.description else []
    goal = "no target" if slo.target is None else str(slo.target)
    lines.append(f"{goal} over {slo.window}; {slo.sli}; {slo.method.name}")
    rows = [
        (
            alert.name,
            alert.severity,
            figures.percent(alert.budget),
            " and ".join(map(format_duration, alert.windows)),
            figures.decimal(alert.threshold(slo.period_ns), 2),
        )
        for alert in _burn_alerts(slo)
    ]
    header = ("alert", "severity", "budget", "windows", "burn above") if rows else ()
    return Card(f"SLO {slo.name}", "", "", lines, header, rows)
