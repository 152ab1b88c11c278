"""Requests, one a row, and the answers that they give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.errors import InvalidSeriesError, did_you_mean
from errorbudget.events.columns import OWN, flags, named_columns, numbers, statuses, times
from errorbudget.events.labels import Labels
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

__all__ = ["Events"]


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
        columns: dict[str, Any] = {"time": times(self.time)}
        if self.status is not None:
            columns["status"] = statuses(self.status)
        if self.duration_s is not None:
            columns["duration_s"] = numbers("duration_s", self.duration_s, negative=False)
        if self.good is not None:
            columns["good"] = flags(self.good)
        labels = {
            name: column if isinstance(column, Labels) else Labels.encode(column)
            for name, column in named_columns("labels", self.labels).items()
        }
        values = {
            name: numbers(name, column, negative=True)
            for name, column in named_columns("values", self.values).items()
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
        if name in OWN and getattr(self, name) is not None:
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
