"""Whole figures: a status with its window, and a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl

from errorbudget.plot.canvas import Picture, dated, sheet, silent
from errorbudget.plot.panels import budget_panel, burn_panel, figure_panel, sli_panel
from errorbudget.plot.style import RC
from errorbudget.report.burn_down import burn_down, shares

if TYPE_CHECKING:
    from errorbudget.history import History
    from errorbudget.slo import Evaluable
    from errorbudget.status import Status

__all__ = ["Picture", "history_figure", "status_figure"]

POINTS = 240
_PARTS = (1.0, 0.9, 1.3)


def history_figure(history: History) -> Picture:
    """
    A history: budget left over its tiers, SLI against target, burn rates against thresholds.

    A threshold objective shows its figures against their bounds instead.
    """
    if not len(history):
        return silent(f"History of {history.slo.name}", "There are no points to draw.")
    with mpl.rc_context(RC):
        if history.slo.target is None:
            return _threshold_figure(history)
        figure, axes = sheet(
            f"{history.slo.name}: budget left, SLI and burn rates over time", 3, parts=_PARTS
        )
        window = history.slo.window
        budget_panel(
            axes[0],
            history.time_ns,
            history.remaining_ratio,
            history.slo.policy,
            f"{history.slo.name}: budget left, {window}",
        )
        sli_panel(axes[1], history.time_ns, history.sli, history.slo, f"SLI, {window}")
        burn_panel(axes[2], history, "Burn rates")
        dated(axes, int(history.time_ns[0]), int(history.time_ns[-1]))
    return figure


def _threshold_figure(history: History) -> Picture:
    figure, axes = sheet(
        f"{history.slo.name}: figures against their bounds", len(history.measurements)
    )
    sli: Any = history.slo.sli
    bounds = (
        sli.measurements([None] * len(axes))
        if hasattr(sli, "measurements")
        else (sli.measurement(None),)
    )
    for ax, bound in zip(axes, bounds, strict=True):
        figure_panel(ax, history, bound.name, bound.bound, bound.op, bound.unit)
    dated(axes, int(history.time_ns[0]), int(history.time_ns[-1]))
    return figure


def status_figure(status: Status, data: Evaluable, history: History) -> Picture:
    """
    One window: how its budget was spent, SLI piece by piece, burn rates and alerts.

    Args:
        status: The answer.
        data: What it was judged on.
        history: The burn rates over that window.
    """
    line = burn_down(status, data, points=POINTS)
    pieces = shares(status, data, pieces=POINTS // 2)
    if status.budget is None or line is None or pieces is None:
        return history_figure(history)
    with mpl.rc_context(RC):
        slo = status.slo
        figure, axes = sheet(
            f"{slo.name}: budget left, SLI and burn rates over time", 3, parts=_PARTS
        )
        budget_panel(
            axes[0], line.time_ns, line.remaining_ratio, slo.policy, "Budget of this window"
        )
        sli_panel(axes[1], pieces.time_ns, pieces.ratio, slo, f"SLI of each {pieces.every}")
        burn_panel(axes[2], history, "Burn rates")
        dated(axes, int(line.time_ns[0]), int(line.time_ns[-1]))
    return figure
