"""
Many intervals as one stretch of time: their union, and what is left when some is taken away.

All intervals of a call are closed on the same side. Then unions and differences are again
intervals closed on that side, and no instant at an edge is won or lost.
"""

from __future__ import annotations

from collections.abc import Iterable

from errorbudget.errors import InvalidWindowError
from errorbudget.windows.interval import Interval

__all__ = ["merge_intervals", "subtract_intervals"]


def _check_closed(intervals: list[Interval]) -> None:
    if len({interval.closed for interval in intervals}) > 1:
        raise InvalidWindowError(
            "intervals must be closed on the same side, got both [start, end) and (start, end]"
        )


def merge_intervals(intervals: Iterable[Interval]) -> list[Interval]:
    """
    The fewest intervals that hold exactly the same instants, in order and apart from each other.

    Args:
        intervals: Any intervals closed on the same side, in any order; those of length 0 vanish.

    Raises:
        InvalidWindowError: Some are closed on the left and some on the right.

    Example:
        >>> parts = [Interval(5, 9, "left"), Interval(0, 3, "left"), Interval(3, 6, "left")]
        >>> [(part.start_ns, part.end_ns) for part in merge_intervals(parts)]
        [(0, 9)]

    Time: O(n log n); memory: O(n).
    """
    parts = sorted(
        (part for part in intervals if part.length_ns),
        key=lambda part: (part.start_ns, part.end_ns),
    )
    _check_closed(parts)
    merged: list[Interval] = []
    for part in parts:
        if merged and part.start_ns <= merged[-1].end_ns:
            last = merged[-1]
            merged[-1] = Interval(last.start_ns, max(last.end_ns, part.end_ns), last.closed)
        else:
            merged.append(part)
    return merged


def subtract_intervals(intervals: Iterable[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """
    What *intervals* hold and *holes* do not, in order and apart from each other.

    Args:
        intervals: What to take from, all closed on the same side.
        holes: What to take away, closed on that side too.

    Raises:
        InvalidWindowError: Some are closed on the left and some on the right.

    Example:
        >>> rest = subtract_intervals([Interval(0, 10, "left")], [Interval(3, 5, "left")])
        >>> [(part.start_ns, part.end_ns) for part in rest]
        [(0, 3), (5, 10)]

    Time: O(n log n + m log m); memory: O(n + m).
    """
    parts, gaps = merge_intervals(intervals), merge_intervals(holes)
    _check_closed(parts + gaps)
    rest: list[Interval] = []
    first = 0
    for part in parts:
        while first < len(gaps) and gaps[first].end_ns <= part.start_ns:
            first += 1
        start_ns = part.start_ns
        # A hole may reach into the next part too, so it is left behind only when passed.
        index = first
        while index < len(gaps) and gaps[index].start_ns < part.end_ns:
            gap, index = gaps[index], index + 1
            if gap.start_ns > start_ns:
                rest.append(Interval(start_ns, gap.start_ns, part.closed))
            start_ns = gap.end_ns
        if start_ns < part.end_ns:
            rest.append(Interval(start_ns, part.end_ns, part.closed))
    return rest
