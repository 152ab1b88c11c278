"""
How every picture looks: colours that colour-blind people can tell apart, few lines, plain words.

A figure is drawn in the colours of light paper; each has a partner for dark paper, by which a page
or a file replaces it. Lines stand out from their paper by 3 to 1 and keep a distance from each
other in normal sight and without red, green or blue cones, as the tests measure.

Source of the hues: Okabe and Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from errorbudget.policy import Policy

__all__ = ["DARK", "GRID", "INK", "LINES", "NAMES", "PAPER", "SOFT", "Theme", "tier_colours"]

Theme = Literal["light", "dark"]

INK = "#1b1f24"
SOFT = "#5b6470"
GRID = "#d7dbe0"
PAPER = "#ffffff"
MAIN = "#0072b2"
LINES = ("#d55e00", "#3b125e", "#0095ff", "#006d4a", "#aa5696", "#6d0300")
ALARM = LINES[0]
TIERS = ("#009e73", "#e69f00", "#d75f00", "#8c2d54")

DARK = {
    INK: "#e8eaed",
    SOFT: "#a9b1bd",
    GRID: "#3a404a",
    PAPER: "#15181d",
    MAIN: "#56b4e9",
    **dict(
        zip(LINES, ("#e55f0f", "#fdff5f", "#43ceff", "#438f5e", "#ffb8be", "#9369fd"), strict=True)
    ),
}
"""The partner of each colour on dark paper; fills of tiers serve both."""

NAMES = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    GRID: "var(--grid)",
    MAIN: "var(--line)",
    PAPER: "none",
    **{colour: f"var(--c{place},{colour})" for place, colour in enumerate(LINES, 1)},
}
"""What a page calls each colour."""

RC: Any = {
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": GRID,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "lines.linewidth": 1.4,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "svg.hashsalt": "errorbudget",
    "path.simplify": True,
}


def tier_colours(policy: Policy) -> dict[str, str]:
    """A colour for each tier, from the best to the worst."""
    last = max(1, len(policy.tiers) - 1)
    return {
        tier.name: TIERS[round(rank * (len(TIERS) - 1) / last)]
        for rank, tier in enumerate(policy.tiers)
    }
