"""One panel each: budget left, SLI, burn rates, figures of a threshold."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import format_duration
from errorbudget.figures import decimal
from errorbudget.figures import seconds as span
from errorbudget.plot.canvas import aside, line, moments, short
from errorbudget.plot.decimation import stretches
from errorbudget.plot.style import ALARM, INK, LINES, MAIN, SOFT, tier_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from errorbudget.history import History
    from errorbudget.policy import Policy
    from errorbudget.slo import SLO

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

__all__ = ["budget_panel", "burn_panel", "figure_panel", "over_tiers", "sli_panel"]


def over_tiers(ax: Axes, low: float, policy: Policy) -> float:
    """
    The ground of a budget's panel: its tiers, named in the margin.

    Args:
        ax: The panel, in percent.
        low: The least share of budget that will be drawn.
        policy: The tiers.

    Returns:
        The lowest share that is shown.
    """
    bottom = -0.08 if low >= 0 else low - 0.08 * (1 - low)
    ax.set_ylim(100 * bottom, 106)
    colours = tier_colours(policy)
    top = 1.06
    for tier in policy.tiers:
        floor = max(bottom, bottom if tier.above is None else float(tier.above))
        if floor < top:
            ax.axhspan(100 * floor, 100 * top, color=colours[tier.name], alpha=0.17, linewidth=0)
            if top - floor > 0.07 * (1.06 - bottom):
                aside(ax, 50 * (floor + top), tier.name)
            top = floor
    ax.axhline(0, color=SOFT, linewidth=0.8)
    ax.set_ylabel("budget left [%]")
    return bottom


def budget_panel(
    ax: Axes, time_ns: Integers, remaining: Floats, policy: Policy, title: str
) -> None:
    """The share of budget left, over the tiers of its policy; endless overspend at the bottom."""
    finite = remaining[np.isfinite(remaining)]
    low = float(finite.min(initial=0.0))
    endless = np.isneginf(remaining)
    bottom = over_tiers(ax, min(low, -0.5) if endless.any() else low, policy)
    drawn = np.where(endless, bottom, remaining)
    line(ax, time_ns, 100 * drawn, color=INK, label="budget left")
    if endless.any():
        ax.annotate(
            "-inf: nothing may fail, and something did",
            (0.01, 0.04),
            xycoords="axes fraction",
            fontsize=8,
            color=SOFT,
        )
    ax.set_title(title)


def sli_panel(ax: Axes, time_ns: Integers, sli: Floats, slo: SLO, title: str) -> None:
    """The share of good events, against the target."""
    target = float(slo.target_at(int(time_ns[-1])).ratio)
    line(ax, time_ns, 100 * sli, color=MAIN, label="SLI", linewidth=1.1)
    ax.axhspan(100 * target, 100, color=MAIN, alpha=0.09, linewidth=0)
    ax.axhline(100 * target, color=ALARM, linestyle="--", linewidth=1, label="target")
    shown = sli[np.isfinite(sli)]
    low = min(float(shown.min(initial=1.0)), target)
    gap = max(1 - low, 1e-6)
    ax.set_ylim(100 * (low - 0.08 * gap), 100 * (1 + 0.08 * gap))
    ax.set_ylabel("good [%]")
    ax.ticklabel_format(axis="y", useOffset=False)
    ax.set_title(title)
    aside(ax, 100 * target, f"target\n{slo.target_at(int(time_ns[-1]))}")


def burn_panel(ax: Axes, history: History, title: str) -> None:
    """
    Burn rates of the alerts' long windows, their thresholds, and when each alert fired.

    The axis is a logarithm. What lies far below every threshold is left out, endless burns are at
    the top; each threshold and each alert that fired is named beside the panel.
    """
    slo = history.slo
    alerts = tuple(slo.alerts.alerts)
    limits: dict[str, Fraction] = {}
    for alert in alerts:
        limits.setdefault(format_duration(alert.long), alert.threshold(slo.period_ns))
    windows = list(limits) or list(history.burn_rates)[-3:]
    columns = {window: history.burn_rates[window] for window in windows}
    fired = [alert for alert in alerts if bool(history.firing(alert.name).any())]

    floor = min([0.5, *(float(limit) / 3 for limit in limits.values() if limit)])
    peak = max(
        [1.0, *(float(limit) for limit in limits.values())]
        + [float(one[np.isfinite(one)].max(initial=0.0)) for one in columns.values()]
    )
    endless = any(bool(np.isposinf(one).any()) for one in columns.values())
    ceiling = peak * 2.2 if endless else peak
    # Bars of alerts have the top of the panel for themselves.
    share = 1 - _ROW * (len(fired) + 0.6)
    top = floor * (ceiling / floor) ** (1 / share)
    ax.set_yscale("log")
    ticks = [
        tick for tick in (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 10_000) if floor <= tick <= peak
    ]
    names = [f"{tick:g}" for tick in ticks]
    ax.set_yticks([*ticks, ceiling] if endless else ticks, [*names, "inf"] if endless else names)
    ax.minorticks_off()
    ax.set_ylim(floor, top)  # after the ticks, which would widen it
    ax.set_ylabel("burn rate")
    ax.set_title(title)

    beside: list[tuple[float, str, str]] = []
    for place, (colour, (window, values)) in enumerate(zip(LINES, columns.items(), strict=False)):
        # Long windows are calm and lie in front; short ones are thin behind them.
        drawn = np.clip(values, floor / 2, ceiling)
        width = 0.8 + 0.3 * place
        line(ax, history.time_ns, drawn, color=colour, label=window, linewidth=width)
        if window in limits:
            limit = float(limits[window])
            ax.axhline(limit, color=colour, linestyle="--", linewidth=0.8)
            beside.append((limit, f"{window}, alert > {decimal(limits[window], 2)}", colour))
        else:
            known = drawn[~np.isnan(drawn)]
            beside.append((float(known[-1]) if len(known) else floor, window, colour))
    whole = np.log(top / floor)
    _beside(
        ax,
        [
            (float(np.log(max(at, floor) / floor) / whole), text, colour)
            for at, text, colour in beside
        ],
    )
    for rank, alert in enumerate(fired):
        height = 1 - _ROW * (rank + 0.6)
        _episodes(ax, history, alert.name, height)
        _beside(ax, [(height, f"{short(alert.name, 16)} fired", "")])


_ROW = 0.08
"""Height of a line of letters beside a panel, as a share of it."""


def _beside(ax: Axes, words: list[tuple[float, str, str]]) -> None:
    """Words in the margin at their heights, moved apart, each after a dash in its line's colour."""
    lowest = 0.0
    for height, text, colour in sorted(words):
        at = max(height, lowest)
        if colour:
            ends = (1.008, 1.028), (at, at)
            ax.plot(*ends, color=colour, transform=ax.transAxes, clip_on=False, label="_key")
        ax.annotate(
            text,
            (1.0, at),
            xycoords="axes fraction",
            xytext=(20 if colour else 4, 0),
            textcoords="offset points",
            fontsize=8,
            color=SOFT,
            va="center",
        )
        lowest = at + _ROW


def _episodes(ax: Axes, history: History, name: str, height: float) -> None:
    """Bars where the alert fired, at *height* of the panel."""
    time = moments(history.time_ns)
    last = len(time) - 1
    xs: list[Any] = []
    for start, end in stretches(history.firing(name)).tolist():
        xs += [time[start], time[min(end, last)], np.datetime64("NaT", "ms")]
    ax.plot(
        np.array(xs, dtype="datetime64[ms]"),
        [height] * len(xs),
        color=ALARM,
        linewidth=3.2,
        solid_capstyle="round",
        marker="o",  # a bar shorter than a pixel would not be drawn
        markersize=3.2,
        markeredgewidth=0,
        label=f"fires: {name}",
        transform=ax.get_xaxis_transform(),
    )


def figure_panel(ax: Axes, history: History, name: str, bound: float, op: str, unit: str) -> None:
    """One figure of a threshold objective, against its bound."""
    values = history.measurements[name]
    scale = 1_000 if unit == "s" and bound <= 2 else 1
    line(ax, history.time_ns, scale * values, color=MAIN)
    ax.axhline(scale * bound, color=ALARM, linestyle="--", linewidth=1)
    shown = scale * values[np.isfinite(values)]
    high = max(float(shown.max(initial=0.0)), scale * bound)
    ax.set_ylim(0, high * 1.15)
    ax.set_ylabel("ms" if scale == 1_000 else unit)
    ax.set_title(name)
    limit = span(bound) if unit == "s" else decimal(bound, 2)
    aside(ax, scale * bound, f"bound\n{op} {limit}")
