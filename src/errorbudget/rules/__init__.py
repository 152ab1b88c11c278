"""
Rules out of objectives: Prometheus, Alertmanager and Grafana.

Everything is plain data with a `to_yaml()` or ready for `json.dumps`; nothing is sent anywhere.
"""

from __future__ import annotations

from errorbudget.rules.alertmanager import AlertmanagerConfig, Receiver, alertmanager_config
from errorbudget.rules.grafana import detail_dashboard, overview_dashboard
from errorbudget.rules.metrics import GUIDE_METRICS, Metrics
from errorbudget.rules.prometheus import RuleFile, prometheus_rules
from errorbudget.rules.unit_tests import RuleTests, prometheus_tests

__all__ = [
    "GUIDE_METRICS",
    "AlertmanagerConfig",
    "Metrics",
    "Receiver",
    "RuleFile",
    "RuleTests",
    "alertmanager_config",
    "detail_dashboard",
    "overview_dashboard",
    "prometheus_rules",
    "prometheus_tests",
]
