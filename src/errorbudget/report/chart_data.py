"""The figures of the charts, for the script that reads them out, in the units of their pictures."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import format_duration
from errorbudget.report.panels import Scale

if TYPE_CHECKING:
    from errorbudget.report.chart import Chart
    from errorbudget.slo import SLO

__all__ = ["chart_data"]


def _figures(values: Any, lines: Iterable[float]) -> list[float | str | None]:
    """Values with five digits, and with all of them where five would cross one of *lines*."""
    found: list[float | str | None] = []
    turns = list(lines)
    for value in values.tolist():
        if isnan(value):
            found.append(None)
        elif not isfinite(value):
            found.append("inf" if value > 0 else "-inf")
        else:
            short = float(f"{value:.5g}")
            same = all((short > x) == (value > x) and (short < x) == (value < x) for x in turns)
            kept = short if same else value
            found.append(int(kept) if kept == int(kept) else kept)
    return found


def chart_data(chart: Chart, slo: SLO) -> dict[str, Any]:
    """
    The figures of the charts, for the script that reads them out.

    Times are in units of `unit_ms` from `start_ms`, the moments as differences. A line's last value
    is the one of the report.
    """
    scale = Scale.of(chart.start_ns, chart.end_ns)
    lines = [*chart.figures, *(() if chart.left is None else (chart.left,)), *chart.burn]
    bounds = [100 * float(tier.above) for tier in slo.policy.tiers if tier.above is not None]
    pieces = chart.pieces
    return {
        "start_ms": chart.start_ns // 10**6,
        "unit_ms": scale.unit_ns // 10**6,
        "width": scale.width,
        "step": format_duration(chart.step_ns),
        "moments": np.diff(scale.x(chart.time_ns), prepend=0).tolist(),
        "lines": [
            {
                "name": line.name,
                "unit": line.unit,
                "values": _figures(
                    line.values,
                    [*([] if line.limit is None else [line.limit]), 0, 100, *bounds],
                ),
            }
            for line in lines
        ],
        "pieces": None
        if pieces is None
        else {
            "every": pieces.every,
            "ends": np.diff(np.clip(scale.x(pieces.time_ns), 0, scale.width), prepend=0).tolist(),
            "values": _figures(
                100 * pieces.ratio, [0, 100, 100 * float(slo.target_at(chart.end_ns).ratio)]
            ),
        },
        "alerts": [
            {
                "name": one.name,
                "spans": [
                    [scale.x(start), max(scale.x(start) + 1, scale.x(end))]
                    for start, end in one.spans
                ],
            }
            for one in chart.episodes
        ],
        "firing": list(chart.firing),
    }
