"""Pictures of alert policies: noise against what goes unseen, and when each alert fired."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from errorbudget.figures import count, length, percent
from errorbudget.report.panels import (
    Panel,
    Scale,
    axis,
    drawn,
    keyed,
    moments_axis,
    pictured,
    strip,
)
from errorbudget.report.ticks import round_values

if TYPE_CHECKING:
    from errorbudget.studies.backtest import Backtest
    from errorbudget.studies.pages import PolicyResult

__all__ = ["firing_picture", "front_picture"]

WIDTH = 1_000
FINEST = 1_500
"""Stretches of time that a strip tells apart."""


def front_picture(found: Backtest, best: PolicyResult) -> str:
    """
    Each policy by its noise and by what it leaves unseen, and the front that none beats.

    Args:
        found: The backtest.
        best: The policy to take.

    Returns:
        Empty where there is one policy, or no incident to tell them apart.
    """
    front = found.front()
    if len(found) < 2 or not front:
        return ""
    right = max(_noise(result) for result in found) or 1.0
    top = max(_unseen(result) for result in found) or 1.0
    panel = Panel("Spent unseen, in parts of a budget", -0.08 * top, 1.2 * top, WIDTH, tall=True)
    panel.ticks = [(value, f"{value:,g}%") for value in round_values(0, top, 4)]

    def place(result: PolicyResult) -> tuple[int, float]:
        return _x(_noise(result), right), _unseen(result)

    steps = [place(result) for result in front]
    unbeaten = {result.name for result in front}
    panel.rule(0, "axis")
    panel.dots((place(result) for result in found if result.name not in unbeaten), "others")
    panel.steps([*(x for x, _ in steps), WIDTH], [y for _, y in steps], "line main")
    for style in ("ring", "hole"):
        panel.dots([place(best)], style)
    panel.dots(steps, "main")
    named = [*front, *([] if found[0].name in unbeaten else [found[0]])]
    panel.letters = _numbers([place(result) for result in named], panel.high)
    keys = [
        ("line", "line main", "no other beats these"),
        ("dot", "dot ring + dot hole + dot main", f"take: {best.name}"),
        ("dot", "dot others", "others"),
    ]
    return pictured(
        [
            drawn(panel),
            axis(
                ((_x(value, right) / WIDTH, f"{value:,g}") for value in round_values(0, right, 4)),
                "false pages in 30 days, open ones sent again among them",
            ),
            keyed(keys),
            keyed(("", "", f"{rank} {result.name}") for rank, result in enumerate(named, 1)),
        ],
        f"Of {len(found)} policies {len(front)} are not beaten by another; {best.name} leaves "
        f"{percent(best.spent_unseen)} unseen at {_noise(best):.2g} false pages in 30 days",
    )


def _numbers(places: list[tuple[int, float]], top: float) -> list[tuple[int, float, str]]:
    """Points with their numbers, those that would lie over one another as one."""
    found: list[tuple[int, float, str]] = []
    for rank, (x, value) in enumerate(places, 1):
        for at, (near_x, near, text) in enumerate(found):
            if abs(x - near_x) < 0.06 * WIDTH and abs(value - near) < 0.08 * top:
                found[at] = (near_x, near, f"{text}, {rank}")
                break
        else:
            found.append((x, value, str(rank)))
    return found


def _noise(result: PolicyResult) -> float:
    return float(result.noise_per_month or 0)


def _unseen(result: PolicyResult) -> float:
    return 100 * float(result.spent_unseen)


def _x(noise: float, right: float) -> int:
    return round(WIDTH * (0.03 + 0.92 * noise / right))


def firing_picture(result: PolicyResult, start_ns: int, end_ns: int) -> str:
    """
    When incidents were, and when each alert fired.

    Args:
        result: What a policy did.
        start_ns: Where the history begins [ns UTC].
        end_ns: Its end [ns UTC].

    Returns:
        Empty where nothing fired and there was nothing to see.
    """
    scale = Scale.of(start_ns, end_ns)
    seen = [each.incident for each in result.detections if each.detected_ns is not None]
    missed = [each.incident for each in result.detections if each.detected_ns is None]
    rows: list[tuple[str, str, list[tuple[int, int]]]] = [
        (f"{name}: {count(len(found))}", style, [(each.start_ns, each.end_ns) for each in found])
        for name, style, found in (
            ("Incidents that were seen", "calm", seen),
            ("Incidents that were missed", "episode", missed),
        )
    ]
    false = [(page.start_ns, page.end_ns or end_ns) for page in result.false_pages]
    rows.append((f"False pages: {count(len(false))}", "episode", false))
    for alert in result.policy.alerts:
        spans = [
            (each.start_ns, each.end_ns or end_ns)
            for each in result.episodes
            if each.alert == alert.name
        ]
        times = "once" if len(spans) == 1 else f"{count(len(spans))} times"
        whole = length(sum(end - start for start, end in spans))
        rows.append((f"Alert {alert.name}: fired {times}, {whole} in all", "episode", spans))
    strips = [
        strip(f'<path class="{style}" d="{path}"/>', scale.width, title=title)
        for title, style, spans in rows
        if (path := scale.path(_told_apart(spans, start_ns, end_ns)))
    ]
    if not strips:
        return ""
    label = (
        f"{result.name}: incidents, false pages and alerts over time; {len(seen)} of "
        f"{len(result.detections)} incidents seen, {len(false)} of {len(result.pages)} pages false"
    )
    return pictured([*strips, moments_axis(start_ns, end_ns)], label)


def _told_apart(
    spans: Iterable[tuple[int, int]], start_ns: int, end_ns: int
) -> list[tuple[int, int]]:
    """Stretches within the history, those as one that no screen would tell apart."""
    least = (end_ns - start_ns) // FINEST
    found: list[tuple[int, int]] = []
    for start, end in sorted((max(start, start_ns), min(end, end_ns)) for start, end in spans):
        if start > end:
            continue
        if found and start - found[-1][1] <= least:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
