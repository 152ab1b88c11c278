"""One call that takes the faster twin: on either side of the border the answers are the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from errorbudget import kernels, rolling, trailing
from errorbudget.errors import ErrorBudgetError
from errorbudget.trailing import trailing_budget, trailing_counts
from tests.kernel_inputs import DISGUISES, WINDOWS, events, groups


def both_ways(ask):
    """What *ask* gives, or says, when numpy takes over at once and when it never does."""
    said = []
    for border in (0, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(kernels, "NUMPY_FROM", border)
            try:
                said.append([column.tolist() for column in ask()])
            except ErrorBudgetError as error:
                said.append([type(error), str(error)])
    return said


@given(events(), WINDOWS.filter(lambda window: window < 2**63))
def test_both_twins_give_the_same(rows, window):
    """Counts and ratios, to the last bit."""
    few, many = both_ways(lambda: trailing_counts(*rows, window))
    assert few == many
    few, many = both_ways(lambda: trailing_budget(*rows, window, "99.9%"))
    np.testing.assert_array_equal(few, many)


@given(groups(), WINDOWS.filter(lambda window: window < 2**63))
def test_grouped_rows_too(rows, window):
    """Totals far above 2**31 as well."""
    time, good, total = rows
    few, many = both_ways(lambda: trailing_counts(time, good, window, total=total))
    assert few == many


@pytest.mark.parametrize("disguise", DISGUISES)
def test_any_honest_column_is_read_and_left_alone(disguise):
    """Strided, read-only, of foreign byte order, or a list."""
    time, good = (DISGUISES[disguise](column) for column in (np.array([1, 5, 9]), np.ones(3, bool)))
    before = np.array(time), np.array(good)
    few, many = both_ways(lambda: trailing_counts(time, good, "5ns"))
    assert few == many == [[1, 2, 2], [1, 2, 2]]
    np.testing.assert_array_equal(time, before[0])
    np.testing.assert_array_equal(good, before[1])


@pytest.mark.parametrize(
    ("time", "good"),
    [([3, 1], [1, 1]), ([1, 2], [1]), ([1.5, 2], [1, 1]), ([1, 2], [1, 7]), ([[1]], [1])],
)
def test_both_twins_refuse_alike(time, good):
    """Disorder, columns that do not fit, fractions and flags that are none."""
    few, many = both_ways(lambda: trailing_counts(time, good, 5))
    assert few == many
    assert issubclass(few[0], ErrorBudgetError)


@pytest.mark.parametrize("beside", [-1, 0])
def test_the_border_is_numpy_from(monkeypatch, beside):
    """One event less is counted in plain Python."""
    taken = []
    plain = rolling.rolling_counts
    monkeypatch.setattr(
        trailing.rolling, "rolling_counts", lambda *a, **k: taken.append(1) or plain(*a, **k)
    )
    size = kernels.NUMPY_FROM + beside
    trailing_counts(np.arange(size), np.ones(size, bool), 10)
    assert bool(taken) == (beside < 0)


@pytest.mark.parametrize("beside", [-1, 0])
def test_a_budget_has_the_same_border(monkeypatch, beside):
    """And hands the totals, the window, the target and the threads on, on either side of it."""
    taken = []
    plain, fast = rolling.rolling_counts, kernels.rolling_budget
    monkeypatch.setattr(
        trailing.rolling, "rolling_counts", lambda *a, **k: taken.append("plain") or plain(*a, **k)
    )
    monkeypatch.setattr(
        kernels, "rolling_budget", lambda *a, **k: taken.append(k["threads"]) or fast(*a, **k)
    )
    size = kernels.NUMPY_FROM + beside
    time, good, total = np.arange(size), np.full(size, 9), np.full(size, 10)
    shares, left = trailing_budget(time, good, 10, "80%", total=total, threads=2)
    assert (shares == 0.9).all()
    assert (left == 0.5).all()
    assert taken == (["plain"] if beside < 0 else [2])


def test_one_thread_unless_more_are_asked_for(monkeypatch):
    """Threads reach the kernels as they were asked for."""
    seen = []
    for name in ("rolling_counts", "rolling_budget"):
        real = getattr(kernels, name)
        monkeypatch.setattr(
            kernels, name, lambda *a, real=real, **k: seen.append(k["threads"]) or real(*a, **k)
        )
    time, good = np.arange(kernels.NUMPY_FROM), np.ones(kernels.NUMPY_FROM, bool)
    for threads in ({}, {"threads": 2}):
        trailing_counts(time, good, 10, **threads)
        trailing_budget(time, good, 10, "90%", **threads)
    assert seen == [1, 1, 2, 2]


def test_few_counts_are_whole_numbers_too():
    """In either twin, also of nothing."""
    for time in ([], [1, 2]):
        good, total = trailing_counts(time, [True] * len(time), 10)
        assert good.dtype == total.dtype == np.int64
