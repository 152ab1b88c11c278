"""Columns of events as they are handed over, checked and made arrays of the right type."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidSeriesError, InvalidTimeError
from errorbudget.kernels.arrays import nanoseconds, stamps_dtype, unmasked
from errorbudget.predicates import is_missing
from errorbudget.times import MAX_NS, MIN_NS, to_ns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["OWN", "flags", "named_columns", "numbers", "one_column", "statuses", "times"]

OWN = ("time", "status", "duration_s", "good")
"""Columns with a meaning of their own; all others are labels or values."""


def named_columns(kind: str, columns: object) -> Mapping[str, Any]:
    """The *columns*, where each has a name of its own; *kind* is what they are."""
    if not isinstance(columns, Mapping):
        raise InvalidSeriesError(f'{kind} must be columns by name, such as {{"route": [...]}}')
    for name in columns:
        if not isinstance(name, str) or not name or name in OWN:
            raise InvalidSeriesError(
                f"{kind} must have a name of their own, other than {', '.join(OWN)}; got {name!r}"
            )
    return columns


def one_column(name: str, values: ArrayLike, dtype: str | None = None) -> NDArray[Any]:
    """The *values* as an array of one dimension."""
    values = unmasked(values, name)
    try:
        column = np.asarray(values, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InvalidSeriesError(f"{name} must be one column: {error}") from None
    if column.ndim != 1:
        raise InvalidSeriesError(
            f"{name} must be one column, with one dimension, got {column.ndim} of them"
        )
    return column


def _offender(message: str, column: NDArray[Any], wrong: NDArray[Any] | int) -> InvalidSeriesError:
    index = wrong if isinstance(wrong, int) else int(np.argmax(wrong))
    return InvalidSeriesError(f"{message}, got {column[index]} at index {index}", index=index)


def times(time: ArrayLike) -> NDArray[np.int64]:
    """Instants [ns UTC]; *time* may be integers, `datetime64` or aware datetimes."""
    column = one_column("time", time, stamps_dtype(time))
    if column.dtype.kind == "M":
        missing = np.isnat(column)
        if missing.any():
            raise _offender("time must not be missing", column, missing)
        scaled, beyond = nanoseconds(column)
        if beyond is not None:
            raise _offender("time must lie in the years 1678 to 2262", column, beyond)
        return scaled
    if column.dtype.kind in "iu":
        outside = (column < MIN_NS) if column.dtype.kind == "i" else (column > MAX_NS)
        if outside.any():
            raise _offender("time must lie in the years 1678 to 2262", column, outside)
        return column.astype(np.int64, copy=False)
    if column.dtype.kind == "f" and len(column):
        raise InvalidSeriesError(
            "time must be integer nanoseconds, numpy datetime64 or aware datetimes, got floats; "
            "for seconds write (seconds * 1e9).round().astype('int64')"
        )
    stamps = np.empty(len(column), dtype=np.int64)
    for index, value in enumerate(column.tolist()):
        try:
            stamps[index] = to_ns(value)
        except InvalidTimeError as error:
            raise InvalidSeriesError(f"time at index {index}: {error}", index=index) from None
    return stamps


_STATUS = "status must be an integer from 100 to 599 (0 or None where missing)"


def statuses(status: ArrayLike) -> NDArray[np.int16]:
    """HTTP statuses, 0 where one is missing."""
    column = one_column("status", status)
    if column.dtype.kind in "OUS":
        column = np.array([_status_of(index, each) for index, each in enumerate(column.tolist())])
    if column.dtype.kind == "f":
        column = np.where(np.isnan(column), 0, column)
    elif column.dtype.kind not in "iu":
        raise InvalidSeriesError(f"{_STATUS}, got {column.dtype}")
    wrong = (column != 0) & ~((column >= 100) & (column <= 599) & (column == np.floor(column)))
    if wrong.any():
        raise _offender(_STATUS, column, wrong)
    return column.astype(np.int16)


def _status_of(index: int, value: Any) -> float:
    """One status of a mixed column; text is read, as many files hold nothing else."""
    text = "" if is_missing(value) else str(value).strip()
    if not text:
        return 0
    try:
        return float(text) if not isinstance(value, bytes) else float(value)
    except ValueError:
        raise InvalidSeriesError(
            f"{_STATUS}, got {value!r} at index {index}", index=index
        ) from None


def numbers(name: str, values: ArrayLike, *, negative: bool) -> NDArray[np.float64]:
    """Finite numbers, NaN where one is missing; lengths of time become seconds."""
    column = one_column(name, values)
    if column.dtype.kind == "m":
        try:
            column = np.asarray(column / np.timedelta64(1, "s"), dtype=np.float64)
        except OverflowError:  # from numpy 2.5 on
            raise InvalidSeriesError(f"{name} must be lengths that fit in seconds") from None
    if column.dtype.kind == "O":
        for index, value in enumerate(column.tolist()):
            if not (is_missing(value) or isinstance(value, Real)) or isinstance(value, bool):
                raise InvalidSeriesError(
                    f"{name} must be numbers, got {value!r} at index {index}", index=index
                )
        column = np.array([np.nan if is_missing(value) else value for value in column.tolist()])
    if column.dtype.kind not in "iuf":
        raise InvalidSeriesError(f"{name} must be numbers, got {column.dtype}")
    column = column.astype(np.float64, copy=False)
    wrong = np.isinf(column) if negative else np.isinf(column) | (column < 0)
    if wrong.any():
        fits = "finite" if negative else "finite and not negative"
        raise _offender(f"{name} must be {fits} (NaN where missing)", column, wrong)
    return column


def flags(good: ArrayLike) -> NDArray[np.bool_]:
    """Whether each event was good: booleans, or 0 and 1."""
    column = one_column("good", good)
    if not len(column):
        return column.astype(np.bool_)
    if column.dtype.kind == "O":
        for index, value in enumerate(column.tolist()):
            if not isinstance(value, (bool, np.bool_)):
                raise InvalidSeriesError(
                    f"good must be true or false for every event, got {value!r} at index {index}; "
                    "leave out events that were not judged",
                    index=index,
                )
        return column.astype(np.bool_)
    if column.dtype.kind == "b":
        return column
    if column.dtype.kind in "iu" and column.min() >= 0 and column.max() <= 1:
        return column.astype(np.bool_)
    raise InvalidSeriesError(f"good must be true or false for every event, got {column.dtype}")
