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
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from os import PathLike, fspath, strerror
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
from errorbudget.kernels.arrays import descends_at, flags_column, time_column
from errorbudget.kernels.grid import grid_counts
from errorbudget.rolling import Closed, check_closed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Path = str | PathLike[str]

__all__ = ["MOST_BINS", "ParquetCounts", "parquet_counts"]

MOST_BINS = 50_000_000
"""Bins that are kept at most, 95 years of minutes: more is a column that holds no instants."""

DECODERS = 2
"""Row groups that are decoded at a time: to decode takes thrice as long as to count."""


_EARLIEST, _LATEST = -(2**63), 2**63 - 1


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

    def number(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """(label - step, label] has the number label / step; [label, label + step) too."""
        return -(-time // self.step) if self.closed == "right" else time // self.step

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
        ascending = descends_at(time) is None
        ends = time[[0, -1]] if ascending else np.array([time.min(), time.max()])
        if not _EARLIEST + self.step < ends[0] <= ends[1] < _LATEST - self.step:
            raise InvalidSeriesError(
                "the time column holds instants at the very ends of the years 1678 to 2262"
            )
        first, last = self.number(ends).tolist()
        bins = self.reach(first, last)
        if ascending:
            edges = (np.arange(first, last + 1) + (self.closed == "left")) * self.step
            good_cum, total_cum = grid_counts(time, good, edges, closed=self.closed)
            bins[0] += np.diff(good_cum, prepend=0)
            bins[1] += np.diff(total_cum, prepend=0)
            return
        numbers = self.number(time)
        numbers -= first
        bins[0] += np.bincount(numbers[good], minlength=last - first + 1)
        bins[1] += np.bincount(numbers, minlength=last - first + 1)


@contextmanager
def _named(path: str) -> Iterator[None]:
    """What goes wrong with the file inside, as an error that names it."""
    import pyarrow as pa

    try:
        yield
    except (FileNotFoundError, PermissionError) as error:
        reason = strerror(error.errno) if error.errno else error
        raise SourceUnavailableError(f"cannot open {path}: {reason}") from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        first = (str(error).splitlines() or [""])[0]
        raise SourceFormatError(f"{path} is a damaged Parquet file: {first}") from error


def _decodings(
    paths: Sequence[str], columns: Sequence[str], rows: int
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """
    Files, and what decodes the next rows of each, *rows* at most, about.

    That is a row group, or a part of a larger one.
    """
    from pyarrow import parquet

    for path in paths:
        with _named(path):
            file = parquet.ParquetFile(path)
        known = list(file.schema_arrow.names)
        for column in columns:
            if known.count(column) > 1:
                raise InvalidInputError(f'{path} has more than one column "{column}"')
            if column not in known:
                raise InvalidInputError(
                    f'{path} has no column "{column}", only {", ".join(known)}'
                    f"{did_you_mean(column, known)}"
                )
        for group in range(file.num_row_groups):
            if file.metadata.row_group(group).num_rows <= rows:
                # A reader of its own: one reader serves one thread.
                yield path, partial(_decode, path, file.metadata, group, columns)
            else:
                parts = _Parts(file.iter_batches(rows, row_groups=[group], columns=columns))
                while not parts.ended:
                    yield path, parts.decode


def _decode(path: str, metadata: Any, group: int, columns: Sequence[str]) -> Any:
    from pyarrow import parquet

    with parquet.ParquetFile(path, metadata=metadata) as file:
        return file.read_row_group(group, columns=columns, use_threads=False)


class _Parts:
    """The parts of one row group, decoded one at a time."""

    def __init__(self, batches: Iterator[Any]) -> None:
        self.ended = False
        self._batches, self._alone = batches, Lock()

    def decode(self) -> Any:
        """The next part; None behind the last one, as the next may be asked for too early."""
        import pyarrow as pa

        with self._alone:
            batch = next(self._batches, None)
            self.ended = batch is None
        return None if batch is None else pa.Table.from_batches([batch])


def _ahead(decodings: Iterator[tuple[str, Callable[[], Any]]]) -> Iterator[tuple[str, Any]]:
    """Each file's rows as tables, in order; the next ones are decoded while one is worked on."""
    with ThreadPoolExecutor(DECODERS) as pool:
        coming = deque((path, pool.submit(decode)) for path, decode in islice(decodings, DECODERS))
        while coming:
            path, decoded = coming.popleft()
            with _named(path):
                table = decoded.result()
            coming.extend((path, pool.submit(decode)) for path, decode in islice(decodings, 1))
            if table is not None:
                yield path, table


def _instants(column: Any, name: str) -> NDArray[np.int64]:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        try:
            column = column.cast(pa.timestamp("ns", kind.tz)).cast(pa.int64())
        except pa.ArrowInvalid:
            raise InvalidSeriesError(f"{name} lies outside the years 1678 to 2262") from None
    elif not pa.types.is_integer(kind):
        raise InvalidInputError(f"{name} must be timestamps or integer ns, got {kind}")
    return time_column(column.to_numpy(), name)


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
        SourceFormatError: A file is damaged.
        InvalidInputError: A column is missing, there twice, or of the wrong kind.
        InvalidSeriesError: Instants span too many bins, or lie out of range.
        NoDataError: There is not one event.

    Time: O(rows); memory: O(bins + batch_rows).

    Example:
        >>> counts = parquet_counts(  # doctest: +SKIP
        ...     "events.parquet", "1m", lambda row: row["status"] < 500, columns=["status"]
        ... )
    """
    check_closed(closed)
    try:
        import pyarrow as pa  # noqa: F401
    except ImportError:
        raise MissingDependencyError.for_extra(
            "counting Parquet files", "pyarrow", "parquet"
        ) from None
    if batch_rows < 1:
        raise InvalidInputError(f"batch_rows must be at least 1, got {batch_rows}")
    files = [fspath(paths)] if isinstance(paths, (str, PathLike)) else [fspath(p) for p in paths]
    bins, left_out = _Bins(parse_duration(step), closed), 0
    for path, table in _ahead(_decodings(files, [*dict.fromkeys([time, *columns])], batch_rows)):
        whole = table
        if any(column.null_count for column in table.columns):
            whole = table.drop_null()
            left_out += table.num_rows - whole.num_rows
        stamps = _instants(whole.column(time), f'column "{time}" of {path}')
        found = {name: whole.column(name).to_numpy() for name in columns}
        bins.add(stamps, flags_column(good(found), len(stamps)))
    if not bins.counts.size:
        raise NoDataError(f"no events in {', '.join(files)}")
    fine, total = bins.counts
    return ParquetCounts(
        label_ns=(bins.first + np.arange(len(total))) * bins.step,
        good=fine,
        total=total,
        left_out=left_out,
    )
