"""
The checks of `lint`, each where its arithmetic is.

An id is for good: a check that goes leaves a gap, and another meaning takes a new number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from math import ceil, floor

import numpy as np

from errorbudget.burn import max_burn_rate
from errorbudget.durations import DAY_NS, format_duration
from errorbudget.figures import percent
from errorbudget.methods import Occurrences
from errorbudget.schedule import TargetSchedule
from errorbudget.series import CountSeries
from errorbudget.sli import Latency, LatencyQuantile, RatioSLI
from errorbudget.slo import SLO
from errorbudget.studies.burning import PAGING
from errorbudget.studies.lint import Check, Finding
from errorbudget.studies.whole_windows import whole_windows

__all__ = ["CHECKS", "of_history", "of_objective", "of_service"]

MOST_SLOS = 5
MOST_LOOKS = 1_000_000

TOO_MANY = Check(
    "EB101",
    "too many SLOs",
    "warning",
    "Attention is what an SLO buys, and there is only so much of it.",
    "Keep the three to five that users would miss first; watch the rest on dashboards.",
)
NO_LATENCY = Check(
    "EB102",
    "no latency SLO beside availability",
    "warning",
    "A service that answers correctly after a minute is down for whoever waits.",
    "Add a latency objective over the same requests, such as 99 % within 500 ms.",
)
UNREACHABLE = Check(
    "EB103",
    "alert that cannot fire",
    "error",
    "When every event fails, burn is 1 / (1 - target); no threshold at or above it is exceeded.",
    "Guard a smaller share of the budget, or look at a longer window.",
)
LONGER = Check(
    "EB104",
    "alert window longer than the SLO's",
    "error",
    "The alert looks at events that the objective has already let go of.",
    "Take an alert window shorter than the objective's.",
)
MIXED = Check(
    "EB105",
    "windows mixed within a service",
    "info",
    "Budgets over different windows run out and come back at different times, and do not compare.",
    "Take one window for all objectives of a service, unless they steer different decisions.",
)
DISAGREE = Check(
    "EB106",
    "objectives disagree on what is good",
    "warning",
    "One request spends one budget and not the other; their figures contradict each other.",
    "Agree on one condition, or narrow the objectives to different requests.",
)
BELOW_ONE = Check(
    "EB107",
    "alert on a healthy service",
    "warning",
    "A burn of 1 spends the budget exactly by the end of the window: that is what it is for.",
    "Guard a larger share of the budget, or look at a shorter window.",
)
NO_BUDGET = Check(
    "EB108",
    "target of 100 %",
    "warning",
    "No failure is allowed, so there is no budget to decide by, and every release is a breach.",
    "Take the lowest target that users do not notice.",
)
UNUSED = Check(
    "EB109",
    "budget that decides nothing",
    "info",
    "A policy that lets everything through at every budget, or no alerts, changes no behaviour.",
    "Say what stops when the budget is gone: may_deploy of a policy's tiers, and alerts.",
)
NEVER_MET = Check(
    "EB201",
    "target that was never met",
    "warning",
    "A budget that is always gone is ignored.",
    "Take a target that the service has kept, and raise it as the service improves.",
)
NEVER_MISSED = Check(
    "EB202",
    "target that was never in danger",
    "info",
    "A budget that is never touched says nothing about risk; releases may be slower than need be.",
    "Raise the target, or spend the budget: release faster.",
)
LITTLE_TRAFFIC = Check(
    "EB203",
    "too little traffic for the target",
    "warning",
    "The window's budget is less than one event, so the first failure overspends it.",
    "Take a longer window, a lower target, or add synthetic requests.",
)
ONE_PAGES = Check(
    "EB204",
    "one failure pages",
    "warning",
    "At this traffic a single failure burns above the threshold, whatever the service is like.",
    "Look at a longer window, or ask errorbudget.studies.noise how many failures to wait for.",
)
TOO_SHORT = Check(
    "EB205",
    "history shorter than the window",
    "info",
    "Whether a target was ever met, or in danger, shows only over a whole window.",
    "Give the history of one whole window or more.",
)

CHECKS = (
    TOO_MANY,
    NO_LATENCY,
    UNREACHABLE,
    LONGER,
    MIXED,
    DISAGREE,
    BELOW_ONE,
    NO_BUDGET,
    UNUSED,
    NEVER_MET,
    NEVER_MISSED,
    LITTLE_TRAFFIC,
    ONE_PAGES,
    TOO_SHORT,
)


def of_service(service: str, slos: Sequence[SLO]) -> Iterator[Finding]:
    """Pitfalls of the objectives of one service together."""
    if len(slos) > MOST_SLOS:
        yield Finding(TOO_MANY, service, f"{len(slos)} SLOs; {MOST_SLOS} are many")
    available = [slo for slo in slos if slo.sli.kind == "availability"]
    if available and not any(isinstance(slo.sli, (Latency, LatencyQuantile)) for slo in slos):
        yield Finding(NO_LATENCY, service, f"no latency beside {available[0].name}")
    windows = sorted({str(slo.window) for slo in slos if slo.target is not None})
    if len(windows) > 1:
        yield Finding(MIXED, service, f"windows of {', '.join(windows)}")
    for one, other in combinations(slos, 2):
        dispute = _dispute(one, other)
        if dispute is not None:
            yield Finding(DISAGREE, service, dispute)


def _dispute(one: SLO, other: SLO) -> str | None:
    """The first status that the two judge differently, in words; None where they agree."""
    first, second = one.sli, other.sli
    if not isinstance(first, RatioSLI) or not isinstance(second, RatioSLI):
        return None
    if first.columns != {"status"} or second.columns != {"status"}:
        return None
    for status in range(100, 600):
        event = {"status": status}
        verdicts = (first.classify(event), second.classify(event))
        if None not in verdicts and verdicts[0] != verdicts[1]:
            good, bad = (one, other) if verdicts[0] else (other, one)
            return f"a {status} is good in {good.name} and bad in {bad.name}"
    return None


def of_objective(slo: SLO) -> Iterator[Finding]:
    """Pitfalls of one objective by itself."""
    if slo.target is None:
        return
    targets = (
        [slo.target]
        if not isinstance(slo.target, TargetSchedule)
        else list(slo.target.targets.values())
    )
    target = targets[-1]
    alerts = slo.alerts.alerts
    for alert in alerts:
        threshold = alert.threshold(slo.period_ns)
        if target.error and not alert.reachable(target, slo.period_ns):
            most = max_burn_rate(target)
            message = (
                f"{alert.name} wants a burn above {float(threshold):g}, and a total outage burns "
                f"at {most:g}"
            )
            yield Finding(UNREACHABLE, slo.name, message)
        if alert.long > slo.period_ns:
            message = (
                f"{alert.name} looks back {format_duration(alert.long)}, the objective "
                f"{format_duration(slo.period_ns)}"
            )
            yield Finding(LONGER, slo.name, message)
        if threshold < 1:
            message = f"{alert.name} fires above a burn of {float(threshold):.3g}"
            yield Finding(BELOW_ONE, slo.name, message)
    if not target.error:
        yield Finding(NO_BUDGET, slo.name, "no failure is allowed")
    lax = all(tier.may_deploy == "all" for tier in slo.policy.tiers)
    if lax or not alerts:
        what = "no alerts" if not alerts else f'policy "{slo.policy.name}" stops nothing'
        yield Finding(UNUSED, slo.name, what)


def of_history(slo: SLO, series: CountSeries) -> Iterator[Finding]:
    """Pitfalls of one objective against its history."""
    if series.span is None or slo.target is None or not isinstance(slo.sli, RatioSLI):
        return
    length = series.span[1] - series.span[0]
    days = f"{length / DAY_NS:.0f} days" if length >= 2 * DAY_NS else format_duration(length)
    # A history of very many bins is looked at in fewer steps.
    every = -(-length // (series.step_ns * MOST_LOOKS))
    left = whole_windows(slo, series, series.step_ns * every).remaining_ratio
    if not len(left):
        message = f"{days} of history hold no whole window ({slo.window})"
        yield Finding(TOO_SHORT, slo.name, message)
    left = left[~np.isnan(left)]
    if len(left) and float(left.max()) < 0:
        best = percent(float(left.max()), 0)
        message = f"missed over every whole window of {days}; at best {best} of the budget left"
        yield Finding(NEVER_MET, slo.name, message)
    if len(left) and float(left.min()) >= 0.8:
        most = percent(1 - float(left.min()), 0)
        message = f"over no whole window of {days} more than {most} of the budget was spent"
        yield Finding(NEVER_MISSED, slo.name, message)
    error = slo.target_at(series.span[1]).error
    total = int(series.total.sum())
    if not isinstance(slo.method, Occurrences) or not total or not length or not error:
        return
    pace = Fraction(total, length)
    if pace * slo.period_ns * error < 1:
        message = (
            f"{_some(floor(pace * slo.period_ns))} a window; the target wants {ceil(1 / error):,}"
        )
        yield Finding(LITTLE_TRAFFIC, slo.name, message)
    for alert in slo.alerts.alerts:
        if alert.severity not in PAGING or length < alert.long:
            continue
        usual = floor(pace * alert.long)
        # A window that sees less than an event on average holds one when it fails.
        if max(1, usual) * error * alert.threshold(slo.period_ns) < 1:
            message = f"{alert.name} sees {_some(usual)} in {format_duration(alert.long)}"
            yield Finding(ONE_PAGES, slo.name, message)


def _some(events: int) -> str:
    """A usual number of events, in words where it is one or none."""
    if events < 2:
        return "about one event" if events else "less than one event"
    return f"some {events:,} events"
