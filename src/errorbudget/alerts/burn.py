"""
Burn-rate alerts.

An alert knows three numbers: the share of the budget that it guards, the window in which that share
would be spent, and the period of the SLO. The threshold follows; it is never a constant. A short window
beside the long one makes the alert stop soon after the errors do; both must exceed the threshold,
strictly.

Source: Site Reliability Workbook, ch. 5, "Multiwindow, Multi-Burn-Rate Alerts".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget.budget import Ratio
from errorbudget.burn import burn_threshold, detection_time, max_burn_rate, reset_time
from errorbudget.durations import MINUTE_NS, DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError, InvalidWindowError
from errorbudget.target import Target, TargetLike, format_percent

if TYPE_CHECKING:
    from errorbudget.burn import Number

__all__ = ["AlertPolicy", "AlertState", "BurnAlert"]

SEVERITIES = ("critical", "page", "warning", "ticket", "info")
"""From the most urgent to the least: a firing alert silences those after it."""


def _window_ns(value: DurationLike | int) -> int:
    return value if isinstance(value, int) else parse_duration(value)


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
        if self.severity not in SEVERITIES:
            raise InvalidInputError(
                f'alert "{self.name}": severity must be one of {", ".join(SEVERITIES)}, '
                f"got {self.severity!r}"
            )
        text = str(self.budget).strip()
        try:
            share = Fraction(text.removesuffix("%").strip())
        except (ValueError, ZeroDivisionError):
            share = Fraction(0)
        share = share / 100 if text.endswith("%") else share
        if not 0 < share <= 1:
            raise InvalidInputError(
                f'alert "{self.name}": budget must be a share such as "2%", got {self.budget!r}'
            )
        object.__setattr__(self, "budget", share)
        object.__setattr__(self, "long", _window_ns(self.long))
        object.__setattr__(self, "hold", _window_ns(self.hold))
        if self.short is not None:
            object.__setattr__(self, "short", _window_ns(self.short))
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
        return burn_threshold(self.budget, self.long, period)

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
        return float(self.threshold(period)) < max_burn_rate(target)

    def detection_time(
        self, target: TargetLike, period: DurationLike | int, error_rate: Any = 1
    ) -> float | None:
        """Seconds of steady errors until it fires, `hold` included; None when it never does."""
        threshold = self.threshold(period)
        times = [detection_time(target, threshold, window, error_rate) for window in self.windows]
        if any(time is None for time in times):
            return None
        return max(time for time in times if time is not None) + self.hold / 1e9

    def reset_time(
        self,
        target: TargetLike,
        period: DurationLike | int,
        error_rate: Any,
        incident: DurationLike | int,
    ) -> float | None:
        """Seconds from the end of the incident until it stops; None when it did not fire."""
        threshold = self.threshold(period)
        times = [
            reset_time(target, threshold, window, error_rate, incident) for window in self.windows
        ]
        return (
            None if any(time is None for time in times) else min(t for t in times if t is not None)
        )

    def budget_spent_at_firing(
        self, target: TargetLike, period: DurationLike | int, error_rate: Any = 1
    ) -> Fraction | None:
        """
        Share of the period's budget gone when it fires, for steady errors; None when it never does.

        The condition alone is reached at exactly `budget`, whatever the error rate; `hold` adds.
        """
        if self.detection_time(target, period, error_rate) is None:
            return None
        period_ns = _window_ns(period)
        error = Target(target).error
        if not error:
            return None
        rate = Fraction(str(error_rate).removesuffix("%")) / (
            100 if str(error_rate).endswith("%") else 1
        )
        return self.budget + rate / error * self.hold / period_ns

    def rescaled(self, period: DurationLike | int, *, reference: DurationLike | int) -> BurnAlert:
        """The same alert for another period: windows stretch with it, the threshold stays."""
        to_ns, from_ns = _window_ns(period), _window_ns(reference)

        def stretch(window: int) -> int:
            return max(MINUTE_NS, round(Fraction(window * to_ns, from_ns * MINUTE_NS)) * MINUTE_NS)

        long = stretch(self.long)
        short = None if self.short is None else min(stretch(self.short), long - 1)
        # The rounding to a minute moves the threshold: the guarded share moves with it.
        return replace(
            self,
            budget=self.budget * from_ns / self.long * long / to_ns,
            long=long,
            short=None if short is None or short < MINUTE_NS else short,
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


@dataclass(frozen=True, slots=True)
class AlertState:
    """
    One alert at one instant.

    Attributes:
        alert: The alert.
        state: "firing", "pending" (the condition holds, though not yet for `hold`) or "inactive".
        threshold: Burn rate to exceed [1].
        burn_rates: Burn rate per window [1], by its text; None without events.
        inhibited_by: Name of the more urgent alert that silences this one, or None.
    """

    alert: BurnAlert
    state: str
    threshold: float
    burn_rates: Mapping[str, float | None]
    inhibited_by: str | None = None

    @property
    def active(self) -> bool:
        """Whether it fires and nothing more urgent silences it."""
        return self.state == "firing" and self.inhibited_by is None


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """
    A table of burn alerts, most urgent first.

    Args:
        name: Name of the table.
        alerts: Its rows.
        period: The SLO period for which it was published; other periods derive from it.
        source: Where it comes from.
        inhibit: Whether a firing alert silences the less urgent ones.
    """

    name: str
    alerts: Sequence[BurnAlert]
    period: int = 30 * 24 * 60 * MINUTE_NS
    source: str = ""
    inhibit: bool = True

    if TYPE_CHECKING:

        def __init__(
            self,
            name: str,
            alerts: Sequence[BurnAlert],
            period: DurationLike | int = ...,
            source: str = "",
            inhibit: bool = True,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "alerts", tuple(self.alerts))
        object.__setattr__(self, "period", _window_ns(self.period))
        names = [alert.name for alert in self.alerts]
        if len(set(names)) != len(names):
            raise InvalidInputError(f'alert policy "{self.name}": alerts must have different names')

    @property
    def windows(self) -> tuple[int, ...]:
        """Every window that some alert looks at [ns], ascending."""
        return tuple(sorted({window for alert in self.alerts for window in alert.windows}))

    def rescaled(self, period: DurationLike | int) -> AlertPolicy:
        """The same table for another period: windows stretch with it, thresholds stay."""
        period_ns = _window_ns(period)
        alerts = [alert.rescaled(period_ns, reference=self.period) for alert in self.alerts]
        return replace(self, alerts=alerts, period=period_ns)

    def in_steps(self, step_ns: int) -> AlertPolicy:
        """
        The same thresholds on windows that are multiples of *step_ns*, rounded up.

        Time slices need it: a window shorter than a slice holds none. A short window that would
        become as long as its long one is dropped.
        """
        alerts = []
        for alert in self.alerts:
            long, *rest = (-(-window // step_ns) * step_ns for window in alert.windows)
            share = alert.budget * long / alert.long
            short = rest[0] if rest and rest[0] < long else None
            alerts.append(replace(alert, budget=min(share, Fraction(1)), long=long, short=short))
        return replace(self, alerts=alerts)

    def for_period(self, period_ns: int) -> AlertPolicy:
        """
        The table as it serves an SLO of *period_ns*.

        The windows stay as published while every threshold stays at 1 or more, the pace of an even
        spend. Below that an alert would page on a healthy service, so windows stretch instead.
        """
        if all(alert.threshold(period_ns) >= 1 for alert in self.alerts):
            return self
        return self.rescaled(period_ns)

    def states(
        self,
        burn_rates: Mapping[int, Ratio | None],
        period: DurationLike | int,
        held: Mapping[str, bool] | None = None,
    ) -> tuple[AlertState, ...]:
        """
        Every alert at one instant.

        Args:
            burn_rates: Exact burn rate by window [ns]; a window that is left out has no events.
            period: Window of the SLO; text, `timedelta` or ns.
            held: By alert name, whether the condition held for all of `hold` until now; an alert
                that waits and is not named is pending.
        """
        found: list[AlertState] = []
        for alert in self.alerts:
            state = "inactive"
            if alert.condition(burn_rates, period):
                waited = not alert.hold or (held or {}).get(alert.name, False)
                state = "firing" if waited else "pending"
            rates = {format_duration(w): burn_rates.get(w) for w in alert.windows}
            found.append(
                AlertState(
                    alert,
                    state,
                    float(alert.threshold(period)),
                    {w: None if rate is None else float(rate) for w, rate in rates.items()},
                )
            )
        if not self.inhibit:
            return tuple(found)
        by_urgency = sorted(
            (state for state in found if state.state == "firing"),
            key=lambda state: SEVERITIES.index(state.alert.severity),
        )
        if not by_urgency:
            return tuple(found)
        first = by_urgency[0]
        urgency = SEVERITIES.index(first.alert.severity)
        return tuple(
            replace(state, inhibited_by=first.alert.name)
            if state.state == "firing" and SEVERITIES.index(state.alert.severity) > urgency
            else state
            for state in found
        )

    def severity(
        self, burn_rates: Mapping[int, Ratio | None], period: DurationLike | int
    ) -> str | None:
        """The most urgent severity whose condition holds, or None."""
        urgent = [
            SEVERITIES.index(alert.severity)
            for alert in self.alerts
            if alert.condition(burn_rates, period)
        ]
        return SEVERITIES[min(urgent)] if urgent else None

    def unreachable(self, target: TargetLike, period: DurationLike | int) -> tuple[BurnAlert, ...]:
        """The alerts that even a total outage could not fire."""
        return tuple(alert for alert in self.alerts if not alert.reachable(target, period))

    def to_dict(self) -> dict[str, Any]:
        """The table as plain data."""
        return {
            "name": self.name,
            "source": self.source,
            "period": format_duration(self.period),
            "inhibit": self.inhibit,
            "alerts": [alert.to_dict() for alert in self.alerts],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AlertPolicy:
        """
        The table that `to_dict` wrote, or that a specification holds.

        Raises:
            InvalidInputError: A part is missing or unknown.
        """
        try:
            rows = [
                BurnAlert(
                    **{**row, "hold": 0 if row.get("hold") in (None, "0s", 0) else row["hold"]}
                )
                for row in data["alerts"]
            ]
            return cls(
                data.get("name", "custom"),
                rows,
                data.get("period", "30d"),
                data.get("source", ""),
                data.get("inhibit", True),
            )
        except (KeyError, TypeError) as error:
            raise InvalidInputError(f"an alert policy has a name and alerts: {error}") from None
