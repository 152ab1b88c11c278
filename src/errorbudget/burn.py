"""
How fast the budget is spent, and what follows from it.

A burn rate of 1 uses the budget up exactly at the end of the SLO's period; 14.4 held for one hour
uses 2 % of a 30-day budget. Every relation between burn rate, window, period and spent share is one
line of arithmetic, kept exact here so that thresholds are answers and not constants.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf
from numbers import Real

from errorbudget.budget import Ratio, budget
from errorbudget.counts import Counts
from errorbudget.durations import SECOND_NS, DurationLike, length_of
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import parse_rational, shown
from errorbudget.target import Target, TargetLike

__all__ = [
    "budget_spent",
    "burn_rate",
    "burn_rate_exact",
    "burn_threshold",
    "detection_time",
    "max_burn_rate",
    "reset_time",
    "time_to_exhaustion",
    "traffic_weighted_spend",
]

Number = int | float | str | Fraction


def _number(name: str, value: Number) -> Fraction:
    try:
        return parse_rational(value)
    except ValueError:
        raise InvalidInputError(f"{name} must be a finite number, got {shown(value)}") from None


def _at_least_zero(name: str, value: Number) -> Fraction:
    exact = _number(name, value)
    if exact < 0:
        raise InvalidInputError(f"{name} must not be negative, got {value}")
    return exact


def _is(value: object, infinity: float) -> bool:
    return isinstance(value, (str, Real)) and value in (str(infinity), infinity)


def _share(name: str, value: Number) -> Fraction:
    exact = _number(name, value)
    if not 0 < exact <= 1:
        raise InvalidInputError(f"{name} must be greater than 0 and at most 1, got {value}")
    return exact


def burn_rate_exact(counts: Counts, target: TargetLike) -> Ratio | None:
    """The burn rate before any rounding: a fraction, inf, or None without events."""
    return budget(counts, target).consumed_exact


def burn_rate(counts: Counts, target: TargetLike) -> float | None:
    """
    How fast the budget is being spent, against an even spend.

    1.0 uses the budget up exactly at the end of the window; 14.4 held for one
    hour uses 2 % of a 30-day budget.

    Args:
        counts: Good and bad events of one interval [events].
        target: Exact share of events that must be good, in (0, 1].

    Returns:
        Burn rate [1, >= 0], correctly rounded from the exact fraction, or None when there are no
        events; inf for any bad event at a target of 100 %. The numpy twin takes and returns shape
        (n,), float64, with NaN for no events.

    Raises:
        InvalidTargetError: *target* lies outside (0, 1].

    Example:
        >>> burn_rate(Counts(good=4_928, bad=72), "99.9%")
        14.4

    Source: Site Reliability Workbook, ch. 5, "Alerting on SLOs".
    """
    exact = burn_rate_exact(counts, target)
    return None if exact is None else float(exact)


def burn_threshold(
    budget_fraction: Number, window: DurationLike | int, period: DurationLike | int
) -> Fraction:
    """
    The burn rate that spends *budget_fraction* of the period's budget within *window*.

    Args:
        budget_fraction: Share of the budget, such as `"2%"` or 0.02, in (0, 1].
        window: Look-back of the alert; text, `timedelta` or ns.
        period: Window of the SLO; text, `timedelta` or ns.

    Returns:
        The threshold [1, > 0], exactly.

    Raises:
        InvalidInputError: *budget_fraction* lies outside (0, 1].

    Example:
        >>> float(burn_threshold("2%", "1h", "30d"))
        14.4

    Source: Site Reliability Workbook, ch. 5, table 5-6.
    """
    return _share("budget_fraction", budget_fraction) * length_of(period) / length_of(window)


def budget_spent(burn: Number, window: DurationLike | int, period: DurationLike | int) -> Fraction:
    """
    Share of the period's budget that *burn* spends when it lasts for *window*.

    Example:
        >>> float(budget_spent(14.4, "1h", "30d"))
        0.02
    """
    return _at_least_zero("burn", burn) * length_of(window) / length_of(period)


def time_to_exhaustion(burn: Number, period: DurationLike | int, remaining: Number = 1) -> float:
    """
    How long the budget lasts when it goes on burning at *burn*.

    It holds for a budget that does not return: for rolling windows, where old errors age out, it is
    the earliest moment; the forecast knows better.

    Args:
        burn: Burn rate [1, >= 0].
        period: Window of the SLO; text, `timedelta` or ns.
        remaining: Share of the budget that is left [1].

    Returns:
        Time [s]; 0 when nothing is left or the burn is inf, inf when nothing burns.

    Example:
        >>> time_to_exhaustion(14.4, "30d") / 3600
        50.0
        >>> time_to_exhaustion(float("inf"), "30d"), time_to_exhaustion(0, "30d")
        (0.0, inf)

    Source: Site Reliability Workbook, ch. 5, table 5-4.
    """
    if _is(burn, inf) or _is(remaining, -inf):
        return 0.0  # a target of 100 % after its first bad event
    rate, left = _at_least_zero("burn", burn), _number("remaining", remaining)
    if left <= 0:
        return 0.0
    try:
        return float(left * length_of(period) / rate / SECOND_NS) if rate else inf
    except OverflowError:
        return inf


def max_burn_rate(target: TargetLike) -> float:
    """
    The burn rate when every event is bad: no threshold at or above it can ever be exceeded.

    Example:
        >>> max_burn_rate("90%")
        10.0
    """
    error = Target(target).error
    return float(1 / error) if error else inf


def detection_time(
    target: TargetLike, threshold: Number, window: DurationLike | int, error_rate: Number
) -> float | None:
    """
    How long errors go on before a burn-rate alert fires.

    Args:
        target: Exact share of events that must be good, in (0, 1].
        threshold: Burn rate above which the alert fires [1].
        window: Look-back of the alert; text, `timedelta` or ns.
        error_rate: Share of bad events during the incident, in (0, 1]; traffic is even, and there
            was none bad before.

    Returns:
        Time until the window's burn rate reaches *threshold* [s], or None when it never exceeds it.

    Example:
        >>> detection_time("99.9%", 14.4, "1h", "15%")
        345.6

    Source: Site Reliability Workbook, ch. 5: (1 - SLO) / error ratio x window x burn rate.
    """
    share = (
        Target(target).error
        * _at_least_zero("threshold", threshold)
        / _share("error_rate", error_rate)
    )
    return float(share * length_of(window) / SECOND_NS) if share < 1 else None


def reset_time(
    target: TargetLike,
    threshold: Number,
    window: DurationLike | int,
    error_rate: Number,
    incident: DurationLike | int,
) -> float | None:
    """
    How long a burn-rate alert goes on firing after the incident is over.

    Args:
        target: Exact share of events that must be good, in (0, 1].
        threshold: Burn rate above which the alert fires [1].
        window: Look-back of the alert; text, `timedelta` or ns.
        error_rate: Share of bad events during the incident, in (0, 1].
        incident: How long it lasted; text, `timedelta` or ns.

    Returns:
        Time from the end of the incident until the burn rate is back at *threshold* [s], or None
        when the alert did not fire.

    Example:
        >>> reset_time("99.9%", 14.4, "1h", "15%", "10m")
        3254.4
    """
    window_ns = length_of(window)
    needed = (
        Target(target).error
        * _at_least_zero("threshold", threshold)
        / _share("error_rate", error_rate)
        * window_ns
    )
    seen = min(length_of(incident), window_ns)
    return float((window_ns - needed) / SECOND_NS) if seen >= needed else None


def traffic_weighted_spend(
    counts: Counts,
    mean_total: Number,
    target: TargetLike,
    window: DurationLike | int,
    period: DurationLike | int,
) -> Fraction | None:
    """
    Share of the period's budget that one window spent, weighted by its share of the traffic.

    A burn rate treats every window as if it carried an average load; a quiet night's failures are
    dearer in it than they are in the budget. Scaling with `total / mean_total` repairs that.

    Args:
        counts: Events of the window [events].
        mean_total: Events that such a window has on average over the period [events, > 0].
        target: Exact share of events that must be good, in (0, 1].
        window: Length of the window; text, `timedelta` or ns.
        period: Window of the SLO; text, `timedelta` or ns.

    Example:
        >>> float(traffic_weighted_spend(Counts(good=20, bad=100), 125, "95%", "1h", "30d"))
        0.022222222222222223
    """
    mean = _number("mean_total", mean_total)
    if mean <= 0:
        raise InvalidInputError(f"mean_total must be greater than 0, got {mean_total}")
    rate = burn_rate_exact(counts, target)
    if rate is None:
        return None
    if isinstance(rate, float):
        raise InvalidInputError("a target of 100 % has no budget to spend a share of")
    return rate * length_of(window) / length_of(period) * Fraction(counts.total) / mean
