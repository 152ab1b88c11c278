"""
Instants, kept as integer nanoseconds since 1970-01-01T00:00:00Z.

An instant without a zone is refused where a person wrote it (text, `datetime`): guessing UTC moves
an incident by hours. numpy and pandas have no other way to say UTC, so their naive stamps are UTC.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from errorbudget.durations import SECOND_NS
from errorbudget.errors import InvalidTimeError
from errorbudget.rationals import shown

__all__ = ["MAX_NS", "MIN_NS", "TimeLike", "format_time", "to_datetime", "to_ns"]

MIN_NS = -(2**63) + 1
MAX_NS = 2**63 - 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CURE = 'add "Z", an offset such as "+02:00", or tzinfo=datetime.UTC'

TimeLike = str | int | dt.datetime | Any
"""Text with a zone, an aware `datetime`, integer nanoseconds, or a numpy/pandas timestamp."""


def _in_range(ns: int, value: object) -> int:
    if not MIN_NS <= ns <= MAX_NS:
        text = shown(value) if isinstance(value, int) else value
        raise InvalidTimeError(f"{text} lies outside the years 1678 to 2262")
    return ns


def _from_text(text: str) -> int:
    import re

    # fromisoformat keeps six digits: the rest of a nanosecond stamp is added by hand.
    shape = re.fullmatch(r"(.*:\d\d)[.,](\d{1,9})([^\d.,].*)?", text.strip())
    whole, digits = (
        (shape[1] + (shape[3] or ""), shape[2].ljust(9, "0")) if shape else (text.strip(), "0")
    )
    try:
        stamp = dt.datetime.fromisoformat(whole)
    except ValueError:
        raise InvalidTimeError(
            f'"{text}" is not a time; write it as "2026-03-01T12:00:00Z"'
        ) from None
    if stamp.tzinfo is None:
        raise InvalidTimeError(f'"{text}" has no time zone; {_CURE}')
    return _in_range(_from_aware(stamp) + int(digits), f'"{text}"')


def _from_aware(stamp: dt.datetime) -> int:
    # Not astimezone: near the years 1 and 9999 there is no clock to show UTC.
    since = stamp.replace(tzinfo=dt.UTC) - _EPOCH - (stamp.utcoffset() or dt.timedelta(0))
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000


def _from_numpy(value: Any) -> int:
    if value.dtype.kind != "M":
        return _in_range(int(value), value)
    try:
        scaled = value.astype("datetime64[ns]")
        there = scaled.astype(value.dtype) == value  # before numpy 2.5 it goes round
    except OverflowError:
        scaled, there = value, False
    if not there:
        raise InvalidTimeError(f"{value} lies outside the years 1678 to 2262")
    return int(scaled.astype("int64"))


def to_ns(value: TimeLike) -> int:
    """
    An instant in nanoseconds since the epoch, UTC.

    Args:
        value: ISO 8601 text with a zone, an aware `datetime`, an integer (already ns), or a
            numpy/pandas timestamp (a naive one is UTC).

    Raises:
        InvalidTimeError: *value* has no zone, cannot be read, or lies outside 1678 to 2262.

    Example:
        >>> to_ns("1970-01-01T01:00:00.000000001+01:00")
        1
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, bool):
        raise InvalidTimeError(f"{shown(value)} is not a time")
    if isinstance(value, int):
        return _in_range(value, value)
    if str(value) == "NaT":
        raise InvalidTimeError("NaT is not a time")
    if isinstance(value, dt.datetime) and hasattr(value, "as_unit"):  # pandas
        try:
            return int(value.as_unit("ns").value)
        except ValueError:
            raise InvalidTimeError(f"{value} lies outside the years 1678 to 2262") from None
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise InvalidTimeError(f"{shown(value)} has no time zone; {_CURE}")
        return _in_range(_from_aware(value), value)
    if getattr(value, "ndim", None) == 0 and value.dtype.kind in "iuM":
        return _from_numpy(value)
    raise InvalidTimeError(
        f"{shown(value)} is not a time; give text with a zone, an aware datetime or integer "
        "nanoseconds"
    )


def to_datetime(time_ns: int) -> dt.datetime:
    """The instant as an aware UTC `datetime`, rounded down to a microsecond."""
    return _EPOCH + dt.timedelta(microseconds=time_ns // 1_000)


def format_time(time_ns: int) -> str:
    """
    The instant as ISO 8601 in UTC, with as many digits as it has.

    Example:
        >>> format_time(1_500_000_000)
        '1970-01-01T00:00:01.500Z'
    """
    seconds, fraction = divmod(time_ns, SECOND_NS)
    text = (_EPOCH + dt.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if fraction:
        digits = f"{fraction:09d}"
        while digits.endswith("000"):
            digits = digits[:-3]
        text += f".{digits}"
    return f"{text}Z"
