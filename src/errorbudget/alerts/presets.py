"""
Published tables of burn alerts, as data beside their sources.

Each row holds the share of budget and the windows. Thresholds (14.4, 6, 3, 1; the guide's 14.4,
4.8, 1.2) are not written here: they follow from them.
"""

from __future__ import annotations

from errorbudget.alerts.burn import BurnAlert
from errorbudget.alerts.policy import AlertPolicy

__all__ = ["GUIDE", "WORKBOOK", "WORKBOOK_THREE"]

WORKBOOK = AlertPolicy(
    "workbook",
    (
        BurnAlert("page-fast", "page", "2%", "1h", "5m"),
        BurnAlert("page-slow", "page", "5%", "6h", "30m"),
        BurnAlert("ticket-fast", "ticket", "10%", "1d", "2h"),
        BurnAlert("ticket-slow", "ticket", "10%", "3d", "6h"),
    ),
    source="Site Reliability Workbook, ch. 5, tables 5-6 and 5-8, with the 1-day row of its text",
)
"""The Workbook's multi-window, multi-burn-rate alerts: 14.4, 6, 3 and 1 over 30 days."""

WORKBOOK_THREE = AlertPolicy(
    "workbook-three",
    (
        BurnAlert("page-fast", "page", "2%", "1h", "5m"),
        BurnAlert("page-slow", "page", "5%", "6h", "30m"),
        BurnAlert("ticket-slow", "ticket", "10%", "3d", "6h"),
    ),
    source="Site Reliability Workbook, ch. 5, table 5-8",
)
"""The Workbook's recommended parameters, table 5-8: 14.4, 6 and 1 over 30 days."""

GUIDE = AlertPolicy(
    "guide",
    (
        BurnAlert("fast-burn", "critical", "2%", "1h", hold="2m"),
        BurnAlert("medium-burn", "warning", "4%", "6h", hold="10m"),
        BurnAlert("slow-burn", "info", "4%", "1d"),
    ),
    source='SLO guide, "Burn Rate Alert Thresholds" and "Alert Rules"',
)
"""
The guide's three alerts: 14.4, 4.8 and 1.2 over 30 days, with its `for:` of 2 and 10 minutes.

The guide gives the slow burn neither rule nor window; a day is what its other rows extend to, and
makes it spend the same 4 % as the medium one. See "The guide, corrected" in the documentation.
"""
