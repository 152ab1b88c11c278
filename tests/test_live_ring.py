"""A ring answers as a plain list of buckets would, and says when it has forgotten."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from errorbudget.errors import InvalidWindowError
from errorbudget.live.ring import Ring, bucket_end

SECOND = 10**9
SIZE = 3


class Plain:
    """The same as a list of units, each with the bucket that it lies in."""

    def __init__(self, newest: int) -> None:
        self.newest = self.first = newest
        self.units: list[tuple[int, int]] = []

    def roll(self, newest: int) -> None:
        self.newest, self.first = newest, min(self.first, newest)
        self.units = [(min(end, newest), bad) for end, bad in self.units if end > newest - SIZE]

    def add(self, end: int, *units: int) -> None:
        if end > self.newest - SIZE:
            self.units += [(end, bad) for bad in units]
            self.first = min(self.first, end)

    def window(self, low: int, high: int) -> tuple[int, int]:
        inside = [bad for end, bad in self.units if low < end <= high]
        return inside.count(0), inside.count(1)


def test_every_window_is_the_sum_of_its_buckets() -> None:
    """However the present moves, and whether units come one by one, late, or many at once."""
    for moves in product((-4, -1, 0, 1, 2, 4), repeat=3):
        ring, plain, arrived = Ring(SECOND, SIZE, "right", 10), Plain(10), (0, 0)
        for round_, move in enumerate(moves, 1):
            ring.roll(ring.newest + move, arrived)
            plain.roll(plain.newest + move)
            arrived = (arrived[0] + 2, arrived[1] + 1)
            plain.add(plain.newest, 0, 0, 1)
            ring.add(ring.newest - round_, 1, 2)
            plain.add(plain.newest - round_, 0, 1, 1)
            ends = ring.newest + np.array([-1, 0, -2, -1, -3, 1])
            good, bad = [1, 0, 2, 1, 1, 1], [0, 3, 0, 1, 1, 0]
            ring.add_buckets(ends, np.array(good), np.array(bad))
            for end, units in zip(ends.tolist(), zip(good, bad, strict=True), strict=True):
                plain.add(min(end, plain.newest), *[0] * units[0], *[1] * units[1])
            ring.check(arrived)
            assert_alike(ring, plain, arrived)


def assert_alike(ring: Ring, plain: Plain, arrived: tuple[int, int]) -> None:
    assert (ring.newest, ring.first) == (plain.newest, plain.first)
    oldest = ring.newest - SIZE
    for high in range(oldest, ring.newest + 2):
        spans = range(high - oldest + 1)
        found = ring.windows(spans, high, arrived)
        assert found == [plain.window(high - span, high) for span in spans]
    ends, good, bad = (column.tolist() for column in ring.buckets(arrived))
    assert ends == list(range(max(plain.first, oldest + 1), ring.newest + 1))
    assert list(zip(good, bad, strict=True)) == [plain.window(end - 1, end) for end in ends]


def test_which_bucket_holds_an_instant() -> None:
    """The end that belongs to a bucket holds its own instant; integers however long the time is."""
    found = {
        closed: [bucket_end(time, 5, closed) for time in (-1, 0, 1, 4, 5, 6, 2**62 + 1)]
        for closed in ("right", "left")
    }
    assert found == {
        "right": [0, 0, 1, 1, 1, 2, 922_337_203_685_477_581],
        "left": [0, 1, 1, 1, 2, 2, 922_337_203_685_477_582],
    }


def test_what_is_forgotten_is_an_error_where_something_may_have_come() -> None:
    """It says how far the window reaches back, and how far the ring does."""
    ring = Ring(60 * SECOND, SIZE, "right", 10)
    assert ring.cumulative(2, (4, 1)) == (0, 0)  # nothing was observed before
    assert ring.windows([8], 10, (4, 1)) == [(4, 1)]
    ring.observed_from(8)
    assert ring.cumulative(6, (4, 1)) == (0, 0)
    ring.observed_from(7)
    assert ring.cumulative(7, (4, 1)) == (0, 0)
    with pytest.raises(InvalidWindowError) as caught:
        ring.cumulative(5, (4, 1))
    assert str(caught.value) == (
        "a window reaches back 5m, and this tracker remembers 3m; give it a longer horizon"
    )


def test_it_counts_the_changes_to_buckets_that_are_over() -> None:
    """Whoever remembers what it made of those knows when to look again."""
    ring = Ring(SECOND, SIZE, "right", 10)
    seen = [ring.changes]
    nothing = np.empty(0, dtype=np.int64)
    for change in (
        lambda: ring.roll(11, (0, 0)),
        lambda: ring.add(11, 1, 0),  # the open one
        lambda: ring.add(8, 1, 0),  # forgotten
        lambda: ring.add(10, 1, 0),
        lambda: ring.add_buckets(nothing, nothing, nothing),
        lambda: ring.add_buckets(np.array([9]), np.array([1]), np.array([0])),
        lambda: ring.observed_from(9),
        lambda: ring.observed_from(8),
        lambda: ring.clear(11, (0, 0)),
    ):
        change()
        seen.append(ring.changes)
    assert seen == [0, 1, 1, 1, 2, 2, 3, 3, 4, 5]


def test_cleared_it_holds_nothing_and_counts_on() -> None:
    """What has arrived outside is taken off, and what arrives later is all there is."""
    ring = Ring(SECOND, SIZE, "right", 10)
    ring.roll(12, (5, 2))
    ring.add(11, 1, 4)
    ring.clear(20, (5, 2))
    ring.check((5, 2))
    assert (ring.newest, ring.first) == (20, 20)
    assert ring.windows([1, 3], 20, (5, 2)) == [(0, 0), (0, 0)]
    assert ring.windows([1, 3], 20, (8, 3)) == [(3, 1), (3, 1)]
    assert [ring.cumulative(end, (8, 3)) for end in (17, 18, 19)] == [(0, 0)] * 3


def test_a_copy_stands_still() -> None:
    """It is the same until the ring goes on, and is not moved by that."""
    ring = Ring(SECOND, SIZE, "left", 10)
    ring.add(9, 1, 2)
    still = ring.copy()
    before = [column.tolist() for column in ring.buckets((3, 0))]
    ring.add(9, 10, 10)
    ring.roll(11, (3, 0))
    assert [column.tolist() for column in still.buckets((3, 0))] == before
    assert before == [[9, 10], [1, 3], [2, 0]]
    assert (still.step_ns, still.size, still.closed) == (SECOND, SIZE, "left")


def test_broken_rings_are_noticed() -> None:
    """Each invariant, in a ring that keeps all others."""
    cases = {
        "sums fall at bucket 9: (2, 2) to (1, 2)": ([0, 2, 1], [0, 2, 2]),
        "sums fall at bucket 9: (2, 2) to (2, 1)": ([0, 2, 2], [0, 2, 1]),
        "sums fall at bucket 10: (4, 2) to (3, 2)": ([0, 2, 4], [0, 2, 2]),
    }
    for message, sums in cases.items():
        ring = Ring(SECOND, SIZE, "right", 10)
        ring.first = 8
        for row, (good, bad) in enumerate(zip(*sums, strict=True), start=7):
            ring._good[row % SIZE], ring._bad[row % SIZE] = good, bad
        with pytest.raises(AssertionError) as caught:
            ring.check((3, 2))
        assert str(caught.value) == message
    ring = Ring(SECOND, SIZE, "right", 10)
    ring.first = 11
    with pytest.raises(AssertionError, match="first bucket 11 lies after the open 10"):
        ring.check((0, 0))
    ring.first, ring._good[8 % SIZE], ring._good[9 % SIZE] = 9, 0, 1
    ring.check((1, 0))
    ring._good[8 % SIZE] = 1
    with pytest.raises(AssertionError, match="units lie before the first bucket"):
        ring.check((1, 0))
