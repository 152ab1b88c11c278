"""
Whole blocks of access log lines at once.

Nearly all lines of a log have one shape. Their quotes and line ends are found by comparing the
block with two characters; time, status and duration then stand at known distances from the
quotes and are read as columns of digits. Every line that differs in any way goes through
`line.parse_line`; the two must agree, and the tests compare them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from errorbudget.errors import InvalidTimeError
from errorbudget.sources.batches import Batch
from errorbudget.sources.blocks import Block
from errorbudget.sources.logs.field import PAD, field_numbers
from errorbudget.sources.logs.layout import Layout
from errorbudget.sources.logs.line import (
    Field,
    LogLine,
    field_start,
    number_at,
    parse_line,
    vhost_of,
)
from errorbudget.sources.reading import Skips
from errorbudget.sources.requests import Dictionary, Requests
from errorbudget.sources.stamps import CLF_WIDTH, Zone, clf, iso, matrix, naive_to_ns
from errorbudget.times import MAX_NS

__all__ = ["LogReader"]

_NEWLINE, _QUOTE, _SPACE, _BACKSLASH, _RETURN = b'\n" \\\r'
_MSEC = re.compile(rb"([0-9]{9,10})(?:\.([0-9]{1,9}))?")

Ints = NDArray[np.int64]


class _Marks:
    """
    Where the lines of a block begin and end, and where their quotes stand.

    Args:
        text: The characters of the block.
        size: How many of them are lines; the rest is padding.
        quoted: Whether the quotes are wanted.
    """

    __slots__ = ("ends", "first", "places", "quotes", "starts", "stops", "text")

    def __init__(self, text: NDArray[np.uint8], size: int, *, quoted: bool) -> None:
        lines = text[:size]
        marks = lines == _NEWLINE
        if quoted:
            marks |= lines == _QUOTE
        self.text = text
        self.places: Ints = np.flatnonzero(marks)
        line_ends = np.flatnonzero(text[self.places] == _NEWLINE)
        self.ends: Ints = self.places[line_ends]
        self.starts: Ints = np.concatenate(([0], self.ends[:-1] + 1))
        returned = (text[self.ends - 1] == _RETURN) & (self.ends > self.starts)
        self.stops: Ints = self.ends - returned
        # Index in places of each line's first quote, and how many quotes it has.
        self.first: Ints = np.concatenate(([0], line_ends[:-1] + 1))
        self.quotes: Ints = line_ends - self.first


def _no_rows() -> Ints:
    return np.empty(0, dtype=np.int64)


@dataclass(slots=True)
class _Scan:
    """
    What the lines of a block hold, all but their labels.

    Args:
        block: The lines.
        time: Nanoseconds since the epoch; shape (lines,).
        status: 100 to 599; shape (lines,).
        numbers: Further numbers by name, NaN where missing; each of shape (lines,).
        done: Which lines are events; shape (lines,).
        skips: Bad lines.
        rows: Lines of the usual shape.
        requests: Where the requests of *rows* start and end in the block.
        who: Where the part before the time of *rows* starts and ends.
        odd: The other lines that are events, with their parts.
    """

    block: Block
    time: Ints
    status: NDArray[np.int16]
    numbers: dict[str, NDArray[np.float64]]
    done: NDArray[np.bool_]
    skips: Skips
    rows: Ints = field(default_factory=_no_rows)
    requests: tuple[Ints, Ints] = field(default_factory=lambda: (_no_rows(), _no_rows()))
    who: tuple[Ints, Ints] = field(default_factory=lambda: (_no_rows(), _no_rows()))
    odd: list[tuple[int, LogLine]] = field(default_factory=list)


class LogReader:
    """
    Reads the blocks of one log.

    Args:
        layout: What its lines have in common.
        dictionaries: Codes of the wanted labels, by name: any of method, route, proto, host.
        bytes_sent: Whether the bytes of the answer are wanted as a column of numbers.
        zone: The zone of times that name none, or None to refuse those.
        fast: Read usual lines as columns; False reads each line on its own, with the same result.
    """

    def __init__(
        self,
        layout: Layout,
        dictionaries: dict[str, Dictionary],
        *,
        bytes_sent: bool = False,
        zone: Zone | None = None,
        fast: bool = True,
    ) -> None:
        self._requests = Requests([name for name in dictionaries if name != "host"], dictionaries)
        self._hosts = dictionaries.get("host") if layout.vhost else None
        self._numbers: dict[str, tuple[Field, int, bool]] = {}
        if layout.duration is not None:
            self._numbers["duration"] = (layout.duration, layout.decimals, layout.whole)
        if bytes_sent:
            self._numbers["bytes"] = (Field(0, 1), 0, True)
        self._zone = zone
        self._fast = fast

    def read(self, block: Block) -> Batch:
        """The events of *block*."""
        return self._labelled(self._scan(block))

    def _scan(self, block: Block) -> _Scan:
        """The events of *block* without their labels."""
        padding = bytes(PAD) if self._numbers else b""
        text = np.frombuffer(block.data + padding, dtype=np.uint8)
        marks = _Marks(text, len(block.data), quoted=self._fast)
        n = len(marks.ends)
        scan = _Scan(
            block,
            time=np.zeros(n, dtype=np.int64),
            status=np.zeros(n, dtype=np.int16),
            numbers={name: np.full(n, np.nan) for name in self._numbers},
            done=np.zeros(n, dtype=np.bool_),
            skips=block.skips.copy(),
        )
        if self._fast:
            self._scan_usual(scan, marks)
        odd = np.flatnonzero(~scan.done & (marks.stops > marks.starts))
        if len(odd):
            self._scan_odd(scan, marks, odd)
        return scan

    def _scan_usual(self, scan: _Scan, marks: _Marks) -> None:
        """Fill in the lines that have the usual shape."""
        usual = marks.quotes >= 2
        data, text = scan.block.data, marks.text
        if data.find(b'\\"') >= 0:  # quotes that do not end a text
            at = np.flatnonzero(text[: len(data)] == _BACKSLASH)
            at = at[text[at + 1] == _QUOTE]
            usual[np.searchsorted(marks.ends, at)] = False
        rows = np.flatnonzero(usual)
        opens, closes = marks.places[marks.first[rows]], marks.places[marks.first[rows] + 1]
        # `who [17/May/2015:10:05:03 +0000] "request" 200 `: the time ends two before the quote.
        stamp = opens - CLF_WIDTH - 2
        fits = (stamp > marks.starts[rows]) & (closes + 5 <= marks.stops[rows])
        if not fits.all():
            rows, opens, closes, stamp = (each[fits] for each in (rows, opens, closes, stamp))
        begins = stamp - 1 == marks.starts[rows]
        fits = (text[stamp - 1] == ord("[")) & (begins | (text[stamp - 2] == _SPACE))
        fits &= (text[opens - 2] == ord("]")) & (text[opens - 1] == _SPACE)
        times, real = clf(_pieces(scan.block.data, stamp, CLF_WIDTH))
        fits &= real
        digits = [text[closes + place].astype(np.int16) - ord("0") for place in (2, 3, 4)]
        for digit in digits:
            fits &= (digit >= 0) & (digit <= 9)
        code = digits[0] * 100 + digits[1] * 10 + digits[2]
        fits &= (code >= 100) & (code <= 599) & (text[closes + 1] == _SPACE)
        fits &= (closes + 5 == marks.stops[rows]) | (text[closes + 5] == _SPACE)
        found: dict[str, NDArray[np.float64]] = {}
        for name, (place, decimals, whole) in self._numbers.items():
            found[name], sure = field_numbers(
                text,
                marks.places,
                marks.first[rows] + 1,
                marks.quotes[rows] - 2,
                marks.stops[rows],
                place,
                decimals,
                whole=whole,
            )
            fits &= sure
        kept = rows[fits]
        scan.done[kept] = True
        scan.time[kept] = times[fits]
        scan.status[kept] = code[fits]
        for name, column in found.items():
            scan.numbers[name][kept] = column[fits]
        scan.rows = kept
        scan.requests = (opens[fits] + 1, closes[fits])
        starts = marks.starts[kept]
        scan.who = (starts, np.maximum(stamp[fits] - 2, starts))

    def _scan_odd(self, scan: _Scan, marks: _Marks, rows: Ints) -> None:
        """Fill in the lines at *rows*, one by one, and count the bad ones among them."""
        data, first = scan.block.data, scan.block.line
        kept: list[tuple[int, bytes, LogLine]] = []
        untimely = Skips()
        starts, stops = marks.starts[rows].tolist(), marks.stops[rows].tolist()
        for row, start, stop in zip(rows.tolist(), starts, stops, strict=True):
            line = data[start:stop]
            parts = parse_line(line)
            if not isinstance(parts, str):
                kept.append((row, line, parts))
            elif line.strip():
                scan.skips.add(first + row, line, parts)
        times, wrong = self._times([parts.stamp for _, _, parts in kept])
        for index, why in wrong.items():
            untimely.add(first + kept[index][0], kept[index][1], why)
        scan.skips.join(untimely)
        fine = [index for index in range(len(kept)) if index not in wrong]
        at = np.array([kept[index][0] for index in fine], dtype=np.int64)
        scan.done[at] = True
        scan.time[at] = times[fine]
        scan.status[at] = [kept[index][2].status for index in fine]
        scan.odd = [(kept[index][0], kept[index][2]) for index in fine]
        for name, (place, decimals, whole) in self._numbers.items():
            scan.numbers[name][at] = [
                _slow_number(line, parts.close, place, decimals, whole)
                for _, line, parts in (kept[index] for index in fine)
            ]

    def _labelled(self, scan: _Scan) -> Batch:
        """The events of *scan* with their labels."""
        codes = {name: np.full(len(scan.done), -1, np.int32) for name in self._requests.names}
        odd_rows = np.array([row for row, _ in scan.odd], dtype=np.int64)
        if self._requests.names:
            data = scan.block.data
            starts, ends = (bounds.tolist() for bounds in scan.requests)
            for name, found in self._requests.codes_between(data, starts, ends).items():
                codes[name][scan.rows] = found
            requests = (parts.request for _, parts in scan.odd)
            for name, found in self._requests.codes(requests).items():
                codes[name][odd_rows] = found
        if self._hosts is not None:
            codes["host"] = np.full(len(scan.done), -1, np.int32)
            starts, ends = (bounds.tolist() for bounds in scan.who)
            codes["host"][scan.rows] = self._host_codes(
                scan.block.data[a:b] for a, b in zip(starts, ends, strict=True)
            )
            codes["host"][odd_rows] = self._host_codes(parts.who for _, parts in scan.odd)
        taken = np.flatnonzero(scan.done)
        numbers = {name: column[taken] for name, column in scan.numbers.items()}
        return Batch(
            time=scan.time[taken],
            line=taken + scan.block.line,
            status=scan.status[taken],
            duration_s=numbers.pop("duration", None),
            labels={name: column[taken] for name, column in codes.items()},
            values=numbers,
            lines=scan.block.lines,
            skips=scan.skips,
        )

    def _host_codes(self, prefixes: Iterable[bytes]) -> list[int]:
        hosts = self._hosts
        if hosts is None:
            return []
        found = map(vhost_of, prefixes)
        return [-1 if host is None else hosts[host] for host in found]

    def _times(self, stamps: Sequence[bytes]) -> tuple[Ints, dict[int, str]]:
        """Times of odd lines, and what is wrong with which of them."""
        chars, lengths = matrix(stamps, CLF_WIDTH)
        times, real = clf(chars)
        real &= lengths == CLF_WIDTH
        wrong: dict[int, str] = {}
        for index in np.flatnonzero(~real).tolist():
            answer = self._other_time(stamps[index])
            if isinstance(answer, str):
                wrong[index] = answer
            else:
                times[index] = answer
        return times, wrong

    def _other_time(self, stamp: bytes) -> int | str:
        """A time in ISO 8601 or in seconds since the epoch (nginx `$msec`)."""
        said = stamp.decode("utf-8", "backslashreplace")
        msec = _MSEC.fullmatch(stamp)
        if msec:
            time_ns = int(msec[1]) * 10**9 + int((msec[2] or b"0").ljust(9, b"0"))
            return time_ns if time_ns <= MAX_NS else f'time "{said}" lies beyond the year 2262'
        times, real, zoned = iso([stamp])
        if not real[0]:
            return f'time "{said}" cannot be read'
        if zoned[0]:
            return int(times[0])
        if self._zone is None:
            return f'time "{said}" has no zone; say which, such as zone="UTC"'
        try:
            return int(naive_to_ns(times, self._zone)[0][0])
        except (OverflowError, InvalidTimeError):
            return f'time "{said}" is out of range'


def _pieces(data: bytes, starts: Ints, width: int) -> NDArray[np.uint8]:
    """The *width* characters from each start on; shape (n, width)."""
    if not len(starts):
        return np.empty((0, width), dtype=np.uint8)
    # One item per position, overlapping: picking some copies each in one go.
    windows = np.ndarray((len(data) - width + 1,), dtype=f"V{width}", buffer=data, strides=(1,))
    return windows[starts].view(np.uint8).reshape(len(starts), width)


def _slow_number(line: bytes, close: int, field: Field, decimals: int, whole: bool) -> float:
    number = number_at(line, field_start(line, close, field), decimals, whole=whole)
    return np.nan if number is None else number
