"""
Request events as columns, and the answers they give.

One row is one request. Columns are numpy arrays of one length; labels are codes into a short
list of texts, so that a predicate is evaluated once per text instead of once per event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidSeriesError, InvalidTimeError, did_you_mean
from errorbudget.times import TimeLike, format_time, to_ns

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
        codes = np.asarray(self.codes)
        if codes.ndim != 1 or codes.dtype.kind not in "iu":
            raise InvalidSeriesError("label codes must be a one-dimensional array of integers")
        if len(codes) and not -1 <= int(codes.min()) <= int(codes.max()) < len(self.values):
            wrong = int(np.flatnonzero((codes < -1) | (codes >= len(self.values)))[0])
            raise InvalidSeriesError(
                f"label code {codes[wrong]} at index {wrong} has no value", index=wrong
            )
        object.__setattr__(self, "codes", codes.astype(np.int32, copy=False))
        object.__setattr__(self, "values", tuple(str(value) for value in self.values))

    @classmethod
    def encode(cls, texts: ArrayLike) -> Labels:
        """Labels of plain texts, one per event; None and NaN mean "no such label"."""
        column = np.asarray(texts, dtype=object)
        if column.ndim != 1:
            raise InvalidSeriesError(f"a label column must have one dimension, got {column.ndim}")
        positions: dict[str, int] = {}
        codes = np.fromiter(
            (
                -1
                if text is None or text != text
                else positions.setdefault(_text(text), len(positions))
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


def _text(value: object) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return str(value)


def _times(time: ArrayLike) -> NDArray[np.int64]:
    column = np.asarray(time)
    if column.ndim != 1:
        raise InvalidSeriesError(f"time must have one dimension, got {column.ndim}")
    if column.dtype.kind == "M":
        missing = np.isnat(column)
        if missing.any():
            index = int(np.argmax(missing))
            raise InvalidSeriesError(f"time at index {index} is missing (NaT)", index=index)
        scaled = column.astype("datetime64[ns]")
        if np.any(scaled.astype(column.dtype) != column):
            raise InvalidSeriesError("time lies outside the years 1678 to 2262")
        return scaled.view(np.int64)
    if column.dtype.kind in "iu":
        if column.dtype.kind == "u" and len(column) and int(column.max()) > 2**63 - 1:
            raise InvalidSeriesError("time lies outside the years 1678 to 2262")
        return column.astype(np.int64, copy=False)
    if column.dtype.kind == "f":
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


def _status(status: ArrayLike) -> NDArray[np.int16]:
    column = np.asarray(status)
    if column.ndim != 1:
        raise InvalidSeriesError(f"status must have one dimension, got {column.ndim}")
    if column.dtype.kind in "OUS":
        try:
            column = np.asarray(
                [
                    0 if value is None or value != value or value == "" else int(value)
                    for value in column.tolist()
                ],
                dtype=np.int64,
            )
        except (TypeError, ValueError) as error:
            raise InvalidSeriesError(f"status must be integers such as 200: {error}") from None
    if column.dtype.kind == "f":
        column = np.where(np.isnan(column), 0, column)
        odd = column != np.floor(column)
        if odd.any():
            index = int(np.argmax(odd))
            raise InvalidSeriesError(
                f"status must be whole numbers such as 200, got {column[index]} at index {index}",
                index=index,
            )
    elif column.dtype.kind not in "iu":
        raise InvalidSeriesError(f"status must be integers such as 200, got {column.dtype}")
    wrong = (column != 0) & ((column < 100) | (column > 599))
    if wrong.any():
        index = int(np.argmax(wrong))
        raise InvalidSeriesError(
            f"status must lie in 100 to 599 (0 means missing), got {column[index]} "
            f"at index {index}",
            index=index,
        )
    return column.astype(np.int16)


def _numbers(name: str, values: ArrayLike, *, negative: bool) -> NDArray[np.float64]:
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidSeriesError(f"{name} must be numbers: {error}") from None
    if column.ndim != 1:
        raise InvalidSeriesError(f"{name} must have one dimension, got {column.ndim}")
    wrong = np.isinf(column) if negative else np.isinf(column) | (column < 0)
    if wrong.any():
        index = int(np.argmax(wrong))
        fits = "finite" if negative else "finite and not negative"
        raise InvalidSeriesError(
            f"{name} must be {fits} (NaN means missing), got {column[index]} at index {index}",
            index=index,
        )
    return column


def _flags(good: ArrayLike) -> NDArray[np.bool_]:
    column = np.asarray(good)
    if column.ndim != 1:
        raise InvalidSeriesError(f"good must have one dimension, got {column.ndim}")
    if column.dtype.kind == "b":
        return column
    if column.dtype.kind in "iu" and (not len(column) or (column.min() >= 0 and column.max() <= 1)):
        return column.astype(np.bool_)
    raise InvalidSeriesError(f"good must be true or false for every event, got {column.dtype}")


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
            for name, column in self.labels.items()
        }
        values = {
            name: _numbers(name, column, negative=True) for name, column in self.values.items()
        }
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

        Only the named columns are read; a lazy frame is collected for them alone.

        Args:
            data: The frame.
            time: Column of the time: timestamps (without a zone they are UTC), text with a zone, or
                integers since the epoch in *time_unit*.
            status: Column of the HTTP status.
            duration: Column of the duration, in *duration_unit*.
            good: Column that says whether each event was good.
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
        if name in self.labels:
            return self.labels[name]
        if name in self.values:
            return self.values[name]
        if name in ("time", "status", "duration_s", "good") and getattr(self, name) is not None:
            return getattr(self, name)
        known = ("time", *self.columns)
        raise InvalidSeriesError(
            f'events have no column "{name}"; there are {", ".join(known)}'
            f"{did_you_mean(name, known)}"
        )
