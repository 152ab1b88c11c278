"""
Frames in and out: any dataframe as events, and columns as a pandas frame.

narwhals reads pandas, polars, pyarrow, DuckDB, Dask and PySpark alike, and imports none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.columns import Columns, Kind
from errorbudget.errors import InvalidSeriesError, MissingDependencyError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from errorbudget.events import Events

__all__ = ["events_from_frame", "frame", "to_pandas"]

_UNITS_NS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}


_TYPES: dict[Kind, type] = {
    **dict.fromkeys(("text", "text?", "instant", "instant?"), str),
    **dict.fromkeys(("number", "figure", "chance", "seconds"), float),
    **dict.fromkeys(("texts", "shares"), object),
    "flag": bool,
}


def frame(rows: Iterable[Mapping[str, Any]], columns: Columns) -> Any:
    """
    Rows as a pandas DataFrame, whose columns have the same types with rows and without.

    Args:
        rows: A value for each column; None, and the texts "inf" and "-inf", are floats among
            numbers.
        columns: What stands in them.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingDependencyError.for_extra("a DataFrame", "pandas", "pandas") from None
    kept = list(rows)
    cells = {name: [row[name] for row in kept] for name in columns}
    return pd.DataFrame(
        {
            name: pd.Series(cells[name], dtype=_TYPES.get(kind) or _of_counts(cells[name]))
            for name, kind in columns.items()
        }
    )


def _of_counts(cells: list[Any]) -> type | None:
    """Type of a column of counts: pandas knows best, unless some or all of them are missing."""
    if None in cells:
        return float
    return None if cells else int


def to_pandas(time_ns: NDArray[np.int64], columns: Mapping[str, Any]) -> Any:
    """
    A pandas DataFrame of *columns*, indexed by time in UTC.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    try:
        import pandas as pd
    except ImportError:
        raise MissingDependencyError.for_extra("a DataFrame", "pandas", "pandas") from None
    index = pd.DatetimeIndex(time_ns.view("datetime64[ns]"), tz="UTC", name="time")
    return pd.DataFrame(dict(columns), index=index)


def events_from_frame(
    data: Any,
    *,
    time: str,
    status: str | None = None,
    duration: str | None = None,
    good: str | None = None,
    labels: Iterable[str] | Mapping[str, str] = (),
    values: Iterable[str] | Mapping[str, str] = (),
    time_unit: str = "ns",
    duration_unit: str = "s",
) -> Events:
    """
    The chosen columns of a frame as events; see `Events.from_frame`.

    Raises:
        InvalidSeriesError: There is no such column, or a column holds something else.
    """
    import narwhals as nw

    from errorbudget.events import Events, Labels

    for name, unit in (("time_unit", time_unit), ("duration_unit", duration_unit)):
        if unit not in _UNITS_NS:
            raise InvalidSeriesError(f'{name} must be "s", "ms", "us" or "ns", got {unit!r}')
    frame = _opened(data, nw)
    named_labels = _named(labels)
    named_values = _named(values)
    known = tuple(frame.collect_schema().names())
    # A column that has the name and unit of ours needs no telling.
    status = "status" if status is None and "status" in known else status
    good = "good" if good is None and "good" in known else good
    if duration is None and "duration_s" in known:
        duration, duration_unit = "duration_s", "s"
    own = (time, status, duration, good)
    wanted = [name for name in own if name is not None]
    wanted += [*named_labels.values(), *named_values.values()]
    for name in wanted:
        if name not in known:
            raise InvalidSeriesError(
                f'the frame has no column "{name}"; it has {", ".join(known)}'
                f"{did_you_mean(name, known)}"
            )
    chosen = frame.select(list(dict.fromkeys(wanted)))
    table = chosen.collect() if isinstance(chosen, nw.LazyFrame) else chosen

    def numbers(name: str) -> NDArray[np.float64]:
        try:
            return np.asarray(table[name].cast(nw.Float64).to_numpy(), dtype=np.float64)
        except Exception as error:  # noqa: BLE001 - every engine has its own for "not a number"
            raise InvalidSeriesError(f'column "{name}" must hold numbers: {error}') from None

    columns: dict[str, Any] = {"time": _times(table[time], time_unit, nw)}
    if status is not None:
        columns["status"] = numbers(status)
    if duration is not None:
        columns["duration_s"] = numbers(duration) / (1_000_000_000 // _UNITS_NS[duration_unit])
    if good is not None:
        flags = table[good]
        if flags.dtype != nw.Boolean or flags.null_count():
            raise InvalidSeriesError(f'column "{good}" must hold true or false in every row')
        columns["good"] = flags.to_numpy()
    return Events(
        **columns,
        labels={name: Labels.encode(table[own_].to_list()) for name, own_ in named_labels.items()},
        values={name: numbers(own_) for name, own_ in named_values.items()},
    )


def _opened(data: Any, nw: Any) -> Any:
    try:
        return nw.from_native(data)
    except TypeError:
        raise InvalidSeriesError(
            f"{type(data).__name__} is not a dataframe; give one of pandas, polars, pyarrow, "
            "DuckDB, Dask or PySpark, or build Events(time=..., status=...) from arrays"
        ) from None


def _named(columns: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    """Column of the frame by the name it gets."""
    if isinstance(columns, str):
        raise InvalidSeriesError(f'give a list of columns, such as ["{columns}"]')
    return dict(columns) if isinstance(columns, Mapping) else {name: name for name in columns}


def _times(column: Any, unit: str, nw: Any) -> Any:
    if column.null_count():
        index = int(np.argmax(np.asarray(column.is_null().to_numpy())))
        raise InvalidSeriesError(f"time at index {index} is missing", index=index)
    if column.dtype == nw.Datetime:
        if column.dtype.time_zone is not None:
            column = column.dt.convert_time_zone("UTC")
        return np.asarray(column.dt.timestamp("ns").to_numpy(), dtype=np.int64)
    if column.dtype.is_integer():
        ticks = np.asarray(column.to_numpy())
        scale = _UNITS_NS[unit]
        limit = (2**63 - 1) // scale
        outside = (ticks > limit) | (ticks < -limit)
        if outside.any():
            index = int(np.argmax(outside))
            raise InvalidSeriesError(
                f'time {ticks[index]} at index {index} is no time in "{unit}"', index=index
            )
        return ticks.astype(np.int64) * scale
    return column.to_list()
