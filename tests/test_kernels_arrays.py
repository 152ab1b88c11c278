"""The door of the kernels: what comes out is plain, and the first wrong row is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from errorbudget.errors import InvalidCountsError, InvalidInputError, InvalidSeriesError
from errorbudget.kernels import arrays
from errorbudget.kernels.arrays import (
    BLOCK,
    adds_beyond_int64,
    bad_rows,
    check_ascending,
    check_out,
    check_threads,
    counts_column,
    descends_at,
    flags_column,
    nanoseconds,
    stamps_dtype,
    time_column,
    values_column,
)
from tests.kernel_inputs import fresh_bytes


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


MOST = 2**63 - 1
BEYOND = np.array([1, 2**63], dtype=np.uint64)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: time_column([[1]]), "time_ns must have one dimension, got 2"),
        (lambda: time_column(5), "time_ns must have one dimension, got 0"),
        (lambda: time_column([1.5], "ends_ns"), "ends_ns must be integer nanoseconds, got float64"),
        (lambda: time_column([True]), "time_ns must be integer nanoseconds, got bool"),
        (lambda: time_column(BEYOND), "time_ns lies outside the years 1678 to 2262"),
        (lambda: time_column(np.array(["2300"], "M8[s]")), r"missing \(NaT\) or outside"),
        (lambda: flags_column([True], 2), r"good has shape \(1,\) and time_ns \(2,\)"),
        (lambda: flags_column([[True]], 1), r"good has shape \(1, 1\) and time_ns \(1,\)"),
        (lambda: flags_column([1.0], 1), "good must be true or false, got float64"),
        (lambda: flags_column(["a"], 1), "good must be true or false, got <U1"),
        (lambda: counts_column([1], [1, 1], 2), r"good has shape \(1,\) and time_ns \(2,\)"),
        (lambda: counts_column([1, 1], [1], 2), r"total has shape \(1,\) and time_ns \(2,\)"),
        (lambda: counts_column([1.0], [1], 1), "good must be integer counts, got float64"),
        (lambda: counts_column([1], ["a"], 1), "total must be integer counts, got <U1"),
        (lambda: counts_column([0, 0], BEYOND, 2), "total has more than 2..63 - 1 events in a row"),
        (lambda: counts_column(BEYOND, BEYOND, 2), "good has more than 2..63 - 1 events in a row"),
        (lambda: values_column([1.0], 2), r"values has shape \(1,\) and time_ns \(2,\)"),
        (lambda: values_column(["a"], 1), "values must be numbers, got <U1"),
        (lambda: values_column([1j], 1), "values must be numbers, got complex128"),
        (lambda: check_threads(0), "threads must be at least 1, got 0"),
        (lambda: check_threads(1.5), "threads must be at least 1, got 1.5"),
        (lambda: check_out([[0.0]], (1,)), "out must be float64 arrays, got list"),
        (lambda: check_out([np.zeros(1, "f4")], (1,)), "out must be float64 arrays, got float32"),
        (lambda: check_out([np.zeros(2)], (1,)), r"out must have shape \(1,\), got \(2,\)"),
        (lambda: check_out([np.broadcast_to(0.0, 1)], (1,)), "read-only array"),
        (lambda: check_out([_COLUMN, _COLUMN[:]], (3,)), "the same memory twice"),
    ],
)
def test_what_is_no_column_is_refused(ask, message: str) -> None:
    """Each with what came and what fits."""
    with pytest.raises((InvalidSeriesError, InvalidCountsError, InvalidInputError), match=message):
        ask()


_COLUMN = np.zeros(3)


def test_what_is_right_is_passed_on() -> None:
    """Without a copy, and without a word."""
    numbers = np.array([3, 1, 2])
    assert np.shares_memory(time_column(numbers), numbers)
    assert np.shares_memory(counts_column(numbers, numbers, 3)[1], numbers)
    flags = np.array([True, False])
    assert np.shares_memory(flags_column(flags, 2), flags)
    for values in (np.array([0.0, 2.0]), np.array([7.0]), np.array([5.0, 5.0])):
        assert np.shares_memory(values_column(values, len(values)), values)
    assert values_column([], 0).tolist() == []
    assert values_column([-0.0, 1.5, True], 3).tolist() == [0.0, 1.5, 1.0]
    assert flags_column([], 0).tolist() == flags_column(np.array([]), 0).tolist() == []
    assert (check_threads(1), check_threads(np.int32(3))) == (1, 3)
    check_out([_COLUMN], (3,))
    check_out([_COLUMN, np.zeros(3)], (3,))
    check_out([_COLUMN, _COLUMN, np.zeros(3)], (3,))  # only pairs are looked at


def test_masked_columns_are_read_where_nothing_is_masked() -> None:
    """The first row that is masked is named; a mask that hides nothing is none."""
    hidden = np.ma.masked_array([1, 2, 3], [False, True, True])
    with pytest.raises(InvalidSeriesError, match="time_ns is masked at index 1; leave out") as told:
        time_column(hidden)
    assert told.value.index == 1
    assert time_column(np.ma.masked_array([1, 2], [False, False])).tolist() == [1, 2]
    assert time_column(np.ma.masked_array([1, 2])).tolist() == [1, 2]


def test_zoned_columns_are_read_as_utc() -> None:
    """What knows of a zone has a unit; what knows of none is read as it is."""

    class Zoned:
        tz, unit = "UTC", "ms"

    class Column:
        dtype = Zoned

    assert stamps_dtype(Column) == "datetime64[ms]"
    assert stamps_dtype(np.array([1])) is None
    assert stamps_dtype([1]) is None


def test_sums_are_held_to_int64() -> None:
    """2**63 - 1 fits, however it is made up; one more does not."""
    for counts in ([], [0], [MOST], [MOST, 0, 0], [2**62, 2**62 - 1]):
        assert not adds_beyond_int64(np.array(counts, dtype=np.int64))
    for counts in ([MOST, 1], [1, 0, MOST], [2**62, 2**62], [2**61] * 4):
        assert adds_beyond_int64(np.array(counts, dtype=np.int64))
    many = np.arange(1_000, 60_000)
    assert fresh_bytes(lambda: adds_beyond_int64(many)) < len(many)


def test_bad_rows_take_little_memory() -> None:
    """A bit for each row where few are bad; where all are, a flag each, beside the answer."""
    good = np.ones(80_000, dtype=np.bool_)
    assert fresh_bytes(lambda: bad_rows(good)) < len(good) / 2
    assert fresh_bytes(lambda: bad_rows(~good)) < 12 * len(good)


def test_the_last_instant_of_a_block_more_is_looked_at() -> None:
    """A block, and two rows; a block of flags is all that it takes."""
    for rows in (1, 2, BLOCK, BLOCK + 1, BLOCK + 2):
        instants = np.arange(rows)
        assert descends_at(instants) is None
        instants[-1] = -1
        assert descends_at(instants) == (rows - 1 if rows > 1 else None)
