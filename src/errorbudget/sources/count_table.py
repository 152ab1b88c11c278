"""Tables of counts: a row for each bin with its end and two of good, bad and total."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errorbudget.durations import format_duration
from errorbudget.errors import InvalidInputError, InvalidSeriesError, SourceFormatError
from errorbudget.events import Events
from errorbudget.series import CountSeries
from errorbudget.sources.columns import unit_argument
from errorbudget.sources.formats import format_argument
from errorbudget.sources.options import Options
from errorbudget.sources.read import Source, assembled, sources_of
from errorbudget.sources.stamps import zone_of
from errorbudget.times import TimeLike, format_time

__all__ = ["CountTable", "read_count_table"]


class CountTable(NamedTuple):
    """
    Counts that files hold.

    Attributes:
        series: The counts.
        notes: What a person should be told about the reading.
    """

    series: CountSeries
    notes: tuple[str, ...]


def read_count_table(
    source: Source | Iterable[Source],
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    zone: str | dt.tzinfo | None = None,
    now: TimeLike | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> CountTable:
    r"""
    The counts of one objective that CSV, JSON lines or Parquet hold, as `simulate` writes them.

    A row is a bin, (time - step, time], with two of the columns good, bad and total. The step is
    the smallest distance of two rows; a bin without a row had no requests. Several files are
    several parts of one service, and add up.

    Args:
        source: A path, an open binary file, or several of them.
        format: As in `read_events`.
        columns: The column of times, as `{"time": "minute"}`.
        time_unit: Unit of numeric times; by default as in `read_events`.
        zone: Zone of written times that name none.
        now: Bins that end after this instant are left out, which is noted.
        progress: Called with the bytes read of a file and of all of it (None when unknown).

    Raises:
        SourceUnavailableError: A file cannot be read.
        SourceFormatError: A file is no table of counts, or a row is bad: nothing is skipped here.
        NoDataError: There are no rows.
        InvalidSeriesError: Bins of several files differ in length.

    Time: O(bytes); memory: O(rows).

    Example:
        >>> import io
        >>> text = b"time,good,total\n2026-03-01T00:01:00Z,58,60\n2026-03-01T00:02:00Z,60,60\n"
        >>> read_count_table(io.BytesIO(text)).series
        CountSeries(2 bins of 1m, 2026-03-01T00:00:00Z to 2026-03-01T00:02:00Z)
    """
    for role in columns or {}:
        if role != "time":
            raise InvalidInputError(
                f'of a table of counts only the column "time" can be named, not "{role}"; the '
                "others are called good, bad and total"
            )
    options = Options(
        columns=dict(columns or {}),
        time_unit=unit_argument("time_unit", time_unit),
        zone=None if zone is None else zone_of(zone),
        labels=(),
        counts=True,
    )
    kind = format_argument(format)
    parts: list[CountSeries] = []
    notes: list[str] = []
    for one in sources_of(source):
        assembly = assembled([one], kind, options, now=now, progress=progress)
        reading = assembly.reading()
        name = reading.files[0].file
        if reading.skipped:
            bad = reading.samples[0]
            raise SourceFormatError(
                f'{name}, line {bad.line}: {bad.why}: "{bad.text}"; counts are read whole or not '
                "at all",
                line=bad.line,
            )
        series = _series(assembly.events(), name)
        if parts and series.step_ns != parts[0].step_ns:
            raise InvalidSeriesError(
                f"{name} has bins of {format_duration(series.step_ns)}, and those before it of "
                f"{format_duration(parts[0].step_ns)}; bins of one length add up"
            )
        parts.append(series)
        notes.extend(reading.sentences())
    return CountTable(CountSeries.merge(parts), tuple(notes))


def _series(rows: Events, name: str) -> CountSeries:
    """The rows of one file as bins."""
    time = rows.time
    columns = {key.removesuffix(" count"): values for key, values in rows.values.items()}
    for column, values in columns.items():
        wrong = ~((values >= 0) & (values < 2**53) & (values % 1 == 0))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise SourceFormatError(
                f"{name}: {column} must be a whole number from 0, below 2**53, got {values[row]} "
                f"at {format_time(int(time[row]))}"
            )
    total = columns["total"] if "total" in columns else columns["good"] + columns["bad"]
    good = columns["good"] if "good" in columns else total - columns["bad"]
    wrong = (good > total) | (good < 0)
    if len(columns) > 2:
        wrong |= good + columns["bad"] != total
    if wrong.any():
        row = int(np.argmax(wrong))
        got = ", ".join(f"{column} {values[row]:.0f}" for column, values in columns.items())
        raise SourceFormatError(
            f"{name}: good and bad must add up to total, got {got} at {format_time(int(time[row]))}"
        )
    try:
        return CountSeries(time, good, total, _step(time, name))
    except InvalidSeriesError as error:
        raise SourceFormatError(f"{name}: {error}") from error


def _step(time: NDArray[np.int64], name: str) -> int:
    """The length of the bins that end at *time*."""
    if len(time) < 2:
        raise SourceFormatError(f"{name} has a single row, which does not say how long a bin is")
    distances = np.diff(time)
    step = int(distances.min())
    if not step:
        twice = int(time[int(np.argmin(distances))])
        raise SourceFormatError(
            f"{name} has two rows for {format_time(twice)}; add up what belongs to one bin"
        )
    odd = (distances % step != 0) | (time[1:] % step != 0)
    if odd.any():
        row = int(np.argmax(odd))
        raise SourceFormatError(
            f"{name}: bins of {format_duration(step)}, the smallest distance of two rows, must end "
            f"on multiples of it, but one ends at {format_time(int(time[row + 1]))}; write a row "
            "for every bin"
        )
    return step
