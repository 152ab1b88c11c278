"""
A ring of time buckets that knows every window in it without adding up.

Each bucket is named by its end: bucket *e* ends at instant *e* x step. The ring keeps, for each end
that it still remembers, how many units came up to it since the beginning; a window is the
difference of two such sums, however many buckets lie between. Units of the open bucket are the
difference between what has come altogether and the newest sum.

    sums:   ...  e-3   e-2   e-1 | open bucket e
                  |-- 2 buckets --|
    window of 2 closed buckets = sum(e-1) - sum(e-3)

A late unit is added to every sum from its own bucket on, so it costs as many steps as it is buckets
late. Nothing lies later than the open bucket: when the clock falls back, what came after the new
present is counted in it (see `roll`).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from copy import copy
from itertools import pairwise
from typing import TYPE_CHECKING

from errorbudget.durations import format_duration
from errorbudget.errors import InvalidWindowError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from errorbudget.windows import Closed

    Integers = NDArray[np.int64]

__all__ = ["Ring", "bucket_end"]


def bucket_end(time_ns: int, step_ns: int, closed: Closed) -> int:
    """
    Which bucket holds an instant, named by its end in steps since the epoch.

    Example:
        >>> bucket_end(60, 60, "right"), bucket_end(60, 60, "left")
        (1, 2)
    """
    return -(-time_ns // step_ns) if closed == "right" else time_ns // step_ns + 1


class Ring:
    """
    Good and bad units per bucket, over the last *size* closed buckets and the open one.

    Whoever owns the ring counts the newest units outside of it, in *arrived*, and says so with
    every call; *own* is what is added here besides. So the hot path of a tracker touches no ring.

    Args:
        step_ns: Length of a bucket [ns].
        size: Closed buckets that are remembered.
        closed: The end that belongs to a bucket.
        newest: The open bucket, named by its end.

    Attributes:
        first: First bucket that was observed.
        changes: How often a bucket other than the open one changed, or another became it.

    Memory: 16 bytes a bucket.
    """

    __slots__ = ("_bad", "_good", "changes", "closed", "first", "newest", "own", "size", "step_ns")

    def __init__(self, step_ns: int, size: int, closed: Closed, newest: int) -> None:
        self.step_ns = step_ns
        self.size = size
        self.closed = closed
        self.newest = newest
        self.first = newest
        self.changes = 0
        self.own = [0, 0]
        self._good = array("q", bytes(8 * size))
        self._bad = array("q", bytes(8 * size))

    def totals(self, arrived: tuple[int, int]) -> tuple[int, int]:
        """Good and bad units that ever came and are not forgotten."""
        return arrived[0] + self.own[0], arrived[1] + self.own[1]

    @property
    def oldest(self) -> int:
        """The oldest end whose sum is remembered; buckets up to it are forgotten."""
        return self.newest - self.size

    def end_of(self, time_ns: int) -> int:
        """The bucket that holds *time_ns*."""
        return bucket_end(time_ns, self.step_ns, self.closed)

    def roll(self, newest: int, arrived: tuple[int, int]) -> None:
        """
        Make *newest* the open bucket.

        Going on closes the open bucket and skips empty ones. Falling back makes everything that
        came after *newest* part of it: nothing lies in the future, and nothing is lost.

        Time: O(buckets skipped), at most O(size).
        """
        good, bad = self.totals(arrived)
        goods, bads, size = self._good, self._bad, self.size
        if newest >= self.newest:
            for end in range(max(self.newest, newest - size), newest):
                goods[end % size] = good
                bads[end % size] = bad
        else:
            # What was forgotten stays forgotten: the buckets before *oldest* hold nothing.
            oldest = self.oldest
            good, bad = goods[oldest % size], bads[oldest % size]
            for end in range(newest - size, min(oldest, newest)):
                goods[end % size] = good
                bads[end % size] = bad
        self.newest = newest
        self.first = min(self.first, newest)
        self.changes += 1

    def add(self, end: int, good: int, bad: int) -> None:
        """
        Add units to bucket *end*, which is not after the open one; nothing where it is forgotten.

        Time: O(buckets late).
        """
        if end <= self.oldest:
            return
        self.own[0] += good
        self.own[1] += bad
        goods, bads, size = self._good, self._bad, self.size
        for later in range(end, self.newest):
            goods[later % size] += good
            bads[later % size] += bad
        self.first = min(self.first, end)
        if end < self.newest:
            self.changes += 1

    def add_buckets(self, ends: Integers, good: Integers, bad: Integers) -> None:
        """
        Add many buckets at once; what lies in forgotten ones is not added.

        Args:
            ends: Which ones, in any order, a bucket more than once if need be; those after the
                open bucket count as the open one; shape (m,).
            good: Good units of each; shape (m,).
            bad: Bad units of each; shape (m,).

        Time: O(m + size).
        """
        import numpy as np

        known = ends > self.oldest
        ends = np.minimum(ends[known], self.newest)
        if not len(ends):
            return
        first = int(ends.min())
        length = self.newest - first + 1
        rows = (first + np.arange(length - 1)) % self.size
        added = []
        for sums, units in ((self._good, good[known]), (self._bad, bad[known])):
            per_bucket = np.zeros(length, dtype=np.int64)
            np.add.at(per_bucket, ends - first, units)
            running = np.cumsum(per_bucket)
            np.frombuffer(sums, dtype=np.int64)[rows] += running[:-1]
            added.append(int(running[-1]))
        self.own[0] += added[0]
        self.own[1] += added[1]
        self.first = min(self.first, first)
        self.changes += 1

    def observed_from(self, first: int) -> None:
        """Know that buckets were observed from *first* on."""
        if first < self.first:
            self.first = first
            self.changes += 1

    def clear(self, newest: int, arrived: tuple[int, int]) -> None:
        """Forget everything, and begin with bucket *newest*."""
        self.own = [-arrived[0], -arrived[1]]
        self._good = array("q", bytes(8 * self.size))
        self._bad = array("q", bytes(8 * self.size))
        self.newest = self.first = newest
        self.changes += 1

    def cumulative(self, end: int, arrived: tuple[int, int]) -> tuple[int, int]:
        """
        Good and bad units up to the end of bucket *end*.

        Raises:
            InvalidWindowError: It is forgotten, and units may have come before it.
        """
        if end >= self.newest:
            return self.totals(arrived)
        oldest = self.oldest
        if end < oldest:
            if self.first <= oldest:
                behind = format_duration((self.newest - end) * self.step_ns)
                raise InvalidWindowError(
                    f"a window reaches back {behind}, and this tracker remembers "
                    f"{format_duration(self.size * self.step_ns)}; give it a longer horizon"
                )
            end = oldest
        row = end % self.size
        return self._good[row], self._bad[row]

    def windows(
        self, spans: Iterable[int], high: int, arrived: tuple[int, int]
    ) -> list[tuple[int, int]]:
        """
        Good and bad units of the last *spans* buckets up to *high*, for each span.

        Time: O(1) a span.
        """
        good, bad = self.cumulative(high, arrived)
        goods, bads, size = self._good, self._bad, self.size
        oldest, newest = self.newest - size, self.newest
        found = []
        for span in spans:
            low = high - span
            if oldest <= low < newest:
                row = low % size
                found.append((good - goods[row], bad - bads[row]))
            else:
                good_before, bad_before = self.cumulative(low, arrived)
                found.append((good - good_before, bad - bad_before))
        return found

    def copy(self) -> Ring:
        """The same, to be looked at while this goes on."""
        found = copy(self)
        found.own, found._good, found._bad = self.own[:], self._good[:], self._bad[:]
        return found

    def buckets(self, arrived: tuple[int, int]) -> tuple[Integers, Integers, Integers]:
        """
        Everything that is remembered, bucket by bucket.

        Returns:
            Ends, good units, bad units, of every bucket from the first one on; each shape (m,).
        """
        import numpy as np

        start = max(self.first - 1, self.oldest)
        rows = np.arange(start, self.newest) % self.size
        columns = []
        for sums, total in zip((self._good, self._bad), self.totals(arrived), strict=True):
            up_to = np.append(np.frombuffer(sums, dtype=np.int64)[rows], total)
            columns.append(np.diff(up_to))
        return np.arange(start + 1, self.newest + 1), columns[0], columns[1]

    def check(self, arrived: tuple[int, int]) -> None:
        """
        The ring's invariants, for tests.

        Raises:
            AssertionError: One does not hold.
        """
        oldest = self.oldest
        sums = [self.cumulative(end, arrived) for end in range(oldest, self.newest)]
        for end, (before, now) in enumerate(pairwise([*sums, self.totals(arrived)]), oldest + 1):
            if now[0] < before[0] or now[1] < before[1]:
                raise AssertionError(f"sums fall at bucket {end}: {before} to {now}")
        if self.first > self.newest:
            raise AssertionError(f"first bucket {self.first} lies after the open {self.newest}")
        if self.cumulative(max(self.first - 1, oldest), arrived) != sums[0]:
            raise AssertionError("units lie before the first bucket")
