"""
Unit tests for the generated rules, as `promtool test rules` runs them.

Each objective gets a history: long health, an outage, health again, and then silence. What fires
when is counted by the library from the same history, minute by minute; asked is in the middle of
each stretch in which nothing changes, so that the answer is the same under every server's rules of
extrapolation.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from errorbudget.durations import MINUTE_NS
from errorbudget.methods import Occurrences
from errorbudget.rules.alerting import alert_name
from errorbudget.rules.metrics import MetricsLike
from errorbudget.rules.prometheus import objectives
from errorbudget.rules.promql import quoted
from errorbudget.rules.recording import Objective
from errorbudget.rules.scenario import Scenario, input_series
from errorbudget.rules.yaml_text import to_yaml
from errorbudget.sli import (
    QueryRatio,
    QueryThreshold,
)
from errorbudget.slo import SLO

__all__ = ["RuleTests", "Scenario", "prometheus_tests"]

_QUIET = 5  # minutes around a question in which nothing may change
_SILENCE = 30
_NATIVE = "native histograms: promtool of 2.53 and later runs these tests, that of 2.42 cannot"


@dataclass(frozen=True, slots=True)
class RuleTests:
    """
    A file of unit tests.

    Attributes:
        tests: The tests, as plain data.
        rule_files: The rules that they test.
        untested: Objectives without a test, and why.
    """

    tests: tuple[dict[str, Any], ...]
    rule_files: tuple[str, ...]
    untested: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """The file as plain data."""
        return {
            "rule_files": list(self.rule_files),
            "evaluation_interval": "1m",
            "tests": list(self.tests),
        }

    def to_yaml(self) -> str:
        """The file as promtool reads it."""
        notes = [f"not tested: {name}: {why}" for name, why in self.untested.items()]
        if any("{{" in one["values"] for test in self.tests for one in test["input_series"]):
            notes.append(_NATIVE)
        return to_yaml(self.to_dict(), comment="\n".join(notes))


def prometheus_tests(
    slos: SLO | Iterable[SLO],
    *,
    metrics: MetricsLike | None = None,
    rule_files: Sequence[str] = ("rules.yml",),
) -> RuleTests:
    """
    Tests that show each burn alert firing and resolving, and silence being noticed.

    Args:
        slos: The objectives, as given to `prometheus_rules`.
        metrics: Names of metrics and labels, as given there.
        rule_files: Where the rules are, as seen from the tests.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> tests = prometheus_tests(slo)
        >>> [one["series"] for one in tests.tests[0]["input_series"]]
        ['http_server_requests_total{status="200"}', 'http_server_requests_total{status="500"}']
    """
    tests: list[dict[str, Any]] = []
    untested: dict[str, str] = {}
    for objective in objectives(slos, metrics):
        slo = objective.slo
        if isinstance(slo.sli, (QueryRatio, QueryThreshold)):
            untested[slo.name] = "what its queries ask for is not known here"
            continue
        if not objective.has_budget:
            untested[slo.name] = "a threshold without a target has no budget and no burn alerts"
            continue
        if not objective.target.error:
            untested[slo.name] = "any bad event at all is beyond a target of 100 %"
            continue
        method = slo.method
        if not isinstance(method, Occurrences) and method.slice % MINUTE_NS:
            untested[slo.name] = "the tests go by minutes, which its slices do not fill"
            continue
        scenario = _scenario(objective)
        series = list(input_series(objective, scenario))
        if not series:
            untested[slo.name] = "no labels were found that make good and bad events"
            continue
        tests.append(
            {
                "name": slo.name,
                "interval": "15s",
                "input_series": series,
                "promql_expr_test": list(_questions(objective, scenario)),
            }
        )
    # promtool of 2.42 knows no names of tests.
    return RuleTests(
        tuple({k: v for k, v in test.items() if k != "name"} for test in tests),
        tuple(rule_files),
        untested,
    )


def _scenario(objective: Objective) -> Scenario:
    """An outage that is long enough for every alert, and time enough for each to end."""
    slo, target = objective.slo, objective.target
    alerts = slo.alerts.alerts
    found = [alert.detection_time(target, slo.period_ns) for alert in alerts]
    shortest = max((min(alert.windows) for alert in alerts), default=60 * MINUTE_NS) // MINUTE_NS
    outage = int(max((time or 0.0 for time in found), default=0.0) // 60) + 4 * _QUIET
    # Two hours of health are enough: windows that reach back before them hold what there is.
    # No slice is half in the outage, as what it would be then depends on how bad that half is.
    size = 1 if isinstance(slo.method, Occurrences) else slo.method.slice // MINUTE_NS
    return Scenario(-(-120 // size) * size, -(-outage // size) * size, shortest + 4 * _QUIET)


def fires(objective: Objective, scenario: Scenario) -> list[frozenset[str]]:
    """The burn alerts that fire at each minute, by name, until the traffic ends."""
    slo = objective.slo
    period = slo.period_ns
    alerts = slo.alerts.alerts
    held = dict.fromkeys(alerts, 0)
    found = []
    for minute in range(scenario.end + 1):
        firing = set()
        for alert in alerts:
            limit = alert.threshold(period) * objective.target.error
            units = (
                scenario.units_in(minute, window // MINUTE_NS, slo.method)
                for window in alert.windows
            )
            burning = all(bad > limit * seen for bad, seen in units if seen)
            held[alert] = held[alert] + 1 if burning and minute else 0
            if held[alert] > alert.hold // MINUTE_NS:
                firing.add(alert_name(objective, alert))
        found.append(frozenset(firing))
    return found


def _questions(objective: Objective, scenario: Scenario) -> Iterator[dict[str, Any]]:
    matchers = ",".join(f"{name}={quoted(value)}" for name, value in objective.identity.items())
    firing = f'count by (alertname) (ALERTS{{alertstate="firing",{matchers}}})'
    minute = 0
    for names, stretch in itertools.groupby(fires(objective, scenario)):
        length = len(list(stretch))
        if length > 2 * _QUIET:
            yield _question(firing, minute + length // 2, names)
        minute += length
    no_data = alert_name(objective, "no-data")
    noticed = f'ALERTS{{alertname="{no_data}",alertstate="firing",{matchers}}}'
    silent = f"count by (alertname) ({noticed})"
    yield _question(silent, scenario.end, frozenset())
    yield _question(silent, scenario.end + _SILENCE, frozenset({no_data}))


def _question(expression: str, minute: int, names: frozenset[str]) -> dict[str, Any]:
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(names)]
    return {"expr": expression, "eval_time": f"{minute}m", "exp_samples": samples}
