"""
Windows of a fixed length that end now: the last 30 days, whenever now is.

A rolling window is (t - w, t]: it holds the event of this very instant, and has just let go of
the one exactly *w* ago.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidDurationError, InvalidWindowError
from errorbudget.times import TimeLike, to_ns
from errorbudget.windows.interval import Closed, Interval

__all__ = ["Rolling"]


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Rolling:
    """
    The last stretch of a fixed length, (t - w, t].

    Args:
        length: Text such as `"30d"`, or a `timedelta`.

    Attributes:
        length_ns: Its length [ns, > 0].

    Raises:
        InvalidWindowError: The length cannot be read, or is not positive.

    Example:
        >>> print(Rolling("7d").interval("2022-08-11T08:31:00Z"))
        (2022-08-04T08:31:00Z, 2022-08-11T08:31:00Z]
    """

    length_ns: int

    closed: ClassVar[Closed] = "right"

    def __init__(self, length: DurationLike) -> None:
        try:
            length_ns = parse_duration(length)
        except InvalidDurationError as error:
            raise InvalidWindowError(f"not a rolling window: {error}") from None
        object.__setattr__(self, "length_ns", length_ns)

    @classmethod
    def from_ns(cls, length_ns: int) -> Rolling:
        """
        The window of this many nanoseconds.

        Raises:
            InvalidWindowError: *length_ns* is not positive.
        """
        if length_ns <= 0:
            raise InvalidWindowError(f"a window must be longer than 0 ns, got {length_ns}")
        return cls(format_duration(length_ns))

    def interval(self, at: TimeLike) -> Interval:
        """The window that ends at the instant *at*."""
        at_ns = to_ns(at)
        return Interval(at_ns - self.length_ns, at_ns, "right")

    def previous(self, interval: Interval) -> Interval:
        """The window that ends where *interval* starts."""
        return Interval(interval.start_ns - self.length_ns, interval.start_ns, "right")

    def next(self, interval: Interval) -> Interval:
        """The window that starts where *interval* ends."""
        return Interval(interval.end_ns, interval.end_ns + self.length_ns, "right")

    def to_text(self) -> str:
        """
        The window as `parse_window` reads it.

        Example:
            >>> Rolling("90m").to_text()
            '1h30m'
        """
        return format_duration(self.length_ns)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        return f'Rolling("{self}")'
