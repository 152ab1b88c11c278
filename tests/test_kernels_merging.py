"""Where ascending instants lie among others: the slots, the search and the merge agree."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.kernels import merging
from errorbudget.kernels.merging import LIKE, Merge
from tests.kernel_inputs import fresh_bytes, sorted_instants

SHAPES = {
    "even": lambda rng, n: rng.integers(0, 10**15, n),
    "tied": lambda rng, n: rng.integers(0, n // 3 + 1, n),
    "one instant": lambda rng, n: np.full(n, 7),
    "bursts": lambda rng, n: rng.integers(0, 9, n) * 10**12 + rng.integers(0, 50, n),
    "one far away": lambda rng, n: np.append(rng.integers(0, 99, n - 1), 2**62),
    "both ends of the calendar": lambda rng, n: np.append(
        np.full(n // 2, -(2**63)), np.full(n - n // 2, 2**63 - 2)
    ),
}


def rows_up_to(instants: np.ndarray, limits: np.ndarray) -> np.ndarray:
    rows = len(instants)
    sentinel = np.append(instants, np.iinfo(np.int64).max)
    return Merge(max(rows, 1), max(len(limits), 1)).rows_up_to(sentinel, rows, limits)


@given(sorted_instants(), sorted_instants())
def test_it_is_a_search_from_the_right(instants, limits):
    """For ties, and for columns anywhere on the calendar."""
    found = rows_up_to(instants, limits)
    np.testing.assert_array_equal(found, instants.searchsorted(limits, "right"))


@given(
    st.sampled_from(sorted(SHAPES)),
    st.sampled_from(sorted(SHAPES)),
    st.integers(0, 2**32 - 1),
    st.integers(2, 400),
    st.integers(1, 400),
)
def test_crowded_slots_are_searched_or_merged(instants, limits, seed, rows, size):
    """Bursts, ties and gaps cost time, never a wrong row."""
    rng = np.random.default_rng(seed)
    among = np.sort(SHAPES[instants](rng, rows)).astype(np.int64)
    asked = np.sort(SHAPES[limits](rng, size + 1)).astype(np.int64)
    found = rows_up_to(among, asked)
    np.testing.assert_array_equal(found, among.searchsorted(asked, "right"))


def test_each_way_is_taken(monkeypatch):
    """Evenly spread rows are stepped to; rows of a few instants are merged."""
    taken = []
    merge = merging._merged
    monkeypatch.setattr(merging, "_merged", lambda *columns: taken.append(1) or merge(*columns))
    even = np.arange(0, 10_000, 10)
    rows_up_to(even, even + 3)
    assert not taken
    rows_up_to(np.repeat(np.arange(10), 100), np.repeat(np.arange(10), 100))
    assert taken


def stepped_to(instants: np.ndarray, limits: np.ndarray) -> bool:
    """Whether the answer, which is right, lies in the merge's own memory: nothing was searched."""
    merge = Merge(len(instants), len(limits))
    sentinel = np.append(instants, np.iinfo(np.int64).max)
    found = merge.rows_up_to(sentinel, len(instants), limits)
    np.testing.assert_array_equal(found, instants.searchsorted(limits, "right"))
    return np.shares_memory(found, merge._place)


def test_columns_of_like_length_are_stepped_to():
    """From a single row on, up to the length that is named, on either side; not beyond."""
    assert stepped_to(np.array([5]), np.array([5]))
    for rows, limits in ((100, 100), (100, 100 * LIKE), (100 * LIKE, 100)):
        even = np.linspace(0, 10**15, rows, endpoint=False).astype(np.int64)
        asked = np.linspace(0, 10**15, limits, endpoint=False).astype(np.int64)
        for shift in (0, -(10**15) // 2, -(10**15)):
            assert stepped_to(even + shift, asked + shift)
    assert not stepped_to(np.arange(100) * LIKE, np.arange(100 * LIKE + 1))
    assert not stepped_to(np.arange(100 * LIKE + 1), np.arange(100) * LIKE)


def test_columns_are_stepped_to_over_all_that_int64_counts():
    """A span of 2**63 - 1 is one number; a longer one goes round."""
    rows = np.arange(64) * (2**63 // 64)
    rows[-1] = 2**63 - 2
    assert stepped_to(rows, rows)
    assert stepped_to(rows, np.append(-1, rows[1:]))
    assert not stepped_to(rows, np.append(-2, rows[1:]))


def test_it_has_no_memory_but_its_own():
    """48 bytes a row and 17 a limit, used again; beside them no more than a part of a column."""
    rows, limits = 50_000, 60_000
    merge = Merge(rows, limits)
    held = [column for column in vars(merge).values() if isinstance(column, np.ndarray)]
    assert sum(column.nbytes for column in held) == 48 * rows + 17 * limits + 16
    instants = np.append(np.arange(0, 10 * rows, 10), np.iinfo(np.int64).max)
    asked = np.arange(0, 8 * limits, 8)
    assert fresh_bytes(lambda: merge.rows_up_to(instants, rows, asked)) < 2 * rows
