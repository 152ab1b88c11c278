"""
Time inside stretches: how much of anything cumulative lies in maintenance.

A stretch is [start, end); those of one set are in order and apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.windows import Interval

    Integers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

__all__ = ["Exempt", "Stretches"]


def _time(edges_ns: Integers) -> Integers:
    return edges_ns


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """
    Stretches of time, in order and apart.

    Args:
        start_ns: First instant of each [ns UTC], ascending; int64, shape (k,).
        end_ns: First instant after each [ns UTC]; int64, shape (k,).

    Example:
        >>> two = Stretches(np.array([10, 30]), np.array([20, 40]))
        >>> two.inside(np.array([0, 15, 25, 100])).tolist()
        [0, 5, 10, 20]
    """

    start_ns: Integers
    end_ns: Integers

    @classmethod
    def of(cls, intervals: Sequence[Interval]) -> Stretches:
        """The stretches of intervals [start, end) that are in order and apart."""
        return cls(
            np.array([part.start_ns for part in intervals], dtype=np.int64),
            np.array([part.end_ns for part in intervals], dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.start_ns)

    def inside(
        self, edges_ns: Integers, cumulative: Callable[[Integers], Integers] = _time
    ) -> Integers:
        """
        How much of something lies inside the stretches, up to each edge.

        Args:
            edges_ns: Instants [ns UTC] in any order; shape (m,).
            cumulative: How much there is up to each of some instants; by default time itself [ns].

        Returns:
            Shape (m,), in the unit of *cumulative*.

        Time: O((m + k) log k).
        """
        if not len(self):
            return np.zeros(len(edges_ns), dtype=np.int64)
        before = cumulative(self.start_ns)
        done = np.concatenate(([0], np.cumsum(cumulative(self.end_ns) - before)))
        last = np.maximum(self.start_ns.searchsorted(edges_ns) - 1, 0)
        until = np.clip(edges_ns, self.start_ns[last], self.end_ns[last])
        return done[last] + cumulative(until) - before[last]

    def between(self, start_ns: Integers, end_ns: Integers) -> Integers:
        """How long the stretches are between each start and its end [ns]; shape (m,)."""
        return self.inside(end_ns) - self.inside(start_ns)

    def hold(self, time_ns: Integers) -> Mask:
        """Whether each instant lies in a stretch; shape (m,)."""
        return self.between(time_ns, time_ns + 1) > 0


@dataclass(frozen=True, slots=True, eq=False)
class Exempt:
    """
    Time that is not judged as usual.

    Args:
        excluded: Time that takes no part.
        forgiven: Time that counts as good; apart from the excluded.
    """

    excluded: Stretches
    forgiven: Stretches

    def left(self, start_ns: Integers, end_ns: Integers) -> Integers:
        """How much time outside of both lies between each start and its end [ns]."""
        exempt = self.excluded.between(start_ns, end_ns) + self.forgiven.between(start_ns, end_ns)
        return end_ns - start_ns - exempt

    def hold(self, time_ns: Integers) -> Mask:
        """Whether each instant lies in either."""
        return self.excluded.hold(time_ns) | self.forgiven.hold(time_ns)

    def judged(self, start_ns: Integers, end_ns: Integers) -> tuple[Mask, Mask]:
        """
        Which slices are not judged since none of their time is left: left out, and good.

        A slice of which some time is excluded and all the rest forgiven is good.

        Returns:
            Left out and good; each bool, shape (m,).
        """
        covered = self.left(start_ns, end_ns) == 0
        good = covered & (self.forgiven.between(start_ns, end_ns) > 0)
        return covered & ~good, good
