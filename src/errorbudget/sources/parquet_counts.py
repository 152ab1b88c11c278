"""
Counts per bin of Parquet files that are larger than memory; needs the extra `parquet`.

Row groups are decoded, two at a time, while the one before them is counted. Where its instants
ascend, as in most logs, its counts are those at the few edges it spans. What is kept is a pair of
counts per bin.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice, repeat
from os import PathLike, fspath
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from errorbudget.durations import DurationLike, format_duration, parse_duration
from errorbudget.errors import (
    InvalidInputError,
    InvalidSeriesError,
    MissingDependencyError,
    NoDataError,
    SourceFormatError,
    SourceUnavailableError,
    did_you_mean,
)
from errorbudget.kernels.arrays import check_closed, descends_at, flags_column
from errorbudget.kernels.grid import grid_counts
from errorbudget.rolling import Closed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Path = str | PathLike[str]

__all__ = ["MOST_BINS", "ParquetCounts", "parquet_counts"]

MOST_BINS = 50_000_000
"""Bins that are kept at most, 95 years of minutes: more is a column that holds no instants."""

DECODERS = 2
"""Row groups that are decoded at a time: to decode takes thrice as long as to count."""


@dataclass(frozen=True, slots=True, eq=False)
class ParquetCounts:
    """
    Counts per bin, without gaps from the first bin with an event to the last.

    Args:
        label_ns: The instant that names each bin [ns], shape (n,): its end for `closed="right"`,
            its start for `closed="left"`.
        good: Good events per bin, shape (n,).
        total: All events per bin, shape (n,).
        left_out: Rows that lack the instant or a value that *good* needs.
    """

    label_ns: NDArray[np.int64]
    good: NDArray[np.int64]
    total: NDArray[np.int64]
    left_out: int


class _Bins:
    """Counts by number of the bin, in arrays that grow at either end."""

    def __init__(self, step: int, closed: Closed) -> None:
        self.step, self.closed = step, closed
        self.first = 0
        self.counts = np.zeros((2, 0), dtype=np.int64)

    def number(self, time: ArrayLike) -> Any:
        """(label - step, label] has the number label / step; [label, label + step) too."""
        stamps = np.asarray(time, dtype=np.int64)
        return -(-stamps // self.step) if self.closed == "right" else stamps // self.step

    def reach(self, first: int, last: int) -> NDArray[np.int64]:
        """The counts of the bins *first* to *last*, made if need be."""
        if not self.counts.size:
            self.first = first
        end = max(self.first + self.counts.shape[1], last + 1)
        begin = min(self.first, first)
        if end - begin > MOST_BINS:
            raise InvalidSeriesError(
                f"instants span more than {MOST_BINS} bins of {format_duration(self.step)}; "
                "take a longer step, and make sure that the time column holds instants"
            )
        if end - begin > self.counts.shape[1]:
            grown = np.zeros((2, end - begin), dtype=np.int64)
            place = self.first - begin
            grown[:, place : place + self.counts.shape[1]] = self.counts
            self.first, self.counts = begin, grown
        return self.counts[:, first - self.first : last - self.first + 1]

    def add(self, time: NDArray[np.int64], good: NDArray[np.bool_]) -> None:
        if not len(time):
            return
        if descends_at(time) is None:
            first, last = self.number(time[[0, -1]]).tolist()
            bins = self.reach(first, last)
            ends = (np.arange(first, last + 1) + (self.closed == "left")) * self.step
            good_cum, total_cum = grid_counts(time, good, ends, closed=self.closed)
            bins[0] += np.diff(good_cum, prepend=0)
            bins[1] += np.diff(total_cum, prepend=0)
            return
        numbers = self.number(time)
        first, last = int(numbers.min()), int(numbers.max())
        bins = self.reach(first, last)
        numbers -= first
        bins[0] += np.bincount(numbers[good], minlength=last - first + 1)
        bins[1] += np.bincount(numbers, minlength=last - first + 1)


def _decodings(
    paths: Sequence[str], columns: Sequence[str], rows: int
) -> Iterator[Callable[[], Any]]:
    """What decodes the next rows, *rows* at most, about: a row group or a part of a larger one."""
    from pyarrow import parquet

    for path in paths:
        file = parquet.ParquetFile(path)
        known = list(file.schema_arrow.names)
        for column in columns:
            if column not in known:
                raise InvalidInputError(
                    f'{path} has no column "{column}", only {", ".join(known)}'
                    f"{did_you_mean(column, known)}"
                )
        for group in range(file.num_row_groups):
            held = file.metadata.row_group(group).num_rows
            if held <= rows:
                # A reader of its own: one reader serves one thread.
                yield partial(_decode, path, file.metadata, group, columns)
            else:
                batches = file.iter_batches(rows, row_groups=[group], columns=columns)
                one_by_one = partial(_next, batches, Lock())
                yield from repeat(one_by_one, -(-held // rows))


def _decode(path: str, metadata: Any, group: int, columns: Sequence[str]) -> Any:
    from pyarrow import parquet

    with parquet.ParquetFile(path, metadata=metadata) as file:
        return file.read_row_group(group, columns=columns, use_threads=False)


def _next(batches: Iterator[Any], alone: Lock) -> Any:
    with alone:
        return next(batches, None)


def _ahead(decodings: Iterator[Callable[[], Any]]) -> Iterator[Any]:
    """The rows of each, in order; the next ones are decoded while a part is worked on."""
    with ThreadPoolExecutor(DECODERS) as pool:
        coming = deque(pool.submit(decode) for decode in islice(decodings, DECODERS))
        while coming:
            part = coming.popleft().result()
            coming.extend(pool.submit(decode) for decode in islice(decodings, 1))
            if part is not None:
                yield part


def _instants(column: Any) -> NDArray[np.int64]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.unit != "ns":
            column = column.cast(pa.timestamp("ns", kind.tz))  # refuses what lies out of range
        column = (
            column.view(pa.int64()) if isinstance(column, pa.Array) else column.cast(pa.int64())
        )
    elif not pa.types.is_integer(kind):
        raise InvalidInputError(f"the time column must be timestamps or integer ns, got {kind}")
    return np.asarray(column.to_numpy(), dtype=np.int64)


def parquet_counts(
    paths: Path | Sequence[Path],
    step: DurationLike,
    good: Callable[[Mapping[str, NDArray[Any]]], ArrayLike],
    *,
    columns: Sequence[str],
    time: str = "time",
    closed: Closed = "right",
    batch_rows: int = 1 << 20,
) -> ParquetCounts:
    """
    Good and all events per bin of one or more Parquet files, read in parts.

    Args:
        paths: A file, or several of one kind.
        step: Length of a bin, such as `"1m"`; bins begin at multiples of it since 1970 UTC.
        good: Given the *columns* of some rows as arrays by name, whether each row is a good event;
            every row without a gap in them is a valid event.
        columns: The columns that *good* looks at.
        time: The column of instants: timestamps, or integers in ns; without a zone it is UTC.
        closed: `"right"`: a bin is (label - step, label]; `"left"`: [label, label + step).
        batch_rows: Rows that are held at a time, at most, about.

    Returns:
        Labels, good and total per bin; rows without an instant or a value are left out and counted.

    Raises:
        MissingDependencyError: pyarrow is not installed.
        SourceUnavailableError: A file cannot be opened.
        SourceFormatError: A file is damaged, or holds instants out of range.
        InvalidInputError: A column is missing, or of the wrong kind.
        NoDataError: There is not one event.

    Time: O(rows); memory: O(bins + batch_rows).

    Example:
        >>> counts = parquet_counts(  # doctest: +SKIP
        ...     "events.parquet", "1m", lambda row: row["status"] < 500, columns=["status"]
        ... )
    """
    check_closed(closed)
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingDependencyError.for_extra(
            "counting Parquet files", "pyarrow", "parquet"
        ) from None
    files = [fspath(paths)] if isinstance(paths, (str, PathLike)) else [fspath(p) for p in paths]
    bins, left_out = _Bins(parse_duration(step), closed), 0
    try:
        for part in _ahead(_decodings(files, [*dict.fromkeys([time, *columns])], batch_rows)):
            whole = part
            if any(column.null_count for column in part.columns):
                whole = (part if isinstance(part, pa.Table) else pa.table(part)).drop_null()
                left_out += part.num_rows - whole.num_rows
            found = {name: whole.column(name).to_numpy() for name in columns}
            stamps = _instants(whole.column(time))
            bins.add(stamps, flags_column(good(found), len(stamps)))
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise SourceUnavailableError(
            f"cannot open {error.filename or files}: {error.strerror}"
        ) from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise SourceFormatError(f"a damaged Parquet file: {first}") from error
    if not bins.counts.size:
        raise NoDataError(f"no events in {', '.join(files)}")
    fine, total = bins.counts
    return ParquetCounts(
        label_ns=(bins.first + np.arange(len(total))) * bins.step,
        good=fine,
        total=total,
        left_out=left_out,
    )
