"""What is judged in several ways, and what is made of several parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl

from errorbudget import figures
from errorbudget.plot.canvas import Picture, aside, sheet, short
from errorbudget.plot.style import ALARM, GRID, MAIN, RC, SOFT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from errorbudget.comparison import Comparison
    from errorbudget.composite import CompositeStatus

__all__ = ["comparison_figure", "composite_figure"]

MOST_ROWS = 40

_Row = tuple[str, float | None, float, str]


def comparison_figure(comparison: Comparison) -> Picture:
    """The share of bad in each way of judging, against what its target allows."""
    rows = [
        (
            name.replace("_", " "),
            None if status.sli is None else 100 * (1 - status.sli),
            100 * float(status.slo.target_at(status.at_ns).error)
            if status.slo.target is not None
            else 0.0,
            status.state.replace("_", " "),
        )
        for name, status in comparison.statuses.items()
    ]
    names = ", ".join(sorted({status.name for status in comparison.statuses.values()}))
    return _shares(rows, f"{short(names)}: judged in {len(rows)} ways")


def composite_figure(status: CompositeStatus) -> Picture:
    """The share of bad of each part and of the whole, against what the whole may have."""
    allowed = 100 * float(status.composite.target.error)
    rows: list[_Row] = [
        (each.name, None if each.sli is None else 100 * float(1 - each.sli), allowed, "")
        for each in status.members[: MOST_ROWS - 1]
    ]
    left_out = len(status.members) - len(rows)
    whole = None if status.sli is None else 100 * (1 - status.sli)
    rows.append((status.composite.name, whole, allowed, status.state.replace("_", " ")))
    rule = status.composite.rule.replace("_", " ")
    said = f"{short(status.composite.name)}: {len(status.members)} parts, {rule}"
    return _shares(rows, f"{said}; {left_out} not shown" if left_out else said)


def _shares(rows: Sequence[_Row], said: str) -> Picture:
    """A bar of bad for each row, a mark where its target is, and the figure beside it."""
    with mpl.rc_context(RC):
        figure, (ax,) = sheet(said, height=0.8 + 0.3 * len(rows))
        top = max([1e-6, *(max(bad or 0.0, allowed) for _, bad, allowed, _ in rows)]) * 1.1
        for row, (_, bad, allowed, word) in enumerate(rows):
            over = bad is not None and bad > allowed
            ax.barh(row, top, color=GRID, height=0.55, alpha=0.4)
            ax.barh(row, bad or 0.0, color=ALARM if over else MAIN, height=0.55)
            ax.plot([allowed] * 2, [row - 0.42, row + 0.42], color=SOFT, linewidth=2)
            shown = "no data" if bad is None else figures.percent(bad / 100, 4)
            aside(ax, row, f"{shown}, {word}" if word and bad is not None else shown)
        ax.set_yticks(range(len(rows)), [short(name, 28) for name, *_ in rows])
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_xlim(0, top)
        ax.grid(visible=False, axis="y")
        ax.set_xlabel("bad [%]; upright mark: what the target allows")
        ax.set_title(said)
    return figure
