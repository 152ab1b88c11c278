"""
Where ascending instants lie among other ascending instants, for two columns of like length.

A binary search guesses fifteen branches per instant, half of them wrong. Instead, the span of one
column is cut into about as many slots of time as it has rows, and a table says how many rows lie
before each slot. A few steps from there, taken by all instants at once, lead to the exact row. The
few instants in crowded slots are searched; where most slots are crowded, the columns are merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

__all__ = ["LIKE", "Merge"]

LIKE = 4
"""How many times longer one column may be than the other; beyond, a search is faster."""

STEPS = 3
"""Steps that all instants take together; a slot rarely holds more rows."""


class Merge:
    """
    Counts the rows at or before each of some limits, in arrays that are used again.

    Args:
        rows: The most rows there are at a time.
        limits: The most limits there are at a time.

    Memory: 48 bytes per row and 17 per limit.
    """

    def __init__(self, rows: int, limits: int) -> None:
        self._slot = np.empty(rows, dtype=np.int64)
        self._last, self._before = np.empty((2, 2 * rows + 1), dtype=np.int64)
        self._count = np.arange(rows) + 1
        self._place, self._reached = np.empty((2, limits), dtype=np.int64)
        self._more = np.empty(limits, dtype=np.bool_)

    def rows_up_to(self, instants: Ints, rows: int, limits: Ints) -> Ints:
        """
        How many of the first *rows* instants lie at or before each of the limits.

        Args:
            instants: Ascending; the one behind the first *rows* is later than all limits.
            rows: How many of them count.
            limits: Ascending.

        Returns:
            `instants[:rows].searchsorted(limits, "right")`; valid until the next call.

        Time: O(rows + limits), but for crowded instants; memory: none beyond its own.
        """
        among, size = instants[:rows], len(limits)
        fits = 0 < rows <= len(self._slot)
        if not (fits and size <= LIKE * rows and rows <= LIKE * size):
            return among.searchsorted(limits, "right")
        first, last = int(among[0]), int(among[-1])
        if last - min(first, int(limits[0])) > np.iinfo(np.int64).max:
            return among.searchsorted(limits, "right")
        shift = ((last - first) // (2 * rows)).bit_length()
        slot = np.subtract(among, first, out=self._slot[:rows])
        slot >>= shift
        slots = int(slot[-1]) + 2
        counted = self._last[:slots]
        counted.fill(0)
        counted[1:][slot] = self._count[:rows]  # of the rows of one slot, the last one stays
        before = np.maximum.accumulate(counted, out=self._before[:slots])
        # A limit so late that this goes round begins at the first row, and is searched for.
        place = np.subtract(limits, first, out=self._reached[:size])
        place >>= shift
        row = before.take(place, mode="clip", out=self._place[:size])
        more = self._more[:size]
        for _ in range(STEPS):
            reached = instants.take(row, mode="clip", out=self._reached[:size])
            np.less_equal(reached, limits, out=more)
            row += more
        crowded = np.flatnonzero(more)
        if len(crowded) * LIKE > size:
            return _merged(among, limits)
        row[crowded] = among.searchsorted(limits[crowded], "right")
        return row


def _merged(instants: Ints, limits: Ints) -> Ints:
    """The same by a stable sort, which merges two ascending runs."""
    order = np.concatenate((instants, limits)).argsort(kind="stable")
    places = np.flatnonzero(order >= len(instants))
    places -= np.arange(len(limits))
    return places
