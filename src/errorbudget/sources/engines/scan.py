"""
One scan of a frame for all objectives, where the frame lives.

Conditions become the engine's own expressions, each event becomes a few zeros and ones, and a group
by minute and labels adds them up. What is written here once runs on pandas, polars, pyarrow,
DuckDB, Dask and PySpark; only sums come home.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import MINUTE_NS, DurationLike, format_duration, parse_duration
from errorbudget.errors import InvalidInputError, InvalidSeriesError
from errorbudget.sli import RatioSLI
from errorbudget.slo import SLO, as_slos
from errorbudget.sources.engines.columns import UNITS_NS, FrameColumns, Roles
from errorbudget.sources.engines.conditions import MOST_TEXTS, Compiler
from errorbudget.sources.engines.counted import Bins, Counted
from errorbudget.sources.engines.stamps import exact_times
from errorbudget.sources.engines.sums import EVENTS, Sums
from errorbudget.times import MAX_NS, MIN_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = [
    "count",
    "countable",
    "home",
    "labels_of",
    "names_of",
    "offender",
    "scan",
    "step_of",
]

_WRONG = "wrong"
_COUNTING = ("polars", "duckdb")
"""Engines that add up yes and no."""


def countable(slos: SLO | Iterable[SLO]) -> tuple[SLO, ...]:
    """
    The objectives, each of them a ratio.

    Raises:
        InvalidInputError: There are none, two share a name, or one is something else.
        InvalidSeriesError: One is a threshold, which counts cannot hold.
    """
    wanted = as_slos(slos)
    for slo in wanted:
        if not isinstance(slo.sli, RatioSLI):
            raise InvalidSeriesError(
                f'SLO "{slo.name}" ({slo.sli}) has no good and bad events to count'
            )
    return wanted


def step_of(every: DurationLike) -> int:
    """
    The length of a bin [ns].

    Raises:
        InvalidInputError: It is no multiple of a minute, the one grain that all engines have.
    """
    step = parse_duration(every)
    if step % MINUTE_NS:
        raise InvalidInputError(
            f"every must be a multiple of 1m, got {format_duration(step)}; for finer bins use "
            "slo.count(Events.from_frame(...))"
        )
    return step


def names_of(slos: Iterable[SLO], by: Iterable[str]) -> tuple[str, ...]:
    """What conditions and labels call the columns that they ask for, in order."""
    asked = {name for slo in slos for name in slo.sli.columns}
    return tuple(dict.fromkeys([*sorted(asked), *by]))


def count(
    frame: Any,
    slos: SLO | Iterable[SLO],
    every: DurationLike = "1m",
    by: Iterable[str] = (),
    *,
    time: str = "time",
    status: str = "status",
    duration: str = "duration_s",
    good: str = "good",
    columns: Mapping[str, str] | None = None,
    time_unit: str = "ns",
    duration_unit: str = "s",
) -> Counted:
    """
    Good and total events of every objective per bin, counted where the frame lives.

    The frame may be one of pandas, polars (eager or lazy), pyarrow, DuckDB, Dask or PySpark. Its
    engine does the work in one scan for all objectives; events never come here, bins do. The
    integers are those of `slo.count(Events.from_frame(...))`.

    Args:
        frame: The events.
        slos: Objectives on ratios.
        every: Length of a bin, a multiple of a minute.
        by: Labels to keep counts apart by.
        time: Column of the time: timestamps (without a zone they are UTC), or integers since the
            epoch in *time_unit*.
        status: Column of the HTTP status.
        duration: Column of the duration, in *duration_unit*.
        good: Column that says whether each event was good.
        columns: Further columns by the name that conditions have for them; by default they have
            one name.
        time_unit: Unit of integer times: "s", "ms", "us" or "ns".
        duration_unit: Unit of durations.

    Raises:
        InvalidSeriesError: There is no such column, it holds something else, a time is missing, or
            an objective is a threshold.
        InvalidInputError: *every* is no multiple of a minute, or an argument is out of range.

    Example:
        >>> import pandas as pd
        >>> from errorbudget import SLO, Availability
        >>> frame = pd.DataFrame(
        ...     {"ts": pd.to_datetime([60, 61, 62], unit="s", utc=True), "code": [200, 503, 200]}
        ... )
        >>> slo = SLO("api", target="99%", window="30d", sli=Availability())
        >>> counted = count(frame, [slo], time="ts", status="code")
        >>> counted["api"].good.tolist(), counted["api"].total.tolist()
        ([1, 1], [1, 2])
    """
    roles = Roles(time, status, duration, good, dict(columns or {}), time_unit, duration_unit)
    wanted = countable(slos)
    labels = labels_of(by)
    return scan(frame, wanted, labels, roles).coarser(step_of(every))


def labels_of(by: Iterable[str]) -> tuple[str, ...]:
    """
    The labels to keep counts apart by, each once.

    Raises:
        InvalidInputError: They are one text instead of a list.
    """
    if isinstance(by, str):
        raise InvalidInputError(f'by must be a list of labels; write ["{by}"]')
    return tuple(dict.fromkeys(by))


def scan(
    data: Any,
    slos: Sequence[SLO],
    by: Sequence[str],
    roles: Roles,
    *,
    source: str = "the frame",
) -> Counted:
    """
    The counts of one frame per minute.

    Args:
        data: The frame.
        slos: Objectives on ratios.
        by: Labels to keep counts apart by.
        roles: Which column is what.
        source: What to call the frame in messages.
    """
    import narwhals as nw

    try:
        frame = nw.from_native(data)
    except TypeError:
        raise InvalidSeriesError(
            f"{type(data).__name__} is not a dataframe; give one of pandas, polars, pyarrow, "
            "DuckDB, Dask or PySpark"
        ) from None
    engine = str(frame.implementation.value)
    frame, roles = exact_times(frame, engine, roles, source)
    columns = FrameColumns(dict(frame.collect_schema()), roles, source)
    notes: list[str] = []

    def distinct(name: str) -> list[str]:
        notes.append(f'label "{name}" was read a second time, for its distinct texts')
        texts = frame.select(columns.text(name).alias("text")).unique()
        return [str(text) for text in home(texts.head(MOST_TEXTS + 1))["text"].to_list()]

    sums = Sums(slos, Compiler(columns, engine, distinct))
    stamps = columns.time()
    keys = stamps | {f"label_{index}": columns.text(name) for index, name in enumerate(by)}
    flags = dict(sums.flags)
    if columns.checks:
        flags[_WRONG] = reduce(lambda left, right: left | right, columns.checks.values())
    if engine not in _COUNTING:
        flags = {name: truth.cast(nw.Int64) for name, truth in flags.items()}
    grouped = (
        frame.select(**keys, **flags)
        .group_by(*keys)
        .agg(nw.len().alias(EVENTS), *(nw.col(name).sum() for name in flags))
    )
    table = home(grouped)
    found = {
        name: np.asarray(table[name].cast(nw.Int64).to_numpy(), dtype=np.int64)
        for name in (EVENTS, *flags)
    }
    if columns.checks and found[_WRONG].any():
        raise offender(frame, columns, source)
    timeless = np.asarray(table[next(iter(stamps))].is_null().to_numpy(), dtype=bool)
    if timeless.any():
        raise InvalidSeriesError(
            f"{int(found[EVENTS][timeless].sum()):,} events of {source} have no "
            f'"{roles.time}"; give each its time, or leave them out'
        )
    start_ns, on = _minutes(table, roles.time_unit)
    groups, group = _groups(
        [table[f"label_{index}"].to_list() for index in range(len(by))], len(start_ns)
    )
    bins = Bins(start_ns, on, group, groups, *sums.counted(start_ns, found))
    return Counted(
        tuple(slos), tuple(by), MINUTE_NS, Bins.added([bins], MINUTE_NS), engine, tuple(notes)
    )


def home(frame: Any) -> Any:
    """The rows of a frame here, gathered without holding its events; an eager one's are here."""
    import narwhals as nw

    if not isinstance(frame, nw.LazyFrame):
        return frame
    if frame.implementation.is_polars():
        return frame.collect(engine="streaming")
    return frame.collect()


def offender(frame: Any, columns: FrameColumns, source: str) -> InvalidSeriesError:
    """The error of the first column that holds a value out of range, one of them in it."""
    import narwhals as nw

    values = {
        column: home(frame.filter(check).select(nw.col(column)).head(1))[column].to_list()
        for column, check in columns.checks.items()
    }
    column, value = next((name, found[0]) for name, found in values.items() if found)
    return InvalidSeriesError(
        f'column "{column}" of {source} holds {value!r}; a status is 0 or 100 to 599, a duration '
        "finite and not negative, another number finite, a yes or no never missing"
    )


def _minutes(table: Any, unit: str) -> tuple[Integers, NDArray[np.bool_]]:
    """Minutes as they came home [ns UTC], and which rows hold the events at their very start."""
    if "instant" not in table.columns:
        on = np.asarray(table["on_start"].to_numpy()) == 1
        return _nanoseconds(table["minute"], unit), on
    instant = np.asarray(table["instant"].to_numpy(), dtype=np.int64)
    start = instant // (MINUTE_NS // UNITS_NS[unit]) * (MINUTE_NS // UNITS_NS[unit])
    return _in_range(start, unit), instant == start


def _nanoseconds(minutes: Any, unit: str) -> Integers:
    """Minutes as they came home, in nanoseconds UTC."""
    import narwhals as nw

    if minutes.dtype == nw.Datetime:
        if minutes.dtype.time_zone is not None:
            minutes = minutes.dt.convert_time_zone("UTC")
        minutes, unit = minutes.dt.timestamp("us"), "us"
    return _in_range(np.asarray(minutes.to_numpy(), dtype=np.int64), unit)


def _in_range(found: Integers, unit: str) -> Integers:
    scale = UNITS_NS[unit]
    if len(found) and not MIN_NS // scale <= found.min() <= found.max() <= MAX_NS // scale:
        raise InvalidSeriesError(
            "time must lie in the years 1678 to 2262; check the column, and time_unit where it "
            "holds integers"
        )
    return found * scale


def _groups(
    columns: Sequence[list[Any]], rows: int
) -> tuple[tuple[tuple[str, ...], ...], Integers]:
    """The combinations of labels, and which of them each row has."""
    if not columns:
        return ((),) if rows else (), np.zeros(rows, dtype=np.int64)
    places: dict[tuple[str, ...], int] = {}
    group = np.fromiter(
        (places.setdefault(texts, len(places)) for texts in zip(*columns, strict=True)),
        dtype=np.int64,
        count=rows,
    )
    return tuple(places), group
