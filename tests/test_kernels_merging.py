"""Where ascending instants lie among others: the slots, the search and the merge agree."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.kernels import merging
from errorbudget.kernels.merging import Merge
from tests.kernel_inputs import sorted_instants

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
