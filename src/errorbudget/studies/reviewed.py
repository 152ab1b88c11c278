"""
What a review knows of one objective: its period, the period before, and what lies between.

`studies.inspection` asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.budget import Ratio
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.counts import Counts
from errorbudget.slo import SLO
from errorbudget.status import Status, plain_count
from errorbudget.studies.advice import Advice
from errorbudget.studies.attribution import Attribution
from errorbudget.studies.confidence import Confidence
from errorbudget.studies.forecast import Forecast
from errorbudget.studies.ledger import Ledger, LedgerEntry
from errorbudget.studies.lint import LintReport
from errorbudget.studies.pages import PolicyResult
from errorbudget.studies.pareto import Recommendation
from errorbudget.studies.tables import figure, frame, percent
from errorbudget.studies.trend import Trend
from errorbudget.times import format_time
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Figures", "Part", "SLOReview"]


SUMMARY: Columns = {
    "slo": "text",
    "state": "text",
    "state_before": "text",
    "tier": "text?",
    "tier_before": "text?",
    "remaining_ratio": "figure",
    "remaining_ratio_before": "figure",
    "bad": "count",
    "bad_before": "count",
    "total": "count",
    "total_before": "count",
    "trend": "text?",
    "incidents": "whole",
    "pages": "count",
}
"""The figures of an objective as a row."""
PART: Columns = {
    "start": "instant",
    "end": "instant",
    "bad": "count",
    "total": "count",
    "sli": "chance",
}
"""A part of a period as a row."""


@dataclass(frozen=True, slots=True)
class Part:
    """
    A day, week or month of a period.

    Attributes:
        interval: Its stretch; a calendar's is [start, end), another (start, end].
        counts: Good and bad units in it.
    """

    interval: Interval
    counts: Counts = field(default_factory=Counts)

    def to_dict(self) -> dict[str, Any]:
        """The part as plain data, ready for JSON."""
        share = Fraction(self.counts.good) / Fraction(self.counts.total) if self.counts else None
        return {
            "start": format_time(self.interval.start_ns),
            "end": format_time(self.interval.end_ns),
            "bad": plain_count(self.counts.bad),
            "total": plain_count(self.counts.total),
            "sli": figure(share),
        }


@dataclass(frozen=True, slots=True)
class Figures:
    """
    One objective over one period.

    Attributes:
        interval: The period; a calendar's is [start, end), another (start, end].
        observed: The part of it that the data reaches over; None where it does not.
        counts: Its good and bad units.
        burn: How fast it spent, against an even spend [1]; None without units.
        tiers: Share of its time per tier of the objective's policy [1], best tier first.
        alerts: What the objective's alerts did; None when it has none, or without units.
        time_ns: Instants at which the budget was looked at [ns UTC], ascending; int64, shape (n,).
        left: Share of the budget left at each of them [1], NaN without units; shape (n,).
    """

    interval: Interval
    observed: Interval | None
    counts: Counts
    burn: Ratio | None
    tiers: Mapping[str, Fraction]
    alerts: PolicyResult | None
    time_ns: Integers = field(
        default_factory=lambda: np.empty(0, np.int64), compare=False, repr=False
    )
    left: Floats = field(default_factory=lambda: np.empty(0), compare=False, repr=False)

    @property
    def sli(self) -> Fraction | None:
        """Share of good units, exactly; None without units."""
        return Fraction(self.counts.good) / Fraction(self.counts.total) if self.counts else None

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain data, ready for JSON."""
        return {
            "good": plain_count(self.counts.good),
            "bad": plain_count(self.counts.bad),
            "total": plain_count(self.counts.total),
            "sli": figure(self.sli),
            "burn_rate": figure(self.burn),
            "tiers": {name: figure(share) for name, share in self.tiers.items()},
            "alerts": None if self.alerts is None else self.alerts.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class SLOReview(Shown):
    """
    One objective in a review.

    Attributes:
        slo: The objective.
        status: Where it stands at the period's end.
        status_before: Where it stood at its start.
        why_not: Why there is no more than its status; empty where there is.
        now: Figures of the period.
        before: Figures of the period before.
        parts: The period's days, weeks or months.
        trend: Whether failures became more or fewer.
        ledger: Incidents of the period, those that were named, or found and costing more than 1 %
            of a whole window's budget; costs in it are parts of the period's budget, see `cost`.
        spenders: Who spent it, by column, for monthly and quarterly reviews of events.
        confidence: How sure the period's figures are, for monthly and quarterly reviews.
        advice: Whether the target fits, for monthly and quarterly reviews.
        policy: Alerts that would have done better on the period, likewise; None where none would.
        lint: Pitfalls of the objective, likewise.
        forecast: Where the budget is going over as long a time again.
    """

    slo: SLO
    status: Status
    status_before: Status
    why_not: str = ""
    now: Figures | None = None
    before: Figures | None = None
    parts: tuple[Part, ...] = ()
    trend: Trend | None = None
    ledger: Ledger | None = None
    spenders: tuple[Attribution, ...] = ()
    confidence: Confidence | None = None
    advice: Advice | None = None
    policy: Recommendation | None = None
    lint: LintReport | None = None
    forecast: Forecast | None = None

    @property
    def remaining(self) -> Ratio | None:
        """Share of the budget left at the period's end; None without a budget or events."""
        return None if self.status.budget is None else self.status.budget.remaining_exact

    @property
    def remaining_before(self) -> Ratio | None:
        """Share of the budget left at its start; None without a budget or events."""
        budget = self.status_before.budget
        return None if budget is None else budget.remaining_exact

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left of the budget."""
        return self.remaining is not None and self.remaining <= 0

    @property
    def incidents(self) -> tuple[LedgerEntry, ...]:
        """Incidents of the period, by start."""
        return () if self.ledger is None else self.ledger.entries

    def cost(self, entry: LedgerEntry) -> Ratio | None:
        """What an incident cost of one whole window's budget at the period's traffic [1]."""
        if entry.cost is None or self.now is None or self.now.observed is None:
            return None
        return entry.cost * Fraction(self.now.observed.length_ns, self.slo.period_ns)

    def summary(self) -> dict[str, Any]:
        """The figures of the objective in one row."""
        now, before = self.now, self.before
        return {
            "slo": self.slo.name,
            "state": self.status.state,
            "state_before": self.status_before.state,
            "tier": self.status.tier,
            "tier_before": self.status_before.tier,
            "remaining_ratio": figure(self.remaining),
            "remaining_ratio_before": figure(self.remaining_before),
            "bad": None if now is None else plain_count(now.counts.bad),
            "bad_before": None if before is None else plain_count(before.counts.bad),
            "total": None if now is None else plain_count(now.counts.total),
            "total_before": None if before is None else plain_count(before.counts.total),
            "trend": None if self.trend is None else self.trend.direction,
            "incidents": len(self.incidents),
            "pages": None if now is None or now.alerts is None else len(now.alerts.pages),
        }

    def to_pandas(self) -> Any:
        """The parts of the period, a row each, as a pandas DataFrame."""
        return frame((part.to_dict() for part in self.parts), PART)

    def _card(self) -> Card:
        lines = [
            f"{percent(self.remaining)} of the budget left, {percent(self.remaining_before)} before"
        ]
        lines += [self.why_not] if self.why_not else []
        lines += [f"Failures: {self.trend}."] if self.trend else []
        rows = [
            (
                format_time(part.interval.start_ns),
                f"{part.counts.bad:,}",
                f"{part.counts.total:,}",
                percent(part.to_dict()["sli"]),
            )
            for part in self.parts
        ]
        header = ("from", "bad", "total", "SLI") if rows else ()
        state = self.status.state.replace("_", " ")
        tone = {"met": "good", "missed": "bad"}.get(self.status.state, "")
        return Card(f"Review of {self.slo.name}", state, tone, lines, header, rows)

    def to_dict(self) -> dict[str, Any]:
        """Everything about the objective as plain data, ready for JSON."""
        incidents = [
            {**entry.to_dict(), "cost": figure(self.cost(entry))} for entry in self.incidents
        ]
        return {
            "name": self.slo.name,
            "objective": self.slo.objective(),
            "metadata": self.slo.metadata(),
            "status": self.status.to_dict(),
            "status_before": self.status_before.to_dict(),
            "why_not": self.why_not or None,
            "now": None if self.now is None else self.now.to_dict(),
            "before": None if self.before is None else self.before.to_dict(),
            "parts": [part.to_dict() for part in self.parts],
            "trend": None if self.trend is None else self.trend.to_dict(),
            "incidents": incidents,
            "spenders": [each.to_dict() for each in self.spenders],
            "confidence": None if self.confidence is None else self.confidence.to_dict(),
            "advice": None if self.advice is None else self.advice.to_dict(),
            "policy": None if self.policy is None else self.policy.to_dict(),
            "lint": None if self.lint is None else self.lint.to_dict(),
            "forecast": None if self.forecast is None else self.forecast.to_dict(),
        }
