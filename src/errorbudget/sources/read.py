"""The door for request logs: any number of files in, one `Events` out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Literal, cast

from errorbudget.errors import InvalidInputError, NoDataError, SourceFormatError
from errorbudget.events import Events
from errorbudget.sources.batches import Assembly, Batch, FileFacts
from errorbudget.sources.blocks import blocks
from errorbudget.sources.columns import unit_argument, unknown_column
from errorbudget.sources.delimited import DELIMITERS, delimited_batches
from errorbudget.sources.files import (
    BrokenDataError,
    ByteStream,
    PathLike,
    Progress,
    open_bytes,
)
from errorbudget.sources.formats import Found, find_format, format_argument
from errorbudget.sources.json_lines import json_batches
from errorbudget.sources.logs.block import LogReader
from errorbudget.sources.logs.layout import find_layout
from errorbudget.sources.options import Options
from errorbudget.sources.parquet import parquet_batches
from errorbudget.sources.requests import REQUEST_LABELS
from errorbudget.sources.stamps import zone_of
from errorbudget.times import TimeLike, to_ns

__all__ = ["Source", "assembled", "read_events", "sources_of"]

Source = PathLike | IO[bytes]

_LOG_LABELS = (*REQUEST_LABELS, "host")
_LOG_USUAL = ("method", "route", "host")


def read_events(
    source: Source | Iterable[Source],
    *,
    format: str = "auto",
    errors: Literal["skip", "raise"] = "skip",
    columns: Mapping[str, str] | None = None,
    time_unit: str | None = None,
    duration_unit: str | None = None,
    zone: str | dt.tzinfo | None = None,
    labels: Iterable[str] | None = None,
    values: Iterable[str] = (),
    now: TimeLike | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> Events:
    """
    The requests that files hold.

    Reads access logs (common and combined, with a virtual host in front and a duration behind),
    JSON lines, CSV/TSV with a header and Parquet, each also packed by gzip, bzip2 or xz, and by
    zstd from Python 3.14 on. The format is told by the content of each file, never by its name.
    Equal lines are equal requests: nothing is removed.

    Args:
        source: A path, an open binary file, or several of them.
        format: "auto", or what the files must be: "log", "json", "csv", "parquet".
        errors: "skip" leaves bad lines out, counts them and keeps some in `events.reading`;
            "raise" refuses at the first.
        columns: Names of columns by role: time, status, duration, good, method, route, target,
            host, proto, request. In a log only the duration can be named, by its key (`rt`) or
            its place behind the bytes ("1").
        time_unit: Unit of numeric times: "s", "ms", "us" or "ns". Without it the column's name
            says it, or the size of the numbers.
        duration_unit: Unit of numeric durations, the same. Without it the column's name says it;
            a decimal point means seconds; in a log a whole number means microseconds.
        zone: Time zone of written times that name none: "UTC", "Europe/Berlin", "+02:00". Typed
            timestamps in Parquet without a zone are UTC.
        labels: Labels to keep, of method, route, host, proto and any column; by default the
            usual ones that exist. A route is the path without its query string.
        values: Further numeric columns to keep; in a log "bytes".
        now: Events after this instant are left out and counted; without it there is no limit.
        progress: Called with the bytes read so far and in all (None when unknown).

    Returns:
        Events sorted by time (stably), with the report of the reading as `.reading`.

    Raises:
        SourceUnavailableError: A file is missing, a directory, or may not be read.
        SourceFormatError: A file is in no known format, damaged, without a single good line,
            or has a bad line and *errors* is "raise" (`.line`); a table of counts instead
            of requests.
        NoDataError: There are no requests in the files.
        InvalidTimeError: Times have no zone and none was given.
        InvalidInputError: An argument or a named column does not exist.
        MissingDependencyError: Parquet without pyarrow.

    Time: O(bytes); memory: O(events), and some blocks of 1 MiB.

    Example:
        >>> import io
        >>> line = b'192.0.2.1 - - [01/Mar/2026:12:00:00 +0000] "GET /cart?item=7 HTTP/1.1" 200 5'
        >>> events = read_events(io.BytesIO(line))
        >>> events.status.tolist(), events.labels["route"].decode()
        ([200], ['/cart'])
    """
    if not isinstance(errors, str) or errors not in ("skip", "raise"):
        raise InvalidInputError(f'errors must be "skip" or "raise", got {errors!r}')
    options = Options(
        strict=errors == "raise",
        columns=dict(columns or {}),
        time_unit=unit_argument("time_unit", time_unit),
        duration_unit=unit_argument("duration_unit", duration_unit),
        zone=None if zone is None else zone_of(zone),
        labels=None if labels is None else _names("labels", labels),
        values=_names("values", values),
    )
    assembly = assembled(
        sources_of(source), format_argument(format), options, now=now, progress=progress
    )
    return assembly.events()


def assembled(
    sources: Sequence[Source],
    kind: str | None,
    options: Options,
    *,
    now: TimeLike | None,
    progress: Progress | None,
) -> Assembly:
    """
    All rows of *sources*, with the books about them; the rest as in `read_events`.

    Raises:
        NoDataError: There are none.
    """
    assembly = Assembly(strict=options.strict, now=None if now is None else to_ns(now))
    meter = _Meter(progress, sources)
    empty: NoDataError | None = None
    for each in sources:
        raw, name, size = open_bytes(each)
        try:
            stream = ByteStream(raw, name, size)
            _read_file(stream, kind, options, assembly, meter)
            meter.close(stream)
        except NoDataError as error:
            if len(sources) == 1:
                raise
            empty = error  # a log that was just rotated
        finally:
            if raw is not each:
                raw.close()
    if not assembly.reading().events:
        raise _nothing(assembly, empty)
    return assembly


def _names(argument: str, names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        raise InvalidInputError(f'{argument} must be a list of names; write ["{names}"]')
    return tuple(dict.fromkeys(names))


def sources_of(source: Source | Iterable[Source]) -> list[Source]:
    """*source* as a list of files, patterns such as `logs/*.log` replaced by what they name."""
    if isinstance(source, (str, os.PathLike)):
        return _globbed(source)
    if hasattr(source, "read"):
        return [cast("IO[bytes]", source)]
    if isinstance(source, (bytes, bytearray)) or not isinstance(source, Iterable):
        open_bytes(source)  # says what fits
    listed = [each for one in source for each in sources_of(one)]
    _refuse_twice(listed)
    if not listed:
        raise InvalidInputError("no files were given; give a path or several")
    return listed


def _refuse_twice(sources: Iterable[Source]) -> None:
    """A file given twice would count every one of its events twice."""
    seen: set[tuple[int, int]] = set()
    for source in sources:
        if isinstance(source, (str, os.PathLike)) and Path(os.fsdecode(source)).is_file():
            found = Path(os.fsdecode(source)).stat()
            if (found.st_dev, found.st_ino) in seen:
                raise InvalidInputError(
                    f"{os.fsdecode(source)} is given twice; its events would count twice"
                )
            seen.add((found.st_dev, found.st_ino))


def _globbed(path: PathLike) -> list[Source]:
    """The files that a pattern such as `logs/*.log` names, or the path as it is."""
    import glob

    text = os.fspath(path)
    if isinstance(text, str) and glob.has_magic(text) and not Path(text).exists():
        return list[Source](sorted(glob.glob(text))) or [path]  # noqa: PTH207 - any folder
    return [path]


def _nothing(assembly: Assembly, empty: NoDataError | None) -> NoDataError:
    reading = assembly.reading()
    names = ", ".join(file.file for file in reading.files)
    if reading.future:
        return NoDataError(
            f"all {reading.future:,} events of {names} lie in the future; check the clock, the "
            "unit of the times and their zone"
        )
    return (
        NoDataError(f"{names} holds no requests") if names else empty or NoDataError("no requests")
    )


class _Meter:
    """Tells how many bytes of all files are done."""

    def __init__(self, progress: Progress | None, sources: Iterable[Source]) -> None:
        self._progress = progress
        self._done = 0
        self._total: int | None = 0
        if progress is not None:
            for source in sources:
                raw, _, size = open_bytes(source)
                if raw is not source:
                    raw.close()
                self._total = None if size is None or self._total is None else self._total + size

    def tell(self, stream: ByteStream) -> None:
        if self._progress is not None:
            self._progress(self._done + stream.taken, self._total)

    def close(self, stream: ByteStream) -> None:
        self.tell(stream)
        self._done += stream.taken


def _read_file(
    stream: ByteStream, kind: str | None, options: Options, assembly: Assembly, meter: _Meter
) -> None:
    zeros = stream.skip_zeros()
    if zeros and not stream.peek(1):
        raise NoDataError(
            f"{stream.name} holds only zero bytes, {zeros:,} of them; there are no requests to "
            "answer with"
        )
    found = find_format(stream, kind)
    facts = FileFacts(stream.name, found.kind)
    if zeros:
        facts.notes.append(f"{zeros:,} zero bytes at its start passed over (emptied while open)")
    assembly.begin(stream.name)
    batches = _batches(stream, found, options, facts, assembly)
    if stream.packing is not None:
        facts.format += f", {stream.packing}"
    try:
        for batch in batches:
            assembly.add(batch)
            meter.tell(stream)
    except BrokenDataError as error:
        raise BrokenDataError(
            f"{error}, after {assembly.lines:,} good lines", line=assembly.lines
        ) from error
    assembly.end(facts)


def _batches(
    stream: ByteStream, found: Found, options: Options, facts: FileFacts, assembly: Assembly
) -> Iterator[Batch]:
    if found.kind == "parquet":
        facts.format = "Parquet"
        return _parquet_batches(stream, options, facts, assembly)
    if found.kind == "json":
        facts.format = "JSON lines"
        return json_batches(blocks(stream), found.lines, options, facts, assembly)
    if found.delimiter is not None:
        facts.format = DELIMITERS[found.delimiter]
        text = [line.decode("utf-8", "backslashreplace") for line in found.lines]
        return delimited_batches(blocks(stream), text, found.delimiter, options, facts, assembly)
    if options.counts:
        raise SourceFormatError(f"{stream.name} is an access log, not a table of counts")
    return _log_batches(stream, found, options, facts, assembly)


def _parquet_batches(
    stream: ByteStream, options: Options, facts: FileFacts, assembly: Assembly
) -> Iterator[Batch]:
    with stream.seekable() as file:
        yield from parquet_batches(file, options, facts, assembly)


def _log_batches(
    stream: ByteStream, found: Found, options: Options, facts: FileFacts, assembly: Assembly
) -> Iterator[Batch]:
    for role in options.columns:
        if role != "duration":
            raise InvalidInputError(
                f'{stream.name} is an access log, where only the "duration" can be named, '
                f'not "{role}"'
            )
    layout = find_layout(
        found.log,
        wanted=options.columns.get("duration"),
        duration_unit=options.duration_unit,
    )
    there = _LOG_LABELS if layout.vhost else REQUEST_LABELS
    for name in options.labels or ():
        if name not in there:
            raise unknown_column(name, there, stream.name)
    for name in options.values:
        if name != "bytes":
            raise unknown_column(name, ("bytes",), stream.name)
    wanted = (
        [name for name in options.labels if name in there]
        if options.labels is not None
        else [name for name in _LOG_USUAL if name in there]
    )
    facts.format = layout.name
    facts.duration_unit, facts.duration_why = layout.unit, layout.why
    facts.notes.extend(layout.notes)
    facts.columns = dict.fromkeys(("time", "status", *wanted), "log line")
    reader = LogReader(
        layout,
        {name: assembly.dictionary(name) for name in wanted},
        bytes_sent="bytes" in options.values,
        zone=options.zone,
    )
    return map(reader.read, blocks(stream))
