"""
The door of the kernels: columns of any honest kind become plain, native, contiguous arrays.

What is already so is passed on without a copy; nothing is ever written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import (
    InvalidCountsError,
    InvalidInputError,
    InvalidSeriesError,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BLOCK",
    "adds_beyond_int64",
    "bad_rows",
    "beyond_int64",
    "check_ascending",
    "check_out",
    "check_threads",
    "counts_column",
    "descends_at",
    "flags_column",
    "nanoseconds",
    "not_ascending",
    "stamps_dtype",
    "time_column",
    "unmasked",
    "values_column",
]

BLOCK = 1 << 15
"""Rows worked on at a time: their columns and scratch stay in a core's L2 cache."""


def unmasked(column: ArrayLike, name: str) -> ArrayLike:
    """
    The column itself, where nothing of it is masked: as a plain array it would show the hidden.

    Raises:
        InvalidSeriesError: A row is masked (`.index`).
    """
    if isinstance(column, np.ma.MaskedArray) and np.ma.is_masked(column):
        index = int(np.argmax(np.ma.getmaskarray(column)))
        raise InvalidSeriesError(
            f"{name} is masked at index {index}; leave out such events", index=index
        )
    return column


def stamps_dtype(column: object) -> str | None:
    """What a zoned column of pandas is read as, for it knows UTC itself; None for all others."""
    kind: Any = getattr(column, "dtype", None)
    return f"datetime64[{kind.unit}]" if hasattr(kind, "tz") else None


def _plain(column: ArrayLike, name: str) -> NDArray[Any]:
    return np.asarray(unmasked(column, name))


def nanoseconds(column: NDArray[Any]) -> tuple[NDArray[np.int64], int | None]:
    """
    A column of `datetime64` in nanoseconds, and where the first lies that is none or out of reach.

    Numpy goes round there silently; from 2.5 on it raises, and does not say where.
    """
    try:
        return _there_and_back(column)
    except OverflowError:
        first, last = 0, len(column)
    while last - first > 1:  # it is in the one half, or else in the other
        middle = (first + last) // 2
        try:
            _there_and_back(column[first:middle])
        except OverflowError:
            last = middle
        else:
            first = middle
    return np.array([], np.int64), first


def _there_and_back(column: NDArray[Any]) -> tuple[NDArray[np.int64], int | None]:
    scaled = column.astype("datetime64[ns]")
    outside = scaled.astype(column.dtype) != column  # NaT is not even itself
    return scaled.view(np.int64), int(np.argmax(outside)) if outside.any() else None


def beyond_int64(column: NDArray[Any]) -> bool:
    """Whether a column of integers holds one that int64 does not."""
    return column.dtype.kind == "u" and bool((column > np.iinfo(np.int64).max).any())


def adds_beyond_int64(counts: NDArray[Any]) -> bool:
    """Whether all *counts* together are more than int64 holds."""
    return int(counts.max(initial=0)) * len(counts) >= 2**63 and sum(counts.tolist()) >= 2**63


def time_column(time_ns: ArrayLike, name: str = "time_ns") -> NDArray[np.int64]:
    """
    Instants as int64 nanoseconds, shape (n,).

    Raises:
        InvalidSeriesError: Not one-dimensional, or neither integers nor `datetime64`.
    """
    column = _plain(time_ns, name)
    if column.ndim != 1:
        raise InvalidSeriesError(f"{name} must have one dimension, got {column.ndim}")
    if column.dtype.kind == "M":
        column, outside = nanoseconds(column)
        if outside is not None:
            raise InvalidSeriesError(f"{name} is missing (NaT) or outside the years 1678 to 2262")
    elif column.dtype.kind not in "iu" and column.size:
        raise InvalidSeriesError(f"{name} must be integer nanoseconds, got {column.dtype}")
    if beyond_int64(column):
        raise InvalidSeriesError(f"{name} lies outside the years 1678 to 2262")
    return np.ascontiguousarray(column, dtype=np.int64)


def flags_column(good: ArrayLike, rows: int) -> NDArray[np.bool_]:
    """
    Whether each event is good, as bool, shape (n,); 0 and 1 of any integer type are read too.

    Raises:
        InvalidSeriesError: Wrong length or type, or a flag that is neither 0 nor 1.
    """
    column = _plain(good, "good")
    if column.shape != (rows,):
        raise InvalidSeriesError(
            f"good has shape {column.shape} and time_ns ({rows},); they must match"
        )
    if column.dtype.kind in "iu":
        wrong = (column != 0) & (column != 1)
        if wrong.any():
            index = int(np.argmax(wrong))
            raise InvalidSeriesError(
                f"good must be 0 or 1, got {column[index]} at index {index}; "
                "for counts of grouped events give total= too",
                index=index,
            )
    elif column.dtype.kind != "b" and column.size:
        raise InvalidSeriesError(f"good must be true or false, got {column.dtype}")
    return np.ascontiguousarray(column, dtype=np.bool_)


def counts_column(
    good: ArrayLike, total: ArrayLike, rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Good and all events of each row as int64, shape (n,), whose sums fit in int64.

    Raises:
        InvalidSeriesError: Wrong length, or not integers.
        InvalidCountsError: Negative, good above total, or more than 2**63 - 1 events in all.
    """
    columns = []
    for name, counts in (("good", good), ("total", total)):
        column = _plain(counts, name)
        if column.shape != (rows,):
            raise InvalidSeriesError(
                f"{name} has shape {column.shape} and time_ns ({rows},); they must match"
            )
        if column.dtype.kind not in "iub" and column.size:
            raise InvalidSeriesError(f"{name} must be integer counts, got {column.dtype}")
        if beyond_int64(column):
            raise InvalidCountsError(f"{name} has more than 2**63 - 1 events in a row")
        columns.append(np.ascontiguousarray(column, dtype=np.int64))
    good_column, total_column = columns
    wrong = (good_column < 0) | (good_column > total_column)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise InvalidCountsError(
            f"good must lie between 0 and total, got {good_column[index]} good "
            f"of {total_column[index]} at index {index}"
        )
    if adds_beyond_int64(total_column):
        raise InvalidCountsError("more than 2**63 - 1 events in all; split the series")
    return good_column, total_column


SPARSE = 64
"""Rows to an eight with bad ones among them, or more, are few of these."""

_EIGHT_GOOD = np.frombuffer(b"\x01" * 8, dtype=np.uint64)[0]


def bad_rows(good: NDArray[np.bool_]) -> NDArray[np.intp]:
    """
    The rows that are not *good*, ascending; contiguous flags are read eight at a time.

    Where bad events are few, most eights are all good and are passed over; in three quarters of the
    time for one in 400.
    """
    whole = len(good) & -8
    suspect = np.flatnonzero(good[:whole].view(np.uint64) != _EIGHT_GOOD)
    if len(suspect) * SPARSE > whole:
        return np.flatnonzero(np.logical_not(good))
    eights = np.logical_not(good[:whole].reshape(whole // 8, 8).take(suspect, axis=0))
    found = np.flatnonzero(eights)
    rows = suspect.take(found >> 3) * 8 + (found & 7)
    return np.concatenate((rows, whole + np.flatnonzero(np.logical_not(good[whole:]))))


def values_column(values: ArrayLike, rows: int) -> NDArray[np.float64]:
    """
    One number per event as float64, shape (n,); -0.0 becomes 0.0.

    Raises:
        InvalidSeriesError: Wrong length, not numbers, or one that is NaN, infinite or negative.
    """
    column = _plain(values, "values")
    if column.shape != (rows,):
        raise InvalidSeriesError(
            f"values has shape {column.shape} and time_ns ({rows},); they must match"
        )
    if column.dtype.kind not in "iufb" and column.size:
        raise InvalidSeriesError(f"values must be numbers, got {column.dtype}")
    numbers = np.ascontiguousarray(column, dtype=np.float64)
    lowest = numbers.min(initial=np.inf)
    if rows and not (lowest >= 0 and numbers.max() < np.inf):
        wrong = ~((numbers >= 0) & (numbers < np.inf))
        index = int(np.argmax(wrong))
        raise InvalidSeriesError(
            f"values must be finite and not negative, got {numbers[index]} at index {index}; "
            "leave out events without a value",
            index=index,
        )
    if lowest == 0 and numbers.view(np.int64).min() < 0:
        numbers = numbers + 0.0
    return numbers


def descends_at(instants: NDArray[np.int64]) -> int | None:
    """Index of the first instant that is earlier than the one before it, or None."""
    for start in range(0, len(instants), BLOCK):
        later = instants[start + 1 : start + 1 + BLOCK]
        fall = later < instants[start : start + len(later)]
        if fall.any():
            return start + 1 + int(fall.argmax())
    return None


def check_ascending(instants: NDArray[np.int64], name: str = "time_ns") -> None:
    """
    Every instant is at or after the one before it.

    Raises:
        InvalidSeriesError: One is not; `.index` is the first.
    """
    index = descends_at(instants)
    if index is not None:
        raise not_ascending(instants, index, name)


def not_ascending(instants: NDArray[np.int64], index: int, name: str) -> InvalidSeriesError:
    """The error for the instant at *index*, which is earlier than the one before it."""
    cure = "; sort them first, or pass sort=True" if name == "time_ns" else "; sort them first"
    return InvalidSeriesError(
        f"{name} must ascend, got {instants[index]} after {instants[index - 1]} "
        f"at index {index}{cure}",
        index=index,
    )


def check_threads(threads: int) -> int:
    """
    How many threads share the work.

    Raises:
        InvalidInputError: Not even one, or no whole number.
    """
    if not isinstance(threads, (int, np.integer)) or threads < 1:
        raise InvalidInputError(f"threads must be at least 1, got {threads!r}")
    return int(threads)


def check_out(out: Sequence[NDArray[np.float64]], shape: tuple[int, ...]) -> None:
    """
    Columns that answers can be written to: float64 arrays of *shape*, each memory of its own.

    Raises:
        InvalidSeriesError: One of them is not.
    """
    for column in out:
        if not isinstance(column, np.ndarray) or column.dtype != np.float64:
            kind = getattr(column, "dtype", type(column).__name__)
            raise InvalidSeriesError(f"out must be float64 arrays, got {kind}")
        if column.shape != shape:
            raise InvalidSeriesError(f"out must have shape {shape}, got {column.shape}")
        if not column.flags.writeable:
            raise InvalidSeriesError("out must be writeable, got a read-only array")
    if len(out) == 2 and np.shares_memory(out[0], out[1]):
        raise InvalidSeriesError("out must be two columns, got the same memory twice")
