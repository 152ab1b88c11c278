"""
Spans of time as people write them, kept as integer nanoseconds.

`"30d"`, `"1h30m"`, `"250ms"` follow Prometheus' order of units (largest first, each once);
`"30 days"` and `datetime.timedelta` are read too. Months and years are not durations, as
their length depends on the calendar: they are windows (`windows.Calendar`).
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING

from errorbudget.errors import InvalidDurationError, did_you_mean
from errorbudget.rationals import is_whole, shown

if TYPE_CHECKING:
    from fractions import Fraction

__all__ = [
    "DAY_NS",
    "HOUR_NS",
    "MINUTE_NS",
    "SECOND_NS",
    "DurationLike",
    "format_duration",
    "length_of",
    "parse_duration",
]

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

DurationLike = str | dt.timedelta

_UNITS = {
    "w": 7 * DAY_NS,
    "d": DAY_NS,
    "h": HOUR_NS,
    "m": MINUTE_NS,
    "s": SECOND_NS,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_WORDS = {
    "week": "w",
    "day": "d",
    "hour": "h",
    "hr": "h",
    "minute": "m",
    "min": "m",
    "second": "s",
    "sec": "s",
    "millisecond": "ms",
    "microsecond": "us",
    "nanosecond": "ns",
    "µs": "us",
    "μs": "us",
}
_CALENDAR = ("month", "mo", "M", "quarter", "q", "year", "yr", "y")
_HINT = 'write a number and a unit, such as "30d", "1h30m" or "250ms" (units: w d h m s ms us ns)'


def _unit(word: str, text: str) -> str:
    singular = word.removesuffix("s")
    if word in _UNITS:
        return word
    if singular in _WORDS or word in _WORDS:
        return _WORDS.get(singular) or _WORDS[word]
    if singular in _CALENDAR:
        raise InvalidDurationError(
            f'"{text}" has no fixed length; use a calendar window, such as '
            f'"month", or a number of days, such as "30d"'
        )
    known = (*_UNITS, *_WORDS, *(f"{name}s" for name in _WORDS))
    raise InvalidDurationError(
        f'"{text}" is not a duration: unit "{word}" is not known'
        f"{did_you_mean(word, known) or '; ' + _HINT}"
    )


def _checked(length_ns: int | Fraction, shown: str) -> int:
    if length_ns.denominator != 1:
        raise InvalidDurationError(f"{shown} is finer than a nanosecond")
    if length_ns <= 0:
        raise InvalidDurationError(f"a duration must be longer than 0, got {shown}")
    if length_ns >= 2**63:
        raise InvalidDurationError(f"a duration must be shorter than 292 years, got {shown}")
    return int(length_ns)


def length_of(value: DurationLike | int) -> int:
    """
    The length of a span that may also be given in nanoseconds.

    Args:
        value: Text, `timedelta`, or a whole number of ns.

    Returns:
        Length [ns, > 0].

    Raises:
        InvalidDurationError: *value* cannot be read, or is not positive.

    Example:
        >>> length_of("1us"), length_of(250)
        (1000, 250)
    """
    if type(value) is int and 0 < value < 2**63:
        return value
    if not is_whole(value):
        return parse_duration(value)  # type: ignore[arg-type]  # refuses what is none
    return _checked(int(value), f"{shown(value)} ns")  # type: ignore[arg-type]  # it is whole


def parse_duration(value: DurationLike) -> int:
    """
    The length of a span of time.

    Args:
        value: Text such as `"30d"`, `"1h30m"`, `"1.5h"`, `"30 days"`, or a `timedelta`.

    Returns:
        Length [ns, > 0].

    Raises:
        InvalidDurationError: *value* cannot be read, lacks a unit, or is not positive.

    Example:
        >>> parse_duration("1h30m") == 90 * MINUTE_NS
        True
    """
    if isinstance(value, dt.timedelta):
        length = ((value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds) * 1_000
        # pandas' timedeltas are a subclass with three more digits, and an empty one.
        return _checked(length + getattr(value, "nanoseconds", 0), repr(value))
    if not isinstance(value, str):
        raise InvalidDurationError(f"{shown(value)} is not a duration; {_HINT}")
    import re
    from fractions import Fraction

    text = value.strip()
    length_ns = Fraction(0)
    smallest: int | None = None
    position = 0
    for match in re.finditer(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([^\W\d_]+)", text):
        if match.start() != position:
            break
        position = match.end()
        size = _UNITS[_unit(match[2], text)]
        if smallest is not None and size >= smallest:
            raise InvalidDurationError(
                f'"{text}" is not a duration: units go from the largest to the smallest, each once'
            )
        smallest = size
        length_ns += Fraction(match[1]) * size
    if position != len(text) or smallest is None:
        raise InvalidDurationError(f'"{text}" is not a duration; {_HINT}')
    return _checked(length_ns, f'"{text}"')


@lru_cache(maxsize=1024)
def format_duration(length_ns: int) -> str:
    """
    The shortest way to write a span, readable by `parse_duration`.

    Args:
        length_ns: Length [ns]; zero and negative lengths are written too, for display.

    Example:
        >>> format_duration(90 * MINUTE_NS), format_duration(30 * DAY_NS)
        ('1h30m', '30d')
    """
    if length_ns == 0:
        return "0s"
    sign, rest = ("-", -length_ns) if length_ns < 0 else ("", length_ns)
    parts = []
    for unit, size in _UNITS.items():
        if unit == "w":
            continue
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)
