"""
Events as the logs that servers write: combined log, nginx JSON lines, CSV.

The combined log knows whole seconds only, so times are rounded down there; JSON lines keep
milliseconds, CSV keeps everything. Durations have milliseconds in the first two, as nginx writes
them. Simulated events lie on whole milliseconds: JSON lines and CSV lose nothing of them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from errorbudget.durations import DAY_NS, SECOND_NS
from errorbudget.errors import InvalidInputError, did_you_mean
from errorbudget.events import Events
from errorbudget.sources.atomic_files import write_blocks
from errorbudget.times import format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LOG_FORMATS",
    "LogFormat",
    "Progress",
    "log_blocks",
    "write_log",
]

LogFormat = Literal["combined", "json", "csv"]
LOG_FORMATS: tuple[LogFormat, ...] = ("combined", "json", "csv")
Progress = Callable[[int, int], None]
"""Called with the lines written so far and all lines, after every block."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BLOCK = 32_768


@cache
def _clock() -> NDArray[np.object_]:
    """HH:MM:SS of every second of a day: formatting a time becomes a look-up."""
    texts = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86_400)]
    return np.array(texts, dtype=object)


def _date_and_clock(
    time: NDArray[np.int64], day_text: Callable[[int], str]
) -> tuple[list[str], list[str]]:
    day = time // DAY_NS
    days, place = np.unique(day, return_inverse=True)
    dates = np.array([day_text(one) for one in days.tolist()], dtype=object)[place]
    return dates.tolist(), _clock()[(time - day * DAY_NS) // SECOND_NS].tolist()


def _iso_day(day: int) -> str:
    return format_time(day * DAY_NS)[:10]


def _log_day(day: int) -> str:
    year, month, number = _iso_day(day).split("-")
    return f"{number}/{_MONTHS[int(month) - 1]}/{year}"


def _escaped(text: str) -> str:
    r"""*text* as nginx and Apache quote it: what could end or break the field becomes \xHH."""
    return "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02X}"
        for byte in text.encode("utf-8", "surrogatepass")
    )


def _texts(
    events: Events, rows: slice, name: str, shown: Callable[[str], str], missing: str
) -> list[str]:
    """The label *name* of each of *rows*, each distinct text passed once through *shown*."""
    column = events.labels.get(name)
    if column is None:
        return [missing] * len(events.time[rows])
    # Code -1, no such label, looks up the last element.
    table = np.array([*(shown(value) for value in column.values), missing], dtype=object)
    texts: list[str] = table[column.codes[rows]].tolist()
    return texts


def _statuses(events: Events, rows: slice, missing: str) -> list[str]:
    if events.status is None:
        return [missing] * len(events.time[rows])
    table = np.array([missing, *map(str, range(1, 600))], dtype=object)
    texts: list[str] = table[events.status[rows]].tolist()
    return texts


def _numbers(column: NDArray[np.float64] | None, rows: slice, n: int, missing: str) -> list[str]:
    """Whole numbers without a point, others with all the digits they need."""
    if column is None:
        return [missing] * n
    part = column[rows]
    if not (part != np.floor(part)).any():
        return [str(int(number)) for number in part.tolist()]
    return [
        missing if isnan(number) else str(int(number)) if number.is_integer() else repr(number)
        for number in part.tolist()
    ]


def _seconds(column: NDArray[np.float64] | None, rows: slice, n: int, missing: str) -> list[str]:
    """Durations with three digits, as `$request_time` has them."""
    if column is None:
        return [missing] * n
    part = column[rows]
    if not np.isnan(part).any():
        return [f"{number:.3f}" for number in part.tolist()]
    return [missing if isnan(number) else f"{number:.3f}" for number in part.tolist()]


def _combined(events: Events) -> Iterator[tuple[int, bytes]]:
    for rows, n in _blocks(events):
        date, clock = _date_and_clock(events.time[rows], _log_day)
        columns = zip(
            _texts(events, rows, "client", lambda text: _escaped(text).replace(" ", ""), "-"),
            date,
            clock,
            _texts(events, rows, "method", _escaped, "-"),
            _texts(events, rows, "route", lambda text: _escaped(text).replace(" ", "%20"), "-"),
            _statuses(events, rows, "-"),
            _numbers(events.values.get("bytes"), rows, n, "-"),
            _texts(events, rows, "agent", _escaped, "-"),
            _seconds(events.duration_s, rows, n, "-"),
            strict=True,
        )
        lines = [
            f'{client} - - [{day}:{second} +0000] "{method} {route} HTTP/1.1" '
            f'{status} {size} "-" "{agent}" {took}\n'
            for client, day, second, method, route, status, size, agent, took in columns
        ]
        yield n, "".join(lines).encode("ascii")


def _json_lines(events: Events) -> Iterator[tuple[int, bytes]]:
    for rows, n in _blocks(events):
        ms = (events.time[rows] // 1_000_000).tolist()
        columns = zip(
            ms,
            _texts(events, rows, "client", json.dumps, "null"),
            _texts(events, rows, "method", json.dumps, "null"),
            _texts(events, rows, "route", json.dumps, "null"),
            _statuses(events, rows, "null"),
            _numbers(events.values.get("bytes"), rows, n, "null"),
            _seconds(events.duration_s, rows, n, "null"),
            strict=True,
        )
        lines = [
            f'{{"msec":{_ms_text(stamp)},"remote_addr":{client},"request_method":{method},'
            f'"request_uri":{route},"status":{status},"body_bytes_sent":{size},'
            f'"request_time":{took}}}\n'
            for stamp, client, method, route, status, size, took in columns
        ]
        yield n, "".join(lines).encode("ascii")


def _ms_text(ms: int) -> str:
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    return f"{sign}{ms // 1_000}.{ms % 1_000:03d}"


def _csv_text(text: str) -> str:
    if any(mark in text for mark in ',"\r\n') or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def _csv(events: Events) -> Iterator[tuple[int, bytes]]:
    digits = next(digits for digits in (0, 3, 6, 9) if not (events.time % 10 ** (9 - digits)).any())
    names = [name for name in ("status", "duration_s", "good") if name in events.columns]
    header = ["time", *names, *events.labels, *events.values]
    yield 0, (",".join(map(_csv_text, header)) + "\n").encode()
    for rows, n in _blocks(events):
        time = events.time[rows]
        date, clock = _date_and_clock(time, _iso_day)
        if digits:
            grain = 10 ** (9 - digits)
            parts = [f".{part:0{digits}d}" for part in ((time % SECOND_NS) // grain).tolist()]
        else:
            parts = [""] * n
        columns: list[list[str]] = []
        for name in names:
            if name == "status":
                columns.append(_statuses(events, rows, ""))
            elif name == "duration_s":
                columns.append(_numbers(events.duration_s, rows, n, ""))
            else:
                flags: NDArray[Any] = events.column("good")[rows]
                columns.append(["true" if flag else "false" for flag in flags.tolist()])
        columns += [_texts(events, rows, name, _csv_text, "") for name in events.labels]
        columns += [_numbers(column, rows, n, "") for column in events.values.values()]
        stamps = [
            f"{day}T{second}{part}Z" for day, second, part in zip(date, clock, parts, strict=True)
        ]
        lines = [",".join(cells) for cells in zip(stamps, *columns, strict=True)]
        yield n, ("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


def _blocks(events: Events) -> Iterator[tuple[slice, int]]:
    for low in range(0, len(events), _BLOCK):
        high = min(len(events), low + _BLOCK)
        yield slice(low, high), high - low


_WRITERS: dict[LogFormat, Callable[[Events], Iterator[tuple[int, bytes]]]] = {
    "combined": _combined,
    "json": _json_lines,
    "csv": _csv,
}


def log_blocks(
    events: Events, log_format: LogFormat = "combined", *, progress: Progress | None = None
) -> Iterator[bytes]:
    """
    The lines of a log, some thousands at a time, for whoever writes them somewhere else.

    Args:
        events: What to write.
        log_format: "combined", "json" or "csv"; see `write_log`.
        progress: Told after every block how many lines there were, and how many there will be.

    Raises:
        InvalidInputError: *log_format* is none of these.
    """
    if log_format not in _WRITERS:
        raise InvalidInputError(
            f'"{log_format}" is not a format of logs; there are {", ".join(LOG_FORMATS)}'
            f"{did_you_mean(str(log_format), LOG_FORMATS)}"
        )
    return _told(_WRITERS[log_format](events), len(events), progress)


def _told(
    blocks: Iterator[tuple[int, bytes]], total: int, progress: Progress | None
) -> Iterator[bytes]:
    done = 0
    for lines, block in blocks:
        yield block
        done += lines
        if progress is not None:
            progress(done, total)


def write_log(
    events: Events,
    path: str | os.PathLike[str],
    log_format: LogFormat = "combined",
    *,
    progress: Progress | None = None,
) -> int:
    """
    Write *events* as a log: all of it or nothing, compressed when *path* ends in `.gz`.

    Memory: one block of some thousands of lines.

    Args:
        events: What to write.
        path: Where to; an existing file is replaced in one step at the end.
        log_format: "combined" is what nginx is often told to write, with the request time in
            seconds at the end; "json" an object a line with nginx's names of its variables; "csv"
            all columns with a header, which loses nothing. Times are rounded down to a second, to
            a millisecond, and not at all. What events lack is `-`, null or empty.
        progress: Told after every block how many lines are written, and how many there will be.

    Returns:
        Lines with events in them.

    Raises:
        InvalidInputError: *log_format* is none of these.
        SourceUnavailableError: *path* cannot be written.
    """
    write_blocks(log_blocks(events, log_format, progress=progress), path)
    return len(events)
