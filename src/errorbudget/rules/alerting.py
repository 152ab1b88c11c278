"""
Alert rules: burn over several windows, no data, no traffic, and a missed threshold.

Thresholds follow from the alert policy: budget share x period / window, times the share that may
fail. They are written as exact decimals, so that a ratio exactly on the line does not fire.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from errorbudget.alerts import BurnAlert
from errorbudget.durations import HOUR_NS, format_duration
from errorbudget.rules.promql import decimal
from errorbudget.rules.recording import Objective
from errorbudget.target import format_percent

__all__ = ["alert_name", "alert_rules", "burn_expression", "camel", "literal"]

Rule = dict[str, Any]


def camel(text: str) -> str:
    """
    A name as alerts have it.

    Example:
        >>> camel("api-availability"), camel("HTTP error rate, 5xx")
        ('ApiAvailability', 'HTTPErrorRate5xx')
    """
    words = re.findall(r"[A-Za-z0-9]+", text)
    joined = "".join(word[0].upper() + word[1:] for word in words)
    return joined if joined[:1].isalpha() else f"SLO{joined}"


def alert_name(objective: Objective, alert: BurnAlert | str) -> str:
    """The name of an alert of this objective."""
    kind = alert if isinstance(alert, str) else alert.name
    return camel(objective.slo.name) + camel(kind)


def burn_expression(objective: Objective, alert: BurnAlert) -> str:
    """The condition of a burn alert: every window above the threshold, strictly."""
    limit = decimal(alert.threshold(objective.slo.period_ns) * objective.target.error)
    windows = (f"slo:error_ratio:{format_duration(window)}" for window in alert.windows)
    return " and ".join(f"{objective.series(name)} > {limit}" for name in windows)


def literal(text: str) -> str:
    """
    Text that Prometheus shows as it is, where it would fill in its templates.

    Example:
        >>> print(literal("burns {{ fast }}"))
        burns {{"{{"}} fast }}
    """
    return text.replace("{{", '{{"{{"}}')


def _name(text: str) -> str:
    """A name that every Prometheus takes for a label or an annotation."""
    found = re.sub(r"[^A-Za-z0-9_]", "_", text)
    return found if re.match(r"[A-Za-z_]", found) else f"_{found}"


def _named(texts: dict[str, str]) -> dict[str, str]:
    """Labels or annotations by such names; one whose name is taken gets a line behind it."""
    found = {name: literal(text) for name, text in texts.items() if _name(name) == name}
    for given, text in texts.items():
        name = _name(given)
        if name == given:
            continue
        while name in found:
            name += "_"
        found[name] = literal(text)
    return found


def _alert(
    objective: Objective,
    kind: str,
    expression: str,
    severity: str,
    summary: str,
    description: str,
    *,
    hold: str = "",
    **labels: str,
) -> Rule:
    slo = objective.slo
    rule: Rule = {"alert": alert_name(objective, kind), "expr": expression}
    if hold:
        rule["for"] = hold
    team = {"team": slo.team} if slo.team else {}
    told = {**slo.labels, **objective.identity, **team, **labels, "severity": severity}
    rule["labels"] = _named(told)
    runbook = {"runbook_url": slo.runbook} if slo.runbook else {}
    links = _named({**runbook, **slo.links})
    rule["annotations"] = {**links, "summary": summary, "description": description}
    return rule


def alert_rules(objective: Objective) -> Iterator[Rule]:
    """Every alert of an objective."""
    if not objective.has_budget:
        yield from _missed(objective)
        return
    yield from _burning(objective)
    yield from _silent(objective)


def _burning(objective: Objective) -> Iterator[Rule]:
    slo, target = objective.slo, objective.target
    period = slo.period_ns
    for alert in slo.alerts.alerts:
        if not alert.reachable(target, period):
            continue
        fast = f"{float(alert.threshold(period)):g}"
        units = "slices" if objective.is_sliced else "events"
        long = format_duration(alert.long)
        yield _alert(
            objective,
            alert.name,
            burn_expression(objective, alert),
            alert.severity,
            f"{literal(slo.name)}: the error budget burns more than {fast} times too fast",
            f"{{{{ $value | humanizePercentage }}}} of {units} failed in the last {long}, where "
            f"{format_percent(target.error)} may: more than {format_percent(alert.budget)} of the "
            f"budget of {format_duration(period)}.",
            hold=format_duration(alert.hold) if alert.hold else "",
            burn=alert.name,
            window=long,
        )


def _silent(objective: Objective) -> Iterator[Rule]:
    slo, queries = objective.slo, objective.queries
    absent = " or ".join(f"absent({' or '.join(group)})" for group in queries.series)
    missing = f"max({absent})" if absent else f"absent({queries.over(HOUR_NS)[1]})"
    yield _alert(
        objective,
        "no-data",
        missing,
        "ticket",
        f"{literal(slo.name)}: nothing measures it",
        "The metric is gone, renamed or not scraped: no burn alert can fire any more.",
        hold="10m",
    )
    # Only a recorded window can fall silent; where all are short, the longest of them.
    recorded = max(objective.windows, default=HOUR_NS)
    shortest = format_duration(
        min((w for w in objective.windows if w >= HOUR_NS), default=recorded)
    )
    yield _alert(
        objective,
        "no-traffic",
        f"absent({objective.series(f'slo:error_ratio:{shortest}')}) unless on () {missing}",
        "info",
        f"{literal(slo.name)}: no events",
        f"The metric is there, and counted nothing in the last {shortest}.",
        hold="10m",
    )


def _missed(objective: Objective) -> Iterator[Rule]:
    slo = objective.slo
    for figure in objective.figures:
        name, series = figure.name, objective.measurement(figure)
        yield _alert(
            objective,
            f"{name} missed",
            f"{series} {figure.misses} {figure.bound}",
            "warning",
            f"{literal(slo.name)}: {literal(name)} is {{{{ $value | humanize }}}}",
            f"The objective is {literal(str(slo.sli))} over {format_duration(slo.period_ns)}.",
            hold="10m",
            measurement=name,
        )
