"""Pictures of where the budget went: its course, incidents, candidates for a target, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.figures import count, percent
from errorbudget.report.chart import kept_points
from errorbudget.report.panels import (
    HIGH,
    Panel,
    Scale,
    axis,
    budget_panel,
    drawn,
    keyed,
    moments_axis,
    pictured,
    strip,
    toned,
)
from errorbudget.report.ticks import round_values

if TYPE_CHECKING:
    from errorbudget.policy import Policy
    from errorbudget.studies.advice import Advice, Candidate
    from errorbudget.studies.confidence import Confidence
    from errorbudget.studies.ledger import Ledger
    from errorbudget.studies.reviewed import SLOReview

__all__ = ["advice_picture", "confidence_picture", "course_picture", "ledger_picture"]

WIDTH = 1_000
STRETCHES = 150
LEAST_NAMED = 1 / 8
"""Of the highest cost; cheaper incidents have no name in the picture."""
APART = 0.2
"""Of the width; closer to a costlier incident a name would lie over the other's."""


def ledger_picture(ledger: Ledger, costs: Sequence[Any] | None = None) -> str:
    """
    Incidents along the window, as high as they cost and as wide as they lasted.

    Args:
        ledger: The incidents.
        costs: Parts of another budget than the ledger's own.

    Returns:
        Empty without incidents that cost anything.
    """
    own: Sequence[Any] = [entry.cost for entry in ledger] if costs is None else costs
    title, whole = "Cost of each incident, in parts of the budget", "budget"
    if any(cost is None or not isfinite(cost) for cost in own):
        own = [entry.share for entry in ledger]
        title, whole = "Bad events of each incident, in parts of all", "bad events"
    if None in own or not any(own):
        return ""
    values = [100 * float(cost) for cost in own]
    start, end = ledger.interval.start_ns, ledger.interval.end_ns
    scale, top = Scale.of(start, end), max(values)
    panel = Panel(title, 0, 1.25 * top, scale.width)
    panel.ticks = [(value, f"{value:,g}%") for value in round_values(0, top, 4)]
    spans = [
        (scale.x(max(start, entry.start_ns)), scale.x(min(end, entry.end_ns))) for entry in ledger
    ]
    for (x0, x1), value in zip(spans, values, strict=True):
        panel.block(x0, x1, value, "block")
    named: list[float] = []
    for place in sorted(range(len(values)), key=lambda place: -values[place]):
        middle = sum(spans[place]) // 2
        near = any(abs(middle - other) < APART * scale.width for other in named)
        if values[place] >= LEAST_NAMED * top and not near:
            named.append(middle)
            panel.letters.append((middle, values[place], ledger[place].name[:24]))
    incidents = "1 incident" if len(values) == 1 else f"{count(len(values))} incidents"
    label = (
        f"{ledger.slo.name}: {incidents} over time, the costliest "
        f"{percent(max(own))} of the {whole}"
    )
    return pictured([drawn(panel), moments_axis(start, end)], label)


def course_picture(each: SLOReview) -> str:
    """The budget left over the period and the one before; empty where there is no budget."""
    now, before = each.now, each.before
    if now is None or not np.isfinite(now.left).any():
        return ""
    start = now.interval.start_ns
    periods = [(now, "line main")]
    if before is not None and np.isfinite(before.left).any():
        start = before.interval.start_ns
        periods.insert(0, (before, "line calm"))
    end = now.interval.end_ns
    scale = Scale.of(start, end)
    known = np.concatenate([period.left for period, _ in periods])
    low = float(known[np.isfinite(known)].min())
    panel = budget_panel(f"{each.slo.name}: budget left", 100 * low, each.slo.policy, scale.width)
    for period, style in periods:
        rows = kept_points([period.left], STRETCHES)
        xs = scale.x(period.time_ns[rows]).tolist()
        panel.line(xs, (100 * period.left[rows]).tolist(), style)
    parts = [drawn(panel)]
    if each.incidents:
        spans = [(entry.start_ns, entry.end_ns) for entry in each.incidents]
        path = scale.path([(max(a, start), min(b, end)) for a, b in spans if b >= start])
        title = f"Incidents of the period: {count(len(spans))}"
        parts.append(strip(f'<path class="episode" d="{path}"/>', scale.width, title=title))
    keys = [("line", "line main", "this period"), ("line", "line calm", "the one before")]
    label = (
        f"{each.slo.name}: budget left over the period, {percent(each.remaining, 1)} at its end "
        f"and {percent(each.remaining_before, 1)} at its start"
    )
    parts += [moments_axis(start, end), keyed(keys[: len(periods)])]
    return pictured(parts, label)


def advice_picture(found: Advice) -> str:
    """How much of the time each candidate would have spent in which tier."""
    judged = [each for each in found if each.tiers]
    if not judged:
        return ""
    tiers = [tier.name for tier in found.slo.policy.tiers]
    rows = []
    for each in judged:
        marks, edge = "", 0.0
        for rank, tier in enumerate(tiers):
            x0, edge = edge, edge + float(each.tiers[tier])
            style = f"fill {toned(rank, len(tiers))}"
            marks += _rectangle(x0, edge, style)
        rows.append(
            strip(marks, WIDTH, beside=str(each.target), name=_word(each, found), style="row")
        )
    keys = [("fill", f"fill {toned(rank, len(tiers))}", tier) for rank, tier in enumerate(tiers)]
    title = '<p class="panel-title">Share of the time in each tier, by target</p>'
    ticks = axis([(0, "0%"), (0.5, "50%"), (1, "100%")])
    label = "; ".join(
        f"{each.target}: {percent(each.tiers[tiers[0]], 0)} of the time {tiers[0]}, "
        f"{percent(each.tiers[tiers[-1]], 0)} {tiers[-1]}"
        for each in judged
    )
    return pictured([title, *rows, ticks, keyed(keys)], f"{found.slo.name}: {label}")


def _word(each: Candidate, found: Advice) -> str:
    words = [
        word
        for word, target in (("now", found.present), ("take", found.recommended))
        if each.target == target
    ]
    return "keep" if len(words) == 2 else "".join(words)


def _rectangle(start: float, end: float, style: str) -> str:
    """A stretch of a strip, in shares of its width."""
    x0, x1 = round(WIDTH * start), round(WIDTH * end)
    return f'<path class="{style}" d="M{x0} 0H{x1}V{HIGH}H{x0}z"/>' if x1 > x0 else ""


def confidence_picture(found: Confidence, policy: Policy) -> str:
    """Where the budget left may truly lie, over the tiers; empty where that has no end."""
    if found.remaining is None or not all(map(isfinite, found.remaining)):
        return ""
    low, high = found.remaining
    seen = 1 - float(found.counts.bad) / (float(found.counts.total) * float(found.error))
    margin = 0.1 * (max(high, 0) - min(low, 0)) or 0.1
    left, right = min(low, 0) - margin, max(high, 0) + margin

    def x(value: float) -> float:
        return min(1.0, max(0.0, (value - left) / (right - left)))

    marks, top = "", right
    for rank, tier in enumerate(policy.tiers):
        floor = left if tier.above is None else float(tier.above)
        style = f"band {toned(rank, len(policy.tiers))}"
        marks += _rectangle(x(floor), x(top), style)
        top = min(top, floor)
    zero = round(WIDTH * x(0))
    marks += f'<path class="axis" d="M{zero} 0V{HIGH}"/>'
    x0, x1 = (round(WIDTH * x(end)) for end in (low, high))
    marks += f'<path class="span" d="M{x0} 500H{x1}"/>'
    marks += f'<path class="dot ink" d="M{round(WIDTH * x(seen))} 500h0"/>'
    said = f"Budget left: {percent(seen, 1)} seen, {percent(low, 1)} to {percent(high, 1)}"
    said += f" at {percent(found.level, 0)}"
    ticks = ((x(value / 100), f"{value:,g}%") for value in round_values(100 * left, 100 * right, 4))
    return pictured([strip(marks, WIDTH, title=said, style="row"), axis(ticks)], said)
