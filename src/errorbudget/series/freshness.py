"""Units that are nanoseconds: the time during which data was fresh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from errorbudget.errors import InvalidSeriesError
from errorbudget.kernels.stretches import Exempt
from errorbudget.series.question import span_coverage
from errorbudget.times import MIN_NS, format_time
from errorbudget.windows import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["FreshSeries"]


@dataclass(frozen=True, eq=False)
class FreshSeries:
    """
    Time during which data was fresh, in nanoseconds.

    Args:
        time_ns: When the data was updated [ns UTC], ascending; int64, shape (n,).
        within_ns: Greatest good age [ns].
        exempt: Maintenance: excluded time is neither fresh nor known, forgiven time is fresh. It
            takes away no update.
    """

    time_ns: Integers
    within_ns: int
    exempt: Exempt | None = None

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last update; time before the first is unknown."""
        return (int(self.time_ns[0]), int(self.time_ns[-1])) if len(self.time_ns) else None

    @cached_property
    def _fresh_before(self) -> Integers:
        gaps = np.minimum(np.diff(self.time_ns), self.within_ns)
        return np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(gaps, dtype=np.int64)))

    def cumulative(
        self, edges_ns: Integers, *, inclusive: bool = True
    ) -> tuple[Integers, Integers]:
        """Fresh and known time from the first update to each edge [ns]."""
        if not len(self.time_ns):
            nothing = np.zeros(len(edges_ns), dtype=np.int64)
            return nothing, nothing
        self._check_reach(edges_ns)
        fresh, known = self._fresh(edges_ns), self._known(edges_ns)
        if self.exempt is None:
            return fresh, known
        excluded, forgiven = self.exempt.excluded, self.exempt.forgiven
        fresh += forgiven.inside(edges_ns, self._stale) - excluded.inside(edges_ns, self._fresh)
        return fresh, known - excluded.inside(edges_ns, self._known)

    def _check_reach(self, edges_ns: Integers) -> None:
        """Refuse ages that no int64 holds, before they go round."""
        last_ns = max(int(self.time_ns[-1]), int(edges_ns.max(initial=MIN_NS)))
        if last_ns - int(self.time_ns[0]) >= 2**63:
            raise InvalidSeriesError(
                f"updates since {format_time(int(self.time_ns[0]))} have an age of more than 292 "
                f"years at {format_time(last_ns)}; leave out the stray one"
            )

    def _known(self, edges_ns: Integers) -> Integers:
        return np.asarray(np.maximum(edges_ns, self.time_ns[0]) - self.time_ns[0])

    def _fresh(self, edges_ns: Integers) -> Integers:
        edges = np.maximum(edges_ns, self.time_ns[0])
        last = np.searchsorted(self.time_ns, edges, side="right") - 1
        age = np.minimum(edges - self.time_ns[last], self.within_ns)
        return np.asarray(self._fresh_before[last] + age)

    def _stale(self, edges_ns: Integers) -> Integers:
        return self._known(edges_ns) - self._fresh(edges_ns)

    def coverage(self, interval: Interval) -> float | None:
        """Share of *interval* since the first update: from then on the age is always known."""
        if not len(self.time_ns):
            return 0.0 if interval.length_ns else None
        return span_coverage((int(self.time_ns[0]), interval.end_ns), interval)
