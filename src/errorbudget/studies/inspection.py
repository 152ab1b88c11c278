"""
What a review asks of the other studies about one objective, over its period and the one before.

Every figure comes from the study that is made for it; here they are asked over one stretch of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget.alerts import GUIDE, WORKBOOK
from errorbudget.budget import spent
from errorbudget.counts import Counts
from errorbudget.durations import HOUR_NS, MINUTE_NS, format_duration
from errorbudget.errors import InvalidSeriesError
from errorbudget.evaluation import evaluate_series, left_out_said
from errorbudget.events import Events
from errorbudget.methods import Occurrences
from errorbudget.series import CountSeries, EventSeries, Series
from errorbudget.sli import RatioSLI
from errorbudget.slo import SLO
from errorbudget.status import Status
from errorbudget.studies.advice import advise
from errorbudget.studies.attribution import Attribution, attribute
from errorbudget.studies.backtest import backtest
from errorbudget.studies.budgeted import (
    bins_between,
    check_budgeted,
    counts_between,
    history_until,
    units_of,
)
from errorbudget.studies.burning import usual_threshold
from errorbudget.studies.confidence import confidence, dispersion
from errorbudget.studies.forecast import forecast
from errorbudget.studies.ledger import ledger_of_units
from errorbudget.studies.lint import lint
from errorbudget.studies.pareto import Recommendation, policy_sweep
from errorbudget.studies.reviewed import Figures, Part, SLOReview
from errorbudget.studies.trend import trend
from errorbudget.windows import Interval, Rolling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from errorbudget.windows.interval import Closed

    Integers = NDArray[np.int64]

__all__ = ["reviewed"]

Data = Events | CountSeries
MOST_VALUES = 1_000
"""A label with more values than this is an id, not something that spends a budget."""
LEAST_COST = Fraction(1, 100)
"""Part of a whole window's budget that a stretch must have cost to be found as an incident."""
_STEPS = 200


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
    try:
        check_budgeted(slo, data)
    except InvalidSeriesError as error:
        status, earlier = (slo.evaluate(data, at=_last(each)) for each in (now, before))
        return SLOReview(slo, status, earlier, why_not=str(error))
    units = units_of(slo, data, now.end_ns)
    status, earlier = (_status(slo, data, units, each) for each in (now, before))
    fixed = slo.replace(target=slo.target_at(_last(now)))
    seen = [Part(part.interval, _counts(units, part.interval)) for part in parts]
    clusters = _dispersion(units, before.start_ns, now.end_ns, slo.window.closed)
    figures_now = _figures(fixed, data, units, now, incidents)
    figures_before = _figures(fixed, data, units, before, incidents)
    # Costs are parts of what the whole period had: a reset within it takes nothing out.
    over = fixed.replace(window=Rolling.from_ns(now.length_ns), resets=())
    found: dict[str, Any] = {}
    if figures_now.counts:
        step_ns = data.step_ns if isinstance(data, CountSeries) else MINUTE_NS
        found["ledger"] = ledger_of_units(
            over,
            units,
            _counted_in(units, now),
            figures_now.counts,
            over.target_at(_last(now)).error,
            incidents=_within(incidents, now),
            threshold=usual_threshold(slo),
            step_ns=step_ns,
            window_ns=max(5 * MINUTE_NS, step_ns),
            merge_ns=30 * MINUTE_NS,
            least=_least_cost(slo, figures_now),
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


class _UntilTheirEnd:
    """Bins that are whole at the last instant before their end, as a calendar's last one is."""

    def __init__(self, series: Series) -> None:
        self._series, self.span, self.coverage = series, series.span, series.coverage

    def cumulative(
        self, edges_ns: Integers, *, inclusive: bool = True
    ) -> tuple[Integers, Integers]:
        return self._series.cumulative(edges_ns + 1, inclusive=inclusive)


def _last(period: Interval) -> int:
    """The last instant of a period; the end of a calendar's is the next one's first."""
    return period.end_ns - (period.closed == "left")


def _status(slo: SLO, data: Data, units: Series, period: Interval) -> Status:
    """Where the objective stands at the last instant of a period."""
    status = slo.evaluate(data, at=_last(period))
    if period.closed == "right" or not isinstance(units, CountSeries):
        return status
    left_out = status.left_out
    return evaluate_series(
        slo,
        _UntilTheirEnd(units),
        at_ns=status.at_ns,
        left_out=left_out,
        warnings=left_out_said(slo, data, left_out) if isinstance(data, Events) else (),
    )


def _counted_in(units: Series, period: Interval) -> Interval:
    """The period as (start, end]: bins end with it, and single events lie before its end."""
    early = period.closed == "left" and isinstance(units, EventSeries)
    return Interval(period.start_ns - early, period.end_ns - early, "right")


def _counts(units: Series, period: Interval) -> Counts:
    inside = _counted_in(units, period)
    return counts_between(units, inside.start_ns, inside.end_ns)


def _least_cost(slo: SLO, figures: Figures) -> Fraction:
    """`LEAST_COST` of a whole window's budget, as part of what the observed period has."""
    observed = figures.observed or figures.interval
    return LEAST_COST * Fraction(slo.period_ns, observed.length_ns)


def _dispersion(units: Series, start_ns: int, end_ns: int, closed: Closed) -> float:
    """How failures clustered over both periods; 1 where the units are time."""
    bins = bins_between(units, start_ns, end_ns, closed)
    return 1.0 if bins is None else dispersion(bins)


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
    burn = spent(counts, slo.target_at(_last(interval)).error)
    observed = _observed(data, interval)
    if not counts or observed is None:
        return Figures(interval, observed, counts, burn, {}, None)
    grain = data.step_ns if isinstance(data, CountSeries) else MINUTE_NS
    step_ns = max(HOUR_NS, grain)
    last_ns = _last(interval)
    history = slo.history(
        data, step=format_duration(step_ns), start=last_ns - interval.length_ns + 1, end=last_ns
    )
    tiers = Counter(tier for tier in history.tier if tier is not None)
    shares = {
        tier.name: Fraction(tiers[tier.name], tiers.total())
        for tier in slo.policy.tiers
        if tiers.total()
    }
    alerts = None
    # A history that lies within one step of the grid has no instant at which alerts are seen.
    if interval.end_ns // grain * grain > observed.start_ns:
        alerts = backtest(
            slo,
            data,
            incidents=_within(incidents, interval),
            start=observed.start_ns + 1,
            end=interval.end_ns,
        )[0]
    return Figures(
        interval,
        observed,
        counts,
        burn,
        shares,
        alerts,
        time_ns=history.time_ns,
        left=history.remaining_ratio,
    )


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
        "confidence": confidence(figures.counts, fixed.target_at(_last(now)), dispersion=clusters),
        "policy": _better_policy(fixed, data, now, figures),
        "spenders": _spenders(over, data, _last(now)),
    }
    if isinstance(slo.sli, RatioSLI) and isinstance(slo.method, Occurrences):
        past = history_until(slo, data, now.end_ns)
        if past.span is not None:
            # Pages are those that alerts send minute by minute; pitfalls are seen by the hour.
            found["advice"] = advise(slo, past)
            hours = past.coarser(HOUR_NS) if HOUR_NS % past.step_ns == 0 else past
            found["lint"] = lint(slo, counts={slo.name: hours}, ignore=["EB101", "EB102"])
    return found


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
        budget=["1%", "2%", "5%", "10%"],
        long=["30m", "1h", "3h", "6h"],
        short=["1/12"],
        window=slo.period_ns,
    )
    result = backtest(
        slo, data, tried, incidents=known, start=figures.observed.start_ns + 1, end=now.end_ns
    )
    best = result.recommend(present.noise_per_month or 0)
    quieter = best.result.noise <= present.noise
    return best if quieter and best.result.spent_unseen < present.spent_unseen else None
