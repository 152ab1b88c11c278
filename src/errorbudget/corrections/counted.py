"""
Corrections applied to events, one event at a time.

Slow and plain: this is what every faster path must agree with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from errorbudget.corrections.maintenance import Correction, Treat
from errorbudget.counts import Counts
from errorbudget.errors import InvalidSeriesError
from errorbudget.windows.interval import Interval
from errorbudget.windows.sets import merge_intervals, subtract_intervals

__all__ = ["corrected_counts", "corrected_intervals"]


def corrected_intervals(
    corrections: Iterable[Correction], within: Interval
) -> dict[Treat, list[Interval]]:
    """
    Where events are excluded, and where they are good: all corrections taken together.

    Returns:
        For `"exclude"` and for `"good"` the intervals [start, end) that share an instant with
        *within*: in order, apart, not clipped to it. No instant is in both, since exclusion wins.

    Example:
        >>> from errorbudget.corrections import Maintenance
        >>> parts = corrected_intervals(
        ...     [Maintenance(0, 10), Maintenance(5, 20, "good")], Interval(0, 100, "left")
        ... )
        >>> [(part.start_ns, part.end_ns) for part in parts["good"]]
        [(10, 20)]
    """
    found: dict[Treat, list[Interval]] = {"exclude": [], "good": []}
    for correction in corrections:
        found[correction.treat].extend(correction.intervals(within))
    excluded = merge_intervals(found["exclude"])
    return {"exclude": excluded, "good": subtract_intervals(found["good"], excluded)}


def corrected_counts(
    times: Sequence[int],
    good: Sequence[bool],
    corrections: Iterable[Correction],
    interval: Interval,
) -> Counts:
    """
    Good and bad events of an interval, after corrections.

    Args:
        times: When each event happened [ns], in any order.
        good: Whether each was good, as many.
        corrections: What is judged otherwise; where treatments overlap, exclusion wins.
        interval: What is counted.

    Raises:
        InvalidSeriesError: *times* and *good* differ in length.

    Example:
        >>> from errorbudget.corrections import Maintenance
        >>> corrections = [Maintenance(10, 20), Maintenance(15, 30, "good")]
        >>> bad = [False] * 4
        >>> corrected_counts([5, 12, 17, 25], bad, corrections, Interval(0, 100, "left"))
        Counts(good=1, bad=1)

    Time: O(events x corrections).
    """
    if len(times) != len(good):
        raise InvalidSeriesError(
            f"times and good must be as many, got {len(times)} and {len(good)}"
        )
    parts = corrected_intervals(corrections, interval)
    counts = {True: 0, False: 0}
    for time_ns, was_good in zip(times, good, strict=True):
        if not interval.contains(time_ns) or any(
            part.contains(time_ns) for part in parts["exclude"]
        ):
            continue
        counts[bool(was_good) or any(part.contains(time_ns) for part in parts["good"])] += 1
    return Counts(good=counts[True], bad=counts[False])
