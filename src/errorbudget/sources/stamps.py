"""
Written times as integer nanoseconds, many at once.

Each parser takes the digits at their fixed places out of a matrix of characters, so a million
times cost a few dozen array operations. What does not fit the shape is reported, not guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errorbudget.durations import SECOND_NS
from errorbudget.errors import InvalidTimeError

__all__ = ["CLF_WIDTH", "Zone", "clf", "iso", "matrix", "naive_to_ns", "zone_of"]

CLF_WIDTH = 26
"""Characters of `17/May/2015:10:05:03 +0000`, the stamp of common log lines."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_KEYS = np.array([int.from_bytes(name.encode(), "big") for name in _MONTHS], dtype=np.int32)
_MONTH_ORDER = np.argsort(_MONTH_KEYS).astype(np.int32)
_MONTH_SORTED = _MONTH_KEYS[_MONTH_ORDER]
_FIRST_YEAR, _LAST_YEAR = 1678, 2261
_ZERO, _NINE = 48, 57

Chars = NDArray[np.uint8]
Zone = dt.tzinfo


def matrix(texts: Sequence[bytes], width: int) -> tuple[Chars, NDArray[np.int64]]:
    """The texts as rows of characters, padded with NUL to *width*, and their lengths."""
    column = np.array(texts, dtype=f"S{width}") if texts else np.empty(0, dtype=f"S{width}")
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return column.view(np.uint8).reshape(len(texts), width), lengths


def _number(chars: Chars, *places: int) -> NDArray[np.int32]:
    total = np.zeros(len(chars), dtype=np.int32)
    for place in places:
        total *= 10
        total += chars[:, place]
        total -= _ZERO
    return total


def _digits(chars: Chars, *places: int) -> NDArray[np.bool_]:
    """Which rows have digits at all *places*."""
    fine = np.ones(len(chars), dtype=np.bool_)
    for place in places:
        fine &= (chars[:, place] - np.uint8(_ZERO)) <= _NINE - _ZERO
    return fine


def _marks(chars: Chars, marks: Sequence[tuple[int, str]]) -> NDArray[np.bool_]:
    fine = np.ones(len(chars), dtype=np.bool_)
    for place, mark in marks:
        fine &= chars[:, place] == ord(mark)
    return fine


def _month_table() -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Seconds since the epoch at the start of each month, and how many days it has."""
    first = f"{_FIRST_YEAR}-01"
    months = np.arange(first, f"{_LAST_YEAR + 1}-02", dtype="datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64)
    return days[:-1] * 86_400, np.diff(days).astype(np.int8)


_MONTH_STARTS, _MONTH_LENGTHS = _month_table()


def _date_seconds(
    year: NDArray[np.int32], month: NDArray[np.int32], day: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Seconds since the epoch at the start of the day, and which days exist."""
    exists = (month >= 1) & (month <= 12) & (year >= _FIRST_YEAR) & (year <= _LAST_YEAR)
    place = np.where(exists, (year - _FIRST_YEAR) * 12 + month - 1, 0)
    exists &= (day >= 1) & (day <= _MONTH_LENGTHS[place])
    return _MONTH_STARTS[place] + (day - 1) * np.int64(86_400), exists


def clf(chars: Chars) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """
    Times of common log lines.

    Args:
        chars: `17/May/2015:10:05:03 +0000` per row; shape (n, 26), uint8.

    Returns:
        Nanoseconds since the epoch, shape (n,), and which rows are such a time; the second 60
        of a leap second counts as the next second.

    Time: O(n).
    """
    if not len(chars):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)
    columns = np.ascontiguousarray(chars.T).T  # places are read column by column
    places = (0, 1, 7, 8, 9, 10, 12, 13, 15, 16, 18, 19, 22, 23, 24, 25)
    marks = ((2, "/"), (6, "/"), (11, ":"), (14, ":"), (17, ":"), (20, " "))
    fine = _digits(columns, *places) & _marks(columns, marks)
    key = (
        (columns[:, 3].astype(np.int32) << 16)
        | (columns[:, 4].astype(np.int32) << 8)
        | columns[:, 5]
    )
    at = np.minimum(np.searchsorted(_MONTH_SORTED, key), 11)
    fine &= _MONTH_SORTED[at] == key
    seconds, exists = _date_seconds(
        _number(columns, 7, 8, 9, 10), _MONTH_ORDER[at] + 1, _number(columns, 0, 1)
    )
    hour, minute, second = (_number(columns, *p) for p in ((12, 13), (15, 16), (18, 19)))
    zone_hour, zone_minute = _number(columns, 22, 23), _number(columns, 24, 25)
    fine &= exists & (hour < 24) & (minute < 60) & (second <= 60)
    fine &= (zone_hour < 24) & (zone_minute < 60)
    sign = columns[:, 21]
    fine &= (sign == ord("+")) | (sign == ord("-"))
    offset = (zone_hour * 3600 + zone_minute * 60) * np.where(sign == ord("-"), -1, 1)
    seconds += hour * 3600 + minute * 60 + second - offset
    return np.where(fine, seconds, 0) * SECOND_NS, fine


_ISO_WIDTH = 40


def iso(
    texts: Sequence[bytes],
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """
    Times as ISO 8601 writes them, such as `2026-03-01T12:00:00.25+01:00`.

    Args:
        texts: Date, "T" or space, time with up to nine decimals, then "Z", an offset or nothing.

    Returns:
        Nanoseconds since the epoch (of the written local time where no zone stands), which texts
        are such a time, and which of them name their zone; each of shape (n,).

    Time: O(n).
    """
    n = len(texts)
    chars, lengths = matrix(texts, _ISO_WIDTH)
    if not n:
        return lengths, np.empty(0, dtype=np.bool_), np.empty(0, dtype=np.bool_)
    chars = np.ascontiguousarray(chars.T).T
    fine = _digits(chars, 0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
    fine &= _marks(chars, ((4, "-"), (7, "-"), (13, ":"), (16, ":")))
    fine &= (chars[:, 10] == ord("T")) | (chars[:, 10] == ord(" ")) | (chars[:, 10] == ord("t"))
    fine &= (lengths >= 19) & (lengths < _ISO_WIDTH)
    seconds, exists = _date_seconds(
        _number(chars, 0, 1, 2, 3), _number(chars, 5, 6), _number(chars, 8, 9)
    )
    hour, minute, second = (_number(chars, *p) for p in ((11, 12), (14, 15), (17, 18)))
    fine &= exists & (hour < 24) & (minute < 60) & (second <= 60)
    seconds += hour * 3600 + minute * 60 + second
    nanos = np.zeros(n, dtype=np.int64)
    end = np.full(n, 19, dtype=np.int64)  # where the zone begins
    running = (chars[:, 19] == ord(".")) | (chars[:, 19] == ord(","))
    end += running
    for digit in range(9):
        digits = _digits(chars, 20 + digit)
        running &= digits
        nanos = np.where(
            running,
            nanos + (chars[:, 20 + digit].astype(np.int64) - _ZERO) * 10 ** (8 - digit),
            nanos,
        )
        end += running
    fine &= end != 20  # a point without digits
    rows = np.arange(n)
    tail = np.stack([chars[rows, np.minimum(end + k, _ISO_WIDTH - 1)] for k in range(6)], axis=1)
    left = lengths - end
    utc = (left == 1) & ((tail[:, 0] == ord("Z")) | (tail[:, 0] == ord("z")))
    signed = (tail[:, 0] == ord("+")) | (tail[:, 0] == ord("-"))
    hours = signed & _digits(tail, 1, 2)
    colon = hours & (left == 6) & (tail[:, 3] == ord(":")) & _digits(tail, 4, 5)
    plain = hours & (left == 5) & _digits(tail, 3, 4)
    short = hours & (left == 3)
    minutes = np.where(colon, _number(tail, 4, 5), np.where(plain, _number(tail, 3, 4), 0))
    zone_hours = _number(tail, 1, 2)
    zoned = utc | colon | plain | short
    offset = np.where(
        colon | plain | short,
        (zone_hours * 3600 + minutes * 60) * np.where(tail[:, 0] == ord("-"), -1, 1),
        0,
    )
    fine &= (left == 0) | zoned
    fine &= (np.abs(offset) < 86_400) & (minutes < 60)
    time = np.where(fine, seconds - offset, 0) * SECOND_NS + np.where(fine, nanos, 0)
    return time, fine, zoned & fine


def zone_of(zone: str | dt.tzinfo) -> Zone:
    """
    The time zone meant by *zone*: a `tzinfo`, an IANA name, or an offset such as "+02:00".

    Raises:
        InvalidTimeError: There is no such zone.
    """
    if isinstance(zone, dt.tzinfo):
        return zone
    shape = re.fullmatch(r"([+-])(\d\d):?(\d\d)", zone)
    if shape and int(shape[2]) < 24 and int(shape[3]) < 60:
        span = dt.timedelta(hours=int(shape[2]), minutes=int(shape[3]))
        return dt.timezone(-span if shape[1] == "-" else span)
    if zone in ("UTC", "Z", "utc"):
        return dt.UTC
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        from errorbudget.errors import did_you_mean

        hint = did_you_mean(zone, sorted(zoneinfo.available_timezones()))
        raise InvalidTimeError(
            f'"{zone}" is not a time zone; write "UTC", "Europe/Berlin" or "+02:00"{hint}'
        ) from None


_SLOT_NS = 900 * SECOND_NS  # zones change their offset on a quarter of an hour


def naive_to_ns(local_ns: NDArray[np.int64], zone: Zone) -> tuple[NDArray[np.int64], int]:
    """
    Local times of a zone as instants.

    Args:
        local_ns: What the wall clock showed, as if it were UTC [ns]; shape (n,).
        zone: The wall clock's zone.

    Returns:
        Nanoseconds since the epoch, shape (n,), and how many of them the clock showed twice (the
        hour that repeats in autumn): for those the first passing is taken.
    """
    slots, inverse = np.unique(local_ns // _SLOT_NS, return_inverse=True)
    offsets = np.empty(len(slots), dtype=np.int64)
    twice = np.zeros(len(slots), dtype=np.bool_)
    epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock's time has no zone
    for index, slot in enumerate(slots.tolist()):
        wall = epoch + dt.timedelta(seconds=900 * slot)
        first: Any = wall.replace(tzinfo=zone).utcoffset()
        second: Any = wall.replace(tzinfo=zone, fold=1).utcoffset()
        offsets[index] = first // dt.timedelta(microseconds=1) * 1000
        twice[index] = second < first
    return local_ns - offsets[inverse], int(np.count_nonzero(twice[inverse]))
