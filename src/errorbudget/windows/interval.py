"""
A stretch of time with one open end, and its slices.

Neighbouring intervals share an edge and no instant: of `(a, b]` and `(b, c]` the first holds `b`,
of `[a, b)` and `[b, c)` the second does. So counts of neighbours add up and nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from errorbudget.errors import InvalidWindowError
from errorbudget.rationals import shown
from errorbudget.times import TimeLike, format_time, to_ns

__all__ = ["Closed", "Interval", "slice_count", "slices"]

Closed = Literal["right", "left"]
"""The end that belongs to an interval: `"right"` is (start, end], `"left"` is [start, end)."""


@dataclass(frozen=True, slots=True)
class Interval:
    """
    A stretch of time, (start, end] or [start, end).

    Args:
        start_ns: Beginning [ns since the epoch, UTC].
        end_ns: End [ns since the epoch, UTC], not before the beginning; an interval of length 0
            holds no instant.
        closed: The end that belongs to it: `"right"` (rolling) or `"left"` (calendar).

    Raises:
        InvalidWindowError: It ends before it starts, or *closed* is neither side.

    Example:
        >>> print(Interval.between("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"))
        [2026-03-01T00:00:00Z, 2026-04-01T00:00:00Z)
    """

    start_ns: int
    end_ns: int
    closed: Closed

    def __post_init__(self) -> None:
        if not isinstance(self.closed, str) or self.closed not in ("left", "right"):
            raise InvalidWindowError(
                f'an interval is closed on the "left" or on the "right", got {shown(self.closed)}'
            )
        for name in ("start_ns", "end_ns"):
            value = getattr(self, name)
            if type(value) is not int:
                if isinstance(value, bool) or not hasattr(value, "__index__"):
                    raise InvalidWindowError(
                        f"{name} must be integer nanoseconds, got {shown(value)}; "
                        "Interval.between reads text and datetimes"
                    )
                object.__setattr__(self, name, value.__index__())
        if self.end_ns < self.start_ns:
            raise InvalidWindowError(
                f"an interval must not end before it starts, got {format_time(self.start_ns)} "
                f"to {format_time(self.end_ns)}; are the two swapped?"
            )

    @classmethod
    def between(cls, start: TimeLike, end: TimeLike, closed: Closed = "left") -> Interval:
        """
        The interval between two instants, however they are written.

        Raises:
            InvalidTimeError: An instant cannot be read or has no zone.
            InvalidWindowError: It ends before it starts.
        """
        return cls(to_ns(start), to_ns(end), closed)

    @property
    def length_ns(self) -> int:
        """How long it is [ns]."""
        return self.end_ns - self.start_ns

    def contains(self, time_ns: int) -> bool:
        """
        Whether the instant [ns] lies inside; of the two ends only the closed one does.

        Example:
            >>> Interval(0, 10, "right").contains(10), Interval(0, 10, "left").contains(10)
            (True, False)
        """
        if self.closed == "right":
            return self.start_ns < time_ns <= self.end_ns
        return self.start_ns <= time_ns < self.end_ns

    def intersection(self, other: Interval) -> Interval | None:
        """
        What both hold, closed as this one is; None where they have no length in common.

        Example:
            >>> Interval(0, 10, "left").intersection(Interval(5, 20, "left"))
            Interval(start_ns=5, end_ns=10, closed='left')
        """
        start_ns, end_ns = max(self.start_ns, other.start_ns), min(self.end_ns, other.end_ns)
        return Interval(start_ns, end_ns, self.closed) if start_ns < end_ns else None

    def __str__(self) -> str:
        opening, closing = ("(", "]") if self.closed == "right" else ("[", ")")
        return f"{opening}{format_time(self.start_ns)}, {format_time(self.end_ns)}{closing}"


def _check_slice(slice_ns: int) -> None:
    if slice_ns <= 0:
        raise InvalidWindowError(f"a slice must be longer than 0 ns, got {slice_ns}")


def slice_count(range_ns: int, slice_ns: int) -> int:
    """
    How many slices cover a range; the last one may be partial, and counts.

    Args:
        range_ns: Length of the range [ns, >= 0].
        slice_ns: Length of a slice [ns, > 0].

    Raises:
        InvalidWindowError: The range is negative, or the slice is not positive.

    Example:
        >>> slice_count(3_600, 420), slice_count(3_600, 7_200)
        (9, 1)

    Source: Elastic Kibana, `get_slices_from_date_range.test.ts` (rounds up).
    """
    _check_slice(slice_ns)
    if range_ns < 0:
        raise InvalidWindowError(f"a range must not be negative, got {range_ns} ns")
    return -(-range_ns // slice_ns)


def slices(
    interval: Interval, slice_ns: int, *, origin_ns: int | None = None
) -> Iterator[Interval]:
    """
    The slices of an interval, in order, closed as it is; they tile it without gap or overlap.

    Args:
        interval: What to cut.
        slice_ns: Length of a slice [ns, > 0].
        origin_ns: Where edges fall: at this instant and every whole slice from it, so that
            windows that slide see the same slices (0 is the epoch), and the first slice may be
            partial too. None starts at the interval's own beginning.

    Raises:
        InvalidWindowError: The slice is not positive.

    Example:
        >>> [str(part.length_ns) for part in slices(Interval(0, 10, "left"), 4)]
        ['4', '4', '2']
        >>> [str(part.length_ns) for part in slices(Interval(3, 10, "left"), 4, origin_ns=0)]
        ['1', '4', '2']
    """
    _check_slice(slice_ns)
    start_ns = interval.start_ns
    offset_ns = 0 if origin_ns is None else (start_ns - origin_ns) % slice_ns
    edge_ns = start_ns - offset_ns + slice_ns
    while start_ns < interval.end_ns:
        yield Interval(start_ns, min(edge_ns, interval.end_ns), interval.closed)
        start_ns, edge_ns = edge_ns, edge_ns + slice_ns
