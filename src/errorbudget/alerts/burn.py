"""
Burn-rate alerts.

An alert knows three numbers: the share of the budget that it guards, the window in which that share
would be spent, and the period of the SLO. The threshold follows; it is never a constant. A short
window beside the long one makes the alert stop soon after the errors do; both must exceed the
threshold, strictly.

Source: Site Reliability Workbook, ch. 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from errorbudget.budget import Ratio
from errorbudget.burn import burn_threshold, detection_time, reset_time
from errorbudget.durations import MINUTE_NS, SECOND_NS, DurationLike, format_duration, length_of
from errorbudget.errors import InvalidInputError, InvalidWindowError
from errorbudget.rationals import is_whole, parse_rational, shown
from errorbudget.target import Target, TargetLike, format_percent

if TYPE_CHECKING:
    from errorbudget.burn import Number

__all__ = ["SEVERITIES", "BurnAlert"]

SEVERITIES = ("critical", "page", "warning", "ticket", "info")
"""From the most urgent to the least: a firing alert silences those after it."""


def _hold_ns(value: DurationLike | int) -> int:
    number = isinstance(value, str) or is_whole(value)
    return 0 if number and value in ("0", "0s", 0) else length_of(value)


@lru_cache(maxsize=1024)  # by integers: to hash a fraction takes as long as the division
def _threshold(share: int, whole: int, long: int, period_ns: int) -> Fraction:
    return burn_threshold(Fraction(share, whole), long, period_ns)


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """
    Fires while the burn rate of every window exceeds the threshold.

    Args:
        name: Name of the alert.
        severity: "critical" or "page", "warning" or "ticket", "info".
        budget: Share of the period's budget that the long window may spend before it fires,
            in (0, 1].
        long: Long window; text, `timedelta` or ns.
        short: Short window, or None for a single-window alert.
        hold: How long the condition must hold before the alert fires (`for:` in Prometheus).

    Example:
        >>> BurnAlert("fast", "page", "2%", "1h", "5m").threshold("30d")
        Fraction(72, 5)
    """

    name: str
    severity: str
    budget: Fraction
    long: int
    short: int | None = None
    hold: int = 0

    if TYPE_CHECKING:

        def __init__(
            self,
            name: str,
            severity: str,
            budget: Number,
            long: DurationLike | int,
            short: DurationLike | int | None = None,
            hold: DurationLike | int = 0,
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InvalidInputError(f"an alert needs a name, got {shown(self.name)}")
        if not isinstance(self.severity, str) or self.severity not in SEVERITIES:
            raise InvalidInputError(
                f'alert "{self.name}": severity must be one of {", ".join(SEVERITIES)}, '
                f"got {shown(self.severity)}"
            )
        try:
            share = parse_rational(self.budget)
        except ValueError:
            share = Fraction(0)
        if not 0 < share <= 1:
            raise InvalidInputError(
                f'alert "{self.name}": budget must be a share such as "2%", '
                f"got {shown(self.budget)}"
            )
        object.__setattr__(self, "budget", share)
        object.__setattr__(self, "long", length_of(self.long))
        object.__setattr__(self, "hold", _hold_ns(self.hold))
        if self.short is not None:
            object.__setattr__(self, "short", length_of(self.short))
        if self.short is not None and self.short >= self.long:
            raise InvalidWindowError(
                f'alert "{self.name}": the short window must be shorter than the long one, '
                f"got {format_duration(self.short)} and {format_duration(self.long)}"
            )

    @property
    def windows(self) -> tuple[int, ...]:
        """The windows that must all burn [ns], longest first."""
        return (self.long,) if self.short is None else (self.long, self.short)

    def threshold(self, period: DurationLike | int) -> Fraction:
        """The burn rate to exceed, for an SLO of *period*: budget x period / long window."""
        share = self.budget
        return _threshold(share.numerator, share.denominator, self.long, length_of(period))

    def condition(self, burn_rates: Mapping[int, Ratio | None], period: DurationLike | int) -> bool:
        """
        Whether every window exceeds the threshold, strictly; without events nothing burns.

        Args:
            burn_rates: Exact burn rate by window [ns].
            period: Window of the SLO; text, `timedelta` or ns.
        """
        threshold = self.threshold(period)
        rates = [burn_rates.get(window) for window in self.windows]
        return all(rate is not None and rate > threshold for rate in rates)

    def reachable(self, target: TargetLike, period: DurationLike | int) -> bool:
        """
        Whether a total outage could exceed the threshold at all.

        Example:
            >>> BurnAlert("fast", "page", "2%", "1h").reachable("90%", "30d")
            False
        """
        return self.threshold(period) * Target(target).error < 1

    def detection_time(
        self, target: TargetLike, period: DurationLike | int, error_rate: Any = 1
    ) -> float | None:
        """Seconds of steady errors until it fires, `hold` included; None when it never does."""
        reached = self._reached(target, period, error_rate)
        return None if reached is None else reached + self.hold / SECOND_NS

    def _reached(
        self, target: TargetLike, period: DurationLike | int, error_rate: Any
    ) -> float | None:
        """Seconds of steady errors until the condition holds; the longest window is the last."""
        return detection_time(target, self.threshold(period), self.long, error_rate)

    def reset_time(
        self,
        target: TargetLike,
        period: DurationLike | int,
        error_rate: Any,
        incident: DurationLike | int,
    ) -> float | None:
        """Seconds from the end of the incident until it stops; None when it did not fire."""
        threshold = self.threshold(period)
        reached = self._reached(target, period, error_rate)
        times = [
            reset_time(target, threshold, window, error_rate, incident) for window in self.windows
        ]
        ends = [time for time in times if time is not None]
        if reached is None or len(ends) < len(times):
            return None
        # The condition goes on after the incident, and may fill the hold only then.
        held = length_of(incident) / SECOND_NS + min(ends) - reached
        return min(ends) if held >= self.hold / SECOND_NS else None

    def budget_spent_at_firing(
        self, target: TargetLike, period: DurationLike | int, error_rate: Any = 1
    ) -> Fraction | None:
        """
        Share of the period's budget gone when it fires, for steady errors; None when it never does.

        The condition alone is reached at exactly `budget`, whatever the error rate; `hold` adds.
        """
        if self.detection_time(target, period, error_rate) is None:
            return None
        period_ns = length_of(period)
        error = Target(target).error
        if not error:
            return None
        return self.budget + parse_rational(error_rate) / error * self.hold / period_ns

    def rescaled(self, period: DurationLike | int, *, reference: DurationLike | int) -> BurnAlert:
        """The same alert for another period: windows and hold stretch, the threshold stays."""
        to_ns, from_ns = length_of(period), length_of(reference)

        def stretch(window: int, unit: int) -> int:
            # To the nearest, halves up: `round` would send 2.5 and 3.5 minutes different ways.
            units = (2 * window * to_ns + from_ns * unit) // (2 * from_ns * unit)
            return max(1, units) * unit

        threshold = self.threshold(from_ns)
        # In a period of minutes, a whole minute may be more than its entire budget lasts.
        unit = MINUTE_NS if threshold * stretch(self.long, MINUTE_NS) <= to_ns else 1
        long = stretch(self.long, unit)
        short = None if self.short is None else stretch(self.short, unit)
        # The rounding moves the threshold, unless the guarded share moves with it.
        return replace(
            self,
            budget=min(Fraction(1), threshold * long / to_ns),
            long=long,
            short=None if short is None or short >= long else short,
            hold=stretch(self.hold, unit) if self.hold else 0,
        )

    def to_dict(self) -> dict[str, Any]:
        """The alert as plain data."""
        return {
            "name": self.name,
            "severity": self.severity,
            "budget": format_percent(self.budget),
            "long": format_duration(self.long),
            "short": None if self.short is None else format_duration(self.short),
            "hold": format_duration(self.hold),
        }
