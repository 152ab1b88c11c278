"""
What an open page costs when nothing is the matter.

A page that nobody can close is sent again and again. Alertmanager does so every four hours unless
told otherwise (its `repeat_interval`), so a page that stays open for a day outside of incidents
wakes people as often as six false ones.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from errorbudget.durations import HOUR_NS

__all__ = ["REPEAT_NS", "IncidentTime"]

REPEAT_NS = 4 * HOUR_NS


class IncidentTime:
    """
    The time in which some incident was on.

    Args:
        spans: Incidents, (start, end] each; they may overlap.

    Example:
        >>> known = IncidentTime([(0, 2 * HOUR_NS), (HOUR_NS, 3 * HOUR_NS)])
        >>> known.idle_ns(2 * HOUR_NS, 12 * HOUR_NS) // HOUR_NS
        9
        >>> known.repeats(HOUR_NS, 12 * HOUR_NS)  # 5 and 9 hours after 0
        2
    """

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        merged: list[list[int]] = []
        for low, high in sorted(spans):
            if merged and low <= merged[-1][1]:
                merged[-1][1] = max(high, merged[-1][1])
            else:
                merged.append([low, high])
        self._starts = [low for low, _ in merged]
        self._ends = [high for _, high in merged]

    def idle_ns(self, start_ns: int, end_ns: int) -> int:
        """How much of the time from *start_ns* to *end_ns* lies outside of incidents [ns]."""
        idle = end_ns - start_ns
        for place in range(bisect_left(self._ends, start_ns), len(self._ends)):
            if self._starts[place] >= end_ns:
                break
            idle -= min(end_ns, self._ends[place]) - max(start_ns, self._starts[place])
        return idle

    def repeats(self, start_ns: int, end_ns: int) -> int:
        """How often a page open in [start, end) is sent again while no incident is on."""
        return sum(not self._on(at) for at in range(start_ns + REPEAT_NS, end_ns, REPEAT_NS))

    def _on(self, at_ns: int) -> bool:
        place = bisect_left(self._ends, at_ns)
        return place < len(self._ends) and self._starts[place] < at_ns
