"""Windows along events in plain Python, against counting them one by one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorbudget.errors import (
    InvalidCountsError,
    InvalidInputError,
    InvalidSeriesError,
    InvalidWindowError,
)
from errorbudget.rolling import (
    check_steps,
    grid_counts,
    grid_windows,
    rolling_counts,
    rolling_quantiles,
)
from tests.kernel_inputs import WINDOWS, events, groups, sorted_instants


@given(events(max_size=15), WINDOWS)
def test_a_window_holds_what_happened_after_its_start_up_to_now(rows, window):
    """(t - w, t]: what is exactly w old is out, events of one instant are in together."""
    time, good = (column.tolist() for column in rows)
    inside = [[row for row, t in enumerate(time) if now - window < t <= now] for now in time]
    assert rolling_counts(time, good, window) == (
        [sum(good[row] for row in members) for members in inside],
        [len(members) for members in inside],
    )


@given(groups(), WINDOWS)
def test_grouped_rows_count_as_their_events(rows, window):
    """A row of many events weighs as many, whatever the size."""
    time, good, total = (column.tolist() for column in rows)
    inside = [[row for row, t in enumerate(time) if now - window < t <= now] for now in time]
    assert rolling_counts(time, good, window, total=total) == (
        [sum(good[row] for row in members) for members in inside],
        [sum(total[row] for row in members) for members in inside],
    )


@given(events(max_size=15), sorted_instants(max_size=8))
def test_an_edge_counts_what_lies_before_it(rows, edges):
    """Right counts events at the edge itself, left does not."""
    time, good = (column.tolist() for column in rows)
    for closed, before in (("right", int.__le__), ("left", int.__lt__)):
        good_cum, total_cum = grid_counts(time, good, edges.tolist(), closed=closed)
        for edge, fine, total in zip(edges.tolist(), good_cum, total_cum, strict=True):
            assert total == sum(before(t, edge) for t in time)
            assert fine == sum(g for t, g in zip(time, good, strict=True) if before(t, edge))


@given(events(max_size=20), st.integers(1, 6), st.integers(1, 100))
def test_windows_on_a_grid_are_windows_of_events(rows, step, width):
    """At an event that stands on an edge, the grid and the event have the same window."""
    time, good = (column.tolist() for column in rows)
    if not time or time[-1] > 2**62:
        return
    edges = [time[-1] - width * back for back in range(12, -1, -1)]
    good_windows, total_windows = grid_windows(*grid_counts(time, good, edges), [step])
    events_good, events_total = rolling_counts(time, good, step * width)
    assert (good_windows[0][-1], total_windows[0][-1]) == (events_good[-1], events_total[-1])


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=20),
    st.fractions(min_value=Fraction(1, 100), max_value=1, max_denominator=100),
)
def test_a_quantile_is_the_smallest_value_that_reaches_its_share(values, quantile):
    """Nearest rank: at least q of the values are at or below it, and it is one of them."""
    ends = [len(values) - 1]
    [[answer]] = rolling_quantiles(range(len(values)), values, ends, 10**6, [quantile])
    reaching = [v for v in values if sum(u <= v for u in values) >= quantile * len(values)]
    assert answer == min(reaching)


def test_wrong_columns_are_refused_with_the_first_offender():
    """Descending instants, counts that contradict each other and empty windows are named."""
    with pytest.raises(InvalidSeriesError, match="at index 2") as caught:
        rolling_counts([1, 5, 3, 2], [1, 1, 1, 1], 10)
    assert caught.value.index == 2
    with pytest.raises(InvalidSeriesError, match="3 rows"):
        rolling_counts([1, 2], [1, 1, 1], 10)
    with pytest.raises(InvalidSeriesError, match="edges_ns must ascend"):
        grid_counts([1, 2], [1, 1], [3, 2])
    with pytest.raises(InvalidCountsError, match="got 3 at index 1"):
        rolling_counts([1, 2], [1, 3], 10, total=[1, 2])
    for good, total in (([0.5], None), ([1], [1.5]), ([0.5], [2])):
        with pytest.raises(InvalidCountsError, match="whole numbers"):
            grid_counts([1], good, [2], total=total)
    nan = float("nan")
    for times, index in (([nan], 0), ([1, nan, 0], 1)):
        with pytest.raises(InvalidSeriesError, match="must ascend, got nan") as caught:
            rolling_counts(times, [1] * len(times), 10)
        assert caught.value.index == index
    for value in (nan, float("inf"), -0.5):
        with pytest.raises(InvalidSeriesError, match="finite and not negative") as caught:
            rolling_quantiles([1, 2], [0.1, value], [2], 5, ["50%"])
        assert caught.value.index == 1
    with pytest.raises(InvalidSeriesError, match="values has 1 rows and time_ns 2"):
        rolling_quantiles([1, 2], [0.1], [2], 5, ["50%"])
    with pytest.raises(InvalidWindowError, match='closed must be "right" or "left"'):
        grid_counts([1], [1], [1], closed="both")
    with pytest.raises(InvalidWindowError, match='closed must be "right" or "left"'):
        rolling_quantiles([1], [1.0], [1], 1, ["50%"], closed="both")
    for strange in (True, np.timedelta64(1, "Y"), 1.0):
        with pytest.raises(InvalidWindowError, match="whole number of ns"):
            rolling_counts([1], [1], strange)
    for quantile in (0, 1.5):
        with pytest.raises(InvalidInputError, match="a quantile must lie in"):
            rolling_quantiles([1], [1.0], [1], 1, [quantile])
    for length in (0, -1):
        with pytest.raises(InvalidWindowError, match="longer than 0"):
            rolling_counts([1], [1], length)
        with pytest.raises(InvalidWindowError, match="longer than 0"):
            rolling_quantiles([1], [1.0], [1], length, [Fraction(1, 2)])
        with pytest.raises(InvalidWindowError, match="at least one bin"):
            grid_windows([0, 1], [0, 1], [length])


def test_every_window_has_whole_bins() -> None:
    """One that has not is enough; the least is one bin."""
    assert check_steps([1, 2]) == [1, 2]
    assert check_steps([]) == []
    with pytest.raises(InvalidWindowError, match="whole number of bins"):
        check_steps([1, 1.5])  # type: ignore[list-item]
    with pytest.raises(InvalidWindowError, match="at least one bin"):
        check_steps([1, 0])


def test_windows_on_a_grid_begin_at_the_first_edge() -> None:
    """However long they are; what was before the grid is in none."""
    good, total = grid_windows([5, 6, 6, 8], [7, 8, 9, 11], [1, 2, 9])
    assert good == [[1, 0, 2], [1, 1, 2], [1, 1, 3]]
    assert total == [[1, 1, 2], [1, 2, 3], [1, 2, 4]]
