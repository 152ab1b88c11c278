"""
Charts as HTML and SVG: pictures without a script.

Each panel is a plot that stretches to any width between columns of text that keep their size, so
a phone and a printer get sharp, readable charts from the same markup. Coordinates are seconds (or
milliseconds) from the start of the chart; the script zooms by choosing another part of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from math import inf, isfinite, isnan, log
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.figures import count, length
from errorbudget.report.chart_data import Scale, scale_of
from errorbudget.report.ticks import dated, round_values

if TYPE_CHECKING:
    from errorbudget.policy import Policy
    from errorbudget.report.chart import Chart, Line
    from errorbudget.slo import SLO

__all__ = ["chart_html", "spark_svg"]

HIGH = 1_000
"""Height of every plot in its own units; they grow downwards."""

BELOW = HIGH + 60
"""Out of sight under a plot."""

KEY_ROW = 0.095
"""Height of a line of letters beside a plot with keys, as a share of it."""

TONES = ("good", "fair", "poor", "bad")


@dataclass(slots=True)
class _Panel:
    """One plot: its scale, what is written beside it, and its marks as SVG."""

    title: str
    low: float
    high: float
    width: int
    logarithmic: bool = False
    ticks: list[tuple[float, str]] = field(default_factory=list)
    names: list[tuple[float, str]] = field(default_factory=list)
    keys: list[tuple[float, str, str]] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)

    def y(self, value: float) -> int:
        """Where *value* lies; infinities lie on the edge, what no logarithm reaches below it."""
        if self.logarithmic and value < self.low:
            return BELOW
        if not isfinite(value):
            return 0 if value > 0 else HIGH
        low, high, value = (
            (log(x) for x in (self.low, self.high, value))
            if self.logarithmic
            else (self.low, self.high, value)
        )
        share = (value - low) / (high - low)
        return round(HIGH * (1 - min(1.0, max(0.0, share))))

    def rule(self, value: float, style: str) -> None:
        """A line across the plot."""
        self.marks.append(f'<path class="{style}" d="M0 {self.y(value)}H{self.width}"/>')

    def band(self, low: float, high: float, style: str) -> None:
        """A shaded stretch of values."""
        top, bottom = self.y(high), self.y(low)
        self.marks.append(f'<path class="band {style}" d="M0 {top}H{self.width}V{bottom}H0z"/>')

    def line(self, xs: Sequence[int], values: Iterable[float], style: str) -> None:
        """A line through points; a gap where there is no value, a dot where one stands alone."""
        path: list[str] = []
        run: list[tuple[int, int]] = []
        for x, value in zip(xs, values, strict=True):
            if isnan(value):
                path.append(_path(run))
                run = []
            else:
                run.append((x, self.y(value)))
        path.append(_path(run))
        self.marks.append(f'<path class="{style}" d="{"".join(path)}"/>')

    def steps(self, edges: Sequence[int], values: Sequence[float], style: str) -> None:
        """A level for each stretch between two edges."""
        xs = [x for pair in pairwise(edges) for x in pair]
        self.line(xs, [value for value in values for _ in (0, 1)], style)


def _path(points: list[tuple[int, int]]) -> str:
    """Points as a path, without those that lie between two of the same height."""
    if not points:
        return ""
    if len(points) == 1:
        return f"M{points[0][0]} {points[0][1]}h0"
    kept = [
        point
        for before, point, after in zip(points, points[1:], points[2:], strict=False)
        if not before[1] == point[1] == after[1]
    ]
    (x, y), text = points[0], f"M{points[0][0]} {points[0][1]}"
    for new_x, new_y in (*kept, points[-1]):
        dx, dy = new_x - x, new_y - y
        text += f"h{dx}" if not dy else f"v{dy}" if not dx else f"l{dx} {dy}"
        x, y = new_x, new_y
    return text


# ----------------------------------------------------------------------------- panels


def _budget(chart: Chart, line: Line, policy: Policy, scale: Scale) -> _Panel:
    low = min(0.0, float(np.nanmin(line.values)))
    panel = _Panel(
        "Budget left of this window",
        low - 4 if low >= 0 else 1.08 * low - 8,
        104,
        scale.width,
    )
    panel.ticks = [(value, f"{value:,g}%") for value in round_values(panel.low, 100, 4)]
    top, last = panel.high, max(1, len(policy.tiers) - 1)
    for rank, tier in enumerate(policy.tiers):
        floor = panel.low if tier.above is None else max(panel.low, 100 * float(tier.above))
        if floor >= top:
            continue
        panel.band(floor, top, TONES[round(3 * rank / last)])
        if top - floor > 0.1 * (panel.high - panel.low):
            panel.names.append(((floor + top) / 2, tier.name))
        top = floor
    panel.rule(0, "axis")
    panel.line(scale.x(chart.time_ns).tolist(), line.values.tolist(), "line ink")
    return panel


def _sli(chart: Chart, slo: SLO, scale: Scale) -> _Panel | None:
    pieces = chart.pieces
    if pieces is None:
        return None
    values = 100 * pieces.ratio
    target = slo.target_at(chart.end_ns)
    goal = 100 * float(target.ratio)
    low = min(goal, float(np.nanmin(values, initial=100.0)))
    room = max(100 - low, 1e-6)
    panel = _Panel(f"SLI of each {pieces.every}", low - 0.1 * room, 100 + 0.1 * room, scale.width)
    panel.ticks = [(value, f"{value:.10g}%") for value in round_values(low, 100, 3)]
    panel.names = [(goal, f"target {target}")]
    panel.rule(goal, "limit")
    edges = [0, *np.clip(scale.x(pieces.time_ns), 0, scale.width).tolist()]
    panel.steps(edges, values.tolist(), "line main")
    return panel


def _burn(chart: Chart, scale: Scale) -> _Panel | None:
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
    panel = _Panel(title, low, high, scale.width, logarithmic=True)
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


def _figure(chart: Chart, line: Line, scale: Scale) -> _Panel:
    limit = line.limit or 0.0
    top = 1.15 * max(limit, float(np.nanmax(line.values, initial=0.0))) or 1.0
    unit = f" [{line.unit}]" if line.unit else ""
    panel = _Panel(f"{line.name}{unit}", 0, top, scale.width)
    panel.ticks = [(value, f"{value:,g}") for value in round_values(0, top, 4)]
    panel.names = [(limit, f"{line.limit_name}{limit:,g}")]
    panel.rule(limit, "limit")
    panel.line(scale.x(chart.time_ns).tolist(), line.values.tolist(), "line main")
    return panel


def _panels(chart: Chart, slo: SLO, scale: Scale) -> list[_Panel]:
    panels: list[_Panel | None] = [_figure(chart, line, scale) for line in chart.figures]
    if chart.left is not None:
        panels.append(_budget(chart, chart.left, slo.policy, scale))
    if slo.target is not None:
        panels += [_sli(chart, slo, scale), _burn(chart, scale)]
    return [panel for panel in panels if panel is not None]


# ----------------------------------------------------------------------------- markup


def _text(x: str, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y:.4g}%" dy=".35em" text-anchor="{anchor}">{escape(text)}</text>'


def _keys(panel: _Panel) -> str:
    """Names in the margin at their heights, moved apart, each after a dash like its line."""
    found = sorted((1 - min(HIGH, panel.y(v)) / HIGH, name, style) for v, name, style in panel.keys)
    heights = [height for height, *_ in found]
    for place in range(1, len(heights)):
        heights[place] = max(heights[place], heights[place - 1] + KEY_ROW)
    roof = 1.0
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], roof)
        roof = heights[place] - KEY_ROW
    return "".join(
        f'<line class="{style}" x2="12" y1="{100 - 100 * at:.4g}%" y2="{100 - 100 * at:.4g}%"/>'
        + _text("17", 100 - 100 * at, name, "start")
        for at, (_, name, style) in zip(heights, found, strict=True)
    )


def _markup(panel: _Panel) -> str:
    for value, _ in panel.ticks:
        panel.marks.insert(0, f'<path class="grid" d="M0 {panel.y(value)}H{panel.width}"/>')
    beside = "".join(_text("100%", panel.y(v) / 10, name, "end") for v, name in panel.ticks)
    names = "".join(_text("0", panel.y(v) / 10, name, "start") for v, name in panel.names)
    return (
        f'<p class="panel-title">{escape(panel.title)}</p>'
        f'<div class="panel{" tall" if panel.keys else ""}"><svg class="beside">{beside}</svg>'
        f'<svg class="plot" viewBox="0 0 {panel.width} {HIGH}" preserveAspectRatio="none">'
        f"{''.join(panel.marks)}</svg>"
        f'<svg class="names">{names}{_keys(panel)}</svg></div>'
    )


def _fired(chart: Chart, scale: Scale) -> str:
    """A strip for each alert that fired; an episode is a dot at least, however short."""
    parts = []
    for one in chart.episodes:
        total = length(sum(end - start for start, end in one.spans))
        times = "once" if len(one.spans) == 1 else f"{count(len(one.spans))} times"
        path = "".join(
            f"M{scale.x(start)} 500h{max(1, (end - start) // scale.unit_ns)}"
            for start, end in one.spans
        )
        parts.append(
            f'<p class="panel-title">Alert {escape(one.name)}: fired {times}, {total} in all</p>'
            '<div class="panel strip"><svg class="beside"></svg>'
            f'<svg class="plot" viewBox="0 0 {scale.width} {HIGH}" preserveAspectRatio="none">'
            f'<path class="episode" d="{path}"/></svg><svg class="names"></svg></div>'
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
    scale = scale_of(chart)
    panels = "".join(_markup(panel) for panel in _panels(chart, slo, scale))
    ticks = "".join(
        f'<text x="{100 * scale.x(time) / scale.width:.4g}%" y="1em" text-anchor="middle">'
        f"{escape(name)}</text>"
        for time, name in dated(chart.start_ns, chart.end_ns, 4)
    )
    return (
        f'<div class="panels" role="img" aria-label="{escape(label, quote=True)}">{panels}'
        f"{_fired(chart, scale)}"
        f'<div class="panel times"><svg class="beside"></svg><svg class="axis">{ticks}</svg>'
        '<svg class="names"></svg></div></div>'
    )


def spark_svg(chart: Chart | None) -> str:
    """The budget left as a line without words, for a table; empty where there is none."""
    if chart is None or chart.left is None:
        return ""
    low = min(0.0, float(np.nanmin(chart.left.values)))
    panel = _Panel("", low, 100, 1_000)
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
