"""
How every picture looks: colours that colour-blind people can tell apart, few lines, plain words.

Ink, grid and ground are named colours, which a page replaces by its own for light and dark.

Source of the colours: Okabe and Ito, "Color Universal Design", 2008.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from errorbudget.policy import Policy

__all__ = ["GRID", "INK", "LINES", "PAPER", "SOFT", "tier_colours"]

INK = "#1b1f24"
SOFT = "#5b6470"
GRID = "#d7dbe0"
PAPER = "#ffffff"
MAIN = "#0072b2"
ALARM = "#d55e00"
LINES = ("#d55e00", "#e69f00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9")
_TIERS = ("#009e73", "#e69f00", "#d55e00", "#8c2d54")

RC: Any = {
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": INK,
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
        tier.name: _TIERS[round(rank * (len(_TIERS) - 1) / last)]
        for rank, tier in enumerate(policy.tiers)
    }
