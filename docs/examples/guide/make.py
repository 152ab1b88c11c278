"""
The guide's rules, corrected: written out of the guide as a specification.

    python docs/examples/guide/make.py [FOLDER]
"""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from pathlib import Path

import errorbudget as eb
from errorbudget.rules import (
    GUIDE_METRICS,
    Receiver,
    alertmanager_config,
    detail_dashboard,
    overview_dashboard,
    prometheus_rules,
    prometheus_tests,
)


def write(folder: Path) -> None:
    """Rules, their tests for one objective, routes and dashboards into *folder*."""
    slos = list(eb.load(str(files("errorbudget.specs") / "guide.yaml")))
    first = slos[0]
    pager = {"service_key_file": "/etc/alertmanager/pagerduty"}
    slack = {"api_url_file": "/etc/alertmanager/slack", "channel": "#task-mcp-slos"}
    urgent = {**slack, "channel": "#task-mcp-critical"}
    routes = alertmanager_config(
        slos,
        page=Receiver("critical-alerts", {"pagerduty_configs": [pager], "slack_configs": [urgent]}),
        ticket=Receiver("warning-alerts", {"slack_configs": [slack]}),
        info=Receiver("slo-alerts", {"slack_configs": [slack]}),
    )
    texts = {
        "rules.yml": prometheus_rules(slos, metrics=GUIDE_METRICS).to_yaml(),
        "availability.yml": prometheus_rules(first, metrics=GUIDE_METRICS).to_yaml(),
        "availability_test.yml": prometheus_tests(
            first, metrics=GUIDE_METRICS, rule_files=["availability.yml"]
        ).to_yaml(),
        "alertmanager.yml": routes.to_yaml(),
        "overview.json": json.dumps(overview_dashboard(slos, metrics=GUIDE_METRICS), indent=1),
        "availability.json": json.dumps(detail_dashboard(first, metrics=GUIDE_METRICS), indent=1),
    }
    for name, text in texts.items():
        (folder / name).write_text(text.rstrip("\n") + "\n", "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
