"""
The charts of the report: what was left, the SLI, burn rates, and when alerts fired.

Coordinates are seconds (or milliseconds) from the start of the chart; the script zooms by choosing
another part of them.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.figures import count, length
from errorbudget.report.panels import (
    HIGH,
    Panel,
    Scale,
    budget_panel,
    drawn,
    moments_axis,
    pictured,
    strip,
)
from errorbudget.report.ticks import round_values

if TYPE_CHECKING:
    from errorbudget.policy import Policy
    from errorbudget.report.chart import Chart, Line
    from errorbudget.slo import SLO

__all__ = ["chart_html", "spark_svg"]

# ----------------------------------------------------------------------------- panels


def _budget(chart: Chart, line: Line, policy: Policy, scale: Scale) -> Panel:
    low = float(np.nanmin(line.values))
    panel = budget_panel("Budget left of this window", low, policy, scale.width)
    panel.line(scale.x(chart.time_ns).tolist(), line.values.tolist(), "line ink")
    return panel


def _sli(chart: Chart, slo: SLO, scale: Scale) -> Panel | None:
    pieces = chart.pieces
    if pieces is None:
        return None
    values = 100 * pieces.ratio
    target = slo.target_at(chart.end_ns)
    goal = 100 * float(target.ratio)
    low = min(goal, float(np.nanmin(values, initial=100.0)))
    room = max(100 - low, 1e-6)
    panel = Panel(f"SLI of each {pieces.every}", low - 0.1 * room, 100 + 0.1 * room, scale.width)
    panel.ticks = [(value, f"{value:.10g}%") for value in round_values(low, 100, 3)]
    panel.names = [(goal, f"target {target}")]
    panel.rule(goal, "limit")
    edges = [0, *np.clip(scale.x(pieces.time_ns), 0, scale.width).tolist()]
    panel.steps(edges, values.tolist(), "line main")
    return panel


def _burn(chart: Chart, scale: Scale) -> Panel | None:
    """
    Burn rates over a logarithm, each named at its threshold.

    What lies far below every threshold is left out: over a month its ups and downs would cover
    what matters.
    """
    if not chart.burn:
        return None
    limits = [line.limit for line in chart.burn if line.limit]
    finite = [line.values[np.isfinite(line.values)] for line in chart.burn]
    low = min([0.5, *(limit / 3 for limit in limits)])
    peak = max([1.0, *limits, *(float(values.max(initial=0.0)) for values in finite)])
    endless = any(bool(np.isposinf(line.values).any()) for line in chart.burn)
    high = peak * (2.2 if endless else 1.25)
    title = "Burn rates" + (" and their alerts (dashed)" if limits else "")
    panel = Panel(title, low, high, scale.width, logarithmic=True)
    steps = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 100_000]
    panel.ticks = [(tick, f"{tick:,g}") for tick in steps if low <= tick <= peak]
    if endless:
        panel.ticks.append((inf, "inf"))
    xs = scale.x(chart.time_ns).tolist()
    # Long windows are calm and lie in front; short ones are thin behind them.
    for rank, line in enumerate(chart.burn):
        style, name = f"c{rank % 6}", line.name
        if line.limit is not None:
            panel.rule(line.limit, f"limit {style}")
            name = f"{line.name} {line.limit_name}"
        panel.line(xs, line.values.tolist(), f"line {style}")
        known = line.values[~np.isnan(line.values)]
        last = float(known[-1]) if len(known) else low
        panel.keys.append((last if line.limit is None else line.limit, name, style))
    return panel


def _figure(chart: Chart, line: Line, scale: Scale) -> Panel:
    limit = line.limit or 0.0
    top = 1.15 * max(limit, float(np.nanmax(line.values, initial=0.0))) or 1.0
    unit = f" [{line.unit}]" if line.unit else ""
    panel = Panel(f"{line.name}{unit}", 0, top, scale.width)
    panel.ticks = [(value, f"{value:,g}") for value in round_values(0, top, 4)]
    panel.names = [(limit, f"{line.limit_name}{limit:,g}")]
    panel.rule(limit, "limit")
    panel.line(scale.x(chart.time_ns).tolist(), line.values.tolist(), "line main")
    return panel


def _panels(chart: Chart, slo: SLO, scale: Scale) -> list[Panel]:
    panels: list[Panel | None] = [_figure(chart, line, scale) for line in chart.figures]
    if chart.left is not None:
        panels.append(_budget(chart, chart.left, slo.policy, scale))
    if slo.target is not None:
        panels += [_sli(chart, slo, scale), _burn(chart, scale)]
    return [panel for panel in panels if panel is not None]


# ----------------------------------------------------------------------------- markup


def _fired(chart: Chart, scale: Scale) -> str:
    """A strip for each alert that fired."""
    parts = []
    for one in chart.episodes:
        total = length(sum(end - start for start, end in one.spans))
        times = "once" if len(one.spans) == 1 else f"{count(len(one.spans))} times"
        parts.append(
            strip(
                f'<path class="episode" d="{scale.path(one.spans)}"/>',
                scale.width,
                title=f"Alert {one.name}: fired {times}, {total} in all",
            )
        )
    return "".join(parts)


def chart_html(chart: Chart, slo: SLO, *, label: str) -> str:
    """
    The charts as markup: panels one below the other over one axis of time.

    Args:
        chart: What to draw.
        slo: Whose target and policy lie behind it.
        label: What they show, for who cannot see them.
    """
    scale = Scale.of(chart.start_ns, chart.end_ns)
    panels = map(drawn, _panels(chart, slo, scale))
    time = moments_axis(chart.start_ns, chart.end_ns)
    return pictured([*panels, _fired(chart, scale), time], label)


def spark_svg(chart: Chart | None) -> str:
    """The budget left as a line without words, for a table; empty where there is none."""
    if chart is None or chart.left is None:
        return ""
    low = min(0.0, float(np.nanmin(chart.left.values)))
    panel = Panel("", low, 100, 1_000)
    share = (chart.time_ns - chart.start_ns) / max(1, chart.end_ns - chart.start_ns)
    rows = np.unique(np.linspace(0, len(share) - 1, 60).astype(int))
    panel.rule(0, "axis")
    panel.line(
        (1_000 * share[rows]).astype(int).tolist(), chart.left.values[rows].tolist(), "line ink"
    )
    return (
        f'<svg class="spark" viewBox="0 0 1000 {HIGH}" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(panel.marks)}</svg>'
    )
