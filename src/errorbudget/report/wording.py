"""One status in words and rounded figures, the same for every face that people read."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING

from errorbudget.budget import Budget
from errorbudget.durations import SECOND_NS, format_duration
from errorbudget.figures import (
    NOTHING,
    Figure,
    count,
    decimal,
    instant,
    percent,
    printable,
    rate,
)
from errorbudget.figures import seconds as span
from errorbudget.methods import Occurrences
from errorbudget.status import Status, slo_target
from errorbudget.target import Target

if TYPE_CHECKING:
    from errorbudget.alerts import AlertState
    from errorbudget.policy import Policy, Tier, TierChange
    from errorbudget.sli import Measurement

__all__ = ["AlertWords", "MeasurementWords", "Words", "change_words", "measurement_words", "words"]

EVEN = "minutes hold for even traffic"
STATES = {"met": "met", "missed": "missed", "no_data": "no data"}


@dataclass(frozen=True, slots=True)
class AlertWords:
    """One burn alert: its name, what it asks for and what is there."""

    name: str
    severity: str
    state: str
    condition: str
    rates: str
    active: bool


@dataclass(frozen=True, slots=True)
class MeasurementWords:
    """One measured figure beside its bound."""

    name: str
    value: str
    bound: str
    margin: str
    state: str


@dataclass(frozen=True, slots=True)
class Words:
    """
    One status, every figure as text; "-" is a figure that is not there.

    Attributes:
        name: Name of the SLO.
        state: "met", "missed" or "no data".
        promise: Target, window and indicator in a line.
        description: What the objective promises, where somebody wrote it.
        sli: Share of good units.
        target: What it has to reach.
        counts: Good and bad units in a sentence.
        remaining: Share of the budget left.
        spent: Spent budget in units, share and time.
        left: Budget left in units, share and time.
        time_note: For which traffic the times hold; empty where they are exact.
        projected: Budget left at the end of a calendar period if all goes on as so far, or empty.
        burn: Window and burn rate, shortest window first.
        alerts: Every alert of the SLO.
        measurements: Figures of a threshold objective.
        tier: Name of the policy's tier, with its bounds.
        actions: What the policy says to do, by topic.
        risk: Name of the risk table's row, with its bounds.
        risk_actions: What that table says to do.
        window: The stretch that was judged.
        coverage: Share of it that was observed.
        warning_target: The verdict on a warning target, or empty.
        warnings: Sentences on what makes the figures less certain.
        details: Owner, team, runbook and so on, by name.
    """

    name: str
    state: str
    promise: str
    description: str
    sli: str
    target: str
    counts: str
    remaining: str
    spent: str
    left: str
    time_note: str
    projected: str
    burn: tuple[tuple[str, str], ...]
    alerts: tuple[AlertWords, ...]
    measurements: tuple[MeasurementWords, ...]
    tier: str
    actions: tuple[tuple[str, str], ...]
    risk: str
    risk_actions: tuple[tuple[str, str], ...]
    window: str
    coverage: str
    warning_target: str
    warnings: tuple[str, ...]
    details: tuple[tuple[str, str], ...]

    @property
    def threshold_based(self) -> bool:
        """Whether the objective is a plain threshold, without a budget."""
        return bool(self.measurements)

    @property
    def active_alerts(self) -> tuple[AlertWords, ...]:
        """The alerts that fire and are not silenced."""
        return tuple(alert for alert in self.alerts if alert.active)


def budget_lines(status: Status) -> list[Fraction]:
    """The shares of budget left at which some decision turns."""
    policies = (status.slo.policy, status.slo.risk_policy)
    return [
        Fraction(0),
        *(tier.above for policy in policies for tier in policy.tiers if tier.above is not None),
    ]


def share_left(status: Status) -> str:
    """The share of the budget left, on its side of every boundary."""
    if status.budget is None:
        return NOTHING
    return percent(status.budget.remaining_exact, 1, lines=budget_lines(status))


def burn_text(status: Status, window_ns: int) -> str:
    """The burn rate of one window, on its side of every threshold that looks at it."""
    slo = status.slo
    lines = [
        alert.threshold(slo.period_ns) for alert in slo.alerts.alerts if window_ns in alert.windows
    ]
    return rate(status.burn.get(window_ns), lines=lines)


def words(status: Status) -> Words:
    """
    Every figure of *status* as text.

    Example:
        >>> from errorbudget import SLO, Availability, Counts
        >>> slo = SLO("api", target="99.9%", window="30d", sli=Availability())
        >>> said = words(slo.assess(Counts(good=9_999, bad=1), at=0))
        >>> said.sli, said.left
        ('99.990%', '9 of 10 events (90.0%), 38.9 min of 43.2 min')
    """
    slo, budget = status.slo, status.budget
    sli, counts, spent, left, projected = NOTHING, NOTHING, NOTHING, NOTHING, ""
    if budget is not None and status.counts:
        lines = [1 - budget.error]
        if slo.warning_target is not None:
            lines.append(slo.warning_target.ratio)
        sli = percent(Fraction(status.counts.good) / Fraction(status.counts.total), 3, lines=lines)
        counts = (
            f"{_amount(status, status.counts.good)} good, {_amount(status, status.counts.bad)} bad "
            f"of {_amount(status, status.counts.total, name=True)}"
        )
        spent = _spent(status, budget)
        left = _left(status, budget)
    elif budget is None and status.counts:
        counts = f"{count(status.counts.total)} events"
    if status.projected is not None:
        share = percent(status.projected.remaining_exact, 1, lines=budget_lines(status))
        end = instant(status.slo.window.interval(status.at_ns).end_ns)
        projected = f"about {share} left at {end}, if traffic and errors go on as so far"
    policy_tier, risk_tier = status.policy_tier, status.risk_tier
    return Words(
        name=printable(slo.name),
        state=STATES[status.state],
        promise=printable(_promise(status)),
        description=printable(slo.description),
        sli=sli,
        target=_target_now(status),
        counts=counts,
        remaining=share_left(status),
        spent=spent,
        left=left,
        time_note="" if budget is None or status.unit == "ns" else EVEN,
        projected=projected,
        burn=tuple(
            (format_duration(window), burn_text(status, window)) for window in sorted(status.burn)
        ),
        alerts=tuple(_alert(status, alert) for alert in status.alerts),
        measurements=tuple(measurement_words(figure) for figure in status.measurements),
        tier=_tier(slo.policy, policy_tier),
        actions=() if policy_tier is None else tuple(policy_tier.actions.items()),
        risk=_tier(slo.risk_policy, risk_tier),
        risk_actions=() if risk_tier is None else tuple(risk_tier.actions.items()),
        window=f"{instant(status.interval.start_ns)} to {instant(status.interval.end_ns)}",
        coverage=percent(status.coverage, 1, lines=[Fraction(str(slo.min_coverage))]),
        warning_target=_warning(status),
        warnings=tuple(map(printable, status.warnings)),
        details=tuple((printable(name), printable(value)) for name, value in _details(status)),
    )


def _target_now(status: Status) -> str:
    """The target in force; "now" is said where it changed."""
    slo = status.slo
    if slo.target is None:
        return NOTHING
    target = slo.target_at(status.at_ns)
    return str(target) if isinstance(slo.target, Target) else f"{target} now"


def change_words(policy: Policy, change: TierChange) -> str:
    """
    Why the tier changed, in a sentence that names the boundary.

    Example:
        >>> from errorbudget import ERROR_BUDGET_POLICY as policy
        >>> started, fell = policy.timeline([0, 1], [Fraction(1), Fraction(499_999, 1_000_000)])
        >>> change_words(policy, started), change_words(policy, fell)
        ('100% left: healthy (> 50%)', '49.9999% left: no longer healthy (> 50%)')
    """
    if change.after is None:
        return "no data to judge by"
    lines = [tier.above for tier in policy.tiers if tier.above is not None]
    left = f"{percent(change.remaining, 1, lines=[Fraction(0), *lines])} left"
    after = policy[change.after]
    tiers = list(policy.tiers)
    if change.before is None:
        return f"{left}: {after.name} ({policy.bounds(after)})"
    before = policy[change.before]
    if tiers.index(before) < tiers.index(after):
        return f"{left}: no longer {before.name} ({policy.bounds(before)})"
    margin = f", by more than {percent(policy.hysteresis, 1)}" if policy.hysteresis else ""
    return f"{left}: {after.name} again ({policy.bounds(after)}){margin}"


def _promise(status: Status) -> str:
    slo = status.slo
    window = f"over {slo.window}"
    if slo.target is None:
        return f"{slo.sli}, {window}"
    method = "" if isinstance(slo.method, Occurrences) else f", {slo.method.name}"
    return f"{slo_target(slo)} {window}{method}; {slo.sli}"


def _amount(status: Status, value: Figure, *, name: bool = False) -> str:
    """A number of units; time where the unit is a nanosecond."""
    if status.unit == "ns":
        return span(None if value is None else Fraction(value) / SECOND_NS)
    return f"{count(value)} {status.unit}" if name else count(value)


def _spent(status: Status, budget: Budget) -> str:
    share = budget.consumed_exact
    lines = [1 - line for line in budget_lines(status)]
    parts = [f"{_amount(status, budget.counts.bad, name=True)} ({percent(share, 1, lines=lines)})"]
    time_s = budget.consumed_time_s
    if time_s is not None and isfinite(time_s) and status.unit != "ns":
        parts.append(span(time_s))
    return ", ".join(parts)


def _left(status: Status, budget: Budget) -> str:
    remaining = budget.allowed_exact - Fraction(budget.counts.bad)
    text = (
        f"{_amount(status, remaining)} of {_amount(status, budget.allowed_exact, name=True)} "
        f"({share_left(status)})"
    )
    time_s = budget.remaining_time_s
    if time_s is None or not isfinite(time_s) or status.unit == "ns":
        return text
    return f"{text}, {span(time_s)} of {span(budget.allowed_time_s)}"


def _alert(status: Status, found: AlertState) -> AlertWords:
    threshold = found.alert.threshold(status.slo.period_ns)
    windows = [format_duration(window) for window in found.alert.windows]
    rates = [rate(status.burn.get(window), lines=[threshold]) for window in found.alert.windows]
    state = found.state
    if found.inhibited_by is not None:
        state = f"silenced by {found.inhibited_by}"
    held = f" for {format_duration(found.alert.hold)}" if found.alert.hold else ""
    return AlertWords(
        found.alert.name,
        found.alert.severity,
        state,
        f"{' and '.join(windows)} > {decimal(threshold, 2)}{held}",
        ", ".join(f"{window} {shown}" for window, shown in zip(windows, rates, strict=True)),
        found.active,
    )


def measurement_words(figure: Measurement) -> MeasurementWords:
    """A measured figure in words, with its unit."""
    bound = Fraction(figure.bound)

    def shown(value: float | None) -> str:
        if value is None:
            return NOTHING
        if figure.unit == "s":
            return _duration_beside(value, bound)
        unit = f" {figure.unit}" if figure.unit else ""
        return decimal(value, 2, lines=[bound, Fraction(0)], unit=unit)

    limit = span(bound) if figure.unit == "s" else decimal(bound, 2)
    unit = f" {figure.unit}" if figure.unit and figure.unit != "s" else ""
    met = figure.met
    margin = (
        NOTHING
        if figure.margin is None
        else (
            span(figure.margin)
            if figure.unit == "s"
            else decimal(figure.margin, 2, lines=[Fraction(0)])
        )
    )
    return MeasurementWords(
        figure.name,
        shown(figure.value),
        f"{figure.op} {limit}{unit}",
        margin,
        "no data" if met is None else "met" if met else "missed",
    )


def _duration_beside(value: float, bound: Fraction) -> str:
    """A duration in the unit of its bound's size, on the right side of it."""
    in_ms = abs(bound) <= 2
    scale = 1_000 if in_ms else 1
    return decimal(
        Fraction(value) * scale,
        1,
        lines=[bound * scale, Fraction(0)],
        unit=" ms" if in_ms else " s",
    )


def _tier(policy: Policy, tier: Tier | None) -> str:
    return NOTHING if tier is None else f"{tier.name} ({policy.bounds(tier)})"


def _warning(status: Status) -> str:
    verdict = status.warning_state
    return "" if verdict is None else f"{status.slo.warning_target}: {STATES[verdict]}"


def _details(status: Status) -> tuple[tuple[str, str], ...]:
    slo = status.slo
    found = [
        (name, str(getattr(slo, name)))
        for name in ("service", "criticality", "owner", "team", "runbook")
        if getattr(slo, name)
    ]
    found.extend((name, address) for name, address in slo.links.items())
    if slo.labels:
        found.append(("labels", ", ".join(f"{k}={v}" for k, v in slo.labels.items())))
    found.extend(
        ("correction", ", ".join(f"{key} {said}" for key, said in one.to_dict().items() if said))
        for one in slo.corrections
    )
    found.extend(("reset", f"{instant(one.at_ns)}: {one.note}") for one in slo.resets)
    return tuple(found)
