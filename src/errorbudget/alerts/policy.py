"""Tables of burn alerts, most urgent first, and how each stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from errorbudget.alerts.burn import SEVERITIES, BurnAlert
from errorbudget.budget import Ratio
from errorbudget.durations import MINUTE_NS, DurationLike, format_duration, length_of
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.target import TargetLike

__all__ = ["AlertPolicy", "AlertState"]


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
        if not isinstance(self.alerts, Iterable):
            raise InvalidInputError(
                f'alert policy "{self.name}": alerts must be a list, got {shown(self.alerts)}'
            )
        object.__setattr__(self, "alerts", tuple(self.alerts))
        for alert in self.alerts:
            if not isinstance(alert, BurnAlert):
                raise InvalidInputError(
                    f'alert policy "{self.name}": each alert is a BurnAlert, got {shown(alert)}'
                )
        object.__setattr__(self, "period", length_of(self.period))
        names = [alert.name for alert in self.alerts]
        if len(set(names)) != len(names):
            raise InvalidInputError(f'alert policy "{self.name}": alerts must have different names')

    @property
    def windows(self) -> tuple[int, ...]:
        """Every window that some alert looks at [ns], ascending."""
        return tuple(sorted({window for alert in self.alerts for window in alert.windows}))

    def rescaled(self, period: DurationLike | int) -> AlertPolicy:
        """The same table for another period: windows and holds stretch, thresholds stay."""
        period_ns = length_of(period)
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
        if not isinstance(burn_rates, Mapping):
            raise InvalidInputError(f"burn rates are by window in ns, got {shown(burn_rates)}")
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
        if not isinstance(data, Mapping):
            raise InvalidInputError(f"an alert policy has a name and alerts, got {shown(data)}")
        try:
            rows = [BurnAlert(**{**row, "hold": row.get("hold") or 0}) for row in data["alerts"]]
            return cls(
                data.get("name", "custom"),
                rows,
                data.get("period", "30d"),
                data.get("source", ""),
                data.get("inhibit", True),
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise InvalidInputError(f"an alert policy has a name and alerts: {error}") from None
