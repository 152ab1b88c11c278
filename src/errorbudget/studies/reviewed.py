"""
What a review knows of one objective: its period, the period before, and what lies between.

Every figure comes from the study that is made for it; here they are asked over one stretch of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.alerts import GUIDE, WORKBOOK
from errorbudget.budget import Ratio, spent
from errorbudget.cards import Card, Shown
from errorbudget.counts import Counts
from errorbudget.durations import HOUR_NS, MINUTE_NS, format_duration
from errorbudget.errors import InvalidSeriesError
from errorbudget.events import Events
from errorbudget.methods import Occurrences
from errorbudget.series import CountSeries, EventSeries, Series
from errorbudget.sli import RatioSLI
from errorbudget.slo import SLO
from errorbudget.status import Status, plain_count
from errorbudget.studies.advice import Advice, advise
from errorbudget.studies.attribution import Attribution, attribute, check_budgeted, units_of
from errorbudget.studies.backtest import backtest
from errorbudget.studies.confidence import Confidence, confidence, dispersion
from errorbudget.studies.forecast import Forecast, forecast
from errorbudget.studies.ledger import Ledger, LedgerEntry, incident_ledger, usual_threshold
from errorbudget.studies.lint import LintReport, lint
from errorbudget.studies.pages import PolicyResult
from errorbudget.studies.pareto import Recommendation, policy_sweep
from errorbudget.studies.tables import figure, frame, percent
from errorbudget.studies.trend import Trend, trend
from errorbudget.times import format_time
from errorbudget.windows import Interval, Rolling

if TYPE_CHECKING:
    from errorbudget.windows.interval import Closed

__all__ = ["Figures", "Part", "SLOReview", "reviewed"]

Data = Events | CountSeries
MOST_VALUES = 1_000
"""A label with more values than this is an id, not something that spends a budget."""
_STEPS = 200


@dataclass(frozen=True, slots=True)
class Part:
    """
    A day, week or month of a period.

    Attributes:
        interval: Its stretch, (start, end].
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
        interval: The period, (start, end].
        observed: The part of it that the data reaches over; None where it does not.
        counts: Its good and bad units.
        burn: How fast it spent, against an even spend [1]; None without units.
        tiers: Share of its time per tier of the objective's policy [1], best tier first.
        alerts: What the objective's alerts did; None when it has none, or without units.
    """

    interval: Interval
    observed: Interval | None
    counts: Counts
    burn: Ratio | None
    tiers: Mapping[str, Fraction]
    alerts: PolicyResult | None

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
        ledger: Incidents of the period; their costs are parts of the period's budget.
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
        return frame(part.to_dict() for part in self.parts)

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


def reviewed(
    slo: SLO,
    data: Data,
    now: Interval,
    before: Interval,
    parts: Sequence[Part],
    *,
    deep: bool,
    incidents: Any = None,
) -> SLOReview:
    """
    One objective over a period.

    Args:
        slo: The objective.
        data: Request events, or a count series.
        now: The period.
        before: The period before it.
        parts: Stretches of the period to be counted.
        deep: Whether to ask the longer reviews' questions too.
        incidents: What truly happened, or None to find it.
    """
    status = slo.evaluate(data, at=now.end_ns)
    earlier = slo.evaluate(data, at=now.start_ns)
    try:
        check_budgeted(slo, data)
    except InvalidSeriesError as error:
        return SLOReview(slo, status, earlier, why_not=str(error))
    units = units_of(slo, data, now.end_ns)
    fixed = slo.replace(target=slo.target_at(now.end_ns))
    seen = [Part(part.interval, _counts(units, part.interval)) for part in parts]
    clusters = _dispersion(units, before.start_ns, now.end_ns, slo.window.closed)
    figures_now = _figures(fixed, data, units, now, incidents)
    figures_before = _figures(fixed, data, units, before, incidents)
    over = fixed.replace(window=Rolling.from_ns(now.length_ns))
    found: dict[str, Any] = {}
    if figures_now.counts:
        found["ledger"] = incident_ledger(
            over,
            data,
            incidents=_within(incidents, now),
            threshold=usual_threshold(slo),
            at=now.end_ns,
        )
        found["forecast"] = forecast(
            slo, data, at=now.end_ns, horizon=now.length_ns, step=_step(now.length_ns)
        )
    if deep and figures_now.counts:
        found |= _deep(slo, fixed, over, data, now, figures_now, clusters)
    return SLOReview(
        slo,
        status,
        earlier,
        now=figures_now,
        before=figures_before,
        parts=tuple(seen),
        trend=trend(figures_before.counts, figures_now.counts, dispersion=clusters),
        **found,
    )


def _counts(units: Series, interval: Interval) -> Counts:
    edges = np.array([interval.start_ns, interval.end_ns], dtype=np.int64)
    good, total = units.cumulative(edges)
    fine, whole = int(good[1] - good[0]), int(total[1] - total[0])
    return Counts(fine, whole - fine)


def _dispersion(units: Series, start_ns: int, end_ns: int, closed: Closed) -> float:
    """How failures clustered over both periods; 1 where the units are time."""
    if isinstance(units, EventSeries):
        units = units.binned(MINUTE_NS, closed=closed)
    if not isinstance(units, CountSeries):
        return 1.0
    inside = (units.end_ns > start_ns) & (units.end_ns <= end_ns)
    return dispersion(
        CountSeries(
            units.label_ns[inside],
            units.good[inside],
            units.total[inside],
            units.step_ns,
            units.closed,
        )
    )


def _step(length_ns: int) -> int:
    """A whole number of hours that makes some two hundred steps of *length_ns*."""
    hours = max(1, length_ns // HOUR_NS // _STEPS)
    return next(each for each in (1, 2, 3, 4, 6, 8, 12, 24) if each >= min(hours, 24)) * HOUR_NS


def _within(incidents: Any, interval: Interval) -> Any:
    """Known incidents that share time with the period; None where they are to be found."""
    from errorbudget.studies.stretches import read_stretches

    if incidents is None:
        return None
    return [
        each
        for each in read_stretches(incidents)
        if each.start_ns < interval.end_ns and each.end_ns > interval.start_ns
    ]


def _figures(slo: SLO, data: Data, units: Series, interval: Interval, incidents: Any) -> Figures:
    counts = _counts(units, interval)
    burn = spent(counts, slo.target_at(interval.end_ns).error)
    observed = _observed(data, interval)
    if not counts or observed is None:
        return Figures(interval, observed, counts, burn, {}, None)
    grain = data.step_ns if isinstance(data, CountSeries) else MINUTE_NS
    step_ns = max(HOUR_NS, grain)
    history = slo.history(
        data, step=format_duration(step_ns), start=interval.start_ns + 1, end=interval.end_ns
    )
    tiers = Counter(tier for tier in history.tier if tier is not None)
    shares = {
        tier.name: Fraction(tiers[tier.name], tiers.total())
        for tier in slo.policy.tiers
        if tiers.total()
    }
    alerts = None
    # A history that lies within one step of the grid has no instant at which alerts are seen.
    if slo.alerts is not None and interval.end_ns // grain * grain > observed.start_ns:
        alerts = backtest(
            slo,
            data,
            incidents=_within(incidents, interval),
            start=observed.start_ns + 1,
            end=interval.end_ns,
        )[0]
    return Figures(interval, observed, counts, burn, shares, alerts)


def _observed(data: Data, interval: Interval) -> Interval | None:
    """The part of *interval* that is not before the data; incidents cost what it was like then."""
    if data.span is None or data.span[0] >= interval.end_ns:
        return None
    return Interval(max(interval.start_ns, data.span[0]), interval.end_ns, "right")


def _deep(
    slo: SLO,
    fixed: SLO,
    over: SLO,
    data: Data,
    now: Interval,
    figures: Figures,
    clusters: float,
) -> dict[str, Any]:
    """What monthly and quarterly reviews ask beside."""
    found: dict[str, Any] = {
        "confidence": confidence(figures.counts, fixed.target_at(now.end_ns), dispersion=clusters),
        "policy": _better_policy(fixed, data, now, figures),
        "spenders": _spenders(over, data, now.end_ns),
    }
    if isinstance(slo.sli, RatioSLI) and isinstance(slo.method, Occurrences):
        past = _until(slo, data, now.end_ns)
        if past.span is not None:
            # Pages are those that alerts send minute by minute; pitfalls are seen by the hour.
            found["advice"] = advise(slo, past)
            hours = past.coarser(HOUR_NS) if HOUR_NS % past.step_ns == 0 else past
            found["lint"] = lint(slo, counts={slo.name: hours}, ignore=["EB101", "EB102"])
    return found


def _until(slo: SLO, data: Data, end_ns: int) -> CountSeries:
    """The history as it was known at the period's end."""
    series = slo.count(data) if isinstance(data, Events) else data
    return series.until(end_ns)


def _spenders(over: SLO, data: Data, at_ns: int) -> tuple[Attribution, ...]:
    if not isinstance(data, Events):
        return ()
    if not isinstance(over.sli, RatioSLI) or not isinstance(over.method, Occurrences):
        return ()
    names = ["status"] if data.status is not None else []
    names += [name for name, label in data.labels.items() if len(label.values) <= MOST_VALUES]
    return tuple(attribute(over, data, name, at=at_ns) for name in names)


def _better_policy(slo: SLO, data: Data, now: Interval, figures: Figures) -> Recommendation | None:
    """A policy that leaves less unseen for no more false pages than the present one's."""
    present = figures.alerts
    if present is None or not present.detections:
        return None
    assert figures.observed is not None  # noqa: S101 - alerts were tried on it
    known = [found.incident for found in present.detections]
    tried = [each for each in (WORKBOOK, GUIDE) if each.name != present.name]
    tried += policy_sweep(
        budget=["1%", "2%", "5%", "10%"], long=["30m", "1h", "3h", "6h"], short=["1/12"]
    )
    result = backtest(
        slo, data, tried, incidents=known, start=figures.observed.start_ns + 1, end=now.end_ns
    )
    best = result.recommend(present.false_pages_per_month or 0)
    quieter = len(best.result.false_pages) <= len(present.false_pages)
    return best if quieter and best.result.spent_unseen < present.spent_unseen else None
