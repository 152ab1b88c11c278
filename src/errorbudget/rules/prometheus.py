"""
Rule files for Prometheus, and for the rulers of Thanos, Mimir and Cortex.

One group per objective holds counts, ratios and alerts in this order, so that they see each
other's values of the same instant; another, slower one holds the budget. Where many servers scrape
parts of a service, "shard" gives what each of them counts, and "global" what is computed over all
of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from errorbudget.durations import DAY_NS, DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError
from errorbudget.methods import Occurrences
from errorbudget.rules.alerting import alert_rules
from errorbudget.rules.metrics import Metrics, MetricsLike, metrics_for
from errorbudget.rules.recording import (
    BASE_NS,
    Objective,
    budget_rules,
    count_rules,
    measurement_rules,
    metadata_rules,
    ratio_rules,
    sum_rules,
)
from errorbudget.rules.yaml_text import to_yaml
from errorbudget.slo import SLO, as_slos
from errorbudget.windows import Calendar

__all__ = ["Placement", "RuleFile", "objectives", "prometheus_rules", "slug"]

Placement = Literal["single", "shard", "global"]


_DEVICE = re.compile(r"con|prn|aux|nul|com\d|lpt\d")  # no names of files on Windows


def slug(text: str) -> str:
    """
    A name for files and groups, on every system.

    Example:
        >>> slug("API Endpoints Availability"), slug("../CON")
        ('api-endpoints-availability', 'slo-con')
    """
    found = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "slo"
    return f"slo-{found}" if _DEVICE.fullmatch(found) else found


@dataclass(frozen=True, slots=True)
class RuleFile:
    """
    Groups of rules.

    Attributes:
        groups: The groups, as plain data.
        warnings: What the rules cannot say, or say otherwise than the library.
    """

    groups: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The file as plain data."""
        return {"groups": list(self.groups)}

    def to_yaml(self) -> str:
        """The file as Prometheus reads it."""
        return to_yaml(self.to_dict(), comment="\n".join(self.warnings))


def objectives(
    slos: SLO | Iterable[SLO],
    metrics: MetricsLike | None = None,
    direct: DurationLike = "3d",
    interval: DurationLike = "1m",
) -> list[Objective]:
    """
    Objectives with their metrics.

    Raises:
        InvalidInputError: There are none, or two of one name.
    """
    wanted = as_slos(slos, distinct=False)
    names = [slug(slo.name) for slo in wanted]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInputError(f'two SLOs are called "{name}"; names must differ')
    given = Metrics() if metrics is None else metrics
    spans = parse_duration(direct), parse_duration(interval)
    return [Objective(slo, metrics_for(given, slo.name), *spans) for slo in wanted]


def prometheus_rules(
    slos: SLO | Iterable[SLO],
    *,
    metrics: MetricsLike | None = None,
    interval: DurationLike = "1m",
    direct: DurationLike = "3d",
    placement: Placement = "single",
    alerts: bool = True,
) -> RuleFile:
    """
    Recording and alert rules for objectives.

    Args:
        slos: The objectives.
        metrics: Names of metrics and labels, for all or by name of the objective.
        interval: How often counts, ratios and alerts are evaluated.
        direct: Longest window that is asked of the counters; longer ones add up recorded counts.
        placement: "single" for one server; "shard" for each of many, "global" above them.
        alerts: Whether to write alerts.

    Raises:
        InvalidInputError: An objective cannot be asked in PromQL.

    Example:
        >>> from errorbudget.sli import Availability
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> rules = prometheus_rules(slo)
        >>> [group["name"] for group in rules.groups]
        ['errorbudget-api-burn', 'errorbudget-api-budget']
    """
    if placement not in ("single", "shard", "global"):
        raise InvalidInputError(
            f'placement must be "single", "shard" or "global", got {placement!r}'
        )
    groups: list[dict[str, Any]] = []
    warnings: list[str] = []
    every = format_duration(parse_duration(interval))
    for objective in objectives(slos, metrics, direct, interval):
        warnings += _warnings(objective)
        fast, slow = _rules(objective, placement, alerts=alerts)
        name = f"errorbudget-{slug(objective.slo.name)}"
        base = format_duration(BASE_NS)
        for kind, rules, often in (("burn", fast, every), ("budget", slow, base)):
            if rules:
                groups.append({"name": f"{name}-{kind}", "interval": often, "rules": rules})
    return RuleFile(tuple(groups), tuple(warnings))


def _rules(
    objective: Objective, placement: Placement, *, alerts: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rules of the fast group and of the slow one."""
    fast: list[dict[str, Any]] = []
    slow: list[dict[str, Any]] = []
    here, above = placement != "global", placement != "shard"
    if not objective.has_budget:
        # A quantile of many shards needs all their buckets: it is computed where they come
        # together.
        if above:
            fast += metadata_rules(objective)
            slow += measurement_rules(objective)
            slow += alert_rules(objective) if alerts else ()
        return fast, slow
    if objective.is_sliced:
        # A slice is judged by all its events: where they come together.
        if above:
            fast += count_rules(objective, (objective.base_ns,), "count")
            fast += sum_rules(objective, objective.windows)
    else:
        if here:
            fast += count_rules(objective, objective.windows)
            if objective.queries.adds_up:
                slow += count_rules(objective, (objective.base_ns,), "count")
        if above:
            fast += ratio_rules(objective)
    if above:
        fast += metadata_rules(objective)
        fast += alert_rules(objective) if alerts else ()
        slow += sum_rules(objective, objective.slow_windows)
        slow += budget_rules(objective)
    return fast, slow


def _warnings(objective: Objective) -> list[str]:
    slo = objective.slo
    found = []
    if isinstance(slo.window, Calendar):
        days = slo.period_ns // DAY_NS
        found.append(
            f"{slo.name}: {slo.window} has no form in PromQL; the last {days} days stand for it"
        )
    if objective.has_budget:
        found += [
            f"{slo.name}: alert {alert.name} is left out: not even a total outage could fire it"
            for alert in slo.alerts.unreachable(objective.target, slo.period_ns)
        ]
    if objective.has_budget and not objective.queries.adds_up:
        longest = format_duration(max(objective.windows + objective.slow_windows))
        found.append(
            f"{slo.name}: the query gives a ratio and no counts, so the server is asked for "
            f"{longest} at once; bad_query and total_query would add up"
        )
    if slo.corrections or slo.resets:
        found.append(f"{slo.name}: the rules know of no maintenance and no resets")
    if not isinstance(slo.method, Occurrences) and objective.is_sliced:
        length = format_duration(slo.method.slice)
        found.append(
            f"{slo.name}: each slice is judged by what grew in {length}, so {length} must hold "
            "several scrapes"
        )
    return found
