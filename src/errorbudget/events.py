"""
Request events as columns, and the answers they give.

One row is one request. Columns are numpy arrays of one length; labels are codes into a short
list of texts, so that a predicate is evaluated once per text instead of once per event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidSeriesError, InvalidTimeError, did_you_mean
from errorbudget.predicates import is_missing, label_text
from errorbudget.times import MAX_NS, MIN_NS, TimeLike, format_time, to_ns

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from errorbudget.comparison import Comparison
    from errorbudget.durations import DurationLike
    from errorbudget.history import History
    from errorbudget.methods import NoData
    from errorbudget.series import CountSeries
    from errorbudget.slo import SLO
    from errorbudget.status import Status
    from errorbudget.target import TargetLike

__all__ = ["Events", "Labels"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Labels:
    """
    One text per event, stored once per distinct text.

    Args:
        codes: Position in *values* per event, -1 where the event has no such label;
            shape (n,), int32.
        values: The distinct texts.
    """

    codes: NDArray[np.int32]
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        codes = _column("label codes", self.codes)
        if isinstance(self.values, str) or not isinstance(self.values, Iterable):
            raise InvalidSeriesError(f"label values must be a list of texts, got {self.values!r}")
        object.__setattr__(self, "values", tuple(str(value) for value in self.values))
        if codes.dtype.kind not in "iu" and len(codes):
            raise InvalidSeriesError(f"label codes must be integers, got {codes.dtype}")
        if len(codes) and not -1 <= int(codes.min()) <= int(codes.max()) < len(self.values):
            wrong = int(np.flatnonzero((codes < -1) | (codes >= len(self.values)))[0])
            raise InvalidSeriesError(
                f"label code {codes[wrong]} at index {wrong} has no value", index=wrong
            )
        object.__setattr__(self, "codes", codes.astype(np.int32, copy=False))

    @classmethod
    def encode(cls, texts: ArrayLike) -> Labels:
        """Labels of plain texts, one per event; None and NaN mean "no such label"."""
        # As objects from the start: a list with NaN in it would become the text "nan".
        column = _column("a label column", np.asarray(texts, dtype=object))
        positions: dict[str, int] = {}
        codes = np.fromiter(
            (
                -1 if is_missing(text) else positions.setdefault(label_text(text), len(positions))
                for text in column
            ),
            dtype=np.int32,
            count=len(column),
        )
        return cls(codes, tuple(positions))

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[Any]) -> Labels:
        """The labels at *rows*, positions or a mask."""
        return Labels(self.codes[rows], self.values)

    def decode(self) -> list[str | None]:
        """The text of every event."""
        table: list[str | None] = [*self.values, None]
        return [table[code] for code in self.codes.tolist()]

    def __repr__(self) -> str:
        return f"Labels({len(self)} events, {len(self.values)} values)"


def _column(name: str, values: ArrayLike, dtype: str | None = None) -> NDArray[Any]:
    try:
        column = np.asarray(values, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InvalidSeriesError(f"{name} must be one column: {error}") from None
    if column.ndim != 1:
        raise InvalidSeriesError(
            f"{name} must be one column, with one dimension, got {column.ndim} of them"
        )
    return column


def _offender(message: str, column: NDArray[Any], wrong: NDArray[Any]) -> InvalidSeriesError:
    index = int(np.argmax(wrong))
    return InvalidSeriesError(f"{message}, got {column[index]} at index {index}", index=index)


def _times(time: ArrayLike) -> NDArray[np.int64]:
    # pandas' zoned columns know UTC themselves, and need no look at each of their stamps.
    kind = getattr(time, "dtype", None)
    zoned = hasattr(kind, "tz") and hasattr(kind, "unit")
    column = _column("time", time, f"datetime64[{getattr(kind, 'unit', '')}]" if zoned else None)
    if column.dtype.kind == "M":
        missing = np.isnat(column)
        if missing.any():
            raise _offender("time must not be missing", column, missing)
        scaled = column.astype("datetime64[ns]")
        outside = scaled.astype(column.dtype) != column  # it went round
        if outside.any():
            raise _offender("time must lie in the years 1678 to 2262", column, outside)
        return scaled.view(np.int64)
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


def _status(status: ArrayLike) -> NDArray[np.int16]:
    column = _column("status", status)
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


def _numbers(name: str, values: ArrayLike, *, negative: bool) -> NDArray[np.float64]:
    column = _column(name, values)
    if column.dtype.kind == "m":
        return np.asarray(column / np.timedelta64(1, "s"), dtype=np.float64)
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


def _flags(good: ArrayLike) -> NDArray[np.bool_]:
    column = _column("good", good)
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


_OWN = ("time", "status", "duration_s", "good")


def _named(kind: str, columns: object) -> Mapping[str, Any]:
    if not isinstance(columns, Mapping):
        raise InvalidSeriesError(f'{kind} must be columns by name, such as {{"route": [...]}}')
    for name in columns:
        if not isinstance(name, str) or not name or name in _OWN:
            raise InvalidSeriesError(
                f"{kind} must have a name of their own, other than {', '.join(_OWN)}; got {name!r}"
            )
    return columns


@dataclass(frozen=True, eq=False, repr=False)
class Events:
    """
    Requests, one a row, ordered by time.

    Events out of order are accepted and sorted (stably); `reordered` says how many stood after a
    later one. Arrays that are already sorted and of the right type are kept, not copied, and
    are never written to.

    Args:
        time: When each request happened: integer nanoseconds UTC, numpy `datetime64` (UTC), or
            aware datetimes; shape (n,).
        status: HTTP status 100 to 599, 0 or None where missing; shape (n,).
        duration_s: How long it took [s, >= 0], NaN where missing; shape (n,).
        good: Whether it was good, where the events were judged already; shape (n,).
        labels: Texts per event by name, as sequences or `Labels`; each of shape (n,).
        values: Further numbers per event by name; each of shape (n,).
        reading: What the reader of a file has to say about it.

    Raises:
        InvalidSeriesError: Columns differ in length, or hold a value out of range (`.index`).

    Example:
        >>> events = Events(time=[1_000, 2_000], status=[200, 503])
        >>> len(events)
        2
    """

    time: NDArray[np.int64]
    status: NDArray[np.int16] | None = None
    duration_s: NDArray[np.float64] | None = None
    good: NDArray[np.bool_] | None = None
    labels: Mapping[str, Labels] = field(default_factory=dict)
    values: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    reading: Any = None
    reordered: int = field(init=False, default=0)

    if TYPE_CHECKING:

        def __init__(
            self,
            time: ArrayLike,
            status: ArrayLike | None = None,
            duration_s: ArrayLike | None = None,
            good: ArrayLike | None = None,
            labels: Mapping[str, Labels | Sequence[str | None] | NDArray[Any]] = ...,
            values: Mapping[str, ArrayLike] = ...,
            reading: Any = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        columns: dict[str, Any] = {"time": _times(self.time)}
        if self.status is not None:
            columns["status"] = _status(self.status)
        if self.duration_s is not None:
            columns["duration_s"] = _numbers("duration_s", self.duration_s, negative=False)
        if self.good is not None:
            columns["good"] = _flags(self.good)
        labels = {
            name: column if isinstance(column, Labels) else Labels.encode(column)
            for name, column in _named("labels", self.labels).items()
        }
        values = {
            name: _numbers(name, column, negative=True)
            for name, column in _named("values", self.values).items()
        }
        if twice := labels.keys() & values.keys():
            raise InvalidSeriesError(f"both labels and values have a column {min(twice)!r}")
        n = len(columns["time"])
        for name, column in (*columns.items(), *labels.items(), *values.items()):
            if len(column) != n:
                raise InvalidSeriesError(
                    f"columns must have one length: time has {n} events, {name} has {len(column)}"
                )
        reordered = 0
        time = columns["time"]
        if n > 1 and not bool(np.all(time[1:] >= time[:-1])):
            reordered = int(np.count_nonzero(time < np.maximum.accumulate(time)))
            order = np.argsort(time, kind="stable")
            columns = {name: column[order] for name, column in columns.items()}
            labels = {name: column.take(order) for name, column in labels.items()}
            values = {name: column[order] for name, column in values.items()}
        for name, column in columns.items():
            object.__setattr__(self, name, column)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "reordered", reordered)

    @classmethod
    def from_frame(
        cls,
        data: Any,
        *,
        time: str = "time",
        status: str | None = None,
        duration: str | None = None,
        good: str | None = None,
        labels: Iterable[str] | Mapping[str, str] = (),
        values: Iterable[str] | Mapping[str, str] = (),
        time_unit: str = "ns",
        duration_unit: str = "s",
    ) -> Events:
        """
        Events from a dataframe of pandas, polars, pyarrow, DuckDB, Dask or PySpark.

        Only these columns are read; a lazy frame is collected for them alone.

        Args:
            data: The frame.
            time: Column of the time: timestamps (without a zone they are UTC), text with a zone, or
                integers since the epoch in *time_unit*.
            status: Column of the HTTP status; by default `status`, where there is one.
            duration: Column of the duration, in *duration_unit*; by default `duration_s`, where
                there is one.
            good: Column that says whether each event was good; by default `good`, where there is
                one.
            labels: Columns to keep as labels, or columns by the name they get.
            values: Columns to keep as further numbers, or columns by the name they get.
            time_unit: Unit of integer times: "s", "ms", "us" or "ns".
            duration_unit: Unit of the durations.

        Raises:
            InvalidSeriesError: There is no such column, or a column holds something else.

        Example:
            >>> import pandas as pd
            >>> frame = pd.DataFrame({"ts": [1_000, 2_000], "code": [200, 503], "ms": [12.5, 80.0]})
            >>> events = Events.from_frame(
            ...     frame,
            ...     time="ts",
            ...     status="code",
            ...     duration="ms",
            ...     time_unit="ms",
            ...     duration_unit="ms",
            ... )
            >>> events.duration_s.tolist()
            [0.0125, 0.08]
        """
        from errorbudget.frames import events_from_frame

        return events_from_frame(
            data,
            time=time,
            status=status,
            duration=duration,
            good=good,
            labels=labels,
            values=values,
            time_unit=time_unit,
            duration_unit=duration_unit,
        )

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        columns = [
            name for name in ("status", "duration_s", "good") if getattr(self, name) is not None
        ]
        names = ", ".join(["time", *columns, *self.labels, *self.values])
        span = (
            f", {format_time(int(self.time[0]))} to {format_time(int(self.time[-1]))}"
            if len(self)
            else ""
        )
        return f"Events({len(self):,} events{span}; {names})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns that predicates can ask for, except time."""
        own = (name for name in ("status", "duration_s", "good") if getattr(self, name) is not None)
        return (*own, *self.labels, *self.values)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last event [ns UTC], or None without events."""
        return (int(self.time[0]), int(self.time[-1])) if len(self) else None

    def evaluate(self, slo: SLO, *, at: TimeLike | None = None) -> Status:
        """The status of *slo* at *at*, by default at the last event."""
        from errorbudget.evaluation import evaluate_events

        return evaluate_events(slo, self, at=at)

    def history(
        self,
        slo: SLO,
        *,
        step: DurationLike | None = None,
        start: TimeLike | None = None,
        end: TimeLike | None = None,
    ) -> History:
        """The history of *slo* at every *step*, by default every minute."""
        from errorbudget.history import history_of_events

        return history_of_events(slo, self, step=step, start=start, end=end)

    def count(self, slo: SLO, *, step: DurationLike = "1m") -> CountSeries:
        """Good and total events of *slo* per *step*."""
        from errorbudget.judging import count_events

        return count_events(slo, self, step=step)

    def compare_methods(
        self,
        slo: SLO,
        *,
        slice: DurationLike = "1m",
        slice_target: TargetLike | None = None,
        no_data: NoData = "exclude",
        at: TimeLike | None = None,
    ) -> Comparison:
        """The three budgeting methods side by side; see `comparison.compare_methods`."""
        from errorbudget.comparison import compare_methods

        return compare_methods(
            slo, self, slice=slice, slice_target=slice_target, no_data=no_data, at=at
        )

    def take(self, rows: NDArray[Any] | slice) -> Events:
        """The events at *rows*: a mask, a slice, or ascending positions."""
        return Events(
            time=self.time[rows],
            status=None if self.status is None else self.status[rows],
            duration_s=None if self.duration_s is None else self.duration_s[rows],
            good=None if self.good is None else self.good[rows],
            labels={
                name: Labels(column.codes[rows], column.values)
                for name, column in self.labels.items()
            },
            values={name: column[rows] for name, column in self.values.items()},
            reading=self.reading,
        )

    def between(self, start: TimeLike, end: TimeLike) -> Events:
        """The events in (start, end]."""
        rows = np.searchsorted(self.time, [to_ns(start), to_ns(end)], side="right")
        return self.take(slice(int(rows[0]), int(rows[1])))

    def column(self, name: str) -> Any:
        """
        The column called *name*.

        Raises:
            InvalidSeriesError: There is no such column; the message names those that are.
        """
        if not isinstance(name, str):
            raise InvalidSeriesError(f"a column has a name, got {name!r}")
        if name in self.labels:
            return self.labels[name]
        if name in self.values:
            return self.values[name]
        if name in _OWN and getattr(self, name) is not None:
            return getattr(self, name)
        known = ("time", *self.columns)
        if name == "duration_s":
            raise InvalidSeriesError(
                "the events have no durations (duration_s); name their column, such as "
                f'columns={{"duration": ...}}; there are {", ".join(known)}'
            )
        raise InvalidSeriesError(
            f'events have no column "{name}"; there are {", ".join(known)}'
            f"{did_you_mean(name, known)}"
        )
