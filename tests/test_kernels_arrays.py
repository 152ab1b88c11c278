"""The door of the kernels: what comes out is plain, and the first wrong row is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from errorbudget.errors import InvalidCountsError, InvalidSeriesError
from errorbudget.kernels import arrays
from errorbudget.kernels.arrays import (
    BLOCK,
    bad_rows,
    check_ascending,
    counts_column,
    descends_at,
    flags_column,
    nanoseconds,
    time_column,
    values_column,
)


@pytest.mark.parametrize("rows", [0, 7, 8, 9, 4_096, 4_099])
@pytest.mark.parametrize("bad", [[], [0], [7, 8], [800, 1_601, 3_999], [4_095, 4_096, 4_098]])
def test_bad_rows_are_found_few_or_many(rows: int, bad: list[int]) -> None:
    """Eight at a time, at both ends, and in the rest that makes no eight."""
    good = np.ones(rows, dtype=np.bool_)
    good[[row for row in bad if row < rows]] = False
    assert bad_rows(good).tolist() == [row for row in bad if row < rows]
    assert bad_rows(~good).tolist() == np.flatnonzero(good).tolist()


@pytest.mark.parametrize("unit", ["us", "ms", "s", "m", "h", "D", "W", "M", "Y"])
@pytest.mark.parametrize("years", [(1600,), (2300,), (1600, 2300)])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_instants_out_of_reach_are_found(unit: str, years: tuple[int, ...], rows: int) -> None:
    """The first of them, whatever numpy does where nanoseconds end."""
    for where in range(rows):
        column = np.full(rows, "2026-03", f"M8[{unit}]")
        for step, year in enumerate(years):
            column[min(where + 2 * step, rows - 1)] = np.datetime64(f"{year}-01", unit)
        assert nanoseconds(column)[1] == where
    whole, where_none = nanoseconds(np.full(rows, "2026-03", f"M8[{unit}]"))
    assert where_none is None
    assert set(whole.tolist()) == {int(np.datetime64("2026-03", unit).astype("M8[ns]").view("i8"))}


@pytest.mark.parametrize("unit", ["us", "ms", "s", "m", "h", "D"])
def test_the_last_instant_is_in_reach(unit: str) -> None:
    """In each unit, and the next is not; nor is none at all."""
    last = np.array([2**63 - 1]).view("M8[ns]").astype(f"M8[{unit}]")
    assert nanoseconds(last)[1] is None
    assert nanoseconds(last + np.timedelta64(1, unit))[1] == 0
    assert nanoseconds(np.append(last, np.datetime64("NaT", unit)))[1] == 1


def test_columns_are_plain() -> None:
    """Flags of any integer type are bool, counts and times int64, values float64 without -0.0."""
    flags = flags_column([1, 0, 1], 3)
    assert (flags.dtype, flags.tolist()) == (np.bool_, [True, False, True])
    good, total = counts_column(np.array([1, 0], dtype=np.uint8), [1, 1], 2)
    assert (good.dtype, total.dtype) == (np.int64, np.int64)
    assert time_column(np.array([3], dtype=np.uint64)).dtype == np.int64
    values = values_column(np.array([-0.0, 1], dtype=np.float32), 2)
    assert (values.dtype, np.signbit(values).any()) == (np.float64, False)
    last = np.array([2**63 - 1], dtype=np.uint64)
    assert time_column(last).tolist() == counts_column([0], last, 1)[1].tolist() == [2**63 - 1]
    for empty in ([], np.array([], dtype=np.uint64), np.array([], dtype=np.float64)):
        assert len(time_column(empty)) == len(counts_column(empty, empty, 0)[0]) == 0


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: flags_column([0, 1, 2, 3], 4), "got 2 at index 2"),
        (lambda: counts_column([0, 1, 5, 6], [1, 1, 4, 4], 4), "got 5 good of 4 at index 2"),
        (lambda: counts_column([0, -1], [1, 1], 2), "got -1 good of 1 at index 1"),
        (lambda: counts_column([0, 0], [2**62, 2**62], 2), "more than 2..63 - 1 events in all"),
        (lambda: values_column([0.0, 1.0, -1.0, np.nan], 4), "got -1.0 at index 2"),
        (lambda: values_column([0.0, np.inf], 2), "got inf at index 1"),
    ],
)
def test_the_first_wrong_row_is_named(ask, message: str) -> None:
    """Rows at a bound are not wrong."""
    with pytest.raises((InvalidSeriesError, InvalidCountsError), match=message):
        ask()


def test_as_many_events_as_a_number_holds() -> None:
    """2**63 - 1 in all are counted; one more is refused."""
    good, total = counts_column([0, 0], [2**62, 2**62 - 1], 2)
    assert total.sum() == 2**63 - 1
    assert good.sum() == 0


@pytest.mark.parametrize("fall", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_order_is_looked_at_across_blocks(fall: int) -> None:
    """Equal instants ascend; the first that falls is named, and how to mend it."""
    instants = np.repeat(np.arange(BLOCK + 1, dtype=np.int64), 2)
    assert descends_at(instants) is None
    check_ascending(instants)
    instants[fall:] -= 2
    assert descends_at(instants) == fall
    with pytest.raises(InvalidSeriesError, match="sort them first, or pass sort=True") as caught:
        check_ascending(instants)
    assert caught.value.index == fall
    with pytest.raises(InvalidSeriesError, match=r"sort them first$"):
        check_ascending(instants, "ends_ns")


def test_the_instant_that_descends_is_shown_beside_the_one_before() -> None:
    """And not beside an earlier one."""
    for name, cure in (("time_ns", ", or pass sort=True"), ("ends_ns", "")):
        with pytest.raises(InvalidSeriesError) as caught:
            check_ascending(np.array([10, 30, 20]), name)
        said = f"{name} must ascend, got 20 after 30 at index 2; sort them first{cure}"
        assert (str(caught.value), caught.value.index) == (said, 2)


def test_numpy_that_raises_is_asked_where(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 2.5 on numpy raises where nanoseconds end, and does not say where: halves tell."""
    quiet = arrays._there_and_back

    def loud(column: Any) -> Any:
        found = quiet(column)
        if found[1] is not None:
            raise OverflowError
        return found

    monkeypatch.setattr(arrays, "_there_and_back", loud)
    for where in range(9):
        column = np.full(9, "2026", "M8[s]")
        column[where:] = "2300"
        assert nanoseconds(column)[1] == where
