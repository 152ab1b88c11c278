"""
What time it is, for those who may ask.

A tracker reads a clock, and nothing else in the library does. The clock is a function that returns
nanoseconds since the epoch: `time.time_ns`, or for tests and replays a `ManualClock`.
"""

from __future__ import annotations

from collections.abc import Callable

from errorbudget.durations import DurationLike, parse_duration
from errorbudget.times import TimeLike, format_time, to_ns

__all__ = ["Clock", "ManualClock"]

Clock = Callable[[], int]
"""Nanoseconds since the epoch, UTC."""


class ManualClock:
    """
    A clock that stands still until it is moved.

    Args:
        now: Where it stands.

    Example:
        >>> clock = ManualClock("2026-03-01T12:00:00Z")
        >>> clock.advance("90s")
        >>> clock
        ManualClock("2026-03-01T12:01:30Z")
    """

    __slots__ = ("now_ns",)

    def __init__(self, now: TimeLike) -> None:
        self.now_ns = to_ns(now)

    def __call__(self) -> int:
        return self.now_ns

    def advance(self, by: DurationLike) -> None:
        """Move forward by a duration."""
        self.now_ns += parse_duration(by)

    def set(self, now: TimeLike) -> None:
        """Step to another instant, forward or back."""
        self.now_ns = to_ns(now)

    def __repr__(self) -> str:
        return f'ManualClock("{format_time(self.now_ns)}")'
