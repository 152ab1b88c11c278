"""Long stretches cut into pieces that a server answers."""

from __future__ import annotations

from dataclasses import dataclass

from errorbudget.errors import InvalidInputError

__all__ = ["MAX_POINTS", "Stretch", "split_grid", "split_span"]

MAX_POINTS = 11_000
"""More points of one series a server does not give in one answer."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From *start_ms* to *end_ms* [ms UTC]: both ends of a grid, or (start, end] of raw samples."""

    start_ms: int
    end_ms: int

    @property
    def ends(self) -> tuple[int, int]:
        """Both ends [ms UTC]."""
        return self.start_ms, self.end_ms


def split_grid(
    start_ms: int, end_ms: int, step_ms: int, most: int = MAX_POINTS
) -> tuple[Stretch, ...]:
    """
    A grid cut into grids of at most *most* points; each instant is in exactly one.

    Args:
        start_ms: First instant [ms UTC].
        end_ms: Last instant, if the step meets it [ms UTC].
        step_ms: Distance of the instants [ms].
        most: Points of a piece.

    Raises:
        InvalidInputError: The end lies before the start, or a number is not positive.

    Example:
        >>> split_grid(0, 50, 10, most=4)
        (Stretch(start_ms=0, end_ms=30), Stretch(start_ms=40, end_ms=50))
    """
    if step_ms <= 0 or most <= 0:
        raise InvalidInputError(f"step and points must be positive, got {step_ms} ms and {most}")
    if end_ms < start_ms:
        raise InvalidInputError(f"the end, {end_ms} ms, lies before the start, {start_ms} ms")
    last = start_ms + (end_ms - start_ms) // step_ms * step_ms
    return tuple(
        Stretch(begin, min(begin + (most - 1) * step_ms, last))
        for begin in range(start_ms, last + 1, most * step_ms)
    )


def split_span(start_ms: int, end_ms: int, longest_ms: int) -> tuple[Stretch, ...]:
    """
    (start, end] cut into pieces of at most *longest_ms*, on multiples of it, newest first.

    Pieces on multiples are the same tomorrow, so that a cache between us and the server can help.

    Example:
        >>> split_span(5, 20, 10)
        (Stretch(start_ms=10, end_ms=20), Stretch(start_ms=5, end_ms=10))
    """
    if end_ms <= start_ms:
        raise InvalidInputError(f"the end, {end_ms} ms, must lie after the start, {start_ms} ms")
    first = (start_ms // longest_ms + 1) * longest_ms
    edges = [start_ms, *range(first, end_ms, longest_ms), end_ms]
    return tuple(
        Stretch(begin, end) for begin, end in zip(edges[-2::-1], edges[:0:-1], strict=True)
    )
