"""
Panels, strips and keys: the pieces that every picture of a page is put together from.

Each panel is a plot that stretches to any width between columns of text that keep their size, so
a phone and a printer get sharp, readable charts from the same markup, without a script. What is
not drawn on its own scale (letters, dots) keeps its shape. Colours are those of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from math import isfinite, isnan, log
from typing import TYPE_CHECKING, Any

from errorbudget.report.ticks import dated, round_values

if TYPE_CHECKING:
    from errorbudget.policy import Policy

__all__ = [
    "BELOW",
    "HIGH",
    "KEY_ROW",
    "Panel",
    "Scale",
    "axis",
    "budget_panel",
    "drawn",
    "keyed",
    "moments_axis",
    "pictured",
    "short",
    "strip",
    "toned",
]

HIGH = 1_000
"""Height of every plot in its own units; they grow downwards."""

BELOW = HIGH + 60
"""Out of sight under a plot."""

KEY_ROW = 0.095
"""Height of a line of letters beside a plot with keys, as a share of it."""

TONES = ("good", "fair", "poor", "bad")
MOST_LETTERS = 15
"""Letters that fit beside a plot."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Instants in the units of a chart."""

    start_ns: int
    unit_ns: int
    width: int

    @classmethod
    def of(cls, start_ns: int, end_ns: int) -> Scale:
        """Seconds for an hour and more, else milliseconds."""
        span = end_ns - start_ns
        unit = 10**9 if span >= 3_600 * 10**9 else 10**6
        return cls(start_ns, unit, max(1, span // unit))

    def x(self, time_ns: Any) -> Any:
        """Units from the start."""
        return (time_ns - self.start_ns) // self.unit_ns

    def path(self, spans: Iterable[tuple[int, int]]) -> str:
        """Stretches of time in the middle of a strip; a dot at least, however short."""
        return "".join(
            f"M{self.x(start)} 500h{max(1, (end - start) // self.unit_ns)}" for start, end in spans
        )


@dataclass(slots=True)
class Panel:
    """
    One plot: its scale, what is written beside it, and its marks as SVG.

    Attributes:
        title: What stands above it.
        low: The lowest value.
        high: The highest one.
        width: Its width in its own units.
        logarithmic: Whether heights are logarithms.
        ticks: Values with their names, to the left of the plot.
        names: Values with their names, to the right of it.
        keys: Values, names and styles of lines, to the right of it.
        letters: Points with a few letters above each, in the plot: x, value, text.
        tall: Whether there is more than one line to look at.
        marks: What is drawn.
    """

    title: str
    low: float
    high: float
    width: int
    logarithmic: bool = False
    ticks: list[tuple[float, str]] = field(default_factory=list)
    names: list[tuple[float, str]] = field(default_factory=list)
    keys: list[tuple[float, str, str]] = field(default_factory=list)
    letters: list[tuple[int, float, str]] = field(default_factory=list)
    tall: bool = False
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

    def upright(self, x: int, style: str) -> None:
        """A line from top to bottom."""
        self.marks.append(f'<path class="{style}" d="M{x} 0V{HIGH}"/>')

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

    def between(
        self, xs: Sequence[int], lows: Iterable[float], highs: Iterable[float], style: str
    ) -> None:
        """The room between two lines; a gap where either has no value."""
        runs: list[list[tuple[int, int, int]]] = [[]]
        for x, low, high in zip(xs, lows, highs, strict=True):
            if isnan(low) or isnan(high):
                runs.append([])
            else:
                runs[-1].append((x, self.y(low), self.y(high)))
        path = "".join(
            _path([(x, top) for x, _, top in run] + [(x, bottom) for x, bottom, _ in run[::-1]])
            + "z"
            for run in runs
            if run
        )
        self.marks.append(f'<path class="{style}" d="{path}"/>')

    def block(self, start: int, end: int, value: float, style: str) -> None:
        """A stretch as high as its value."""
        self.marks.append(
            f'<path class="{style}" d="M{start} {HIGH}V{self.y(value)}H{end}V{HIGH}"/>'
        )

    def dots(self, points: Iterable[tuple[int, float]], style: str) -> None:
        """Points that stay round at any width."""
        path = "".join(f"M{x} {self.y(value)}h0" for x, value in points)
        self.marks.append(f'<path class="dot {style}" d="{path}"/>')

    def over(self, policy: Policy) -> None:
        """The policy's tiers behind everything, named where there is room."""
        top = self.high
        for rank, tier in enumerate(policy.tiers):
            floor = self.low if tier.above is None else max(self.low, 100 * float(tier.above))
            if floor >= top:
                continue
            self.band(floor, top, toned(rank, len(policy.tiers)))
            if top - floor > 0.1 * (self.high - self.low):
                self.names.append(((floor + top) / 2, tier.name))
            top = floor


def toned(rank: int, of: int) -> str:
    """
    The colour of the tier of that rank, the best being 0.

    Example:
        >>> [toned(rank, 4) for rank in range(4)], toned(1, 2), toned(0, 1)
        (['good', 'fair', 'poor', 'bad'], 'bad', 'good')
    """
    return TONES[round(3 * rank / max(1, of - 1))]


def short(name: str) -> str:
    """
    A name for the margin of a plot.

    Example:
        >>> short("healthy"), short("a tier with a long name")
        ('healthy', 'a tier with a …')
    """
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1] + "…"


def budget_panel(title: str, low: float, policy: Policy, width: int) -> Panel:
    """
    An empty panel of the budget left [%] over the tiers of a policy.

    Args:
        title: What stands above it.
        low: The lowest value that is to be seen; 0 is always.
        policy: Whose tiers lie behind.
        width: Its width in its own units.
    """
    low = min(0.0, low)
    panel = Panel(title, low - 4 if low >= 0 else 1.08 * low - 8, 104, width)
    panel.ticks = [(value, f"{value:,g}%") for value in round_values(panel.low, 100, 4)]
    panel.over(policy)
    panel.rule(0, "axis")
    return panel


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


# ----------------------------------------------------------------------------- markup


def _text(x: str, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y:.4g}%" dy=".35em" text-anchor="{anchor}">{escape(text)}</text>'


def _keys(panel: Panel) -> str:
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


def _anchor(share: float) -> str:
    """Which side of a text its place is, so that it ends within the plot."""
    return "start" if share < 0.15 else "end" if share > 0.85 else "middle"


def drawn(panel: Panel) -> str:
    """A panel as markup."""
    for value, _ in panel.ticks:
        panel.marks.insert(0, f'<path class="grid" d="M0 {panel.y(value)}H{panel.width}"/>')
    beside = "".join(_text("100%", panel.y(v) / 10, name, "end") for v, name in panel.ticks)
    names = "".join(_text("0", panel.y(v) / 10, short(name), "start") for v, name in panel.names)
    letters = "".join(
        f'<text x="{100 * x / panel.width:.4g}%" y="{panel.y(v) / 10:.4g}%" dy="-.6em" '
        f'text-anchor="{_anchor(x / panel.width)}">{escape(text)}</text>'
        for x, v, text in panel.letters
    )
    return (
        f'<p class="panel-title">{escape(panel.title)}</p>'
        f'<div class="panel{" tall" if panel.tall or panel.keys else ""}">'
        f'<svg class="beside">{beside}</svg>'
        f'<svg class="plot" viewBox="0 0 {panel.width} {HIGH}" preserveAspectRatio="none">'
        f"{''.join(panel.marks)}</svg>"
        + (f'<svg class="over">{letters}</svg>' if letters else "")
        + f'<svg class="names">{names}{_keys(panel)}</svg></div>'
    )


def strip(
    marks: str, width: int, *, title: str = "", beside: str = "", name: str = "", style: str = ""
) -> str:
    """
    A flat plot in which only the place along the axis means anything.

    Args:
        marks: What is drawn, as SVG; heights go from 0 to `HIGH`.
        width: Its width in its own units.
        title: What stands above it.
        beside: What stands to its left.
        name: What stands to its right.
        style: "row" for one that is as high as its letters.
    """
    left = _text("100%", 50, beside, "end") if beside else ""
    right = _text("0", 50, short(name), "start") if name else ""
    return (
        (f'<p class="panel-title">{escape(title)}</p>' if title else "")
        + f'<div class="panel strip{style and f" {style}"}"><svg class="beside">{left}</svg>'
        f'<svg class="plot" viewBox="0 0 {width} {HIGH}" preserveAspectRatio="none">{marks}</svg>'
        f'<svg class="names">{right}</svg></div>'
    )


def axis(ticks: Iterable[tuple[float, str]], title: str = "") -> str:
    """
    What is written below the plots.

    Args:
        ticks: Places, as shares of the width, with their names.
        title: What the axis measures, where that is not time.
    """
    texts = "".join(
        f'<text x="{100 * share:.4g}%" y="1em" text-anchor="middle">{escape(name)}</text>'
        for share, name in ticks
    )
    return (
        f'<div class="panel times"><svg class="beside"></svg><svg class="axis">{texts}</svg>'
        '<svg class="names"></svg></div>'
        + (f'<p class="axis-title">{escape(title)}</p>' if title else "")
    )


def moments_axis(start_ns: int, end_ns: int) -> str:
    """An axis of time, in UTC."""
    scale = Scale.of(start_ns, end_ns)
    return axis((scale.x(time) / scale.width, name) for time, name in dated(start_ns, end_ns, 4))


_SHAPES = {"line": "M0 500H1000", "fill": "M0 0H1000V1000H0z", "dot": "M500 500h0", "": ""}


def keyed(keys: Iterable[tuple[str, str, str]]) -> str:
    """
    What the marks mean.

    Args:
        keys: Shape ("line", "fill", "dot" or "" for a text alone), style and meaning of each;
            styles with " + " between lie over one another.
    """
    box = '<svg class="plot" viewBox="0 0 1000 1000" preserveAspectRatio="none">'
    parts = []
    for shape, styles, name in keys:
        marks = "".join(
            f'<path class="{style}" d="{_SHAPES[shape]}"/>' for style in styles.split(" + ")
        )
        parts.append(f"<span>{f'{box}{marks}</svg> ' if shape else ''}{escape(name)}</span>")
    return f'<p class="keys">{"".join(parts)}</p>'


def pictured(parts: Iterable[str], label: str) -> str:
    """
    Panels, strips and keys as one picture.

    Args:
        parts: Each as markup, from top to bottom.
        label: What they show, for who cannot see them.
    """
    return (
        f'<div class="panels" role="img" aria-label="{escape(label, quote=True)}">'
        f"{''.join(parts)}</div>"
    )
