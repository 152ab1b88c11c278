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
from math import ceil, floor
from typing import Any

from errorbudget.alerts import BurnAlert
from errorbudget.burn import Number
from errorbudget.cards import Card, Shown
from errorbudget.columns import Columns
from errorbudget.durations import HOUR_NS, DurationLike, format_duration, length_of
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.studies.arguments import exact, listed, number
from errorbudget.studies.crossings import Crossings
from errorbudget.studies.tables import frame
from errorbudget.target import Target, TargetLike

__all__ = ["QuietAlert", "quiet_alert"]

WINDOWS = ("15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "2d", "3d")
SHARES = 4
"""Parts between two whole counts at the usual traffic, at which thresholds are tried."""


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
    daily: float = 0.6,
    windows: Iterable[DurationLike | int] = WINDOWS,
    severity: str = "page",
) -> QuietAlert | None:
    """
    The alert that sees an outage first, of those that page falsely no more than so often.

    Each time that it begins to fire is a page, also when it had only just stopped. The bound is
    kept at even traffic, at random arrivals, and at random ones that swing by the day; looking each
    minute misses some beginnings, so that fewer are seen.

    Args:
        target: Exact share of events that must be good, in (0, 1).
        period: Window of the SLO; text, `timedelta` or ns.
        events_per_hour: Usual traffic [events / h].
        false_pages_per_month: False pages in 30 days that are put up with.
        ordinary: Share of bad events of an ordinary day; by default all that the target allows.
        daily: How far a day's traffic swings about its mean, in [0, 1], as in `Season`: the bound
            is kept at this swing and at none.
        windows: Windows that may be looked at, none longer than *period*.
        severity: Severity of the alert.

    Returns:
        The alert, or None where no window holds enough traffic: take a longer one, synthetic
        requests or a lower target.

    Raises:
        InvalidInputError: An argument does not fit.

    Example:
        >>> print(quiet_alert("99.9%", "30d", 60))
        0.0868 of the budget in 30m: waits for 4 bad events, sees an outage after 4m, and pages \
falsely 1 times a month
    """
    goal, period_ns = Target(target), length_of(period)
    rate, bound = (
        _positive("events_per_hour", events_per_hour),
        _positive("false_pages_per_month", false_pages_per_month),
    )
    if rate * period_ns / HOUR_NS >= 2**63:
        raise InvalidInputError(
            f"{shown(events_per_hour)} events an hour are more in {format_duration(period_ns)} "
            "than counts hold, 2**63"
        )
    usual = float(goal.error if ordinary is None else _positive("ordinary", ordinary))
    if not goal.error or usual > 1:
        raise InvalidInputError(
            "at a target of 100 % every failure counts, and there is no false page"
            if not goal.error
            else f"ordinary is a share of events in (0, 1], got {shown(ordinary)}"
        )
    swing = number("daily", daily, least=0, most=1)
    allowed = float(min(bound, Fraction(2**64)))  # a page for each event is all there can be
    best: QuietAlert | None = None
    for window in sorted(map(length_of, listed("windows", windows, '["1h", "6h"]'))):
        total = rate * window / HOUR_NS
        least = max(1, ceil(total * Fraction(usual)))
        if not (window <= period_ns and total >= 1 and (best is None or least < best.wait_for)):
            continue
        # No more than the whole budget can be waited for.
        limit = min(Fraction(1), goal.error * period_ns / window)
        found = _lowest(Crossings(rate, window, usual, swing), least, limit, allowed)
        if found is not None and (best is None or found[0] < best.wait_for):
            wait, share, often = found
            best = QuietAlert(
                BurnAlert("low-traffic", severity, share / goal.error * window / period_ns, window),
                wait,
                often,
                ceil(wait * HOUR_NS / rate),
                Fraction(wait) / (rate * period_ns / HOUR_NS * goal.error),
            )
    return best


def _positive(name: str, value: Number) -> Fraction:
    found = exact(name, value)
    if not found:
        raise InvalidInputError(f"{name} must be above 0, got {shown(value)}")
    return found


def _lowest(
    chance: Crossings, least: int, limit: Fraction, bound: float
) -> tuple[int, Fraction, float] | None:
    """The fewest bad events that chance gathers seldom enough, the share, and how often it does."""

    def shares(wait: int) -> list[Fraction]:
        parts = ((wait - 1 + Fraction(part, SHARES)) / chance.usual for part in range(1, SHARES))
        return [share for share in parts if share < limit]

    def rare(wait: int) -> bool:
        return any(chance.keep_to(share, bound) for share in shares(wait))

    most, step = floor(chance.usual), 1
    low = high = least
    while high < most and not rare(high):
        low, high, step = high + 1, min(most, high + step), 2 * step
    while low < high:
        middle = (low + high) // 2
        if rare(middle):
            high = middle
        else:
            low = middle + 1
    quietest = min(((chance.per_month(share), share) for share in shares(low)), default=None)
    return (low, quietest[1], quietest[0]) if quietest and quietest[0] <= bound else None
