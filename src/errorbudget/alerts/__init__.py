"""Burn-rate alerts: conditions on windows, and the published tables of them."""

from errorbudget.alerts.burn import BurnAlert
from errorbudget.alerts.policy import AlertPolicy, AlertState
from errorbudget.alerts.presets import GUIDE, WORKBOOK, WORKBOOK_THREE

__all__ = ["GUIDE", "WORKBOOK", "WORKBOOK_THREE", "AlertPolicy", "AlertState", "BurnAlert"]
