"""Pictures of what comes: the budget left in many futures, and its return when all goes well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.figures import instant, percent
from errorbudget.report.chart import kept_points
from errorbudget.report.panels import (
    Scale,
    budget_panel,
    drawn,
    keyed,
    moments_axis,
    pictured,
    strip,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.studies.forecast import Forecast
    from errorbudget.studies.recovery import Recovery

__all__ = ["forecast_picture", "recovery_picture"]

STRETCHES = 150
MOST_STEPS = 600
LEAST = -1
"""Share of the budget left below which futures are not told apart: all of it overspent once."""


def forecast_picture(futures: Sequence[Forecast]) -> str:
    """A fan over the tiers for each supposition, on one scale; empty where nothing is foretold."""
    told = [each for each in futures if each.probability is not None]
    if not told:
        return ""
    start, end = told[0].at_ns, int(told[0].time_ns[-1])
    scale = Scale.of(start, end)
    lowest = min(_lowest(each.low) for each in told)
    cut = f" (cut at {percent(LEAST, 0)})" if lowest < LEAST else ""
    parts: list[str] = []
    for each in told:
        panel = budget_panel(
            f"Budget left, {each.scenario.name}{cut}",
            100 * max(lowest, LEAST),
            each.slo.policy,
            scale.width,
        )
        rows = kept_points([each.low, each.median, each.high], STRETCHES)
        xs = scale.x(each.time_ns[rows]).tolist()
        low, middle, high = (
            (100 * np.maximum(line[rows], LEAST)).tolist()
            for line in (each.low, each.median, each.high)
        )
        panel.between(xs, low, high, "area")
        panel.line(xs, middle, "line ink")
        parts += [drawn(panel), _gone(each, scale)]
    band = f"{percent(told[0].level, 0)} of futures"
    keys = [("fill", "area", band), ("line", "line ink", "the middle one")]
    label = "; ".join(
        f"Budget left, {each.scenario.name}: {percent(float(each.low[-1]), 1)} to "
        f"{percent(float(each.high[-1]), 1)} at the end"
        for each in told
    )
    return pictured([*parts, moments_axis(start, end), keyed(keys)], label)


def _lowest(values: NDArray[np.float64]) -> float:
    return float(values[np.isfinite(values)].min(initial=0.0))


def _gone(future: Forecast, scale: Scale) -> str:
    """When it is gone: from the early future to the late one, a dot at the middle one."""
    early, median, late = future.exhaustion
    if early is None:
        return ""
    end = int(future.time_ns[-1]) if late is None else late
    marks = f'<path class="span" d="{scale.path([(early, end)])}"/>'
    if median is not None:
        marks += f'<path class="dot ink" d="M{scale.x(median)} 500h0"/>'
    words = ", ".join(
        f"{name} {'beyond the end' if at is None else instant(at)}"
        for name, at in (("early", early), ("median", median), ("late", late))
    )
    return strip(marks, scale.width, title=f"Exhausted: {words}")


def recovery_picture(schedule: Recovery) -> str:
    """The budget's return as a staircase over the tiers; empty where it changes no tier."""
    total, error = float(schedule.counts.total), float(schedule.error)
    if not total or len(schedule.tier_changes()) < 2:
        return ""
    bad = np.concatenate(([float(schedule.counts.bad)], schedule.bad.astype(np.float64)))
    left = 1 - bad / (total * error) if error else np.where(bad > 0, -np.inf, 1.0)
    start, last = schedule.at_ns, int(schedule.time_ns[-1])
    end = last + max((last - start) // 25, 60 * 10**9)
    scale = Scale.of(start, end)
    rows = np.unique(np.linspace(0, len(schedule) - 1, MOST_STEPS).astype(int))
    panel = budget_panel(
        "Budget left when nothing more goes wrong",
        100 * _lowest(left),
        schedule.slo.policy,
        scale.width,
    )
    edges = [0, *scale.x(schedule.time_ns[rows]).tolist(), scale.width]
    panel.steps(edges, (100 * left[[0, *(rows + 1)]]).tolist(), "line ink")
    label = (
        f"Budget left when nothing more goes wrong: from {percent(float(left[0]), 1)} to "
        f"{percent(float(left[-1]), 1)} at {instant(last)}"
    )
    return pictured([drawn(panel), moments_axis(start, end)], label)
