"""
Whole blocks of access log lines at once.

Nearly all lines of a log have one shape. Their quotes and line ends are found by comparing the
block with two characters; time, status and duration then stand at known distances from the
quotes and are read as columns of digits. Every line that differs in any way goes through
`line.parse_line`; the two must agree, and the tests compare them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from errorbudget.errors import InvalidTimeError
from errorbudget.sources.batches import Batch
from errorbudget.sources.blocks import Block
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
_PAD = 128
_WORDS_WIDTH = 64  # bytes within which a further field is looked for
_NUMBER_WIDTH = 20
_ENDS = np.zeros(256, dtype=np.bool_)
_ENDS[[*b' ",;\n']] = True
_MSEC = re.compile(rb"([0-9]{9,10})(?:\.([0-9]{1,9}))?")
_POWERS = np.array([float(10**power) for power in range(23)])  # all exact

Ints = NDArray[np.int64]


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
        self._layout = layout
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
        text = np.frombuffer(block.data + bytes(_PAD), dtype=np.uint8)
        marks = text[: len(block.data)] == _NEWLINE
        if self._fast:
            marks |= text[: len(block.data)] == _QUOTE
        places = np.flatnonzero(marks)
        line_ends = np.flatnonzero(text[places] == _NEWLINE)
        ends = places[line_ends]
        starts = np.concatenate(([0], ends[:-1] + 1))
        stops = ends - (text[ends - 1] == _RETURN) * (ends > starts)
        first = np.concatenate(([0], line_ends[:-1] + 1))

        n = len(ends)
        time = np.zeros(n, dtype=np.int64)
        status = np.zeros(n, dtype=np.int16)
        codes = {name: np.full(n, -1, np.int32) for name in self._requests.names}
        if self._hosts is not None:
            codes["host"] = np.full(n, -1, np.int32)
        numbers = {name: np.full(n, np.nan) for name in self._numbers}
        done = np.zeros(n, dtype=np.bool_)

        if self._fast and n:
            quotes = line_ends - first
            usual = quotes >= 2
            if block.data.find(b"\\") >= 0:
                at = np.flatnonzero(text[: len(block.data)] == _BACKSLASH)
                usual[np.searchsorted(ends, at)] = False
            self._usual(
                block.data, text, starts, stops, places, first, quotes, np.flatnonzero(usual),
                time, status, codes, numbers, done,
            )  # fmt: skip
        skips = block.skips.copy()
        odd = np.flatnonzero(~done & (stops > starts))
        if len(odd):
            self._odd(block, starts, stops, odd, time, status, codes, numbers, done, skips)
        taken = np.flatnonzero(done)
        duration = numbers.pop("duration", None)
        return Batch(
            time=time[taken],
            line=taken + block.line,
            status=status[taken],
            duration_s=None if duration is None else duration[taken],
            labels={name: column[taken] for name, column in codes.items()},
            values={name: column[taken] for name, column in numbers.items()},
            lines=block.lines,
            skips=skips,
        )

    def _usual(
        self,
        data: bytes,
        text: NDArray[np.uint8],
        starts: Ints,
        stops: Ints,
        places: Ints,
        first: Ints,
        quotes: Ints,
        rows: Ints,
        time: Ints,
        status: NDArray[np.int16],
        codes: dict[str, NDArray[np.int32]],
        numbers: dict[str, NDArray[np.float64]],
        done: NDArray[np.bool_],
    ) -> None:
        """Fill in the lines among *rows* that have the usual shape."""
        opens, closes = places[first[rows]], places[first[rows] + 1]
        # `who [17/May/2015:10:05:03 +0000] "request" 200 `: the time ends two before the quote.
        stamp = opens - CLF_WIDTH - 2
        fits = stamp > starts[rows]
        fits &= closes + 5 <= stops[rows]
        rows, opens, closes, stamp = (each[fits] for each in (rows, opens, closes, stamp))
        begins = stamp - 1 == starts[rows]
        fits = (text[stamp - 1] == ord("[")) & (begins | (text[stamp - 2] == _SPACE))
        fits &= (text[opens - 2] == ord("]")) & (text[opens - 1] == _SPACE)
        times, real = clf(text[stamp + np.arange(CLF_WIDTH)[:, None]].T)
        fits &= real
        digits = [text[closes + place].astype(np.int16) - ord("0") for place in (2, 3, 4)]
        for digit in digits:
            fits &= (digit >= 0) & (digit <= 9)
        code = digits[0] * 100 + digits[1] * 10 + digits[2]
        fits &= (code >= 100) & (code <= 599) & (text[closes + 1] == _SPACE)
        fits &= (closes + 5 == stops[rows]) | (text[closes + 5] == _SPACE)
        found: dict[str, NDArray[np.float64]] = {}
        for name, (field, decimals, whole) in self._numbers.items():
            found[name], sure = _field(
                text, places, first[rows] + 1, quotes[rows] - 2, stops[rows], field, decimals, whole
            )
            fits &= sure
        rows, opens, closes = rows[fits], opens[fits], closes[fits]
        done[rows] = True
        time[rows] = times[fits]
        status[rows] = code[fits]
        for name, column in found.items():
            numbers[name][rows] = column[fits]
        if self._requests.names:
            lines = [data[a:b] for a, b in zip((opens + 1).tolist(), closes.tolist(), strict=True)]
            for label, coded in self._requests.codes(lines).items():
                codes[label][rows] = coded
        if self._hosts is not None:
            who_ends = np.maximum(stamp[fits] - 2, starts[rows])
            codes["host"][rows] = self._host_codes(
                data[a:b] for a, b in zip(starts[rows].tolist(), who_ends.tolist(), strict=True)
            )

    def _host_codes(self, prefixes: Iterable[bytes]) -> list[int]:
        hosts = self._hosts
        if hosts is None:
            return []
        found = map(vhost_of, prefixes)
        return [-1 if host is None else hosts[host] for host in found]

    def _odd(
        self,
        block: Block,
        starts: Ints,
        stops: Ints,
        rows: Ints,
        time: Ints,
        status: NDArray[np.int16],
        codes: dict[str, NDArray[np.int32]],
        numbers: dict[str, NDArray[np.float64]],
        done: NDArray[np.bool_],
        skips: Skips,
    ) -> None:
        """Fill in the lines at *rows*, one by one, and count the bad ones among them."""
        kept: list[tuple[int, bytes, LogLine]] = []
        untimely = Skips()
        bounds = zip(rows.tolist(), starts[rows].tolist(), stops[rows].tolist(), strict=True)
        for row, start, stop in bounds:
            line = block.data[start:stop]
            parts = parse_line(line)
            if isinstance(parts, str):
                if line.strip():
                    skips.add(block.line + row, line, parts)
                continue
            kept.append((row, line, parts))
        times, wrong = self._times([parts.stamp for _, _, parts in kept])
        for index, why in wrong.items():
            untimely.add(block.line + kept[index][0], kept[index][1], why)
        skips.join(untimely)
        kept = [entry for index, entry in enumerate(kept) if index not in wrong]
        if not kept:
            return
        at = np.array([row for row, _, _ in kept], dtype=np.int64)
        done[at] = True
        time[at] = np.delete(times, list(wrong)) if wrong else times
        status[at] = [parts.status for _, _, parts in kept]
        for label, coded in self._requests.codes(parts.request for _, _, parts in kept).items():
            codes[label][at] = coded
        if self._hosts is not None:
            codes["host"][at] = self._host_codes(parts.who for _, _, parts in kept)
        for name, (field, decimals, whole) in self._numbers.items():
            numbers[name][at] = [
                _slow_number(line, parts.close, field, decimals, whole) for _, line, parts in kept
            ]

    def _times(self, stamps: list[bytes]) -> tuple[Ints, dict[int, str]]:
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


def _slow_number(line: bytes, close: int, field: Field, decimals: int, whole: bool) -> float:
    number = number_at(line, field_start(line, close, field), decimals, whole=whole)
    return np.nan if number is None else number


def _field(
    text: NDArray[np.uint8],
    places: Ints,
    close: Ints,
    left: Ints,
    stops: Ints,
    field: Field,
    decimals: int,
    whole: bool,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """
    The numbers of *field*, and for which lines they are certain; the others are odd.

    Args:
        text: The block, padded.
        places: Positions of quotes and line ends.
        close: Index in *places* of each request's closing quote.
        left: Quotes of the line behind that one.
        stops: Where each line stops.
        field: Where the number stands.
        decimals: Power of ten of the unit.
        whole: Numbers with a point are missing.
    """
    sure = left >= field.quotes
    at = places[np.where(sure, close + field.quotes, close)] + 1
    if field.words >= 0:
        ends = np.where(sure, places[np.where(sure, close + field.quotes + 1, close)], at)
        # The space before the wanted word: found by counting spaces in a window.
        window = text[at + np.arange(_WORDS_WIDTH)[:, None]] == _SPACE
        seen = np.zeros(len(at), dtype=np.int16)
        start = np.full(len(at), -1, dtype=np.int64)
        for offset in range(_WORDS_WIDTH):
            seen += window[offset]
            start = np.where((start < 0) & (seen == field.words + 1), at + offset + 1, start)
        sure &= (start >= 0) & (start <= ends)
        at = np.where(sure, start, at)
    for index, char in enumerate(field.key):
        sure &= text[np.minimum(at + index, len(text) - 1)] == char
    at = at + len(field.key)
    sure &= at <= stops
    at = np.where(sure, at, 0)
    chars = text[np.minimum(at + np.arange(_NUMBER_WIDTH)[:, None], len(text) - 1)]
    dash = (chars[0] == ord("-")) & _ended(chars[1], at + 1, stops)
    mantissa = np.zeros(len(at), dtype=np.int64)
    count = np.zeros(len(at), dtype=np.int64)
    after = np.zeros(len(at), dtype=np.int64)
    point = np.zeros(len(at), dtype=np.bool_)
    over = np.zeros(len(at), dtype=np.bool_)
    number = np.zeros(len(at), dtype=np.bool_)
    for offset in range(_NUMBER_WIDTH):
        char = chars[offset]
        digit = (char - np.uint8(ord("0"))) <= 9
        running = digit & ~over
        mantissa = np.where(running, mantissa * 10 + (char.astype(np.int64) - ord("0")), mantissa)
        count += running
        after += running & point
        dot = (char == ord(".")) & ~point & ~over & (count > 0)
        ending = ~over & ~digit & ~dot
        number |= ending & _ended(char, at + offset, stops) & (count > 0) & (point <= (after > 0))
        point |= dot
        over |= ending
    sure &= dash | (number & (count <= 15) & (after + decimals < len(_POWERS)))
    exact = mantissa / _POWERS[np.minimum(after + decimals, len(_POWERS) - 1)]
    missing = dash | (point if whole else np.zeros_like(point))
    return np.where(missing, np.nan, exact), sure


def _ended(char: NDArray[np.uint8], at: Ints, stops: Ints) -> NDArray[np.bool_]:
    """Whether a number ends before *char* at the positions *at*."""
    return _ENDS[char] | (at >= stops)
