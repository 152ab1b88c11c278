"""Whole figures: a status with its window, and a history."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib import dates
from matplotlib.figure import Figure

from errorbudget.plot.panels import budget_panel, burn_panel, figure_panel, moments, sli_panel
from errorbudget.plot.style import RC
from errorbudget.report.burn_down import burn_down, shares

if TYPE_CHECKING:
    from errorbudget.history import History
    from errorbudget.slo import Evaluable
    from errorbudget.status import Status

__all__ = ["Picture", "history_figure", "status_figure"]

POINTS = 240


class Picture(Figure):
    """A figure that notebooks show, and that nobody has to close."""

    def _repr_png_(self) -> bytes:
        with mpl.rc_context(RC):
            sink = io.BytesIO()
            self.savefig(sink, format="png", dpi=110)
        return sink.getvalue()


def _blank(panels: int, *, width: float = 8.4, height: float = 1.9) -> tuple[Picture, list[Any]]:
    figure = Picture(figsize=(width, height * panels + 0.5), layout="constrained")
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)
    return figure, [ax for row in axes for ax in row]


def _dated(axes: list[Any], start_ns: int, end_ns: int) -> None:
    locator = dates.AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
    day, hour = "%d %b", "%H:%M"
    for ax in axes:
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(
            dates.ConciseDateFormatter(  # type: ignore[no-untyped-call]
                locator,
                formats=["%Y", "%b %Y", day, hour, hour, "%H:%M:%S"],
                zero_formats=["", "%Y", day, day, hour, hour],
                show_offset=False,
            )
        )
        ax.set_xlim(*moments(np.array([start_ns, max(end_ns, start_ns + 1_000_000)])))
    axes[-1].set_xlabel("time (UTC)")


def history_figure(history: History) -> Picture:
    """
    A history: budget left over its tiers, SLI against target, burn rates against thresholds.

    A threshold objective shows its figures against their bounds instead.
    """
    with mpl.rc_context(RC):
        if history.slo.target is None:
            return _threshold_figure(history)
        figure, axes = _blank(3)
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
        _dated(axes, int(history.time_ns[0]), int(history.time_ns[-1]))
    return figure


def _threshold_figure(history: History) -> Picture:
    figure, axes = _blank(len(history.measurements))
    sli: Any = history.slo.sli
    bounds = (
        sli.measurements([None] * len(axes))
        if hasattr(sli, "measurements")
        else (sli.measurement(None),)
    )
    for ax, bound in zip(axes, bounds, strict=True):
        figure_panel(ax, history, bound.name, bound.bound, bound.op, bound.unit)
    _dated(axes, int(history.time_ns[0]), int(history.time_ns[-1]))
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
        figure, axes = _blank(3)
        slo = status.slo
        budget_panel(
            axes[0], line.time_ns, line.remaining_ratio, slo.policy, "Budget of this window"
        )
        sli_panel(axes[1], pieces.time_ns, pieces.ratio, slo, f"SLI of each {pieces.every}")
        burn_panel(axes[2], history, "Burn rates")
        _dated(axes, int(line.time_ns[0]), int(line.time_ns[-1]))
    return figure
