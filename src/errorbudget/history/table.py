"""The status of an SLO along time, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget import figures
from errorbudget.cards import Card, Shown
from errorbudget.durations import format_duration
from errorbudget.errors import InvalidInputError
from errorbudget.slo import SLO
from errorbudget.times import format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.policy import TierChange

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["History"]


@dataclass(frozen=True, eq=False, repr=False)
class History(Shown):
    """
    One SLO at every point of a grid.

    Attributes:
        slo: The objective.
        time_ns: The grid [ns UTC], ascending; int64, shape (n,).
        step_ns: Its step [ns].
        good: Good units of the window at each point; shape (n,). Ratio time slices are sums of
            ratios in float64, all others int64.
        total: All units of the window; shape (n,).
        sli: Share of good units [1]; NaN without units; float64, shape (n,).
        remaining_ratio: Share of the budget left [1]; NaN without units; float64, shape (n,).
        burn_rates: Burn rate by window, such as "1h" [1]; each float64, shape (n,).
        conditions: By alert, whether its condition holds; each bool, shape (n,).
        measurements: Figures of a threshold objective by name; each float64, shape (n,).
    """

    slo: SLO
    time_ns: Integers
    step_ns: int
    good: NDArray[Any]
    total: NDArray[Any]
    sli: Floats
    remaining_ratio: Floats
    burn_rates: Mapping[str, Floats] = field(default_factory=dict)
    conditions: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    measurements: Mapping[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time_ns)

    def __repr__(self) -> str:
        span = (
            f" from {format_time(int(self.time_ns[0]))} to {format_time(int(self.time_ns[-1]))}"
            if len(self)
            else ""
        )
        every = format_duration(self.step_ns)
        return f"History({self.slo.name}, {len(self):,} points every {every}{span})"

    @property
    def consumed_ratio(self) -> Floats:
        """Share of the budget that is spent [1]; NaN without units; shape (n,)."""
        return 1 - self.remaining_ratio

    @property
    def tier(self) -> list[str | None]:
        """Name of the policy's tier at each point; None without units."""
        changes = self.tier_changes()
        names: list[str | None] = [None] * len(self)
        starts = np.searchsorted(self.time_ns, [change.at_ns for change in changes]).tolist()
        for change, low, high in zip(changes, starts, [*starts[1:], len(self)], strict=False):
            names[low:high] = [change.after] * (high - low)
        return names

    def tier_changes(self) -> list[TierChange]:
        """
        When the tier changed and why; the first entry says where it began.

        Time: O(n), in plain Python only where the budget crosses a bound.
        """
        left = self.remaining_ratio
        if not len(left):
            return []
        policy = self.slo.policy
        bounds = [tier.above for tier in policy.tiers if tier.above is not None]
        margins = {Fraction(0), policy.hysteresis}
        # Between two bounds, and on one, every share is told the same: the first speaks for all.
        lines = np.array(sorted({float(bound + margin) for bound in bounds for margin in margins}))
        cell = np.searchsorted(lines, left, "left") + np.searchsorted(lines, left, "right")
        cell[np.isnan(left)] = -1
        moved = np.ones(len(left), dtype=bool)
        moved[1:] = cell[1:] != cell[:-1]
        return policy.timeline(self.time_ns[moved].tolist(), left[moved].tolist())

    def firing(self, name: str) -> NDArray[np.bool_]:
        """
        Whether the alert called *name* fires at each point: its condition held for all of `hold`.

        As in Prometheus, the condition is seen at the points of the grid.
        """
        if str(name) not in self.conditions:
            known = ", ".join(self.conditions) or "none"
            raise InvalidInputError(f'this history has no alert "{name}"; it has {known}')
        alerts = self.slo.alerts.alerts
        alert = next(alert for alert in alerts if alert.name == name)
        condition = self.conditions[name]
        if not alert.hold:
            return condition
        broken = np.where(condition, -1, np.arange(len(condition)))
        since = np.maximum.accumulate(broken) + 1  # first point of the unbroken stretch
        began = self.time_ns[np.minimum(since, len(condition) - 1)]
        return np.asarray(condition & (self.time_ns - began >= alert.hold))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Every column by name, the burn rates as `burn_1h` and so on."""
        found: dict[str, NDArray[Any]] = {"good": self.good, "total": self.total}
        if self.slo.target is not None:
            found["sli"] = self.sli
            found["remaining_ratio"] = self.remaining_ratio
        found.update({f"burn_{window}": rate for window, rate in self.burn_rates.items()})
        found.update(self.measurements)
        return found

    def to_pandas(self) -> Any:
        """The columns as a pandas DataFrame indexed by time in UTC."""
        from errorbudget.frames import to_pandas

        return to_pandas(self.time_ns, self.columns())

    def _card(self) -> Card:
        lines = [repr(self)[len("History(") : -1]] if len(self) else ["no points"]
        if not len(self) or self.slo.target is None:
            rows = [
                (name, *_extremes(values, figures.decimal))
                for name, values in self.measurements.items()
            ]
        else:
            rows = [
                ("SLI", *_extremes(self.sli, lambda value: figures.percent(value, 4))),
                ("budget left", *_extremes(self.remaining_ratio, figures.percent)),
            ]
            rows += [
                (f"burn rate, {window}", *_extremes(values, figures.decimal))
                for window, values in self.burn_rates.items()
            ]
        notes = [
            f"{name} fired at {int(fires.sum()):,} of {len(self):,} points"
            for name in self.conditions
            if (fires := self.firing(name)).any()
        ]
        header = ("figure", "first", "lowest", "highest", "last")
        return Card(f"History of {self.slo.name}", "", "", lines, header, rows, notes)


def _extremes(values: Floats, text: Any) -> tuple[str, str, str, str]:
    """First, lowest, highest and last of a column that may have gaps, as *text* writes them."""
    known = values[~np.isnan(values)]
    if not len(known):
        return (figures.NOTHING,) * 4
    ends = (values[0], known.min(), known.max(), values[-1])
    first, low, high, last = (text(None if end != end else float(end)) for end in ends)
    return first, low, high, last
