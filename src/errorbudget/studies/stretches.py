"""
Named stretches of time: incidents, releases, maintenance, as people hand them in.

Stretches may overlap; a unit belongs to one only. The one that starts first claims it, so that what
they cost adds up to what was spent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from typing import Any

import numpy as np

from errorbudget.counts import Counts
from errorbudget.errors import InvalidInputError
from errorbudget.rationals import shown
from errorbudget.series import Series
from errorbudget.times import format_time, to_ns
from errorbudget.windows import Interval

__all__ = ["Stretch", "counted", "read_stretches"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    A named stretch of time, (start, end].

    Args:
        name: What people call it.
        start_ns: The instant after which it holds [ns UTC].
        end_ns: The last instant at which it holds [ns UTC].
    """

    name: str
    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if self.end_ns < self.start_ns:
            raise InvalidInputError(
                f'"{self.name}" ends before it starts: {format_time(self.start_ns)} to '
                f"{format_time(self.end_ns)}; are the two swapped?"
            )

    def __str__(self) -> str:
        return f"{self.name} ({format_time(self.start_ns)} to {format_time(self.end_ns)})"


def _one(name: str, value: Any) -> Stretch:
    if hasattr(value, "start_ns") and hasattr(value, "end_ns"):
        return Stretch(name, to_ns(value.start_ns), to_ns(value.end_ns))
    if isinstance(value, (tuple, list)) and len(value) == 2:
        return Stretch(name, to_ns(value[0]), to_ns(value[1]))
    raise InvalidInputError(
        f'"{name}" must be a pair of instants, (start, end), or have start_ns and end_ns; '
        f"got {shown(value)}"
    )


def read_stretches(values: Any) -> tuple[Stretch, ...]:
    """
    Stretches by start.

    Args:
        values: Pairs of instants or intervals by name, or things that have a name, a start and an
            end: entries of a ledger, incidents of a simulation.

    Raises:
        InvalidInputError: One cannot be read, ends before it starts, or two share a name.

    Example:
        >>> read_stretches({"outage": (0, 60)})
        (Stretch(name='outage', start_ns=0, end_ns=60),)
    """
    if isinstance(values, Mapping):
        found = [_one(str(name), value) for name, value in values.items()]
    elif isinstance(values, Iterable) and not isinstance(values, (str, bytes)):
        found = []
        for value in values:
            if not hasattr(value, "name"):
                raise InvalidInputError(
                    f"a stretch needs a name; give (start, end) by name, got {shown(value)}"
                )
            found.append(_one(str(value.name), value))
    else:
        raise InvalidInputError(
            f'stretches are (start, end) by name, such as {{"outage": (...)}}, got {shown(values)}'
        )
    names = {stretch.name for stretch in found}
    if len(names) < len(found):
        raise InvalidInputError("two stretches share a name; names must differ")
    return tuple(
        sorted(found, key=lambda stretch: (stretch.start_ns, stretch.end_ns, stretch.name))
    )


def counted(
    series: Series, interval: Interval, stretches: Iterable[Stretch]
) -> tuple[list[Counts], Counts]:
    """
    Units of *interval* by stretch, and those in none; together exactly the interval's.

    Args:
        series: Good and total units over time.
        interval: What is shared out; its end belongs to it.
        stretches: By start; of those that overlap the first claims a unit.

    Time: O(n log n) for n stretches.
    """
    claims = list(stretches)
    inner = {
        edge
        for stretch in claims
        for edge in (stretch.start_ns, stretch.end_ns)
        if interval.start_ns < edge < interval.end_ns
    }
    edges = [interval.start_ns, *sorted(inner), interval.end_ns]
    # Stretches are (start, end] in every window; only a period's own first instant is inside.
    right = interval.closed == "right"
    first_good, first_total = series.cumulative(np.array(edges[:1], np.int64), inclusive=right)
    good, total = series.cumulative(np.array(edges[1:], dtype=np.int64))
    goods, totals = [int(first_good[0]), *good.tolist()], [int(first_total[0]), *total.tolist()]
    shares = [Counts()] * len(claims)
    rest = Counts()
    waiting = deque(enumerate(claims))
    begun: list[tuple[int, Stretch]] = []
    for place, (low, high) in enumerate(pairwise(edges)):
        while waiting and waiting[0][1].start_ns <= low:
            heappush(begun, waiting.popleft())
        while begun and begun[0][1].end_ns < high:
            heappop(begun)
        part_good = goods[place + 1] - goods[place]
        part = Counts(part_good, totals[place + 1] - totals[place] - part_good)
        if begun:
            shares[begun[0][0]] += part
        else:
            rest += part
    return shares, rest
