"""
The answer for one SLO at one instant.

`Status` holds exact counts and derives every figure from them when asked, so nothing is rounded
before it is compared, and no figure can disagree with another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

from errorbudget import figures
from errorbudget.budget import Budget, Ratio, sli
from errorbudget.cards import Card, Shown, frame
from errorbudget.columns import Columns
from errorbudget.counts import Count, Counts
from errorbudget.durations import format_duration
from errorbudget.times import format_time

if TYPE_CHECKING:
    from errorbudget.alerts import AlertState
    from errorbudget.policy import Tier
    from errorbudget.sli import Measurement
    from errorbudget.slo import SLO
    from errorbudget.windows import Interval

__all__ = ["State", "Status", "json_number", "plain_count"]

State = Literal["met", "missed", "no_data"]


def json_number(value: float | None) -> float | str | None:
    """A figure as strict JSON holds it: undefined is null, infinities are "inf" and "-inf"."""
    if value is None or value != value:
        return None
    if value in (float("inf"), float("-inf")):
        return "inf" if value > 0 else "-inf"
    return value


def _state(met: bool | None) -> State:
    return "no_data" if met is None else "met" if met else "missed"


ROW: Columns = {
    "slo": "text",
    "state": "text",
    "sli": "figure",
    "target": "figure",
    "good": "count",
    "bad": "count",
    "total": "count",
    "remaining_ratio": "figure",
    "tier": "text?",
    "coverage": "figure",
    "alerts": "text",
}
"""The headline figures of a status."""


def plain_count(count: Count) -> float:
    """A count as JSON holds it: fractions of an event as the nearest float."""
    return float(count) if isinstance(count, Fraction) else count


@dataclass(frozen=True, slots=True)
class Status(Shown):
    """
    One SLO at one instant.

    Attributes:
        slo: The objective that was asked.
        at_ns: The instant [ns UTC].
        interval: The window that was judged.
        counts: Good and bad units in it; see *unit*.
        budget: The error budget, or None for an objective without a target.
        burn: Exact burn rate by window [ns]; None where the window has no events.
        alerts: Every burn alert, firing or not.
        coverage: Share of the window that was observed, in [0, 1].
        measurements: Figures of threshold objectives beside their bounds.
        projected: For calendar windows, the budget over the whole period, estimated from the
            traffic so far; None where it would be the same.
        left_out: Events that took no part because a value was missing.
        warnings: Sentences on what makes the figures less certain.
        unit: What is counted: "events", "slices" or "ns" (of time).
    """

    slo: SLO
    at_ns: int
    interval: Interval
    counts: Counts
    budget: Budget | None
    burn: Mapping[int, Ratio | None] = field(default_factory=dict)
    alerts: tuple[AlertState, ...] = ()
    coverage: float | None = None
    measurements: tuple[Measurement, ...] = ()
    projected: Budget | None = None
    left_out: int = 0
    warnings: tuple[str, ...] = ()
    unit: str = "events"

    @property
    def name(self) -> str:
        """Name of the SLO."""
        return self.slo.name

    @property
    def sli(self) -> float | None:
        """Share of good events, correctly rounded; None without events."""
        return sli(self.counts) if self.budget is not None else None

    @property
    def state(self) -> State:
        """Whether the objective is met: its SLI is at least its target, or every bound is kept."""
        if self.budget is None:
            verdicts = [measurement.met for measurement in self.measurements]
            if False in verdicts:
                return "missed"
            return "no_data" if None in verdicts or not verdicts else "met"
        return _state(self.budget.met)

    @property
    def warning_state(self) -> State | None:
        """Whether the warning target is met; None when the SLO has none."""
        target = self.slo.warning_target
        if target is None:
            return None
        return _state(Budget(self.counts, target.error).met)

    @property
    def burn_rates(self) -> dict[str, float | None]:
        """Burn rate [1] by window, such as `{"1h": 14.4}`; None where there were no events."""
        return {
            format_duration(window): None if rate is None else float(rate)
            for window, rate in self.burn.items()
        }

    @property
    def policy_tier(self) -> Tier | None:
        """The row of the SLO's policy that holds; None without events or without a budget."""
        return None if self.budget is None else self.slo.policy.tier(self.budget.remaining_exact)

    @property
    def risk_tier(self) -> Tier | None:
        """The row of the risk table that holds; None without events or without a budget."""
        return (
            None if self.budget is None else self.slo.risk_policy.tier(self.budget.remaining_exact)
        )

    @property
    def tier(self) -> str | None:
        """Name of the policy's tier, such as "healthy"."""
        tier = self.policy_tier
        return None if tier is None else tier.name

    @property
    def risk(self) -> str | None:
        """Name of the risk table's row, such as "medium"."""
        tier = self.risk_tier
        return None if tier is None else tier.name

    @property
    def active_alerts(self) -> tuple[AlertState, ...]:
        """The alerts that fire and are not silenced by a more urgent one."""
        return tuple(alert for alert in self.alerts if alert.active)

    def to_dict(self) -> dict[str, Any]:
        """The status as the JSON report holds it; schema `errorbudget.report/1`."""
        slo = self.slo
        data: dict[str, Any] = {
            "name": slo.name,
            "state": self.state,
            "objective": slo.objective(),
            "window": {
                "start": format_time(self.interval.start_ns),
                "end": format_time(self.interval.end_ns),
                "closed": self.interval.closed,
            },
            "sli": self.sli,
            "unit": self.unit,
            "counts": {
                "good": plain_count(self.counts.good),
                "bad": plain_count(self.counts.bad),
                "total": plain_count(self.counts.total),
                "left_out": self.left_out,
            },
            "budget": None if self.budget is None else budget_to_dict(self.budget),
            "burn_rates": {window: json_number(rate) for window, rate in self.burn_rates.items()},
            "tier": self.tier,
            "risk": self.risk,
            "alerts": [
                {
                    "name": alert.alert.name,
                    "severity": alert.alert.severity,
                    "state": alert.state,
                    "threshold": alert.threshold,
                    "burn_rates": {w: json_number(r) for w, r in alert.burn_rates.items()},
                    "inhibited_by": alert.inhibited_by,
                }
                for alert in self.alerts
            ],
            "coverage": self.coverage,
            "warnings": list(self.warnings),
        }
        if self.measurements:
            data["measurements"] = [
                {
                    key: json_number(figure) if isinstance(figure, float) else figure
                    for key, figure in measurement.to_dict().items()
                }
                for measurement in self.measurements
            ]
        if self.projected is not None:
            data["projected"] = budget_to_dict(self.projected)
        if self.warning_state is not None:
            data["warning_state"] = self.warning_state
        if tier := self.policy_tier:
            data["actions"] = dict(tier.actions)
            data["may_deploy"] = tier.may_deploy
        data.update(slo.metadata())
        return data

    def row(self) -> dict[str, Any]:
        """The headline figures in one row."""
        budget = self.budget
        return {
            "slo": self.name,
            "state": self.state,
            "sli": self.sli,
            "target": None if budget is None else float(1 - budget.error),
            "good": plain_count(self.counts.good),
            "bad": plain_count(self.counts.bad),
            "total": plain_count(self.counts.total),
            "remaining_ratio": None if budget is None else budget.remaining_ratio,
            "tier": self.tier,
            "coverage": self.coverage,
            "alerts": ", ".join(alert.alert.name for alert in self.active_alerts),
        }

    def to_pandas(self) -> Any:
        """The headline figures as a pandas DataFrame of one row."""
        return frame([self.row()], ROW)

    def _card(self) -> Card:
        def left(budget: Budget) -> str:
            bounds = [tier.above for tier in self.slo.policy.tiers if tier.above is not None]
            return figures.percent(budget.remaining_exact, lines=bounds)

        word = {"met": "met", "missed": "missed", "no_data": "no data"}[self.state]
        lines = [self.slo.description] if self.slo.description else []
        lines.append(f"{slo_target(self.slo)} over {self.slo.window}; {self.slo.sli}")
        rows: list[tuple[str, str]] = []
        if self.budget is None:
            rows += [
                (m.name, f"{figures.decimal(m.value, 4)} {m.unit} (bound {m.op} {m.bound:g})")
                for m in self.measurements
            ]
        elif self.state != "no_data":
            counts, target = self.counts, self.slo.target_at(self.at_ns).ratio
            share = Fraction(counts.good) / Fraction(counts.total)
            rows.append(("SLI", figures.percent(share, 4, lines=[target])))
            rows.append(("bad", f"{figures.count(counts.bad)} of {figures.count(counts.total)}"))
            rows.append(("budget left", f"{left(self.budget)} ({self.tier})"))
            rows += [
                (f"burn rate, {format_duration(window)}", figures.decimal(rate, 2))
                for window, rate in self.burn.items()
            ]
        rows += [("alert", f"{one.alert.name} fires") for one in self.active_alerts]
        window = f"{format_time(self.interval.start_ns)} to {format_time(self.interval.end_ns)}"
        rows.append(("window", window))
        if self.coverage is not None:
            rows.append(("observed", figures.percent(self.coverage)))
        tier = self.policy_tier
        notes = [] if tier is None else [f"{k}: {action}" for k, action in tier.actions.items()]
        notes += list(self.warnings)
        tone = {"met": "good", "missed": "bad"}.get(self.state, "")
        return Card(self.name, word, tone, lines, ("figure", "value"), rows, notes)

    def __str__(self) -> str:
        if self.state == "no_data":
            return f"{self.name}: no data in {self.interval}"
        if self.budget is None:
            measured = ", ".join(
                f"{m.name} {m.value:.6g} {m.unit} (bound {m.op} {m.bound:g})".replace("  ", " ")
                for m in self.measurements
                if m.value is not None
            )
            return f"{self.name}: {self.state}; {measured}"
        target = self.slo.target_at(self.at_ns).ratio
        bounds = [tier.above for tier in self.slo.policy.tiers if tier.above is not None]
        share = Fraction(self.counts.good) / Fraction(self.counts.total)
        left = figures.percent(self.budget.remaining_exact, lines=bounds)
        return (
            f"{self.name}: {self.state}; SLI {figures.percent(share, 4, lines=[target])} "
            f"against {slo_target(self.slo)}; {left} of the budget left ({self.tier})"
        )


def slo_target(slo: SLO) -> str:
    """The target as text."""
    return "no target" if slo.target is None else str(slo.target)


def budget_to_dict(budget: Budget) -> dict[str, Any]:
    """The budget as the JSON report holds it."""
    return {
        "allowed": budget.allowed,
        "consumed": budget.consumed,
        "consumed_ratio": json_number(budget.consumed_ratio),
        "remaining": budget.remaining,
        "remaining_ratio": json_number(budget.remaining_ratio),
        "allowed_time_s": json_number(budget.allowed_time_s),
        "remaining_time_s": json_number(budget.remaining_time_s),
        "estimated": budget.estimated,
    }
