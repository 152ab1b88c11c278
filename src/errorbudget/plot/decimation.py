"""
Fewer points, and no incident lost.

A line of a million points is drawn as many times over the same pixels. Each bucket of neighbours
keeps its first, lowest, highest and last point, so every spike is as high as it was, and a gap
stays a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decimated", "isolated", "stretches"]


def decimated(values: NDArray[np.float64], buckets: int = 400) -> NDArray[np.int64]:
    """
    Positions of the points to draw, ascending.

    Args:
        values: The line, NaN where there is none; shape (n,).
        buckets: How many groups of neighbours; at most four points each are kept.

    Returns:
        All positions when there are few; shape (m,), m <= 4 x buckets + 1.

    Example:
        >>> line = np.zeros(10_000)
        >>> line[5_001] = 9.0
        >>> bool(5_001 in decimated(line, 10))
        True
    """
    n = len(values)
    if n <= 4 * buckets:
        return np.arange(n)
    edges = np.linspace(0, n, buckets + 1).astype(np.int64)
    kept: set[int] = {0, n - 1}
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[low:high]
        gaps = np.isnan(part)
        if gaps.all():
            kept.add(low)
            continue
        kept.update((low, high - 1, low + int(np.nanargmin(part)), low + int(np.nanargmax(part))))
        if gaps.any():
            kept.add(low + int(np.argmax(gaps)))
    return np.array(sorted(kept), dtype=np.int64)


def isolated(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which points have a gap, or nothing, on both sides: a line through them shows nothing."""
    known = np.concatenate(([False], ~np.isnan(values), [False]))
    return np.asarray(known[1:-1] & ~known[:-2] & ~known[2:])


def stretches(flags: NDArray[np.bool_], buckets: int = 1_600) -> NDArray[np.int64]:
    """
    Where flags hold, as [first, end) rows; neighbours closer than a pixel become one.

    Args:
        flags: What holds at each point; shape (n,).
        buckets: How many pixels there are.

    Returns:
        shape (k, 2), k <= buckets + 1; every flag that holds lies in one of them.
    """
    padded = np.concatenate(([False], flags, [False])).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded)).reshape(-1, 2)
    if not len(edges):
        return edges
    apart = edges[1:, 0] - edges[:-1, 1] > len(flags) // buckets
    first = np.concatenate(([True], apart))
    last = np.concatenate((apart, [True]))
    return np.column_stack((edges[first, 0], edges[last, 1]))
