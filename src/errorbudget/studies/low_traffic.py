"""
An alert for little traffic that keeps its promise on false pages.

Where a single failure burns above every usual threshold, an alert has to wait for more of them, and
look back longer to see them. Of the windows that may be looked at, each with the lowest threshold
that chance crosses seldom enough, the one is taken that sees an outage first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from statistics import NormalDist
from typing import Any

from errorbudget.alerts import BurnAlert
from errorbudget.burn import Number
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.durations import HOUR_NS, DurationLike, format_duration, length_of
from errorbudget.errors import InvalidInputError
from errorbudget.studies.arguments import exact, listed
from errorbudget.studies.noise import crossings_per_month
from errorbudget.studies.tables import frame
from errorbudget.target import Target, TargetLike

__all__ = ["QuietAlert", "quiet_alert"]

WINDOWS = ("15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "2d", "3d")
LULL = 0.001
"""Traffic is not even: as little as this share of windows sees is reckoned with."""


_ROW: Columns = {
    "name": "text",
    "severity": "text",
    "budget": "text",
    "long": "text",
    "short": "text?",
    "hold": "text",
    "wait_for": "whole",
    "false_pages_per_month": "number",
    "detection_s": "seconds",
    "budget_spent": "number",
}


@dataclass(frozen=True, slots=True)
class QuietAlert(Shown):
    """
    An alert that chance fires seldom enough.

    Attributes:
        alert: The alert.
        wait_for: Bad events that fire it at the usual traffic [events].
        false_pages_per_month: How often chance alone does, at most [1 / 30 d].
        detection_ns: How long a total outage goes on before it fires, at the usual traffic [ns].
        budget_spent: What it has then spent of the budget [1].
    """

    alert: BurnAlert
    wait_for: int
    false_pages_per_month: float
    detection_ns: int
    budget_spent: Fraction

    def to_dict(self) -> dict[str, Any]:
        """The alert and its promises as plain data, ready for JSON."""
        return {
            "alert": self.alert.to_dict(),
            "wait_for": self.wait_for,
            "false_pages_per_month": self.false_pages_per_month,
            "detection_s": self.detection_ns / 10**9,
            "budget_spent": float(self.budget_spent),
        }

    def to_pandas(self) -> Any:
        """Its figures as one row of a pandas DataFrame."""
        data = self.to_dict()
        return frame([{**data.pop("alert"), **data}], _ROW)

    def _card(self) -> Card:
        return Card(f"Alert {self.alert.name}", "", "", [f"It guards {self}."])

    def __str__(self) -> str:
        return (
            f"{float(self.alert.budget):.3g} of the budget in {format_duration(self.alert.long)}: "
            f"waits for {self.wait_for:,} bad events, sees an outage after "
            f"{format_duration(self.detection_ns)}, and pages falsely "
            f"{self.false_pages_per_month:.2g} times a month"
        )


def quiet_alert(
    target: TargetLike,
    period: DurationLike | int,
    events_per_hour: Number,
    *,
    false_pages_per_month: Number = 1,
    ordinary: Number | None = None,
    windows: Iterable[DurationLike | int] = WINDOWS,
    severity: str = "page",
) -> QuietAlert | None:
    """
    The alert that sees an outage first, of those that page falsely no more than so often.

    Args:
        target: Exact share of events that must be good, in (0, 1).
        period: Window of the SLO; text, `timedelta` or ns.
        events_per_hour: Usual traffic [events / h].
        false_pages_per_month: False pages in 30 days that are put up with.
        ordinary: Share of bad events of an ordinary day; by default all that the target allows.
        windows: Windows that may be looked at, none longer than *period*.
        severity: Severity of the alert.

    Returns:
        The alert, or None where no window holds enough traffic: take a longer one, synthetic
        requests or a lower target.

    Raises:
        InvalidInputError: An argument does not fit.

    Example:
        >>> print(quiet_alert("99.9%", "30d", 60))
        0.0646 of the budget in 2h: waits for 3 bad events, sees an outage after 3m, and pages \
falsely 0.27 times a month

    Source: R. J. Adler, "Level crossings": a sliding count begins to reach a level as often as
    events come that find it one below.
    """
    goal, period_ns = Target(target), length_of(period)
    rate, bound = (
        _positive("events_per_hour", events_per_hour),
        _positive("false_pages_per_month", false_pages_per_month),
    )
    if rate * period_ns / HOUR_NS >= 2**63:
        raise InvalidInputError(
            f"{events_per_hour!r} events an hour are more in {format_duration(period_ns)} than "
            "counts hold, 2**63"
        )
    usual = float(goal.error if ordinary is None else _positive("ordinary", ordinary))
    if not goal.error or usual > 1:
        raise InvalidInputError(
            "at a target of 100 % every failure counts, and there is no false page"
            if not goal.error
            else f"ordinary is a share of events in [0, 1], got {ordinary!r}"
        )
    found = [
        quiet
        for window in sorted(map(length_of, listed("windows", windows, '["1h", "6h"]')))
        if window <= period_ns
        and (quiet := _over(goal, period_ns, rate, bound, usual, window, severity)) is not None
    ]
    return min(found, key=lambda each: (each.detection_ns, each.alert.long), default=None)


def _positive(name: str, value: Number) -> Fraction:
    found = exact(name, value)
    if not found:
        raise InvalidInputError(f"{name} must be above 0, got {value!r}")
    return found


def _over(
    goal: Target,
    period_ns: int,
    rate: Fraction,
    bound: Fraction,
    ordinary: float,
    window: int,
    severity: str,
) -> QuietAlert | None:
    """The lowest threshold on one window that chance crosses seldom enough; None if none does."""
    total = int(rate * window / HOUR_NS)
    low = _in_a_lull(total)
    if not low:
        return None
    first, last = 1, total + 1  # crossings only become rarer beyond the usual count
    first = max(1, ceil(total * ordinary))
    while first < last:
        middle = (first + last) // 2
        if crossings_per_month(rate, total, middle, ordinary) <= bound:
            last = middle
        else:
            first = middle + 1
    # One fewer must not fire even in a lull.
    share = Fraction(first - 1, low) if first > 1 else Fraction(1, 2 * total)
    if share >= 1:
        return None
    budget = share / goal.error * window / period_ns
    if not 0 < budget <= 1:
        return None
    wait = int(share * total) + 1
    return QuietAlert(
        BurnAlert("low-traffic", severity, budget, window),
        wait,
        crossings_per_month(rate, total, first, ordinary),
        ceil(wait * HOUR_NS / rate),
        Fraction(wait) / (rate * period_ns / HOUR_NS * goal.error),
    )


def _in_a_lull(total: int) -> int:
    """Events that all but few windows hold at least, where *total* is usual (Poisson)."""
    reach = -NormalDist().inv_cdf(LULL)
    return max(0, int(total - reach * total**0.5))
