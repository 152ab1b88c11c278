"""
The steps of a forecast: lengths that fit together, and what a window holds at each step.

Units of the past leave a rolling window exactly when they do; those of a future by whole steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import format_duration, length_of
from errorbudget.errors import InvalidInputError
from errorbudget.times import MIN_NS
from errorbudget.windows import Rolling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.series import Series
    from errorbudget.slo import SLO

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["Lengths", "check_size", "remaining", "still_inside", "within"]

MOST_CELLS = 20_000_000
"""Steps of the past, steps ahead or blocks of the past times paths; more would take gigabytes."""


def check_size(name: str, length: int, cells: int) -> None:
    """Refuse more points than memory holds; *length* [ns] is that of what *name* says."""
    if cells > MOST_CELLS:
        raise InvalidInputError(
            f"a {name} of {format_duration(length)} makes {cells:,} points, more than "
            f"{MOST_CELLS:,}; take a longer {name}, a shorter horizon or fewer paths"
        )


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths that fit together [ns]."""

    horizon: int
    step: int
    block: int
    season: int

    @classmethod
    def read(cls, horizon: Any, step: Any, block: Any, season: Any) -> Lengths:
        found = cls(*map(length_of, (horizon, step, block, season)))
        for name, longer, shorter in (
            ("block", found.block, found.step),
            ("season", found.season, found.block),
        ):
            if longer % shorter:
                raise InvalidInputError(
                    f"{name} must be a multiple of {format_duration(shorter)}, got "
                    f"{format_duration(longer)}"
                )
        if found.horizon < found.step:
            raise InvalidInputError("the horizon must be at least one step")
        return found


def still_inside(
    slo: SLO, series: Series, open_ns: int, at_ns: int, time_ns: Integers
) -> tuple[Integers, Integers]:
    """Bad and total units of the past after *open_ns* that the window holds at each instant."""
    starts = np.full(len(time_ns), open_ns, dtype=np.int64)
    if isinstance(slo.window, Rolling):
        length = slo.window.length_ns
        starts = np.maximum(np.maximum(time_ns, MIN_NS + length) - length, open_ns)
        starts = np.minimum(starts, at_ns)
    good, total = series.cumulative(starts)
    good_now, total_now = series.cumulative(np.array([at_ns], dtype=np.int64))
    units = total_now - total
    return units - (good_now - good), units


def within(slo: SLO, units: Floats, step_ns: int) -> Floats:
    """Units of the futures within the window at each step; whole steps leave rolling ones."""
    sums = np.cumsum(units, axis=1)
    if isinstance(slo.window, Rolling):
        steps = -(-slo.window.length_ns // step_ns)
        sums[:, steps:] = sums[:, steps:] - sums[:, :-steps]
    return sums


def remaining(spent: Floats, units: Floats, error: float) -> Floats:
    """The share of the budget left per path and step; NaN without units."""
    with np.errstate(divide="ignore", invalid="ignore"):
        left: Floats = 1 - spent / (units * error) if error else np.where(spent > 0, -np.inf, 1.0)
    return np.where(units > 0, left, np.nan)
